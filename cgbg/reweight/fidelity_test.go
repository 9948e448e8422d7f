package reweight

import (
	"math"
	"strings"
	"testing"
)

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1e-9: "below 0.001 %", 0.00123: "0.12 %", 0.0996: "10 %",
		0.2: "20 %", 0.604: "60 %", 1: "100 %"} {
		if got := Percent(share); got != want {
			t.Errorf("%g: got %q, want %q", share, got, want)
		}
	}
}

// Weights that are as good as can be do not hide samples of wrong hands or of bonds too wide.
func TestFidelity(t *testing.T) {
	fine := make([]float64, 2000)
	at := func(v float64) Estimate { return Estimate{Value: v, Error: 0.01} }
	good := Fidelity{N: 2000, Centres: 3, Bonds: 5, Angles: 5, BondWidthBefore: at(1.1), AngleWidthBefore: at(1.1),
		BondWidth: at(1), AngleWidth: at(1)}
	for _, c := range []struct {
		name   string
		change func(f *Fidelity)
		want   Status
		words  string
	}{
		{"good", func(*Fidelity) {}, Good, "reliable: "},
		{"nothing known", func(f *Fidelity) { *f = Fidelity{} }, Good, "reliable: "},
		{"a fifth of wrong hands", func(f *Fidelity) { f.WrongHand = at(0.2) }, Noisy,
			"20 % of the samples have a wrong hand"},
		{"half of wrong hands", func(f *Fidelity) { f.WrongHand = at(0.52) }, Unreliable, "undertrained"},
		{"wide bonds", func(f *Fidelity) { f.BondWidthBefore = at(1.7) }, Noisy, "bonds are 1.7 times as wide"},
		{"bonds three times too wide", func(f *Fidelity) { f.BondWidthBefore = at(3.1) }, Unreliable, "undertrained"},
		{"angles three times too wide", func(f *Fidelity) { f.AngleWidthBefore = at(3.1) }, Unreliable,
			"angles are 3.1 times"},
		{"a few outliers", func(f *Fidelity) { f.BondWidthBefore = Estimate{Value: 3, Error: 1} }, Good, "reliable: "},
		{"a soft potential", func(f *Fidelity) { f.BondWidth = at(1.5) }, Noisy, "improve the PMF"},
		{"a far too soft potential", func(f *Fidelity) { f.BondWidth, f.AngleWidth = at(2.5), at(2.5) }, Unreliable,
			"improve the PMF"},
		{"a stiff potential", func(f *Fidelity) { f.AngleWidth = at(0.6) }, Noisy, "reweighted angles are 0.6 times"},
		{"wrong hands with weight", func(f *Fidelity) { f.WrongHand, f.WrongWeight = at(0.05), 0.04 }, Unreliable,
			"4 % of the weight"},
	} {
		f := good
		c.change(&f)
		s := Summarize(fine).With(f)
		if s.Status != c.want || s.Reliable != (c.want != Unreliable) || !strings.Contains(s.Verdict, c.words) {
			t.Errorf("%s: got %v, %q, want %v with %q", c.name, s.Status, s.Verdict, c.want, c.words)
		}
		if n := strings.Count(s.Verdict, "improve the PMF"); n > 1 {
			t.Errorf("%s: a cure %d times: %q", c.name, n, s.Verdict)
		}
	}
	none := []float64{math.Inf(-1), math.Inf(-1)}
	if s := Summarize(none).With(Fidelity{N: 2, WrongHand: Share(2, 2)}); s.Reliable ||
		!strings.Contains(s.Verdict, "100 % of the samples have a wrong hand") || s.Err == nil {
		t.Errorf("no weight at all: got %+v", s)
	}
	if got := Share(25, 100); got.Value != 0.25 || math.Abs(got.Error-math.Sqrt(0.25*0.75/100)) > 1e-15 {
		t.Errorf("share: got %v", got)
	}
}
