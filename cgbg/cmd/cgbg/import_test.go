package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

// mapFile writes a map to a file.
func mapFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.map")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// imported imports the test's trajectory.
func imported(t *testing.T, args ...string) (*data.Frames, data.Meta) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.arrow")
	if _, err := call(t, append([]string{"import", "-structure", gro, "-awh", xvg, "-o", out, trr},
		args...)...); err != nil {
		t.Fatal(err)
	}
	f, meta, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return f, meta
}

// A file that selects the atoms of Core Beta gives what -map core-beta gives, to the last bit.
func TestImportSelection(t *testing.T) {
	path := mapFile(t, "ACE1:C C ACE1:C\nALA2:N N ALA2:N\nALA2:CA C ALA2:CA\nALA2:CB C ALA2:CB\nALA2:C C "+
		"ALA2:C\nNME3:N N NME3:N\n")
	for _, args := range [][]string{nil, {"-forces", "least-noise"}, {"-constraints", "h-bonds"}} {
		got, meta := imported(t, append(args, "-map", path)...)
		want, wantMeta := imported(t, append(args, "-map", "core-beta")...)
		if !slices.Equal(got.R, want.R) || !slices.Equal(got.F, want.F) || !slices.Equal(got.LogW, want.LogW) {
			t.Errorf("%q: other numbers", args)
		}
		if !slices.Equal(meta.Beads, wantMeta.Beads) || !slices.Equal(meta.Species, wantMeta.Species) ||
			meta.Mapping != "my.map" ||
			!strings.Contains(meta.Extra[trajectory.KeyMap], "ALA2:CB C") || !strings.Contains(meta.Generator,
			"-map my.map") {
			t.Errorf("%q: description %+v", args, meta)
		}
	}
}

// Two centres of atoms that they do not share: positions are the means, forces the sums, and
// the weights those of the molecule's own dihedrals although the beads have none.
func TestImportGeneralMap(t *testing.T) {
	f, _ := imported(t, "-map", mapFile(t, "a C ALA2:CA ALA2:CB\nb N NME3:N NME3:CH3*3\n"))
	want, _ := imported(t, "-map", "core-beta")
	if !slices.Equal(f.LogW, want.LogW) || f.Beads != 2 || len(f.F) != len(f.R) || len(f.LogW) != f.Len() {
		t.Fatalf("%d beads, weights %v, want %v", f.Beads, f.LogW, want.LogW)
	}
	all, err := gromacs.OpenTRR(trr)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	var frame gromacs.Frame
	for n := range f.Len() {
		if err := all.Next(&frame); err != nil {
			t.Fatal(err)
		}
		at := func(x []float32, atom, k int) float64 { return float64(x[3*(atom-1)+k]) } // from 1, as in the GRO file
		for k := range 3 {
			r := [2]float64{(at(frame.R, 9, k) + at(frame.R, 11, k)) / 2, at(frame.R, 17, k)/4 + at(frame.R, 19, k)*3/4}
			// C·Cᵀ is diagonal: ½ and (1+9)/16.
			force := [2]float64{at(frame.F, 9, k) + at(frame.F, 11, k),
				(at(frame.F, 17, k)/4 + at(frame.F, 19, k)*3/4) * 1.6}
			for bead := range 2 {
				i := n*6 + bead*3 + k
				// of 1000 kJ/mol/nm in float32
				if math.Abs(float64(f.R[i])-r[bead]) > 1e-6 || math.Abs(float64(f.F[i])-force[bead]) > 1e-3 {
					t.Errorf("frame %d, bead %d, coordinate %d: got %g and %g, want %g and %g", n, bead, k, f.R[i],
						f.F[i], r[bead], force[bead])
				}
			}
		}
	}
}

// Frames of one map do not follow those of another in a file, though beads have the same names.
func TestMergeOfMaps(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, atom := range []string{"ALA2:CA", "ALA2:CB"} {
		out := filepath.Join(dir, filepath.Base(atom)+".arrow")
		if _, err := call(t, "import", "-structure", gro, "-map", mapFile(t, "a C "+atom+"\n"), "-o", out,
			trr); err != nil {
			t.Fatal(err)
		}
		files = append(files, out)
	}
	if _, err := call(t, "merge", "-o", filepath.Join(dir, "both.arrow"), files[0], files[1]); err == nil ||
		!strings.Contains(err.Error(), "the map") {
		t.Errorf("got %v", err)
	}
}

// pdb is the structure of a simulation in implicit water.
const pdb = "../../../data/gromacs/testdata/ala2.pdb"

// implicit is n frames of all its atoms as a trajectory, and the same frames.
func implicit(t *testing.T, n int) (path string, frames *data.Frames) {
	t.Helper()
	all, meta, err := data.ReadFile("../../../data/ala2/obc2/unbiased_all-atom.arrow")
	if err != nil {
		t.Fatal(err)
	}
	frames = all.Slice(0, n)
	dir := t.TempDir()
	arrow, path := filepath.Join(dir, "some.arrow"), filepath.Join(dir, "some.npz")
	if err := data.WriteFile(arrow, meta, frames); err != nil {
		t.Fatal(err)
	}
	if err := npz.Write(t.Context(), path, arrow); err != nil {
		t.Fatal(err)
	}
	return path, frames
}

// Forces along internal coordinates are those of cgmap, to the last bit, by a named map as by a file that selects the
// same atoms.
func TestImportInternalForces(t *testing.T) {
	path, all := implicit(t, 600)
	load := func(args ...string) (*data.Frames, data.Meta) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out.arrow")
		text, err := call(t, append([]string{"import", "-forces", "internal", "-structure", pdb, "-o", out, path},
			args...)...)
		if err != nil {
			t.Fatal(err)
		}
		var rms, basic float64
		if _, err := fmt.Sscanf(text[strings.Index(text, "rms force"):],
			"rms force component %g kJ/mol/nm, %g by the basic projection", &rms, &basic); err != nil ||
			!(rms > 300 && rms < basic) {
			t.Errorf("got %q: rms %g, basic %g, %v", text, rms, basic, err)
		}
		f, meta, err := data.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return f, meta
	}
	s, err := gromacs.ReadStructure(pdb)
	if err != nil {
		t.Fatal(err)
	}
	molecule, err := cgmap.NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cgmap.New(cgmap.CoreBeta, s)
	if err != nil {
		t.Fatal(err)
	}
	file := mapFile(t, "ACE1:C C ACE1:C\nALA2:N N ALA2:N\nALA2:CA C ALA2:CA\nALA2:CB C ALA2:CB\nALA2:C C "+
		"ALA2:C\nNME3:N N NME3:N\n")
	for _, c := range []struct {
		args  []string
		rigid [][]int
	}{{nil, nil}, {[]string{"-constraints", "h-bonds"}, molecule.HydrogenGroups(s)}} {
		in, err := cgmap.LearnInternal(m, molecule.Bonds(), all.R, all.F, c.rigid)
		if err != nil {
			t.Fatal(err)
		}
		var want []float32
		for i := range all.Len() {
			if want, err = in.Apply(want, all.R[i*all.Width():(i+1)*all.Width()],
				all.F[i*all.Width():(i+1)*all.Width()]); err != nil {
				t.Fatal(err)
			}
		}
		for _, mapping := range []string{"core-beta", file} {
			f, meta := load(append(c.args, "-map", mapping)...)
			if f.Len() != all.Len() || !slices.Equal(f.F, want) {
				t.Errorf("%s, %q: other forces", mapping, c.args)
			}
			if command := strings.Join(append([]string{"-forces internal"}, c.args...),
				" "); !strings.Contains(meta.Generator, command) {
				t.Errorf("%s: made by %q", mapping, meta.Generator)
			}
		}
	}
	// The weights are of the frames that are kept.
	f, _ := load("-skip", "100", "-every", "1")
	in, err := cgmap.LearnInternal(m, molecule.Bonds(), all.R[100*all.Width():], all.F[100*all.Width():], nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := in.Apply(nil, all.R[100*all.Width():101*all.Width()], all.F[100*all.Width():101*all.Width()])
	if err != nil || f.Len() != 500 || !slices.Equal(f.F[:18], first) {
		t.Errorf("skipped: got %d frames, %v, want %v, %v", f.Len(), f.F[:18], first, err)
	}
	if text, err := call(t, "import", "-h"); err != nil ||
		!strings.Contains(text, "internal, along bonds, angles and torsions") {
		t.Errorf("-h: got %q, %v", text, err)
	}
}

// What has no internal forces is said, and no file is left.
func TestImportInternalForcesErrors(t *testing.T) {
	path, _ := implicit(t, 600)
	for _, c := range []struct {
		name string
		args []string
		none bool // no unbiased force map
		want string
	}{
		{"few frames", []string{"-structure", gro, trr}, false, "8 frames are too few"},
		{"means", []string{"-structure", pdb, "-map", mapFile(t, "a C ALA2:CA ALA2:CB\nb C ALA2:C\nc N NME3:N\n"),
			path}, true, "my.map are means of atoms"},
		{"rigid beads", []string{"-structure", pdb, "-map", "all-atom", "-constraints", "h-bonds", path}, true,
			"constraints"},
		{"frames of beads", []string{"-structure", gro, "-map", "heavy-atom",
			"../../../data/npz/testdata/published.npz"}, false, "-forces internal needs the forces on all 22 atoms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := call(t, append([]string{"import", "-forces", "internal", "-o", filepath.Join(dir, "x.arrow")},
				c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, cgmap.ErrForceMap) != c.none ||
				exitCode(err) != 1 {
				t.Errorf("got %v, exit code %d", err, exitCode(err))
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
