package cgbg

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/data"
)

// normalFlow is a flow trained for a moment on a normal law of width 2, whose
// potential is known: energy.
func normalFlow(t *testing.T) (m *flow.Model, energy func(context.Context, []float64) ([]float64, error)) {
	b, err := backend.OpenNamed("go")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	frames := make([]float32, 2000)
	for i := range frames {
		frames[i] = float32(2 * rng.NormFloat64())
	}
	field := flow.MLP{Dims: 1, Hidden: 16, Layers: 2, TimeHidden: 8, TimeFeatures: 3}
	m, _, err = flow.Fit(context.Background(), b.Backend, field, frames,
		flow.Config{Epochs: 10, Batch: 256, RateHigh: 5e-3, RateLow: 1e-4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m, func(_ context.Context, r []float64) ([]float64, error) {
		u := make([]float64, len(r))
		for i, v := range r {
			u[i] = v * v / 8
		}
		return u, nil
	}
}

// A run that is stopped between parts goes on with the same numbers, parts of
// other models are not taken up, and none is left in the end.
func TestSampleFileResumes(t *testing.T) {
	m, energy := normalFlow(t)
	options := SampleOptions{N: 250, Part: 100, Seed: 3, Accuracy: flow.Accuracy{Checks: 10}, Energy: energy, KT: 1,
		Fingerprint: "a"}
	t.Run("adaptive", func(t *testing.T) { testResumes(t, m, options) })
	options.N, options.Part = 550, 200
	options.Accuracy.Single, options.Accuracy.LogQTol = true, 0.01
	t.Run("scheduled", func(t *testing.T) { testResumes(t, m, options) })
}

func testResumes(t *testing.T, m *flow.Model, options SampleOptions) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.arrow")
	if err := sampleFile(context.Background(), whole, m, options); err != nil {
		t.Fatal(err)
	}
	want, meta, err := data.ReadFile(whole)
	if err != nil || want.Len() != options.N {
		t.Fatalf("got %d samples, %v", want.Len(), err)
	}
	path := filepath.Join(dir, "samples.arrow")
	other := options
	other.Fingerprint, other.N = "b", options.Part
	for _, o := range []SampleOptions{other, options} {
		ctx, cancel := context.WithCancel(context.Background())
		o.Progress = func(done, _ int, _ string) {
			if done >= 2*options.Part || o.N == options.Part {
				cancel()
			}
		}
		if err := sampleFile(ctx, path, m, o); !errors.Is(err, context.Canceled) && o.N > options.Part {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	}
	if err := sampleFile(context.Background(), path, m, options); err != nil {
		t.Fatal(err)
	}
	got, gotMeta, err := data.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.R, want.R) || !slices.Equal(got.LogQ, want.LogQ) || !slices.Equal(got.LogW, want.LogW) ||
		gotMeta.Extra[keyLogQErr] != meta.Extra[keyLogQErr] {
		t.Error("the resumed samples differ")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "samples.arrow?*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	// Parts differ from each other.
	if slices.Equal(got.R[:options.Part], got.R[options.Part:2*options.Part]) {
		t.Error("two parts are the same")
	}
}

// Drawing until N effective samples stops when there are as many, and not before.
func TestSampleFileUntilESS(t *testing.T) {
	m, energy := normalFlow(t)
	path := filepath.Join(t.TempDir(), "samples.arrow")
	options := SampleOptions{N: 5000, Part: 50, UntilESS: 300, Seed: 1, Accuracy: flow.Accuracy{Checks: -1},
		Energy: energy, KT: 1}
	if err := sampleFile(context.Background(), path, m, options); err != nil {
		t.Fatal(err)
	}
	f, _, err := data.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	effective := func(logw []float64) float64 {
		var a, b float64
		for _, l := range logw {
			a, b = a+math.Exp(l), b+math.Exp(2*l)
		}
		return a * a / b
	}
	if n := f.Len(); effective(f.LogW) < 300 || effective(f.LogW[:n-50]) >= 300 {
		t.Errorf("%d samples are worth %g, one part fewer %g", n, effective(f.LogW), effective(f.LogW[:n-50]))
	}
	for _, bad := range []SampleOptions{{}, {N: 10, UntilESS: 5}, {N: 10, UntilESS: 50, Energy: energy},
		{N: 10, Part: -1},
		{N: 10, Energy: energy}} {
		if err := sampleFile(context.Background(), path, m, bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
