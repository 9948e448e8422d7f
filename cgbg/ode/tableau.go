package ode

import (
	"fmt"
	"math"
)

// The Dormand–Prince 5(4) pair. Its last stage is the first of the next step
// (FSAL), so that an accepted step costs six evaluations. Coefficients:
// Dormand & Prince 1980, table 2; Hairer, Nørsett & Wanner I, table II.5.2.
const stages = 7

var (
	nodesC  = [stages]float64{0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1}
	coeffsA = [stages][]float64{
		nil,
		{1. / 5},
		{3. / 40, 9. / 40},
		{44. / 45, -56. / 15, 32. / 9},
		{19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
		{9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
		{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
	}
	// The fifth-order weights minus the fourth-order ones.
	coeffsE = [stages]float64{71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40}
	// Weights of the fourth-order dense output (Hairer, Nørsett & Wanner I,
	// section II.6, and their code dopri5).
	coeffsD = [stages]float64{
		-12715105075. / 11282082432, 0, 87487479700. / 32700410799, -10690763975. / 1880347072,
		701980252875. / 199316789632, -1453857185. / 822651844, 69997945. / 29380423,
	}
)

// stepper holds the state of a batch and the stages of the step in hand.
type stepper struct {
	f    Field
	dim  int
	x    []float64 // accepted states
	next []float64 // states at the end of the tried step
	k    [stages][]float64
	diff []float64 // difference of the two orders
}

func newStepper(f Field, x0 []float64, dim int) *stepper {
	s := &stepper{f: f, dim: dim, x: append([]float64(nil), x0...)}
	s.next = make([]float64, len(x0))
	s.diff = make([]float64, len(x0))
	for i := range s.k {
		s.k[i] = make([]float64, len(x0))
	}
	return s
}

func (s *stepper) start(t float64) error {
	if err := s.f(t, s.x, s.k[0]); err != nil {
		return fmt.Errorf("ode: right-hand side at t = %g: %w", t, err)
	}
	return nil
}

// try computes the stages of a step of size h, the new states and their error.
func (s *stepper) try(t, h float64) error {
	for stage := 1; stage < stages; stage++ {
		copy(s.next, s.x)
		for j, a := range coeffsA[stage] {
			if a != 0 {
				axpy(h*a, s.k[j], s.next)
			}
		}
		if err := s.f(t+nodesC[stage]*h, s.next, s.k[stage]); err != nil {
			return fmt.Errorf("ode: right-hand side at t = %g: %w", t+nodesC[stage]*h, err)
		}
	}
	clear(s.diff)
	for j, e := range coeffsE {
		if e != 0 {
			axpy(h*e, s.k[j], s.diff)
		}
	}
	return nil
}

// errorNorm returns the error of the tried step in units of the tolerance, NaN
// if it is not finite.
func (s *stepper) errorNorm(opts Options) float64 {
	var worst, total float64
	for i := 0; i < len(s.x); i += s.dim {
		var sum float64
		for j := i; j < i+s.dim; j++ {
			e := s.diff[j] / (opts.ATol + opts.RTol*math.Max(math.Abs(s.x[j]), math.Abs(s.next[j])))
			sum += e * e
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return math.NaN()
		}
		total += sum
		worst = math.Max(worst, sum)
	}
	if opts.Norm == NormRMS {
		return math.Sqrt(total / float64(len(s.x)))
	}
	return math.Sqrt(worst / float64(s.dim))
}

// accept makes the tried step the state, and returns its dense output.
func (s *stepper) accept(t, h float64) segment {
	n := len(s.x)
	seg := segment{t: t, h: h}
	for i := range seg.r {
		seg.r[i] = make([]float64, n)
	}
	for i := range n {
		delta := s.next[i] - s.x[i]
		bspl := h*s.k[0][i] - delta
		seg.r[0][i] = s.x[i]
		seg.r[1][i] = delta
		seg.r[2][i] = bspl
		seg.r[3][i] = delta - h*s.k[stages-1][i] - bspl
	}
	for j, d := range coeffsD {
		if d != 0 {
			axpy(h*d, s.k[j], seg.r[4])
		}
	}
	s.x, s.next = s.next, s.x
	s.k[0], s.k[stages-1] = s.k[stages-1], s.k[0]
	return seg
}

func axpy(a float64, x, y []float64) {
	for i, v := range x {
		y[i] += a * v
	}
}

// segment is the dense output of one step: a polynomial of degree four in
// θ = (t' − t)/h (Hairer, Nørsett & Wanner I, equation II.6.14 ff.).
type segment struct {
	t, h float64
	r    [5][]float64
}

func (s *segment) at(t float64, out []float64) {
	theta := (t - s.t) / s.h
	rest := 1 - theta
	for i := range out {
		out[i] = s.r[0][i] + theta*(s.r[1][i]+rest*(s.r[2][i]+theta*(s.r[3][i]+rest*s.r[4][i])))
	}
}

// At writes the states at t into out, [batch*dim], by the dense output of
// fourth order. It panics when t lies outside the solved interval.
func (s *Solution) At(t float64, out []float64) {
	for i := range s.segments {
		seg := &s.segments[i]
		theta := (t - seg.t) / seg.h
		if theta >= 0 && (theta <= 1 || i == len(s.segments)-1 && theta <= 1+1e-12) {
			seg.at(t, out)
			return
		}
	}
	panic(fmt.Sprintf("ode: t = %g lies outside the solved interval", t))
}
