package cgmap

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// named is alanine dipeptide with other names for its 22 atoms and the residue and number of each.
func named(t *testing.T, residue func(i int) (string, int), names string) *gromacs.Structure {
	t.Helper()
	s := ala2(t)
	atoms := strings.Fields(names)
	for i := range s.Atoms {
		s.Atoms[i].Name = atoms[i]
		s.Atoms[i].Residue, s.Atoms[i].ResidueNumber = residue(i)
	}
	return s
}

// three are the residues of alanine dipeptide under some names.
func three(before, alanine, after string) func(i int) (string, int) {
	return func(i int) (string, int) {
		switch {
		case i < 6:
			return before, 1
		case i < 16:
			return alanine, 2
		}
		return after, 3
	}
}

func one(residue string) func(int) (string, int) {
	return func(int) (string, int) { return residue, 1 }
}

// Alanine dipeptide under the names that force fields give it: the same atoms, dihedrals and bonds.
func TestCaps(t *testing.T) {
	const alanine = "N H CA HA CB HB1 HB2 HB3 C O "
	for _, c := range []struct {
		name    string
		residue func(int) (string, int)
		atoms   string
		beads   string
	}{
		{"AMBER", three("ACE", "ALA", "NME"), "CH3 HH31 HH32 HH33 C O " + alanine + "N H CH3 HH31 HH32 HH33",
			"ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C NME3:N"},
		{"AMBER, NME's carbon C", three("ACE", "ALA", "NME"), "CH3 H1 H2 H3 C O " + alanine + "N H C H1 H2 H3",
			"ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C NME3:N"},
		{"OPLS", three("ACE", "ALA", "NAC"), "CH3 HH31 HH32 HH33 C O " + alanine + "N H CH3 HH31 HH32 HH33",
			"ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C NAC3:N"},
		{"GROMOS", three("ACE", "ALA", "NMA"), "CA HA1 HA2 HA3 C O " + alanine + "N H CA HA1 HA2 HA3",
			"ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C NMA3:N"},
		{"CT3 as a residue", three("ACE", "ALA", "CT3"), "CH3 HH31 HH32 HH33 C O " + alanine + "N HN CA HA1 HA2 HA3",
			"ACE1:C ALA2:N ALA2:CA ALA2:CB ALA2:C CT3.3:N"},
		{"CHARMM's patches", one("ALA"), "CAY HY1 HY2 HY3 CY OY N HN CA HA CB HB1 HB2 HB3 C O NT HNT CAT HT1 HT2 HT3",
			"ALA1:CY ALA1:N ALA1:CA ALA1:CB ALA1:C ALA1:NT"},
		{"CHARMM's ALAD", one("ALAD"), "CL HL1 HL2 HL3 CLP OL NL HL CA HA CB HB1 HB2 HB3 CRP OR NR HR CR HR1 HR2 HR3",
			"ALAD1:CLP ALAD1:NL ALAD1:CA ALAD1:CB ALAD1:CRP ALAD1:NR"},
		{"D-alanine", three("ACE", "DALA", "NME"), "CH3 HH31 HH32 HH33 C O " + alanine + "N H CH3 HH31 HH32 HH33",
			"ACE1:C DALA2:N DALA2:CA DALA2:CB DALA2:C NME3:N"},
		{"a residue's name with a digit", three("ACE", "CYS2", "NME"), "CH3 HH31 HH32 HH33 C O " + alanine +
			"N H CH3 HH31 HH32 HH33", "ACE1:C CYS2.2:N CYS2.2:CA CYS2.2:CB CYS2.2:C NME3:N"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := named(t, c.residue, c.atoms)
			for _, name := range []string{CoreBeta, CoreBetaCaps} {
				m, err := New(name, s)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(m.Beads, " "); got != c.beads ||
					!slices.Equal(m.Atoms, []int{4, 6, 8, 10, 14, 16}) ||
					!slices.Equal(m.Species, []int32{1, 3, 1, 1, 1, 3}) {
					t.Errorf("%s: got %s, atoms %v, species %v, want %s", name, got, m.Atoms, m.Species, c.beads)
				}
				r, err := Backbone(m.Beads)
				if err != nil || len(r) != 1 || r[0].Phi != [4]int{0, 1, 2, 4} || r[0].Psi != [4]int{1, 2, 4, 5} ||
					r[0].Center != [4]int{2, 1, 4, 3} {
					t.Errorf("%s: dihedrals %+v, %v", name, r, err)
				}
				if got, want := PeptideBonds(m.Beads), [][2]int{{0, 1}, {4, 5}}; !slices.Equal(got, want) {
					t.Errorf("%s: peptide bonds %v, want %v", name, got, want)
				}
			}
			m, r, err := Dihedrals(s)
			if err != nil || len(r) != 1 || !slices.Equal(m.Atoms, []int{4, 6, 8, 14, 16}) ||
				r[0].Phi != [4]int{0, 1, 2, 3} || r[0].Psi != [4]int{1, 2, 3, 4} || r[0].Center[3] != -1 {
				t.Errorf("dihedrals alone: got %+v of atoms %v, %v", r, m, err)
			}
			heavy, err := New(HeavyAtom, s)
			if err != nil || !slices.Equal(heavy.Species, []int32{1, 1, 2, 3, 1, 1, 1, 2, 3, 1}) {
				t.Errorf("heavy atoms: got %v, %v", heavy, err)
			}
		})
	}
}

// A glycine has dihedrals without a CB.
func TestGlycine(t *testing.T) {
	s := peptide(3)
	for i := range s.Atoms {
		if s.Atoms[i].ResidueNumber == 3 {
			s.Atoms[i].Residue = "GLY"
		}
	}
	s.Atoms = slices.DeleteFunc(s.Atoms, func(a gromacs.Atom) bool { return a.Residue == "GLY" && a.Name == "CB" })
	m, err := New(CoreBeta, s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Backbone(m.Beads)
	if err != nil || len(r) != 1 || r[0].Name != "GLY3" || r[0].Center[3] != -1 {
		t.Errorf("core beta: got %+v, %v", r, err)
	}
	_, r, err = Dihedrals(s)
	var names []string
	for _, residue := range r {
		names = append(names, residue.Name)
	}
	if want := []string{"ALA2", "GLY3", "ALA4"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v, want %q", names, err, want)
	}
}

// copies are alanine dipeptides side by side; number and chain of the residues of each from 1 to 3.
func copies(t *testing.T, n int, number func(copy, residue int) int, chain func(copy int) string) *gromacs.Structure {
	t.Helper()
	one, s := ala2(t), &gromacs.Structure{}
	for c := range n {
		for i, a := range one.Atoms {
			a.ResidueNumber, a.Chain = number(c, a.ResidueNumber), chain(c)
			s.Atoms = append(s.Atoms, a)
			s.R = append(s.R, one.R[3*i]+float32(c), one.R[3*i+1], one.R[3*i+2])
		}
	}
	return s
}

// Several molecules, whatever their numbers and chains: each has its own names, dihedrals, bonds and caps.
func TestChains(t *testing.T) {
	none := func(int) string { return "" }
	same := func(_, r int) int { return r }
	on := func(c, r int) int { return 3*c + r }
	for _, c := range []struct {
		name   string
		number func(copy, residue int) int
		chain  func(copy int) string
		want   string // names of residues
	}{
		{"restarting numbers", same, none, "A/ALA2 B/ALA2 C/ALA2"},
		{"numbers that go on", on, none, "ALA2 ALA5 ALA8"},
		{"identifiers", same, func(c int) string { return "XYZ"[c : c+1] }, "X/ALA2 Y/ALA2 Z/ALA2"},
		{"one identifier", same, func(int) string { return "X" }, "X/ALA2 X2/ALA2 X3/ALA2"},
		{"a number as identifier", same, func(int) string { return "1" }, "1/ALA2 1.2/ALA2 1.3/ALA2"},
		{"some identifiers", same, func(c int) string { return []string{"", "A", ""}[c] }, "B/ALA2 A/ALA2 C/ALA2"},
		{"negative numbers", func(_, r int) int { return r - 12 }, none, "A/ALA-10 B/ALA-10 C/ALA-10"},
		{"falling numbers", func(c, r int) int { return 30 - 10*c + r }, none, "A/ALA32 B/ALA22 C/ALA12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := copies(t, 3, c.number, c.chain)
			_, residues, err := Dihedrals(s)
			if err != nil {
				t.Fatal(err)
			}
			check := func(residues []Residue, atoms []int) {
				t.Helper()
				var names []string
				for k, r := range residues {
					names = append(names, r.Name)
					var phi []int
					for _, i := range r.Phi {
						phi = append(phi, atoms[i])
					}
					if want := []int{22*k + 4, 22*k + 6, 22*k + 8, 22*k + 14}; !slices.Equal(phi, want) {
						t.Errorf("φ of %s: got atoms %v, want %v", r.Name, phi, want)
					}
				}
				if got := strings.Join(names, " "); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}
			m, _, _ := Dihedrals(s)
			check(residues, m.Atoms)
			for name, beads := range map[string]int{CoreBeta: 18, HeavyAtom: 30, AllAtom: 66} {
				m, err := New(name, s)
				if err != nil {
					t.Fatal(err)
				}
				if len(m.Beads) != beads || len(slices.Compact(slices.Sorted(slices.Values(m.Beads)))) != beads {
					t.Errorf("%s: got %q, want %d different names", name, m.Beads, beads)
				}
				r, err := Backbone(m.Beads)
				if err != nil {
					t.Fatal(err)
				}
				check(r, m.Atoms)
				if got := PeptideBonds(m.Beads); len(got) != 6 {
					t.Errorf("%s: %d peptide bonds, want 6", name, len(got))
				}
			}
		})
	}
}

// renumbered is a peptide of n alanines and caps, without positions, under other numbers.
func renumbered(n int, number func(residue int) (int, string)) *gromacs.Structure {
	s := peptide(n)
	for i := range s.Atoms {
		s.Atoms[i].ResidueNumber, s.Atoms[i].Insertion = number(s.Atoms[i].ResidueNumber)
	}
	return s
}

// Insertion codes, negative numbers and those that begin anew do not break a chain; a gap does, for no bond is known
// across it.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		name   string
		number func(residue int) (int, string)
		want   string
	}{
		{"insertion codes", func(r int) (int, string) {
			switch {
			case r < 4:
				return r, ""
			case r < 6:
				return 3, "AB"[r-4 : r-3]
			}
			return r - 2, ""
		}, "ALA2 ALA3 ALA3A ALA3B"},
		{"from below zero", func(r int) (int, string) { return r - 4, "" }, "ALA-2 ALA-1 ALA0 ALA1"},
		{"four columns", func(r int) (int, string) { return (r + 9996) % 10000, "" }, "ALA9998 ALA9999 ALA0 ALA1"},
		{"five columns", func(r int) (int, string) { return (r + 99996) % 100000, "" }, "ALA99998 ALA99999 ALA0 ALA1"},
		{"gap", func(r int) (int, string) { return r + r/4, "" }, "ALA2 ALA6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := renumbered(4, c.number)
			m, err := New(HeavyAtom, s)
			if err != nil {
				t.Fatal(err)
			}
			for kind, find := range map[string]func() ([]Residue, error){
				"names":     func() ([]Residue, error) { return Backbone(m.Beads) },
				"structure": func() ([]Residue, error) { _, r, err := Dihedrals(s); return r, err },
			} {
				r, err := find()
				var names []string
				for _, residue := range r {
					names = append(names, residue.Name)
				}
				if got := strings.Join(names, " "); got != c.want || err != nil {
					t.Errorf("%s: got %s, %v, want %s", kind, got, err, c.want)
				}
			}
		})
	}
}

// Two halves whose numbers go on from one to the other, far apart: no dihedral is of both, and names say so. Bonded,
// all are one chain.
func TestMissingBond(t *testing.T) {
	for _, apart := range []float32{0, 0.8} {
		s := peptide(4)
		for i, a := range s.Atoms {
			x := float32(i) * 0.1
			if a.ResidueNumber > 3 {
				x += apart
			}
			s.R = append(s.R, x, 0, 0)
		}
		// C stands before O: its N is 0.2 nm away.
		_, r, err := Dihedrals(s)
		if err != nil {
			t.Fatal(err)
		}
		want := map[float32]int{0: 4, 0.8: 2}[apart]
		m, err := New(HeavyAtom, s)
		if err != nil {
			t.Fatal(err)
		}
		named, err := Backbone(m.Beads)
		if err != nil || len(r) != want || len(named) != want || strings.Contains(m.Beads[0], "/") != (apart > 0) {
			t.Errorf("%g nm apart: got %d residues and by names %d, %q, %v; want %d", apart, len(r), len(named),
				m.Beads, err, want)
		}
	}
}

// A torn cap in a structure without a box is its neighbour's all the same; what is no cap is not, and NME's methyl,
// called C, begins nothing.
func TestTornCap(t *testing.T) {
	s := copies(t, 2, func(c, r int) int { return 3*c + r }, func(int) string { return "" })
	for i := range 6 {
		s.R[3*i] += 9
	}
	s.Atoms[18].Name = "C"
	for i := 22; i < 28; i++ {
		s.Atoms[i].Residue = "LIG"
	}
	for i := 22; i < 44; i++ {
		s.R[3*i] += 9
	}
	_, r, err := Dihedrals(s)
	if err != nil || len(r) != 2 {
		t.Errorf("got %+v, %v, want two residues", r, err)
	}
	s.Atoms = slices.Delete(s.Atoms, 22, 28)
	s.R = slices.Delete(s.R, 3*22, 3*28)
	if _, r, err = Dihedrals(s); err != nil || len(r) != 1 {
		t.Errorf("without a cap before: got %+v, %v, want one residue", r, err)
	}
	for i := range s.Atoms {
		if s.Atoms[i].ResidueNumber > 3 {
			s.Atoms[i].ResidueNumber--
		}
	}
	if _, r, err = Dihedrals(s); err != nil || len(r) != 1 {
		t.Errorf("beside NME: got %+v, %v, want one residue", r, err)
	}
}

// Caps of one residue with alanine, under names that stand twice, and under names of their own, are found by their
// bonds.
func TestCapsByBonds(t *testing.T) {
	const plain = "CH3 HH31 HH32 HH33 C O N H CA HA CB HB1 HB2 HB3 C O N H CH3 HH31 HH32 HH33"
	const own = "C2 H21 H22 H23 C1 O1 N H CA HA CB HB1 HB2 HB3 C O N1 H1 C3 H31 H32 H33"
	for name, s := range map[string]*gromacs.Structure{
		"one residue": named(t, one("ALA"), plain), "one residue, own names": named(t, one("DIP"), own),
		"own names": named(t, three("UNK", "UNK", "UNK"), own),
		"the first cap with alanine": named(t,
			func(i int) (string, int) { return []string{"ALA", "NME"}[i/16], 2 + i/16 }, plain),
		"the last cap with alanine": named(t,
			func(i int) (string, int) { return []string{"ACE", "ALA"}[min(i/6, 1)], 1 + min(i/6, 1) }, plain),
	} {
		m, err := New(CoreBeta, s)
		if err != nil || !slices.Equal(m.Atoms, []int{4, 6, 8, 10, 14, 16}) || !strings.HasSuffix(m.Beads[4], ":C") {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
		m, r, err := Dihedrals(s)
		if err != nil || len(r) != 1 || !slices.Equal(m.Atoms, []int{4, 6, 8, 14, 16}) ||
			r[0].Phi != [4]int{0, 1, 2, 3} || r[0].Psi != [4]int{1, 2, 3, 4} {
			t.Errorf("%s: dihedrals: got %+v, %+v, %v", name, m, r, err)
		}
	}
}

// Residues of one name and number are as many as they are, even where they differ in hydrogens, as a file that lost its
// insertion codes has them.
func TestOneNumber(t *testing.T) {
	s := peptide(3)
	var atoms []gromacs.Atom
	for i, a := range s.Atoms {
		if a.Residue == "ALA" {
			a.ResidueNumber = 2
		}
		atoms = append(atoms, a)
		if i == 6 { // CA of the first alone
			atoms = append(atoms, gromacs.Atom{Name: "HA", Residue: a.Residue, ResidueNumber: a.ResidueNumber})
		}
	}
	got := len(runs(atoms))
	if want := len(runs(s.Atoms)); got != want {
		t.Errorf("got %d residues, want %d", got, want)
	}
	ligand := words("C C C O N CA C")
	atoms = nil
	for _, name := range ligand {
		atoms = append(atoms, gromacs.Atom{Name: name, Residue: "LIG", ResidueNumber: 1})
	}
	if got := len(runs(atoms)); got != 1 {
		t.Errorf("names that stand twice in a ligand: got %d residues, want 1", got)
	}
}

// A ring of four alanines has four φ and four ψ.
func TestRing(t *testing.T) {
	s := &gromacs.Structure{}
	for i := range 12 {
		angle := 2 * math.Pi * float64(i) / 12
		s.Atoms = append(s.Atoms, gromacs.Atom{Name: []string{"N", "CA", "C"}[i%3], Residue: "ALA", ResidueNumber: i/3 +
			1})
		s.R = append(s.R, float32(0.27*math.Cos(angle)), float32(0.27*math.Sin(angle)), 0)
	}
	m, r, err := Dihedrals(s)
	if err != nil || len(r) != 4 || len(m.Atoms) != 12 || r[0].Phi != [4]int{11, 0, 1, 2} ||
		r[3].Psi != [4]int{9, 10, 11, 0} {
		t.Errorf("got %+v, %v", r, err)
	}
}

// Atoms of a map's file by names with and without the chain; a name of several is refused with those of each.
func TestSelectionByChain(t *testing.T) {
	s := copies(t, 2, func(_, r int) int { return r }, func(int) string { return "" })
	m, err := Parse(strings.NewReader("a C A/ALA2:CA\nb C B/ALA2:CA\n"), "two", s)
	if err != nil || !slices.Equal(m.Atoms, []int{8, 30}) {
		t.Errorf("got %v, %v", m, err)
	}
	if _, err := Parse(strings.NewReader("a C ALA2:CA\n"), "two", s); err == nil ||
		!strings.Contains(err.Error(), "A/ALA2:CA (@9), B/ALA2:CA (@31)") {
		t.Errorf("ambiguous: got %v", err)
	}
	row := strings.Repeat("0 ", 30) + "1" + strings.Repeat(" 0", 13)
	if m, err := Parse(strings.NewReader(row), "two", s); err != nil || m.Beads[0] != "B/ALA2:CA" {
		t.Errorf("a row: got %v, %v", m, err)
	}
	s = named(t, three("ACE", "CYS2", "NME"), "CH3 HH31 HH32 HH33 C O N H CA HA CB HB1 HB2 HB3 C O N H O5* HH31 "+
		"HH32 HH33")
	if m, err := Parse(strings.NewReader("a C CYS2.2:CA\nb C CYS22:CB\nc O NME3:O5*\nd O NME3:O5**2 NME3:N\n"), "cys2",
		s); err != nil || m.Matrix().At(3, 18) != 2.0/3 {
		t.Errorf("digits and stars: got %v, %v", m, err)
	}
	s = &gromacs.Structure{Atoms: []gromacs.Atom{{Name: "OW", Residue: "SOL", ResidueNumber: 1},
		{Name: "HW1", Residue: "SOL", ResidueNumber: 1}, {Name: "HW2", Residue: "SOL", ResidueNumber: 1}}}
	if m, err := Parse(strings.NewReader("w O com SOL1:OW SOL1:HW1 SOL1:HW2\n"), "water", s); err != nil ||
		len(m.Beads) != 1 {
		t.Errorf("water: got %v, %v", m, err)
	}
}
