package cgmap

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap/waterbox"
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
		// As GROMACS writes them.
		"octahedron":    {2.3, 0, 0, 2.3 / 3, 2.1684608, 0, -2.3 / 3, 1.0842304, 1.8779423},
		"dodecahedron":  {2.3, 0, 0, 0, 2.3, 0, 1.15, 1.15, 1.6263456},
		"almost a cube": {2.3, 0.004, -0.008, 0.004, 2.3, 0.006, -0.008, 0.006, 2.3},
		// Shorter than the molecule, longer than two bonds.
		"small": {0.75, 0, 0, 0, 0.75, 0, 0, 0, 0.75},
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
						t.Fatalf("%s: atom %d, coordinate %d from the first atom: got %v, want %v", name, i, k, got,
							want)
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

// pair is two dipeptides d nm apart along x, as one structure.
func pair(t *testing.T, d float32) *gromacs.Structure {
	t.Helper()
	one := ala2(t)
	s := &gromacs.Structure{Title: "pair", Atoms: slices.Clone(one.Atoms), R: slices.Clone(one.R),
		Box: [9]float64{3, 0, 0, 0, 3, 0, 0, 0, 3}}
	for i, a := range one.Atoms {
		a.ResidueNumber += 3
		s.Atoms = append(s.Atoms, a)
		s.R = append(s.R, one.R[3*i]+d, one.R[3*i+1], one.R[3*i+2])
	}
	return s
}

func (s setup) of(t *testing.T, name string) (*Map, *Molecule) {
	t.Helper()
	c, err := New(name, s.structure)
	if err != nil {
		t.Fatal(err)
	}
	all, err := NewMolecule(s.structure)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.For(s.structure, c)
	if err != nil {
		t.Fatal(err)
	}
	return c, m
}

type setup struct{ structure *gromacs.Structure }

// Of two molecules the second comes to the nearest image of the first; where both are there, nothing moves.
func TestTwoMolecules(t *testing.T) {
	s := pair(t, 0.9)
	_, m := setup{s}.of(t, HeavyAtom)
	if len(m.parts) != 2 {
		t.Fatalf("got %d molecules, want 2", len(m.parts))
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for name, box := range map[string][9]float64{"cube": s.Box, "skew": {3, 0, 0, 1.4, 2.9, 0, -1.2, 1.3, 2.7}} {
		r := slices.Clone(s.R)
		if moved, err := m.Whole(r, &box); moved || err != nil || !slices.Equal(r, s.R) {
			t.Errorf("%s: beside each other: moved %v, %v", name, moved, err)
		}
		for range 50 {
			copy(r, s.R)
			shift := vector{}
			for row := range 3 { // the second in another image
				shift = shift.plus(vector{box[3*row], box[3*row+1], box[3*row+2]}, float64(rng.IntN(7)-3))
			}
			for i := 22; i < 44; i++ {
				for k := range 3 {
					r[3*i+k] += float32(shift[k])
				}
			}
			if rng.IntN(2) == 0 {
				waterbox.Torn(r, box, [3]float64{3 * rng.Float64(), 3 * rng.Float64(), 3 * rng.Float64()})
			}
			if _, err := m.Whole(r, &box); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range r {
				if got, want := r[i]-r[i%3], s.R[i]-s.R[i%3]; math.Abs(float64(got-want)) > 5e-6 {
					t.Fatalf("%s: atom %d: got %v from the first, want %v", name, i/3, got, want)
				}
			}
		}
	}
	if m.Far() != 0 {
		t.Errorf("got %d frames with molecules far apart, want 0", m.Far())
	}
	r := slices.Clone(s.R)
	for i := 22; i < 44; i++ {
		r[3*i], r[3*i+1] = r[3*i]+0.4, r[3*i+1]+1.45
	}
	if _, err := m.Whole(r, &s.Box); err != nil || m.Far() != 1 {
		t.Errorf("half the box apart: %v, %d frames, want 1", err, m.Far())
	}
}

// Three molecules in a row: the third is beside the second, not at the image next to the first.
func TestMoleculesInARow(t *testing.T) {
	s := pair(t, 1)
	one := ala2(t)
	for i, a := range one.Atoms {
		a.ResidueNumber += 6
		s.Atoms = append(s.Atoms, a)
		s.R = append(s.R, one.R[3*i]+1.9, one.R[3*i+1], one.R[3*i+2])
	}
	s.Box[0] = 3.5
	_, m := setup{s}.of(t, CoreBeta)
	r := slices.Clone(s.R)
	if moved, err := m.Whole(r, &s.Box); err != nil || moved {
		t.Errorf("in their places: moved %v, %v", moved, err)
	}
	waterbox.Torn(r, s.Box, [3]float64{})
	if _, err := m.Whole(r, &s.Box); err != nil {
		t.Fatal(err)
	}
	for i := range r {
		if got, want := r[i]-r[i%3], s.R[i]-s.R[i%3]; math.Abs(float64(got-want)) > 5e-6 {
			t.Fatalf("atom %d: got %v from the first, want %v", i/3, got, want)
		}
	}
}

// A bead of two molecules is at the mean of the near images, and refused where these are not known.
func TestBeadOfTwoMolecules(t *testing.T) {
	s := pair(t, 0.9)
	c, err := Parse(strings.NewReader("a C @9 @31\nb C @5\n"), "two.map", s)
	if err != nil {
		t.Fatal(err)
	}
	all, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.For(s, c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.Apply(nil, s.R)
	if err != nil {
		t.Fatal(err)
	}
	r := slices.Clone(s.R)
	for i := 22; i < 44; i++ {
		r[3*i] -= 3
	}
	if moved, err := m.Whole(r, &s.Box); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	got, err := c.Apply(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Errorf("number %d: got %v, want %v", i, got[i], want[i])
		}
	}
	for i := 22; i < 44; i++ {
		r[3*i+1] += 1.45
	}
	if _, err := m.Whole(r, &s.Box); err == nil || !strings.Contains(err.Error(), "bead a is of several molecules") {
		t.Errorf("far apart: got %v", err)
	}
}

// What is wrong with a structure, or a frame, is said.
func TestNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *gromacs.Structure)
		want   string
	}{
		"zero":    {func(s *gromacs.Structure) { clear(s.R) }, "more than 8 atoms lie within a bond"},
		"overlap": {func(s *gromacs.Structure) { copy(s.R[3*4:3*5], s.R[3*8:3*9]) }, "lie on one another"},
		"ångström": {func(s *gromacs.Structure) {
			for i := range s.R {
				s.R[i] *= 10
			}
			s.Box = [9]float64{}
		}, "another unit"},
		"torn": {func(s *gromacs.Structure) {
			waterbox.Torn(s.R, [9]float64{0, 0, 0, 0, 0, 0, 0, 0, 2.3}, [3]float64{0, 0, 2.3 - float64(s.R[3*8+2])})
			s.Box = [9]float64{}
		}, "has no box"},
		"torn between residues": {func(s *gromacs.Structure) {
			for i := 16; i < 22; i++ {
				s.R[3*i] += 2.3
			}
			s.Box = [9]float64{}
		}, "ALA2:C to NME3:N"},
		"flat box": {func(s *gromacs.Structure) { s.Box = [9]float64{1, 0, 0, 1, 0, 0, 0, 0, 1} }, "are no box"},
	} {
		s := ala2(t)
		s.R = slices.Clone(s.R)
		c.change(s)
		m, err := NewMolecule(s)
		if err == nil {
			var heavy *Map
			if heavy, err = New(HeavyAtom, s); err != nil {
				t.Fatal(err)
			}
			_, err = m.For(s, heavy)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	s := ala2(t)
	_, m := setup{s}.of(t, HeavyAtom)
	r := slices.Clone(s.R)
	for i := 16; i < 22; i++ {
		r[3*i] += 2.3
	}
	if _, err := m.Whole(slices.Clone(r), &[9]float64{}); err == nil ||
		!strings.Contains(err.Error(), "there is no box") {
		t.Errorf("torn without a box: got %v", err)
	}
	if _, err := m.Whole(slices.Clone(r), &[9]float64{1.9, 0, 0, 0, 1.9, 0, 0, 0, 1.9}); err == nil ||
		!strings.Contains(err.Error(), "same order") {
		t.Errorf("torn by another box: got %v", err)
	}
}

// Of two readings of a cell the one that makes bonds short is taken; where no bond tells, it is an error.
func TestTwoBoxes(t *testing.T) {
	s := pair(t, 0.9)
	_, m := setup{s}.of(t, HeavyAtom)
	wrong := [9]float64{3, 0, 0, 0.9, 2.86, 0, 0, 0, 3}
	for _, boxes := range [][2][9]float64{{s.Box, wrong}, {wrong, s.Box}} {
		f := gromacs.Frame{R: slices.Clone(s.R), Box: boxes[0], OtherBox: boxes[1]}
		if moved, err := m.WholeFrame(&f); moved || err != nil || !slices.Equal(f.R, s.R) {
			t.Errorf("whole: moved %v, %v", moved, err)
		}
		waterbox.Torn(f.R, s.Box, [3]float64{0, 3 - float64(s.R[3*8+1]), 0})
		if moved, err := m.WholeFrame(&f); !moved || err != nil || f.Box != s.Box {
			t.Errorf("torn: moved %v by %v, %v", moved, f.Box, err)
		}
		f = gromacs.Frame{R: slices.Clone(s.R), Box: boxes[0], OtherBox: boxes[1]}
		for i := 22; i < 44; i++ {
			f.R[3*i+1] += 3
		}
		again := slices.Clone(f.R)
		if _, err := m.WholeFrame(&f); err != nil || f.Box != s.Box || !m.Decided() { // as in frames before
			t.Errorf("in another image: got %v, box %v", err, f.Box)
		}
		_, fresh := setup{s}.of(t, HeavyAtom)
		f = gromacs.Frame{R: again, Box: boxes[0], OtherBox: boxes[1]}
		if _, err := fresh.WholeFrame(&f); err == nil || !strings.Contains(err.Error(), "no bond tells") ||
			fresh.Decided() {
			t.Errorf("in another image, first of all: got %v", err)
		}
	}
}

// Sites that are no atoms go with their molecule; metals and ions make no bonds; the two atoms of H2 do, those of a
// methyl group do not.
func TestSitesAndIons(t *testing.T) {
	s := &gromacs.Structure{Box: [9]float64{3, 0, 0, 0, 3, 0, 0, 0, 3}}
	add := func(residue string, number int, name string, x, y, z float32) {
		s.Atoms = append(s.Atoms, gromacs.Atom{Name: name, Residue: residue, ResidueNumber: number})
		s.R = append(s.R, x, y, z)
	}
	add("SOL", 1, "OW", 0.02, 1, 1)
	add("SOL", 1, "HW1", 2.96, 1.075, 1)
	add("SOL", 1, "HW2", 0.1157, 1, 1)
	add("SOL", 1, "MW", 0.03, 1.01, 1)
	add("NA", 2, "NA", 0.22, 1, 1)
	add("ZN", 3, "ZN", 0.02, 1, 1.2)
	add("CL", 4, "CL", 0.02, 1.18, 1.18)
	add("H2", 5, "H1", 2, 2, 2)
	add("H2", 5, "H2", 2, 2, 2.074)
	for i := range s.Atoms[7:] {
		s.Atoms[7+i].Element = "H"
	}
	m, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	want := [][2]int{{0, 1}, {0, 2}, {0, 3}, {7, 8}}
	got := slices.Clone(m.Bonds())
	slices.SortFunc(got, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	if !slices.Equal(got, want) {
		t.Errorf("got bonds %v, want %v", got, want)
	}
	if x := m.Positions()[3]; math.Abs(float64(x)+0.04) > 1e-6 {
		t.Errorf("the hydrogen across the boundary is at %g, want -0.04", x)
	}
}
