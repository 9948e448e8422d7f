package gromacs

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestRealStructure(t *testing.T) {
	s, err := ReadGRO("testdata/ala2.gro")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Atoms) != 22 || len(s.R) != 66 || s.Box != [9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3} {
		t.Fatalf("got %d atoms, %d coordinates, box %v", len(s.Atoms), len(s.R), s.Box)
	}
	if got, want := s.Atoms[8], (Atom{Name: "CA", Residue: "ALA", ResidueNumber: 2}); got != want {
		t.Errorf("atom 9: got %+v, want %+v", got, want)
	}
	if s.R[24] != 1.071 || s.R[25] != 0.631 || s.R[26] != 0.896 {
		t.Errorf("its position: got %v", s.R[24:27])
	}
}

const water = `water
    1
    1SOL     OW    1   0.126   1.624  -1.679
   1.0 2.0 3.0
`

func TestGRO(t *testing.T) {
	for _, c := range []struct {
		name, text string
		r          [3]float32
		box        [9]float64
	}{
		{"plain", water, [3]float32{0.126, 1.624, -1.679}, [9]float64{1, 0, 0, 0, 2, 0, 0, 0, 3}},
		{"more digits", strings.Replace(water, "   0.126   1.624  -1.679", "   0.12651   1.62402  -1.67912", 1),
			[3]float32{0.12651, 1.62402, -1.67912}, [9]float64{1, 0, 0, 0, 2, 0, 0, 0, 3}},
		{"velocities", strings.Replace(water, "-1.679", "-1.679  0.1227 -0.0580  0.0434", 1),
			[3]float32{0.126, 1.624, -1.679}, [9]float64{1, 0, 0, 0, 2, 0, 0, 0, 3}},
		{"triclinic", strings.Replace(water, "1.0 2.0 3.0", "1 2 3 4 5 6 7 8 9", 1),
			[3]float32{0.126, 1.624, -1.679}, [9]float64{1, 4, 5, 6, 2, 7, 8, 9, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ParseGRO(strings.NewReader(c.text), "water.gro")
			if err != nil {
				t.Fatal(err)
			}
			if [3]float32(s.R) != c.r || s.Box != c.box {
				t.Errorf("got %v in %v, want %v in %v", s.R, s.Box, c.r, c.box)
			}
		})
	}
}

func TestBadGRO(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		kind             error
	}{
		{"empty", "", "line 1", ErrTruncated},
		{"title only", "water\n", "line 2", ErrTruncated},
		{"no atoms", "water\n    1\n", "atom 1 of 1", ErrTruncated},
		{"no box", water[:strings.Index(water, "   1.0 2.0")], "box", ErrTruncated},
		{"count", strings.Replace(water, "    1\n", "  one\n", 1), "line 2", ErrFormat},
		{"negative count", strings.Replace(water, "    1\n", "   -1\n", 1), "line 2", ErrFormat},
		{"huge count", strings.Replace(water, "    1\n", "2000000000\n", 1), "line 4", ErrFormat},
		{"short line", strings.Replace(water, "   0.126   1.624  -1.679", "", 1), "line 3", ErrFormat},
		{"no points", strings.Replace(water, "   0.126   1.624  -1.679", "     126    1624   -1679", 1), "line 3",
			ErrFormat},
		{"one point", strings.Replace(water, "   0.126   1.624  -1.679", "   0.126    1624   -1679", 1), "line 3",
			ErrFormat},
		{"NaN", strings.Replace(water, "  -1.679", "     NaN", 1), "line 3", ErrFormat},
		{"residue", strings.Replace(water, "    1SOL", "    xSOL", 1), "line 3", ErrFormat},
		{"box of two", strings.Replace(water, "1.0 2.0 3.0", "1.0 2.0", 1), "box has 2", ErrFormat},
		{"bad box", strings.Replace(water, "1.0 2.0 3.0", "1.0 2.0 Inf", 1), "Inf", ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseGRO(strings.NewReader(c.text), "water.gro")
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "water.gro") {
				t.Errorf("got %v; want %v with %q", err, c.kind, c.want)
			}
		})
	}
	if _, err := ReadGRO("testdata/none.gro"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func FuzzGRO(f *testing.F) {
	f.Add(water)
	f.Add(strings.Replace(water, "1.0 2.0 3.0", "1 2 3 4 5 6 7 8 9", 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseGRO(strings.NewReader(text), "fuzz")
		if err == nil && len(s.R) != 3*len(s.Atoms) {
			t.Errorf("%d coordinates of %d atoms", len(s.R), len(s.Atoms))
		}
	})
}
