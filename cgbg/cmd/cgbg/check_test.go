package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
)

// ownFrames writes frames of three beads of a map of one's own, which have no φ and ψ.
func ownFrames(t *testing.T, path string, temperature float64, forces bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	f := &data.Frames{Beads: 3, Dim: 3}
	for range 240 {
		for i := range 9 {
			d := 0.01 * rng.NormFloat64()
			place := 0.0
			if i%4 == 0 { // x of the first, y of the second, z of the third
				place = 0.1 + 0.01*float64(i)
			}
			f.R = append(f.R, float32(place+d))
			if forces {
				f.F = append(f.F, float32(-25000*d))
			}
		}
	}
	meta := data.Meta{System: "toy", Mapping: "my.map", Beads: []string{"A", "B", "C"}, Species: []int32{1, 2, 3},
		Temperature: temperature, Units: data.Molecular,
		Extra: map[string]string{trajectory.KeyMap: "A C @1\nB O @2\nC N @3\n"}}
	if err := data.WriteFile(path, meta, f); err != nil {
		t.Fatal(err)
	}
}

const ownModels = `
[flow]
preset = "small"
field = "equivariant"
epochs = 1
batch = 64
[pmf]
preset = "small"
epochs = 1
batch = 64
[sample]
n = 200
checks = 4
`

// Beads without φ and ψ are weighed and scored, too, on variables that are chosen for them.
func TestOwnMap(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	dir := t.TempDir()
	frames, plan, out := filepath.Join(dir, "own.arrow"), filepath.Join(dir, "own.toml"), filepath.Join(dir, "own")
	ownFrames(t, frames, 300, true)
	if err := os.WriteFile(plan, []byte("[data]\nframes = 'own.arrow'"+ownModels), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := call(t, "run", plan)
	if err != nil || !strings.Contains(text, "own/ess ") {
		t.Fatalf("got %q, %v", text, err)
	}
	for _, want := range []string{"own/js ", "own/d_A_B/js ", "own/d_A_C/mean ", "own/no_weight ",
		"own/bond_width_before ", "lost: ", "times as wide as the frames'"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, without %q", text, want)
		}
	}
	card, err := cgbg.ReadCard(filepath.Join(out, "pmf.npz"))
	if err != nil || card.Steps != 10 || !strings.Contains(card.Score(), "at step 10 of 10") { // a call has ten
		t.Errorf("got %+v, %v", card, err)
	}
	for _, name := range []string{"results.json", "report.json", "profiles.png", "maps.svg", "weights.svg",
		"weights.png"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	text, err = call(t, "curve", "pmf", "-preset", "small", "-batch", "64", "-steps", "10", "-frames", "100",
		"-flow", filepath.Join(out, "flow.npz"), "-samples", filepath.Join(out, "samples.arrow"),
		"-o", filepath.Join(dir, "curve.json"), frames)
	if err != nil || !strings.Contains(text, "100") {
		t.Errorf("curve: got %q, %v", text, err)
	}
}

// What a command would fail for at its end is refused before it trains.
func TestChecksComeFirst(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	ownFrames(t, path("own.arrow"), 300, true)
	ownFrames(t, path("hot.arrow"), 450, true)
	ownFrames(t, path("cold.arrow"), 0, true)
	ownFrames(t, path("still.arrow"), 300, false)
	const shipped = "../../../data/ala2/"
	models, err := filepath.Abs(shipped + "models")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"no temperature": {"[data]\nframes = 'cold.arrow'" + ownModels, "-temperature"},
		"no forces":      {"[data]\nframes = 'still.arrow'" + ownModels, "without forces"},
		"a preset":       {"[data]\nframes = 'own.arrow'\n[flow]\npreset = 'huge'", "huge"},
		"a field":        {"[data]\nframes = 'own.arrow'\n[flow]\nfield = 'magnetic'", "magnetic"},
		"a pairing":      {"[data]\nframes = 'own.arrow'\n[flow]\npairing = 'sorted'", "sorted"},
		"frames of another heat": {"[data]\nframes = 'own.arrow'\n[flow]\nframes = 'hot.arrow'",
			"temperatures 450 K and 300 K"},
		"a flow of other beads": {"[data]\nframes = 'own.arrow'\n[flow]\nmodel = '" + models +
			"/obc2_cb_flow_biased.npz'",
			"numbers of beads, 6 and 3"},
		"no reference":         {"[data]\nframes = 'own.arrow'\n[reference]\nframes = 'none.arrow'", "none.arrow"},
		"samples":              {"[data]\nframes = 'own.arrow'\n[sample]\nn = 10\nuntil_ess = 20", "20 effective"},
		"a bead of a variable": {"[data]\nframes = 'own.arrow'\n[variables]\nfar = 'distance(A,Z)'", `no bead "Z"`},
		"a column":             {"[data]\nframes = 'own.arrow'\n[variables]\nv = 'bias'", "no column bias"},
		"a default variable": {"[data]\nframes = 'own.arrow'\n[states]\nleft = 'phi > 0'",
			"plan.toml: observable: state left"},
		"a residue": {"[data]\nframes = 'own.arrow'\n[reference]\nresidue = 'ALA2'", "no φ and ψ"},
		"a reference of other beads": {"[data]\nframes = 'own.arrow'\n[reference]\nframes = '" + models +
			"/../core_beta_awh_gamma9.arrow'", `no bead "A"`},
		"a variable that the reference lacks": {"[data]\nframes = 'own.arrow'\n[reference]\nframes = '" + models +
			"/../core_beta_awh_gamma9.arrow'\n[variables]\nside = 'distance(A,B)'", "core_beta_awh_gamma9.arrow"},
	} {
		t.Run(name, func(t *testing.T) {
			plan := path("plan.toml")
			if err := os.WriteFile(plan, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if text, err := call(t, "run", plan); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v, want %q", text, err, c.want)
			}
			if left, err := os.ReadDir(path("plan")); err == nil {
				t.Errorf("left: %v", left)
			}
		})
	}
	flow, samples := models+"/obc2_cb_flow_biased.npz", models+"/obc2_cb_samples_biased.arrow"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"curve of flows": {[]string{"flow", "-pmf", models + "/obc2_cb_pmf_biased.npz", "-o", path("c.json"),
			path("own.arrow")}, "do not belong together"},
		"curve of potentials": {[]string{"pmf", "-flow", flow, "-samples", samples, "-o", path("c.json"),
			path("own.arrow")},
			"do not belong together"},
		"curve of few frames": {[]string{"flow", "-frames", "50", "-pmf", models + "/obc2_cb_pmf_biased.npz",
			"-o", path("c.json"), shipped + "core_beta_awh_gamma9.arrow"}, "the point of 50 frames"},
		"other samples": {[]string{"pmf", "-flow", flow, "-samples", models + "/explicit_cb_samples_biased.arrow",
			"-o", path("c.json"), shipped + "core_beta_awh_gamma9.arrow"}, "SHA-256 differ"},
	} {
		t.Run(name, func(t *testing.T) {
			if text, err := call(t, append([]string{"curve"}, c.args...)...); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v, want %q", text, err, c.want)
			}
			if left, err := filepath.Glob(path("c.json*")); err != nil || len(left) > 0 {
				t.Errorf("left: %q, %v", left, err)
			}
		})
	}
}

// A message names the program once, wherever its error comes from.
func TestMessage(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("cgbg: x.npz has no card"), "cgbg: x.npz has no card"},
		{errors.New("data: x: no such file"), "cgbg: data: x: no such file"},
		{fmt.Errorf("the reference: %w", errors.New("lost")), "cgbg: the reference: lost"},
	} {
		if got := message(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	_, err := call(t, "sample", "-o", "x.arrow", filepath.Join(t.TempDir(), "none.npz"))
	if got := message(err); strings.Count(got, "cgbg: ") != 1 {
		t.Errorf("got %q", got)
	}
}
