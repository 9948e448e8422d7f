package flow

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// roughModel is a small flow, in float32, whose parameters all count.
func roughModel(t *testing.T) *Model {
	t.Helper()
	f := GraphTransformer{Beads: 3, Embed: 2, Hidden: 8, Layers: 2, Heads: 2, HeadDim: 4, FF: 8}
	single := model.NewStore()
	for v := range rough(t, f, 3).IterVariables() {
		wide := tensors.MustCopyFlatData[float64](v.MustValue())
		values := make([]float32, len(wide))
		for i, x := range wide {
			values[i] = float32(x)
		}
		train.AddParam(single, v.Path()[len("/net/"):], values, v.Shape().Dimensions...)
	}
	return &Model{Network: f, Mean: make([]float64, f.Dim()), Std: 0.5, Beads: f.Beads, Store: single,
		backend: goBackend()}
}

// The published solver and the decoupled one draw the same samples with the same
// log-densities, within the errors of both; the former's converge with its
// tolerance, and it pays one divergence for every velocity.
func TestJointSample(t *testing.T) {
	m, ctx := roughModel(t), context.Background()
	const n = 5
	want, err := m.Sample(ctx, n, 4, Accuracy{PathTol: 1e-8, LogQTol: 1e-6, Checks: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := 0.0
	for _, tol := range []float64{1e-3, 1e-5} {
		within := 200 * tol // errors of single steps add up, and the bounded one is a mean over all components
		got, err := m.JointSample(ctx, n, 4, tol)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if d := math.Abs(got.LogQ[i] - want.LogQ[i]); !(d <= within) {
				t.Errorf("tolerance %g: ln q of sample %d: got %.6f, want %.6f", tol, i, got.LogQ[i], want.LogQ[i])
			}
			if d := math.Abs(got.LogCOM[i] - want.LogCOM[i]); !(d <= within) {
				t.Errorf("tolerance %g: centre of sample %d: got %.6f, want %.6f", tol, i, got.LogCOM[i],
					want.LogCOM[i])
			}
		}
		for i := range got.R {
			if d := math.Abs(got.R[i] - want.R[i]); !(d <= within*m.Std) {
				t.Errorf("tolerance %g: coordinate %d: got %.6f, want %.6f", tol, i, got.R[i], want.R[i])
			}
		}
		// The first stage of a step is the last of the one before: 6 evaluations a step, and one to begin with.
		if got.Evaluations != got.Divergences || math.Mod(got.Evaluations-1, 6) != 0 || got.Evaluations <= count {
			t.Errorf("tolerance %g: got %g evaluations and %g divergences after %g", tol, got.Evaluations,
				got.Divergences, count)
		}
		count = got.Evaluations
	}
	if _, err := m.JointSample(ctx, 0, 4, 1e-5); err == nil {
		t.Error("no samples: got no error")
	}
}

// Twice as many Euler steps halve the errors of samples and log-densities.
func TestEulerSample(t *testing.T) {
	m, ctx := roughModel(t), context.Background()
	const n = 5
	want, err := m.Sample(ctx, n, 4, Accuracy{PathTol: 1e-8, LogQTol: 1e-6, Checks: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	worst := func(steps int) (r, logq float64) {
		got, err := m.EulerSample(ctx, n, 4, steps)
		if err != nil {
			t.Fatal(err)
		}
		if got.Evaluations != float64(steps) || got.Divergences != float64(steps) {
			t.Errorf("%d steps: got %g evaluations and %g divergences", steps, got.Evaluations, got.Divergences)
		}
		for i := range got.R {
			r = math.Max(r, math.Abs(got.R[i]-want.R[i]))
		}
		for i := range got.LogQ {
			logq = math.Max(logq, math.Abs(got.LogQ[i]-want.LogQ[i]))
		}
		return r, logq
	}
	r1, q1 := worst(50)
	r2, q2 := worst(100)
	if ratio := r1 / r2; math.Abs(ratio-2) > 0.2 {
		t.Errorf("errors of samples: got %g and %g, ratio %.2f, want 2", r1, r2, ratio)
	}
	if ratio := q1 / q2; math.Abs(ratio-2) > 0.2 {
		t.Errorf("errors of ln q: got %g and %g, ratio %.2f, want 2", q1, q2, ratio)
	}
	if _, err := m.EulerSample(ctx, n, 4, 0); err == nil {
		t.Error("no steps: got no error")
	}
}

// Reverse mode, the folded form and differences of velocities agree, however
// states are cut into batches.
func TestEvaluateAt(t *testing.T) {
	m, ctx := roughModel(t), context.Background()
	reverse := m.InReverseMode()
	const n, at = 7, 0.4
	dim := m.Network.Dim()
	x, _ := m.prior(n, 1)
	div, err := m.DivergenceAt(ctx, at, x, Accuracy{Batch: 3, Chunk: 2})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := reverse.DivergenceAt(ctx, at, x, Accuracy{})
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	for i := range n {
		var want float64
		for k := range dim {
			var side [2][]float64
			for s, sign := range []float64{1, -1} {
				moved := append([]float64(nil), x...)
				moved[i*dim+k] += sign * h
				if side[s], err = m.VelocityAt(ctx, at, moved, Accuracy{Batch: 2}); err != nil {
					t.Fatal(err)
				}
			}
			want += (side[0][i*dim+k] - side[1][i*dim+k]) / (2 * h)
		}
		if math.Abs(div[i]-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("divergence %d: got %.9f, want %.9f", i, div[i], want)
		}
		if math.Abs(whole[i]-div[i]) > 1e-11*(1+math.Abs(div[i])) {
			t.Errorf("divergence %d by reverse mode: got %.15f, want %.15f", i, whole[i], div[i])
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := m.DivergenceAt(stopped, at, x, Accuracy{Chunk: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("after a stop: got %v", err)
	}
}
