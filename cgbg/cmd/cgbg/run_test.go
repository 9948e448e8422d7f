package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/result"
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
	if err != nil || strings.Contains(text, "there already") ||
		!strings.Contains(text, "Pareto") && !strings.Contains(text, "ala2/ess ") {
		t.Fatalf("got %q, %v", text, err)
	}
	for _, name := range []string{"frames.arrow", "flow.npz", "flow.npz.json", "pmf.npz", "samples.arrow",
		"profiles.svg",
		"maps.png", "weights.png", "report.json"} {
		if _, err := os.Stat(filepath.Join(dir, "ala2", name)); err != nil {
			t.Error(err)
		}
	}
	entries, err := result.Read(filepath.Join(dir, "ala2", result.FileName))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, e := range entries {
		found[e.Name] = e.Value
	}
	for _, name := range []string{"js", "pmf_error", "phi_ALA2/js", "psi_ALA2/pmf_error", "phi_ALA2/mean", "ess",
		"ess_clipped", "verdict"} {
		if found["ala2/"+name] == nil {
			t.Errorf("%s: no value in %v", name, found)
		}
	}
	if _, ok := found["ala2/khat"]; !ok {
		t.Errorf("no khat in %v", found)
	}
	if text, err = call(t, "run", file); err != nil || strings.Count(text, "there already") != 4 {
		t.Errorf("again: got %q, %v", text, err)
	}
	write("310")
	if text, err = call(t, "run", file); err != nil || strings.Count(text, "there already") != 3 {
		t.Errorf("more samples: got %q, %v", text, err)
	}
}

func TestRunErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ text, want string }{
		{"", "[data]"},
		{"[data]\nframes = 'a.arrow'\n[flow]\nepoch = 3", "flow.epoch"},
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
	for _, args := range [][]string{{"run"}, {"report", "x.arrow"},
		{"report", "-o", "x", "-variable", "rg", "x.arrow"}} {
		if _, err := call(t, args...); exitCode(err) != 2 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// The file that comes with the data names files that are there.
func TestShippedPlan(t *testing.T) {
	p, err := cgbg.ReadPlan("../../../data/ala2/obc2_cb.toml")
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
