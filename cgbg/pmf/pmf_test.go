package pmf

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
)

// goBackend is the one backend of these tests: tensors belong to a backend.
var goBackend = sync.OnceValue(func() compute.Backend {
	b, err := backend.OpenNamed("go")
	if err != nil {
		panic(err)
	}
	return b.Backend
})

// published is the potential of the Müller–Brown system (paper, D.1).
var published = RBFMLP{Centers: 100, Lo: 10, Hi: 50, Sigma: 5, Hidden: 128, Layers: 4}

func fresh(t testing.TB, pot Potential) *Model {
	m := &Model{Potential: pot, Store: model.NewStore(), backend: goBackend()}
	pot.Init(m.Store, rand.New(rand.NewPCG(1, 2)))
	return m
}

func TestPublishedParameterCount(t *testing.T) {
	if got := train.NumParams(fresh(t, published).Store); got != 62693 { // facts: 62,693 parameters
		t.Errorf("got %d parameters, want 62693", got)
	}
}

// TestRBFMLPAgainstLoop holds the graph to a plain float64 loop.
func TestRBFMLPAgainstLoop(t *testing.T) {
	pot := RBFMLP{Centers: 5, Lo: 0, Hi: 4, Sigma: 0.7, Hidden: 6, Layers: 2}
	m := fresh(t, pot)
	store, err := train.Float64(m.Store)
	if err != nil {
		t.Fatal(err)
	}
	param := func(name string) []float64 {
		var out []float64
		store.GetVariable("/net/" + name).MustValue().MustConstFlatData(func(flat any) {
			out = slices.Clone(flat.([]float64))
		})
		return out
	}
	x := []float64{-1, 0.3, 2.5, 9}
	got, err := m.Energy(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	for sample, x := range x {
		var h []float64
		for _, c := range param("centers") {
			h = append(h, math.Exp(-(x-c)*(x-c)/(2*0.7*0.7)))
		}
		for _, layer := range []string{"dense/0", "dense/1", "out"} {
			w, b := param(layer+"/w"), param(layer+"/b")
			next := slices.Clone(b)
			for j := range next {
				for i := range h {
					next[j] += h[i] * w[i*len(b)+j]
				}
				if layer != "out" {
					next[j] = math.Log1p(math.Exp(next[j]))
				}
			}
			h = next
		}
		if math.Abs(got[sample]-h[0]) > 1e-12 {
			t.Errorf("U(%g): got %.15g, want %.15g", x, got[sample], h[0])
		}
	}
}

// frames are random conformations of a chain of beads, nm.
func frames(n, beads int) []float32 {
	rng := rand.New(rand.NewPCG(4, 4))
	out := make([]float32, 0, n*beads*3)
	for range n {
		for bead := range beads {
			out = append(out,
				float32(0.14*float64(bead)+0.004*rng.NormFloat64()),
				float32(0.05*float64(bead%2)+0.004*rng.NormFloat64()),
				float32(0.05*rng.NormFloat64()*float64(bead/3)))
		}
	}
	return out
}

func double(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func pairModel(t testing.TB) (*Model, []float64) {
	r := frames(50, 4)
	pot, err := newPairMLP(r, 4, 16, 2, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	return fresh(t, pot), double(r[:36])
}

// TestForces: force = −gradient, by finite differences in float64.
func TestForces(t *testing.T) {
	pair, r := pairModel(t)
	invariant, _, x := invariantModel(t)
	for name, test := range map[string]struct {
		m *Model
		r []float64
	}{
		"RBFMLP":    {fresh(t, published), []float64{12, 25.5, 31, 48}},
		"PairMLP":   {pair, r},
		"Invariant": {invariant, x},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			_, force, err := test.m.EnergyForce(ctx, test.r)
			if err != nil {
				t.Fatal(err)
			}
			dim := test.m.Potential.Dim()
			for i := range test.r {
				const h = 2e-6
				var u [2]float64
				for side, sign := range []float64{1, -1} {
					shifted := slices.Clone(test.r)
					shifted[i] += sign * h
					energy, err := test.m.Energy(ctx, shifted)
					if err != nil {
						t.Fatal(err)
					}
					u[side] = energy[i/dim]
				}
				want := -(u[0] - u[1]) / (2 * h)
				if math.Abs(force[i]-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("component %d: got force %.9g, want %.9g", i, force[i], want)
				}
			}
		})
	}
}

// Turned, shifted and reflected frames have the same energy.
func TestInvariance(t *testing.T) {
	pair, r := pairModel(t)
	invariance(t, pair, r)
	invariant, _, x := invariantModel(t)
	invariance(t, invariant, x)
}

func invariance(t *testing.T, m *Model, r []float64) {
	t.Helper()
	c, s := math.Cos(0.7), math.Sin(0.7)
	moves := map[string]func(x, y, z float64) (float64, float64, float64){
		"rotation":    func(x, y, z float64) (float64, float64, float64) { return c*x - s*y, s*x + c*y, z },
		"translation": func(x, y, z float64) (float64, float64, float64) { return x + 1, y - 2, z + 0.5 },
		"reflection":  func(x, y, z float64) (float64, float64, float64) { return x, y, -z },
	}
	want, err := m.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	for name, move := range moves {
		moved := slices.Clone(r)
		for i := 0; i < len(r); i += 3 {
			moved[i], moved[i+1], moved[i+2] = move(r[i], r[i+1], r[i+2])
		}
		got, err := m.Energy(context.Background(), moved)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9*(1+math.Abs(want[i])) {
				t.Errorf("%s: frame %d: got U = %.12g, want %.12g", name, i, got[i], want[i])
			}
		}
	}
}

// doubleWell is U = (x²−1)²/0.5 in x' = x+3: noisy forces at uniform places.
func doubleWell(n int) (r, f []float32) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range n {
		x := -1.6 + 3.2*rng.Float64()
		r = append(r, float32(x+3))
		f = append(f, float32(-8*x*(x*x-1)+2*rng.NormFloat64()))
	}
	return r, f
}

// TestFit finds a double well from forces with noise of variance 4: the loss
// reaches its floor, which is shown beside it, and U the truth.
func TestFit(t *testing.T) {
	r, f := doubleWell(20_000)
	exact := make([]float64, len(r))
	for i, v := range r {
		exact[i] = -8 * float64(v-3) * (float64(v-3)*float64(v-3) - 1)
	}
	floor, stderr, err := NoiseFloor(f, exact)
	if err != nil {
		t.Fatal(err)
	}
	if want := 4 * math.Sqrt(2./float64(len(f))); math.Abs(floor-4) > 5*want || stderr < want/2 || stderr > 2*want {
		t.Errorf("noise floor %g ± %g, want 4 ± %g", floor, stderr, want)
	}
	var note string
	pot := RBFMLP{Centers: 20, Lo: 1, Hi: 5, Sigma: 0.4, Hidden: 16, Layers: 2}
	m, history, err := Fit(context.Background(), goBackend(), pot, r, f,
		Config{Epochs: 6, Batch: 256, Rate: 1e-2, RateDecay: 0.01, Cosine: true, Seed: 1, Validation: 0.1, Floor: floor,
			Progress: func(_, _ int, n string) { note = n }})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("noise floor %.4g", floor); history.Floor != floor || !strings.Contains(note, want) {
		t.Errorf("floor %g in the history, progress %q, want %q", history.Floor, note, want)
	}
	// The variance of 2,000 squared residuals of variance 4: ±5·4·√(2/2000).
	if v := slices.Min(history.Validation); v < 4-0.64 || v > 4+0.9 {
		t.Errorf("validation loss %g, want the noise floor 4", v)
	}
	var x, want []float64
	for v := -1.4; v <= 1.4; v += 0.05 {
		x, want = append(x, v+3), append(want, 2*math.Pow(v*v-1, 2))
	}
	u, err := m.Energy(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	var mean, rms float64
	for i := range u {
		mean += (u[i] - want[i]) / float64(len(u))
	}
	for i := range u {
		rms += math.Pow(u[i]-want[i]-mean, 2) / float64(len(u))
	}
	if rms = math.Sqrt(rms); rms > 0.1 {
		t.Errorf("U is off by %g (rms), want below 0.1", rms)
	}
}

// TestInterruptResume: an interrupted training that goes on from its checkpoint
// ends with the same bits as one that ran through.
func TestInterruptResume(t *testing.T) {
	wellR, wellF := doubleWell(2000)
	chain := narrow(conformations(60))
	noise := make([]float32, len(chain))
	rng := rand.New(rand.NewPCG(8, 9))
	for i := range noise {
		noise[i] = float32(rng.NormFloat64())
	}
	listed := small["prior"]
	listed.ListFrom = 1
	for name, test := range map[string]struct {
		pot    Potential
		r, f   []float32
		batch  int
		frames []float64
	}{
		"RBFMLP": {RBFMLP{Centers: 8, Lo: 1, Hi: 5, Sigma: 0.5, Hidden: 8, Layers: 2}, wellR, wellF, 64,
			[]float64{2, 3, 4}},
		"MACE":                 {small["periodic"], chain, noise, 4, conformations(2)},
		"MACE, list and prior": {listed, chain, noise, 4, conformations(2)},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Epochs: 10, Batch: test.batch, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 10, Seed: 1,
				Validation: 0.2, StepsPerCall: 4}
			fit := func(ctx context.Context) ([]float64, error) {
				m, _, err := Fit(ctx, goBackend(), test.pot, test.r, test.f, cfg)
				if err != nil {
					return nil, err
				}
				return m.Energy(context.Background(), test.frames)
			}
			want, err := fit(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			cfg.Checkpoint, cfg.CheckpointEvery = filepath.Join(t.TempDir(), "pmf.npz"), time.Hour
			ctx, cancel := context.WithCancel(context.Background())
			stopped := 0
			cfg.Progress = func(done, total int, _ string) {
				if stopped = done; done >= total/2 {
					cancel()
				}
			}
			if _, err := fit(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want context.Canceled", err)
			}
			first := -1
			cfg.Progress = func(done, _ int, _ string) {
				if first < 0 { // told before the first step
					first = done
				}
			}
			got, err := fit(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("after resuming U = %v, want %v", got, want)
			}
			if first != stopped {
				t.Errorf("stopped after step %d, but went on from step %d", stopped, first)
			}
		})
	}
}

func TestFitErrors(t *testing.T) {
	pot := RBFMLP{Centers: 2, Lo: 0, Hi: 1, Sigma: 1, Hidden: 2, Layers: 1}
	cfg := Config{Epochs: 1, Batch: 2, Rate: 1e-3, RateDecay: 1}
	nan := float32(math.NaN())
	for name, test := range map[string]struct{ r, f []float32 }{
		"no frames":       {nil, nil},
		"a force missing": {[]float32{1, 2}, []float32{1}},
		"NaN position":    {[]float32{1, nan}, []float32{1, 2}},
		"NaN force":       {[]float32{1, 2}, []float32{nan, 2}},
	} {
		if _, _, err := Fit(context.Background(), goBackend(), pot, test.r, test.f, cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := newPairMLP([]float32{0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0}, 2, 4, 1, 2.5); err == nil {
		t.Error("a constrained distance: no error")
	}
}

func ExampleFit() {
	r, f := doubleWell(1000)
	pot := RBFMLP{Centers: 10, Lo: 1, Hi: 5, Sigma: 0.5, Hidden: 16, Layers: 2}
	m, history, err := Fit(context.Background(), goBackend(), pot, r, f,
		Config{Epochs: 20, Batch: 100, Rate: 1e-2, RateDecay: 0.1})
	if err != nil {
		fmt.Println(err)
		return
	}
	u, err := m.Energy(context.Background(), []float64{2, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(history.Loss) > 0, u[0] < u[1])
	// Output: true true
}

// BenchmarkStep times a step of the published potential; GoMLX's Go backend
// changes to its fast matrix kernels at 2²² multiply-adds, batch 256 here.
func BenchmarkStep(b *testing.B) {
	r, f := doubleWell(12_800)
	for _, batch := range []int{128, 256, 512} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Fit(context.Background(), goBackend(), published, r, f,
					Config{Epochs: 1, Batch: batch, Rate: 1e-4, RateDecay: 1}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*len(r)/batch), "ms/step")
		})
	}
}
