package study

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/alanine"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data/ala2"
)

// All kinds of flow are weighed by one potential, that of the settings as by Evaluate. Of flows of a few steps the
// equivariant one is the most likely by far, and the published one has bonds that are too soft.
func TestAlanineFlows(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // notebook 02 compares them, too
	t.Setenv(backend.ConfigEnv, "go")
	g, err := Learn("cb", "small", 2, t.TempDir(), alanine.Question(), ala2.CoreBeta)
	if err != nil {
		t.Fatal(err)
	}
	g.Settings.Samples, g.Settings.Checks = 40, 2 // the published flows take long on the Go backend
	ctx := context.Background()
	flows, err := CompareFlows(ctx, g, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := g.Evaluate(ctx, cgbg.Biased, cgbg.Biased, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ess, nll []float64
	for _, f := range flows {
		ess, nll = append(ess, f.Evaluation.Weights.ESS), append(nll, f.Flow.NLL.Mean)
	}
	if want := e.Weights.ESS; ess[2] != want || ess[0] == want || ess[1] == want {
		t.Errorf("ESS of the flows: got %g, want %g in the last place alone", ess, want)
	}
	if nll[1] == nll[0] || !(nll[2] < nll[0]-5) || len(flows[1].Results()) == 0 {
		t.Errorf("-ln q: got %g", nll)
	}
	energies, err := EnergyRanges(ctx, g, cgbg.Biased, [2]string{"ALA2:N", "ALA2:CA"}, FlowKinds)
	if err != nil {
		t.Fatal(err)
	}
	// AMBER's bond N–CA is 337 kcal/mol/Å² x², so that √(kT/2k) = 0.0297 Å at 300 K.
	if b := energies[0].Bond; len(energies) != 5 || math.Abs(b-0.003) > 3e-4 || !(energies[2].Bond > b) {
		t.Errorf("energies: got %+v", energies)
	}
	if e := energies[0]; !(e.Low < e.Median && e.Median < e.High && e.Low < 0 && e.High > 0) {
		t.Errorf("energies of the frames about their mean: got %+v", e)
	}
}

// Potentials by their names: the frames tell the published one species and neighbours.
func TestPotentialsByName(t *testing.T) {
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	s, err := cgbg.NewSettings("small", 1)
	if err == nil {
		s, err = s.WithPotential(cgbg.MACE)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.NewPotential(frames.R, frames.Beads, meta.Species, units.KT(meta.Temperature))
	if err != nil {
		t.Fatal(err)
	}
	// All six beads of a frame are within the cutoff of each other but for a few pairs; two species, C and N.
	if m, ok := p.(pmf.MACE); !ok || !(m.Neighbours > 4.9 && m.Neighbours <= 5) ||
		fmt.Sprint(m.Species) != "[0 1 0 0 0 1]" ||
		m.Rows != 2 {
		t.Errorf("MACE of the frames: got %+v", p)
	}
	if s, err = s.WithPotential("distances"); err == nil {
		p, err = s.NewPotential(frames.R, frames.Beads, meta.Species, units.KT(meta.Temperature))
	}
	if _, ok := p.(pmf.PairMLP); !ok || err != nil {
		t.Errorf("the potential on distances: got %T, %v", p, err)
	}
	g, err := Learn("cb", "small", 2, t.TempDir(), alanine.Question(), ala2.CoreBeta)
	if err != nil {
		t.Fatal(err)
	}
	g.PMF.Potential = "none"
	_, err = g.OpenPMF(context.Background(), cgbg.Biased, "the frames", meta)
	if err == nil || !strings.Contains(err.Error(), cgbg.Invariant) {
		t.Errorf("an unknown potential: got %v", err)
	}
}
