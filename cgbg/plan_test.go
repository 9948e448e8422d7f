package cgbg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
)

// planFile writes the file of a plan.
func planFile(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "plan.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A plan that cannot be meant is refused with its file and the key.
func TestReadPlanErrors(t *testing.T) {
	dir := t.TempDir()
	const frames = "[data]\nframes = 'a.arrow'\n"
	for _, c := range []struct{ text, want string }{
		{"", "[data]"},
		{frames + "trajectories = ['b.trr']", "one of them"},
		{"[data]\ntrajectories = ['b.trr']\nstructure = 'b.gro'", "needs temperature"},
		{frames + "temperature = 300", "mapped already"},
		{frames + "every = 2", "mapped already"},
		{frames + "[flow]\nepoch = 3", "flow.epoch"},
		{frames + "hill = 'HILLS'", "data.hill"},
		{"[data]\ntrajectories = ['b.trr']\nstructure = 'b.gro'\ntemperature = 300\nhills = 3", "data.hills: want"},
		{frames + "[sample]\nn = 'many'", "sample"},
		{"[data\n", "line 2"},
		{frames + "[flow]\nensemble = 2", "a key of [pmf]"},
		{frames + "[pmf]\nensemble = -1", "[pmf] ensemble = -1: a number of potentials, at least 1"},
		{frames + "[pmf]\nensemble = 2\nmodel = 'u.npz'", "one of them"},
		{frames + "[variables]\nturn = 'dihedral(a,b,c)'", "[variables]: observable: variable turn"},
		{frames + "[variables]\nturn = 3", "variables.turn"},
		{frames + "[variables]\n'a b' = 'rg'", `"a b"`},
		{frames + "[variables]\nsize = 'rg'\n[states]\nopen = 'gyration > 1'", `[states]: observable: state open: `},
		{frames + "[variables]\nsize = 'rg'\n[states]\nsize = 'size > 1'", `called "size"`},
		{frames + "[states]\nopen = 1", "states.open"},
		{frames + "[states]\nopen = 'phi > 0'\nopen_reference = 'phi > 1'", `[states]: analysis: the state "open" and`},
	} {
		path := planFile(t, dir, c.text)
		p, err := ReadPlan(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "plan.toml") {
			t.Errorf("%q: got %+v, %v, want %q", c.text, p, err, c.want)
		}
	}
	if _, err := ReadPlan(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// What is wrong with a value, or a file, is told with the plan's file and the table.
func TestPlanEarly(t *testing.T) {
	dir := t.TempDir()
	frames := toyFile(t, toy(), 240, nil)
	with := "[data]\nframes = '" + frames + "'\n"
	for _, c := range []struct{ text, want string }{
		{"[data]\nframes = 'none.arrow'", "[data] frames: "},
		{"[data]\ntrajectories = ['none.trr']\nstructure = '" + frames + "'\ntemperature = 300",
			"[data] trajectories: "},
		{with + "[reference]\nframes = 'none.arrow'", "[reference] frames: "},
		{with + "[pmf]\nframes = 'none.arrow'", "[pmf] frames: "},
		{with + "[flow]\nmodel = 'none.npz'", "[flow]: cgbg: the model: "},
		{with + "[pmf]\npreset = 'tiny'", `[pmf]: cgbg: no preset "tiny"`},
		{with + "[flow]\npreset = 'tiny'", `[flow]: cgbg: no preset "tiny"`},
		{with + "[pmf]\npotential = 'rbf'", `no potential of beads, with files, "rbf": choose one of mace, invariant`},
		{with + "[flow]\nfield = 'perceptron'", `"perceptron": choose one of spline, graph-transformer, equivariant`},
		{with, ""},
	} {
		p, err := ReadPlan(planFile(t, dir, c.text))
		if err == nil {
			err = p.early()
		}
		if (err == nil) != (c.want == "") ||
			err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "plan.toml: [")) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// Variables and states stay in the file's order, which decides what is scored; paths are relative to the file.
func TestReadPlan(t *testing.T) {
	dir := t.TempDir()
	p, err := ReadPlan(planFile(t, dir, `[data]
trajectories = ["x.trr", "/y.trr"]
structure = "x.gro"
map = "my.map"
temperature = 300
hills = "HILLS"
bias_variables = "t"
openmm_bias = "b.npy"
[variables]
zeta = "rg"
alpha = "distance(a,b)"
mid = "end-to-end"
[states]
wide = "zeta > 1"
near = "alpha < 1"
`))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range slices.Concat(p.Variables, p.States) {
		names = append(names, d.Name+"="+d.Text)
	}
	want := "zeta=rg alpha=distance(a,b) mid=end-to-end wide=zeta > 1 near=alpha < 1"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	if p.Out != at("plan") || p.Data.Structure != at("x.gro") || p.Data.Map != at("my.map") ||
		!slices.Equal(p.Data.Trajectories, []string{at("x.trr"), "/y.trr"}) {
		t.Errorf("got %+v", p)
	}
	if w := p.Data.Weights; fmt.Sprint(w) != fmt.Sprint(trajectory.Weights{{Kind: "hills", File: at("HILLS")},
		{Kind: "openmm-bias", File: at("b.npy")}}) || p.Data.BiasVariables != "t" {
		t.Errorf("weights: got %+v", p.Data)
	}
}

// Frames are those of an import of the files as they are: other frames in their place are imported anew.
func TestPlanImports(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	file := filepath.Join(dir, "x.trr")
	content, err := os.ReadFile("../data/gromacs/testdata/ala2.trr")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	p := &Plan{Out: dir, Data: DataPlan{Trajectories: []string{file}, Structure: "../data/gromacs/testdata/ala2.gro",
		Temperature: 300}}
	out := filepath.Join(dir, "frames.arrow")
	nothing := func() error { return nil }
	for _, c := range []struct {
		name   string
		change func() error
		again  bool
	}{
		{"first", nothing, true},
		{"again", nothing, false},
		{"other frames", func() error { return os.WriteFile(out, []byte("x"), 0o644) }, true},
		{"no frames", func() error { return os.Remove(out) }, true},
		{"every second", func() error { p.Data.Every = 2; return nil }, true},
		{"another trajectory", func() error { return os.WriteFile(file, content[:len(content)/2], 0o644) }, true},
		{"and again", nothing, false},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		frames, err := p.frames(ctx, &text)
		if err != nil || frames != out || strings.Contains(text.String(), "there already") == c.again ||
			strings.Contains(text.String(), "frames of 6 beads") != c.again {
			t.Errorf("%s: got %s, %q, %v, want an import: %v", c.name, frames, text.String(), err, c.again)
		}
		if _, _, err := data.ReadFile(out); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := p.frames(stopped, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// An ensemble of a plan is so many potentials that differ in their seeds; samples have the mean of their energies.
func TestPlanEnsemble(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	ctx, dir := context.Background(), t.TempDir()
	frames := toyFile(t, toy(), 240, nil)
	p, err := ReadPlan(planFile(t, dir, `[data]
frames = "`+frames+`"
[flow]
preset = "small"
epochs = 1
batch = 64
held_out = 20
[pmf]
preset = "small"
epochs = 1
batch = 64
ensemble = 2
[sample]
n = 120
checks = 4
[variables]
side = "distance(A,B)"
[states]
long = "side > 0.163"
`))
	if err != nil {
		t.Fatal(err)
	}
	run := func() string {
		t.Helper()
		var text strings.Builder
		e, err := p.Run(ctx, &text, nil)
		if err != nil {
			t.Fatalf("%v after %s", err, text.String())
		}
		if e.Samples.Len() != 120 || e.Reference.Len() != 240 || len(e.Samples.Populations) != 1 {
			t.Errorf("got %d samples, %d frames, populations %v", e.Samples.Len(), e.Reference.Len(),
				e.Samples.Populations)
		}
		return text.String()
	}
	if text := run(); strings.Contains(text, "there already") {
		t.Errorf("first: got %s", text)
	}
	samples, meta, err := data.ReadFile(filepath.Join(p.Out, "samples.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Open()
	if err != nil {
		t.Fatal(err)
	}
	var energies [2][]float64
	for k, file := range Members(filepath.Join(p.Out, "pmf.npz"), 2) {
		card, err := ReadCard(file)
		if err != nil || card.Seed != uint64(1+k) {
			t.Errorf("%s: got %+v, %v, want seed %d", file, card, err, 1+k)
		}
		u, err := ReadPMF(b, file, "samples", meta)
		if err != nil {
			t.Fatal(err)
		}
		defer u.Finalize()
		if energies[k], err = u.Energy(ctx, data.Widened(samples.R)); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(energies[0], energies[1]) {
		t.Error("both potentials are the same")
	}
	for i, got := range samples.U {
		want := (energies[0][i] + energies[1][i]) / 2
		if math.Abs(got-want) > 1e-5*(1+math.Abs(want)) { // energies are float32
			t.Errorf("sample %d: got %g, want %g", i, got, want)
		}
	}
	whole := filepath.Join(p.Out, "pmf.npz")
	if _, err := ReadCard(whole); !errors.Is(err, os.ErrNotExist) ||
		!strings.Contains(err.Error(), strings.Join(Members(whole, 2), ",")) {
		t.Errorf("an ensemble's own file: got %v", err)
	}
	flowFile := filepath.Join(p.Out, "flow.npz")
	flowCard, err := ReadCard(flowFile)
	if err != nil {
		t.Fatal(err)
	}
	one := Members(whole, 2)[0]
	if _, err := openPotentials(ctx, b, []string{one, one}, flowFile, flowCard); err == nil ||
		!strings.Contains(err.Error(), "count twice") {
		t.Errorf("one potential twice: got %v", err)
	}
	if text := run(); strings.Count(text, "there already") != 4 { // two potentials, flow, samples
		t.Errorf("again: got %s", text)
	}
}
