package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// resultsOf reads the results in a folder, by the names behind the prefix.
func resultsOf(t *testing.T, dir, prefix string) map[string]result.Entry {
	t.Helper()
	entries, err := result.Read(filepath.Join(dir, result.FileName))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]result.Entry{}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name, prefix+"/")
		if !ok {
			t.Errorf("%s is not behind %s", e.Name, prefix)
		}
		found[name] = e
	}
	return found
}

// Beads named a to f, of which nothing is known but their frames, go all the way: a plan names what is looked at, a
// report asks anything else, and several potentials weigh together.
func TestBeadsOfAnyName(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	frames, meta, err := data.ReadFile("../../../data/ala2/core_beta_awh_gamma9.arrow")
	if err != nil {
		t.Fatal(err)
	}
	meta.System, meta.Mapping, meta.Beads = "six", "six.map", strings.Split("abcdef", "")
	if err := data.WriteFile(path("md.arrow"), meta, frames.Slice(0, 4000)); err != nil {
		t.Fatal(err)
	}
	plan := `[data]
frames = "md.arrow"
[flow]
preset = "small"
held_out = 20
[pmf]
preset = "small"
ensemble = 2
[sample]
n = 200
checks = 4
[variables]
torsion = "dihedral(a,b,c,d)"
energy = "u"
end = "distance(a,f)"
weight = "logw"
[states]
low = "energy < 1e6 and torsion < 180"
plus = "0 < torsion < 120"
`
	if err := os.WriteFile(path("six.toml"), []byte(plan), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := call(t, "run", path("six.toml")); err != nil {
		t.Fatalf("got %q, %v", text, err)
	}
	found := resultsOf(t, path("six"), "six")
	for _, name := range []string{"ess", "ess_clipped", "khat", "verdict", "js", "torsion/js", "torsion/pmf_error",
		"torsion/mean", "end/js", "end/mean", "population/plus", "population/plus_reference", "energy/mean",
		"weight/mean", "weight/js", "population/low"} {
		e, ok := found[name]
		_, words := e.Value.(string)
		if !ok || e.Value == nil || words != (name == "verdict") || (e.Error == nil) != words {
			t.Errorf("%s: got %+v", name, e)
		}
		if strings.HasSuffix(name, "js") && (e.Floor == nil || !(*e.Error > 0)) {
			t.Errorf("%s: got %+v, want an error and a floor", name, e)
		}
	}
	checkPlus(t, path("six/samples.arrow"), found["population/plus"])
	// The frames have log-weights but no energies: these have a mean, and nothing to score them against.
	for _, name := range []string{"energy/js", "population/low_reference"} {
		if e, ok := found[name]; ok {
			t.Errorf("%s: got %+v", name, e)
		}
	}
	t.Run("report", func(t *testing.T) { reportBeads(t, path) })
	t.Run("reweight", func(t *testing.T) { weighBeads(t, path) })
}

// checkPlus holds the population of the torsions between 0 and 120 degrees to the sum of the weights.
func checkPlus(t *testing.T, samples string, got result.Entry) {
	t.Helper()
	f, _, err := data.ReadFile(samples)
	if err != nil {
		t.Fatal(err)
	}
	weight, err := reweight.Normalize(f.LogW)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i, angle := range observable.Dihedrals(f.R, f.Beads, [4]int{0, 1, 2, 3}) {
		if angle > 0 && angle < 2*math.Pi/3 {
			want += weight[i]
		}
	}
	value, ok := got.Value.(interface{ Float64() (float64, error) })
	if !ok {
		t.Fatalf("got %+v", got)
	}
	if v, err := value.Float64(); err != nil || math.Abs(v-want) > 1e-9 {
		t.Errorf("population: got %g, %v, want %g", v, err, want)
	}
}

// reportBeads asks the samples by flags, with a reference and without.
func reportBeads(t *testing.T, path func(string) string) {
	samples := path("six/samples.arrow")
	asked := []string{"-variable", "torsion=dihedral(a,b,c,d)", "-variable", "size = rg",
		"-state", "plus: 0 < torsion < 120", "-state", "both: torsion > 0 and size > 0.2"}
	text, err := call(t, append([]string{"report", "-o", path("alone"), samples}, asked...)...)
	if err != nil || !strings.Contains(text, "samples/population/both ") {
		t.Fatalf("without a reference: got %q, %v", text, err)
	}
	found := resultsOf(t, path("alone"), "samples")
	checkPlus(t, samples, found["population/plus"])
	if _, ok := found["torsion/js"]; ok || found["size/mean"].Value == nil {
		t.Errorf("without a reference: got %v", found)
	}
	args := append([]string{"report", "-name", "x", "-reference", path("md.arrow"), "-o", path("held"), samples},
		asked...)
	if text, err := call(t, args...); err != nil {
		t.Fatalf("with a reference: got %q, %v", text, err)
	}
	if found = resultsOf(t, path("held"), "x"); found["torsion/js"].Floor == nil || found["js"].Floor == nil {
		t.Errorf("with a reference: got %v", found)
	}
	text, err = call(t, "report", "-o", path("far"), "-variable", "size = rg", "-state", "far: size > 400", samples)
	if err != nil || !strings.Contains(text, "no frame is in the state far") {
		t.Errorf("a state in another unit: got %q, %v", text, err)
	}
	// By default: two distances and torsions about bonds.
	text, err = call(t, "report", "-reference", path("md.arrow"), "-o", path("own"), samples)
	if err != nil || !strings.Contains(text, "samples/d_") || !strings.Contains(text, "samples/torsion_") {
		t.Errorf("by default: got %q, %v", text, err)
	}
	for want, bad := range map[string][]string{
		"variable far":        {"-variable", "far=distance(a)"},
		"NAME=TEXT":           {"-variable", "rg"},
		"NAME:TEXT":           {"-variable", "size=rg", "-state", "size > 1"},
		`no bead "z"`:         {"-variable", "far=distance(a,z)"},
		"state far":           {"-variable", "size=rg", "-state", "far: distance > 1"},
		"the residue ALA2":    {"-variable", "size=rg", "-residue", "ALA2"},
		"no residue ALA2":     {"-residue", "ALA2"},
		`are called "size"`:   {"-variable", "size=rg", "-state", "size: size > 1"},
		"no column bias":      {"-variable", "v=bias"},
		"none.arrow: no such": {"-reference", path("none.arrow")},
	} {
		text, err := call(t, append([]string{"report", "-o", path("bad"), samples}, bad...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v, want %q", bad, text, err, want)
		}
	}
	if left, err := os.ReadDir(path("bad")); err == nil {
		t.Errorf("left: %v", left)
	}
}

// weighBeads trains an ensemble of the plan's potentials by the command, and weighs by it.
func weighBeads(t *testing.T, path func(string) string) {
	text, err := call(t, "train", "pmf", "-preset", "small", "-ensemble", "2", "-o", path("u.npz"), path("md.arrow"))
	if err != nil || !strings.Contains(text, "u.1.npz made") || !strings.Contains(text, "u.2.npz made") {
		t.Fatalf("got %q, %v", text, err)
	}
	text, err = call(t, "reweight", "-flow", path("six/flow.npz"), "-pmf", path("u.1.npz"), "-pmf", path("u.2.npz"),
		"-o", path("weighed.arrow"), path("six/samples.arrow"))
	if err != nil || !strings.Contains(text, "2 potentials: energies ") {
		t.Fatalf("got %q, %v", text, err)
	}
	// The plan's potentials have the same settings and seeds, so that the weights are the same.
	got, _, err := data.ReadFile(path("weighed.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := data.ReadFile(path("six/samples.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.U {
		if d := got.U[i] - want.U[i]; math.Abs(d) > 1e-3 {
			t.Errorf("sample %d: got an energy of %g, want %g", i, got.U[i], want.U[i])
		}
	}
	text, err = call(t, "reweight", "-flow", path("six/flow.npz"), "-pmf", path("u.1.npz")+","+path("u.2.npz"),
		"-o", path("weighed.arrow"), path("six/samples.arrow"))
	if err != nil || !strings.Contains(text, "2 potentials: energies ") {
		t.Errorf("joined by a comma: got %q, %v", text, err)
	}
	if _, err := call(t, "train", "pmf", "-ensemble", "0", "-o", path("u.npz"), path("md.arrow")); exitCode(err) != 2 {
		t.Errorf("-ensemble 0: got %v", err)
	}
}
