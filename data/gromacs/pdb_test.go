package gromacs

import (
	"errors"
	"fmt"
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
		a.Element = a.Name[:1] // GRO files have none
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
	text := "CRYST1   20.000   20.000   20.000  60.00  60.00  90.00 P 1           1\nMODEL 1\n" + pdbLine + other +
		"ENDMDL\nMODEL 2\n" + pdbLine + "ENDMDL\n"
	if s, err := ParsePDB(strings.NewReader(strings.ReplaceAll(text, "ENDMDL\n", "")), "x.pdb"); err != nil ||
		len(s.Atoms) != 1 {
		t.Errorf("models without their ends: got %+v, %v, want one atom", s, err)
	}
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
		"residue": strings.Replace(pdbLine, "   1   ", "  x1   ", 1),
		"no box":  "CRYST1   20.000   20.000   20.000  10.00  10.00  90.00\n" + pdbLine,
	} {
		if _, err := ParsePDB(strings.NewReader(bad), "x.pdb"); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := ReadStructure("x.xyz"); err == nil || !strings.Contains(err.Error(), ".pdb") {
		t.Errorf("other endings: got %v", err)
	}
}

// atomLine is a line of an atom with its columns as they are given.
func atomLine(head, name, letter, residue, number string) string {
	return head + " " + name + letter + residue + " " + "A" + number +
		"      1.000   2.000   3.000  1.00  0.00           C"
}

// Numbers that four or five columns do not hold, as programs write them.
func TestPDBNumbers(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []string // four columns of the number, that of the insertion code
		want    []int
	}{
		{"decimal", []string{"   1 ", "9998 ", "9999 "}, []int{1, 9998, 9999}},
		{"from 0 again", []string{"9998 ", "9999 ", "   0 ", "   1 "}, []int{9998, 9999, 0, 1}},
		{"hybrid-36", []string{"9999 ", "A000 ", "A001 ", "A00Z "}, []int{9999, 10000, 10001, 10035}},
		{"hybrid-36, small letters", []string{"ZZZZ ", "a000 "}, []int{1223055, 1223056}},
		{"hexadecimal", []string{"9998 ", "9999 ", "2710 ", "2710 ", "2711 "}, []int{9998, 9999, 10000, 10000, 10001}},
		{"hexadecimal alone", []string{"   3 ", "271A "}, []int{3, 10010}},
		{"hexadecimal up to letters", []string{"9999 ", "2710 ", "9FFF ", "A000 ", "A001 "},
			[]int{9999, 10000, 40959, 40960, 40961}},
		{"five digits", []string{"9999 ", "10000", "10001"}, []int{9999, 10000, 10001}},
		{"negative", []string{" -10 ", "  -9 "}, []int{-10, -9}},
		{"another chain", []string{"A000 ", "   1 "}, []int{10000, 1}},
	} {
		text := ""
		for i, n := range c.numbers {
			name := []string{" CA ", " CB ", " CG ", " CD ", " CE ", " NZ ", " N  "}[i]
			text += atomLine("ATOM      1", name, " ", "LYS", n) + "\n"
		}
		s, err := ParsePDB(strings.NewReader(text), "x.pdb")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, a := range s.Atoms {
			if a.ResidueNumber != c.want[i] || a.Insertion != "" {
				t.Errorf("%s: got %d, insertion code %q, want %d", c.name, a.ResidueNumber, a.Insertion, c.want[i])
			}
		}
	}
	for _, bad := range []string{"**** ", "1e5  ", "A0   ", "     "} {
		if _, err := ParsePDB(strings.NewReader(atomLine("ATOM      1", " CA ", " ", "LYS", bad)),
			"x.pdb"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "hybrid-36") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// Serial numbers of any length take columns of others, or move them.
func TestPDBSerials(t *testing.T) {
	for _, head := range []string{"ATOM      1", "ATOM  99999", "ATOM 100000", "ATOM1000000", "ATOM  100000",
		"ATOM  1000000", "HETATM100000", "HETATM99999", "ATOM  A0000", "ATOM  186a0", "ATOM  *****"} {
		for _, end := range []string{"", "\r"} {
			s, err := ParsePDB(strings.NewReader(atomLine(head, " CA ", " ", "LYS", "  12B")+end+"\n"), "x.pdb")
			if err != nil {
				t.Errorf("%s: %v", head, err)
				continue
			}
			if want := (Atom{Name: "CA", Residue: "LYS", ResidueNumber: 12, Chain: "A", Insertion: "B",
				Element: "C"}); s.Atoms[0] != want || s.R[2] != 0.3 {
				t.Errorf("%s: got %+v at %v, want %+v", head, s.Atoms[0], s.R, want)
			}
		}
	}
	two := strings.NewReplacer("1.000", " 1.00", "2.000", " 2.00", "3.000",
		" 3.00").Replace(atomLine("ATOM      1", " CA ", " ", "LYS", "  12 "))
	if s, err := ParsePDB(strings.NewReader(two), "x.pdb"); err != nil || s.Atoms[0].Name != "CA" || s.R[0] != 0.1 {
		t.Errorf("positions with two digits: got %v", err)
	}
}

// A residue takes one location of its atoms, and all atoms once.
func TestPDBLocations(t *testing.T) {
	for _, c := range []struct{ name, lines, want string }{ // lines: name, letter, residue and number
		{"none", "N-LYS1 CA-LYS1", "N0 CA1"},
		{"A and B", "N-LYS1 CAALYS1 CABLYS1 CBALYS1 CBBLYS1 C-LYS1", "N0 CA1 CB3 C5"},
		{"B first", "CABLYS1 CAALYS1 CBBLYS1 CBALYS1", "CA0 CB2"},
		{"B alone", "N-LYS1 CABLYS1 C-LYS1", "N0 CA1 C2"},
		{"B alone beside A", "CAALYS1 CABLYS1 CBBLYS1", "CA0 CB2"},
		{"B before A", "CAALYS1 CABLYS1 CBBLYS1 CBALYS1", "CA0 CB3"},
		{"each residue its own", "CABLYS1 CAALYS1 CAALYS2 CABLYS2", "CA0 CA2"},
		{"two residues in one place", "CAASER1 CBASER1 CABTHR1 CBBTHR1 CGBTHR1 CA-LYS2", "CA0 CB1 CA5"},
		{"digits", "CA1LYS1 CA2LYS1", "CA0"},
		{"one without a letter", "CA-LYS1 CABLYS1", "CA0"},
	} {
		text := ""
		for n, w := range strings.Fields(c.lines) {
			i := len(w) - 5
			line := []byte(atomLine("ATOM      1", " "+(w[:i] + "   ")[:3], strings.Replace(w[i:i+1], "-", " ", 1),
				w[i+1:i+4], "   "+w[i+4:]+" "))
			line[34-1] = byte('0' + n) // x is the line's number, Å
			text += string(line) + "\n"
		}
		s, err := ParsePDB(strings.NewReader(text), "x.pdb")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := ""
		for i, a := range s.Atoms {
			got += fmt.Sprintf(" %s%.0f", a.Name, 10*s.R[3*i])
		}
		if got != " "+c.want {
			t.Errorf("%s: got%s, want %s", c.name, got, c.want)
		}
	}
}

func TestPDBBox(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       [9]float64
		notes      int
	}{
		{"VMD's zeros", "CRYST1    0.000    0.000    0.000  90.00  90.00  90.00 P 1           1", [9]float64{}, 0},
		{"all zeros", "CRYST1    0.000    0.000    0.000   0.00   0.00   0.00 P 1           1", [9]float64{}, 0},
		{"the format's ones", "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1", [9]float64{},
			0},
		{"without a space group", "CRYST1   20.000   30.000   40.000  90.00  90.00  90.00",
			[9]float64{2, 0, 0, 0, 3, 0, 0, 0, 4}, 0},
		{"a slab", "CRYST1   20.000   30.000    0.000  90.00  90.00  90.00 P 1           1",
			[9]float64{2, 0, 0, 0, 3, 0, 0, 0, 0}, 0},
		{"cut in its last angle", "CRYST1   20.000   30.000   40.000  90.00  90.00  9", [9]float64{}, 1},
		{"cut behind its lengths", "CRYST1   20.000   30.000   40.000", [9]float64{}, 1},
		{"cut in a length", "CRYST1   20.0", [9]float64{}, 1},
		{"no numbers", "CRYST1 ********* ********* *********  90.00  90.00  90.00", [9]float64{}, 1},
	} {
		s, err := ParsePDB(strings.NewReader(c.line+"\n"+pdbLine+"END\n"+pdbLine), "x.pdb")
		if err != nil || s.Box != c.want || len(s.Notes) != c.notes || len(s.Atoms) != 1 {
			t.Errorf("%s: got %+v, %v, want the box %v, %d notes, and one atom", c.name, s, err, c.want, c.notes)
		}
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
