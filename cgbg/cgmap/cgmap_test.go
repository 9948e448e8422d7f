package cgmap

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/sbinet/npyio/npz"
)

func ala2(t testing.TB) *gromacs.Structure {
	t.Helper()
	s, err := gromacs.ReadGRO("../../data/gromacs/testdata/ala2.gro")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The beads, species and dihedrals of the published maps (arXiv 2602.10637 and its code).
func TestAlanineDipeptide(t *testing.T) {
	for _, c := range []struct {
		name     string
		beads    string
		species  []int32
		phi, psi [4]int
	}{
		{HeavyAtom, "ACE1:CH3 ACE1:C ACE1:O ALA2:N ALA2:CA ALA2:CB ALA2:C ALA2:O NME3:N NME3:CH3",
			[]int32{1, 1, 2, 3, 1, 1, 1, 2, 3, 1}, [4]int{1, 3, 4, 6}, [4]int{3, 4, 6, 8}},
		{CoreBeta, "ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C NME3:N",
			[]int32{1, 3, 1, 1, 1, 3}, [4]int{0, 1, 2, 4}, [4]int{1, 2, 4, 5}},
		{AllAtom, "", nil, [4]int{4, 6, 8, 14}, [4]int{6, 8, 14, 16}}, // GROMACS, 1-based: 5-7-9-15 and 7-9-15-17
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(c.name, ala2(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(m.Beads, " "); c.beads != "" && got != c.beads {
				t.Errorf("beads: got %s, want %s", got, c.beads)
			}
			if c.species != nil && !slices.Equal(m.Species, c.species) {
				t.Errorf("species: got %v, want %v", m.Species, c.species)
			}
			r, err := Backbone(m.Beads)
			if err != nil {
				t.Fatal(err)
			}
			if len(r) != 1 || r[0].Phi != c.phi || r[0].Psi != c.psi {
				t.Errorf("dihedrals: got %+v, want φ %v, ψ %v", r, c.phi, c.psi)
			}
		})
	}
}

// peptide is a capped peptide of n alanines, with its heavy atoms and one hydrogen.
func peptide(n int) *gromacs.Structure {
	s := &gromacs.Structure{}
	add := func(residue string, number int, names ...string) {
		for _, name := range names {
			s.Atoms = append(s.Atoms, gromacs.Atom{Name: name, Residue: residue, ResidueNumber: number})
		}
	}
	add("ACE", 1, "HH31", "CH3", "C", "O")
	for i := range n {
		add("ALA", i+2, "N", "H", "CA", "CB", "C", "O")
	}
	add("NME", n+2, "N", "CH3")
	add("SOL", n+3, "OW", "HW1", "HW2")
	return s
}

// Longer peptides lose their caps at Core Beta; dihedrals of residue 2 of Ala3
// (heavy atoms) and of residue 4 of Ala6 (Core Beta) are those of the published code.
func TestLongerPeptides(t *testing.T) {
	for _, c := range []struct {
		name                      string
		n, beads, residues, which int
		phi, psi                  [4]int
	}{
		{HeavyAtom, 3, 20, 3, 1, [4]int{6, 8, 9, 11}, [4]int{8, 9, 11, 13}},
		{CoreBeta, 6, 24, 4, 2, [4]int{11, 12, 13, 15}, [4]int{12, 13, 15, 16}},
		{CoreBeta, 3, 12, 1, 0, [4]int{3, 4, 5, 7}, [4]int{4, 5, 7, 8}},
	} {
		t.Run(fmt.Sprintf("%s of %d", c.name, c.n), func(t *testing.T) {
			m, err := New(c.name, peptide(c.n))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Backbone(m.Beads)
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Beads) != c.beads || len(r) != c.residues {
				t.Fatalf("got %d beads and %d residues, want %d and %d", len(m.Beads), len(r), c.beads, c.residues)
			}
			if got := r[c.which]; got.Phi != c.phi || got.Psi != c.psi {
				t.Errorf("got %+v, want φ %v, ψ %v", got, c.phi, c.psi)
			}
		})
	}
}

func TestApply(t *testing.T) {
	s := ala2(t)
	m, err := New(CoreBeta, s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Apply(nil, s.R)
	if err != nil {
		t.Fatal(err)
	}
	for i, atom := range m.Atoms {
		if !slices.Equal(r[3*i:3*i+3], s.R[3*atom:3*atom+3]) {
			t.Errorf("bead %d: got %v, want that of atom %d", i, r[3*i:3*i+3], atom)
		}
	}
	if _, err := m.Apply(nil, s.R[:9]); err == nil || !strings.Contains(err.Error(), "22 atoms") {
		t.Errorf("a short frame: got %v", err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := New("united", ala2(t)); !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), HeavyAtom) {
		t.Errorf("unknown map: got %v", err)
	}
	if _, err := New(CoreBeta, &gromacs.Structure{Atoms: []gromacs.Atom{{Name: "OW", Residue: "SOL",
		ResidueNumber: 1}}}); !errors.Is(err, ErrMap) {
		t.Errorf("water: got %v", err)
	}
	if _, err := New(HeavyAtom, &gromacs.Structure{Atoms: []gromacs.Atom{{Name: "ZN", Residue: "LIG",
		ResidueNumber: 1}}}); err == nil {
		t.Error("zinc: no error")
	}
	if _, err := Backbone([]string{"particle", "ALA2:CA"}); err == nil || !strings.Contains(err.Error(), "dihedrals") {
		t.Errorf("no backbone: got %v", err)
	}
}

func ExampleBackbone() {
	r, _ := Backbone([]string{"ACE1:C", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "NME3:N"})
	fmt.Println(r[0].Name, r[0].Phi, r[0].Psi)
	// Output: ALA2 [0 1 2 4] [1 2 4 5]
}

// Dihedrals of mapped real frames, against MDAnalysis 2.4.2.
func TestDihedralsAgainstMDAnalysis(t *testing.T) {
	file, err := npz.Open("../../data/gromacs/testdata/ala2_mdanalysis.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := map[string][]float64{}
	for _, name := range []string{"phi", "psi"} {
		var single []float32
		var double []float64
		if err := file.Read(name+".npy", &double); err != nil {
			if err := file.Read(name+".npy", &single); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range single {
			double = append(double, float64(v))
		}
		want[name] = double
	}
	for _, name := range []string{CoreBeta, HeavyAtom} {
		m, err := New(name, ala2(t))
		if err != nil {
			t.Fatal(err)
		}
		residues, err := Backbone(m.Beads)
		if err != nil {
			t.Fatal(err)
		}
		trajectory, err := gromacs.OpenTRR("../../data/gromacs/testdata/ala2.trr")
		if err != nil {
			t.Fatal(err)
		}
		defer trajectory.Close()
		var frame gromacs.Frame
		for n := range want["phi"] {
			if err := trajectory.Next(&frame); err != nil {
				t.Fatal(err)
			}
			r, err := m.Apply(nil, frame.R)
			if err != nil {
				t.Fatal(err)
			}
			x := make([]vector, len(m.Beads))
			for i, v := range r {
				x[i/3][i%3] = float64(v)
			}
			at := func(q [4]int) float64 { return dihedral(x[q[0]], x[q[1]], x[q[2]], x[q[3]]) }
			phi, psi := at(residues[0].Phi), at(residues[0].Psi)
			// Positions are float32: 1e-7 of 2 nm over bonds of 0.15 nm.
			if math.Abs(phi-want["phi"][n]) > 1e-5 || math.Abs(psi-want["psi"][n]) > 1e-5 {
				t.Errorf("%s, frame %d: got φ %g, ψ %g, want %g, %g", name, n, phi, psi, want["phi"][n], want["psi"][n])
			}
		}
	}
}
