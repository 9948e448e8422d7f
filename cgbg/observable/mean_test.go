package observable

import (
	"errors"
	"math"
	"testing"

	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Independent samples: the errors of a mean and of a share are the textbook's, 1/√n and √(p(1−p)/n); of pairs of
// copies in blocks of two they are those of half as many.
func TestMeanAndPopulation(t *testing.T) {
	const n = 4000
	x := normals(n, 101)
	in := make([]bool, n)
	var mean, share float64
	for i, v := range x {
		in[i] = v > 1
		mean += v / n
		if in[i] {
			share += 1. / n
		}
	}
	r := Resampling{Resamples: 400, Rng: newRNG(1)}
	m, err := Mean(x, nil, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", m.Value, mean, algebra)
	near(t, "its error", m.Error*math.Sqrt(n), 1, 0.15)
	p, err := Population(in, nil, r)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "population", p.Value, share, algebra)
	near(t, "its error", p.Error/math.Sqrt(share*(1-share)/n), 1, 0.15)

	var twice []float64
	for _, v := range x {
		twice = append(twice, v, v)
	}
	r.Block = 40
	if m, err = Mean(twice, nil, 0, r); err != nil {
		t.Fatal(err)
	}
	near(t, "error of copies", m.Error*math.Sqrt(n), 1, 0.15)
}

// On a circle the mean is a direction: that of a narrow distribution across the end is there, with the error of as many
// numbers, whatever the period; turning all turns the mean.
func TestMeanOnCircle(t *testing.T) {
	const n, width = 4000, 0.1
	x := normals(n, 103)
	for _, period := range []float64{2 * math.Pi, 360} {
		turn := period / (2 * math.Pi)
		at := func(middle float64) []float64 {
			y := make([]float64, n)
			for i, v := range x {
				y[i] = math.Remainder(turn*(middle+width*v), period)
			}
			return y
		}
		for _, middle := range []float64{0, 3.1, math.Pi, -2} {
			m, err := Mean(at(middle), nil, period, Resampling{Resamples: 200, Rng: newRNG(2)})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "direction", math.Remainder(m.Value/turn-middle, 2*math.Pi), 0, 5*width/math.Sqrt(n))
			near(t, "its error", m.Error/turn/(width/math.Sqrt(n)), 1, 0.2)
		}
	}
	if _, err := Mean([]float64{0, math.Pi}, nil, 2*math.Pi, Resampling{}); err == nil {
		t.Error("opposite points: got no error")
	}
}

// Weights: w = exp(x) turns N(0, 1) into N(1, 1), of whose samples Φ(1) are above zero; a NaN without weight does not
// count.
func TestMeanWeighted(t *testing.T) {
	x := normals(50_000, 105)
	w, in := make([]float64, len(x)), make([]bool, len(x))
	for i, v := range x {
		w[i], in[i] = math.Exp(v), v > 0
	}
	x[7], w[7] = math.NaN(), 0
	r := Resampling{Resamples: 100, Rng: newRNG(3)}
	m, err := Mean(x, w, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", m.Value, 1, 5*m.Error)
	p, err := Population(in, w, r)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "population", p.Value, 0.5*math.Erfc(-1/math.Sqrt2), 5*p.Error)
	if m.Error > 0.02 || p.Error > 0.01 || !(m.Error > 0) || !(p.Error > 0) {
		t.Errorf("errors %g and %g", m.Error, p.Error)
	}
	w = make([]float64, len(x))
	for name, f := range map[string]func() (Estimate, error){
		"mean":       func() (Estimate, error) { return Mean(x, w, 0, r) },
		"circle":     func() (Estimate, error) { return Mean(x, w, 1, r) },
		"population": func() (Estimate, error) { return Population(in, w, r) },
	} {
		if _, err := f(); !errors.Is(err, ErrNoMass) {
			t.Errorf("%s: got %v, want ErrNoMass", name, err)
		}
	}
	if _, err := Mean(x, nil, 0, r); err == nil {
		t.Error("a NaN with weight: got no error")
	}
}

// Real frames: P(φ > 0) of weighted metadynamics is 0.023 (data/ala2/obc2), from the text of its variable and state.
func TestPopulationOfRealFrames(t *testing.T) {
	f, m, err := obc2.Metad9Dihedrals()
	if err != nil {
		t.Fatal(err)
	}
	phi := parsed(t, "phi", "phi(ALA2)")
	s, err := ParseState("left", "phi > 0", []Variable{phi})
	if err != nil {
		t.Fatal(err)
	}
	x, err := phi.Of(f, m)
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.In(map[string][]float64{"phi": x})
	if err != nil {
		t.Fatal(err)
	}
	w := make([]float64, f.Len())
	for i, l := range f.LogW {
		w[i] = math.Exp(l - f.LogW[0])
	}
	p, err := Population(in, w, Resampling{Resamples: 20, Block: 2000, Rng: newRNG(4)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "P(φ > 0)", p.Value, 0.023, 0.001)
	if !(p.Error > 1e-4 && p.Error < 0.01) {
		t.Errorf("error %g", p.Error)
	}
}
