package cgmap

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap/waterbox"
)

// Frames of beads alone, torn: put together by what joins them in the structure.
func TestWholeBeads(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, name := range Names {
		s := pair(t, 0.9)
		c, m := setup{s}.of(t, name)
		beads, err := m.OfBeads(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(beads.Bonds()), len(c.Atoms)-2; got != want || len(beads.parts) != 2 {
			t.Fatalf("%s: got %d bonds, %d molecules, want %d, 2", name, got, len(beads.parts), want)
		}
		want, err := c.Apply(nil, s.R)
		if err != nil {
			t.Fatal(err)
		}
		r := slices.Clone(want)
		if moved, err := beads.Whole(r, &s.Box); moved || err != nil || !slices.Equal(r, want) {
			t.Errorf("%s: whole beads: moved %v, %v", name, moved, err)
		}
		for range 20 {
			copy(r, want)
			waterbox.Torn(r, s.Box, [3]float64{3 * rng.Float64(), 3 * rng.Float64(), 3 * rng.Float64()})
			if _, err := beads.Whole(r, &s.Box); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range r {
				if got, want := r[i]-r[i%3], want[i]-want[i%3]; math.Abs(float64(got-want)) > 5e-6 {
					t.Fatalf("%s: bead %d: got %v from the first, want %v", name, i/3, got, want)
				}
			}
		}
		r[3] += 1
		if _, err := beads.Whole(r, &[9]float64{}); err == nil || !strings.Contains(err.Error(), "no box") {
			t.Errorf("%s: torn without a box: got %v", name, err)
		}
	}
	means := parse(t, general)
	m, err := NewMolecule(ala2(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.OfBeads(means); err == nil {
		t.Error("means of atoms: got no error")
	}
}

// Beads joined through many bonds cannot be put together in a small box.
func TestBeadsFarApart(t *testing.T) {
	s := ala2(t)
	c, err := Parse(strings.NewReader("a C ACE1:CH3\nb C NME3:CH3\n"), "ends.map", s)
	if err != nil {
		t.Fatal(err)
	}
	all, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := all.OfBeads(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Apply(nil, s.R)
	if err != nil {
		t.Fatal(err)
	}
	r[0] += 1.2
	if _, err := m.Whole(r, &[9]float64{1.2, 0, 0, 0, 1.2, 0, 0, 0, 1.2}); err == nil ||
		!strings.Contains(err.Error(), "is not known") {
		t.Errorf("got %v", err)
	}
}
