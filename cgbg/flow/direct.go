package flow

import "context"

// VelocityAt evaluates v(t, x) as sampling does: acc.Batch states at a time, as
// many batches at once as there are threads, in the precision of acc.
//
// t: flow time; x: states in standardised units, [n*dim]. Result: [n*dim].
// Errors: those of the backend and of ctx.
func (m *Model) VelocityAt(ctx context.Context, t float64, x []float64, acc Accuracy) ([]float64, error) {
	acc = acc.withDefaults()
	e, err := m.evaluator(acc.Single)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(x))
	return out, inBatches(len(x)/e.dim, acc.Batch, func(from, to int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return e.run(e.velocity, []float64{t}, x[from*e.dim:to*e.dim], out[from*e.dim:to*e.dim], nil)
	})
}

// DivergenceAt evaluates ∇·v(t, x) as sampling does: batches as in
// [Model.VelocityAt], acc.Chunk states of each at a time. Result: [n].
func (m *Model) DivergenceAt(ctx context.Context, t float64, x []float64, acc Accuracy) ([]float64, error) {
	acc = acc.withDefaults()
	e, err := m.evaluator(acc.Single)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(x)/e.dim)
	times := make([]float64, len(out))
	for i := range times {
		times[i] = t
	}
	return out, inBatches(len(out), acc.Batch, func(from, to int) error {
		return e.chunks(ctx, times[from:to], x[from*e.dim:to*e.dim], nil, out[from:to], acc.Chunk)
	})
}
