// Package reweight turns energies and proposal log-densities into importance weights, and says how far to trust them.
//
// A sample R drawn from the flow with log-density logQ and energy U gets the log-weight
//
//	logW = −U/kT − logQ + (further log terms)
//
// For molecules the flow is trained on centred, standardised coordinates x = R/std with one shared N(0, 1/N) shift per
// axis (N beads), so logQ includes the centre of mass that training added while U does not know it. The further
// term is then log N(COM; 0, 1/N per axis), the Gaussian density of the COM vector in standardised units (LogCOM).
// Müller–Brown has no such term.
//
// Log-weights are in nats and need no normalisation. −Inf is a dropped sample: it has weight zero and still counts in
// N. NaN and +Inf are errors. All sums go through log-sum-exp in float64. U and kT share any one unit of energy.
//
// No diagnostic sees what was never sampled: a flow that misses a basin altogether has harmless-looking weights.
// Compare with the reference, or with the logQ of reference frames, to find out.
//
// Sources: Kish, Survey Sampling (1965) for the effective sample size; Vehtari, Simpson, Gelman, Yao and Gabry, Pareto
// smoothed importance sampling, JMLR 25 (2024), arXiv 1507.02646; Zhang and Stephens, Technometrics 51 (2009) 316;
// Owen, Monte Carlo theory, methods and examples (2013), §9.2; Coarse-Grained Boltzmann Generators, arXiv 2602.10637,
// §4. Simulations with several biases are weighed together by MBAR: Shirts and Chodera, doi 10.1063/1.2978177.
package reweight
