package observable

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// dihedralsOf are φ and ψ of a set in two dimensions, every step-th frame.
func dihedralsOf(t *testing.T, step int) Torus {
	t.Helper()
	f, _, err := obc2.Metad9Dihedrals()
	if err != nil {
		t.Fatal(err)
	}
	set := Torus{Block: 20}
	for i := 0; i < f.Len(); i += step {
		set.Phi, set.Psi = append(set.Phi, float64(f.R[2*i])), append(set.Psi, float64(f.R[2*i+1]))
		set.Weight = append(set.Weight, math.Exp(f.LogW[i]-f.LogW[0]))
	}
	return set
}

// Two circles of real frames have the cells of TorusHistogram to the last bit, and so its scores.
func TestTwoCircles(t *testing.T) {
	set := dihedralsOf(t, 3)
	n := len(set.Phi) / 2
	part := func(i, j int) Torus { return Torus{set.Phi[i:j], set.Psi[i:j], set.Weight[i:j], set.Block} }
	a, b := part(0, n), part(n, 2*n)
	var h [2]Histogram2D
	for k, s := range []Torus{a, b} {
		var err error
		if h[k], err = TorusHistogram(s.Phi, s.Psi, s.Weight); err != nil {
			t.Fatal(err)
		}
		c, err := s.Points().cells()
		if err != nil {
			t.Fatal(err)
		}
		mass := make([]float64, c.n)
		if c.mass(mass, nil); !slices.Equal(mass, h[k].Mass) {
			t.Error("another histogram")
		}
	}
	s, err := Score(a.Points(), b.Points(), Resampling{})
	if err != nil {
		t.Fatal(err)
	}
	if s.JS.Value != JS(h[0].Mass, h[1].Mass) || s.PMFError.Value != pmfError(h[0].Mass, h[1].Mass) {
		t.Errorf("got %v, want %v and %v", s, JS(h[0].Mass, h[1].Mass), pmfError(h[0].Mass, h[1].Mass))
	}
}

// A turn further is the same place on a circle, and beyond the end of an interval, where pictures have nothing.
func TestTurns(t *testing.T) {
	set := dihedralsOf(t, 50)
	there, further := set.Points(), set.Points()
	further.X = [][]float64{slices.Clone(set.Phi), slices.Clone(set.Psi)}
	for k, x := range further.X {
		for i := range x {
			x[i] += 2 * math.Pi * float64(2-3*k)
		}
	}
	s, err := Score(there, further, Resampling{})
	if err != nil || s.JS.Value > 1e-4 { // rounding may carry one of 6,400 frames into the next cell
		t.Errorf("turned: got %v, %v", s, err)
	}
	for k := range further.Axes {
		further.Axes = slices.Clone(further.Axes)
		further.Axes[k].Periodic = false
	}
	if _, err := NewMap(further, [2]float64{}, 1); !errors.Is(err, ErrNoMass) {
		t.Errorf("a map of what is beyond an interval: got %v, want ErrNoMass", err)
	}
	if g, want := set.Points().Inefficiency(), slowestWave(set); g != want || g <= 1 {
		t.Errorf("inefficiency: got %g, want %g", g, want)
	}
}

// What a model has beyond the range of the reference scores: half of it there is half a stranger, and all of it ln 2.
func TestBeyondTheRange(t *testing.T) {
	x := normals(4000, 17)
	axes := []Axis{{Lo: -5, Hi: 5, Bins: 50}}
	moved := func(from int, by float64) Points {
		y := slices.Clone(x)
		for i := from; i < len(y); i++ {
			y[i] += by
		}
		return Points{X: [][]float64{y}, Axes: axes}
	}
	there := moved(0, 0)
	for _, by := range []float64{20, -20} {
		far, err := Score(moved(0, by), there, Resampling{})
		if err != nil || math.Abs(far.JS.Value-math.Ln2) > 1e-3 || !(far.PMFError.Value > 100) {
			t.Errorf("all of it: got %v, %v, want ln 2", far, err)
		}
		half, err := Score(moved(2000, by), there, Resampling{})
		if want := JS([]float64{0.5, 0.5}, []float64{1, 0}); err != nil || math.Abs(half.JS.Value-want) > 0.01 {
			t.Errorf("half of it: got %v, %v, want %g", half, err, want)
		}
	}
}

// Weights may have any range: what they make of a cell is above the 1e-10 of one that is empty.
func TestLeastCell(t *testing.T) {
	want := pmfError([]float64{1, 0}, []float64{1, 1})
	for _, tiny := range []float64{1e-320, 1e-200, 1e-11} {
		if got := pmfError([]float64{1, tiny}, []float64{1, 1}); math.Abs(got-want) > 1e-6 {
			t.Errorf("%g: got %g, want %g", tiny, got, want)
		}
	}
}

func slowestWave(t Torus) float64 {
	g := 1.
	for _, angle := range [][]float64{t.Phi, t.Psi} {
		for _, f := range []func(float64) float64{math.Cos, math.Sin} {
			x := make([]float64, len(angle))
			for i, v := range angle {
				x[i] = f(v)
			}
			g = max(g, Inefficiency(x))
		}
	}
	return g
}

// One variable scores as a plain count of bins, those at the ends with what is beyond, and its error is that of
// drawing blocks again.
func TestOneVariable(t *testing.T) {
	const n, bins = 3000, 20
	a, b := normals(n, 31), normals(n, 32)
	w := make([]float64, n)
	for i, x := range a {
		w[i] = math.Exp(0.3 * x)
	}
	count := func(x, w []float64) []float64 {
		h := make([]float64, bins)
		for i, v := range x {
			k := math.Floor((v + 2) / 4 * bins)
			h[int(math.Max(0, math.Min(k, bins-1)))] += weight(w, i)
		}
		return h
	}
	axis := []Axis{{Lo: -2, Hi: 2, Bins: bins}}
	model := Points{X: [][]float64{a}, Axes: axis, Weight: w, Block: 3}
	reference := Points{X: [][]float64{b}, Axes: axis}
	s, err := Score(model, reference, Resampling{Resamples: 200, Rng: newRNG(1)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "JS", s.JS.Value, JS(count(a, w), count(b, nil)), algebra)
	near(t, "PMF error", s.PMFError.Value, pmfError(count(a, w), count(b, nil)), algebra)
	if !(s.JS.Error > 0 && s.JS.Error < s.JS.Value) {
		t.Errorf("JS %v ± %v", s.JS.Value, s.JS.Error)
	}
	d, err := ScoreDifference(model, model, reference, Resampling{Resamples: 20, Rng: newRNG(1)})
	if err != nil || d.JS != (Estimate{}) {
		t.Errorf("the difference from itself: got %v, %v", d, err)
	}
}

// Law: an exact model of one variable on an interval scores like the floors, which know the reference alone; to leading
// order they are (bins − 1)/8 (1/n + 1/N) in JS.
func TestFloorsOfOneVariable(t *testing.T) {
	const n, bins, repeats = 20_000, 10, 200
	rng := newRNG(41)
	uniform := func(n int) Points {
		x := make([]float64, n)
		for i := range x {
			x[i] = rng.Float64()
		}
		return Points{X: [][]float64{x}, Axes: []Axis{{Lo: 0, Hi: 1, Bins: bins}}}
	}
	reference := uniform(n)
	order := func(n, m float64) float64 { return (bins - 1) / 8. * (1/n + 1/m) }
	draw := Resampling{Rng: rng}
	for name, c := range map[string]struct {
		floor func() (Scores, error)
		want  float64
	}{
		"reference": {func() (Scores, error) { return FloorReference(reference, n, repeats, rng) },
			order(n, n/2) + order(n/2, math.Inf(1))},
		"halves":  {func() (Scores, error) { return FloorHalves(reference, repeats, draw) }, order(n/2, n/2)},
		"perfect": {func() (Scores, error) { return FloorPerfect(reference, repeats, draw) }, order(n, math.Inf(1))},
	} {
		s, err := c.floor()
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, s.JS.Value/c.want, 1, 0.25) // one set's counts, χ² of 9 degrees, and 200 repeats
	}
	sum := 0.
	for range repeats {
		s, err := Score(uniform(n), uniform(n), Resampling{})
		if err != nil {
			t.Fatal(err)
		}
		sum += s.JS.Value / repeats
	}
	near(t, "exact models", sum/order(n, n), 1, 5*math.Sqrt(2./9/repeats))
}

func TestPointsErrors(t *testing.T) {
	x := []float64{0.1, 0.2}
	line, circle := Axis{Lo: 0, Hi: 1, Bins: 2}, Axis{Lo: 0, Hi: 1, Bins: 2, Periodic: true}
	good := Points{X: [][]float64{x}, Axes: []Axis{line}}
	for name, c := range map[string]struct {
		model Points
		want  string
	}{
		"another range": {Points{X: [][]float64{x}, Axes: []Axis{{Lo: 0, Hi: 2, Bins: 2}}}, "score both on one"},
		"a circle":      {Points{X: [][]float64{x}, Axes: []Axis{circle}}, "score both on one"},
		"two":           {Points{X: [][]float64{x, x}, Axes: []Axis{line, line}}, "score both on one"},
		"a NaN":         {Points{X: [][]float64{{0, math.NaN()}}, Axes: []Axis{line}}, "NaN"},
		"weights":       {Points{X: [][]float64{x}, Axes: []Axis{line}, Weight: x[:1]}, "1 weights for 2"},
		"no axis":       {Points{X: [][]float64{x, x}, Axes: []Axis{line}}, "2 variables on 1 axes"},
	} {
		for of, score := range map[string]func(a, b Points, r Resampling) (Scores, error){
			"Score": Score, "ScorePublished": ScorePublished,
			"ScoreDifference": func(a, b Points, r Resampling) (Scores, error) { return ScoreDifference(a, a, b, r) },
		} {
			reference := good
			if name == "no axis" {
				reference.Axes = c.model.Axes
			}
			_, err := score(c.model, reference, Resampling{Resamples: 2, Rng: rand.New(rand.NewPCG(1, 1))})
			if err == nil || !strings.HasPrefix(err.Error(), "observable: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: got %v, want %q", of, name, err, c.want)
			}
		}
	}
	for name, p := range map[string]Points{
		"none":     {},
		"three":    {X: [][]float64{x, x, x}, Axes: []Axis{line, line, line}},
		"no bins":  {X: [][]float64{x}, Axes: []Axis{{Lo: 0, Hi: 1}}},
		"no range": {X: [][]float64{x}, Axes: []Axis{{Lo: 1, Hi: 1, Bins: 3}}},
		"many cells": {X: [][]float64{x, x},
			Axes: []Axis{{Lo: 0, Hi: 1, Bins: 1 << 40}, {Lo: 0, Hi: 1, Bins: 1 << 40}}},
		"lengths": {X: [][]float64{x, x[:1]}, Axes: []Axis{line, line}},
	} {
		if _, err := Score(p, p, Resampling{}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
