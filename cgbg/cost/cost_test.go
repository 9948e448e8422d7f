package cost

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

func TestTiming(t *testing.T) {
	x := Timing{3, 1, 2, 10}
	if lo, hi := x.Range(); x.Median() != 2.5 || lo != 1 || hi != 10 {
		t.Errorf("got median %g, range %g to %g", x.Median(), lo, hi)
	}
	if got := x.Times(0.01).String(); got != "0.0250 (0.0100–0.100)" {
		t.Errorf("got %q", got)
	}
	if got := (Timing{1234.5}).String(); got != "1234 (1234–1234)" {
		t.Errorf("got %q", got)
	}
	if x[0] != 3 {
		t.Error("Times or Median changed the timing")
	}
	if none := Timing(nil); !math.IsNaN(none.Median()) || none.String() != "–" {
		t.Errorf("no repeats: got %g, %q", none.Median(), none.String())
	}
}

// The published numbers agree with each other: Table 1's totals are those of its parts.
func TestPublishedCost(t *testing.T) {
	for mapping, total := range map[string]float64{"core-beta": 0.84, "heavy-atom": 1.45, "all-atom": 4.16} {
		m := Mapping{Published: costRows[mapping].published}
		if got := m.publishedTotal(); math.Abs(got.First-total) > 0.015 {
			t.Errorf("%s: got a total of %.3f h, want %.2f", mapping, got.First, total)
		}
		if got := m.publishedTotal(); !(got.Revised < got.First) { // training was halved, samples cost about the same
			t.Errorf("%s: got a revised total of %.3f h, first %.3f", mapping, got.Revised, got.First)
		}
	}
	for want, c := range map[string]Cited{"0.83, revised 0.45": {0.83, 0.45}, "1.88": {1.88, result.None},
		"–": {result.None, result.None}} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if publishedFlowSteps != 975_000 || publishedMACESteps != 439_250 {
		t.Errorf("got %d and %d steps", publishedFlowSteps, publishedMACESteps)
	}
}

func openCosts(t *testing.T, dir string) *Lab {
	t.Helper()
	t.Setenv(backend.ConfigEnv, "go")
	c, err := Open("small", 1, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, open := range []func() (*data.Frames, data.Meta, error){obc2.Metad15CoreBeta, obc2.Metad15HeavyAtom} {
		frames, meta, err := open()
		if err == nil {
			err = c.Add(frames, meta)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Every number is there, counts are those of the solvers, and what was measured is
// taken up instead of measured anew.
func TestCosts(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	c := openCosts(t, dir)
	if _, err := c.TrainingFigure(); err == nil || !strings.Contains(err.Error(), "not measured") {
		t.Errorf("a figure of nothing: got %v", err)
	}
	for _, m := range c.Mappings {
		for _, field := range []string{cgbg.GraphTransformer, cgbg.Equivariant} {
			calls, last := 0, 0
			reverse := field == cgbg.GraphTransformer && m.Key == "cb"
			f, err := c.Flow(ctx, m.Key, field, "", reverse, func(done, total int, note string) {
				if calls++; done < last || done > total {
					t.Errorf("progress: %d of %d after %d (%s)", done, total, last, note)
				}
				last = done
			})
			if err != nil {
				t.Fatal(err)
			}
			if calls == 0 {
				t.Error("no progress was told")
			}
			timings := []Timing{f.Step, f.Velocity, f.Divergence, f.Sample, f.Joint}
			if reverse {
				timings = append(timings, f.Reverse)
			}
			for i, timing := range timings {
				if lo, _ := timing.Range(); !(lo > 0) {
					t.Errorf("%s of %s: timing %d is %v", field, m.Key, i, timing)
				}
			}
			if math.Mod(f.Joint5-1, 6) != 0 || math.Mod(f.Joint4-1, 6) != 0 {
				t.Errorf("%s of %s: %g and %g evaluations by the published solver: want 6 a step and 1",
					field, m.Key, f.Joint5, f.Joint4)
			}
			if f.Divergences < 33 || f.Evaluations < 7 { // the two coarsest levels of the quadrature; one step
				t.Errorf("%s of %s: got %g evaluations, %g divergences", field, m.Key, f.Evaluations, f.Divergences)
			}
			twice := func(int, int, string) { t.Error("measured twice") }
			again, err := c.Flow(ctx, m.Key, field, "", false, twice)
			if err != nil || !reflect.DeepEqual(again, f) {
				t.Errorf("taken up: got %+v, %v, want %+v", again, err, f)
			}
			for _, r := range f.Results() {
				if !strings.HasPrefix(r.Name, "cost/"+m.Key+"/"+field+"/") || math.IsNaN(r.Value) {
					t.Errorf("result %+v", r)
				}
			}
		}
	}
	potential, err := c.MACE(ctx, "cb", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(potential.Step) != c.Settings.MACESteps || len(potential.Energy) != c.Settings.Repeats {
		t.Errorf("MACE: got %d steps and %d energies", len(potential.Step), len(potential.Energy))
	}
	got, want := potential.TrainHours().Median(), potential.Step.Median()*439_250/3600
	if math.Abs(got-want) > 1e-12*want {
		t.Errorf("MACE: got %g h, want %g", got, want)
	}
	for _, draw := range []func() error{
		func() error { _, err := c.TrainingFigure(); return err },
		func() error { _, err := c.SamplingFigure(); return err },
		func() error { _, err := c.EvaluationFigure(); return err },
	} {
		if err := draw(); err != nil {
			t.Error(err)
		}
	}
}

func TestCostErrors(t *testing.T) {
	c := openCosts(t, t.TempDir())
	ctx := context.Background()
	if _, err := c.Flow(ctx, "aa", cgbg.Equivariant, "", false, nil); err == nil {
		t.Error("a mapping without frames: got no error")
	}
	if _, err := c.Flow(ctx, "cb", "mlp", "", false, nil); err == nil {
		t.Error("an unknown field: got no error")
	}
	frames, meta, err := obc2.Metad15CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	meta.Mapping = "martini"
	if err := c.Add(frames, meta); err == nil || !strings.Contains(err.Error(), "martini") {
		t.Errorf("an unknown mapping: got %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := c.Flow(stopped, "cb", cgbg.Equivariant, "", false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after a stop: got %v", err)
	}
	if kept, _ := filepath.Glob(c.Path("*.json")); len(kept) > 0 {
		t.Errorf("failed measurements were kept: %q", kept)
	}
	if _, err := Open("large", 1, t.TempDir()); err == nil {
		t.Error("an unknown preset: got no error")
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
	open := func(change func(f *data.Frames)) *Lab {
		t.Helper()
		c, err := Open("quick", 1, dir)
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
	kept := &Flow{Mapping: "cb", Field: field, Weights: "kept"}
	fingerprint := c.fingerprint(c.Mappings[0]) + " " + keep.Fingerprint(sum)
	if err := keep.Write(c.Path(costFile(field, "cb")), fingerprint, kept); err != nil {
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
