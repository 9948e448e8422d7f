package mullerbrown

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"sync"

	"gonum.org/v1/gonum/integrate/quad"
)

// Marginal is the exact distribution of x, p(x) = exp(-U(x)-V(x))/Z with V the umbrella or 0.
//
// It lives on the whole line. Of the unbiased one, 3.3e-5 lies left of 10 and 1.0e-7 right of 50 (of the biased one,
// 1.0e-5 and 3.1e-8), and less than 1e-30 outside [-28, 62], where the table of Sample ends.
type Marginal struct {
	biased bool
	logZ   float64
	tab    func() *cdfTable
}

// NewMarginal returns the exact marginal of x: unbiased, or under the umbrella.
func NewMarginal(biased bool) *Marginal {
	m := &Marginal{biased: biased}
	m.logZ = math.Log(trapezoid(m))
	m.tab = sync.OnceValue(func() *cdfTable { return newCDFTable(m) })
	return m
}

// The support of the tables; p is below 1e-30 outside of it.
const (
	supportLo = -28.0
	supportHi = 62.0
)

// trapezoid integrates exp(-U-V) over the line. The integrand is analytic and falls faster than any Gaussian, so the
// rule converges geometrically: a step of 1/4 has an error below 1e-14 (a test halves it).
func trapezoid(m *Marginal) float64 { return trapezoidStep(m, 0.25) }

func trapezoidStep(m *Marginal, h float64) float64 {
	n := int((supportHi - supportLo) / h)
	w := make([]float64, n+1)
	parallel(n+1, func(i int) { w[i] = math.Exp(-m.potential(supportLo + float64(i)*h)) })
	var z float64
	for _, v := range w {
		z += v
	}
	return z * h
}

func (m *Marginal) potential(x float64) float64 {
	u := FreeEnergy(x)
	if m.biased {
		u += Bias(x)
	}
	return u
}

// Biased reports whether the umbrella is part of the marginal.
func (m *Marginal) Biased() bool { return m.biased }

// LogDensity returns ln p(x), normalised on the whole line.
func (m *Marginal) LogDensity(x float64) float64 { return -m.potential(x) - m.logZ }

// Density returns p at the points x, normalised on the whole line.
func (m *Marginal) Density(x []float64) []float64 {
	p := make([]float64, len(x))
	parallel(len(x), func(i int) { p[i] = math.Exp(m.LogDensity(x[i])) })
	return p
}

// BinMasses returns the probability of each bin between successive edges, by Gauss–Legendre quadrature of 16 points on
// pieces no wider than ½ (error below 1e-12). They sum to 1 less the mass outside the edges; divide by the sum to
// compare with normalised histograms. Edges must increase (the result is an error otherwise).
func (m *Marginal) BinMasses(edges []float64) ([]float64, error) {
	if len(edges) < 2 {
		return nil, fmt.Errorf("mullerbrown: bin masses: %d edges, need at least 2", len(edges))
	}
	for i, e := range edges[1:] {
		if !(e > edges[i]) || math.IsInf(e, 0) || math.IsInf(edges[i], 0) {
			return nil, fmt.Errorf("mullerbrown: bin masses: edges %d and %d are %g and %g, must be finite and "+
				"increase", i, i+1, edges[i], e)
		}
	}
	mass := make([]float64, len(edges)-1)
	parallel(len(mass), func(i int) { mass[i] = m.mass(edges[i], edges[i+1]) })
	return mass, nil
}

// mass integrates p over [lo, hi].
func (m *Marginal) mass(lo, hi float64) float64 {
	lo, hi = max(lo, supportLo), min(hi, supportHi)
	if hi <= lo {
		return 0
	}
	pieces := int(math.Ceil((hi - lo) / 0.5))
	h := (hi - lo) / float64(pieces)
	var s float64
	for k := range pieces {
		a := lo + float64(k)*h
		s += quad.Fixed(func(x float64) float64 { return math.Exp(m.LogDensity(x)) }, a, a+h, 16, quad.Legendre{}, 1)
	}
	return s
}

// cdfTable holds p and its integral at equally spaced points; between them the CDF is the cubic with the right values
// and slopes (error below 1e-9 at the spacing used).
type cdfTable struct {
	h      float64
	p, cdf []float64
}

func newCDFTable(m *Marginal) *cdfTable {
	const perUnit = 64
	n := int(supportHi-supportLo) * perUnit
	t := &cdfTable{h: 1.0 / perUnit, p: make([]float64, n+1), cdf: make([]float64, n+1)}
	slope := make([]float64, n+1)
	parallel(n+1, func(i int) {
		x := supportLo + float64(i)*t.h
		c := At(x)
		if m.biased {
			c.U += Bias(x)
			c.F -= biasGradient(x)
		}
		t.p[i] = math.Exp(-c.U - m.logZ)
		slope[i] = t.p[i] * c.F
	})
	for i := range n { // Euler–Maclaurin with slopes: error h⁵p''''/720 a step
		t.cdf[i+1] = t.cdf[i] + t.h/2*(t.p[i]+t.p[i+1]) + t.h*t.h/12*(slope[i]-slope[i+1])
	}
	for i := range t.cdf {
		t.cdf[i] /= t.cdf[n]
	}
	return t
}

// at returns the CDF at fraction s of cell i.
func (t *cdfTable) at(i int, s float64) float64 {
	d := t.cdf[i+1] - t.cdf[i]
	p0, p1 := t.h*t.p[i], t.h*t.p[i+1]
	return t.cdf[i] + s*(p0+s*((3*d-2*p0-p1)+s*(p0+p1-2*d)))
}

// quantile inverts CDF: x with P(X ≤ x) = q, for 0 < q < 1; the ends of the support for q ≤ 0 and q ≥ 1.
func (m *Marginal) quantile(q float64) float64 {
	t := m.tab()
	if !(q > 0) {
		return supportLo
	}
	if q >= 1 {
		return supportHi
	}
	i := max(0, sort.SearchFloat64s(t.cdf, q)-1)
	lo, hi := 0.0, 1.0
	s := (q - t.cdf[i]) / (t.cdf[i+1] - t.cdf[i])
	for range 60 { // secant steps kept inside a shrinking bracket
		v := t.at(i, s) - q
		if v > 0 {
			hi = s
		} else {
			lo = s
		}
		slope := t.h * (t.p[i] + s*(t.p[i+1]-t.p[i]))
		next := s - v/slope
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		if math.Abs(next-s) < 1e-13 {
			s = next
			break
		}
		s = next
	}
	return supportLo + (float64(i)+s)*t.h
}

// Sample draws n independent exact samples of x by inversion; the same seed gives the same samples.
func (m *Marginal) Sample(n int, seed uint64) []float64 {
	rnd := rand.New(rand.NewPCG(seed, 0x6d61726769))
	x := make([]float64, n)
	for i := range x {
		x[i] = m.quantile(rnd.Float64())
	}
	return x
}
