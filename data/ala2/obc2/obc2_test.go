package obc2

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/plumed"
)

// Every set opens, has the shape its comment gives, and its checksum in README.md.
func TestSets(t *testing.T) {
	for _, c := range []struct {
		name             string
		load             func() (*data.Frames, data.Meta, error)
		frames, beads, d int
		forces, weights  bool
	}{
		{"a", UnbiasedDihedralsA, 200000, 1, 2, false, false},
		{"b", UnbiasedDihedralsB, 200000, 1, 2, false, false},
		{"9", Metad9Dihedrals, 44000, 1, 2, false, true},
		{"1.5", Metad15Dihedrals, 18000, 1, 2, false, true},
		{"HA", UnbiasedHeavyAtom, 40000, 10, 3, true, false},
		{"CB", UnbiasedCoreBeta, 40000, 6, 3, true, false},
		{"all", UnbiasedAllAtom, 4000, 22, 3, true, false},
		{"HA 9", Metad9HeavyAtom, 22000, 10, 3, true, true},
		{"CB 9", Metad9CoreBeta, 44000, 6, 3, true, true},
		{"HA 1.5", Metad15HeavyAtom, 18000, 10, 3, true, true},
		{"CB 1.5", Metad15CoreBeta, 18000, 6, 3, true, true},
	} {
		f, m, err := c.load()
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != c.frames || f.Beads != c.beads || f.Dim != c.d || (f.F != nil) != c.forces ||
			(f.LogW != nil) != c.weights || m.Temperature != 300 {
			t.Errorf("%s: got %d frames of %d beads in %d dimensions, forces %v, weights %v", c.name, f.Len(), f.Beads,
				f.Dim, f.F != nil, f.LogW != nil)
		}
		if c.d == 2 {
			for _, v := range f.R {
				if math.Abs(float64(v)) > math.Pi+1e-6 {
					t.Fatalf("%s: an angle of %v", c.name, v)
				}
			}
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.arrow")
	if err != nil || len(files) != 11 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	biases, err := filepath.Glob("*_bias.dat")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, biases...)
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if line := fmt.Sprintf("| %s | `%x` |", name, sha256.Sum256(file)); !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks the line\n%s", line)
		}
	}
}

// The log-weights follow from the final bias: ln w = V(φ, ψ)/kT.
func TestBias(t *testing.T) {
	for name, load := range map[string]func() (*data.Frames, data.Meta, error){
		"metad9_bias.dat": Metad9Dihedrals, "metad1.5_bias.dat": Metad15Dihedrals,
	} {
		grid, err := plumed.ReadGrid(name)
		if err != nil {
			t.Fatal(err)
		}
		f, m, err := load()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range f.LogW {
			v, err := grid.At(float64(f.R[2*i]), float64(f.R[2*i+1]))
			if err != nil {
				t.Fatal(err)
			}
			// φ and ψ are kept in float32.
			if got := v / units.KT(m.Temperature); math.Abs(got-want) > 1e-4 {
				t.Fatalf("%s: frame %d: V/kT = %.6f, ln w = %.6f", name, i, got, want)
			}
		}
	}
}
