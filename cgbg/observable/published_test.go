package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Samples of the reference's own law: the published value is above zero by the noise of
// the resamples beside that of the samples, twice the plain one for as many samples on both sides.
func TestScorePublished(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	const n, cells = 4000, 16
	draw := func(weighted bool) (s Torus) {
		for range n {
			k := rng.IntN(cells)
			s.Phi, s.Psi = append(s.Phi, -3+0.3*float64(k)), append(s.Psi, 0.1)
			if weighted {
				s.Weight = append(s.Weight, 0.5+float64(k%2)) // the odd half of the cells counts three times
			}
		}
		return s
	}
	r := Resampling{Resamples: 400, Rng: rng}
	plain, expect := 0.0, 0.0
	const repeats = 6
	for range repeats {
		a, b := draw(false), draw(false)
		s, err := ScoreTorus(a, b, Resampling{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := ScorePublished(a.Points(), b.Points(), r)
		if err != nil {
			t.Fatal(err)
		}
		plain += p.JS.Value - s.JS.Value
		expect += (cells - 1) / 8. * (1./n + 1./n)
		if !(p.JS.Error > 0 && p.JS.Error < p.JS.Value) || !(p.PMFError.Value > s.PMFError.Value) {
			t.Errorf("got %v for %v", p, s)
		}
	}
	if ratio := plain / expect; ratio < 0.8 || ratio > 1.2 {
		t.Errorf("the resamples add %g to JS, want %g", plain/repeats, expect/repeats)
	}
	// Weights decide how often a sample is drawn.
	a, b := draw(true), draw(true)
	p, err := ScorePublished(a.Points(), b.Points(), r)
	if err != nil || p.JS.Value > 0.01 {
		t.Errorf("the same weights on both sides: got %v, %v", p, err)
	}
	b.Weight = nil
	if q, err := ScorePublished(a.Points(), b.Points(), r); err != nil ||
		math.Abs(q.JS.Value-JS([]float64{3, 1}, []float64{2, 2})) > 0.01 {
		t.Errorf("weights on one side: got %v, %v, want %g", q, err, JS([]float64{3, 1}, []float64{2, 2}))
	}
	a.Weight = make([]float64, n)
	if _, err := ScorePublished(a.Points(), b.Points(), r); err == nil {
		t.Error("no weight: got no error")
	}
	if _, err := ScorePublished(b.Points(), b.Points(), Resampling{}); err == nil {
		t.Error("no resamples: got no error")
	}
}
