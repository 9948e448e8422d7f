package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// An import names nothing that it was not told, says what is missing, and its frames are in nm and kJ/mol all the same.
func TestImportTellsNoNames(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.arrow")
	text, err := call(t, "import", "-structure", gro, "-o", out, trr)
	if err != nil || !strings.Contains(text, "import -temperature K") {
		t.Errorf("got %q, %v", text, err)
	}
	_, meta, err := data.ReadFile(out)
	if err != nil || meta.System != "" || meta.ForceField != "" || meta.Temperature != 0 ||
		meta.Units != data.Molecular ||
		strings.Contains(meta.Generator, "temperature") {
		t.Errorf("got %+v, %v", meta, err)
	}
	if text, err := call(t, "info", out); err != nil || strings.Count(text, "not known") != 3 {
		t.Errorf("info: got %q, %v", text, err)
	}
	if text, err = call(t, "import", "-structure", gro, "-o", out, "-temperature", "310", "-system", "peptide",
		"-forcefield", "ff", trr); err != nil || strings.Contains(text, "temperature") {
		t.Errorf("got %q, %v", text, err)
	}
	if _, meta, err = data.ReadFile(out); err != nil || meta.System != "peptide" || meta.ForceField != "ff" ||
		meta.Temperature != 310 || !strings.Contains(meta.Generator, "-temperature 310") {
		t.Errorf("got %+v, %v", meta, err)
	}
	for _, kelvin := range []string{"0", "-1", "NaN", "Inf"} {
		if _, err := call(t, "import", "-structure", gro, "-o", out, "-temperature", kelvin, trr); err == nil ||
			!strings.Contains(err.Error(), "kelvin") {
			t.Errorf("-temperature %s: got %v", kelvin, err)
		}
	}
}

// The dihedrals of frames of beads are those of the same frames of atoms, by every map that has the backbone.
func TestDihedralsOfBeads(t *testing.T) {
	dir := t.TempDir()
	dihedralsOf := func(trajectory string) []float32 {
		t.Helper()
		out := filepath.Join(dir, "x.arrow")
		if _, err := call(t, "import", "-map", "dihedrals", "-structure", gro, "-o", out, trajectory); err != nil {
			t.Fatal(err)
		}
		f, _, err := data.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return f.R
	}
	want := dihedralsOf(trr)
	for _, mapping := range []string{"core-beta", "heavy-atom"} {
		frames, beads := filepath.Join(dir, mapping+".arrow"), filepath.Join(dir, mapping+".npz")
		if _, err := call(t, "import", "-map", mapping, "-structure", gro, "-o", frames, trr); err != nil {
			t.Fatal(err)
		}
		if _, err := call(t, "export", "-o", beads, frames); err != nil {
			t.Fatal(err)
		}
		if got := dihedralsOf(beads); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", mapping, got, want)
		}
	}
}

// An exported PDB file has the residues, numbers, insertion codes, chains and elements of the beads' names and species,
// and is read as such.
func TestExportedNames(t *testing.T) {
	dir := t.TempDir()
	arrow, pdb := filepath.Join(dir, "x.arrow"), filepath.Join(dir, "x.pdb")
	meta := data.Meta{Temperature: 300, Species: []int32{1, 3, 130, 1, 120, 4, 2, 7},
		Beads: []string{"A/ALA-10:CA", "A/CYS2.3:N", "A/HEM4:ZN", "X2/SER52A:CB", "X2/CA7:CA", "X2/DALA12345:1HB",
			"X2/NA+.8:O", "side"}}
	if err := data.WriteFile(arrow, meta, &data.Frames{Beads: 8, Dim: 3, R: make([]float32, 24)}); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "export", "-o", pdb, arrow); err != nil {
		t.Fatal(err)
	}
	s, err := gromacs.ReadStructure(pdb)
	if err != nil {
		t.Fatal(err)
	}
	want := []gromacs.Atom{
		{Name: "CA", Residue: "ALA", ResidueNumber: -10, Chain: "A", Element: "C"},
		{Name: "N", Residue: "CYS2", ResidueNumber: 3, Chain: "A", Element: "N"},
		{Name: "ZN", Residue: "HEM", ResidueNumber: 4, Chain: "A", Element: "ZN"},
		{Name: "CB", Residue: "SER", ResidueNumber: 52, Chain: "B", Insertion: "A", Element: "C"},
		{Name: "CA", Residue: "CA", ResidueNumber: 7, Chain: "B", Element: "CA"},
		{Name: "1HB", Residue: "DALA", ResidueNumber: 2345, Chain: "B", Element: "H"},
		{Name: "O", Residue: "NA+", ResidueNumber: 8, Chain: "B", Element: "O"},
		{Name: "side", Residue: "CG", ResidueNumber: 1},
	}
	for i, a := range s.Atoms {
		if a != want[i] {
			t.Errorf("%s: got %+v, want %+v", meta.Beads[i], a, want[i])
		}
	}
	// Names of atoms stand below their elements: columns 13 and 14.
	text, err := os.ReadFile(pdb)
	if err != nil || !strings.Contains(string(text), "ATOM      1  CA  ALA A -10 ") ||
		!strings.Contains(string(text), "ATOM      5 CA   CA  B   7 ") {
		t.Errorf("got %s, %v", text, err)
	}
}

// Numbers that do not follow each other leave beads without φ and ψ by their names, which the import says; the
// dihedrals themselves are found.
func TestImportNotesNumbers(t *testing.T) {
	s, err := gromacs.ReadGRO(gro)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Atoms {
		s.Atoms[i].ResidueNumber *= 10
	}
	structure, out := writeGRO(t, s), filepath.Join(t.TempDir(), "x.arrow")
	for mapping, want := range map[string]string{"core-beta": "do not show φ and ψ of 1 of 1 residues",
		"dihedrals": ""} {
		text, err := call(t, "import", "-temperature", "300", "-map", mapping, "-structure", structure, "-o", out, trr)
		if err != nil || !strings.Contains(text, want) || want == "" && strings.Contains(text, "φ") {
			t.Errorf("%s: got %q, %v, want %q", mapping, text, err, want)
		}
	}
	if text, err := call(t, "import", "-temperature", "300", "-structure", gro, "-o", out, trr); err != nil ||
		strings.Contains(text, "φ") {
		t.Errorf("numbers that follow: got %q, %v", text, err)
	}
}
