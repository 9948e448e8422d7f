package flow

import (
	"context"
	"runtime"
	"sync"
)

// VelocityAt evaluates v(t, x) as sampling does: acc.Batch states at a time, as
// many batches at once as there are threads, in the precision of acc.
//
// t: flow time; x: states in standardised units, [n*dim]. Result: [n*dim].
// Errors: those of the backend and of ctx.
func (m *Model) VelocityAt(ctx context.Context, t float64, x []float64, acc Accuracy) ([]float64, error) {
	out := make([]float64, len(x))
	err := m.inBatches(ctx, x, acc, func(e *evaluator, from, to int) error {
		return e.run(e.velocity, []float64{t}, x[from*e.dim:to*e.dim], out[from*e.dim:to*e.dim], nil)
	})
	return out, err
}

// DivergenceAt evaluates ∇·v(t, x) as sampling does: batches as in
// [Model.VelocityAt], acc.Chunk states of each at a time. Result: [n].
func (m *Model) DivergenceAt(ctx context.Context, t float64, x []float64, acc Accuracy) ([]float64, error) {
	out := make([]float64, len(x)/m.Field.Dim())
	times := make([]float64, len(out))
	for i := range times {
		times[i] = t
	}
	size := acc.withDefaults().Chunk
	err := m.inBatches(ctx, x, acc, func(e *evaluator, from, to int) error {
		return e.chunks(ctx, times[from:to], x[from*e.dim:to*e.dim], nil, out[from:to], size)
	})
	return out, err
}

// inBatches calls f for batches of states, several at once, and returns the first error.
func (m *Model) inBatches(ctx context.Context, x []float64, acc Accuracy, f func(e *evaluator, from, to int) error) error {
	acc = acc.withDefaults()
	e, err := m.evaluator(acc.Single)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var once sync.Once
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	n := len(x) / e.dim
	for from := 0; from < n && ctx.Err() == nil; from += acc.Batch {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if failed := f(e, from, min(from+acc.Batch, n)); failed != nil {
				once.Do(func() { err = failed })
			}
		})
	}
	wg.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}
