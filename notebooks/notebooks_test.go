// Package notebooks has no code: its tests hold the notebooks to what they promise.
package notebooks

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/kernel/display"
	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/run"
	"github.com/cgbg-go/lab/kernel/session"
)

// TestMain plays the supervisor of the kernel that a run starts. Cells are built as the tests are, without SIMD: what
// they import is compiled once for both.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == session.SuperviseArg {
		os.Exit(session.Supervise(os.Args[2:]))
	}
	os.Setenv("GOEXPERIMENT", cmp.Or(os.Getenv("GOEXPERIMENT"), "nosimd"))
	os.Exit(m.Run())
}

func all(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("[0-9]*.ipynb")
	if err != nil || len(names) < 2 {
		t.Fatalf("got notebooks %q, %v", names, err)
	}
	return names
}

// statements counts the lines of a cell but comments and its head.
func statements(source string) (n int) {
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if line != "" && line != "%%" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

// Committed notebooks are executed, in order, without errors, and small; their
// cells are short, and one of them holds the parameters.
func TestCommitted(t *testing.T) {
	for _, name := range all(t) {
		t.Run(name, func(t *testing.T) {
			nb, err := nbformat.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := nb.CheckGo(); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(name); err != nil || info.Size() > 5<<18 {
				t.Errorf("%d bytes, %v; want at most 1.25 MiB", info.Size(), err)
			}
			want := 0
			parameters := ""
			for i, c := range nb.Cells {
				if c.Type != "code" {
					continue
				}
				want++
				if c.ExecutionCount != want {
					t.Errorf("cell %d: execution count %v, want %d: run it and commit the result", i+1,
						c.ExecutionCount, want)
				}
				if n := strings.Count(strings.TrimSpace(c.Source), "\n") + 1; n > 15 {
					t.Errorf("cell %d has %d lines; more than 15 belong in a package", i+1, n)
				}
				for _, o := range c.Outputs {
					if o.Type() == "error" {
						t.Errorf("cell %d: an error in its output", i+1)
					}
					figure := strings.HasPrefix(o.Text(), "[figure ")
					if n := statements(c.Source); figure && n > 5 {
						t.Errorf("cell %d takes %d lines to make a figure; want at most 5", i+1, n)
						break
					}
				}
				if c.Tagged("parameters") {
					parameters = c.Source
				}
			}
			if !strings.Contains(parameters, "preset") || !strings.Contains(parameters, "seed") {
				t.Errorf("parameters %q; want preset and seed among them", parameters)
			}
		})
	}
}

type result struct {
	Name                string
	Value, Error, Floor any
}

// options of a run in the small mode, with a seed that no committed notebook has.
var small = []string{"preset=small", "seed=7"}

// onKernel runs a notebook on the GoNB kernel in its small mode and returns its results.
func onKernel(t *testing.T, name string) map[string]result {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	var log strings.Builder
	err := run.Run(context.Background(),
		run.Options{Notebook: name, Module: module(t), Out: out, Log: &log, Parameters: small})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if nb, err := nbformat.ReadFile(filepath.Join(out, name)); err != nil || len(nb.Cells) == 0 {
		t.Errorf("the executed notebook: %v", err)
	}
	return results(t, out)
}

// asProgram runs the cells of a notebook in its small mode as one program, which is compiled and started once, and
// returns its results. That cells run one by one on the kernel is for onKernel, and for all notebooks in .ci/run.
func asProgram(t *testing.T, name string) map[string]result {
	t.Helper()
	nb, err := nbformat.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	source, err := run.Program(nb, small)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "notebook")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-ldflags=-w", "-o", binary, file)
	build.Dir = module(t)
	cells := exec.Command(binary)
	cells.Env = append(os.Environ(), display.RunDirEnv+"="+dir,
		fmt.Sprintf("%s=%d", display.StartEnv, time.Now().Unix()))
	for _, c := range []*exec.Cmd{build, cells} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c.Args, err, out)
		}
	}
	return results(t, dir)
}

func module(t *testing.T) string {
	t.Helper()
	dir, err := session.FindModule(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// results reads what a run left, with a look at its figures.
func results(t *testing.T, out string) map[string]result {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []result
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	results := map[string]result{}
	for _, r := range list {
		results[r.Name] = r
	}
	for key, want := range map[string]any{"preset": "small", "seed": 7.0} {
		if got := results[key].Value; got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
	figures, _ := filepath.Glob(filepath.Join(out, "figures", "*.png"))
	if len(figures) < 3 {
		t.Errorf("figures: got %q", figures)
	}
	for _, path := range figures {
		drawn(t, path)
	}
	return results
}

// drawn looks at a figure, with its vector form beside it.
func drawn(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = fixture.Drawn(content)
	}
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(path), err)
	}
	svg, err := os.ReadFile(strings.TrimSuffix(path, ".png") + ".svg")
	if err != nil || !strings.Contains(string(svg), "<path") || !strings.Contains(string(svg), "</svg>") {
		t.Errorf("%s: its vector form: %d bytes, %v", filepath.Base(path), len(svg), err)
	}
}

// within checks a result against a range.
func within(t *testing.T, results map[string]result, name string, lo, hi float64) {
	t.Helper()
	v, ok := results[name].Value.(float64)
	if !ok || math.IsNaN(v) || v < lo || v > hi {
		t.Errorf("%s: got %v, want %g to %g", name, results[name].Value, lo, hi)
	}
}

// agree checks a result against a number, to five of its errors.
func agree(t *testing.T, results map[string]result, name string, want float64) {
	t.Helper()
	e, ok := results[name].Error.(float64)
	if !ok || !(e > 0) {
		t.Errorf("%s: got an error of %v", name, results[name].Error)
	}
	within(t, results, name, want-5*e, want+5*e)
}

// belowFloor checks a score of so few samples that a perfect model would score no better.
func belowFloor(t *testing.T, results map[string]result, name string) {
	t.Helper()
	floor, ok := results[name].Floor.(float64)
	if !ok {
		t.Errorf("%s: no floor", name)
	}
	within(t, results, name, 0.3*floor, floor)
}

func TestMuellerBrown(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a notebook")
	}
	r := onKernel(t, "01_mueller_brown.ipynb")
	within(t, r, "pmf_rmse_kt", 0, 1.5)
	for _, f := range []string{"unbiased", "biased"} {
		within(t, r, f+"/logq_error_max", 0, 0.01)
		within(t, r, f+"/density_integral", 0.99, 1.01)
		within(t, r, f+"/js", 0, 0.1)
		within(t, r, f+"/pmf_error", 0, 10)
		within(t, r, f+"/ess", 0.03, 1)
		within(t, r, f+"/ess_clipped", 0.03, 1)
		within(t, r, f+"/khat", -2, 2)
		within(t, r, f+"/free_energy_mae_kt", 0, 2)
	}
	within(t, r, "seconds", 1, 3600)
	if s := fmt.Sprint(r["backend"].Value); s != "go" && !strings.HasPrefix(s, "xla") {
		t.Errorf("backend: got %q", s)
	}
}

func TestAlanine(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a notebook")
	}
	t.Parallel()
	r := asProgram(t, "02_alanine_first_look.ipynb")
	// Models of a few steps: weights are worth a few of 120 samples, which fill few cells of the reference.
	within(t, r, "cb/ess", 1./120, 0.2)
	within(t, r, "cb/ess_clipped", r["cb/ess"].Value.(float64), 0.3)
	within(t, r, "cb/js", 0.6, math.Ln2)
	within(t, r, "cb/js_before", 0.5, 0.69)
	within(t, r, "cb/wrong_handedness", 0.05, 0.7)
	within(t, r, "cb/logq_error_max", 0, 0.01)
	within(t, r, "cb/ess_ceiling", 0.2, 0.3) // 0.236 by cgbg info
	within(t, r, "cb/equivariant-aligned/ess", r["cb/ess"].Value.(float64), r["cb/ess"].Value.(float64))
	within(t, r, "cb/graph-transformer-aligned/js", 0.6, math.Ln2)
	// 60 steps from frames: away from where they began, and not over the barrier.
	within(t, r, "cb/langevin/js_phi_lt_0", r["cb/langevin/start_js_phi_lt_0"].Value.(float64), 0.65)
	within(t, r, "cb/langevin/phi_gt_0", 0, 0.1)
	within(t, r, "cb/langevin/wrong_handedness", 0, 0.1)
	for _, name := range []string{"cb/khat", "cb/graph-transformer-aligned/khat", "cb/energy_median_langevin",
		"cb/energy_median_graph-transformer-independent", "cb/langevin/wrong_handedness"} {
		if _, ok := r[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if v := fmt.Sprint(r["cb/verdict"].Value); !strings.Contains(v, "not reliable") {
		t.Errorf("verdict: got %q", v)
	}
}

func TestAlanineData(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a notebook")
	}
	t.Parallel()
	r := asProgram(t, "03_alanine_data.ipynb")
	for _, set := range []string{"unbiased_a", "unbiased_b", "metad_9", "metad_1.5", "explicit_water",
		"explicit_awh9_a", "explicit_awh9_b", "explicit_unbiased", "obc1", "obc2"} {
		within(t, r, set+"/phi_gt_0", 0, 0.1)
		if e, ok := r[set+"/phi_gt_0"].Error.(float64); !ok || !(e > 0) {
			t.Errorf("%s/phi_gt_0: got an error of %v", set, r[set+"/phi_gt_0"].Error)
		}
		within(t, r, set+"/frames_effective", 1, 20000)
		within(t, r, set+"/js_floor", 1e-3, 0.68)
		within(t, r, set+"/pmf_error_floor", 1e-3, 400)
	}
	within(t, r, "heavy-atom/force_noise", 800, 1500)
	within(t, r, "core-beta/force_noise", 800, 1500)
	within(t, r, "heavy-atom/force_noise_least", 500, r["heavy-atom/force_noise"].Value.(float64))
	within(t, r, "heavy-atom/force_noise_internal", 500, r["heavy-atom/force_noise_least"].Value.(float64))
	for _, set := range []string{"explicit_unbiased", "obc1", "obc2", "metad_9"} {
		for _, given := range []string{"", "_phi_lt_0"} {
			within(t, r, set+"/js"+given, 1e-3, 0.68)
			within(t, r, set+"/pmf_error"+given, 1e-2, 400)
			if f, ok := r[set+"/js"+given].Floor.(float64); !ok || !(f > 0 && f < math.Ln2) {
				t.Errorf("%s/js%s: got a floor of %v", set, given, r[set+"/js"+given].Floor)
			}
		}
	}
	within(t, r, "unbiased_b/50_ns/phi_gt_0", 0, 0.01)
	within(t, r, "metad_9/20_ns/phi_gt_0", 0.01, 0.04)
	within(t, r, "metad_9/20_ns/js", 0, r["metad_9/2_ns/js"].Value.(float64))
	for _, bond := range []string{"explicit_awh9/cn_1", "explicit_awh9/cn_2", "unbiased_a/cn_1", "unbiased_a/cn_2"} {
		within(t, r, bond, 0.131, 0.136) // nm; AMBER's C–N rests at 0.1335
	}
}

// The models that come with the repository: 300 of their samples, and some drawn anew.
func TestPotentials(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a notebook")
	}
	t.Parallel()
	r := asProgram(t, "04_pmf_by_force_matching.ipynb")
	for _, f := range []string{"unbiased", "biased"} {
		for _, u := range []string{"u", "b"} {
			within(t, r, "obc2/cb/"+f+"/"+u+"/ess", 0.1, 1)
			belowFloor(t, r, "obc2/cb/"+f+"/"+u+"/js") // 300 samples
		}
		within(t, r, "obc2/cb/"+f+"/js_u_minus_b", -0.5, 0.5)
	}
	for _, set := range []string{"unbiased", "metad1.5", "metad9"} {
		within(t, r, "obc2/cb/forces/"+set+"/pmf_b", 4e3, 2e4) // (kJ/mol/nm)²: noise of some 80 to 110 a component
	}
	within(t, r, "obc2/cb/biased/mace/ess", 0.1, 1)
	// Potentials of one pass over the frames: a third of the samples, and half a kT between them; the reference has P(φ
	// > 0) = 0.023.
	within(t, r, "obc2/cb/biased/ensemble/ess", 0.05, 0.7)
	within(t, r, "obc2/cb/biased/ensemble/positive", 1e-6, 0.05)
	within(t, r, "obc2/cb/biased/ensemble/energy_spread", 0.05, 3)
	within(t, r, "obc2/cb/biased/ensemble/weight_where_unknown", 0, 0.2)
}

func TestGenerators(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // what it calls is tested in package cgbg, and it runs on the kernel in .ci/run
	t.Parallel()
	r := asProgram(t, "06_alanine_boltzmann_generator.ipynb")
	for _, name := range []string{"cb/unbiased", "cb/biased", "ha/unbiased", "ha/biased"} {
		name = "obc2/" + name
		within(t, r, name+"/b/ess", map[bool]float64{true: 0.35, false: 0.1}[strings.Contains(name, "cb")], 1)
		within(t, r, name+"/b/khat", -2, 0.9)
		within(t, r, name+"/logq_max", 0, 0.05)
		agree(t, r, name+"/delta_log_z", 0)
		if js, ok := r[name+"/b/js"].Value.(float64); !ok || js > 2*r[name+"/b/js"].Floor.(float64) {
			t.Errorf("JS of %s: got %v, floor %v", name, js, r[name+"/b/js"].Floor)
		}
	}
	for _, m := range []string{"ha", "cb"} {
		within(t, r, "obc2/"+m+"/ess_vector_over_radial", 1, 3)
		within(t, r, "obc2/"+m+"/logq_rms/here", 0, 0.01)
		within(t, r, "obc2/"+m+"/logq_rms/euler_100", 0.01, 10)
		within(t, r, "obc2/"+m+"/until_500/ess", 0.02, 1)
		for _, f := range []string{"unbiased", "biased"} {
			for _, u := range []string{"u", "b"} {
				name := "explicit/" + m + "/" + f + "/" + u
				belowFloor(t, r, name+"/js")
				within(t, r, name+"/ess", 0.01, 0.9)
				within(t, r, name+"/ess_clipped", r[name+"/ess"].Value.(float64), 0.95)
				within(t, r, name+"/wrong_handedness", 0.001, 0.15)
			}
		}
	}
}

func TestExplicitWater(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // what it calls is tested in package cgbg, and it runs on the kernel in .ci/run
	t.Parallel()
	r := asProgram(t, "08_alanine_explicit_water.ipynb")
	for _, m := range []string{"ha", "cb"} {
		for _, f := range []string{"unbiased", "biased"} {
			within(t, r, "explicit/"+m+"/"+f+"/b/ess", map[string]float64{"ha": 1e-3, "cb": 0.1}[m], 1)
			within(t, r, "explicit/"+m+"/"+f+"/logq_max", 0, 0.05)
			agree(t, r, "explicit/"+m+"/"+f+"/delta_log_z", 0)
		}
		within(t, r, "explicit/"+m+"/unbiased/js_u_minus_b", -0.5, 0.5)
	}
}

func TestCost(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // what it calls is tested in package cgbg, and it runs on the kernel in .ci/run
	t.Parallel()
	r := asProgram(t, "07_cost.ipynb")
	for _, m := range []string{"cb", "ha", "aa"} {
		for _, field := range []string{"graph-transformer", "equivariant"} {
			name := "cost/" + m + "/" + field + "/"
			for _, what := range []string{"step_seconds", "velocity_seconds", "divergence_seconds", "sample_seconds",
				"total_hours_scaled"} {
				within(t, r, name+what, 1e-9, 1e5)
			}
			within(t, r, name+"divergences", 33, 1025)
		}
	}
	for _, m := range []string{"cb", "ha"} {
		within(t, r, "cost/"+m+"/mace/train_hours_scaled", 1e-9, 1e5)
		within(t, r, "cost/"+m+"/mace/energies_10000_seconds_scaled", 1e-9, 1e5)
	}
	within(t, r, "saved/cb/folded_divergence", 1e-3, 1e3)
}
