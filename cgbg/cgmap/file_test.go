package cgmap

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// general has a single atom, a weighted mean, a centre of mass, and a row of numbers.
const general = `# a map of alanine dipeptide
ALA2:CA  C  ALA2:CA
side     C  ALA2:CB ALA2:HB1*0.5 ALA2:HB2*0.5   ALA2:HB3*0.5 # weights 1, ½, ½, ½
cap      6  com NME3:CH3 @20,@21, NME3:HH33
mixed, N, 0 0 0 0 0.25 0 0.75 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`

func parse(t testing.TB, text string) *Map {
	t.Helper()
	m, err := Parse(strings.NewReader(text), "test.map", ala2(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The positions of a general map are the weighted means, written out here.
func TestGeneralMap(t *testing.T) {
	s, m := ala2(t), parse(t, general)
	if want := []string{"ALA2:CA", "side", "cap", "mixed"}; !slices.Equal(m.Beads, want) {
		t.Errorf("beads: got %q, want %q", m.Beads, want)
	}
	if want := []int32{1, 1, 6, 3}; !slices.Equal(m.Species, want) || m.Atoms != nil {
		t.Errorf("species: got %v, want %v; atoms %v, want none", m.Species, want, m.Atoms)
	}
	got, err := m.Apply(nil, s.R)
	if err != nil {
		t.Fatal(err)
	}
	at := func(atom, k int) float64 { return float64(s.R[3*(atom-1)+k]) } // atoms from 1, as in the GRO file
	const c, h = 12.011, 1.008
	for k := range 3 {
		for bead, want := range []float64{
			at(9, k),
			(at(11, k) + at(12, k)/2 + at(13, k)/2 + at(14, k)/2) / 2.5,
			(c*at(19, k) + h*at(20, k) + h*at(21, k) + h*at(22, k)) / (c + 3*h),
			0.25*at(5, k) + 0.75*at(7, k),
		} {
			if math.Abs(float64(got[3*bead+k])-want) > 1e-6 {
				t.Errorf("bead %d, coordinate %d: got %g, want %g", bead, k, got[3*bead+k], want)
			}
		}
	}
	if _, err := m.Apply(nil, s.R[:9]); err == nil {
		t.Error("a short frame: got no error")
	}
	c64 := m.Matrix()
	for i := range m.Beads {
		if sum := mat.Sum(c64.RowView(i)); math.Abs(sum-1) > 1e-12 {
			t.Errorf("bead %d: its row sums to %g", i, sum)
		}
	}
}

// Atoms chosen one by one are the built-in map, whether by name, by number, or by rows.
func TestSelectionIsBuiltIn(t *testing.T) {
	s := ala2(t)
	want, err := New(CoreBeta, s)
	if err != nil {
		t.Fatal(err)
	}
	var rows, numbers strings.Builder
	for _, atom := range want.Atoms {
		for i := range s.Atoms {
			v := 0
			if i == atom {
				v = 1
			}
			fmt.Fprintf(&rows, "%.18e ", float64(v)) // as numpy.savetxt
		}
		rows.WriteString("\n")
		fmt.Fprintf(&numbers, "%s %c @%d*3\n", layOut(s).fullName(atom), s.Atoms[atom].Name[0], atom+1)
	}
	for name, text := range map[string]string{
		"names": "ACE1:C C ACE1:C\nALA2:N N ALA2:N\nALA2:CA C ALA2:CA\nALA2:CB C ALA2:CB\nALA2:C 1 com " +
			"ALA2:C\nNME3:N N NME3:N\n",
		"numbers": numbers.String(), "rows": rows.String(),
	} {
		m := parse(t, text)
		if !slices.Equal(m.Beads, want.Beads) || !slices.Equal(m.Species, want.Species) ||
			!slices.Equal(m.Atoms, want.Atoms) {
			t.Errorf("%s: got %q, %v, %v; want %q, %v, %v", name, m.Beads, m.Species, m.Atoms, want.Beads, want.Species,
				want.Atoms)
		}
		a, err := m.Apply(nil, s.R)
		b, berr := want.Apply(nil, s.R)
		if err != nil || berr != nil || !slices.Equal(a, b) {
			t.Errorf("%s: got %v (%v), want %v (%v)", name, a, err, b, berr)
		}
		if !mat.Equal(m.Matrix(), want.Matrix()) {
			t.Errorf("%s: the matrices differ", name)
		}
		if r, err := Backbone(m.Beads); err != nil || r[0].Phi != [4]int{0, 1, 2, 4} || r[0].Psi != [4]int{1, 2, 4, 5} {
			t.Errorf("%s: dihedrals %v, %v", name, r, err)
		}
	}
}

// Forces of a general map move beads one by one: atoms moved by a row of Bᵀ move
// that bead alone, and the work is the bead's (C·Bᵀ = 1, f·dr = F·dR).
func TestVirtualWork(t *testing.T) {
	m, rng := parse(t, general), rand.New(rand.NewPCG(3, 4))
	s := ala2(t)
	molecule, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	spring := randomSpring(rng, len(s.Atoms))
	var g Gram
	frame := make([]float32, 3*len(s.Atoms))
	for range 200 {
		for i := range frame {
			frame[i] = float32(rng.NormFloat64())
		}
		if err := g.Add(frame); err != nil {
			t.Fatal(err)
		}
	}
	maps := map[string]*mat.Dense{}
	for name, rigid := range map[string][][]int{"free": nil, "rigid hydrogens": molecule.HydrogenGroups(s)} {
		c := m.Matrix()
		b, err := Basic(c, rigid)
		if err != nil {
			t.Fatal(err)
		}
		least, err := g.LeastNoise(c, rigid)
		if err != nil {
			t.Fatal(err)
		}
		maps["basic, "+name], maps["least noise, "+name] = b, least
	}
	for name, b := range maps {
		for bead := range m.Beads {
			const h = 1e-4
			x, moved := make([]float64, len(s.Atoms)), make([]float64, len(s.Atoms))
			for i := range x { // along one axis; the map is the same on all
				x[i] = float64(s.R[3*i])
				moved[i] = x[i] + h*b.At(bead, i)
			}
			var before, after mat.VecDense
			before.MulVec(m.Matrix(), mat.NewVecDense(len(x), x))
			after.MulVec(m.Matrix(), mat.NewVecDense(len(x), moved))
			for k := range m.Beads {
				want := 0.0
				if k == bead {
					want = h
				}
				if got := after.AtVec(k) - before.AtVec(k); math.Abs(got-want) > 1e-12 {
					t.Errorf("%s: bead %d moves by %g where %d is moved, want %g", name, k, got, bead, want)
				}
			}
			// The bead's force against the energy of the springs; its error is of the order of h².
			f := springForce(spring, x)
			force := 0.0
			for i := range f {
				force += b.At(bead, i) * f[i]
			}
			for i := range moved {
				moved[i] = x[i] - h*b.At(bead, i)
			}
			down := springEnergy(spring, moved)
			for i := range moved {
				moved[i] = x[i] + h*b.At(bead, i)
			}
			if want := (down - springEnergy(spring, moved)) / (2 * h); math.Abs(force-want) > 1e-7*(1+math.Abs(want)) {
				t.Errorf("%s, bead %d: force %g, energy changes by %g", name, bead, force, want)
			}
		}
	}
}

// The mean of projected forces over a Gaussian ensemble is the mean force on the
// beads, −(C·K⁻¹·Cᵀ)⁻¹·R for springs K at kT = 1, where a force that is projected
// by C itself misses it.
func TestMeanForceOfSprings(t *testing.T) {
	m, rng := parse(t, general), rand.New(rand.NewPCG(5, 6))
	c := m.Matrix()
	spring := randomSpring(rng, len(ala2(t).Atoms))
	b, err := Basic(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	var cov, small, want, slope mat.Dense // of atoms; of beads; mean force on R; slope of −B·K·x on R
	if err := cov.Inverse(spring); err != nil {
		t.Fatal(err)
	}
	small.Product(c, &cov, c.T())
	if err := want.Inverse(&small); err != nil {
		t.Fatal(err)
	}
	want.Scale(-1, &want)
	mean := func(b *mat.Dense) *mat.Dense { // E[B·f | R] = −B·K·E[x | R] = −B·K·(K⁻¹·Cᵀ·small⁻¹)·R
		slope.Product(b, spring, &cov, c.T(), &want)
		return &slope
	}
	if !mat.EqualApprox(mean(b), &want, 1e-8) {
		t.Errorf("got %.4g, want %.4g", mat.Formatted(&slope), mat.Formatted(&want))
	}
	if mat.EqualApprox(mean(c), &want, 1e-2) {
		t.Error("the map itself gives the mean force, too: the test shows nothing")
	}
}

// randomSpring is a positive definite matrix that couples all atoms.
func randomSpring(rng *rand.Rand, n int) *mat.SymDense {
	a, k := mat.NewDense(n, n, nil), mat.NewSymDense(n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, rng.NormFloat64())
		}
	}
	k.SymOuterK(1, a)
	for i := range n {
		k.SetSym(i, i, k.At(i, i)+1)
	}
	return k
}

func springEnergy(k *mat.SymDense, x []float64) float64 {
	v := mat.NewVecDense(len(x), x)
	return mat.Inner(v, k, v) / 2
}

func springForce(k *mat.SymDense, x []float64) []float64 {
	var f mat.VecDense
	f.MulVec(k, mat.NewVecDense(len(x), x))
	f.ScaleVec(-1, &f)
	return f.RawVector().Data
}

// Wrong files are errors that name file, line and cure.
func TestMapFileErrors(t *testing.T) {
	zeros := strings.Repeat("0 ", 20)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "# nothing\n\n", "no beads; a line is"},
		{"name alone", "\nCA\n", "line 2: no map of these atoms: \"CA\" is no bead"},
		{"no atoms", "CA C\n", "line 1"},
		{"species", "CA Xx ALA2:CA\n", "species \"Xx\": the symbol of an element"},
		{"species 0", "CA 0 ALA2:CA\n", "species \"0\""},
		{"no such atom", "CA C ALA3:CA\n", "no atom \"ALA3:CA\"; its atoms are named like ACE1:CH3"},
		{"number too large", "CA C @23\n", "@1 to @22"},
		{"number 0", "CA C @0\n", "@1 to @22"},
		{"weight", "CA C ALA2:CA*x\n", "a weight is a positive number"},
		{"negative weight", "CA C ALA2:CA*-1 ALA2:CB\n", "negative ones need a row"},
		{"weight and com", "CA C com ALA2:CA*2 ALA2:CB\n", "leave out either"},
		{"com of nothing", "CA C com\n", "no atoms after com"},
		{"twice", "CA C ALA2:CA @9\n", "@9 is named twice"},
		{"same name", "CA C ALA2:CA\nCA C ALA2:CB\n", "line 2: no map of these atoms: a second bead \"CA\""},
		{"same atom", "CA C ALA2:CA\nCB C ALA2:CA\n", "not independent"},
		{"dependent", "a C ALA2:CA\nb C ALA2:CB\nm C ALA2:CA ALA2:CB\n", "not independent"},
		{"short row", "0 0 1\n", "3 numbers; the structure has 22 atoms"},
		{"long row", "CA C 0 0 1 " + zeros + "\n", "23 numbers"},
		{"sum", zeros + "0.5 0.25\n", "sums to 0.75, and the bead would not move with the molecule; divide"},
		{"zero", zeros + "1 -1\n", "sums to 0"},
		{"not a number", zeros + "1 x\n", "\"x\" is not a finite number"},
		{"infinite", zeros + "1 1e999\n", "not a finite number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(strings.NewReader(c.text), "my.map", ala2(t))
			if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "my.map") {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
	doubled := ala2(t)
	doubled.Atoms = append(doubled.Atoms, doubled.Atoms[8])
	if _, err := Parse(strings.NewReader("CA C ALA2:CA\n"), "my.map", doubled); err == nil ||
		!strings.Contains(err.Error(), "@9") {
		t.Errorf("two atoms of one name: got %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.map"), doubled); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// Thirds of three digits are a row; a row of one atom names the bead.
func TestRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.csv")
	if err := os.WriteFile(path, []byte(strings.Repeat("0,", 19)+"0.333,0.333,0.333\r\n"+strings.Repeat("0,",
		8)+"1"+strings.Repeat(",0", 13)+"\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := ReadFile(path, ala2(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Beads, []string{"B1", "ALA2:CA"}) || !slices.Equal(m.Species, []int32{4, 1}) {
		t.Errorf("got beads %q, species %v", m.Beads, m.Species)
	}
	if got := m.Matrix().At(0, 21); math.Abs(got-1.0/3) > 1e-15 {
		t.Errorf("a third is %g", got)
	}
}

func FuzzParse(f *testing.F) {
	s := ala2(f)
	f.Add(general)
	f.Add(strings.Repeat("0,", 21) + "1\n")
	f.Add("a C com @1 @2\nb 7 ALA2:CA*1e-300 ALA2:CB\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(strings.NewReader(text), "fuzz", s)
		if err != nil {
			return
		}
		r, err := m.Apply(nil, s.R)
		if err != nil || len(r) != 3*len(m.Beads) || len(m.Species) != len(m.Beads) {
			t.Fatalf("%d numbers for %d beads: %v", len(r), len(m.Beads), err)
		}
		b, err := Basic(m.Matrix(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Beads {
			for k := range m.Beads {
				want := 0.0
				if i == k {
					want = 1
				}
				if got := mat.Dot(b.RowView(i), m.Matrix().RowView(k)); math.Abs(got-want) > 1e-4 {
					t.Fatalf("B·Cᵀ[%d, %d] = %g", i, k, got)
				}
			}
		}
	})
}

func ExampleParse() {
	s := peptide(1)
	m, err := Parse(strings.NewReader("ALA2:CA C ALA2:CA\nends O ACE1:O ALA2:O\n"), "two.map", s)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, _ := Basic(m.Matrix(), nil)
	fmt.Printf("%s %d %.2f %.2f\n", m.Beads, m.Species, m.Matrix().At(1, 3), b.At(1, 3))
	// Output: [ALA2:CA ends] [1 2] 0.50 1.00
}
