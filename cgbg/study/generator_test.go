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
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/data/ala2/models"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// benchmark is Core Beta in implicit water, held to all frames of one long simulation.
func benchmark(t *testing.T) *cgbg.Generator {
	t.Helper()
	t.Setenv(backend.ConfigEnv, "go")
	f, m, err := obc2.Metad9Dihedrals()
	if err != nil {
		t.Fatal(err)
	}
	reference, err := analysis.NewSet(alanine.Question(), analysis.Options{Name: "metad", Seed: 1}, f, m)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cgbg.Open(cgbg.Options{Name: "obc2/cb", Prefix: "obc2_cb", Models: models.FS(), Reference: reference,
		FlowFrames: map[string]analysis.Source{cgbg.Unbiased: obc2.UnbiasedCoreBeta,
			cgbg.Biased: obc2.Metad15CoreBeta},
		ForceFrames: map[string]analysis.Source{cgbg.Unbiased: obc2.UnbiasedCoreBeta, cgbg.Biased: obc2.Metad9CoreBeta},
		Preset:      "small", Seed: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// evaluated is the generator of the models that come along, with its samples of biased frames scored.
func evaluated(t *testing.T) (*cgbg.Generator, *analysis.Evaluation) {
	t.Helper()
	g := benchmark(t)
	e, err := g.Evaluate(context.Background(), cgbg.Biased, cgbg.Biased, nil)
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
	if s := e.After.All(); !(s.Scores.JS.Value < 2*s.Floor.JS.Value) {
		t.Errorf("JS %+v", s)
	}
	if names := fmt.Sprint(e.Results()); !strings.Contains(names, "obc2/cb/biased/b/js ") {
		t.Errorf("results %s", names)
	}
	v, err := verify(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.N != 4 || v.Fresh != 10 || !(v.Max < 0.05) || !(math.Abs(v.LogZ) < 5*v.LogZError) ||
		!(v.FreshESS.Value > 0.1) {
		t.Errorf("got %+v", v)
	}
	r, err := ComparePotentials(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := r.U.After.All().Scores.JS.Value - r.B.After.All().Scores.JS.Value
	if d := r.Difference.JS; d.Value != want || !(d.Error > 0) || slices.Equal(r.U.LogW, r.B.LogW) {
		t.Errorf("difference %+v, want %g", d, want)
	}
	if name := r.Results()[0].Name; name != "obc2/cb/biased/js_u_minus_b" {
		t.Errorf("the difference is called %s", name)
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
	rows, gain, err := corrections(ctx, g, cgbg.Biased, cgbg.Biased)
	if err != nil || len(rows) != 6 || !(gain.Value > 1) {
		t.Errorf("%d corrections, gain %+v, %v", len(rows), gain, err)
	}
	var curves []*Curve
	for _, kind := range []string{cgbg.Flow, cgbg.PMF} {
		c, err := ShippedCurve(g, kind)
		if err != nil || len(c.BySteps()) < 3 || len(c.ByFrames()) < 3 || c.Kind != kind {
			t.Fatalf("the curve of %s: got %+v, %v", kind, c, err)
		}
		curves = append(curves, c)
	}
	for name, draw := range map[string]func() (figure.Picture, error){
		"curves":   func() (figure.Picture, error) { return curveFigure([]string{"flow", "pmf"}, curves) },
		"energies": func() (figure.Picture, error) { return drawEnergies(ctx, g, cgbg.Biased, cgbg.Biased) },
		"bonds":    func() (figure.Picture, error) { return drawBonds(ctx, g, cgbg.Biased, cgbg.Biased) },
		"clipping": func() (figure.Picture, error) {
			return analysis.ClippingFigure([]string{"cb"}, [][]analysis.Clipped{clipped})
		},
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
	solvers, err := solvers(ctx, g, cgbg.Biased, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	euler, here := solvers[0], solvers[len(solvers)-1]
	if len(solvers) != 4 || here.N != 4 || !(here.RMS.Value < 0.01 && here.Max < 0.05) || !(euler.RMS.Value > 0.1) ||
		euler.Divergences != 100 {
		t.Errorf("solvers: got %+v", solvers)
	}
	until, err := until(ctx, g, cgbg.Biased, 500, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ess := until.Weights.ESS * float64(until.N); ess < 8 || until.N > 100 || until.N%4 != 0 {
		t.Errorf("until 8 effective samples: got %d, worth %g", until.N, ess)
	}
	mace, card, err := evaluateMACE(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	if mace.Name != "obc2/cb/biased/mace" || card.Kind != cgbg.PMF || !(mace.Weights.ESS > 0.15) ||
		slices.Equal(mace.LogW, e.LogW) {
		t.Errorf("MACE: %s, ESS %g", mace.Name, mace.Weights.ESS)
	}
	ensemble, err := Ensemble(ctx, g, cgbg.Biased, cgbg.Biased, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ensemble.Profiles(); err != nil || fixture.Drawn(p.PNG) != nil {
		t.Errorf("figure of the ensemble: %v, %v", err, fixture.Drawn(p.PNG))
	}
	if len(ensemble.Sets) != 2 || ensemble.Members != 2 || !(ensemble.Spread > 0) ||
		!(ensemble.Beyond >= 0 && ensemble.Beyond <= 1) || ensemble.ESS[0] == ensemble.ESS[1] {
		t.Errorf("ensemble %+v", ensemble)
	}
	forces, err := forceErrors(ctx, g, 100, map[string]analysis.Source{"metad": obc2.Metad9CoreBeta}, []string{"metad"})
	if err != nil {
		t.Fatal(err)
	}
	// Potentials of other forces agree on how much of the error is noise.
	if f := forces[0]; f.N != 100 || !(f.B.Value > f.Noise.Value/1.5 && f.B.Value < 1.5*f.Noise.Value) ||
		!(f.Out[1] > 0 && f.In[1] > 0) {
		t.Errorf("got %+v", f)
	}
}
