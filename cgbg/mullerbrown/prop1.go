package mullerbrown

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// Rule is a quadrature rule: ∫ f ≈ Σ W_i f(X_i).
type Rule struct{ X, W []float64 }

// NewRule returns composite Gauss–Legendre quadrature on [lo, hi]: 8 points on each of the panels.
func NewRule(lo, hi float64, panels int) (*Rule, error) {
	if !(lo < hi) || panels < 1 {
		return nil, fmt.Errorf("mullerbrown: quadrature on [%g, %g] with %d panels: need lo < hi and at least 1 panel",
			lo, hi, panels)
	}
	return legendre(lo, hi, panels, 8), nil
}

func legendre(lo, hi float64, panels, points int) *Rule {
	r := &Rule{X: make([]float64, panels*points), W: make([]float64, panels*points)}
	h := (hi - lo) / float64(panels)
	for k := range panels {
		a := lo + float64(k)*h
		quad.Legendre{}.FixedLocations(r.X[k*points:(k+1)*points], r.W[k*points:(k+1)*points], a, a+h)
	}
	return r
}

// Divergence holds both sides of Eq. 14 for a learned potential and the exact marginal, both restricted to the interval
// of the rule and normalised there: KL ≤ Bound = Fisher/(2ρ).
type Divergence struct {
	KL     float64 // KL(p_η‖p*), nats
	Fisher float64 // β² E_{p_η}[(F_η - F*)²]
	Rho    float64 // lower bound of the log-Sobolev constant of p*
	Bound  float64 // Fisher/(2ρ)
}

// Prop1 evaluates Proposition 1 (Eq. 14) for a learned potential given at the points of a rule.
//
// uEta: U_η at r.X up to a constant, kT; fEta: -dU_η/dx there. They must belong together: Eq. 14 says nothing about a
// force that is not the slope of the potential. rho: a lower bound of the log-Sobolev constant of the exact marginal on
// the same interval, from LogSobolev.
func Prop1(r *Rule, uEta, fEta []float64, rho float64) (Divergence, error) {
	n := len(r.X)
	if len(uEta) != n || len(fEta) != n || !(rho > 0) {
		return Divergence{}, fmt.Errorf("mullerbrown: Proposition 1: %d nodes, %d potentials, %d forces, ρ = %g: "+
			"need as many of each and ρ > 0", n, len(uEta), len(fEta), rho)
	}
	u, f := make([]float64, n), make([]float64, n)
	parallel(n, func(i int) {
		c := At(r.X[i])
		u[i], f[i] = c.U, c.F
	})
	zEta, zStar := logSum(uEta, r.W), logSum(u, r.W)
	d := Divergence{Rho: rho}
	for i, w := range r.W {
		logRatio := (u[i] + zStar) - (uEta[i] + zEta)
		p := w * math.Exp(-uEta[i]-zEta)
		d.KL += p * (logRatio + math.Expm1(-logRatio)) // the second term sums to 0; together they do not cancel
		d.Fisher += p * (fEta[i] - f[i]) * (fEta[i] - f[i])
	}
	d.Bound = d.Fisher / (2 * rho)
	if math.IsNaN(d.KL + d.Fisher) {
		return d, fmt.Errorf("mullerbrown: Proposition 1: the potential or the force is not finite on [%g, %g]", r.X[0],
			r.X[n-1])
	}
	return d, nil
}

// Prop1Func is Prop1 for functions on [lo, hi], with 8 points on panels of width ¼.
func Prop1Func(uEta, fEta func(x float64) float64, lo, hi, rho float64) (Divergence, error) {
	r, err := NewRule(lo, hi, int(math.Ceil((hi-lo)*4)))
	if err != nil {
		return Divergence{}, err
	}
	u, f := make([]float64, len(r.X)), make([]float64, len(r.X))
	for i, x := range r.X {
		u[i], f[i] = uEta(x), fEta(x)
	}
	return Prop1(r, u, f, rho)
}

// logSum returns ln Σ w exp(-u).
func logSum(u, w []float64) float64 {
	low := math.Inf(1)
	for _, v := range u {
		low = min(low, v)
	}
	var s float64
	for i, v := range u {
		s += w[i] * math.Exp(low-v)
	}
	return math.Log(s) - low
}
