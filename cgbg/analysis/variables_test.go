package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

func named(d Defaults) (names []string) {
	for _, v := range d.Variables {
		names = append(names, v.Name+" = "+v.Text)
	}
	return names
}

// Real frames of alanine dipeptide, in space and as angles, have φ and ψ by the same names.
func TestPeptide(t *testing.T) {
	for name, read := range map[string]func() (*data.Frames, data.Meta, error){
		"Core Beta": obc2.UnbiasedCoreBeta, "Heavy Atom": obc2.UnbiasedHeavyAtom, "dihedrals": obc2.UnbiasedDihedralsA,
	} {
		f, m, err := read()
		if err != nil {
			t.Fatal(err)
		}
		d, err := DefaultVariables(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := named(d), []string{"phi_ALA2 = phi(ALA2)", "psi_ALA2 = psi(ALA2)"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if want := []string{"phi_ALA2", "psi_ALA2"}; !slices.Equal(d.Scored, want) {
			t.Errorf("%s: got %q, want %q", name, d.Scored, want)
		}
	}
}

// Of four residues, two of them copies of one name, every one has its angles; the middle ones are scored.
func TestResidues(t *testing.T) {
	beads := []string{"A/GLY1:phi,psi", "A/ALA2:phi,psi", "A/SER3:phi,psi", "A/SER3:phi,psi"}
	f := &data.Frames{Beads: 4, Dim: 2, R: []float32{1, 2, 3, -1, -2, -3, 0.5, 0.25}}
	m := data.Meta{Beads: beads, Dim: 2}
	d, err := DefaultVariables(f, m)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"phi_A_ALA2", "psi_A_ALA2"}; !slices.Equal(d.Scored, want) {
		t.Errorf("scored: got %q, want %q", d.Scored, want)
	}
	for i, v := range d.Variables {
		if x, err := v.Of(f, m); err != nil || x[0] != float64(f.R[i]) {
			t.Errorf("%s = %s: got %v, %v, want %g", v.Name, v.Text, x, err, f.R[i])
		}
	}
}

// Beads of no peptide: real frames under other names. All variables can be measured; the torsions are the φ and ψ that
// the names hid.
func TestMolecule(t *testing.T) {
	f, m, err := ala2.CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	for name, beads := range map[string][]string{
		"letters": {"a", "b", "c", "d", "e", "f"},
		"copies":  {"C", "C", "C", "C", "(x)", "#1"},
		"no name": nil,
	} {
		other := m
		other.Beads = beads
		d, err := DefaultVariables(f, other)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Variables) != 4 || len(d.Scored) != 2 || d.Scored[0] == d.Scored[1] {
			t.Fatalf("%s: got %q, scored %q", name, named(d), d.Scored)
		}
		var seen []string
		for k, v := range d.Variables {
			if slices.Contains(seen, v.Name) {
				t.Errorf("%s: %s twice", name, v.Name)
			}
			seen = append(seen, v.Name)
			x, err := v.Of(f, other)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if k < 2 {
				continue
			}
			phi, err := observable.ParseVariable("x", []string{"phi(2)", "psi(2)"}[k-2])
			if err != nil {
				t.Fatal(err)
			}
			if want, err := phi.Of(f, m); err != nil || !slices.Equal(x, want) {
				t.Errorf("%s: %s is not %s, %v", name, v.Text, phi.Text, err)
			}
		}
	}
}

// Of beads on a line of which two move on their own, the distances that tell of both are chosen, the wider first.
func TestWidest(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var r []float32
	for range 500 {
		a, b := float32(1+0.3*rng.NormFloat64()), float32(1+0.1*rng.NormFloat64())
		r = append(r, 0, 0, 0, 0.2, 0, 0, 0, a, 0, 0, 0, b)
	}
	if got, want := widest(r, 4), [][2]int{{0, 2}, {0, 3}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := widest(r, 2); !slices.Equal(got, [][2]int{{0, 1}}) {
		t.Errorf("two beads: got %v", got)
	}
}

func TestDefaultVariablesErrors(t *testing.T) {
	for name, f := range map[string]*data.Frames{
		"one bead":   {Beads: 1, Dim: 3, R: []float32{1, 2, 3}},
		"two angles": {Beads: 1, Dim: 2, R: []float32{1, 2}},
	} {
		_, err := DefaultVariables(f, data.Meta{Beads: []string{"particle"}, Dim: f.Dim})
		if err == nil || !strings.HasPrefix(err.Error(), "analysis: default variables: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func ExampleDefaultVariables() {
	frames, meta, err := ala2.CoreBeta()
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := DefaultVariables(frames, meta)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range d.Variables {
		x, err := v.Of(frames, meta)
		if err != nil {
			fmt.Println(err)
			return
		}
		mean, err := observable.Mean(x, nil, v.Period, observable.Resampling{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s (%s): %s %.0f %s\n", v.Name, v.Label, v.Text, math.Round(mean.Value*v.Scale), v.Unit)
	}
	// Output:
	// phi_ALA2 (φ, ALA2): phi(ALA2) -87 degrees
	// psi_ALA2 (ψ, ALA2): psi(ALA2) 91 degrees
}
