package topology

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/data/ala2"
)

// Of three residues every CA is a centre; a configuration with any other hands is told from the frames.
func TestThreeResidues(t *testing.T) {
	g := Find(frames(300, []float64{1, 1, 1}), 12, nil)
	var at []int
	for _, c := range g.Centres {
		at = append(at, c.Beads[0])
	}
	if want := []int{1, 5, 9}; !slices.Equal(at, want) {
		t.Fatalf("centres: got %v, want %v", at, want)
	}
	if len(g.Bonds) != 11 || len(g.Angles) != 13 {
		t.Errorf("got %d bonds and %d angles, want 11 and 13", len(g.Bonds), len(g.Angles))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for code := range 8 {
		hands := []float64{1 - 2*float64(code>>2&1), 1 - 2*float64(code>>1&1), 1 - 2*float64(code&1)}
		for range 20 {
			r := peptide(rng, hands, 0.05)
			if got, want := g.Right(r), code == 0; got != want {
				t.Fatalf("hands %v: got %v, want %v", hands, got, want)
			}
			if got, want := g.WrongHand(r, 12)[0], !plain(g.Centres, r); got != want {
				t.Fatalf("hands %v: got wrong %v, by the plain loop %v", hands, got, want)
			}
		}
	}
}

// plain compares signs of the determinant of a centre's edges, by the rule of Sarrus.
func plain(centres []Centre, r []float64) bool {
	for _, c := range centres {
		var m [3][3]float64
		for k := range m {
			for axis := range 3 {
				m[k][axis] = r[3*c.Beads[k+1]+axis] - r[3*c.Beads[0]+axis]
			}
		}
		det := m[0][0]*m[1][1]*m[2][2] + m[0][1]*m[1][2]*m[2][0] + m[0][2]*m[1][0]*m[2][1] -
			m[0][2]*m[1][1]*m[2][0] - m[0][1]*m[1][0]*m[2][2] - m[0][0]*m[1][2]*m[2][1]
		if (det > 0) != (c.Sign > 0) {
			return false
		}
	}
	return true
}

func TestCentres(t *testing.T) {
	both := append(frames(100, []float64{1, 1}), frames(100, []float64{1, -1})...)
	mirrored := frames(100, []float64{1})
	for i := range mirrored {
		mirrored[i] = -mirrored[i]
	}
	for _, c := range []struct {
		name  string
		r     []float32
		beads int
		want  string // bead and sign of every centre
	}{
		{"an L residue", frames(100, []float64{1}), 4, "1- "},
		{"a D residue", frames(100, []float64{-1}), 4, "1+ "},
		{"L in the mirror", mirrored, 4, "1+ "},
		{"glycine", frames(100, []float64{0, 0}), 6, ""},
		{"glycine between two hands", frames(100, []float64{1, 0, -1}), 11, "1- 8+ "},
		{"one residue with both hands", both, 8, "1- "},
		{"racemic", append(frames(100, []float64{1, -1}), frames(100, []float64{-1, 1})...), 8, ""},
		{"planar", star(500, 0), 4, ""},
		{"an inverting nitrogen", append(star(500, 0.5), star(1, -0.5)...), 4, ""},
		{"pyramidal", star(500, 0.5), 4, "0+ "},
		{"few frames", frames(9, []float64{1}), 4, ""},
	} {
		got := ""
		for _, centre := range Find(c.r, c.beads, nil).Centres {
			got += fmt.Sprintf("%d%c ", centre.Beads[0], map[float64]rune{1: '+', -1: '-'}[centre.Sign])
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// star makes frames of a bead with three others around it, and above the plane of theirs.
func star(n int, height float64) (r []float32) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range n {
		tip := 0.14 * (height + 0.15*rng.NormFloat64())
		r = append(r, 0, 0, 0)
		for k := range 3 {
			a := 2 * math.Pi * float64(k) / 3
			r = append(r, float32(0.14*math.Cos(a)+0.003*rng.NormFloat64()), float32(0.14*math.Sin(a)), float32(tip))
		}
	}
	return r
}

// Rings: all six bonds of one of six beads, and no diagonal.
func TestRing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var r []float32
	for range 200 {
		for k := range 6 {
			a := math.Pi / 3 * float64(k)
			for _, x := range [3]float64{0.14 * math.Cos(a), 0.14 * math.Sin(a), 0} {
				r = append(r, float32(x+0.002*rng.NormFloat64()))
			}
		}
	}
	if g := Find(r, 6, nil); len(g.Bonds) != 6 || len(g.Angles) != 6 || len(g.Centres) != 0 {
		t.Errorf("got %d bonds, %d angles and %d centres, want 6, 6 and 0", len(g.Bonds), len(g.Angles), len(g.Centres))
	}
}

// Two molecules apart have no bond between them.
func TestTwoMolecules(t *testing.T) {
	one, other := frames(200, []float64{1}), frames(400, []float64{1})[200*12:]
	rng := rand.New(rand.NewPCG(4, 4))
	var r []float32
	for i := range 200 {
		r = append(r, one[i*12:(i+1)*12]...)
		shift := float32(0.6 + 0.1*rng.NormFloat64())
		for _, v := range other[i*12 : (i+1)*12] {
			r = append(r, v+shift)
		}
	}
	if g := Find(r, 8, nil); len(g.Bonds) != 6 || len(g.Centres) != 2 {
		t.Errorf("got %d bonds and %d centres, want 6 and 2", len(g.Bonds), len(g.Centres))
	}
}

// Real dynamics: CA is the one centre, the carbonyl carbons of Heavy Atom beads are none, and the bond N–CA has the
// width of AMBER's: 337 kcal/mol/Å² x², so that √(kT/2k) = 0.00297 nm at 300 K.
func TestAlanine(t *testing.T) {
	f, _, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	g := Find(f.R, f.Beads, nil)
	if len(g.Centres) != 1 || g.Centres[0].Beads != [4]int{2, 1, 3, 4} {
		t.Fatalf("centres: got %+v", g.Centres)
	}
	if len(g.Bonds) != 5 || len(g.Angles) != 5 { // N–CA–CB, N–CA–C, CB–CA–C and one at N and C each
		t.Errorf("got %d bonds and %d angles, want 5 and 5", len(g.Bonds), len(g.Angles))
	}
	if b := g.Bonds[1]; !slices.Equal(b.Beads, []int{1, 2}) || math.Abs(b.SD-0.00297) > 1e-4 {
		t.Errorf("bond N–CA: got %+v", b)
	}
}

// widths are those that frames were made with: one for the same frames, and as many times as wide as they are.
func TestWidths(t *testing.T) {
	r := frames(2000, []float64{1, 1})
	g := Find(r, 8, nil)
	same := make([]float64, len(r))
	for i, v := range r {
		same[i] = float64(v)
	}
	bonds, angles, err := g.widths(same, 8, nil)
	if err != nil || math.Abs(bonds.Value-1) > 1e-9 || math.Abs(angles.Value-1) > 1e-9 {
		t.Errorf("the same frames: got %v and %v, %v", bonds, angles, err)
	}
	rng := rand.New(rand.NewPCG(9, 9))
	var wide, logw []float64
	for range 1000 { // half of them three times as wide, and without weight
		wide = append(append(wide, peptide(rng, []float64{1, 1}, 0.15)...), peptide(rng, []float64{1, 1}, 0.05)...)
		logw = append(logw, math.Inf(-1), 2)
	}
	bonds, angles, err = g.widths(wide, 8, nil)
	want := math.Sqrt((1 + 9) / 2.)
	if err != nil || math.Abs(bonds.Value-1) > 5*bonds.Error || math.Abs(angles.Value-want) > 5*angles.Error+0.1 ||
		!(angles.Error > 0 && angles.Error < 0.1) {
		t.Errorf("got %v and %v, want 1 and %.2f, %v", bonds, angles, want, err)
	}
	if _, angles, err = g.widths(wide, 8, logw); err != nil || math.Abs(angles.Value-1) > 5*angles.Error {
		t.Errorf("weighted: got %v, want 1, %v", angles, err)
	}
	if _, _, err = g.widths(wide, 8, []float64{1}); err == nil {
		t.Error("a weight of 2000 frames passed")
	}
}
