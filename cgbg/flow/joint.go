package flow

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/ode"
)

// JointLogQ is the reference for log-densities: it integrates the states x
// back to the prior together with their log-density, by Dormand–Prince with
// tolerance tol for all of it, in float64. It is slow, and made to be believed.
//
// x: states in standardised units, [n*dim]. Result: ln q(x), nats, [n].
func (m *Model) JointLogQ(ctx context.Context, x []float64, tol float64) ([]float64, error) {
	e, err := m.evaluator(false)
	if err != nil {
		return nil, err
	}
	j, err := e.jointSolve(ctx, x, 1, 0, ode.Options{RTol: tol, ATol: tol})
	if err != nil {
		return nil, err
	}
	return j.logQ(e.dim), nil
}

// jointSolve moves states from t0 to t1 together with ∫₀¹ ∇·v dt along their paths.
func (e *evaluator) jointSolve(ctx context.Context, x []float64, t0, t1 float64, o ode.Options) (*transported, error) {
	n := len(x) / e.dim
	sol, err := ode.Solve(ctx, e.joint(n), withLogQ(x, e.dim), e.dim+1, t0, t1, o)
	if err != nil {
		return nil, fmt.Errorf("flow: joint solve: %w", err)
	}
	return e.carried(sol.X, t1-t0, sol.Evaluations), nil
}

// carried are states with their log-densities, [n*(dim+1)], after so many evaluations over a span of time.
func (e *evaluator) carried(states []float64, span float64, evaluations int) *transported {
	n := len(states) / (e.dim + 1)
	out := &transported{x: make([]float64, n*e.dim), integral: make([]float64, n), errors: make([]float64, n),
		evaluations: float64(evaluations), divergences: float64(evaluations)}
	for i := range n {
		row := states[i*(e.dim+1) : (i+1)*(e.dim+1)]
		copy(out.x[i*e.dim:], row[:e.dim])
		out.integral[i] = span * row[e.dim]
	}
	return out
}

// withLogQ appends a zero to every state: its log-density.
func withLogQ(x []float64, dim int) []float64 {
	out := make([]float64, 0, len(x)+len(x)/dim)
	for start := 0; start < len(x); start += dim {
		out = append(append(out, x[start:start+dim]...), 0)
	}
	return out
}

// joint is the field of n states with their log-densities: velocity and divergence.
func (e *evaluator) joint(n int) ode.Field {
	state, velocity, divergence := make([]float64, n*e.dim), make([]float64, n*e.dim), make([]float64, n)
	return func(t float64, y, dy []float64) error {
		for i := range n {
			copy(state[i*e.dim:(i+1)*e.dim], y[i*(e.dim+1):])
		}
		if err := e.run(e.divergence, []float64{t}, state, velocity, divergence); err != nil {
			return err
		}
		for i := range n {
			copy(dy[i*(e.dim+1):], velocity[i*e.dim:(i+1)*e.dim])
			dy[i*(e.dim+1)+e.dim] = divergence[i]
		}
		return nil
	}
}
