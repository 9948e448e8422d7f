// Package observable measures samples: variables of any molecule, histograms, free energies, and how far one
// distribution is from another.
//
// A [Variable] is a named number of every frame: a torsion, a distance, any function of its positions; a [State] is a
// region of variables. [Points] are the values of one variable or two with their weights, on intervals or circles.
//
// Samples may carry weights of any scale (those of reweight.Normalize, say), nil for one each. Every estimate can have
// a bootstrap error: samples are resampled together with their weights, so that the error holds the variance of the
// weights too, and in blocks of consecutive frames where they come from a trajectory (Inefficiency tells how long).
//
// A score (JS, PMFError) of finitely many samples is above zero even for a perfect model. Show it beside its floor:
// FloorExact where the distribution is known, FloorReference where only a trajectory is.
//
// Units: positions in nm, angles in rad, energies in the unit of the kT given (kT itself where none is), JS divergence
// in nats, the PMF error in (kT)².
//
// Sources: the metrics of Coarse-Grained Boltzmann Generators, arXiv 2602.10637, §4, with the conventions of its
// published code; others stand where they are used.
package observable
