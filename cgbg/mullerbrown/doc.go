// Package mullerbrown is the two-dimensional toy system of the workflow: the Müller–Brown potential of §B.1, its exact
// one-dimensional marginal in x, Langevin dynamics with and without an umbrella bias, and the numerical side of
// Propositions 1–3 of the paper for that system.
//
// The coarse-grained coordinate is x; y is integrated out. Everything is in float64 and in reduced units: kT = 1, mass
// 1, lengths as in Eq. 33 (the wells lie in [10, 50]²). The potential of mean force is
//
//	U(x) = -ln ∫ exp(-u(x,y)) dy          F(x) = -U'(x) = E[-∂u/∂x | x]
//
// with no constant dropped. Files: potential.go (u, its gradient, the umbrella), exact.go (U, F and the variance of the
// force by quadrature), marginal.go (density, bin masses, free energy, exact samples), langevin.go with kernel.go and
// ziggurat.go (dynamics), logsobolev.go and prop1.go (Proposition 1), conditional.go and meanforce.go
// (Propositions 2 and 3).
//
// Sources: Eq. 33, Eq. 34 and §B.1 of "Coarse-Grained Boltzmann Generators" (arXiv 2602.10637); the potential is that
// of Raja et al. (2025), a rescaled Müller and Brown, Theor. Chim. Acta 53, 75 (1979), doi:10.1007/BF00547608.
package mullerbrown
