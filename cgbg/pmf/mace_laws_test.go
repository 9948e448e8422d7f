package pmf

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestMACEInvariance turns, shifts and reflects a frame and exchanges two beads of one species.
func TestMACEInvariance(t *testing.T) {
	m, _ := lively(t, small["published degrees"])
	r := conformations(1)
	want, force, err := m.EnergyForce(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	c, s := math.Cos(0.7), math.Sin(0.7)
	each := func(r []float64, f func(v [3]float64) [3]float64) []float64 {
		var out []float64
		for i := 0; i < len(r); i += 3 {
			v := f([3]float64(r[i : i+3]))
			out = append(out, v[:]...)
		}
		return out
	}
	turn := func(v [3]float64) [3]float64 { return [3]float64{c*v[0] - s*v[1], s*v[0] + c*v[1], v[2]} }
	mirror := func(v [3]float64) [3]float64 { return [3]float64{v[0], v[1], -v[2]} }
	swap := func(r []float64) []float64 { // beads 2 and 3
		return slices.Concat(r[:6], r[9:12], r[6:9])
	}
	for name, move := range map[string][2]func([]float64) []float64{
		"rotation": {func(r []float64) []float64 { return each(r, turn) },
			func(f []float64) []float64 { return each(f, turn) }},
		"reflection": {func(r []float64) []float64 { return each(r, mirror) },
			func(f []float64) []float64 { return each(f, mirror) }},
		"translation": {func(r []float64) []float64 {
			return each(r, func(v [3]float64) [3]float64 { return [3]float64{v[0] + 1, v[1] - 2, v[2] + 0.5} })
		}, slices.Clone[[]float64]},
		"permutation": {swap, swap},
	} {
		u, f, err := m.EnergyForce(context.Background(), move[0](r))
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Max(worst(t, u, want), worst(t, f, move[1](force))); !(d <= 1e-10*(1+rms(force))) {
			t.Errorf("%s: energy or forces change by %.2g", name, d)
		}
	}
}

// TestMACECutoff: energy and force of a pair are continuous at the cutoff, and constant beyond.
func TestMACECutoff(t *testing.T) {
	p := small["published degrees"]
	p.Species = []int{0, 1}
	m, _ := lively(t, p)
	var r []float64
	for _, d := range []float64{0.45, 0.5 - 1e-7, 0.5 + 1e-7, 0.7} {
		r = append(r, 0, 0, 0, 0.6*d, 0.8*d, 0)
	}
	u, f, err := m.EnergyForce(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(u[0]-u[3]) > 1e-8) {
		t.Fatalf("energies %g and %g inside and outside: nothing to test", u[0], u[3])
	}
	if d := math.Max(math.Abs(u[1]-u[3]), math.Abs(u[2]-u[3])); !(d <= 1e-6*math.Abs(u[0]-u[3])) {
		t.Errorf("the energy jumps by %g at the cutoff", d)
	}
	if jump, far := rms(f[6:18]), rms(f[18:]); !(jump <= 1e-6*rms(f[:6])) || far != 0 {
		t.Errorf("the force is %g at the cutoff, %g beyond, %g inside", jump, far, rms(f[:6]))
	}
}
