package study

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
)

// A generator that learns from one simulation runs with the small preset, and again with the same numbers.
func TestLearn(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	ctx := context.Background()
	run := func() (*cgbg.Generator, *analysis.Evaluation, string) {
		t.Helper()
		g, err := Learn("cb", "small", 2, t.TempDir(), alanine.Question(), ala2.CoreBeta)
		if err != nil {
			t.Fatal(err)
		}
		g.Settings.Samples, g.Settings.Checks = 100, 4
		e, err := g.Evaluate(ctx, cgbg.Biased, cgbg.Biased, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ReportDynamics(ctx, g, cgbg.Biased, nil)
		if err != nil {
			t.Fatal(err)
		}
		if js := d.Out.Scores.JS.Value; d.N != 8*20 || !(js > 0 && js < math.Ln2) {
			t.Errorf("dynamics: got %+v", d)
		}
		p, err := e.Figures()
		if err != nil || len(p) != 3 {
			t.Fatalf("%d figures, %v", len(p), err)
		}
		dynamics, err := d.Figures()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(p, dynamics...) {
			if err := fixture.Drawn(p.PNG); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		return g, e, fmt.Sprint(e.Results(), e.Weights, d.Results())
	}
	g, e, got := run()
	if _, _, want := run(); got != want {
		t.Errorf("the same seed: got\n%s\nwant\n%s", got, want)
	}
	file, err := g.Model(ctx, cgbg.Flow, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.Proposals(ctx, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := cgbg.DrawOptions{N: 100, Seed: g.Settings.Seed, Checks: 4}
	if d, err := cgbg.Draw(ctx, g.Backend, file, out, o); err != nil || d.Fresh || !(d.LogQBound <= 0.01) {
		t.Errorf("error of ln q: got %+v, %v", d, err)
	}
	// 0.042 by AWH's own final free energy; the error is that of correlated frames.
	if p := g.Reference.Split(); math.Abs(p.Value-0.042) > 0.003 || p.Error < 0.003 || p.Error > 0.1 {
		t.Errorf("P(φ > 0) of the simulation: got %+v", p)
	}
	if e.Weights.Reliable {
		t.Errorf("weights of such a model cannot be reliable: %s", e.Weights.Verdict)
	}
	// Kish's fraction of the weights of the frames, by cgbg info.
	if math.Abs(g.Reference.WeightESS-0.261) > 1e-3 {
		t.Errorf("ESS of the frames: got %g", g.Reference.WeightESS)
	}
}

// What cannot be learned from says so.
func TestLearnErrors(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	frames = frames.Slice(0, 300)
	load := func(f *data.Frames, m data.Meta) analysis.Source {
		return func() (*data.Frames, data.Meta, error) { return f, m, nil }
	}
	if _, err := Learn("cb", "huge", 1, t.TempDir(), alanine.Question(), load(frames, meta)); err == nil ||
		!strings.Contains(err.Error(), "quick") {
		t.Errorf("preset: got %v", err)
	}
	unknown := meta
	unknown.Beads = []string{"a", "b", "c", "d", "e", "f"}
	if _, err := Learn("cb", "small", 1, t.TempDir(), alanine.Question(), load(frames, unknown)); err == nil ||
		!strings.Contains(err.Error(), "phi") {
		t.Errorf("unknown beads: got %v", err)
	}
	noForces, noSpecies := *frames, meta
	noForces.F, noSpecies.Species = nil, nil
	for want, source := range map[string]analysis.Source{"forces": load(&noForces, meta),
		"species": load(frames, noSpecies)} {
		g, err := Learn("cb", "small", 1, t.TempDir(), alanine.Question(), source)
		if err == nil {
			g.PMF.Potential = cgbg.MACE // which needs the species, too
			_, err = g.Model(context.Background(), cgbg.PMF, cgbg.Biased, nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("frames without %s: got %v", want, err)
		}
	}
}

// A generator keeps its files by what it is trained on: other frames share no folder's models.
func TestLearnKeeps(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	frames = frames.Slice(0, 300)
	changed := *frames
	changed.R = slices.Clone(frames.R)
	changed.R[5] += 1e-3
	ctx, dir := context.Background(), t.TempDir()
	flow := func(f *data.Frames) string {
		t.Helper()
		load := func() (*data.Frames, data.Meta, error) { return f, meta, nil }
		g, err := Learn("cb", "small", 1, dir, alanine.Question(), load)
		if err != nil {
			t.Fatal(err)
		}
		file, err := g.Model(ctx, cgbg.Flow, cgbg.Biased, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := data.Checksum(ctx, file)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	first := flow(frames)
	if again := flow(frames); again != first {
		t.Error("the same frames: the flow was trained anew to something else")
	}
	if other := flow(&changed); other == first {
		t.Error("other frames: got the flow that was there")
	}
}
