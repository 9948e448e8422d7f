package mullerbrown

import (
	"math"
	"sync"
)

// Conditional describes the distribution of y at fixed x, p(y|x) ∝ exp(-u(x,y)).
type Conditional struct {
	U     float64 // -ln ∫ exp(-u(x,y)) dy, kT; no constant dropped
	F     float64 // mean force E[-∂u/∂x | x] = -dU/dx, kT per length
	VarF  float64 // Var(-∂u/∂x | x): what force matching cannot fit at this x
	MeanY float64 // E[y | x]
}

// FreeEnergy returns U(x) = -ln ∫ exp(-u(x,y)) dy in kT, to about 1e-13 relative to exp(-U); see At.
func FreeEnergy(x float64) float64 { return At(x).U }

// MeanForce returns F(x) = -dU/dx = E[-∂u/∂x | x], in kT per length; see At.
func MeanForce(x float64) float64 { return At(x).F }

// At integrates over y at fixed x.
//
// The integrand is entire in y and falls faster than any exponential, so the trapezoidal rule on a range that holds all
// but exp(-40) of it converges geometrically (Trefethen and Weideman, SIAM Rev. 56, 385, 2014); the step is halved
// until two rules agree to 1e-13. The range is rigorous: u ≥ u_4 - 40.7, since the three wells are that deep together,
// so u exceeds its minimum m by 40 outside {u_4 ≤ m + 80.7}, an interval known in closed form. Where u exceeds 1e10 (x
// below -85 or above 117) its rounding drowns the integrand, and the limit of a narrow valley is used; U is +Inf where
// u overflows.
func At(x float64) Conditional {
	lo, hi, floor := yRange(x)
	if floor > valleyOnly {
		return valley(x, floor)
	}
	var s conditionalSum
	n := 64
	h := (hi - lo) / float64(n)
	for i := range n + 1 {
		s.add(x, lo+float64(i)*h, floor)
	}
	prev := s.result(h, floor)
	for {
		for i := range n {
			s.add(x, lo+(float64(i)+0.5)*h, floor)
		}
		n, h = 2*n, h/2
		next := s.result(h, floor)
		if next.near(prev) || n >= 1<<15 {
			return next
		}
		prev = next
	}
}

// valleyOnly is the least u above which only u_4 matters and its valley in y is a Gaussian to float64 precision.
const valleyOnly = 1e10

// valley is the Gaussian limit at x of a valley of u_4 whose bottom is at floor, where ∂²u/∂y² = 2 c4 floor.
func valley(x, floor float64) Conditional {
	dx := x - x4
	return Conditional{
		U:     floor + 0.5*math.Log(c4*floor/math.Pi),
		F:     -2 * floor * (a4 - b4*b4/(4*c4)) * dx,
		VarF:  floor * b4 * b4 / (2 * c4),
		MeanY: y4 - b4/(2*c4)*dx,
	}
}

// conditionalSum accumulates ∫ {1, f, f², y} exp(floor - u) dy over nodes of equal weight.
type conditionalSum struct{ w, f, ff, y float64 }

func (s *conditionalSum) add(x, y, floor float64) {
	var u, ux float64
	for _, t := range terms() {
		dx, dy := x-t.x0, y-t.y0
		e := t.amp * math.Exp(t.a*dx*dx+t.b*dx*dy+t.c*dy*dy)
		u += e
		ux += e * (2*t.a*dx + t.b*dy)
	}
	w := math.Exp(floor - u)
	s.w += w
	s.f -= w * ux
	s.ff += w * ux * ux
	s.y += w * y
}

func (s *conditionalSum) result(h, floor float64) Conditional {
	f := s.f / s.w
	return Conditional{U: floor - math.Log(s.w*h), F: f, VarF: max(0, s.ff/s.w-f*f), MeanY: s.y / s.w}
}

func (c Conditional) near(d Conditional) bool {
	const tol = 1e-9
	scale := math.Sqrt(c.F*c.F + c.VarF)
	return math.Abs(c.U-d.U) <= tol*max(1, math.Abs(c.U)) && math.Abs(c.F-d.F) <= tol*max(1, scale) &&
		math.Abs(c.VarF-d.VarF) <= 10*tol*max(1, scale*scale)
}

// yRange returns an interval outside which u(x, ·) exceeds floor by 40, and floor, the least u on a coarse grid.
func yRange(x float64) (lo, hi, floor float64) {
	const above, wells = 40.0, 40.7
	dx := x - x4
	centre := y4 - b4/(2*c4)*dx            // minimum over y of the exponent of u_4 ...
	least := (a4 - b4*b4/(4*c4)) * dx * dx // ... and its value there
	floor = Potential(x, centre)
	if math.IsInf(floor, 1) || math.IsNaN(floor) {
		return centre, centre, math.Inf(1)
	}
	width := func() float64 { // half-width of {u_4 ≤ floor + above + wells}
		return math.Sqrt(max(0, math.Log((floor+above+wells)/amp4)-least) / c4)
	}
	w := width()
	for i := range 65 {
		floor = min(floor, Potential(x, centre+w*(float64(i)/32-1)))
	}
	w = width()
	return centre - w, centre + w, floor
}

// parallel calls f(0) … f(n-1), spread over a few goroutines.
func parallel(n int, f func(i int)) {
	const workers = 8
	var wg sync.WaitGroup
	for w := range min(workers, n) {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}
