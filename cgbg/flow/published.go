package flow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

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
	out, err := e.jointSolve(ctx, z, 0, 1, publishedSolver(tol))
	if err != nil {
		return nil, err
	}
	return m.drawn(z, out), nil
}

// EulerSample draws n samples by so many Euler steps of equal length, with the
// divergence at the start of each, in float32: what samplers without a solver do. The
// log-density is that of a continuous flow that these steps follow poorly: it is off by the errors of
// both, which no weight shows. Draws are those of [Model.Sample] with the same seed and n.
//
// Errors: no samples or steps; those of the field and of ctx.
func (m *Model) EulerSample(ctx context.Context, n int, seed uint64, steps int) (*Samples, error) {
	if n <= 0 || steps <= 0 {
		return nil, fmt.Errorf("flow: cannot draw %d samples by %d steps", n, steps)
	}
	e, err := m.evaluator(true)
	if err != nil {
		return nil, err
	}
	z, _ := m.prior(n, seed)
	x, dx, field := withLogQ(z, e.dim), make([]float64, n*(e.dim+1)), e.joint(n)
	for k := range steps {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("flow: Euler steps: %w", err)
		}
		if err := field(float64(k)/float64(steps), x, dx); err != nil {
			return nil, err
		}
		for i, v := range dx {
			x[i] += v / float64(steps)
		}
	}
	return m.drawn(z, e.carried(x, 1, steps)), nil
}

// publishedSolver is Dormand–Prince as published: one step size for a batch, by
// the root mean square of all errors, from a first step of 0.005.
func publishedSolver(tol float64) ode.Options {
	return ode.Options{RTol: tol, ATol: tol, FirstStep: 5e-3, Norm: ode.NormRMS}
}

// publishedBatch is the number of samples that share a step in the published procedure.
const publishedBatch = 500

// PublishedLogQ is LogQ by the published procedure: a frame and its log-density
// are one system for Dormand–Prince at tolerance tol, with steps that batches of 500 share by the
// root mean square over all. So every velocity costs a divergence: evaluations,
// per frame, are those of either. In float64, so that errors are those of the integration.
//
// r: frames in physical units, [n*dim].
func (m *Model) PublishedLogQ(ctx context.Context, r []float64, tol float64) (logq []float64, evaluations float64,
	err error) {
	e, err := m.evaluator(false)
	if err != nil {
		return nil, 0, err
	}
	dim := e.dim
	if len(r) == 0 || len(r)%dim != 0 {
		return nil, 0, fmt.Errorf("flow: %d numbers are no frames of %d components", len(r), dim)
	}
	for part := range slices.Chunk(m.Standardise(r), publishedBatch*dim) {
		j, err := e.jointSolve(ctx, part, 1, 0, publishedSolver(tol))
		if err != nil {
			return nil, 0, err
		}
		logq = append(logq, j.logQ(dim)...)
		evaluations += j.evaluations * float64(len(part)) / float64(len(r))
	}
	return logq, evaluations, nil
}

// prior draws n points of the prior, [n*dim], and returns the source for more.
func (m *Model) prior(n int, seed uint64) ([]float64, *rand.Rand) {
	rng := rand.New(rand.NewPCG(seed, 0x73616d70))
	z := make([]float64, n*m.Network.Dim())
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	return z, rng
}

// InReverseMode is the model with the divergence of [ReverseMode]. It shares the parameters.
func (m *Model) InReverseMode() *Model {
	return &Model{Network: ReverseMode{m.Network.(Field)}, Mean: m.Mean, Std: m.Std, Beads: m.Beads, Store: m.Store,
		backend: m.backend}
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

// Tolerances of the published solver: in the text of the paper (arXiv 2602.10637, C.3), and in the authors' code.
const (
	TextTolerance = 1e-4
	CodeTolerance = 1e-5
)
