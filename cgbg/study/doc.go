// Package study puts questions to a generator: potentials compared, ensembles of them, solvers, learning curves,
// likelihoods and their errors, dynamics on the potential, forces, and verification of samples.
//
// Every study takes a [cgbg.Generator], keeps what takes long in its folder, and returns a report with its results and
// figures. [Learn] opens a generator of one simulation.
package study
