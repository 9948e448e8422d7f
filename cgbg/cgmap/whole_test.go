package cgmap

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// A molecule broken by any shift through a rectangular or a skew box comes back
// in one piece; a whole one is left as it is, to the last bit.
func TestWhole(t *testing.T) {
	s, err := gromacs.ReadGRO("../../data/gromacs/testdata/ala2.gro")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.bonds) != 21 {
		t.Fatalf("got %d bonds in the tree of 22 atoms, want 21", len(m.bonds))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, box := range map[string][9]float64{
		"cube": {2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3},
		"skew": {2.3, 0, 0, 0.7, 2.1, 0, -0.9, 0.8, 1.9},
		"none": {},
	} {
		r := slices.Clone(s.R)
		if moved, err := m.Whole(r, &box); err != nil || moved || !slices.Equal(r, s.R) {
			t.Errorf("%s: the whole molecule: moved %v, %v", name, moved, err)
		}
		broken := false
		for range 50 {
			shift := [3]float64{rng.Float64() * 3, rng.Float64() * 3, rng.Float64() * 3}
			for i := range len(r) / 3 {
				var x [3]float64
				for k := range x {
					x[k] = float64(s.R[3*i+k]) + shift[k]
				}
				for row := 2; row >= 0; row-- { // into the box, as GROMACS keeps atoms
					if box[4*row] > 0 {
						n := math.Floor(x[row] / box[4*row])
						for k := range x {
							x[k] -= n * box[3*row+k]
						}
					}
				}
				for k := range x {
					r[3*i+k] = float32(x[k])
				}
			}
			moved, err := m.Whole(r, &box)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			broken = broken || moved
			for i := range len(r) / 3 {
				for k := range 3 {
					got, want := r[3*i+k]-r[k], s.R[3*i+k]-s.R[k]
					if math.Abs(float64(got-want)) > 2e-6 {
						t.Fatalf("%s: atom %d, coordinate %d from the first atom: got %v, want %v", name, i, k, got, want)
					}
				}
			}
		}
		if broken != (name != "none") {
			t.Errorf("%s: broken by a shift: %v", name, broken)
		}
	}
	wrong := slices.Clone(s.R)
	wrong[0] += 0.9
	if _, err := m.Whole(wrong, &[9]float64{}); err == nil {
		t.Error("an atom far away: got no error")
	}
	if _, err := m.Whole(wrong[:6], &[9]float64{}); err == nil {
		t.Error("two atoms: got no error")
	}
}
