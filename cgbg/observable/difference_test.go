package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The difference of two weights of the same samples is that of their scores, and
// its error, from the same draws for both, is far smaller than theirs.
func TestScoreDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	set := func(n int) Torus {
		s := Torus{Block: 1}
		for range n {
			s.Phi = append(s.Phi, math.Remainder(0.5*rng.NormFloat64(), 2*math.Pi))
			s.Psi = append(s.Psi, math.Remainder(0.5*rng.NormFloat64(), 2*math.Pi))
			s.Weight = append(s.Weight, 1)
		}
		return s
	}
	a, reference := set(2000), set(4000)
	b := a
	b.Weight = make([]float64, len(a.Phi))
	for i, phi := range a.Phi {
		b.Weight[i] = math.Exp(0.3 * phi)
	}
	r := Resampling{Resamples: 200, Rng: rng}
	d, err := ScoreDifference(a.Points(), b.Points(), reference.Points(), r)
	if err != nil {
		t.Fatal(err)
	}
	sa, err := ScoreTorus(a, reference, r)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := ScoreTorus(b, reference, r)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.JS.Value, sa.JS.Value-sb.JS.Value; got != want {
		t.Errorf("difference %g, want %g", got, want)
	}
	if got, want := d.PMFError.Value, sa.PMFError.Value-sb.PMFError.Value; got != want {
		t.Errorf("difference of PMF errors %g, want %g", got, want)
	}
	if apart := math.Hypot(sa.JS.Error, sb.JS.Error); !(d.JS.Error > 0 && d.JS.Error < 0.7*apart) {
		t.Errorf("error %g of the difference, %g if the samples were not the same", d.JS.Error, apart)
	}
	if _, err := ScoreDifference(a.Points(), set(2000).Points(), reference.Points(), r); err == nil {
		t.Error("other samples passed")
	}
}
