// Package openmm has no code: its test holds the script obc.py to what it promises.
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
		cmd := exec.Command(name, "obc.py", "--structure", "../../ala2/ala2.pdb", "--ns", ns, "--gamma", "9", "--interval", "0.5",
			"--equilibration", "1", "--out", filepath.Join(dir, out))
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
	if out, err := exec.Command(name, "obc.py", "--structure", "../../ala2/ala2.pdb", "--ns", "0.01", "--gamma", "3", "--out", filepath.Join(dir, "whole")).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("other settings")) {
		t.Errorf("other settings in the same folder: %v, %s", err, out)
	}
}

// The names of the grid say which dihedrals were biased, where there are more than two.
func TestBiasedNames(t *testing.T) {
	name := python(t)
	dir := t.TempDir()
	molecule := func(path string, groups ...string) string {
		text, n := "", 0
		for i, group := range groups {
			for _, atom := range map[string][]string{"ACE": {"CH3", "C", "O"}, "ALA": {"N", "CA", "CB", "C", "O"}, "NME": {"N", "CH3"}}[group] {
				n++
				text += fmt.Sprintf("ATOM  %5d %4s %3s A%4d    %8.3f%8.3f%8.3f  1.00  0.00           %s\n", n, atom, group, i+1, float64(n), 0.0, 0.0, atom[:1])
			}
		}
		path = filepath.Join(dir, path)
		if err := os.WriteFile(path, []byte(text+"END\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two := molecule("one.pdb", "ACE", "ALA", "NME"), molecule("two.pdb", "ACE", "ALA", "ALA", "NME")
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
