package flow

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/ml/model"
)

// tiny is an untrained flow of two numbers.
func tiny(seed uint64) *Model {
	m := &Model{Network: MLP{Dims: 2, Hidden: 8, Layers: 1, TimeHidden: 4, TimeFeatures: 2}, Mean: []float64{0, 0},
		Std: 1, Store: model.NewStore(), backend: goBackend()}
	m.Network.Init(m.Store, rand.New(rand.NewPCG(seed, 1)))
	return m
}

// Several goroutines may use a model at once from its first evaluation on, with the numbers that one of them gets.
func TestShared(t *testing.T) {
	ctx := context.Background()
	use := func(m *Model, single bool) ([]float64, error) {
		acc := Accuracy{Single: single, Checks: 2, Batch: 4}
		s, err := m.Sample(ctx, 8, 1, acc, nil)
		if err != nil {
			return nil, err
		}
		logq, _, err := m.LogQ(ctx, s.R, acc, nil)
		return slices.Concat(s.LogQ, logq), err
	}
	var want [2][]float64
	for k := range want {
		var err error
		if want[k], err = use(tiny(1), k == 1); err != nil {
			t.Fatal(err)
		}
	}
	m := tiny(1)
	var wg sync.WaitGroup
	for k := range 6 {
		wg.Go(func() {
			if got, err := use(m, k%2 == 1); err != nil || !slices.Equal(got, want[k%2]) {
				t.Errorf("goroutine %d: got %v, %v, want %v", k, got, err, want[k%2])
			}
		})
	}
	wg.Wait()
}

// A model that was finalized says so, as often as it is asked.
func TestFinalize(t *testing.T) {
	m := tiny(1)
	if _, err := m.Sample(context.Background(), 4, 1, Accuracy{Single: true}, nil); err != nil {
		t.Fatal(err)
	}
	m.Finalize()
	m.Finalize()
	if _, err := m.Sample(context.Background(), 4, 1, Accuracy{}, nil); err == nil ||
		!strings.Contains(err.Error(), "finalized") {
		t.Errorf("a sample: got %v", err)
	}
	if _, err := m.Sum(); err == nil {
		t.Error("its sum: got no error")
	}
}

// Flows have one sum if they are the same flow.
func TestSum(t *testing.T) {
	sum := func(m *Model) string {
		t.Helper()
		s, err := m.Sum()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want, shifted := sum(tiny(1)), tiny(1)
	shifted.Mean[1] = 1e-9
	if got := sum(tiny(1)); got != want {
		t.Errorf("the same flow: got %s, want %s", got, want)
	}
	if sum(tiny(2)) == want || sum(shifted) == want {
		t.Error("flows with other parameters or another mean have the same sum")
	}
}

// A checkpoint of a training that began from a model is not taken up when the file has another model.
func TestStartChanged(t *testing.T) {
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(1, 1))
	frames := make([]float32, 200)
	for i := range frames {
		frames[i] = float32(rng.NormFloat64())
	}
	start := filepath.Join(dir, "start.npz")
	write := func(seed uint64) {
		arrays, err := train.ExportParams(tiny(seed).Store)
		if err == nil {
			err = train.WriteArrays(start, arrays)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fit := func() error {
		_, _, err := Fit(context.Background(), goBackend(), tiny(1).Network, frames,
			Config{Epochs: 1, Batch: 20, RateHigh: 1e-3, RateLow: 1e-3, Start: start,
				Checkpoint: filepath.Join(dir, "checkpoint.npz")})
		return err
	}
	write(1)
	for range 2 {
		if err := fit(); err != nil {
			t.Fatal(err)
		}
	}
	write(2)
	if err := fit(); err == nil || !strings.Contains(err.Error(), "other settings or data") {
		t.Errorf("another start: got %v", err)
	}
}
