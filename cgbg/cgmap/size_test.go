package cgmap

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap/waterbox"
	"github.com/cgbg-go/lab/data/gromacs"
)

// boxes of about so many atoms, 100 for each nm³, with a helix of 120 residues.
var boxes = []struct {
	atoms int
	edges [3]float64
}{{20000, [3]float64{3.2, 3.2, 19.5}}, {100000, [3]float64{7.15, 7.15, 19.5}}}

// plainBonds is the plain loop over all pairs that the list of cells must match.
func plainBonds(t *testing.T, s *gromacs.Structure) (pairs [][2]int) {
	t.Helper()
	radii, hydrogen, _ := bondRadii(s.Atoms)
	type near struct {
		atom   int
		length float64
	}
	heavy := map[int]near{}
	for i := range s.Atoms {
		for j := range i {
			if radii[i] == 0 || radii[j] == 0 || hydrogen[i] && hydrogen[j] {
				continue
			}
			least := math.Inf(1)
			for n := range 27 { // images
				var d vector
				for k := range d {
					d[k] = float64(s.R[3*i+k]) - float64(s.R[3*j+k])
					for row, c := range [3]int{n/9 - 1, n/3%3 - 1, n%3 - 1} {
						d[k] += float64(c) * s.Box[3*row+k]
					}
				}
				least = min(least, d.norm())
			}
			if least >= bondFactor*(radii[i]+radii[j]) {
				continue
			}
			h, other := i, j
			if hydrogen[j] {
				h, other = j, i
			}
			if !hydrogen[h] {
				pairs = append(pairs, [2]int{j, i})
			} else if known, ok := heavy[h]; !ok || least < known.length {
				heavy[h] = near{other, least}
			}
		}
	}
	for h, n := range heavy {
		pairs = append(pairs, [2]int{min(h, n.atom), max(h, n.atom)})
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return pairs
}

// waters is a short helix, or none, and water at random places of a box of any shape, no two closer than 0.3 nm.
func waters(box [9]float64, bare bool) *gromacs.Structure {
	rng := rand.New(rand.NewPCG(7, 7))
	s := &gromacs.Structure{}
	if !bare {
		s = waterbox.Helix(3)
	}
	s.Box = box
	l, err := newLattice(&box)
	if err != nil {
		panic(err)
	}
	water := waterbox.New(0, [3]float64{1, 1, 2}, 1)
	water.R = water.R[3*len(waterbox.Helix(0).Atoms):]
	for try := range 500 {
		var o vector
		for row := range 3 {
			v := vector{box[3*row], box[3*row+1], box[3*row+2]}
			if v == (vector{}) {
				v[row] = 2
			}
			o = o.plus(v, rng.Float64())
		}
		clash := false
		for i := range s.Atoms {
			clash = clash || l.nearest(at(s.R, i).sub(o)).norm() < 0.3
		}
		if clash {
			continue
		}
		k := try % (len(water.R) / 9)
		for i, name := range []string{"OW", "HW1", "HW2"} {
			x := o.plus(at(water.R, 3*k+i).sub(at(water.R, 3*k)), 1)
			s.Atoms = append(s.Atoms, gromacs.Atom{Name: name, Residue: "SOL", ResidueNumber: try})
			s.R = append(s.R, float32(x[0]), float32(x[1]), float32(x[2]))
		}
	}
	return s
}

// Bonds by a list of cells are those of the loop over all pairs, in boxes of
// any shape and without one, whole or torn.
func TestBondsByCells(t *testing.T) {
	for name, box := range map[string][9]float64{
		"brick":   {1.6, 0, 0, 0, 1.9, 0, 0, 0, 2.6},
		"skew":    {2.0, 0, 0, 0.9, 1.8, 0, -0.9, 0.8, 2.2},
		"slab":    {1.6, 0, 0, 0, 1.9, 0, 0, 0, 0},
		"tube":    {0, 0, 0, 0, 0, 0, 0, 0, 2.6},
		"tiny":    {0.9, 0, 0, 0, 0.9, 0, 0, 0, 0.9},
		"none":    {},
		"shape":   {2.2, -0.44, -0.44, -0.44, 2.2, -0.44, -0.44, -0.44, 2.2},
		"unequal": {9, 0, 0, 0, 1.2, 0, 0, 0, 1.7},
	} {
		t.Run(name, func(t *testing.T) {
			s := waters(box, name == "tiny")
			if name == "brick" || name == "tiny" {
				waterbox.Torn(s.R, box, [3]float64{0.7, 0.9, 1.1})
			}
			want := plainBonds(t, s)
			g, err := newGraph(s.Atoms, s.R, &s.Box)
			if err != nil {
				t.Fatal(err)
			}
			var got [][2]int
			for i := range s.Atoms {
				for _, j := range g.of(i) {
					if int(j) > i {
						got = append(got, [2]int{i, int(j)})
					}
				}
			}
			if len(want) < len(s.Atoms)/2 || !slices.Equal(got, want) {
				t.Errorf("%d atoms: got %d bonds, want %d", len(s.Atoms), len(got), len(want))
			}
		})
	}
}

// In a large box every water is a molecule, the peptide is one, and the maps' molecule is made whole from any place.
func TestPeptideInWater(t *testing.T) {
	s := waterbox.New(30, [3]float64{2.5, 2.5, 5.5}, 1)
	want := slices.Clone(s.R)
	waterbox.Torn(s.R, s.Box, [3]float64{1.1, 1.3, 2.5})
	torn := slices.Clone(s.R)
	all, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	peptide := 30*10 + 12
	if got, want := len(all.Bonds()), peptide-1+2*(len(s.Atoms)-peptide)/3; got != want {
		t.Errorf("got %d bonds in the trees, want %d", got, want)
	}
	c, err := New(HeavyAtom, s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.For(s, c)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := m.Whole(s.R, &s.Box)
	if err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if !slices.Equal(s.R[3*peptide:], torn[3*peptide:]) {
		t.Error("water moved that no bead is made of")
	}
	for i := range 3 * peptide {
		if got, want := s.R[i]-s.R[i%3], want[i]-want[i%3]; math.Abs(float64(got-want)) > 5e-6 {
			t.Fatalf("atom %d: got %v from the first, want %v", i/3, got, want)
		}
	}
}

// Forces by neighbourhoods are those of the Gram matrix of all atoms where the molecule is small.
func TestLeastNoiseIsThatOfAllAtoms(t *testing.T) {
	d := unbiased(t)
	s := ala2(t)
	molecule, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	for name, rigid := range map[string][][]int{"free": nil, "rigid hydrogens": molecule.HydrogenGroups(s)} {
		for _, m := range []*Map{d.mapping(t, CoreBeta), d.mapping(t, HeavyAtom), parse(t, general)} {
			var g Gram
			l, err := NewLeastNoise(m.Sparse(), molecule.Bonds(), rigid)
			if err != nil {
				t.Fatal(err)
			}
			for i := range min(d.Len(), 500) {
				f := d.F[i*d.Width() : (i+1)*d.Width()]
				if err := g.Add(f); err != nil {
					t.Fatal(err)
				}
				if err := l.Add(f); err != nil {
					t.Fatal(err)
				}
			}
			want, err := g.LeastNoise(m.Matrix(), rigid)
			if err != nil {
				t.Fatal(err)
			}
			sparse, err := l.Map(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := sparse.Dense()
			beads, atoms := want.Dims()
			for k := range beads {
				for i := range atoms {
					if math.Abs(got.At(k, i)-want.At(k, i)) > 1e-9 {
						t.Fatalf("%s, %s: bead %d, atom %d: got %g, want %g", name, m.Name, k, i, got.At(k, i),
							want.At(k, i))
					}
				}
			}
			for k, want := range g.RMS(want) {
				if got := l.RMS(sparse)[k]; math.Abs(got-want) > 1e-6*want {
					t.Errorf("%s, %s: bead %d: got rms %g, want %g", name, m.Name, k, got, want)
				}
			}
			if l.Few() != 0 {
				t.Errorf("%s: %d beads with too few frames", m.Name, l.Few())
			}
		}
	}
}

// In water, and of a large molecule, B·Cᵀ = 1 holds, rigid atoms share a coefficient, no force on another molecule is
// used, and the noise is no more than basic forces'. Few frames use few atoms.
func TestLeastNoiseByNeighbourhoods(t *testing.T) {
	s := waterbox.New(60, [3]float64{2.0, 2.0, 10.2}, 1)
	all, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(HeavyAtom, s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.For(s, c)
	if err != nil {
		t.Fatal(err)
	}
	own := len(m.Own())
	if own <= maxMolecule || own >= len(s.Atoms) {
		t.Fatalf("the peptide has %d atoms of %d", own, len(s.Atoms))
	}
	rng := rand.New(rand.NewPCG(3, 9))
	for _, frames := range []int{1, 2, 3, 100} {
		l, err := NewLeastNoise(c.Sparse(), m.Bonds(), nil)
		if err != nil {
			t.Fatal(err)
		}
		f := make([]float32, 3*len(s.Atoms))
		for range frames {
			for i := range f {
				f[i] = float32(rng.NormFloat64())
			}
			for _, b := range m.Bonds() { // forces of bonds, which the least noisy map does not see
				for k := range 3 {
					v := float32(10 * rng.NormFloat64())
					f[3*b[0]+k] += v
					f[3*b[1]+k] -= v
				}
			}
			if err := l.Add(f); err != nil {
				t.Fatal(err)
			}
		}
		b, err := l.Map(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		bead := map[int]int{}
		for k, a := range c.Atoms {
			bead[a] = k
		}
		longest := 0
		for k, row := range b.rows {
			longest = max(longest, len(row))
			found := false
			for _, w := range row {
				if w.Atom >= own {
					t.Fatalf("%d frames: bead %d takes the force on atom %d of the water", frames, k, w.Atom)
				}
				if j, ok := bead[w.Atom]; ok {
					want := 0.0
					if found = found || j == k; j == k {
						want = 1
					}
					if math.Abs(w.Weight-want) > 1e-9 {
						t.Fatalf("%d frames: B·Cᵀ of beads %d and %d: got %g, want %g", frames, k, j, w.Weight, want)
					}
				}
			}
			if !found {
				t.Fatalf("%d frames: bead %d does not take its own force", frames, k)
			}
		}
		if few := l.Few() > 0; few != (frames < 100) || longest > maxNear {
			t.Errorf("%d frames: too few for %d beads; at most %d atoms a bead", frames, l.Few(), longest)
		}
		least, basic := MeanRMS(l.RMS(b)), MeanRMS(l.RMS(l.Basic()))
		if !(least <= basic) || frames == 100 && least > 0.9*basic {
			t.Errorf("%d frames: rms %g, basic %g", frames, least, basic)
		}
	}
}

func BenchmarkBonds(b *testing.B) {
	for _, box := range boxes {
		s := waterbox.New(120, box.edges, 1)
		b.Run(fmt.Sprint(len(s.Atoms), "atoms"), func(b *testing.B) {
			for b.Loop() {
				if _, err := NewMolecule(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWhole(b *testing.B) {
	s := waterbox.New(120, boxes[0].edges, 1)
	m, err := NewMolecule(s)
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(CoreBeta, s)
	if err != nil {
		b.Fatal(err)
	}
	if m, err = m.For(s, c); err != nil {
		b.Fatal(err)
	}
	waterbox.Torn(s.R, s.Box, [3]float64{1, 1, 7})
	r := slices.Clone(s.R)
	for b.Loop() {
		copy(r, s.R)
		if _, err := m.Whole(r, &s.Box); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeastNoise(b *testing.B) {
	s := waterbox.New(120, boxes[0].edges, 1)
	m, err := NewMolecule(s)
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(HeavyAtom, s)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	f := make([]float32, 3*len(s.Atoms))
	for i := range f {
		f[i] = float32(rng.NormFloat64())
	}
	for b.Loop() {
		l, err := NewLeastNoise(c.Sparse(), m.Bonds(), nil)
		if err != nil {
			b.Fatal(err)
		}
		for range 3 {
			if err := l.Add(f); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := l.Map(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
