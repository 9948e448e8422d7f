package gromacs

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// The same molecule in both formats, written by GROMACS.
func TestPDBIsGRO(t *testing.T) {
	want, err := ReadStructure("testdata/ala2.gro")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadStructure("testdata/ala2.pdb")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Atoms) != len(want.Atoms) {
		t.Fatalf("got %d atoms, want %d", len(got.Atoms), len(want.Atoms))
	}
	for i, a := range want.Atoms {
		a.Element = a.Name[:1] // GRO has none
		if got.Atoms[i] != a {
			t.Errorf("atom %d: got %+v, want %+v", i, got.Atoms[i], a)
		}
		for k := range 3 {
			if d := got.R[3*i+k] - want.R[3*i+k]; math.Abs(float64(d)) > 6e-4 { // GRO has three digits
				t.Errorf("atom %d: got %g, want %g", i, got.R[3*i+k], want.R[3*i+k])
			}
		}
	}
	for k := range 9 {
		if math.Abs(got.Box[k]-want.Box[k]) > 1e-4 {
			t.Errorf("box: got %v, want %v", got.Box, want.Box)
			break
		}
	}
}

const pdbLine = "ATOM      1  CH3 ACE A   1      12.345  -0.500 100.000  1.00  0.00           C\n"

func TestPDBDetails(t *testing.T) {
	other := strings.Replace(pdbLine, "CH3 ACE", "CH3BACE", 1)
	text := "CRYST1   20.000   20.000   20.000  60.00  60.00  90.00 P 1           1\nMODEL 1\n" + pdbLine + other + "ENDMDL\nMODEL 2\n" + pdbLine + "ENDMDL\n"
	s, err := ParsePDB(strings.NewReader(text), "x.pdb")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Atoms) != 1 || s.R[0] != 1.2345 || s.R[1] != -0.05 || s.R[2] != 10 {
		t.Errorf("got %+v %v: want one atom, the first location of the first model", s.Atoms, s.R)
	}
	// The rhombic dodecahedron of GROMACS's manual: (1, 0, 0), (0, 1, 0), (1/2, 1/2, √½), times 2 nm.
	for k, want := range []float64{2, 0, 0, 0, 2, 0, 1, 1, math.Sqrt2} {
		if math.Abs(s.Box[k]-want) > 1e-9 {
			t.Errorf("box %d: got %g, want %g", k, s.Box[k], want)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "short": pdbLine[:40], "not a number": strings.Replace(pdbLine, "12.345", "   nan", 1),
		"residue": strings.Replace(pdbLine, "   1   ", "  x1   ", 1), "no box": "CRYST1   20.000   20.000   20.000  10.00  10.00  90.00\n" + pdbLine,
	} {
		if _, err := ParsePDB(strings.NewReader(bad), "x.pdb"); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := ReadStructure("x.xyz"); err == nil || !strings.Contains(err.Error(), ".pdb") {
		t.Errorf("other endings: got %v", err)
	}
}

func FuzzPDB(f *testing.F) {
	f.Add(pdbLine)
	if text, err := os.ReadFile("testdata/ala2.pdb"); err == nil {
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParsePDB(strings.NewReader(text), "x"); err == nil && len(s.R) != 3*len(s.Atoms) {
			t.Errorf("%d numbers for %d atoms", len(s.R), len(s.Atoms))
		}
	})
}
