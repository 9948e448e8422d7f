// Package cgbg is the workflow of coarse-grained Boltzmann generators: from
// molecular-dynamics frames to unbiased free energies with error bars.
//
//	frames (R, F) ──┬─▶ pmf.Fit   (force matching)  ──▶ U(R)
//	                └─▶ flow.Fit  (flow matching)   ──▶ v(t, R)
//	flow.Sample ──▶ R, ln q(R) ──▶ reweight (U, ln q) ──▶ weights ──▶ observable ──▶ figure
//
// A system of the paper is a type here, [MullerBrown] or [Alanine], or [Generator] for models that are there already, with the
// presets "small" (seconds, for tests), "quick" (minutes on two cores) and
// "paper" (the paper's settings). Its steps keep what they make in the run's
// folder: a step that was interrupted goes on where it stood, and one that is
// done returns at once, so that the cells of a notebook can ask for it again.
//
// The packages, each usable alone:
//
//	units        constants
//	backend      XLA or the Go backend, and which one
//	mullerbrown  the two-dimensional test system with its exact answers
//	cgmap        coarse-grained mappings and force projection
//	forward      derivatives carried forward through GoMLX graphs
//	ode          Dormand–Prince 5(4), dense output, Adams steps on a mesh, quadrature
//	train        training loops with exact resume
//	flow         vector fields, flow matching, exact log-densities
//	e3           irreps, spherical harmonics, Wigner symbols, symmetric contractions
//	pmf          potentials (MACE among them), force matching
//	langevin     dynamics on a potential
//	reweight     weights, effective sample size, Pareto smoothing, verdict
//	observable   dihedrals, histograms, free energies, scores with floors
//	figure       the pictures
//
// Units: nm, ps, kJ/mol, K, rad; Müller–Brown has reduced units with kT = 1.
package cgbg
