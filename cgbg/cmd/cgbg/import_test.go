package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
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
	if _, err := call(t, append([]string{"import", "-structure", gro, "-awh", xvg, "-o", out, trr}, args...)...); err != nil {
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
	path := mapFile(t, "ACE1:C C ACE1:C\nALA2:N N ALA2:N\nALA2:CA C ALA2:CA\nALA2:CB C ALA2:CB\nALA2:C C ALA2:C\nNME3:N N NME3:N\n")
	for _, args := range [][]string{nil, {"-forces", "least-noise"}, {"-constraints", "h-bonds"}} {
		got, meta := imported(t, append(args, "-map", path)...)
		want, wantMeta := imported(t, append(args, "-map", "core-beta")...)
		if !slices.Equal(got.R, want.R) || !slices.Equal(got.F, want.F) || !slices.Equal(got.LogW, want.LogW) {
			t.Errorf("%q: other numbers", args)
		}
		if !slices.Equal(meta.Beads, wantMeta.Beads) || !slices.Equal(meta.Species, wantMeta.Species) || meta.Mapping != "my.map" ||
			!strings.Contains(meta.Extra[keyMap], "ALA2:CB C") || !strings.Contains(meta.Generator, "-map my.map") {
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
			force := [2]float64{at(frame.F, 9, k) + at(frame.F, 11, k), (at(frame.F, 17, k)/4 + at(frame.F, 19, k)*3/4) * 1.6}
			for bead := range 2 {
				i := n*6 + bead*3 + k
				if math.Abs(float64(f.R[i])-r[bead]) > 1e-6 || math.Abs(float64(f.F[i])-force[bead]) > 1e-3 { // of 1000 kJ/mol/nm in float32
					t.Errorf("frame %d, bead %d, coordinate %d: got %g and %g, want %g and %g", n, bead, k, f.R[i], f.F[i], r[bead], force[bead])
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
		if _, err := call(t, "import", "-structure", gro, "-map", mapFile(t, "a C "+atom+"\n"), "-o", out, trr); err != nil {
			t.Fatal(err)
		}
		files = append(files, out)
	}
	if _, err := call(t, "merge", "-o", filepath.Join(dir, "both.arrow"), files[0], files[1]); err == nil || !strings.Contains(err.Error(), "the map") {
		t.Errorf("got %v", err)
	}
}
