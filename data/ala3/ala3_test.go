package ala3

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/plumed"
)

func load(t *testing.T, of func() (*data.Frames, data.Meta, error)) (*data.Frames, data.Meta) {
	t.Helper()
	f, m, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return f, m
}

// Every set has the shape its comment gives, and its checksum in README.md.
func TestSets(t *testing.T) {
	for _, c := range []struct {
		name             string
		load             func() (*data.Frames, data.Meta, error)
		frames, beads, d int
		stride           float64
	}{
		{"dihedrals", Dihedrals, 6000, 3, 2, 3},
		{"heavy atoms", HeavyAtom, 750, 20, 3, 24},
		{"core beta", CoreBeta, 3000, 12, 3, 6},
	} {
		f, m := load(t, c.load)
		if f.Len() != c.frames || f.Beads != c.beads || f.Dim != c.d {
			t.Errorf("%s: got %d frames of %d beads in %d dimensions", c.name, f.Len(), f.Beads, f.Dim)
		}
		if (f.F != nil) != (c.d == 3) || len(f.LogW) != c.frames {
			t.Errorf("%s: forces %v, %d weights", c.name, f.F != nil, len(f.LogW))
		}
		if m.Temperature != 300 || math.Abs(m.Stride-c.stride) > 1e-3 || m.System != "Ac-Ala3-NHMe" {
			t.Errorf("%s: got %+v", c.name, m)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ala3.pdb", "metad5_bias.dat", "metad5_core-beta.arrow", "metad5_dihedrals.arrow",
		"metad5_heavy-atom.arrow"} {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := fmt.Sprintf("| %s | `%x` |", name, sha256.Sum256(file)); !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the line\n%s", line)
		}
	}
}

// The log-weights follow from the final bias on ALA3: ln w = V(φ, ψ)/kT.
func TestBias(t *testing.T) {
	grid, err := plumed.ReadGrid("metad5_bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(grid.Names, []string{"phi_ALA3", "psi_ALA3"}) {
		t.Errorf("the bias is on %v", grid.Names)
	}
	f, m := load(t, Dihedrals)
	for i, want := range f.LogW {
		v, err := grid.At(float64(f.R[6*i+2]), float64(f.R[6*i+3]))
		if err != nil {
			t.Fatal(err)
		}
		if got := v / units.KT(m.Temperature); math.Abs(got-want) > 1e-4 { // φ and ψ are kept in float32
			t.Fatalf("frame %d: V/kT = %.6f, ln w = %.6f", i, got, want)
		}
	}
}

// Frames of beads are those of the dihedrals, with the same weights: ψ of ALA2, φ and ψ of ALA3, φ of ALA4.
func TestSameFrames(t *testing.T) {
	all, _ := load(t, Dihedrals)
	for _, c := range []struct {
		name string
		load func() (*data.Frames, data.Meta, error)
		each int
	}{{"heavy atoms", HeavyAtom, 8}, {"core beta", CoreBeta, 2}} {
		f, m := load(t, c.load)
		for k, beads := range [][4]string{
			{"ALA2:N", "ALA2:CA", "ALA2:C", "ALA3:N"}, {"ALA2:C", "ALA3:N", "ALA3:CA", "ALA3:C"},
			{"ALA3:N", "ALA3:CA", "ALA3:C", "ALA4:N"}, {"ALA3:C", "ALA4:N", "ALA4:CA", "ALA4:C"},
		} {
			var quad [4]int
			for i, bead := range beads {
				if quad[i] = slices.Index(m.Beads, bead); quad[i] < 0 {
					t.Fatalf("%s: no bead %s among %v", c.name, bead, m.Beads)
				}
			}
			for n, got := range observable.Dihedrals(f.R, f.Beads, quad) {
				want := float64(all.R[6*c.each*n+1+k])
				if math.Abs(math.Remainder(got-want, 2*math.Pi)) > 1e-5 || f.LogW[n] != all.LogW[c.each*n] {
					t.Fatalf("%s, frame %d, %v: got %.6f, want %.6f rad", c.name, n, beads, got, want)
				}
			}
		}
	}
}

// The bias crosses: the middle residue is seen on both sides of φ = 0, and goes there and back often.
func TestCrossings(t *testing.T) {
	f, _ := load(t, Dihedrals)
	crossings, inside := 0, f.R[2] > 0.5 && f.R[2] < 2
	for n := range f.Len() {
		phi := f.R[6*n+2]
		if now := phi > 0.5 && phi < 2; now != inside && (now || phi < -0.5) { // rad; neither side near 0 counts
			crossings, inside = crossings+1, now
		}
	}
	if crossings < 20 {
		t.Errorf("%d crossings", crossings)
	}
}

func ExampleCoreBeta() {
	frames, meta, err := CoreBeta()
	fmt.Println(frames.Len(), meta.Beads[0], meta.Mapping, err)
	// Output: 3000 ALA2:N core-beta <nil>
}
