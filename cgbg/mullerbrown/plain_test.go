package mullerbrown

import (
	"fmt"
	"math"
	"sort"
)

// line is a uniform grid with U and F of the exact marginal on it.
type line struct {
	X, U, F []float64
}

// newLine tabulates FreeEnergy and MeanForce at n ≥ 2 equally spaced points from lo to hi inclusive.
func newLine(lo, hi float64, n int) (*line, error) {
	if n < 2 || !(lo < hi) {
		return nil, fmt.Errorf("mullerbrown: line from %g to %g with %d points: need lo < hi and at least 2 points", lo,
			hi, n)
	}
	l := &line{X: make([]float64, n), U: make([]float64, n), F: make([]float64, n)}
	parallel(n, func(i int) {
		x := lo + (hi-lo)*float64(i)/float64(n-1)
		c := At(x)
		l.X[i], l.U[i], l.F[i] = x, c.U, c.F
	})
	return l, nil
}

// score returns d ln p/dx, which is F(x) - V'(x).
func (m *Marginal) score(x float64) float64 {
	f := MeanForce(x)
	if m.biased {
		f -= biasGradient(x)
	}
	return f
}

// uniformEdges are those of n bins of one width from lo to hi.
func uniformEdges(lo, hi float64, n int) []float64 {
	e := make([]float64, n+1)
	for i := range e {
		e[i] = lo + (hi-lo)*float64(i)/float64(n)
	}
	return e
}

// outsideMass returns the probability left of lo and right of hi.
func (m *Marginal) outsideMass(lo, hi float64) (left, right float64) {
	return m.mass(supportLo, lo), m.mass(hi, supportHi)
}

// freeEnergyAligned returns F = -ln p at the points x, shifted so that its mean weighted with p over these points is 0:
// the alignment in which two free energies are compared. Points must be equally spaced for the weights to mean that.
func (m *Marginal) freeEnergyAligned(x []float64) []float64 {
	p := m.Density(x)
	f := make([]float64, len(x))
	var mean, sum float64
	for i, v := range p {
		f[i] = -math.Log(v)
		mean += v * f[i]
		sum += v
	}
	for i := range f {
		f[i] -= mean / sum
	}
	return f
}

// cdf returns P(X ≤ x), to 1e-9.
func (m *Marginal) cdf(x float64) float64 {
	t := m.tab()
	switch {
	case !(x > supportLo):
		return 0
	case x >= supportHi:
		return 1
	}
	s := (x - supportLo) / t.h
	i := min(int(s), len(t.p)-2)
	return t.at(i, s-float64(i))
}

// noiseFloor returns E[Var(f|x)] over the marginal, f = -∂u/∂x: the least mean squared error that any function of x can
// reach on these force labels, hence the floor of the force-matching loss (Eq. 13 or, under the umbrella, Eq. 16). The
// excess of a loss over its floor is E[(F_model - F)²].
func (m *Marginal) noiseFloor() float64 {
	const h = 0.25
	n := int((supportHi-supportLo)/h) + 1
	w, v := make([]float64, n), make([]float64, n)
	parallel(n, func(i int) {
		x := supportLo + float64(i)*h
		c := At(x)
		if m.biased {
			c.U += Bias(x)
		}
		w[i] = math.Exp(-c.U - m.logZ)
		v[i] = w[i] * c.VarF
	})
	var num, den float64
	for i := range w {
		num += v[i]
		den += w[i]
	}
	return num / den
}

// binnedForce is the conditional mean of a force per bin of x.
type binnedForce struct {
	Edges []float64 // bins + 1
	Mean  []float64 // NaN where a bin is empty
	SEM   []float64 // standard error from the scatter of blocks; NaN where no block or one only has frames in the bin
	Count []int     // frames
}

// binForce averages f over the frames whose x lies in each bin, an estimate of E[f | bin], which under an umbrella
// V(x) is the same up to the shape of p inside the bin (Propositions 2 and 3).
//
// x, f: one slice per trajectory, in time order. Every trajectory is cut into blocks pieces (1 is right when there are
// many trajectories); pieces must be longer than the relaxation time, and their scatter gives the errors: with S_b and
// n_b the sum and number in block b, Var(mean) = B/(B-1) Σ (S_b - mean·n_b)² / N² (ratio estimator), B the number of
// blocks.
func binForce(x, f [][]float32, edges []float64, blocks int) (*binnedForce, error) {
	if err := checkSeries(x, f, blocks); err != nil {
		return nil, err
	}
	if len(edges) < 2 || !sort.Float64sAreSorted(edges) {
		return nil, fmt.Errorf("mullerbrown: binning forces: edges %v: need at least two, in increasing order", edges)
	}
	bins := len(edges) - 1
	var sums [][]float64 // per block: sums, then counts
	eachBlock(x, f, blocks, func(xs, fs []float32) {
		s := make([]float64, 2*bins)
		for i, v := range xs {
			if b := binOf(edges, float64(v)); b >= 0 {
				s[b] += float64(fs[i])
				s[bins+b]++
			}
		}
		sums = append(sums, s)
	})
	out := &binnedForce{Edges: edges, Mean: make([]float64, bins), SEM: make([]float64, bins), Count: make([]int, bins)}
	for b := range bins {
		var s, n float64
		for _, v := range sums {
			s += v[b]
			n += v[bins+b]
		}
		mean := s / n // NaN when empty
		var q float64
		occupied := 0
		for _, v := range sums {
			d := v[b] - mean*v[bins+b]
			q += d * d
			if v[bins+b] > 0 {
				occupied++
			}
		}
		out.Mean[b], out.Count[b], out.SEM[b] = mean, int(n), math.NaN()
		if k := float64(len(sums)); occupied > 1 {
			out.SEM[b] = math.Sqrt(q*k/(k-1)) / n
		}
	}
	return out, nil
}

// binOf returns the bin that holds v, or -1.
func binOf(edges []float64, v float64) int {
	if !(v >= edges[0] && v < edges[len(edges)-1]) {
		return -1
	}
	return sort.Search(len(edges), func(i int) bool { return edges[i] > v }) - 1
}

// binForce returns the exact E[F | bin] of the marginal for bins between successive edges: what binnedForce estimates.
func (m *Marginal) binForce(edges []float64) []float64 {
	out := make([]float64, len(edges)-1)
	parallel(len(out), func(i int) {
		r := legendre(edges[i], edges[i+1], 1, 16)
		var num, den float64
		for k, x := range r.X {
			p := r.W[k] * math.Exp(m.LogDensity(x))
			num += p * MeanForce(x)
			den += p
		}
		out[i] = num / den
	})
	return out
}

// fitForce returns the spline that force matching reaches with endless data from the marginal restricted to [lo, hi]:
// the minimiser of E[(spline - F)²]. For a basis that can express F it does not depend on the bias (Proposition 3).
func (m *Marginal) fitForce(lo, hi float64, intervals int) (*ForceSpline, error) {
	if intervals < 1 || !(lo < hi) {
		return nil, fmt.Errorf("mullerbrown: fitting a force on [%g, %g] with %d intervals: need lo < hi and at "+
			"least 1", lo, hi, intervals)
	}
	r := legendre(lo, hi, 4*intervals, 8)
	p, f := make([]float64, len(r.X)), make([]float64, len(r.X))
	parallel(len(r.X), func(i int) { p[i], f[i] = r.W[i]*math.Exp(m.LogDensity(r.X[i])), MeanForce(r.X[i]) })
	e := newNormal(lo, hi, intervals)
	for i, x := range r.X {
		e.add(x, f[i], p[i])
	}
	s, _, err := e.solve()
	return s, err
}

// holds reports whether the inequality is satisfied.
func (d Divergence) holds() bool { return d.KL <= d.Bound }
