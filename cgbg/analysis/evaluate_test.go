package analysis

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
)

// found are results by their names behind a prefix.
func found(list []result.Result, prefix string) map[string]result.Result {
	out := map[string]result.Result{}
	for _, r := range list {
		out[strings.TrimPrefix(r.Name, prefix)] = r
	}
	return out
}

// Samples of a flow that is off, with exact weights, are samples of the truth: they score as the floors of a perfect
// model, and means and populations are the truth's. Those without the weights are as far as the laws are.
func TestSixBeads(t *testing.T) {
	q := six(t, "torsion", "end")
	f, m := truth.frames(20000, 1, nil)
	reference := asked(t, q, "md", f, m)
	samples, m := proposal.frames(20000, 2, &truth)
	e, err := Evaluate("six/run", 1, q, samples, m, reference)
	if err != nil {
		t.Fatal(err)
	}
	have := found(e.Results(), "six/run/")
	for _, name := range []string{"js", "pmf_error", "torsion/js", "torsion/pmf_error", "end/js", "end/pmf_error"} {
		r := have[name]
		if q := r.Value / r.Floor; !(q > 0.5 && q < 1.6) || !(r.Error > 0) { // floors are good to a fifth
			t.Errorf("%s: got %.3g ± %.2g with a floor of %.3g", name, r.Value, r.Error, r.Floor)
		}
	}
	before, after := have["js_before"], have["js"]
	if !(before.Value-after.Value > 10*math.Hypot(before.Error, after.Error)) {
		t.Errorf("js: got %.3g ± %.2g before, %.3g ± %.2g after", before.Value, before.Error, after.Value, after.Error)
	}
	plus, far := 1-truth.torsionBelow(math.Pi/6), 1-below(0.52, truth.mean, truth.sd)
	for name, want := range map[string]float64{"population/plus": plus, "population/plus_reference": plus,
		"population/far": far, "population/far_reference": far,
		"torsion/mean": truth.direction() * 180 / math.Pi, "end/mean": truth.mean} {
		r := have[name]
		if !(math.Abs(r.Value-want) < 5*r.Error) || !(r.Error < 0.02*(1+math.Abs(want))) {
			t.Errorf("%s: got %.4g ± %.2g, want %.4g", name, r.Value, r.Error, want)
		}
	}
	if e.Proposal.Populations[0].Value < plus+0.15 || have["torsion/mean"].Unit != "degrees" ||
		have["end/mean"].Unit != "nm" {
		t.Errorf("got %+v before, means %+v and %+v", e.Proposal.Populations, have["torsion/mean"], have["end/mean"])
	}
	// Of the laws themselves.
	c, err := Compare(1, e.Proposal, reference)
	if err != nil {
		t.Fatal(err)
	}
	part := func(below func(x float64) float64) func(lo, hi float64) float64 {
		return func(lo, hi float64) float64 { return below(hi) - below(lo) }
	}
	end := func(l law) func(x float64) float64 { return func(x float64) float64 { return below(x, l.mean, l.sd) } }
	want := []float64{exactJS(reference.Axes[0], part(truth.torsionBelow), part(proposal.torsionBelow)),
		exactJS(reference.Axes[1], part(end(truth)), part(end(proposal)))}
	for k, s := range c.Groups[1:] {
		if got := s.Scores.JS; !(math.Abs(got.Value-want[k]) < 5*got.Error+s.Floor.JS.Value) {
			t.Errorf("JS of %s without weights: got %.4g ± %.2g, want %.4g", q.Scored[k+1].Name, got.Value, got.Error,
				want[k])
		}
	}
	pictures, err := e.Figures()
	if err != nil || len(pictures) != 3 {
		t.Fatalf("got %d pictures, %v", len(pictures), err)
	}
	for _, p := range pictures {
		if err := fixture.Drawn(p.PNG); err != nil || len(p.SVG) == 0 || p.Alt == "" {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// Names of results are those that programs read.
func TestResultNames(t *testing.T) {
	samples, m := proposal.frames(400, 2, &truth)
	f, _ := truth.frames(400, 1, nil)
	both := []string{"js", "pmf_error", "torsion/js", "torsion/pmf_error", "end/js", "end/pmf_error",
		"js_before", "pmf_error_before", "js_clipped", "pmf_error_clipped"}
	first := []string{"end/js", "end/pmf_error", "torsion/js", "torsion/pmf_error",
		"end/js_before", "end/pmf_error_before", "end/js_clipped", "end/pmf_error_clipped"}
	split := []string{"torsion/js", "torsion/pmf_error", "torsion/js_rest", "torsion/pmf_error_rest",
		"end/js", "end/pmf_error",
		"torsion/js_before", "torsion/pmf_error_before", "torsion/js_before_rest", "torsion/pmf_error_before_rest",
		"torsion/js_clipped", "torsion/pmf_error_clipped", "torsion/js_clipped_rest", "torsion/pmf_error_clipped_rest",
		"in", "in_reference"}
	states := []string{"population/plus", "population/plus_reference", "population/far", "population/far_reference"}
	rest := []string{"torsion/mean", "end/mean", "ess", "ess_clipped", "khat", "max_weight", "verdict"}
	for _, c := range []struct {
		scored []string
		split  bool
		want   []string
	}{
		{[]string{"torsion", "end"}, false, slices.Concat(both, states, rest)},
		{[]string{"end"}, false, slices.Concat(first, states, rest)},
		{nil, true, slices.Concat(split, states, rest)},
	} {
		q := six(t, c.scored...)
		if c.split {
			q.Split = &Split{State: 0, In: "in", Out: "rest", Variable: 0, Lo: math.Pi / 6, Hi: math.Pi}
		}
		e, err := Evaluate("x", 1, q, samples, m, asked(t, q, "md", f, m))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range e.Results() {
			got = append(got, strings.TrimPrefix(r.Name, "x/"))
			if r.Text == "" && math.IsNaN(r.Value) {
				t.Errorf("%s is not a number", r.Name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("scored %q: got\n%q\nwant\n%q", c.scored, got, c.want)
		}
		if v := found(e.Results(), "x/")["verdict"]; v.Text == "" || v.Text != e.Weights.Verdict {
			t.Errorf("verdict: got %q", v.Text)
		}
		var text bytes.Buffer
		if e.Print(&text); !strings.Contains(text.String(), "x/population/far ") ||
			!strings.Contains(text.String(), e.Weights.Verdict) {
			t.Errorf("printed: got\n%s", text.String())
		}
	}
}

// Without a reference there are no scores, but all that the samples say by themselves, and the pictures.
func TestNoReference(t *testing.T) {
	samples, m := proposal.frames(2000, 2, &truth)
	e, err := Evaluate("x", 1, six(t, "end", "torsion"), samples, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range e.Results() {
		names = append(names, strings.TrimPrefix(r.Name, "x/"))
	}
	if want := []string{"population/plus", "population/far", "torsion/mean", "end/mean",
		"ess", "ess_clipped", "khat", "max_weight", "verdict"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if e.Before != nil || e.After != nil || e.AfterClips != nil || e.Reference != nil {
		t.Errorf("got scores of nothing: %+v", e)
	}
	if p, want := e.Samples.Populations[0], 1-truth.torsionBelow(math.Pi/6); !(math.Abs(p.Value-want) < 5*p.Error) {
		t.Errorf("population: got %+v, want %g", p, want)
	}
	pictures, err := e.Figures()
	if err != nil || len(pictures) != 3 {
		t.Fatalf("got %d pictures, %v", len(pictures), err)
	}
	for _, p := range pictures {
		if err := fixture.Drawn(p.PNG); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if _, err := e.Clipping(); err == nil {
		t.Error("clipping without a reference: got no error")
	}
}

// What cannot be evaluated says so.
func TestEvaluateErrors(t *testing.T) {
	q := six(t)
	f, m := truth.frames(400, 1, nil)
	reference := asked(t, q, "md", f, m)
	samples, _ := proposal.frames(400, 2, &truth)
	warm, unknown := m, m
	warm.Temperature, unknown.Temperature = 310, 0
	for name, c := range map[string]struct {
		f    *data.Frames
		m    data.Meta
		want string
	}{
		"no weights":          {f, m, ErrNoWeights.Error()},
		"another temperature": {samples, warm, "kT"},
		"no temperature":      {samples, unknown, "temperature"},
	} {
		_, err := Evaluate("x", 1, q, c.f, c.m, reference)
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			(name == "no weights") != errors.Is(err, ErrNoWeights) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m.Beads = []string{"a", "b", "c", "d", "e", "g"}
	if _, err := Evaluate("x", 1, q, samples, m, reference); err == nil || !strings.Contains(err.Error(), "torsion") {
		t.Errorf("other beads: got %v", err)
	}
}

// Even weights of another law are reliable as weights, and the verdict says that they are far from the reference; of
// the right law it says nothing of the kind.
func TestVerdict(t *testing.T) {
	q := six(t)
	f, m := truth.frames(4000, 3, nil)
	reference, err := NewSet(q, Options{Name: "md"}, f, m)
	if err != nil {
		t.Fatal(err)
	}
	for name, as := range map[string]law{"truth": truth, "another law": proposal} {
		samples, meta := as.frames(4000, 4, nil)
		samples.LogW = make([]float64, samples.Len())
		e, err := Evaluate("x", 1, q, samples, meta, reference)
		if err != nil {
			t.Fatal(err)
		}
		far := strings.Contains(e.Verdict(), "far from the reference")
		if !e.Weights.Reliable || far != (name == "another law") || e.Words() != e.Verdict() {
			t.Errorf("%s: got %q", name, e.Verdict())
		}
	}
}

// Where one sample has all the weight, resamples do not scatter, and the mean is as unsure as one sample is.
func TestMeansOfOneSample(t *testing.T) {
	f, m := truth.frames(500, 5, nil)
	s := asked(t, six(t, "torsion", "end"), "md", f, m)
	s.Weight = make([]float64, s.Len())
	s.Weight[7], s.Effective = 1, 1
	means, err := s.means(1)
	if err != nil {
		t.Fatal(err)
	}
	if end := means[1]; end.Value != s.Values[1][7] || math.Abs(end.Error/truth.sd-1) > 0.2 {
		t.Errorf("end: got %v ± %v, want ± %v", end.Value, end.Error, truth.sd)
	}
	if torsion := means[0]; !(torsion.Error > 0.3) {
		t.Errorf("torsion: got ± %v", torsion.Error)
	}
}
