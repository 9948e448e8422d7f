package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
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

func newStore() *model.Store {
	store := model.NewStore()
	AddDense(store, rand.New(rand.NewPCG(3, 4)), "dense", 3, 2)
	return store
}

// regression draws a batch of x ~ N(0, 1) and asks the layer to be x·w + b
// with w = data and b = 0.5.
func regression(store *model.Store, inputs []*graph.Node) *graph.Node {
	g := inputs[0].Graph()
	x := store.RandomNormal(g, shapes.Make(dtypes.Float32, 16, 3))
	got := graph.Add(graph.MatMul(x, Param(store, g, "dense/w")), graph.Reshape(Param(store, g, "dense/b"), 1, -1))
	want := graph.AddScalar(graph.MatMul(x, inputs[0]), 0.5)
	return graph.ReduceAllMean(graph.Square(graph.Sub(got, want)))
}

var target = []float32{1, -2, 3, 0.5, -1, 2}

func inputs() []*tensors.Tensor {
	return []*tensors.Tensor{tensors.FromFlatDataAndDimensions(target, 3, 2)}
}

func config(t *testing.T) Config {
	return Config{Steps: 400, Rate: Cosine(0.05, 0, 400), Seed: 5, Checkpoint: filepath.Join(t.TempDir(), "fit.npz"),
		Fingerprint: "test"}
}

func params(t *testing.T, store *model.Store) map[string][]float32 {
	p, err := getParams(store)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRunFindsTheOptimum(t *testing.T) {
	store := newStore()
	cfg := config(t)
	cfg.WeightDecay, cfg.ClipNorm, cfg.ClipValue = 0, 10, 1000
	cfg.Steps, cfg.Rate = 1500, Cosine(0.05, 0, 1500)
	history, err := Run(context.Background(), goBackend(), store, regression, inputs(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := params(t, store)
	for i, want := range target {
		if got := p["/net/dense/w"][i]; math.Abs(float64(got-want)) > 1e-3 {
			t.Errorf("w[%d]: got %g, want %g", i, got, want)
		}
	}
	if first, last := history.Loss[0], history.Loss[len(history.Loss)-1]; last > 1e-4*first {
		t.Errorf("the loss fell from %g to %g only", first, last)
	}
}

// TestAdamAgainstLoop holds three steps of AdamW with clipping to a plain loop
// (Kingma & Ba, arXiv 1412.6980, algorithm 1; Loshchilov & Hutter, arXiv 1711.05101).
func TestAdamAgainstLoop(t *testing.T) {
	const decay, clip, eps = 0.1, 0.7, 1e-8
	x := []float64{1, -2, 0.3}
	store := model.NewStore()
	AddParam(store, "x", []float32{1, -2, 0.3}, 3)
	loss := func(store *model.Store, inputs []*graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Square(Param(store, inputs[0], "x")))
	}
	rate := func(step int) float64 { return 0.1 / float64(step+1) }
	_, err := Run(context.Background(), goBackend(), store, loss, inputs(),
		Config{Steps: 3, StepsPerCall: 3, Rate: rate, WeightDecay: decay, ClipNorm: clip})
	if err != nil {
		t.Fatal(err)
	}
	m, v := make([]float64, 3), make([]float64, 3)
	for step := range 3 {
		var norm float64
		for _, x := range x {
			norm += 4 * x * x
		}
		scale := clip / math.Max(clip, math.Sqrt(norm))
		for i := range x {
			g := 2 * x[i] * scale
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			mHat := m[i] / (1 - math.Pow(0.9, float64(step+1)))
			vHat := v[i] / (1 - math.Pow(0.999, float64(step+1)))
			x[i] -= rate(step) * (mHat/(math.Sqrt(vHat)+eps) + decay*x[i])
		}
	}
	for i, got := range params(t, store)["/net/x"] {
		if math.Abs(float64(got)-x[i]) > 1e-5 {
			t.Errorf("x[%d]: got %g, want %g", i, got, x[i])
		}
	}
}

// TestResumeIsExact interrupts a loop several times, and wants the same bits
// as from an uninterrupted one.
func TestResumeIsExact(t *testing.T) {
	whole := newStore()
	cfg := config(t)
	cfg.Validation, cfg.ValidationInputs, cfg.ValidateEvery = validation, inputs(), 50
	wantHistory, err := Run(context.Background(), goBackend(), whole, regression, inputs(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := params(t, whole)

	cfg.Checkpoint = filepath.Join(t.TempDir(), "parts.npz")
	var store *model.Store
	var history *History
	for _, stop := range []int{70, 200, 330, 1000} {
		ctx, cancel := context.WithCancel(context.Background())
		cfg.Progress = func(done, _ int, _ string) {
			if done >= stop {
				cancel()
			}
		}
		store = newStore()
		history, err = Run(ctx, goBackend(), store, regression, inputs(), cfg)
		cancel()
		if stop < 400 && !errors.Is(err, context.Canceled) {
			t.Fatalf("stop at %d: got %v, want context.Canceled", stop, err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	got := params(t, store)
	for path := range want {
		if !slices.Equal(got[path], want[path]) {
			t.Errorf("%s differs after resuming:\ngot  %v\nwant %v", path, got[path], want[path])
		}
	}
	if fmt.Sprint(*history) != fmt.Sprint(*wantHistory) {
		t.Errorf("the history differs after resuming:\ngot  %v\nwant %v", *history, *wantHistory)
	}
	// A finished checkpoint returns at once, with the same parameters.
	store = newStore()
	cfg.Progress = nil
	if _, err := Run(context.Background(), nil, store, nil, nil, cfg); err != nil {
		t.Fatal(err)
	}
	if got := params(t, store)["/net/dense/w"]; !slices.Equal(got, want["/net/dense/w"]) {
		t.Errorf("a finished checkpoint gives other parameters: %v, want %v", got, want["/net/dense/w"])
	}
}

// validation is the distance of the weights from the target.
func validation(store *model.Store, inputs []*graph.Node) *graph.Node {
	return graph.ReduceAllSum(graph.Square(graph.Sub(Param(store, inputs[0], "dense/w"), inputs[0])))
}

func TestValidationKeepsTheBest(t *testing.T) {
	cfg := config(t)
	// The rate jumps late: the end is worse than the middle.
	cfg.Rate = func(step int) float64 {
		if step < 300 {
			return 0.05
		}
		return 3
	}
	cfg.Validation, cfg.ValidationInputs, cfg.ValidateEvery = validation, inputs(), 50
	store := newStore()
	history, err := Run(context.Background(), goBackend(), store, regression, inputs(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	least := slices.Min(history.Validation)
	if i := slices.Index(history.ValidationStep, history.BestStep); history.BestStep > 300 ||
		history.Validation[i] != least {
		t.Errorf("got the best of step %d, validation %v at steps %v", history.BestStep, history.Validation,
			history.ValidationStep)
	}
	var sum float64
	for i, w := range params(t, store)["/net/dense/w"] {
		sum += math.Pow(float64(w-target[i]), 2)
	}
	if math.Abs(sum-least) > 1e-5 {
		t.Errorf("the kept parameters have validation %g, want %g", sum, least)
	}
}

func TestNonFiniteLoss(t *testing.T) {
	loss := func(store *model.Store, inputs []*graph.Node) *graph.Node {
		x := Param(store, inputs[0], "dense/b")
		return graph.ReduceAllSum(graph.Log(graph.AddScalar(x, 0.35))) // falls below zero
	}
	cfg := config(t)
	cfg.Rate = Constant(0.1)
	_, err := Run(context.Background(), goBackend(), newStore(), loss, inputs(), cfg)
	if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "step ") {
		t.Errorf("got %v, want ErrNonFinite with its step", err)
	}
	if _, err := os.Stat(cfg.Checkpoint); err == nil {
		t.Error("a checkpoint was written after a non-finite loss")
	}
}

func TestCheckpointErrors(t *testing.T) {
	cfg := config(t)
	cfg.Steps, cfg.CheckpointEvery = 20, time.Nanosecond
	if _, err := Run(context.Background(), goBackend(), newStore(), regression, inputs(), cfg); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(cfg.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	run := func() error {
		_, err := Run(context.Background(), goBackend(), newStore(), regression, inputs(), cfg)
		return err
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 0x40
	for name, data := range map[string][]byte{"truncated": good[:len(good)/2], "empty": nil, "flipped byte": flipped} {
		if err := os.WriteFile(cfg.Checkpoint, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := run(); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%s: got %v, want an error that says what to do", name, err)
		}
	}
	if err := os.WriteFile(cfg.Checkpoint, good, 0o644); err != nil {
		t.Fatal(err)
	}
	same := cfg.Fingerprint
	for _, c := range []struct{ now, want string }{
		{"other", `("test", now "other")`},
		{"test " + strings.Repeat("0.25 ", 1000), `("test", now "test 0.25 0.25 0.25 0.25 0.2…")`},
	} {
		cfg.Fingerprint = c.now
		if err := run(); err == nil || !strings.Contains(err.Error(), "other settings or data "+c.want) {
			t.Errorf("another fingerprint: got %v, want %s", err, c.want)
		}
	}
	cfg.Fingerprint = same
}

func TestSchedules(t *testing.T) {
	cosine := Cosine(3e-4, 1e-5, 1000)
	exponential := Exponential(1e-3, 0.9, 1000)
	for _, test := range []struct {
		name      string
		got, want float64
	}{
		{"cosine, first", cosine(0), 3e-4},
		{"cosine, half", cosine(500), (3e-4 + 1e-5) / 2},
		{"cosine, last", cosine(1000), 1e-5},
		{"cosine, beyond", cosine(2000), 1e-5},
		{"exponential, first", exponential(0), 1e-3},
		{"exponential, last", exponential(1000), 9e-4},
		{"constant", Constant(2)(7), 2},
	} {
		if math.Abs(test.got-test.want) > 1e-15 {
			t.Errorf("%s: got %g, want %g", test.name, test.got, test.want)
		}
	}
}

func ExampleCosine() {
	rate := Cosine(1e-3, 1e-5, 100)
	fmt.Printf("%.2g %.2g %.2g\n", rate(0), rate(50), rate(100))
	// Output: 0.001 0.00051 1e-05
}

// TestAverage holds the moving average to the plain recursion over the
// parameters of every step, and a resumed one to an uninterrupted one.
func TestAverage(t *testing.T) {
	const steps, decay = 30, 0.9
	cfg := func(n int) Config {
		return Config{Steps: n, StepsPerCall: 1, Rate: Constant(0.05), Seed: 5}
	}
	weights := func(store *model.Store) []float32 {
		return tensors.MustCopyFlatData[float32](store.GetVariable("/net/dense/w").MustValue())
	}
	mean := append([]float32{}, weights(newStore())...)
	for n := 1; n <= steps; n++ {
		store := newStore()
		if _, err := Run(context.Background(), goBackend(), store, regression, inputs(), cfg(n)); err != nil {
			t.Fatal(err)
		}
		keep := float32(min(decay, float64(n)/float64(n+9)))
		for i, w := range weights(store) {
			mean[i] = w + keep*(mean[i]-w)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	averaged := cfg(steps)
	averaged.EMA, averaged.Checkpoint = decay, filepath.Join(t.TempDir(), "average.npz")
	averaged.Progress = func(done, _ int, _ string) {
		if done == steps/2 {
			cancel()
		}
	}
	if _, err := Run(ctx, goBackend(), newStore(), regression, inputs(), averaged); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	store := newStore()
	averaged.Progress = nil
	if _, err := Run(context.Background(), goBackend(), store, regression, inputs(), averaged); err != nil {
		t.Fatal(err)
	}
	for i, got := range weights(store) {
		if math.Abs(float64(got-mean[i])) > 1e-5 {
			t.Errorf("average %d: got %g, want %g", i, got, mean[i])
		}
	}
	// A finished one gives the average again.
	again := newStore()
	if _, err := Run(context.Background(), goBackend(), again, regression, inputs(), averaged); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(weights(again), weights(store)) {
		t.Error("a finished training gives other averages")
	}
}

// A cancellation is one even where its checkpoint cannot be written.
func TestCancelledWithoutCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	ctx, cancel := context.WithCancel(context.Background())
	cfg := Config{Steps: 100, StepsPerCall: 1, Rate: Cosine(1e-3, 1e-3, 100), Seed: 1, Checkpoint: path,
		Progress: func(int, int, string) {
			os.Mkdir(path, 0o755) // in the way
			cancel()
		}}
	store := model.NewStore()
	AddParam(store, "x", []float32{1})
	_, err := Run(ctx, goBackend(), store, func(store *model.Store, inputs []*graph.Node) *graph.Node {
		return graph.ReduceAllSum(graph.Square(Param(store, inputs[0], "x")))
	}, []*tensors.Tensor{tensors.FromScalar(float32(0))}, cfg)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want the cancellation and %s", err, path)
	}
}
