package cgbg

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/models"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// benchmark is Core Beta in implicit water, with every so many of its frames.
func benchmark(t *testing.T, every int) Ingredients {
	t.Helper()
	thin := func(load func() (*data.Frames, data.Meta, error)) func() (*data.Frames, data.Meta, error) {
		return func() (*data.Frames, data.Meta, error) {
			f, m, err := load()
			if err != nil {
				return nil, m, err
			}
			out := &data.Frames{}
			for i := 0; i < f.Len(); i += every {
				out.Append(f.Slice(i, i+1))
			}
			return out, m, nil
		}
	}
	f, m, err := obc2.Metad9Dihedrals()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := NewDataset("", 1, "metad", f, m)
	if err != nil {
		t.Fatal(err)
	}
	return Ingredients{Name: "obc2/cb", Prefix: "obc2_cb", Models: models.FS(), Reference: ref,
		FlowFrames:  map[string]func() (*data.Frames, data.Meta, error){Unbiased: thin(obc2.UnbiasedCoreBeta), Biased: thin(obc2.Metad15CoreBeta)},
		ForceFrames: map[string]func() (*data.Frames, data.Meta, error){Unbiased: thin(obc2.UnbiasedCoreBeta), Biased: thin(obc2.Metad9CoreBeta)}}
}

// evaluated is the generator of the models that come along, with its samples of biased frames scored.
func evaluated(t *testing.T) (*Generator, *Evaluation) {
	t.Helper()
	t.Setenv(backend.ConfigEnv, "go")
	g, err := NewGenerator("small", 1, t.TempDir(), false, benchmark(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	e, err := g.Evaluate(context.Background(), Biased, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g, e
}

// The models that come with the repository give, on any backend, the samples that
// come with them: the same densities, new samples worth as much, scores near the floor.
func TestGenerator(t *testing.T) {
	if testing.Short() {
		t.Skip("draws samples on the Go backend")
	}
	ctx := context.Background()
	g, e := evaluated(t)
	if n := e.Weights.N; n != 300 || !(e.Weights.ESS > 0.2) || !(e.Weights.KHat < 0.7) {
		t.Errorf("%d samples, ESS %g, k %g", n, e.Weights.ESS, e.Weights.KHat)
	}
	if s := e.After.All; !(s.Scores.JS.Value < 2*s.Floor.JS.Value) {
		t.Errorf("JS %+v", s)
	}
	if names := fmt.Sprint(e.Results()); !strings.Contains(names, "obc2/cb/biased/b/js ") {
		t.Errorf("results %s", names)
	}
	v, err := g.Verify(ctx, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.N != 4 || v.Fresh != 10 || !(v.Max < 0.05) || !(math.Abs(v.LogZ) < 5*v.LogZError) || !(v.FreshESS.Value > 0.1) {
		t.Errorf("got %+v", v)
	}
	r, err := g.ComparePotentials(ctx, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Difference.JS; d.Value != r.U.After.All.Scores.JS.Value-r.B.After.All.Scores.JS.Value || !(d.Error > 0) || slices.Equal(r.U.LogW, r.B.LogW) {
		t.Errorf("difference %+v", d)
	}
	clipped, err := e.Clipping()
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(clipped); i++ {
		if clipped[i].ESS.Value < clipped[0].ESS.Value/2 || clipped[0].ESS.Value != e.Weights.ESS {
			t.Errorf("clipped %+v", clipped)
		}
	}
	rows, gain, err := g.Corrections(ctx, Biased, Biased)
	if err != nil || len(rows) != 6 || !(gain.Value > 1) {
		t.Errorf("%d corrections, gain %+v, %v", len(rows), gain, err)
	}
	var curves []*Curve
	for _, kind := range []string{"flow", "pmf"} {
		c, err := g.Curve(kind)
		if err != nil || len(c.BySteps()) < 3 || len(c.ByFrames()) < 3 || c.Kind != kind {
			t.Fatalf("the curve of %s: got %+v, %v", kind, c, err)
		}
		curves = append(curves, c)
	}
	for name, draw := range map[string]func() (figure.Picture, error){
		"curves":   func() (figure.Picture, error) { return CurveFigure([]string{"flow", "pmf"}, curves) },
		"energies": func() (figure.Picture, error) { return g.Energies(ctx, Biased, Biased) },
		"bonds":    func() (figure.Picture, error) { return g.Bonds(ctx, Biased, Biased) },
		"clipping": func() (figure.Picture, error) { return ClippingFigure([]string{"cb"}, [][]Clipped{clipped}) },
		"profiles": r.Profiles,
		"maps":     r.Maps,
	} {
		p, err := draw()
		if err == nil {
			err = fixture.Drawn(p.PNG)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What notebooks 04 and 06 ask of the models that come with the repository, too.
func TestGeneratorQuestions(t *testing.T) {
	fixture.SkipUnlessHeavy(t)
	ctx := context.Background()
	g, e := evaluated(t)
	solvers, err := g.Solvers(ctx, Biased, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	euler, here := solvers[0], solvers[len(solvers)-1]
	if len(solvers) != 4 || here.N != 4 || !(here.RMS.Value < 0.01 && here.Max < 0.05) || !(euler.RMS.Value > 0.1) || euler.Divergences != 100 {
		t.Errorf("solvers: got %+v", solvers)
	}
	until, err := g.Until(ctx, Biased, 500, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ess := until.Weights.ESS * float64(until.N); ess < 8 || until.N > 100 || until.N%4 != 0 {
		t.Errorf("until 8 effective samples: got %d, worth %g", until.N, ess)
	}
	mace, card, err := g.EvaluateMACE(ctx, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if mace.Name != "obc2/cb/biased/mace" || card.Kind != "pmf" || !(mace.Weights.ESS > 0.15) || slices.Equal(mace.LogW, e.LogW) {
		t.Errorf("MACE: %s, ESS %g", mace.Name, mace.Weights.ESS)
	}
	ensemble, err := g.Ensemble(ctx, Biased, Biased, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ensemble.Profiles(); err != nil || fixture.Drawn(p.PNG) != nil || len(ensemble.Members) != 2 || !(ensemble.Spread > 0) || !(ensemble.Beyond >= 0 && ensemble.Beyond <= 1) || ensemble.ESS[0] == ensemble.ESS[1] {
		t.Errorf("ensemble %+v, %v", ensemble, err)
	}
	forces, err := g.ForceErrors(ctx, 100, map[string]func() (*data.Frames, data.Meta, error){"metad": obc2.Metad9CoreBeta}, []string{"metad"})
	if err != nil {
		t.Fatal(err)
	}
	// Potentials of other forces agree on how much of the error is noise.
	if f := forces[0]; f.N != 200 || !(f.B.Value > f.Noise.Value/1.5 && f.B.Value < 1.5*f.Noise.Value) || !(f.Left[1] > 0 && f.Right[1] > 0) {
		t.Errorf("got %+v", f)
	}
}

// Without models, or when asked, they are trained from the frames.
func TestGeneratorTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on the Go backend")
	}
	t.Setenv(backend.ConfigEnv, "go")
	in := benchmark(t, 60)
	in.Models = nil
	g, err := NewGenerator("small", 1, t.TempDir(), false, in)
	if err != nil {
		t.Fatal(err)
	}
	f, meta, err := g.Samples(context.Background(), Biased, Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 300 || len(f.LogW) != 300 || len(meta.Beads) != 6 {
		t.Errorf("%d samples of %q", f.Len(), meta.Beads)
	}
	if _, err := NewGenerator("huge", 1, "", false, in); err == nil {
		t.Error("an unknown preset passed")
	}
}
