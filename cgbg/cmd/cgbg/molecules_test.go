package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala3"
)

// small are the sections of a plan that is over in seconds.
const small = `
[flow]
preset = "small"
held_out = 20
[pmf]
preset = "small"
[sample]
n = 40
checks = 4
`

// runPlan runs a plan of a molecule in dir and returns its results. flow: more keys of the flow.
func runPlan(t *testing.T, dir, name, plan string, flow ...string) map[string]result.Entry {
	t.Helper()
	t.Setenv("GOMLX_BACKEND", "go")
	file := filepath.Join(dir, name+".toml")
	plan += strings.Replace(small, "[flow]\n", "[flow]\n"+strings.Join(flow, "\n")+"\n", 1)
	if err := os.WriteFile(file, []byte(plan), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := call(t, "run", file); err != nil {
		t.Fatalf("got %q, %v", text, err)
	}
	return resultsOf(t, filepath.Join(dir, name), name)
}

// checkResults holds a run's results to the promise of run and report: what is said of the weights, of every
// variable, and of every state, with errors, and floors where samples are scored.
func checkResults(t *testing.T, found map[string]result.Entry, variables, states []string) {
	t.Helper()
	want := []string{"ess", "ess_clipped", "khat", "verdict"}
	for _, v := range variables {
		want = append(want, v+"/js", v+"/pmf_error", v+"/mean")
	}
	for _, s := range states {
		want = append(want, "population/"+s)
	}
	for _, name := range want {
		e, ok := found[name]
		_, words := e.Value.(string)
		if !ok || words != (name == "verdict") || (e.Value == nil || (e.Error == nil) != words) && name != "khat" {
			t.Errorf("%s: got %+v", name, e) // k̂ is infinite, and so null, where all weight is on a few samples
		}
		scored := strings.HasSuffix(name, "/js") || strings.HasSuffix(name, "/pmf_error")
		if scored != (e.Floor != nil) {
			t.Errorf("%s: got a floor %v", name, e.Floor)
		}
	}
}

// n-Butane goes from the files of a simulation to its torsion's free energy by a file alone.
func TestButane(t *testing.T) {
	dir := t.TempDir()
	raw, err := filepath.Abs("../../../data/butane")
	if err != nil {
		t.Fatal(err)
	}
	raw = filepath.ToSlash(raw)
	found := runPlan(t, dir, "butane", `[data]
trajectories = ["`+raw+`/unbiased.trr"]
structure = "`+raw+`/butane.pdb"
map = "`+raw+`/butane.map"
system = "n-butane"
temperature = 300
forcefield = "TraPPE-UA"
[variables]
torsion = "dihedral(C1,C2,C3,C4)"
length = "distance(C1,C4)"
[states]
trans = "120 < torsion < 240"
gauche_plus = "0 < torsion < 120"
`)
	checkResults(t, found, []string{"torsion", "length"}, []string{"trans", "gauche_plus"})
	_, meta, err := data.ReadFile(filepath.Join(dir, "butane", "samples.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(meta.Beads, " ") != "C1 C2 C3 C4" || meta.System != "n-butane" || meta.Temperature != 300 {
		t.Errorf("got samples of %+v", meta)
	}
}

// Tri-alanine is scored along what it is asked about, and by default along the residues that have both angles; without
// the caps that is the middle one.
func TestTriAlanine(t *testing.T) {
	frames, meta, err := ala3.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := data.WriteFile(filepath.Join(dir, "md.arrow"), meta, frames); err != nil {
		t.Fatal(err)
	}
	found := runPlan(t, dir, "ala3", `[data]
frames = "md.arrow"
[variables]
phi3 = "phi(ALA3)"
end = "distance(ALA2:N,ALA4:C)"
[states]
left = "phi3 > 0"
`)
	checkResults(t, found, []string{"phi3", "end"}, []string{"left"})
	samples := filepath.Join(dir, "ala3", "samples.arrow")
	if text, err := call(t, "report", "-name", "all", "-reference", filepath.Join(dir, "md.arrow"),
		"-o", filepath.Join(dir, "all"), samples); err != nil {
		t.Fatalf("got %q, %v", text, err)
	}
	checkResults(t, resultsOf(t, filepath.Join(dir, "all"), "all"), []string{"phi_ALA3", "psi_ALA3"}, nil)
}

// A flow that is exact in one pass is trained on the frames and on the potential, its card and its samples say so, and
// frames of a reference tell what it misses.
func TestSplinePlan(t *testing.T) {
	dir := t.TempDir()
	folder, err := filepath.Abs("../../../data/butane")
	if err != nil {
		t.Fatal(err)
	}
	plan := `[data]
frames = "` + filepath.ToSlash(folder) + `/unbiased.arrow"
[reference]
frames = "` + filepath.ToSlash(folder) + `/unbiased.arrow"
[variables]
torsion = "dihedral(C1,C2,C3,C4)"
`
	found := runPlan(t, dir, "spline", plan, `field = "spline"`)
	checkResults(t, found, []string{"torsion"}, nil)
	for _, name := range []string{"missed", "missed_bound"} {
		if v, err := strconv.ParseFloat(fmt.Sprint(found[name].Value), 64); err != nil || v < 0 || v > 0.5 {
			t.Errorf("%s: got %+v, %v", name, found[name], err)
		}
	}
	card, err := cgbg.ReadCard(filepath.Join(dir, "spline", "flow.npz"))
	if err != nil {
		t.Fatal(err)
	}
	r := card.Refinement
	if r == nil || r.Steps == 0 || len(r.Potentials) != 1 || r.Why == "" || !(r.Before.ESS > 0) || !(r.After.ESS > 0) {
		t.Fatalf("the card tells of the refinement %+v", r)
	}
	_, meta, err := data.ReadFile(filepath.Join(dir, "spline", "samples.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	if told := meta.Extra["refined_on"]; r.Kept != strings.HasPrefix(told, "pmf.npz ") {
		t.Errorf("kept %v: samples say %q", r.Kept, told)
	}
	if text, err := call(t, "sample", "-n", "600", "-pmf", filepath.Join(dir, "spline", "pmf.npz"), "-frames",
		filepath.Join(folder, "unbiased.arrow"), "-o", filepath.Join(dir, "more.arrow"),
		filepath.Join(dir, "spline", "flow.npz")); err != nil || !strings.Contains(text, "of 4,000 other frames") {
		t.Errorf("more samples: got %q, %v", text, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "spline", "*.checkpoint"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for name, flow := range map[string]string{
		"a vector field": "field = \"equivariant\"\nrefine = true",
		"a model":        "model = \"flow.npz\"\nrefine = true",
	} {
		file := filepath.Join(dir, "wrong.toml")
		text := plan + strings.Replace(small, "[flow]\n", "[flow]\n"+flow+"\n", 1)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if text, err := call(t, "run", file); err == nil || !strings.Contains(err.Error(), "refine") {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}
