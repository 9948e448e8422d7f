package cgbg

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/models"
)

// dihedralSet loads n frames of φ and ψ, a part of them at φ > 0.
func dihedralSet(n int, visits float64, seed uint64) analysis.Source {
	return func() (*data.Frames, data.Meta, error) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := &data.Frames{Beads: 1, Dim: 2}
		for range n {
			phi := -1.5 + 0.3*rng.NormFloat64()
			if rng.Float64() < visits {
				phi = 1 + 0.2*rng.NormFloat64()
			}
			f.R = append(f.R, float32(phi), float32(0.4*rng.NormFloat64()))
		}
		return f, data.Meta{Temperature: 300, Stride: 0.5, Beads: []string{"ALA2:phi,psi"}, Dim: 2}, nil
	}
}

// Frames in the run's folder are those of the options, not those that were there.
func TestKeptFrames(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	in := Options{Preset: "small", Seed: 1, Dir: t.TempDir(), Train: true, Name: "x", Prefix: "x",
		FlowFrames:  map[string]analysis.Source{Biased: dihedralSet(50, 0.3, 1)},
		ForceFrames: map[string]analysis.Source{Biased: dihedralSet(50, 0.3, 2)}}
	g, err := Open(in)
	if err != nil {
		t.Fatal(err)
	}
	read := func(what string) (*data.Frames, string) {
		t.Helper()
		path, err := g.Frames(what, Biased)
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := data.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return f, path
	}
	first, path := read("flow")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	read("flow")
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the same frames were written twice (%v)", err)
	}
	if forces, _ := read("pmf"); reflect.DeepEqual(forces.R, first.R) {
		t.Error("forces are of the flow's frames")
	}
	g.FlowFrames[Biased] = dihedralSet(50, 0.3, 3)
	want, _, err := g.FlowFrames[Biased]()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := read("flow"); !reflect.DeepEqual(got.R, want.R) {
		t.Error("other frames: got those that were there")
	}
}

// Samples that are there are left as they are for the same flow, card, number, seed and parts alone.
func TestDrawAgain(t *testing.T) {
	b, err := backend.OpenNamed("go")
	if err != nil {
		t.Fatal(err)
	}
	ctx, dir := context.Background(), tinyModels(t, b)
	file, out := filepath.Join(dir, "flow1.npz"), filepath.Join(dir, "samples.arrow")
	draw := func(o DrawOptions) *Drawn {
		t.Helper()
		d, err := Draw(ctx, b, file, out, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name  string
		o     DrawOptions
		fresh bool
	}{
		{"first", DrawOptions{N: 4, Seed: 1}, true},
		{"again", DrawOptions{N: 4, Seed: 1}, false},
		{"in parts as by default", DrawOptions{N: 4, Seed: 1, Part: 1000}, false},
		{"in other parts", DrawOptions{N: 4, Seed: 1, Part: 2}, true},
		{"another seed", DrawOptions{N: 4, Seed: 2, Part: 2}, true},
	} {
		if d := draw(c.o); d.Fresh != c.fresh || d.N != c.o.N {
			t.Errorf("%s: got %+v, want fresh %v", c.name, d, c.fresh)
		}
	}
	card, err := ReadCard(file)
	if err != nil {
		t.Fatal(err)
	}
	card.Temperature = 310
	if err := card.write(file); err != nil {
		t.Fatal(err)
	}
	if d := draw(DrawOptions{N: 4, Seed: 2, Part: 2}); !d.Fresh {
		t.Error("with another card: got the samples that were there")
	}
	if _, meta, err := data.ReadFile(out); err != nil || meta.Temperature != 310 {
		t.Errorf("with another card: got samples at %g K, %v, want 310 K", meta.Temperature, err)
	}
}

// Several potentials weigh by the mean of their energies, and it is told how far they are apart.
func TestReweighByMean(t *testing.T) {
	b, err := backend.OpenNamed("go")
	if err != nil {
		t.Fatal(err)
	}
	ctx, dir := context.Background(), tinyModels(t, b)
	path := func(name string) string { return filepath.Join(dir, name) }
	if _, err := Draw(ctx, b, path("flow1.npz"), path("s.arrow"), DrawOptions{N: 30, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	weighed := func(pmfs ...string) (*data.Frames, *Weighed) {
		t.Helper()
		w, err := Reweigh(ctx, b, path("s.arrow"), path("flow1.npz"), pmfs, path("w.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := data.ReadFile(path("w.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		return f, w
	}
	one, w := weighed(path("pmf1.npz"))
	if w.Disagreement != nil {
		t.Errorf("of one potential: got %+v", w.Disagreement)
	}
	other, _ := weighed(path("pmf2.npz"))
	both, w := weighed(path("pmf1.npz"), path("pmf2.npz"))
	for i, got := range both.U {
		if want := (one.U[i] + other.U[i]) / 2; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
			t.Errorf("sample %d: got an energy of %g, want %g", i, got, want)
		}
		want := (one.LogW[i] + other.LogW[i]) / 2
		if d := both.LogW[i] - want; math.Abs(d-(both.LogW[0]-(one.LogW[0]+other.LogW[0])/2)) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("sample %d: got a weight of %g, want %g", i, both.LogW[i], want)
		}
	}
	if one.U[0] == other.U[0] || w.Disagreement == nil || w.Disagreement.Members != 2 || !(w.Disagreement.Spread > 0) {
		t.Errorf("got %+v", w.Disagreement)
	}
	if _, err := Reweigh(ctx, b, path("s.arrow"), path("flow1.npz"), []string{path("pmf1.npz"), path("pmf1.npz")},
		path("w.arrow")); err == nil {
		t.Error("the same potential counts twice")
	}
}

// Errors say what is wrong, never <nil>, and a cancellation stays one.
func TestErrorsSayWhy(t *testing.T) {
	b, err := backend.OpenNamed("go")
	if err != nil {
		t.Fatal(err)
	}
	ctx, dir := context.Background(), tinyModels(t, b)
	stopped, stop := context.WithCancel(ctx)
	stop()
	path := func(name string) string { return filepath.Join(dir, name) }
	if _, err := Draw(ctx, b, path("flow1.npz"), path("samples.arrow"), DrawOptions{N: 2, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	reweigh := func(ctx context.Context) error {
		_, err := Reweigh(ctx, b, path("samples.arrow"), path("flow2.npz"), []string{path("pmf1.npz")},
			path("out.arrow"))
		return err
	}
	if err := reweigh(ctx); err == nil || !strings.Contains(err.Error(), "SHA-256") ||
		strings.Contains(err.Error(), "nil") {
		t.Errorf("samples of another flow: got %v", err)
	}
	if err := reweigh(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("samples of another flow, cancelled: got %v", err)
	}
}

// Samples of more frames are not those that were weighed of fewer.
func TestWeighedAgain(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	g, err := Open(Options{Preset: "small", Seed: 1, Dir: t.TempDir(), Name: "obc2/cb", Prefix: "obc2_cb",
		Models: models.FS()})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4, 8, 4} {
		g.Settings.Samples = n
		if f, _, err := g.Samples(context.Background(), Biased, Biased, nil); err != nil || f.Len() != n {
			t.Errorf("got %d samples, %v, want %d", f.Len(), err, n)
		}
	}
}

// Parts of samples are taken up for the same seed, size, accuracy, schedule and kT alone.
func TestPartPrint(t *testing.T) {
	o := SampleOptions{N: 10, Part: 5, Seed: 1, Fingerprint: "a", KT: 1}
	seen := map[string]string{o.partPrint(0, 5): "the first"}
	add := func(name string, o SampleOptions, k, size int) {
		print := o.partPrint(k, size)
		if before, there := seen[print]; there {
			t.Errorf("%s and %s have one fingerprint", name, before)
		}
		seen[print] = name
	}
	add("the next part", o, 1, 5)
	add("a smaller part", o, 0, 4)
	for name, change := range map[string]func(o *SampleOptions){
		"parts":            func(o *SampleOptions) { o.Part = 6 },
		"seed":             func(o *SampleOptions) { o.Seed = 2 },
		"models":           func(o *SampleOptions) { o.Fingerprint = "b" },
		"kT":               func(o *SampleOptions) { o.KT = 2 },
		"tolerance":        func(o *SampleOptions) { o.Accuracy.LogQTol = 1e-4 },
		"a schedule":       func(o *SampleOptions) { o.Accuracy.Schedule = &flow.Schedule{Mesh: []float64{0, 1}} },
		"another schedule": func(o *SampleOptions) { o.Accuracy.Schedule = &flow.Schedule{Mesh: []float64{0, 0.5, 1}} },
	} {
		other := o
		change(&other)
		add(name, other, 0, 5)
	}
	same := o
	same.Accuracy.Schedule = &flow.Schedule{Mesh: []float64{0, 1}}
	if seen[same.partPrint(0, 5)] != "a schedule" {
		t.Error("two schedules of the same steps have two fingerprints")
	}
}
