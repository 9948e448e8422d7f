package cgbg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
	"github.com/cgbg-go/lab/data/ala2/models"
)

// dihedralSet loads n frames of φ and ψ, a part of them at φ > 0.
func dihedralSet(n int, visits float64, seed uint64) Simulation {
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
		return f, data.Meta{Temperature: 300, Stride: 0.5, Beads: []string{"ALA2:phi,psi"}, Dim: 2, Source: "set"}, nil
	}
}

// A reference that was kept is that which is studied, and is studied anew for other frames or another seed.
func TestOpenReference(t *testing.T) {
	dir, calls := t.TempDir(), 0
	open := func(dir string, seed int, crossing, other Simulation) *Dataset {
		t.Helper()
		d, err := OpenReference(dir, "quick", seed, "reference", "MD", []Simulation{crossing}, []Simulation{other})
		if err != nil {
			t.Fatal(err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		calls = len(left)
		return d
	}
	a, b := dihedralSet(2000, 0.3, 1), dihedralSet(3000, 0, 2)
	first := open(dir, 1, a, b)
	for name, again := range map[string]*Dataset{"kept": open(dir, 1, a, b), "nowhere kept": open("", 1, a, b)} {
		if !reflect.DeepEqual(again, first) {
			t.Errorf("%s: got %+v and floor %+v, want %+v and %+v", name, again.Positive, again.Floor, first.Positive, first.Floor)
		}
	}
	if open(dir, 1, a, b); calls != 1 {
		t.Errorf("one reference: %d files", calls)
	}
	if other := open(dir, 1, dihedralSet(2000, 0.3, 3), b); calls != 2 || other.Positive == first.Positive || other.Floor == first.Floor {
		t.Errorf("other frames: got %+v with %d files, as before", other.Positive, calls)
	}
	if other := open(dir, 2, a, b); calls != 3 || other.Floor == first.Floor {
		t.Errorf("another seed: got %+v with %d files, as before", other.Floor, calls)
	}
}

// Frames in the run's folder are those of the ingredients, not those that were there.
func TestKeptFrames(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	in := Ingredients{Name: "x", Prefix: "x", FlowFrames: map[string]Simulation{Biased: dihedralSet(50, 0.3, 1)}, ForceFrames: map[string]Simulation{Biased: dihedralSet(50, 0.3, 2)}}
	g, err := NewGenerator("small", 1, t.TempDir(), true, in)
	if err != nil {
		t.Fatal(err)
	}
	read := func(what string) (*data.Frames, string) {
		t.Helper()
		path, err := g.frames(what, Biased)
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

// A cost is taken up for the frames, weights and settings that it was measured with.
func TestKeptCosts(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	ctx, dir := context.Background(), t.TempDir()
	weights := filepath.Join(dir, "weights.npz")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(weights, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a")
	open := func(change func(f *data.Frames)) *Costs {
		t.Helper()
		c, err := NewCosts("quick", 1, dir)
		if err != nil {
			t.Fatal(err)
		}
		f := &data.Frames{Beads: 2, Dim: 3, R: make([]float32, 600)}
		change(f)
		if err := c.Add(f, data.Meta{Mapping: "core-beta", Beads: []string{"a", "b"}}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	same := func(*data.Frames) {}
	const field = "none" // which cannot be measured
	c := open(same)
	sum, err := data.Checksum(ctx, weights)
	if err != nil {
		t.Fatal(err)
	}
	kept := &FlowCost{Mapping: "cb", Field: field, Weights: "kept"}
	if err := keep.Write(c.path(costFile(field, "cb")), c.fingerprint(c.Mappings[0])+" "+keep.Fingerprint(sum), kept); err != nil {
		t.Fatal(err)
	}
	got, err := c.Flow(ctx, "cb", field, weights, false, nil)
	if err != nil || got.Weights != "kept" {
		t.Fatalf("got %+v, %v, want what was kept", got, err)
	}
	if _, err := c.Flow(ctx, "cb", field, weights, true, nil); err == nil {
		t.Error("with a time that was not measured: got no error")
	}
	if _, err := open(func(f *data.Frames) { f.R[7] = 1 }).Flow(ctx, "cb", field, weights, false, nil); err == nil {
		t.Error("of other frames: got what was kept")
	}
	write("b")
	if _, err := c.Flow(ctx, "cb", field, weights, false, nil); err == nil {
		t.Error("with other weights: got what was kept")
	}
	write("a")
	c.Settings.Repeats++
	if _, err := c.Flow(ctx, "cb", field, weights, false, nil); err == nil {
		t.Error("with more repeats: got what was kept")
	}
}

// What the workflow found is taken up for its frames and settings; other frames of the same source have a folder of their own.
func TestKeptAlanine(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	frames = frames.Slice(0, 300)
	dir := t.TempDir()
	open := func() *Alanine {
		t.Helper()
		a, err := NewAlanine("small", 1, dir, frames, meta)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	want := []LogQError{{Name: "kept"}}
	if err := keep.Write(a.path("logq-errors.json"), a.fingerprint("errors", referenceTol, pathTol), want); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop() // nothing is found any more
	if got, err := open().LogQErrors(stopped, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	a.Settings.Checks++
	if got, err := a.LogQErrors(stopped, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with other settings: got %+v, %v", got, err)
	}
	changed := *frames
	changed.R = append([]float32(nil), frames.R...)
	changed.R[5] += 1e-3
	other, err := NewAlanine("small", 1, dir, &changed, meta)
	if err != nil {
		t.Fatal(err)
	}
	if other.dir == open().dir {
		t.Errorf("other frames share the folder %s", other.dir)
	}
}

// tinyModels trains two flows and a potential of three beads for a moment: flow1.npz, flow2.npz and pmf.npz, with their cards, in a folder.
func tinyModels(t *testing.T, b *backend.Backend) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx, rng := context.Background(), rand.New(rand.NewPCG(1, 1))
	r, f := make([]float32, 40*9), make([]float32, 40*9)
	for i := range r {
		r[i], f[i] = float32(i%9)/9+0.02*float32(rng.NormFloat64()), float32(rng.NormFloat64())
	}
	meta := data.Meta{System: "three beads", Beads: []string{"A", "B", "C"}, Dim: 3, Temperature: 300, Species: []int32{6, 6, 6}}
	export := func(name, kind string, err error, export func(path string) error) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err == nil {
			err = export(path)
		}
		if err == nil {
			err = newCard(kind, "small", 1, meta, b).write(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	field, err := flow.NewEquivariant(r, 3)
	if err != nil {
		t.Fatal(err)
	}
	field.Hidden = 8
	for k := range 2 {
		m, _, err := flow.Fit(ctx, b.Backend, field, r, flow.Config{Epochs: 1, Batch: 20, RateHigh: 1e-3, Seed: uint64(k), Beads: 3})
		export(fmt.Sprintf("flow%d.npz", k+1), "flow", err, func(path string) error { return m.Export(path) })
	}
	potential, err := pmf.NewInvariant(r, 3, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	potential.Hidden = 8
	u, _, err := pmf.Fit(ctx, b.Backend, potential, r, f, pmf.Config{Epochs: 1, Batch: 20, Rate: 1e-3, RateDecay: 1})
	export("pmf.npz", "pmf", err, func(path string) error { return pmf.Export(path, u) })
	return dir
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
	}{{"first", DrawOptions{N: 4, Seed: 1}, true}, {"again", DrawOptions{N: 4, Seed: 1}, false}, {"in parts as by default", DrawOptions{N: 4, Seed: 1, Part: 1000}, false},
		{"in other parts", DrawOptions{N: 4, Seed: 1, Part: 2}, true}, {"another seed", DrawOptions{N: 4, Seed: 2, Part: 2}, true}} {
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
		_, err := Reweigh(ctx, b, path("samples.arrow"), path("flow2.npz"), path("pmf.npz"), path("weighed.arrow"))
		return err
	}
	if err := reweigh(ctx); err == nil || !strings.Contains(err.Error(), "SHA-256") || strings.Contains(err.Error(), "nil") {
		t.Errorf("samples of another flow: got %v", err)
	}
	if err := reweigh(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("samples of another flow, cancelled: got %v", err)
	}
	for text, want := range map[string]string{`{"fingerprint": "other"}`: "something else", "{": "unexpected end"} {
		if err := os.WriteFile(path("curve.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := LearningCurve(ctx, b, "flow", path("samples.arrow"), path("curve.json"), CurveOptions{Train: TrainOptions{Preset: "small"}, Steps: []int{1}, PMF: path("pmf.npz")})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "curve.json") || strings.Contains(err.Error(), "nil") {
			t.Errorf("a curve over %q: got %v, want %q", text, err, want)
		}
	}
}

// Samples of more frames are not those that were weighed of fewer.
func TestWeighedAgain(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	g, err := NewGenerator("small", 1, t.TempDir(), false, Ingredients{Name: "obc2/cb", Prefix: "obc2_cb", Models: models.FS()})
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
		"parts": func(o *SampleOptions) { o.Part = 6 }, "seed": func(o *SampleOptions) { o.Seed = 2 }, "models": func(o *SampleOptions) { o.Fingerprint = "b" },
		"kT": func(o *SampleOptions) { o.KT = 2 }, "tolerance": func(o *SampleOptions) { o.Accuracy.LogQTol = 1e-4 },
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
