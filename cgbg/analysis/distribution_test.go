package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/data/ala2"
)

// Peptide bonds of real frames are as long as the force field has them, 0.1335 nm (AMBER's C–N), less a little for what
// torsion and angles pull.
func TestBonds(t *testing.T) {
	f, m, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewBondSet("explicit", "explicit water", figure.Simulation, f, m)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Results(1)
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	for _, r := range list {
		if math.Abs(r.Value-0.1335) > 0.002 || !(r.Error > 0 && r.Error < 2e-4) {
			t.Errorf("%s: got %g ± %g nm", r.Name, r.Value, r.Error)
		}
	}
	if p, err := BondFigure(1, s); err != nil || fixture.Drawn(p.PNG) != nil {
		t.Errorf("figure: %v", err)
	}
	other := *s
	other.Bonds = []string{"a–b"}
	if _, err := BondFigure(1, s, &other); err == nil {
		t.Error("other bonds: got no error")
	}
	m.Beads = []string{"a", "b", "c", "d", "e", "f"}
	if _, err := NewBondSet("x", "x", figure.Simulation, f, m); err == nil {
		t.Error("beads without peptide bonds: got no error")
	}
}

// An energy figure has the range of the simulation, whatever the proposal's tail.
func TestEnergyFigure(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	md, flow := Sample{Name: "MD", Role: figure.Simulation}, Sample{Name: "flow", Role: figure.Before}
	for range 5000 {
		md.X, flow.X = append(md.X, 5*rng.NormFloat64()),
			append(flow.X, 8*rng.NormFloat64()+1e6*math.Floor(1.01*rng.Float64()))
	}
	p, err := panel("", []Sample{md, flow}, rng)
	if err != nil {
		t.Fatal(err)
	}
	// 3.1 standard deviations and a twentieth of the range.
	if p.XMin < -25 || p.XMin > -12 || p.XMax > 25 || p.XMax < 12 {
		t.Errorf("range: got %g to %g", p.XMin, p.XMax)
	}
	// ±17 is all of the simulation, and 96.6 % of the 99 % of the flow that have no tail.
	for k, mass := range []float64{0.999, 0.957} {
		total := 0.0
		for i, y := range p.Series[k].Y {
			total += y * (p.Series[k].X[1] - p.Series[k].X[0])
			if !(p.Series[k].Error[i] >= 0) {
				t.Fatalf("series %d has no error at %g", k, p.Series[k].X[i])
			}
		}
		if math.Abs(total-mass) > 0.012 {
			t.Errorf("series %d: got a mass of %g in the range, want %g", k, total, mass)
		}
	}
	if f, err := EnergyFigure(1, nil, md, flow); err != nil || fixture.Drawn(f.PNG) != nil {
		t.Errorf("figure: %v", err)
	}
	md.Weight = []float64{1}
	if _, err := EnergyFigure(1, nil, md); err == nil {
		t.Error("one weight: got no error")
	}
}
