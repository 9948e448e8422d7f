package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// From a trajectory to free energies with one file; what is done is not done again.
func TestRun(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	dir := t.TempDir()
	abs := func(path string) string {
		p, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	file := filepath.Join(dir, "ala2.toml")
	write := func(n string) {
		text := `
[data]
trajectories = ["` + abs(trr) + `"]
structure = "` + abs(gro) + `"
awh = "` + abs(xvg) + `"
temperature = 300
[flow]
preset = "small"
frames = "` + abs("../../../data/ala2/core_beta_awh_gamma9.arrow") + `"
epochs = 1
held_out = 20
[pmf]
preset = "small"
frames = "` + abs("../../../data/ala2/core_beta_awh_gamma9.arrow") + `"
batch = 512
[sample]
n = ` + n + `
checks = 4
[reference]
frames = "` + abs("../../../data/ala2/explicit/unbiased_dihedrals.arrow") + `"
`
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("300")
	text, err := call(t, "run", file)
	if err != nil || strings.Contains(text, "there already") || !strings.Contains(text, "Pareto") && !strings.Contains(text, "ala2/ess ") {
		t.Fatalf("got %q, %v", text, err)
	}
	for _, name := range []string{"frames.arrow", "flow.npz", "flow.npz.json", "pmf.npz", "samples.arrow", "profiles.svg", "maps.png", "weights.png", "report.json"} {
		if _, err := os.Stat(filepath.Join(dir, "ala2", name)); err != nil {
			t.Error(err)
		}
	}
	var results []struct {
		Name  string
		Value *float64
	}
	raw, err := os.ReadFile(filepath.Join(dir, "ala2", "results.json"))
	if err == nil {
		err = json.Unmarshal(raw, &results)
	}
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, r := range results {
		switch r.Name {
		case "ala2/js", "ala2/pmf_error":
			if r.Value == nil {
				t.Errorf("%s: no value", r.Name)
			}
			found++
		case "ala2/ess", "ala2/khat", "ala2/ess_clipped":
			found++
		}
	}
	if found != 5 {
		t.Errorf("results: %s", raw)
	}
	if text, err = call(t, "run", file); err != nil || strings.Count(text, "there already") != 4 {
		t.Errorf("again: got %q, %v", text, err)
	}
	write("310")
	if text, err = call(t, "run", file); err != nil || strings.Count(text, "there already") != 3 {
		t.Errorf("more samples: got %q, %v", text, err)
	}
}

// Frames are those of an import of the files as they are: other frames in their place are imported anew.
func TestRunImportsAnew(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	p := &plan{Out: dir}
	p.Data.Trajectories, p.Data.Structure, p.Data.AWH = []string{trr}, gro, xvg
	for _, c := range []struct {
		name   string
		change func(out string) error
		again  bool
	}{{"first", func(string) error { return nil }, true}, {"again", func(string) error { return nil }, false},
		{"other frames", func(out string) error { return os.WriteFile(out, []byte("x"), 0o644) }, true}, {"no frames", os.Remove, true},
		{"every second", func(string) error { p.Data.Every = 2; return nil }, true}} {
		out := filepath.Join(dir, "frames.arrow")
		if err := c.change(out); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if _, err := p.frames(ctx, &text); err != nil || strings.Contains(text.String(), "there already") == c.again {
			t.Errorf("%s: got %q, %v, want an import: %v", c.name, text.String(), err, c.again)
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

func TestRunErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ text, want string }{
		{"", "[data]"},
		{"[data]\nframes = 'a.arrow'\ntrajectories = ['b.trr']", "one of them"},
		{"[data]\ntrajectories = ['b.trr']\nstructure = 'b.gro'", "needs temperature"},
		{"[data]\nframes = 'a.arrow'\ntemperature = 300", "mapped already"},
		{"[data]\nframes = 'a.arrow'\n[flow]\nepoch = 3", "flow.epoch"},
		{"[data]\nframes = 'a.arrow'\n[sample]\nn = 'many'", "sample"},
		{"[data\n", "line 2"},
	} {
		file := filepath.Join(dir, "x.toml")
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if text, err := call(t, "run", file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.text, text, err, c.want)
		}
	}
	for _, args := range [][]string{{"run"}, {"report", "x.arrow"}} {
		if _, err := call(t, args...); exitCode(err) != 2 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// The file that comes with the data names files that are there.
func TestShippedPlan(t *testing.T) {
	p, err := readPlan("../../../data/ala2/obc2_cb.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{p.Data.Frames, p.Flow.Model, p.PMF.Model} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	if !strings.HasPrefix(p.Out, "../../../runs/") {
		t.Errorf("results would go to %s, which git does not ignore", p.Out)
	}
}
