package ode

import (
	"context"
	"fmt"
	"math"
)

// MeshVisitor is called at mesh point k with the states and their slopes, both
// [batch*dim]. It may write better slopes into dx, and must not keep either.
type MeshVisitor func(k int, t float64, x, dx []float64) error

// MeshSolution is a path solved on a mesh.
type MeshSolution struct {
	X           []float64 // final states, [batch*dim]
	Defect      []float64 // √Σ over steps of the mean squared corrections, [batch]; far above the error of X
	Evaluations int       // of the field for the whole batch, without those of visits
}

// order is the number of past slopes that a step of SolveMesh extrapolates.
// Six are hardly more precise on flows and leave the domain of stability.
const order = 4

// startup is how many times the first interval is halved to reach that order.
const startup = 4

// SolveMesh integrates f over a given mesh of times, ascending or descending,
// by variable-step Adams methods: an explicit step of order four predicts, f is
// evaluated once, an implicit formula of order five corrects, and the slope at
// the predicted state is kept (PEC; Hairer, Nørsett & Wanner, Solving Ordinary
// Differential Equations I, section III.1). One evaluation a step instead of
// six; the mesh must suit f, since nothing adapts.
//
// x0: initial states, [batch*dim], not changed. visit sees the corrected states
// of every mesh point, with slopes at the predicted ones; it may be nil.
// Errors: those of f, visit and ctx; ErrNonFinite, wrapped.
func SolveMesh(ctx context.Context, f Field, x0 []float64, dim int, mesh []float64, visit MeshVisitor) (*MeshSolution,
	error) {
	if dim <= 0 || len(x0) == 0 || len(x0)%dim != 0 {
		return nil, fmt.Errorf("ode: %d values are no batch of states with %d components", len(x0), dim)
	}
	if len(mesh) < 2 {
		return nil, fmt.Errorf("ode: a mesh of %d times has no steps", len(mesh))
	}
	m := &multistep{x: append([]float64(nil), x0...), predicted: make([]float64, len(x0)), dim: dim,
		sol: &MeshSolution{Defect: make([]float64, len(x0)/dim)}}
	at := func(k int) error {
		err := ctx.Err()
		if err == nil && visit != nil {
			err = visit(k, mesh[k], m.x, m.slopes[len(m.slopes)-1])
		}
		if err != nil {
			return fmt.Errorf("ode: at t = %g: %w", mesh[k], err)
		}
		return nil
	}
	if err := m.evaluate(f, mesh[0], m.x); err != nil {
		return nil, err
	}
	if err := at(0); err != nil {
		return nil, err
	}
	first := mesh[1] - mesh[0]
	for j := startup; j > 0; j-- {
		if err := m.step(f, mesh[0]+math.Ldexp(first, -j)); err != nil {
			return nil, err
		}
	}
	for k := 1; k < len(mesh); k++ {
		if err := m.step(f, mesh[k]); err != nil {
			return nil, err
		}
		if err := at(k); err != nil {
			return nil, err
		}
	}
	for i, d := range m.sol.Defect {
		if m.sol.Defect[i] = math.Sqrt(d); math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, fmt.Errorf("ode: state %d: %w", i, ErrNonFinite)
		}
	}
	m.sol.X = m.x
	return m.sol, nil
}

// multistep is a batch on its way: the last times and slopes, oldest first.
type multistep struct {
	x, predicted []float64
	dim          int
	times        []float64
	slopes       [][]float64
	sol          *MeshSolution
}

// evaluate appends the slope at x.
func (m *multistep) evaluate(f Field, t float64, x []float64) error {
	slope := make([]float64, len(x))
	if len(m.slopes) > order { // the oldest is used no more
		slope = m.slopes[0]
		m.times, m.slopes = m.times[1:], m.slopes[1:]
	}
	m.times, m.slopes = append(m.times, t), append(m.slopes, slope)
	m.sol.Evaluations++
	return f(t, x, slope)
}

// step moves the states to time t.
func (m *multistep) step(f Field, t float64) error {
	from := m.times[len(m.times)-1]
	past := max(0, len(m.times)-order)
	combine(m.predicted, m.x, adams(m.times[past:], from, t), m.slopes[past:])
	if err := m.evaluate(f, t, m.predicted); err != nil {
		return err
	}
	past = max(0, len(m.times)-order-1)
	combine(m.x, m.x, adams(m.times[past:], from, t), m.slopes[past:])
	for i := range m.sol.Defect {
		var sum float64
		for c := i * m.dim; c < (i+1)*m.dim; c++ {
			d := m.x[c] - m.predicted[c]
			sum += d * d
		}
		m.sol.Defect[i] += sum / float64(m.dim)
	}
	return nil
}

// combine writes x + Σ wᵢ slopesᵢ into out.
func combine(out, x, w []float64, slopes [][]float64) {
	for c := range out {
		sum := x[c]
		for i, s := range slopes {
			sum += w[i] * s[c]
		}
		out[c] = sum
	}
}

// adams are the weights that integrate, from a to b, the polynomial through
// values at the given times; at most six times.
func adams(times []float64, a, b float64) []float64 {
	w := make([]float64, len(times))
	for q, node := range [3]float64{-math.Sqrt(0.6), 0, math.Sqrt(0.6)} { // Gauss–Legendre, exact to degree five
		s := (a + b + (b-a)*node) / 2
		for i, ti := range times {
			basis := 1.0
			for j, tj := range times {
				if j != i {
					basis *= (s - tj) / (ti - tj)
				}
			}
			w[i] += [3]float64{5.0 / 18, 8.0 / 18, 5.0 / 18}[q] * (b - a) * basis
		}
	}
	return w
}
