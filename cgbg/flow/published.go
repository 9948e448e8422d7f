package flow

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/ode"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// JointSample draws n samples by the published solver: states and their
// log-densities go together through Dormand–Prince steps of tolerance tol,
// absolute and relative, that all samples share (root mean square of all errors),
// from a first step of 0.005, in float32, with a divergence at every stage
// (paper, C.3). It starts from the draws of [Model.Sample] with the same seed and
// n, and differs from it by the errors of both alone: it is there to compare costs.
// Evaluations and Divergences of the result are the same number.
//
// Errors: no samples; those of the field and of ctx.
func (m *Model) JointSample(ctx context.Context, n int, seed uint64, tol float64) (*Samples, error) {
	if n <= 0 {
		return nil, fmt.Errorf("flow: cannot draw %d samples", n)
	}
	e, err := m.evaluator(true)
	if err != nil {
		return nil, err
	}
	z, _ := m.prior(n, seed)
	sol, err := ode.Solve(ctx, e.joint(n), withLogQ(z, e.dim), e.dim+1, 0, 1, ode.Options{RTol: tol, ATol: tol, FirstStep: 0.005, Norm: ode.NormRMS})
	if err != nil {
		return nil, fmt.Errorf("flow: joint solve: %w", err)
	}
	s := &Samples{LogQ: make([]float64, n), Quadrature: make([]float64, n),
		Evaluations: float64(sol.Evaluations), Divergences: float64(sol.Evaluations)}
	x := make([]float64, 0, n*e.dim)
	for i := range n {
		row := sol.X[i*(e.dim+1) : (i+1)*(e.dim+1)]
		x = append(x, row[:e.dim]...)
		s.LogQ[i] = logNormal(z[i*e.dim:(i+1)*e.dim]) - row[e.dim]
	}
	s.R = m.physical(x)
	s.LogCOM = m.LogCOM(s.R)
	return s, nil
}

// prior draws n points of the prior, [n*dim], and returns the source for more.
func (m *Model) prior(n int, seed uint64) ([]float64, *rand.Rand) {
	rng := rand.New(rand.NewPCG(seed, 0x73616d70))
	z := make([]float64, n*m.Field.Dim())
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	return z, rng
}

// InReverseMode is the model with the divergence of [ReverseMode]. It shares the parameters.
func (m *Model) InReverseMode() *Model {
	return &Model{Field: ReverseMode{m.Field}, Mean: m.Mean, Std: m.Std, Beads: m.Beads, Store: m.Store, backend: m.backend}
}

// ReverseMode is a field whose divergence is the trace of its Jacobian, row by row
// in reverse mode, as published: a pass back through the velocity for every
// component of x. It is the same function, and there to compare costs with.
type ReverseMode struct{ Field }

// Divergence builds v(t, x), [batch, dim], and ∇·v, [batch].
func (f ReverseMode) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	velocity = f.Velocity(store, t, x)
	for k := range f.Dim() {
		component := graph.AxisElem(k)
		row := graph.Gradient(graph.ReduceAllSum(graph.Slice(velocity, graph.AxisRange(), component)), x)[0]
		part := graph.Reshape(graph.Slice(row, graph.AxisRange(), component), -1)
		if k == 0 {
			divergence = part
		} else {
			divergence = graph.Add(divergence, part)
		}
	}
	return velocity, divergence
}
