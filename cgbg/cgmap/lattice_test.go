package cgmap

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The nearest image is that of a search through many images, in boxes of any shape,
// also those whose vectors are far from the shortest, and from any number of boxes away.
func TestNearestImage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	for name, box := range map[string][9]float64{
		"cube":       {2, 0, 0, 0, 2, 0, 0, 0, 2},
		"brick":      {1, 0, 0, 0, 2, 0, 0, 0, 5},
		"octahedron": {2, 0, 0, 2. / 3, 1.8856181, 0, -2. / 3, 0.9428090, 1.6329932}, // as GROMACS writes it
		"charmm's": {2.2131760, -0.4426352, -0.4426352, -0.4426352, 2.2131760, -0.4426352, -0.4426352, -0.4426352,
			2.2131760},
		"dodecahedron": {2, 0, 0, 0, 2, 0, 1, 1, 1.4142136},
		"hexagonal":    {2, 0, 0, -1, 1.7320508, 0, 0, 0, 3},
		"needle":       {2, 0, 0, 5.9, 2, 0, -7.7, 4.4, 2},
		"left-handed":  {0, 0, 2, 0, 2, 0.5, 2, 0.3, 0},
		"slab":         {2, 0, 0, 0.9, 2, 0, 0, 0, 0},
		"tube":         {0, 0, 0, 0, 0, 0, 0.3, 0.4, 1.2},
		"none":         {},
	} {
		l, err := newLattice(&box)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		least := math.Inf(1)
		images := func(visit func(v vector)) {
			const n = 7
			for c := range n * n * n {
				var v vector
				for k, count := range [3]int{c/(n*n) - n/2, c/n%n - n/2, c%n - n/2} {
					if k < len(l.basis) {
						v = v.plus(l.basis[k], float64(count))
					}
				}
				visit(v)
			}
		}
		images(func(v vector) {
			if v.norm() > 1e-9 {
				least = min(least, v.norm())
			}
		})
		if math.Abs(l.shortest-least) > 1e-9 && !math.IsInf(least, 1) {
			t.Errorf("%s: the shortest vector has %g nm, want %g", name, l.shortest, least)
		}
		for range 200 {
			d := vector{rng.Float64()*4 - 2, rng.Float64()*4 - 2, rng.Float64()*4 - 2}
			want := math.Inf(1)
			images(func(v vector) { want = min(want, d.plus(v, 1).norm()) })
			far := d
			for row := range 3 {
				far = far.plus(vector{box[3*row], box[3*row+1], box[3*row+2]}, float64(rng.IntN(41)-20))
			}
			for _, x := range []vector{d, far} {
				if got := l.nearest(x).norm(); math.Abs(got-want) > 1e-9 {
					t.Fatalf("%s: %v: the nearest image has %g nm, want %g", name, x, got, want)
				}
			}
		}
	}
	for _, box := range [][9]float64{
		{1, 0, 0, 2, 0, 0, 0, 0, 1}, {1, 0, 0, 0, 1, 0, 1, 1, 0}, {math.NaN(), 0, 0, 0, 1, 0, 0, 0, 1},
		{math.Inf(1), 0, 0, 0, 1, 0, 0, 0, 1},
	} {
		if l, err := newLattice(&box); err == nil {
			t.Errorf("%v: got a lattice %v", box, l.basis)
		}
	}
}

func FuzzNearest(f *testing.F) {
	f.Add(2., 0., 0., 0.5, 2., 0., 0.3, -0.4, 3., 7., -5., 1.)
	f.Add(1e-3, 0., 0., 1e6, 1., 0., 0., 1e9, 1., 1e9, 0., 0.)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, f, g, h, i, x, y, z float64) {
		box := [9]float64{a, b, c, d, e, f, g, h, i}
		l, err := newLattice(&box)
		if err != nil || math.IsNaN(x+y+z) || math.IsInf(x+y+z, 0) {
			return
		}
		if v := (vector{x, y, z}); v.norm() < 1e6*l.shortest {
			if n := l.nearest(v); n.norm() > v.norm()*(1+1e-9) {
				t.Errorf("%v: nearest %v of %v", box, n, v)
			}
		}
	})
}
