package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// everyTerm is a prior of four beads with terms of every kind, away from rest.
var everyTerm = Prior{
	Bonds:      []Bond{{0, 1, 0.2, 3000}, {2, 1, 0.25, 2000}},
	Angles:     []Angle{{0, 1, 2, -0.3, 40}, {1, 2, 3, 0.5, 20}},
	Repulsions: []Repulsion{{0, 3, 0.25, 2}, {3, 1, 0.2, 1}},
}

// plainPrior is the energy of one frame, kJ/mol, by loops; MACE's tests hold the
// graph to it, its forces to finite differences, and its form in files.
func plainPrior(p Prior, r, box []float64) (u float64) {
	vector := func(i, j int) (d [3]float64) {
		for axis := range d {
			d[axis] = r[3*j+axis] - r[3*i+axis]
			if box != nil {
				d[axis] -= box[axis] * math.Round(d[axis]/box[axis])
			}
		}
		return d
	}
	length := func(v [3]float64) float64 { return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]) }
	for _, b := range p.Bonds {
		u += b.K / 2 * math.Pow(length(vector(b.I, b.J))-b.Length, 2)
	}
	for _, a := range p.Angles {
		v, w := vector(a.J, a.I), vector(a.J, a.L)
		cos := (v[0]*w[0] + v[1]*w[1] + v[2]*w[2]) / length(v) / length(w)
		u += a.K / 2 * math.Pow(cos-a.Cos, 2)
	}
	for _, s := range p.Repulsions {
		u += s.Epsilon * math.Pow(s.Sigma/length(vector(s.I, s.J)), 6)
	}
	return u
}

// TestNewPrior recovers springs from frames with Gaussian lengths and cosines.
func TestNewPrior(t *testing.T) {
	const n, kT = 20_000, 2.5
	rng := rand.New(rand.NewPCG(7, 7))
	want := Prior{
		Bonds:  []Bond{{0, 1, 0.15, 20_000}, {1, 2, 0.2, 10_000}, {2, 3, 0.15, 20_000}},
		Angles: []Angle{{2, 1, 0, -0.4, 500}, {3, 2, 1, -0.2, 800}},
	}
	// next is at distance d from b, in an angle from a, anywhere around.
	next := func(a, b [3]float64, d, cos float64) (c [3]float64) {
		u := [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]}
		z := [3]float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
		along, norm := dot(u, z)/dot(u, u), 0.0
		for axis := range z {
			z[axis] -= along * u[axis]
		}
		norm = math.Sqrt(dot(z, z))
		for axis := range c {
			c[axis] = b[axis] + d*(cos*u[axis]/math.Sqrt(dot(u, u))+math.Sqrt(1-cos*cos)*z[axis]/norm)
		}
		return c
	}
	var frames []float32
	least := math.Inf(1)
	for range n {
		var d [3]float64
		for k, b := range want.Bonds {
			d[k] = b.Length + math.Sqrt(kT/b.K)*rng.NormFloat64()
		}
		beads := [][3]float64{{1, 2, 3}, {1 + d[0], 2, 3}}
		for k, a := range want.Angles {
			beads = append(beads, next(beads[k], beads[k+1], d[k+1], a.Cos+math.Sqrt(kT/a.K)*rng.NormFloat64()))
		}
		v := [3]float64{beads[3][0] - beads[0][0], beads[3][1] - beads[0][1], beads[3][2] - beads[0][2]}
		least = math.Min(least, math.Sqrt(dot(v, v)))
		for _, b := range beads {
			frames = append(frames, float32(b[0]), float32(b[1]), float32(b[2]))
		}
	}
	got, err := NewPrior(frames, 4, [][2]int{{0, 1}, {1, 2}, {2, 3}}, kT, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Bonds) != 3 || len(got.Angles) != 2 || len(got.Repulsions) != 1 {
		t.Fatalf("got %+v", got)
	}
	// Standard errors: of a mean √(variance/n), of a variance √(2/n) of it.
	agree := func(what string, mean, k, wantMean, wantK float64) {
		if math.Abs(mean-wantMean) > 5*math.Sqrt(kT/wantK/n) || math.Abs(k/wantK-1) > 5*math.Sqrt(2./n) {
			t.Errorf("%s: got %g with k = %g, want %g with %g", what, mean, k, wantMean, wantK)
		}
	}
	for k, b := range want.Bonds {
		g := got.Bonds[k]
		agree("bond", g.Length, g.K, b.Length, b.K)
		if g.I != b.I || g.J != b.J {
			t.Errorf("bond %d: got %+v", k, g)
		}
	}
	for k, a := range want.Angles {
		g := got.Angles[k]
		agree("angle", g.Cos, g.K, a.Cos, a.K)
		if g.I != a.I || g.J != a.J || g.L != a.L {
			t.Errorf("angle %d: got %+v, want %+v", k, g, a)
		}
	}
	if s := got.Repulsions[0]; s.I != 0 || s.J != 3 || s.Epsilon != kT || math.Abs(s.Sigma-least) > 1e-6 {
		t.Errorf("got %+v, want beads 0 and 3 to have kT at %g nm", s, least)
	}
}

func TestPriorErrors(t *testing.T) {
	rigid := []float32{0, 0, 0, 0.1, 0, 0, 0, 0.1, 0, 5, 5, 5, 5.1, 5, 5, 5, 5.2, 5}
	for name, bonds := range map[string][][2]int{"no such bead": {{0, 3}}, "one bead": {{1, 1}},
		"constrained": {{0, 1}}} {
		if _, err := NewPrior(rigid, 3, bonds, 2.5, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewPrior(rigid[1:], 3, nil, 2.5, nil); err == nil {
		t.Error("a number missing: no error")
	}
	for name, p := range map[string]Prior{
		"bond":      {Bonds: []Bond{{0, 4, 1, 1}}},
		"angle":     {Angles: []Angle{{0, 1, 0, 1, 1}}},
		"repulsion": {Repulsions: []Repulsion{{2, 2, 1, 1}}},
	} {
		m := small["prior"]
		if m.Prior = p; m.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Two beads that are 0.14 or 0.16 nm apart, at 300 K.
func ExampleNewPrior() {
	frames := []float32{0, 0, 0, 0.14, 0, 0, 0, 0, 0, 0.16, 0, 0}
	p, err := NewPrior(frames, 2, [][2]int{{0, 1}}, 2.494, nil)
	if err != nil {
		panic(err)
	}
	fmt.Printf("a bond of %.2f nm, %.0f kJ/mol/nm²\n", p.Bonds[0].Length, p.Bonds[0].K)
	// Output: a bond of 0.15 nm, 24940 kJ/mol/nm²
}
