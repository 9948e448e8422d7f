package observable

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

func parsed(t testing.TB, name, text string) Variable {
	t.Helper()
	v, err := ParseVariable(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func of(t testing.TB, text string, f *data.Frames, m data.Meta) []float64 {
	t.Helper()
	x, err := parsed(t, "x", text).Of(f, m)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// moved turns every frame about a random axis and shifts it; hand −1: in a mirror, too.
func moved(f *data.Frames, hand float64, rng *rand.Rand) []float64 {
	out := make([]float64, len(f.R))
	for i := 0; i < len(f.R); i += f.Width() {
		var q [4]float64 // unit quaternion
		size := 0.
		for k := range q {
			q[k] = rng.NormFloat64()
			size += q[k] * q[k]
		}
		for k := range q {
			q[k] /= math.Sqrt(size)
		}
		w, x, y, z := q[0], q[1], q[2], q[3]
		turn := [3][3]float64{
			{1 - 2*(y*y+z*z), 2 * (x*y - z*w), 2 * (x*z + y*w)},
			{2 * (x*y + z*w), 1 - 2*(x*x+z*z), 2 * (y*z - x*w)},
			{2 * (x*z - y*w), 2 * (y*z + x*w), 1 - 2*(x*x+y*y)}}
		for j := i; j < i+f.Width(); j += 3 {
			for k := range 3 {
				for l := range 3 {
					out[j+k] += hand * turn[k][l] * float64(f.R[j+l])
				}
				out[j+k] += 3
			}
		}
	}
	return out
}

var texts = []string{"phi(ALA2)", "psi(2)", "dihedral(ACE1:C,ALA2:N,ALA2:CA,ALA2:C)", "angle(ALA2:N, ALA2:CA, ALA2:C)",
	"distance(ACE1:C,NME3:N)", "end-to-end", "rg", "contacts(0.35)", "dihedral(#1, #2, #3, #5)"}

// Laws on real frames: a rotation and a shift change no variable; in the mirror torsions change their sign and
// nothing else does. What can be said in two ways is one number.
func TestVariablesOfRealFrames(t *testing.T) {
	f, m, err := obc2.UnbiasedCoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	f = f.Slice(0, 300)
	rng := newRNG(61)
	for _, text := range texts {
		v := parsed(t, "x", text)
		want := of(t, text, f, m)
		for _, hand := range []float64{1, -1} {
			got, err := v.OfPositions(moved(f, hand, rng), m)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				sign := 1.
				if v.Period > 0 {
					sign = hand
				}
				if d := v.circle().wrap(got[i] - sign*want[i]); math.Abs(d) > 1e-9 {
					t.Fatalf("%s, hand %g, frame %d: got %g, want %g", text, hand, i, got[i], sign*want[i])
				}
			}
		}
	}
	phi := of(t, "phi(ALA2)", f, m)
	for _, same := range []string{"phi(2)", "dihedral(ACE1:C,ALA2:N,ALA2:CA,ALA2:C)", "dihedral(#1,#2,#3,#5)"} {
		if !slices.Equal(of(t, same, f, m), phi) {
			t.Errorf("%s is not phi(ALA2)", same)
		}
	}
	if !slices.Equal(phi, Dihedrals(f.R, f.Beads, [4]int{0, 1, 2, 4})) {
		t.Error("phi(ALA2) is not that of Dihedrals")
	}
	if !slices.Equal(of(t, "end-to-end", f, m), BondLengths(f.R, f.Beads, [2]int{0, 5})) {
		t.Error("end-to-end is not that of BondLengths")
	}
	if !slices.Equal(of(t, "angle(ALA2:N,ALA2:CA,ALA2:C)", f, m), Angles(f.R, f.Beads, [3]int{1, 2, 4})) {
		t.Error("an angle is not that of Angles")
	}
}

// Map dihedrals keeps φ and ψ of the frames whose positions another map keeps: every fifth.
func TestDihedralsAlone(t *testing.T) {
	two, m2, err := obc2.UnbiasedDihedralsA()
	if err != nil {
		t.Fatal(err)
	}
	three, m3, err := obc2.UnbiasedCoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"phi(ALA2)", "psi(2)"} {
		got, want := of(t, text, two, m2), of(t, text, three.Slice(0, 1000), m3)
		apart := 0.
		for i, x := range want {
			apart = max(apart, math.Abs(math.Remainder(got[5*i]-x, 2*math.Pi)))
		}
		if apart > 1e-5 { // positions are float32: 1e-7 of 2 nm over bonds of 0.15 nm
			t.Errorf("%s: %g rad apart", text, apart)
		}
	}
	if _, err := parsed(t, "x", "rg").Of(two, m2); err == nil || !strings.Contains(err.Error(), "phi and psi") {
		t.Errorf("rg of two angles: got %v", err)
	}
}

// A cross of four beads, by hand: rg 1, ends 2 apart, of the pair three places apart a contact below 2.
func TestVariablesByHand(t *testing.T) {
	f := &data.Frames{Beads: 4, Dim: 3, R: []float32{1, 0, 0, 0, 1, 0, 0, -1, 0, -1, 0, 0}, U: []float64{5}}
	m := data.Meta{Beads: []string{"A", "B,1", "B,1", "D"}, Dim: 3}
	for text, want := range map[string]float64{
		"rg": 1, "end-to-end": 2, "contacts(2.01)": 1, "contacts(2)": 0, "u": 5, "column(u)": 5, " rg() ": 1,
		"distance(A, #3)": math.Sqrt2, `distance("A",D)`: 2, "angle(#2,A,#3)": math.Pi / 2,
		"angle(A,D,#2)": math.Pi / 4,
	} {
		if got := of(t, text, f, m); len(got) != 1 || math.Abs(got[0]-want) > 1e-15 {
			t.Errorf("%s: got %v, want %g", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"distance(A,E)":       `no bead "E": there are ["A" "B,1" "B,1" "D"]`,
		`distance(A,"B,1")`:   `2 beads are called "B,1"; take one by its place, #2 or #3`,
		"distance(A,#5)":      `no bead "#5"`,
		"distance(A,#1)":      "A and #1 are one bead",
		"phi(ALA2)":           "no residue has",
		"bias":                "no column bias; of those that can be one they have u",
		"dihedral(A,#2,#3,X)": `no bead "X"`,
	} {
		_, err := parsed(t, "d", text).Of(f, m)
		prefix := "observable: variable d: "
		if err == nil || !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	if _, err := parsed(t, "d", "u").OfPositions([]float64{1, 2, 3}, data.Meta{Beads: []string{"A"}}); err == nil {
		t.Error("a column of positions alone: got no error")
	}
	if _, err := parsed(t, "d", "rg").OfPositions([]float64{1, 2}, data.Meta{Beads: []string{"A"}}); err == nil {
		t.Error("two thirds of a bead: got no error")
	}
	if _, err := (Variable{Name: "d"}).Of(f, m); err == nil {
		t.Error("no function: got no error")
	}
}

func TestResidueNames(t *testing.T) {
	var beads []string
	for _, r := range []string{"A/ALA1", "A/GLY2", "A/ALA3", "B/ALA1", "B/SER2", "B/SER2A", "B/ALA3"} {
		beads = append(beads, r+":N", r+":CA", r+":C")
	}
	s := system{beads: beads, count: len(beads), dim: 3}
	l, err := s.residues()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"A/GLY2", "B/SER2", "B/SER2A"}; !slices.Equal(l.names, want) {
		t.Fatalf("residues: got %q, want %q", l.names, want)
	}
	for text, want := range map[string]int{
		"A/GLY2": 0, "GLY2": 0, "A/2": 0, "B/2": 1, "2A": 2, "SER2A": 2, "B/2A": 2, "#2": 1} {
		if got, err := l.find(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"2":      "residue 2 is A/GLY2 and B/SER2; say which",
		"A/SER2": `no residue "A/SER2": there are ["A/GLY2" "B/SER2" "B/SER2A"], of those that have φ and ψ`,
	} {
		if _, err := l.find(text); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if got := nearest("A/GLY2:CB", beads); !strings.HasPrefix(got, `the nearest of 21 are ["A/GLY2:CA" "A/GLY2:C"`) {
		t.Errorf("got %s", got)
	}
}

// A Go function in degrees that goes round: values are on the circle.
func TestNewVariable(t *testing.T) {
	f := &data.Frames{Beads: 1, Dim: 3, R: []float32{5, 0, 0, -4, 0, 0}}
	v := NewVariable("x", "degrees", func(r []float64) float64 { return r[0] })
	v.Period = 2 * math.Pi
	x, err := v.Of(f, data.Meta{Beads: []string{"A"}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "5", x[0], 5-2*math.Pi, algebra)
	near(t, "-4", x[1], 2*math.Pi-4, algebra)
	near(t, "scale", v.Scale, 57.29577951308232, algebra)
	v.Name = "a b"
	if _, err := v.Of(f, data.Meta{}); err == nil {
		t.Error("a name with a space: got no error")
	}
}

func TestAxisOfVariable(t *testing.T) {
	for name, c := range map[string]struct {
		v    Variable
		x    []float64
		want Axis
	}{
		"circle":   {Variable{Period: 2, Lo: 0, Hi: 1}, nil, Axis{-1, 1, 5, true}},
		"range":    {Variable{Lo: 0, Hi: 3}, nil, Axis{0, 3, 5, false}},
		"values":   {Variable{}, []float64{1, math.NaN(), 3, math.Inf(1)}, Axis{0.9, 3.1, 5, false}},
		"constant": {Variable{}, []float64{1, 1}, Axis{0.5, 1.5, 5, false}},
	} {
		if got, err := c.v.Axis(5, c.x); err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, c.want)
		}
	}
	for name, v := range map[string]Variable{"nothing": {}, "backwards": {Lo: 2, Hi: 1}} {
		if _, err := v.Axis(5, nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestParseVariableErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"d", "", "at character 1: nothing is here"},
		{"d", "distance(A,B", "at character 13: ) is missing"},
		{"d", "distance(A,,B)", "at character 12: an argument is empty"},
		{"d", "distance(A,B) + 1", `at character 15: "+ 1" is left over`},
		{"d", "φ(A(B))", `at character 4: "(" where a comma`},
		{"d", `rmsd("a.pdb)`, `at character 6: the second " is missing`},
		{"d", "(A)", "at character 1: ( where word(arguments) is wanted"},
		{"d", "A,B", "at character 2: , where"},
		{"d", "distance(A)", "distance takes 2 arguments, not 1: distance(A,B)"},
		{"d", "distance(A,A)", "A is there twice"},
		{"d", "torsion(A,B,C,D)", `no variable is called "torsion"; want one of angle, contacts, dihedral`},
		{"d", "contacts(-1)", "contacts nearer than"},
		{"d", "column(x)", `no column is called "x"`},
		{"and", "rg", "that word joins"},
		{"1e3", "rg", "not a number"},
		{"a<b", "rg", "a name has no spaces"},
		{"", "rg", "without a name"},
	} {
		_, err := ParseVariable(c.name, c.text)
		if err == nil || !strings.HasPrefix(err.Error(), "observable: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: got %v, want %q", c.name, c.text, err, c.want)
		}
	}
}

// Whatever parses is one of the forms, and is the same variable when its text is read again.
func FuzzParseVariable(f *testing.F) {
	for _, text := range append(texts, "u", "column(bias)", `rmsd("a, b.pdb")`, "((", `x("`, "rg( )") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVariable("x", text)
		if err != nil {
			return
		}
		if (v.bind == nil) == (v.column == "") || !(v.Scale > 0) {
			t.Errorf("%q: got %+v", text, v)
		}
		again, err := ParseVariable("x", v.Text)
		if err != nil || again.Label != v.Label || again.Unit != v.Unit || again.File != v.File ||
			again.column != v.column {
			t.Errorf("%q: %+v is %+v when read again, %v", text, v, again, err)
		}
	})
}

func BenchmarkVariable(b *testing.B) {
	f, m, err := obc2.UnbiasedHeavyAtom()
	if err != nil {
		b.Fatal(err)
	}
	f = f.Slice(0, 10_000)
	path := b.TempDir() + "/one.arrow"
	if err := data.WriteFile(path, m, f.Slice(0, 1)); err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"phi(ALA2)", "contacts(0.5)", "rmsd(" + path + ")"} {
		v := parsed(b, "x", text)
		b.Run(v.Text[:3], func(b *testing.B) {
			for b.Loop() {
				if _, err := v.Of(f, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
