package flow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// BenchmarkGraphTransformer times velocity and divergence per call, on the
// backend that a user gets, for Heavy Atom and Core Beta beads and for all atoms
// of alanine dipeptide.
func BenchmarkGraphTransformer(b *testing.B) {
	be, err := backend.Open()
	if err != nil {
		b.Fatal(err)
	}
	for _, beads := range []int{10, 6, 22} {
		f := NewGraphTransformer(beads)
		store := model.NewStore()
		f.Init(store, rand.New(rand.NewPCG(1, 1)))
		for _, batch := range []int{8, 64, 256} {
			rng := rand.New(rand.NewPCG(1, 2))
			x := make([]float32, batch*f.Dim())
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
			t := make([]float32, batch)
			for i := range t {
				t[i] = rng.Float32()
			}
			for _, what := range []string{"velocity", "divergence"} {
				exec, err := model.NewExec(be.Backend, store, func(_ *model.Scope, t, x *graph.Node) *graph.Node {
					if what == "velocity" {
						return f.Velocity(store, t, x)
					}
					_, div := f.Divergence(store, t, x)
					return div
				})
				if err != nil {
					b.Fatal(err)
				}
				if what == "divergence" && batch > 16 {
					continue
				}
				b.Run(fmt.Sprintf("%s/beads=%d/batch=%d", what, beads, batch), func(b *testing.B) {
					call := func() {
						out, err := exec.Exec(tensors.FromFlatDataAndDimensions(t, batch, 1),
							tensors.FromFlatDataAndDimensions(x, batch, f.Dim()))
						if err != nil {
							b.Fatal(err)
						}
						for _, o := range out {
							tensors.MustCopyFlatData[float32](o)
							o.FinalizeAll()
						}
					}
					call() // compiles
					b.ResetTimer()
					b.RunParallel(func(p *testing.PB) {
						for p.Next() {
							call()
						}
					})
					b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*batch), "ms/sample")
				})
			}
		}
	}
}

// BenchmarkGraphTransformerSample draws 1000 samples of the trained Core Beta
// flow with their log-density, by its schedule, which is made before.
func BenchmarkGraphTransformerSample(b *testing.B) {
	be, err := backend.Open()
	if err != nil {
		b.Fatal(err)
	}
	m, err := Import(be.Backend, "testdata/flow_cb.npz")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	acc := SamplingAccuracy(be.Name, nil)
	acc.Checks = -1
	if acc.Schedule, err = m.Schedule(ctx, 1, acc); err != nil {
		b.Fatal(err)
	}
	const n = 1000
	for b.Loop() {
		if _, err := m.Sample(ctx, n, 2, acc, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkTrainingStep times steps of 1024 frames.
func BenchmarkTrainingStep(b *testing.B) {
	be, err := backend.Open()
	if err != nil {
		b.Fatal(err)
	}
	for _, beads := range []int{10, 6} {
		b.Run(fmt.Sprintf("beads=%d", beads), func(b *testing.B) {
			const batch, perEpoch = 1024, 2
			rng := rand.New(rand.NewPCG(1, 1))
			frames := make([]float32, perEpoch*batch*axes*beads)
			for i := range frames {
				frames[i] = float32(rng.NormFloat64())
			}
			epochs := (b.N + perEpoch) / perEpoch
			_, _, err := Fit(context.Background(), be.Backend, NewGraphTransformer(beads), frames, Config{
				Epochs: epochs, Batch: batch, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
				Beads: beads, StepsPerCall: 1,
				Progress: func(done, _ int, _ string) {
					if done == 1 { // compiled
						b.ResetTimer()
					}
				}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(epochs*perEpoch-1), "s/step")
		})
	}
}

// BenchmarkSplineSample draws samples of an untrained spline flow of Heavy Atom beads with their log-density, which
// cost what those of a trained one do.
func BenchmarkSplineSample(b *testing.B) {
	be, err := backend.Open()
	if err != nil {
		b.Fatal(err)
	}
	frames := heavyAtoms(b)
	m := splineFor(b, frames.R[:2000*frames.Beads*axes], frames.Beads, splineKind.Sizes, 1)
	m.backend = be.Backend
	ctx := context.Background()
	acc := SamplingAccuracy(be.Name, m.Network)
	acc.Checks = -1
	const n = 8192
	for b.Loop() {
		if _, err := m.Sample(ctx, n, 2, acc, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
}
