package study

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// The trainings of a curve: every number of steps with every number of frames that there are, the shortest first.
func TestCurvePoints(t *testing.T) {
	o := CurveOptions{Steps: []int{20, 10, 20}, Frames: []int{300, 1000, 0, 5000, 300}}
	var got [][2]int
	for _, p := range o.points(1000) {
		got = append(got, [2]int{p.Asked, p.Frames})
	}
	if want := [][2]int{{10, 300}, {10, 1000}, {20, 300}, {20, 1000}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	score := func(x float64) reweight.Estimate { return reweight.Estimate{Value: x} }
	c := Curve{Points: []CurvePoint{{Steps: 20, Frames: 1000, Score: score(1)},
		{Steps: 10, Frames: 300, Score: score(2)},
		{Steps: 20, Frames: 300, Score: score(3)}, {Steps: 10, Frames: 1000, Score: score(1.5)}}}
	steps := func(points []CurvePoint) (out [][2]int) {
		for _, p := range points {
			out = append(out, [2]int{p.Steps, p.Frames})
		}
		return out
	}
	if got, want := steps(c.BySteps()), [][2]int{{10, 1000}, {20, 1000}}; !reflect.DeepEqual(got, want) {
		t.Errorf("by steps: got %v, want %v", got, want)
	}
	// Of few frames the longer training does worse on those that are held out.
	if got, want := steps(c.ByFrames()), [][2]int{{10, 300}, {20, 1000}}; !reflect.DeepEqual(got, want) {
		t.Errorf("by frames: got %v, want %v", got, want)
	}
	if _, err := curveFigure([]string{"empty"}, []*Curve{{}}); err == nil {
		t.Error("a figure of a curve without points: got no error")
	}
	for name, o := range map[string]CurveOptions{
		"no steps": {PMF: "pmf.npz", N: 100}, "steps below one": {PMF: "pmf.npz", Steps: []int{0}, N: 100},
		"few samples": {PMF: "pmf.npz", Steps: []int{1}, N: 99}, "no potential": {Steps: []int{1}, N: 100}} {
		if err := o.check(cgbg.Flow); err == nil || !strings.HasPrefix(err.Error(), "study: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A curve of potentials says how the populations of the question's states fare, and is made once.
func TestLearningCurve(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	ctx, g := context.Background(), benchmark(t)
	flow, err := g.Model(ctx, cgbg.Flow, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := g.Proposals(ctx, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	samples, in, out := g.Path("some.arrow"), g.Path("frames.arrow"), g.Path("curve.json")
	for from, to := range map[string]string{all: samples, "": in} {
		f, m, err := g.ForceFrames[cgbg.Biased]()
		if from != "" {
			f, m, err = data.ReadFile(from)
		}
		if err == nil {
			err = data.WriteFile(to, m, f.Slice(0, 400))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	o := CurveOptions{Train: cgbg.TrainOptions{Preset: "small", Seed: 1, Batch: 40, Width: 8}, Steps: []int{2},
		Frames: []int{200},
		Flow:   flow, Samples: samples, Question: alanine.Question()}
	c, err := LearningCurve(ctx, g.Backend, cgbg.PMF, in, out, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Points) != 2 || c.Points[0].Frames != 200 || c.Points[1].Frames != 400 {
		t.Fatalf("got %+v", c.Points)
	}
	for _, p := range c.Points {
		if names := slices.Collect(maps.Keys(p.Populations)); !slices.Equal(names, []string{"phi_gt_0"}) ||
			!(p.ESS.Value > 0) ||
			!(p.Score.Value > 0) || p.Steps < 1 {
			t.Errorf("got %+v", p)
		}
		if e := p.Populations["phi_gt_0"]; !(e.Value >= 0 && e.Value <= 1 && e.Error > 0) {
			t.Errorf("P(φ > 0): got %+v", e)
		}
	}
	if _, err := os.Stat(out + ".models"); !os.IsNotExist(err) {
		t.Errorf("models of a curve that is done are still there: %v", err)
	}
	// One that is done is taken up.
	o.Train.Progress = func(int, int, string) { t.Error("trained again") }
	again, err := LearningCurve(ctx, g.Backend, cgbg.PMF, in, out, o)
	if err != nil || !reflect.DeepEqual(again.Points, c.Points) {
		t.Errorf("again: got %+v, %v, want %+v", again, err, c.Points)
	}
	o.Train.Seed = 2
	if _, err := LearningCurve(ctx, g.Backend, cgbg.PMF, in, out, o); err == nil ||
		!strings.Contains(err.Error(), filepath.Base(out)) {
		t.Errorf("over a curve of another seed: got %v", err)
	}
	o.Question = &analysis.Question{}
	if _, err := LearningCurve(ctx, g.Backend, "potential", in, out, o); err == nil ||
		!strings.Contains(err.Error(), "flow or pmf") {
		t.Errorf("of no kind: got %v", err)
	}
}
