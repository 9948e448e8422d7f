package figure

import (
	"math"
	"testing"
)

// bells are three densities about mean: a simulation's with a band, and a flow's before and after.
func bells(mean, sd float64, title string) Distribution {
	d := Distribution{Title: title}
	for k, name := range []string{"MD", "flow", "flow, reweighted"} {
		s := Series{Name: name, Role: []Role{Simulation, Before, After}[k]}
		for i := range 90 {
			z := -4 + 9*(float64(i)+0.5)/90
			wide := 1 + 0.3*float64(k%2)
			s.X = append(s.X, mean+z*sd)
			s.Y = append(s.Y, math.Exp(-z*z/(2*wide*wide))/(sd*wide*math.Sqrt(2*math.Pi)))
			s.Error = append(s.Error, 0.05*s.Y[i]+0.01/sd)
		}
		d.Series = append(d.Series, s)
	}
	return d
}

// basins is a free energy with two minima at negative φ, not sampled everywhere.
func basins(title string) ramachandran {
	return ramachandran{Title: title, F: func(phi, psi float64) float64 {
		f := 4 - 2*math.Cos(phi+1.4) - 1.5*math.Cos(2*psi+0.4)
		if phi > 0.5 && phi < 2 {
			return math.Inf(1)
		}
		return f
	}}
}

// The range of a distribution holds all of it but a thousandth on either side, the widest series deciding.
func TestBulk(t *testing.T) {
	flat := Series{Y: make([]float64, 4000)}
	narrow := Series{X: []float64{1000, 2000}, Y: []float64{5, 5}}
	for i := range flat.Y {
		flat.X, flat.Y[i] = append(flat.X, float64(i)), 1
	}
	if lo, hi := bulk([]Series{narrow, flat}); lo != 4 || hi != 3995 {
		t.Errorf("got %g to %g, want 4 to 3995", lo, hi)
	}
	if lo, hi := bulk([]Series{{X: []float64{3}, Y: []float64{1}}}); !(hi > lo) {
		t.Errorf("one bin: got %g to %g", lo, hi)
	}
}

// Scales have six to ten round bands.
func TestRoundStep(t *testing.T) {
	for top, want := range map[float64]float64{32: 4, 5.25: 0.75, 30: 3, 25: 2.5, 10: 1, 16: 2, 0.8: 0.1,
		11.3: 11.3 / 8} {
		if got := roundStep(top); math.Abs(got-want) > 1e-12*want {
			t.Errorf("%g: got %g, want %g", top, got, want)
		}
	}
	for step, want := range map[float64]int{4: 0, 0.75: 2, 1.5: 1, 0.1: 1, 1.4125: 3} {
		if got := places(step); got != want {
			t.Errorf("decimals of %g: got %d, want %d", step, got, want)
		}
	}
}
