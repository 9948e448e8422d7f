package mullerbrown

import (
	"errors"
	"fmt"
	"math"
)

// Bound brackets the log-Sobolev constant ρ of the density p ∝ exp(-u) on [Lo, Hi], normalised there, in the convention
// of Proposition 1: KL(q‖p) ≤ 1/(2ρ) ∫ q (d/dx ln q/p)² dx for every density q on the interval. No condition is put on
// q at the ends; mass of p outside the interval is not part of the statement. (For the exact marginal, Rho changes by
// less than 4e-4 of itself from [10, 50] to [-10, 56].)
//
// With f² = q/p the inequality reads Ent(f²) ≤ C ∫ f'² p with C = 2/ρ.
type Bound struct {
	Lo, Hi float64
	// Rho is the best lower bound of ρ here: the greater of the next two.
	Rho float64
	// Muckenhoupt is 1/(2 max(B-, B+)), from C ≤ 4 max(B-, B+) with, m the median,
	//	B+ = sup_{x>m} μ[x,∞) ln(1 + e²/μ[x,∞)) ∫_m^x dz/p(z)
	// and B- alike on the left: Bobkov and Götze (1999), J. Funct. Anal. 163, 1, with the constants of Barthe and
	// Roberto (2003), Studia Math. 159, 481, doi:10.4064/sm159-3-9.
	Muckenhoupt float64
	// HolleyStroock is max ρ0 exp(-osc(u - u0)) over u0 = 0, with ρ0 = π²/(Hi-Lo)², and u0 = κ(x-c)²/2, with ρ0 = κ
	// (Holley and Stroock 1987, J. Stat. Phys. 46, 1159; Bakry and Émery 1985).
	HolleyStroock float64
	// Upper is an upper bound of ρ: the least of the next three. Upper/Rho says how loose Rho can be.
	Upper float64
	// CriterionUpper is 2/max(b-, b+), b+ as B+ with 1/(2μ) for e²/μ: the other half of Barthe and Roberto's theorem.
	CriterionUpper float64
	// Gap is the spectral gap λ1 ≥ ρ of the generator f'' - u'f': the Rayleigh quotient of a numerical eigenfunction.
	Gap float64
	// TestFunctions is the least 2 ∫f'²p / Ent(f²) over shifts f = φ - c of that eigenfunction φ.
	TestFunctions float64
}

// Looseness returns Upper/Rho: the true constant is at most that many times the lower bound.
func (b Bound) Looseness() float64 { return b.Upper / b.Rho }

// ErrUnresolved reports a potential that varies too fast for the grid of LogSobolev.
var ErrUnresolved = errors.New("the potential is not resolved by the grid")

// lsCells is the number of cells of the grid.
const lsCells = 4096

// LogSobolev bounds the log-Sobolev constant of p ∝ exp(-u) on [lo, hi] from below and from above; u in kT, up to a
// constant. It calls u at 8193 points.
//
// Within a cell the suprema are bounded by monotonicity (the tail at one end, the integral of 1/p to the other), so the
// grid costs about a per cent and cannot break the bound. Cell integrals of p and 1/p are by Simpson's rule and widened
// by 1e-6; that they are that good is checked against steps twice as long (ErrUnresolved if not: choose a narrower
// interval). The median is taken anywhere inside its cell. u is otherwise trusted to be smooth between grid points.
func LogSobolev(u func(x float64) float64, lo, hi float64) (Bound, error) {
	if !(lo < hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return Bound{}, fmt.Errorf("mullerbrown: log-Sobolev constant on [%g, %g]: need a finite interval", lo, hi)
	}
	g, err := newLSGrid(u, lo, hi)
	if err != nil {
		return Bound{}, err
	}
	b := Bound{Lo: lo, Hi: hi}
	big, small := g.criterion()
	b.Muckenhoupt = 1 / (2 * big)
	b.CriterionUpper = 2 / small
	b.HolleyStroock = g.holleyStroock()
	b.Gap, b.TestFunctions = g.variational()
	b.Rho = max(b.Muckenhoupt, b.HolleyStroock)
	b.Upper = min(b.CriterionUpper, b.Gap, b.TestFunctions)
	return b, nil
}

// lsGrid is a density on a uniform grid. Index i of u counts half cells.
type lsGrid struct {
	lo, h float64   // first point; width of a cell
	u     []float64 // u less its minimum, at ends and middles of cells, 2·cells + 1
	p     []float64 // ∫ exp(-u) over each cell, divided by z
	inv   []float64 // ∫ exp(u) over each cell, times z
	z     float64
}

func newLSGrid(u func(x float64) float64, lo, hi float64) (*lsGrid, error) {
	n := lsCells
	g := &lsGrid{lo: lo, h: (hi - lo) / float64(n), u: make([]float64, 2*n+1), p: make([]float64, n),
		inv: make([]float64, n)}
	parallel(2*n+1, func(i int) { g.u[i] = u(lo + float64(i)*g.h/2) })
	low := math.Inf(1)
	for _, v := range g.u {
		low = min(low, v)
	}
	for i, v := range g.u {
		g.u[i] = v - low
		if math.IsNaN(g.u[i]) || g.u[i] > 600 {
			return nil, fmt.Errorf("mullerbrown: log-Sobolev constant: u(%g) is %g, %g above the minimum: must be "+
				"finite and below 600; choose a narrower interval", lo+float64(i)*g.h/2, v, g.u[i])
		}
	}
	for _, sign := range []float64{-1, 1} {
		dst := g.p
		if sign > 0 {
			dst = g.inv
		}
		f := func(i int) float64 { return math.Exp(sign * g.u[i]) }
		for j := range n {
			dst[j] = g.h / 6 * (f(2*j) + 4*f(2*j+1) + f(2*j+2))
		}
		for j := 0; j+1 < n; j += 2 {
			fine := dst[j] + dst[j+1]
			if coarse := g.h / 3 * (f(2*j) + 4*f(2*j+2) + f(2*j+4)); math.Abs(coarse-fine) > 15e-6*fine {
				return nil, fmt.Errorf("mullerbrown: log-Sobolev constant: %w near x = %g; choose a narrower interval",
					ErrUnresolved, lo+float64(j)*g.h)
			}
		}
	}
	for _, v := range g.p {
		g.z += v
	}
	for j := range n {
		g.p[j] /= g.z
		g.inv[j] *= g.z
	}
	return g, nil
}

// criterion returns an upper bound of max(B-, B+) and a lower bound of max(b-, b+).
func (g *lsGrid) criterion() (big, small float64) {
	median := g.medianCell()
	right := func(k int) (p, inv float64) { j := median + k; return g.p[j], g.inv[j] }
	left := func(k int) (p, inv float64) { j := median - k; return g.p[j], g.inv[j] }
	b1, s1 := oneSide(len(g.p)-median, right)
	b2, s2 := oneSide(median+1, left)
	return max(b1, b2), max(s1, s2)
}

// oneSide bounds B from above and b from below on one side. Cell 0 holds the median; cells go outwards.
func oneSide(n int, cell func(k int) (p, inv float64)) (big, small float64) {
	const widen = 1 + 1e-6
	tail := make([]float64, n+1) // mass of cells k and beyond, summed from the small end
	for k := n - 1; k >= 0; k-- {
		p, _ := cell(k)
		tail[k] = tail[k+1] + p
	}
	tail[0] = 0.5           // the median is inside cell 0: half the mass is beyond it ...
	var resistance float64  // ∫ 1/p from the near end of cell 0: more than from the median
	var fromCellOne float64 // ... and from its far end: less
	e2 := math.E * math.E   // t ln(1 + e²/t) grows with t, so a cell is bounded by its near end's tail
	for k := range n {      // and its far end's resistance
		_, inv := cell(k)
		t := min(0.5, tail[k]*widen)
		if k > 0 { // at the near end of cell k the resistance is that of cells 1 … k-1 at least
			s := tail[k] / widen
			small = max(small, s*math.Log1p(1/(2*s))*fromCellOne/widen)
			fromCellOne += inv
		}
		resistance += inv
		big = max(big, t*math.Log1p(e2/t)*resistance*widen)
	}
	return big, small
}

// holleyStroock maximises ρ0 exp(-osc) over u0 = 0 and the quadratics. Any κ and slope give a valid bound, so that a
// maximum found only roughly costs nothing but sharpness.
func (g *lsGrid) holleyStroock() float64 {
	width := g.h * float64(len(g.p))
	flat := 2*math.Log(math.Pi/width) - g.oscillation(0, 0, 1)
	span := 10 * (g.oscillation(0, 0, 1) + 1) / width // slopes beyond it only add to the oscillation
	at := func(logKappa float64, every int) (log, slope float64) {
		kappa := math.Exp(logKappa)
		slope = minimise(-kappa*width-span, kappa*width+span, 50,
			func(s float64) float64 { return g.oscillation(kappa, s, every) })
		return logKappa - g.oscillation(kappa, slope, every), slope
	}
	const thin = 32 // every 32nd point while searching
	first, last, steps := 2*math.Log(0.01/width), 2*math.Log(1000/width), 60
	best, where := math.Inf(-1), first
	for k := range steps + 1 {
		l := first + (last-first)*float64(k)/float64(steps)
		if v, _ := at(l, thin); v > best {
			best, where = v, l
		}
	}
	d := (last - first) / float64(steps)
	where = minimise(where-d, where+d, 30, func(l float64) float64 { v, _ := at(l, thin); return -v })
	_, slope := at(where, thin)
	return math.Exp(max(flat, where-g.oscillation(math.Exp(where), slope, 1)))
}

// minimise returns a minimum of f on [a, b] by golden section.
func minimise(a, b float64, steps int, f func(float64) float64) float64 {
	const golden = 0.6180339887498949
	c, d := b-golden*(b-a), a+golden*(b-a)
	fc, fd := f(c), f(d)
	for range steps {
		if fc < fd {
			b, d, fd = d, c, fc
			c = b - golden*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + golden*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}

// oscillation returns an upper bound of sup - inf of u - κx²/2 - slope·x, x from the middle of the interval: its range
// over every so many points of the grid, and what a parabola with twice the largest second difference can hide between
// two points.
func (g *lsGrid) oscillation(kappa, slope float64, every int) float64 {
	top, bottom, bend := math.Inf(-1), math.Inf(1), 0.0
	var before, last float64
	mid := float64(len(g.u)-1) / 2
	for i := 0; i < len(g.u); i += every {
		x := (float64(i) - mid) * g.h / 2
		v := g.u[i] - x*(kappa*x/2+slope)
		top, bottom = max(top, v), min(bottom, v)
		if i > every {
			bend = max(bend, math.Abs(v-2*last+before))
		}
		before, last = last, v
	}
	return top - bottom + 2*2*bend/8
}

// variational returns the Rayleigh quotient of the first eigenfunction φ, and the least 2∫f'²p/Ent(f²) over f = φ - c.
// φ comes from inverse iteration: (p φ_new')' = -p φ, φ' = 0 at the ends.
func (g *lsGrid) variational() (gap, best float64) {
	phi, next := make([]float64, len(g.p)+1), make([]float64, len(g.p)+1)
	for i := range phi {
		phi[i] = float64(i) * g.h
	}
	for range 200 {
		old := gap
		g.invert(phi, next)
		phi, next = next, phi
		gap = g.energy(phi) / g.variance(phi)
		if math.Abs(gap-old) < 1e-12*gap {
			break
		}
	}
	energy, best := g.energy(phi), gap
	low, high := phi[0], phi[0]
	for _, v := range phi {
		low, high = min(low, v), max(high, v)
	}
	for k := -400; k <= 400; k++ { // shifts from far below to far above, dense around the range of φ
		s := float64(k) / 100
		c := (low+high)/2 + (high-low)*s*(1+s*s)/4
		if e := g.entropy(phi, c); e > 0 {
			best = min(best, 2*energy/e)
		}
	}
	return gap, best
}

// invert solves (p next')' = -p (phi - mean), next' = 0 at the ends, and scales next to a range of order 1. The flux is
// summed from the nearer end, for in a tail it is far below the rounding of the sum over the rest.
func (g *lsGrid) invert(phi, next []float64) {
	n := len(g.p)
	mean, _ := g.moments(phi)
	step := make([]float64, n) // mass-weighted phi of each cell
	for j := range n {
		step[j] = g.p[j] * ((phi[j]+phi[j+1])/2 - mean)
	}
	flux := make([]float64, n) // at the middle of each cell
	half := g.medianCell()
	var left, right float64
	for j := range half {
		flux[j] = left + step[j]/2
		left += step[j]
	}
	for j := n - 1; j >= half; j-- {
		flux[j] = -(right + step[j]/2)
		right += step[j]
	}
	next[0] = 0
	scale := 0.0
	for j := range n {
		next[j+1] = next[j] - flux[j]*g.inv[j]
		scale = max(scale, math.Abs(next[j+1]))
	}
	for i := range next {
		next[i] /= scale
	}
}

// medianCell returns the cell that holds the median.
func (g *lsGrid) medianCell() int {
	var sum float64
	for j, p := range g.p {
		if sum += p; sum >= 0.5 {
			return j
		}
	}
	return len(g.p) - 1
}

// energy is ∫ f'² p of a function linear in each cell.
func (g *lsGrid) energy(f []float64) float64 {
	var s float64
	for j, p := range g.p {
		d := (f[j+1] - f[j]) / g.h
		s += p * d * d
	}
	return s
}

// weights calls do at the Simpson nodes of all cells with weights that sum to 1.
func (g *lsGrid) weights(f []float64, do func(w, f float64)) {
	for j := range g.p {
		for k, c := range [3]float64{1, 4, 1} {
			v := [3]float64{f[j], (f[j] + f[j+1]) / 2, f[j+1]}[k]
			do(c*g.h/6*math.Exp(-g.u[2*j+k])/g.z, v)
		}
	}
}

func (g *lsGrid) moments(f []float64) (mean, square float64) {
	g.weights(f, func(w, v float64) { mean += w * v; square += w * v * v })
	return mean, square
}

func (g *lsGrid) variance(f []float64) float64 {
	mean, _ := g.moments(f)
	var s float64
	g.weights(f, func(w, v float64) { s += w * (v - mean) * (v - mean) })
	return s
}

// entropy is Ent((f-c)²) = ∫ F ln(F/∫F) with F = (f-c)².
func (g *lsGrid) entropy(f []float64, c float64) float64 {
	var square, sum float64
	g.weights(f, func(w, v float64) { square += w * (v - c) * (v - c) })
	g.weights(f, func(w, v float64) {
		if r := (v - c) * (v - c) / square; r > 0 {
			sum += w * (r*math.Log(r) - r + 1)
		} else {
			sum += w
		}
	})
	return square * sum
}
