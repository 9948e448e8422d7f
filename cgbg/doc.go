// Package cgbg is the workflow of coarse-grained Boltzmann generators: from molecular-dynamics frames to unbiased free
// energies with error bars.
//
//	frames (R, F) ──┬─▶ Train a PMF   (force matching)  ──▶ U(R)
//	                └─▶ Train a Flow  (flow matching)   ──▶ v(t, R)
//	Draw ──▶ R, ln q(R) ──▶ Reweigh (U, ln q) ──▶ weights ──▶ Report ──▶ free energies, populations, scores
//
// Every step ([Train], [Draw], [Reweigh], [Report]) goes from files to files, which tell what they were made from: what
// is there already, of the same inputs, is left as it is, and what was interrupted goes on where it stood. A [Plan] is
// all steps in one file of TOML. A [Generator] is the workflow in Go, for flows and potentials of more than one
// simulation of a molecule; package alanine has those of alanine dipeptide, and package study the questions that one
// may put to them.
//
// The presets are "small" (seconds, for tests), "quick" (minutes on two cores) and "paper" (the paper's settings).
//
// Floor by floor, each package imports those below it alone:
//
//	cmd/cgbg               the command
//	alanine, study, cost, mullerbrown/lab
//	                       the paper's systems, and what it asks of them
//	cgbg                   this package: models, samples, weights, reports, plans
//	analysis, trajectory   frames asked a question: variables, states, scores, floors; frames of trajectories
//	topology               bonds, angles and hands, from frames alone
//	flow, pmf, langevin, observable, figure
//	                       vector fields with exact log-densities; potentials; dynamics; variables; pictures
//	reweight, result, cgmap, forward, ode, e3, train, mullerbrown, backend
//	                       weights and their verdict; results.json; beads; derivatives, integrators and irreps;
//	                       training with exact resume; the toy; XLA or the Go backend
//	keep, cli, kind, units
//	                       files that are whole or not there; command lines; tables of names; constants
//
// Units: nm, ps, kJ/mol, K, rad; Müller–Brown has reduced units with kT = 1.
package cgbg
