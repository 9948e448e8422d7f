// Package openmm has no code: its tests hold the scripts obc.py and peptide.py to what they promise.
package openmm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// python finds an interpreter that has OpenMM, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("CGBG_PYTHON")
	if name == "" {
		name = "python3"
	}
	if out, err := exec.Command(name, "-c", "import openmm, numpy").CombinedOutput(); err != nil {
		t.Skipf("%s has no OpenMM (pip install -r requirements.txt): %v %s", name, err, bytes.TrimSpace(out))
	}
	return name
}

// A short run with metadynamics, lengthened, is the long run bit for bit; frames
// have positions and forces, and the bias grows.
func TestObc(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	run := func(out, ns string) {
		t.Helper()
		cmd := exec.Command(name, "obc.py", "--structure", "../../ala2/ala2.pdb", "--ns", ns, "--gamma", "9",
			"--interval", "0.5", "--equilibration", "1", "--out", filepath.Join(dir, out))
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	run("parts", "0.005")
	run("parts", "0.01")
	run("whole", "0.01")
	parts, err := os.ReadFile(filepath.Join(dir, "parts", "01.trr"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "whole", "01.trr"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(parts, whole) {
		t.Error("the resumed run is another than the uninterrupted one")
	}
	trr, err := gromacs.OpenTRR(filepath.Join(dir, "whole", "01.trr"))
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	var f gromacs.Frame
	n := 0
	for ; ; n++ {
		if err := trr.Next(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(f.R) != 66 || len(f.F) != 66 || math.Abs(f.Time-0.5*float64(n+1)) > 1e-4 {
			t.Fatalf("frame %d: %d positions, %d forces, %g ps", n, len(f.R), len(f.F), f.Time)
		}
	}
	if n != 20 {
		t.Errorf("got %d frames, want 20", n)
	}
	grid, err := plumed.ReadGrid(filepath.Join(dir, "whole", "bias.dat"))
	if err != nil {
		t.Fatal(err)
	}
	top := 0.0
	for phi := -3.1; phi < 3.1; phi += 0.1 {
		for psi := -3.1; psi < 3.1; psi += 0.1 {
			v, err := grid.At(phi, psi)
			if err != nil {
				t.Fatal(err)
			}
			top = math.Max(top, v)
		}
	}
	if top < 1 || top > 20*1.2 { // 20 hills of at most 1.2 kJ/mol
		t.Errorf("the bias reaches %g kJ/mol", top)
	}
	other := exec.Command(name, "obc.py", "--structure", "../../ala2/ala2.pdb", "--ns", "0.01", "--gamma", "3",
		"--out", filepath.Join(dir, "whole"))
	if out, err := other.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("other settings")) {
		t.Errorf("other settings in the same folder: %v, %s", err, out)
	}
}

// The names of the grid say which dihedrals were biased, where there are more than two.
func TestBiasedNames(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	heavy := map[string][]string{"ACE": {"CH3", "C", "O"}, "ALA": {"N", "CA", "CB", "C", "O"}, "NME": {"N", "CH3"}}
	molecule := func(path string, groups ...string) string {
		text, n := "", 0
		for i, group := range groups {
			for _, atom := range heavy[group] {
				n++
				text += fmt.Sprintf("ATOM  %5d %4s %3s A%4d    %8.3f%8.3f%8.3f  1.00  0.00           %s\n",
					n, atom, group, i+1, float64(n), 0.0, 0.0, atom[:1])
			}
		}
		path = filepath.Join(dir, path)
		if err := os.WriteFile(path, []byte(text+"END\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := molecule("one.pdb", "ACE", "ALA", "NME")
	two := molecule("two.pdb", "ACE", "ALA", "ALA", "NME")
	for _, c := range []struct{ pdb, residue, want string }{
		{one, "None", "{'phi': (1, 3, 4, 6), 'psi': (3, 4, 6, 8)}"},
		{two, "'3'", "{'phi_ALA3': (6, 8, 9, 11), 'psi_ALA3': (8, 9, 11, 13)}"},
		{two, "'ALA2'", "{'phi_ALA2': (1, 3, 4, 6), 'psi_ALA2': (3, 4, 6, 8)}"},
		{two, "None", "those that have both: ALA2, ALA3"},
		{two, "'4'", "those that have both: ALA2, ALA3"},
	} {
		code := fmt.Sprintf("import obc\nprint(obc.biased(obc.app.PDBFile(%q).topology, %s))", c.pdb, c.residue)
		if got, _ := exec.Command(name, "-c", code).CombinedOutput(); !bytes.Contains(got, []byte(c.want)) {
			t.Errorf("%s, %s: got %s, want %s", filepath.Base(c.pdb), c.residue, got, c.want)
		}
	}
}

// A peptide from its sequence has atoms by the force field's names and residues of hand L, and runs with rigid bonds.
func TestSequence(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	cmd := exec.Command(name, "obc.py", "--sequence", "ATG", "--ns", "0.01", "--gamma", "5", "--residue", "3",
		"--interval",
		"1", "--equilibration", "1", "--constraints", "h-bonds", "--hydrogen-mass", "4", "--timestep", "4", "--out", dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s, err := gromacs.ReadPDB(filepath.Join(dir, "structure.pdb"))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string][]float32{}
	for i, a := range s.Atoms {
		at[fmt.Sprintf("%s%d:%s", a.Residue, a.ResidueNumber, a.Name)] = s.R[3*i : 3*i+3]
	}
	// Seen from the hydrogen's other side the three go round counterclockwise: N, C, CB of L residues; CA, OG1, CG2 of
	// L-threonine (2S,3R).
	for _, c := range [][4]string{{"ALA2:CA", "ALA2:N", "ALA2:C", "ALA2:CB"},
		{"THR3:CA", "THR3:N", "THR3:C", "THR3:CB"},
		{"THR3:CB", "THR3:CA", "THR3:OG1", "THR3:CG2"}} {
		var e [3][3]float64
		for i := range e {
			for k := range 3 {
				if at[c[0]] == nil || at[c[i+1]] == nil {
					t.Fatalf("there is no %s or no %s", c[0], c[i+1])
				}
				e[i][k] = float64(at[c[i+1]][k] - at[c[0]][k])
			}
		}
		if v := e[0][0]*(e[1][1]*e[2][2]-e[1][2]*e[2][1]) + e[0][1]*(e[1][2]*e[2][0]-e[1][0]*e[2][2]) +
			e[0][2]*(e[1][0]*e[2][1]-e[1][1]*e[2][0]); v < 1e-3 { // nm³; 2.5e-3 of bonds of 0.15 nm
			t.Errorf("%v span %g nm³", c, v)
		}
	}
	if at["ACE1:CH3"] == nil || at["NME5:CH3"] == nil || len(s.Atoms) != 6+10+14+7+6 {
		t.Errorf("got %d atoms", len(s.Atoms))
	}
	if n := frames(t, filepath.Join(dir, "01.trr"), len(s.Atoms)); n != 10 {
		t.Errorf("got %d frames, want 10", n)
	}
	grid, err := plumed.ReadGrid(filepath.Join(dir, "bias.dat"))
	if err != nil || !slices.Equal(grid.Names, []string{"phi_THR3", "psi_THR3"}) {
		t.Errorf("got a grid of %v, %v", grid, err)
	}
}

// A molecule in vacuo with a force field of one's own.
func TestForceField(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	cmd := exec.Command(name, "obc.py", "--structure", "../../butane/butane.pdb", "--force-field",
		"../../butane/trappe.xml", "--solvent", "none", "--ns", "0.1", "--interval", "10", "--out", dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if n := frames(t, filepath.Join(dir, "01.trr"), 4); n != 10 {
		t.Errorf("got %d frames, want 10", n)
	}
}

// frames counts those of a trajectory, which all have positions and forces of so many atoms.
func frames(t *testing.T, path string, atoms int) (n int) {
	t.Helper()
	trr, err := gromacs.OpenTRR(path)
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	for f := (gromacs.Frame{}); ; n++ {
		if err := trr.Next(&f); errors.Is(err, io.EOF) {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
		if len(f.R) != 3*atoms || len(f.F) != 3*atoms {
			t.Fatalf("frame %d: %d positions, %d forces of %d atoms", n, len(f.R), len(f.F), atoms)
		}
	}
}
