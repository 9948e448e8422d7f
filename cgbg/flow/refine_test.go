package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// springs of a chain of four beads: bonds and distances over an angle, and of the ends; lengths nm, constants kT/nm².
var springs = []struct {
	i, j int
	d, k float64
}{{0, 1, 0.15, 2e4}, {1, 2, 0.15, 2e4}, {2, 3, 0.15, 2e4}, {0, 2, 0.25, 4e3}, {1, 3, 0.25, 4e3}, {0, 3, 0.32, 300}}

func springEnergy(r []float64, ends float64) (u float64) {
	for n, s := range springs {
		var d2 float64
		for c := range axes {
			d := r[axes*s.i+c] - r[axes*s.j+c]
			d2 += d * d
		}
		k := s.k
		if n == len(springs)-1 {
			k = ends
		}
		u += k / 2 * (math.Sqrt(d2) - s.d) * (math.Sqrt(d2) - s.d)
	}
	return u
}

// springGraph is springEnergy in a graph.
func springGraph(r *graph.Node) *graph.Node {
	at := func(i int) *graph.Node {
		return graph.Slice(r, graph.AxisRange(), graph.AxisRange(axes*i, axes*i+axes))
	}
	var u *graph.Node
	for _, s := range springs {
		d := graph.Sqrt(graph.ReduceSum(graph.Square(graph.Sub(at(s.i), at(s.j))), 1))
		e := graph.MulScalar(graph.Square(graph.AddScalar(d, -s.d)), s.k/2)
		if u == nil {
			u = e
		} else {
			u = graph.Add(u, e)
		}
	}
	return u
}

// springFrames are of the chain with its ends held by another constant, by Metropolis steps.
func springFrames(n int, ends float64) (frames []float32) {
	rng := rand.New(rand.NewPCG(11, 1))
	r := []float64{0, 0, 0, 0.15, 0, 0, 0.2, 0.14, 0, 0.3, 0.15, 0.1}
	u := springEnergy(r, ends)
	for step := range n * 60 {
		next := append([]float64(nil), r...)
		i := rng.IntN(4)
		for c := range axes {
			next[axes*i+c] += 0.006 * rng.NormFloat64()
		}
		if v := springEnergy(next, ends); math.Log(rng.Float64()) < u-v {
			r, u = next, v
		}
		if step%60 == 59 {
			for _, v := range r {
				frames = append(frames, float32(v))
			}
		}
	}
	return frames
}

// A flow of frames of another distribution, refined on a potential that is known, covers it: its weights are worth far
// more, its mean distance of the ends is that of the potential by a long walk. A run that is cut in the middle and goes
// on gives the same bits.
func TestRefine(t *testing.T) {
	ctx := context.Background()
	frames := springFrames(3000, 60)
	f, err := NewSpline(frames, 4, Sizes{Width: 16, Layers: 4, Bins: 6})
	if err != nil {
		t.Fatal(err)
	}
	cfg := splineKind.Quick
	cfg.Epochs, cfg.Batch, cfg.Beads, cfg.EMA, cfg.StepsPerCall, cfg.RateHigh = 10, 128, 4, 0.95, 5, 3e-3
	m, _, err := Fit(ctx, goBackend(), f, frames, cfg)
	if err != nil {
		t.Fatal(err)
	}
	measure := func(m *Model) (ess, ends float64) {
		s, err := m.Sample(ctx, 4000, 5, Accuracy{Single: true, Checks: -1, Batch: 512}, nil)
		if err != nil {
			t.Fatal(err)
		}
		u, d := make([]float64, 4000), make([]float64, 4000)
		for i := range u {
			r := s.R[12*i : 12*i+12]
			u[i] = springEnergy(r, springs[5].k)
			d[i] = math.Sqrt((r[0]-r[9])*(r[0]-r[9]) + (r[1]-r[10])*(r[1]-r[10]) + (r[2]-r[11])*(r[2]-r[11]))
		}
		logw := reweight.LogWeights(u, s.LogQ, 1, s.LogCOM)
		if ess, err = reweight.ESS(logw); err != nil {
			t.Fatal(err)
		}
		top := math.Inf(-1)
		for _, v := range logw {
			top = math.Max(top, v)
		}
		var sum float64
		for i, v := range logw {
			w := math.Exp(v - top)
			sum, ends = sum+w, ends+w*d[i]
		}
		return ess, ends / sum
	}
	before, _ := measure(m)
	rc := RefineConfig{Steps: 150, Batch: 128, RateHigh: 2e-3, EMA: 0.95, StepsPerCall: 5, Seed: 3, Fingerprint: "springs"}
	refined, history, err := m.Refine(ctx, springGraph, frames, rc)
	if err != nil {
		t.Fatal(err)
	}
	after, ends := measure(refined)
	if !(after > 0.8) || !(after > before+0.1) || len(history.Loss) == 0 {
		t.Errorf("effective size %.3f before, %.3f after: want above 0.8", before, after)
	}
	var want float64
	walk := springFrames(60_000, springs[5].k)
	for r := walk; len(r) > 0; r = r[12:] {
		want += math.Sqrt(sq(r[0]-r[9])+sq(r[1]-r[10])+sq(r[2]-r[11])) / 60_000
	}
	if math.Abs(ends-want) > 0.003 {
		t.Errorf("mean distance of the ends %.4f nm, by a walk %.4f", ends, want)
	}
	if again, _ := measure(m); again != before {
		t.Errorf("the flow itself has changed: effective size %.6f, was %.6f", again, before)
	}

	rc.Checkpoint = filepath.Join(t.TempDir(), "refine.checkpoint")
	cut, cancel := context.WithCancel(ctx)
	rc.Progress = func(done, _ int, _ string) {
		if done >= 70 {
			cancel()
		}
	}
	if _, _, err := m.Refine(cut, springGraph, frames, rc); err == nil || !strings.Contains(err.Error(), "go on") {
		t.Fatalf("cut: got %v", err)
	}
	rc.Progress = nil
	file := filepath.Join(t.TempDir(), "flow.npz") // as another process has it
	if err := m.Export(file); err != nil {
		t.Fatal(err)
	}
	same, err := Import(goBackend(), file)
	if err != nil {
		t.Fatal(err)
	}
	resumed, _, err := same.Refine(ctx, springGraph, frames, rc)
	if err != nil {
		t.Fatal(err)
	}
	one, err := refined.Sum()
	if err != nil {
		t.Fatal(err)
	}
	if two, err := resumed.Sum(); err != nil || one != two {
		t.Errorf("resumed: another flow, %v", err)
	}
}

// A likelihood training that was cut goes on in another process with the same bits, from its frames and settings alone;
// one that starts from a file has that file's tree and statistics.
func TestSplineResumes(t *testing.T) {
	ctx := context.Background()
	frames := springFrames(400, 60)
	cfg := splineKind.Small
	cfg.Epochs, cfg.Batch, cfg.Beads, cfg.Seed = 6, 64, 4, 2
	fit := func(ctx context.Context, cfg Config) (*Model, error) {
		f, err := NewSpline(frames, 4, Sizes{Width: 8, Layers: 2, Bins: 4}) // anew, as another process does
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := Fit(ctx, goBackend(), f, frames, cfg)
		return m, err
	}
	whole, err := fit(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cut, cancel := context.WithCancel(ctx)
	stopped := cfg
	stopped.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	stopped.Progress = func(done, _ int, _ string) {
		if done >= 10 {
			cancel()
		}
	}
	if _, err := fit(cut, stopped); err == nil {
		t.Fatal("it was not cut")
	}
	stopped.Progress = nil
	resumed, err := fit(ctx, stopped)
	if err != nil {
		t.Fatal(err)
	}
	one, err := whole.Sum()
	if err != nil {
		t.Fatal(err)
	}
	if two, err := resumed.Sum(); err != nil || one != two {
		t.Errorf("resumed: another flow, %v", err)
	}

	file := filepath.Join(t.TempDir(), "flow.npz")
	if err := whole.Export(file); err != nil {
		t.Fatal(err)
	}
	cfg.Start = file
	other := springFrames(300, 600)
	f, err := NewSpline(other, 4, Sizes{Width: 8, Layers: 2, Bins: 4})
	if err != nil {
		t.Fatal(err)
	}
	on, _, err := Fit(ctx, goBackend(), f, other, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := on.Network.(Spline).Centre, whole.Network.(Spline).Centre; !slices.Equal(got, want) {
		t.Errorf("from a file: centres %v, want %v", got, want)
	}
	path := filepath.Join(t.TempDir(), "field.npz")
	if err := train.WriteArrays(path, map[string]*tensors.Tensor{"x": tensors.FromScalar(1.0)}); err != nil {
		t.Fatal(err)
	}
	cfg.Start = path
	if _, err := fit(ctx, cfg); err == nil || !strings.Contains(err.Error(), "no flow of the kind spline") {
		t.Errorf("from another file: got %v", err)
	}
}

func sq(v float32) float64 { return float64(v) * float64(v) }

func TestRefineRefuses(t *testing.T) {
	frames := springFrames(50, 60)
	if _, _, err := tiny(1).Refine(context.Background(), springGraph, frames, RefineConfig{}); err == nil ||
		!strings.Contains(err.Error(), "exact in one pass") {
		t.Errorf("a vector field: got %v", err)
	}
	m := splineFor(t, frames, 4, Sizes{Width: 8, Layers: 2, Bins: 4}, 1)
	if _, _, err := m.Refine(context.Background(), springGraph, frames[:10], RefineConfig{}); err == nil ||
		!strings.Contains(err.Error(), "no frames") {
		t.Errorf("half a frame: got %v", err)
	}
	hole := func(r *graph.Node) *graph.Node { return graph.Log(graph.Neg(graph.ReduceSum(graph.Square(r), 1))) }
	if _, _, err := m.Refine(context.Background(), hole, frames, RefineConfig{}); err == nil ||
		!strings.Contains(err.Error(), "not finite") {
		t.Errorf("a potential without values: got %v", err)
	}
}
