package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// mixture draws from ½N(−8, 1) + ½N(2, 0.5²), units of its own.
func mixture(n int) []float32 {
	rng := rand.New(rand.NewPCG(9, 9))
	out := make([]float32, n)
	for i := range out {
		if rng.IntN(2) == 0 {
			out[i] = float32(-8 + rng.NormFloat64())
		} else {
			out[i] = float32(2 + 0.5*rng.NormFloat64())
		}
	}
	return out
}

func quickConfig() Config {
	return Config{Epochs: 12, Batch: 256, RateHigh: 5e-3, RateLow: 1e-5, Seed: 1}
}

// TestFitMixture trains on a mixture: q is normalised, and near the truth.
func TestFitMixture(t *testing.T) {
	ctx := context.Background()
	field := MLP{Dims: 1, Hidden: 48, Layers: 2, TimeHidden: 16, TimeFeatures: 3}
	m, history, err := Fit(ctx, goBackend(), field, mixture(20_000), quickConfig())
	if err != nil {
		t.Fatal(err)
	}
	if first, last := history.Loss[0], history.Loss[len(history.Loss)-1]; last >= first {
		t.Errorf("the loss went from %g to %g", first, last)
	}
	const n, lo, hi = 2001, -40., 40.
	grid := make([]float64, n)
	for i := range grid {
		grid[i] = lo + (hi-lo)*float64(i)/(n-1)
	}
	logq, err := m.LogDensity(ctx, grid, Accuracy{})
	if err != nil {
		t.Fatal(err)
	}
	var integral, kl float64
	for i, x := range grid {
		normal := func(mean, std float64) float64 {
			return math.Exp(-0.5*math.Pow((x-mean)/std, 2)) / (std * math.Sqrt(2*math.Pi))
		}
		p := 0.5*normal(-8, 1) + 0.5*normal(2, 0.5)
		h := (hi - lo) / (n - 1)
		integral += math.Exp(logq[i]) * h
		if p > 1e-12 {
			kl += p * (math.Log(p) - logq[i]) * h
		}
	}
	if math.Abs(integral-1) > 1e-3 {
		t.Errorf("∫q = %g, want 1", integral)
	}
	if kl > 0.1 {
		t.Errorf("KL(p‖q) = %g nats after a short training, want below 0.1", kl)
	}
	s, err := m.Sample(ctx, 500, 1, Accuracy{Checks: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := s.LogQErrorMax(); e > 0.01 {
		t.Errorf("log q is off by up to %g nat, want 0.01", e)
	}
	back, _, err := m.LogQ(ctx, s.R, Accuracy{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range back {
		if math.Abs(back[i]-s.LogQ[i]) > 0.01 {
			t.Errorf("sample %d: log q %g forward, %g backward", i, s.LogQ[i], back[i])
		}
	}
	again, err := m.Sample(ctx, 500, 1, Accuracy{Checks: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.R, s.R) || !slices.Equal(again.LogQ, s.LogQ) {
		t.Error("the same seed gives other samples")
	}
}

// TestMoveRigidly checks the laws of the augmentation: distances stay, the
// handedness stays, the centre has variance 1/beads, directions are uniform.
func TestMoveRigidly(t *testing.T) {
	const batch, beads = 4000, 5
	x := make([]float64, batch*beads*3)
	body := []float64{1, 0, 0, 0, 1, 0, 0, 0, 2, -1, -1, 0, 0, 0, -2} // centred
	for i := range x {
		x[i] = body[i%len(body)]
	}
	store := model.NewStore()
	if err := store.SetRNGStateFromSeed(3); err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(goBackend(), store,
		func(_ *model.Scope, x *graph.Node) *graph.Node { return moveRigidly(store, x, beads) })
	if err != nil {
		t.Fatal(err)
	}
	y := tensors.MustCopyFlatData[float64](exec.MustCall1(tensors.FromFlatDataAndDimensions(x, batch, beads*3)))
	var centre2, direction, direction2 [3]float64
	for b := range batch {
		frame := y[b*beads*3 : (b+1)*beads*3]
		var c [3]float64
		for i, v := range frame {
			c[i%3] += v / beads
		}
		var e [3][3]float64 // images of the axes
		for bead := range 3 {
			for k := range 3 {
				e[bead][k] = frame[3*bead+k] - c[k]
			}
		}
		for k := range 3 {
			e[2][k] /= 2
			centre2[k] += c[k] * c[k] / batch
			direction[k] += e[0][k] / batch
			direction2[k] += e[0][k] * e[0][k] / batch
		}
		det := e[0][0]*(e[1][1]*e[2][2]-e[1][2]*e[2][1]) - e[0][1]*(e[1][0]*e[2][2]-e[1][2]*e[2][0]) +
			e[0][2]*(e[1][0]*e[2][1]-e[1][1]*e[2][0])
		dot := e[0][0]*e[1][0] + e[0][1]*e[1][1] + e[0][2]*e[1][2]
		if math.Abs(det-1) > 1e-12 || math.Abs(dot) > 1e-12 {
			t.Fatalf("frame %d: no proper rotation: determinant %g, scalar product %g", b, det, dot)
		}
	}
	n := float64(batch)
	for k := range 3 {
		if math.Abs(centre2[k]-1./beads) > 5*math.Sqrt(2/n)/beads {
			t.Errorf("axis %d: variance of the centre %g, want %g", k, centre2[k], 1./beads)
		}
		// A uniform direction has mean 0 (variance 1/3) and second moment 1/3 (variance 4/45).
		if math.Abs(direction[k]) > 5*math.Sqrt(1/(3*n)) || math.Abs(direction2[k]-1./3) > 5*math.Sqrt(4/(45*n)) {
			t.Errorf("axis %d: direction has moments %g and %g, want 0 and 1/3", k, direction[k], direction2[k])
		}
	}
}

// TestCOMLogDensity integrates the density of the centre over a grid.
func TestCOMLogDensity(t *testing.T) {
	const beads, h = 6, 0.1
	var sum float64
	for x := -2.5; x < 2.5; x += h {
		for y := -2.5; y < 2.5; y += h {
			for z := -2.5; z < 2.5; z += h {
				frame := make([]float64, 3*beads)
				for b := range beads {
					frame[3*b], frame[3*b+1], frame[3*b+2] = x, y, z
				}
				sum += math.Exp(comLogDensity(frame, beads)) * h * h * h
			}
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the density of the centre integrates to %g, want 1", sum)
	}
}

func TestFitResumes(t *testing.T) {
	field := MLP{Dims: 1, Hidden: 16, Layers: 2, TimeHidden: 8, TimeFeatures: 3}
	data := mixture(2000)
	cfg := quickConfig()
	want, _, err := Fit(context.Background(), goBackend(), field, data, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Checkpoint = filepath.Join(t.TempDir(), "flow.npz")
	cfg.CheckpointEvery = time.Nanosecond
	ctx, cancel := context.WithCancel(context.Background())
	cfg.Progress = func(done, _ int, _ string) {
		if done >= 40 {
			cancel()
		}
	}
	if _, _, err := Fit(ctx, goBackend(), field, data, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	cfg.Progress = nil
	got, _, err := Fit(context.Background(), goBackend(), field, data, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a := tensors.MustCopyFlatData[float32](want.Store.GetVariable("/net/dense/1/w").MustValue())
	b := tensors.MustCopyFlatData[float32](got.Store.GetVariable("/net/dense/1/w").MustValue())
	if !slices.Equal(a, b) {
		t.Error("the resumed training ends with other parameters")
	}
	cfg.Seed++
	if _, _, err := Fit(context.Background(), goBackend(), field, data, cfg); err == nil {
		t.Error("a checkpoint of another seed is accepted")
	}
}

func TestFitErrors(t *testing.T) {
	ctx := context.Background()
	field := MLP{Dims: 3, Hidden: 4, Layers: 1, TimeHidden: 2, TimeFeatures: 1}
	cfg := quickConfig()
	for name, frames := range map[string][]float32{
		"no frames":  nil,
		"cut frame":  {1, 2, 3, 4},
		"NaN":        {1, 2, float32(math.NaN())},
		"all equal":  {1, 1, 1, 1, 1, 1},
		"infinities": {1, 2, float32(math.Inf(1))},
	} {
		if _, _, err := Fit(ctx, goBackend(), field, frames, cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	cfg.Beads = 2
	if _, _, err := Fit(ctx, goBackend(), field, []float32{1, 2, 3}, cfg); err == nil {
		t.Error("2 beads with 3 coordinates: no error")
	}
}

func ExampleModel_Sample() {
	ctx := context.Background()
	m, _, err := Fit(ctx, goBackend(), MLP{Dims: 1, Hidden: 16, Layers: 2, TimeHidden: 8, TimeFeatures: 3},
		mixture(2000), Config{Epochs: 3, Batch: 256, RateHigh: 5e-3, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := m.Sample(ctx, 100, 1, Accuracy{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(s.R), len(s.LogQ), s.LogQErrorMax() < 0.01)
	// Output: 100 100 true
}

// TestLateTimes: with flow times drawn near the data, a short training gives the
// thin direction of a law like that of a stiff bond a higher likelihood.
func TestLateTimes(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(5, 1))
	thin := func(n int) []float32 {
		out := make([]float32, 0, 2*n)
		for range n {
			x := rng.NormFloat64()
			out = append(out, float32(x), float32(0.3*x*x+0.005*rng.NormFloat64()))
		}
		return out
	}
	frames, held := thin(20_000), thin(500)
	nll := map[float64]float64{}
	for _, late := range []float64{0, 2} {
		cfg := quickConfig()
		cfg.Late = late
		m, _, err := Fit(ctx, goBackend(), MLP{Dims: 2, Hidden: 32, Layers: 2, TimeHidden: 16, TimeFeatures: 3}, frames,
			cfg)
		if err != nil {
			t.Fatal(err)
		}
		l, err := m.NegLogLikelihood(ctx, held, 500, 1, Accuracy{PathTol: 1e-5, LogQTol: 1e-2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		nll[late] = l.Mean
	}
	t.Logf("−ln q: %.2f with uniform times, %.2f with late ones", nll[0], nll[2])
	if nll[2] > nll[0]-0.1 {
		t.Errorf("−ln q = %.2f with late times, %.2f with uniform ones: no gain", nll[2], nll[0])
	}
}
