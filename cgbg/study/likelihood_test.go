package study

import (
	"context"
	"errors"
	"math"
	"os"
	"reflect"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// The story of notebook 05 with small networks: likelihoods rise with training, errors of ln q
// fall with the tolerance, the certificate holds, and what was found is taken up again.
func TestLikelihoods(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // notebook 05 asks the same
	t.Setenv(backend.ConfigEnv, "go")
	dir := t.TempDir()
	g, err := Learn("cb", "small", 3, dir, alanine.Question(), obc2.Metad15CoreBeta)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	fields, err := CompareFields(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := LearnFlows(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last := curve.Points[0], curve.Points[len(curve.Points)-1]
	if !(first.Steps < last.Steps) {
		t.Errorf("%d steps, then %d", first.Steps, last.Steps)
	}
	gain, e := last.NLL.Less(first.NLL)
	if !(gain > 3*e) || math.Abs(gain-(first.NLL.Mean-last.NLL.Mean)) > 1e-9 || !(e < first.NLL.Error) {
		t.Errorf("−ln q: got %g ± %g after %d steps, %g less ± %g after %d",
			first.NLL.Mean, first.NLL.Error, first.Steps, gain, e, last.Steps)
	}
	if p := fields.Published; p.Kind.Field != cgbg.GraphTransformer || !(p.Seconds > 0) ||
		!(fields.Steps.NLL.Mean < p.NLL.Mean) ||
		fields.Time != nil && fields.Time.Seconds > p.Seconds {
		t.Errorf("got %+v beside %+v and %+v", p, fields.Steps, fields.Time)
	}
	report, err := LogQErrors(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Some 1e-5 nat are the field's rounding to float32.
	rows := report.Rows
	for i, e := range rows[:len(rows)-1] {
		if i > 0 && e.Way == rows[i-1].Way && !((e.RMS < rows[i-1].RMS || e.RMS < 1e-4) &&
			e.Divergences > rows[i-1].Divergences) {
			t.Errorf("%s: got an error of %g with %g divergences; %s: %g with %g",
				e.Name, e.RMS, e.Divergences, rows[i-1].Name, rows[i-1].RMS, rows[i-1].Divergences)
		}
		if e.Way == publishedWay && e.Divergences != e.Evaluations {
			t.Errorf("%s: got %g divergences for %g velocities", e.Name, e.Divergences, e.Evaluations)
		}
	}
	c, err := Certify(ctx, g, cgbg.Biased)
	if err != nil {
		t.Fatal(err)
	}
	// The bound is for 99 of 100, but here from 16 checks, which may miss the tail.
	if !(c.Share+3*c.ShareError >= 0.99) || !(c.Bound > 0 && c.Bound < 0.1) || !(c.TripR < 1e-3) ||
		!(c.TripSelf < 0.05) {
		t.Errorf("got %+v", c)
	}
	takenUp(t, dir, fields, report, c)
	for _, list := range [][]result.Result{c.Results(), report.Results(), first.Results("x")} {
		for _, r := range list {
			if math.IsNaN(r.Value) {
				t.Errorf("%s is not a number", r.Name)
			}
		}
	}
	for name, draw := range map[string]func() ([]result.Figure, error){"errors": report.Figures,
		"learning": curve.Figures} {
		p, err := draw()
		if err != nil || len(p) != 1 || fixture.Drawn(p[0].PNG) != nil {
			t.Errorf("figure of %s: %v", name, err)
		}
	}
}

// takenUp asks again of what is in a folder: all that was found is there, and nothing is trained or found anew.
func takenUp(t *testing.T, dir string, fields *FieldComparison, report *LogQReport, c *Certificate) {
	t.Helper()
	again, err := Learn("cb", "small", 3, dir, alanine.Question(), obc2.Metad15CoreBeta)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	before, err := os.Stat(again.Path("certificate.json"))
	if err != nil {
		t.Fatal(err)
	}
	found := func(done, total int, note string) { t.Errorf("found again: %s, %d of %d", note, done, total) }
	for name, f := range map[string]func() (any, any, error){
		"fields": func() (any, any, error) {
			v, err := CompareFields(ctx, again, cgbg.Biased, found)
			return v, fields, err
		},
		"errors": func() (any, any, error) {
			v, err := LogQErrors(ctx, again, cgbg.Biased, found)
			return v, report, err
		},
		"certificate": func() (any, any, error) { v, err := Certify(ctx, again, cgbg.Biased); return v, c, err },
	} {
		if got, want, err := f(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s again: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	if after, err := os.Stat(again.Path("certificate.json")); err != nil || !os.SameFile(before, after) {
		t.Errorf("the certificate was written again (%v)", err)
	}
}

// What a study found is taken up without being found again, for the flow and the settings that it was found with.
func TestKeptLogQErrors(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	frames = frames.Slice(0, 300)
	dir := t.TempDir()
	open := func() *cgbg.Generator {
		t.Helper()
		load := func() (*data.Frames, data.Meta, error) { return frames, meta, nil }
		g, err := Learn("cb", "small", 1, dir, alanine.Question(), load)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	ctx := context.Background()
	g := open()
	m, _, err := g.With(equivariant.Options()).OpenFlow(ctx, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Finalize()
	want := []LogQError{{Name: "kept"}}
	rows := want
	keep := func(g *cgbg.Generator, find func() error) error {
		return keptOf(g, m, "logq-errors.json", []any{g.Settings.Checks, referenceTol, pathTol}, &rows, find)
	}
	if err := keep(g, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := LogQErrors(ctx, open(), cgbg.Biased, nil); err != nil || !reflect.DeepEqual(got.Rows, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	anew := errors.New("found anew")
	if err := keep(open(), func() error { return anew }); err != nil {
		t.Errorf("the same again: got %v", err)
	}
	g.Settings.Checks++
	if err := keep(g, func() error { return anew }); !errors.Is(err, anew) {
		t.Errorf("with other settings: got %v, want what is found", err)
	}
	g.Settings.Checks--
	if m, _, err = open().With(cgbg.TrainOptions{Field: cgbg.Equivariant, Epochs: 1}).OpenFlow(ctx, cgbg.Biased,
		nil); err != nil {
		t.Fatal(err)
	}
	defer m.Finalize()
	if err := keep(g, func() error { return anew }); !errors.Is(err, anew) {
		t.Errorf("of another flow: got %v, want what is found", err)
	}
}
