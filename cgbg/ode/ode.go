// Package ode solves initial value problems dx/dt = f(t, x) for a batch of
// independent states that share one step size, in float64.
//
// Its parts are orthogonal: a right-hand side ([Field]), the Dormand–Prince
// 5(4) pair (tableau.go), a proportional–integral step controller
// (controller.go), dense output of fourth order ([Solution.At]), Adams methods on
// a given mesh (multistep.go), and quadrature nodes (quadrature.go). The variable t has whatever unit f
// gives it; in this project it is the flow time in [0, 1].
//
// Sources: J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19,
// doi 10.1016/0771-050X(80)90013-3; E. Hairer, S. P. Nørsett, G. Wanner,
// Solving Ordinary Differential Equations I, 2nd ed., sections II.4 to II.6.
package ode

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Field is the right-hand side of dx/dt = f(t, x). It writes f(t, x) into dx.
// x and dx: a batch of states, flattened, [batch*dim]. It must not keep them.
type Field func(t float64, x, dx []float64) error

// Norm says how the errors of a batch become one number for the step control.
type Norm int

const (
	// NormMax takes the root mean square over the components of each state,
	// and the largest over the batch: the tolerance holds for every state.
	NormMax Norm = iota
	// NormRMS takes the root mean square over everything, as published codes do.
	NormRMS
)

// Options of a solve; zero values stand for the defaults in brackets.
type Options struct {
	RTol, ATol float64 // relative and absolute tolerance [1e-6 each]
	FirstStep  float64 // first step [1 % of the interval]
	MaxSteps   int     // accepted and rejected together [10,000]
	Norm       Norm    // [NormMax]
}

func (o Options) withDefaults(span float64) Options {
	if o.RTol == 0 {
		o.RTol = 1e-6
	}
	if o.ATol == 0 {
		o.ATol = 1e-6
	}
	if o.FirstStep == 0 {
		o.FirstStep = 0.01 * math.Abs(span)
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = 10_000
	}
	return o
}

// Errors that Solve wraps; the message names the remedy.
var (
	ErrMaxSteps  = errors.New("too many steps: loosen the tolerance or raise MaxSteps")
	ErrNonFinite = errors.New("the right-hand side is not finite: check the model's parameters and the initial states")
	ErrStepSize  = errors.New("the step size underflowed: the right-hand side is not smooth enough for this tolerance")
)

// Solution is a solved path with dense output.
type Solution struct {
	X           []float64 // final states, [batch*dim]
	Steps       int       // accepted steps
	Rejected    int       // rejected steps
	Evaluations int       // evaluations of the field for the whole batch
	segments    []segment
}

// Solve integrates f from t0 to t1 (in either direction) starting at x0.
//
// x0: initial states of the batch, [batch*dim], not changed; dim: components
// of one state. The context ends the solve between steps.
// Errors: those of f and ctx; ErrMaxSteps, ErrNonFinite, ErrStepSize, wrapped.
func Solve(ctx context.Context, f Field, x0 []float64, dim int, t0, t1 float64, opts Options) (*Solution, error) {
	if dim <= 0 || len(x0) == 0 || len(x0)%dim != 0 {
		return nil, fmt.Errorf("ode: %d values are no batch of states with %d components", len(x0), dim)
	}
	opts = opts.withDefaults(t1 - t0)
	s := newStepper(f, x0, dim)
	sol := &Solution{}
	if err := s.start(t0); err != nil {
		return nil, err
	}
	sol.Evaluations = 1
	dir := math.Copysign(1, t1-t0)
	h := dir * math.Min(opts.FirstStep, math.Abs(t1-t0))
	control := newController()
	for t := t0; t != t1; {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("ode: interrupted at t = %g: %w", t, err)
		}
		if sol.Steps+sol.Rejected >= opts.MaxSteps {
			return nil, fmt.Errorf("ode: at t = %g after %d steps: %w", t, opts.MaxSteps, ErrMaxSteps)
		}
		last := dir*(t+h-t1) >= -1e-14*math.Abs(t1-t0)
		if last {
			h = t1 - t
		}
		if t+h == t {
			return nil, fmt.Errorf("ode: at t = %g: %w", t, ErrStepSize)
		}
		if err := s.try(t, h); err != nil {
			return nil, err
		}
		sol.Evaluations += stages - 1
		e := s.errorNorm(opts)
		if math.IsNaN(e) {
			return nil, fmt.Errorf("ode: at t = %g: %w", t, ErrNonFinite)
		}
		factor, ok := control.next(e)
		if !ok {
			sol.Rejected++
			h *= factor
			continue
		}
		sol.Steps++
		sol.segments = append(sol.segments, s.accept(t, h))
		if last {
			t = t1
		} else {
			t += h
		}
		h *= factor
	}
	sol.X = s.x
	return sol, nil
}

// Times are the ends of the steps, from t0 to t1.
func (s *Solution) Times() []float64 {
	times := []float64{s.segments[0].t}
	for _, g := range s.segments {
		times = append(times, g.t+g.h)
	}
	return times
}
