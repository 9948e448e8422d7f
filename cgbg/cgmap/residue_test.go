package cgmap

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// What stands with a peptide and is no bead of it, and what is one.
func TestSolvent(t *testing.T) {
	water := func(residue string) [][2]string {
		return [][2]string{{residue, "OW"}, {residue, "HW1"}, {residue, "HW2"}}
	}
	cases := map[string][][2]string{
		"composition":    {{"XYZ", "O1"}, {"XYZ", "H1"}, {"XYZ", "H2"}},
		"CHARMM's water": {{"TIP3", "OH2"}, {"TIP3", "H1"}, {"TIP3", "H2"}},
		"four sites":     {{"T4", "OW"}, {"T4", "HW1"}, {"T4", "HW2"}, {"T4", "MW"}},
		"five sites":     {{"TP5", "O"}, {"TP5", "H1"}, {"TP5", "H2"}, {"TP5", "EP1"}, {"TP5", "EP2"}},
		"polarisable": {{"SWM4", "OH2"}, {"SWM4", "DOH2"}, {"SWM4", "LP"}, {"SWM4", "H1"},
			{"SWM4", "H2"}},
		"polarisable, with its site": {{"SWM4", "OH2"}, {"SWM4", "DOH2"}, {"SWM4", "OM"}, {"SWM4", "H1"},
			{"SWM4", "H2"}}, "oxygen alone": {{"HOH", "O"}}, "hydroxide": {{"OH", "O"}, {"OH", "H"}},
		"ions of one residue": {{"ION", "NA"}, {"ION", "NA"}, {"ION", "CL"}},
		"water of one number": append(water("SOL"), water("SOL")...),
	}
	for _, name := range words("SOL WAT HOH H2O TIP TIP3 TIP3P TIP4 TIP4P TIP5P SPC SPCE OPC T3P DOD spc") {
		cases["water "+name] = water(name)
	}
	for _, ion := range []string{"SOD SOD", "CLA CLA", "POT POT", "CAL CAL", "CES CES", "LIT LIT", "RUB RUB", "NA NA",
		"CL CL", "K K", "MG MG", "CA CA", "ZN ZN", "ZN2 ZN", "FE FE", "FE2 FE2", "CU CU",
		"MN MN", "NA+ NA+", "Na+ Na+", "CL- CL-", "Cl- Cl-", "K+ K+", "CA2+ CA", "MG2+ MG2+", "IB+ IB",
		"Cs+ Cs+", "CIO Cs+", "Rb+ Rb+", "3CO CO", "IOD I", "BR- BR", "CD CD", "HG HG", "NI NI"} {
		residue, atom, _ := strings.Cut(ion, " ")
		cases["ion "+ion] = [][2]string{{residue, atom}}
	}
	for name, atoms := range cases {
		s := ala2(t)
		for _, a := range atoms {
			s.Atoms = append(s.Atoms, gromacs.Atom{Residue: a[0], Name: a[1], ResidueNumber: 4})
			s.R = append(s.R, 5, 5, 5)
		}
		for mapping, want := range map[string]int{CoreBeta: 6, HeavyAtom: 10, AllAtom: 22} {
			m, err := New(mapping, s)
			if err != nil || len(m.Beads) != want || strings.Contains(m.Beads[0], "/") {
				t.Errorf("%s: %s: got %v, %v, want %d beads", name, mapping, m, err, want)
			}
		}
		if _, err := NewMolecule(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Elements by the file's column, else by the names of residue and atom together.
func TestElements(t *testing.T) {
	for _, c := range []struct {
		residue string
		atoms   string // name or name=element
		want    string
	}{
		{"ALA", "N H CA HA CB 1HB HB2 C O OXT", "N H C H C H H C O O"},
		{"LYS", "N CA C O CD CE NZ HZ1 HD1", "N C C O C C N H H"},
		{"SER", "N CA CB OG HG C O", "N C C O H C O"},
		{"ASN", "N CA C ND2 HD21", "N C C N H"},
		{"MSE", "N CA CB CG SE CE C O", "N C C C Se C C O"},
		{"3CT", "N CA CB CG CL1 C O", "N C C C Cl C O"},
		{"TYR", "N D CA OH DH C O", "N D C O D C O"},
		{"DRU", "N DN CA DCA LP1 C DC", "N virtual C virtual virtual C virtual"},
		{"LYS", "N CA C MNZ1 MCE1", "N C C virtual virtual"},
		{"ALAD", "CL HL1 CLP OL NL HL CA CRP OR NR CR", "C H C O N H C C O N C"},
		{"ACE", "CA C O", "C C O"}, {"NMA", "CL HL1 C O N H CR", "C H C O N H C"}, {"MCL", "C H1 CL", "C H Cl"},
		{"CA", "CA", "Ca"}, {"SOD", "SOD", "Na"}, {"CLA", "CLA", "Cl"}, {"CD", "CD", "Cd"}, {"HG", "HG", "Hg"},
		{"IB+", "IB", ""},
		{"ALA", "CA", "C"},
		{"HEM", "FE NA NB CHA HHA CMA CAD CGD O1D", "Fe N N C H C C C O"},
		{"LIG", "C1 CL1 BR2 F3 I4 P1 S1 CA HO1 OS1 SI", "C Cl Br F I P S C H O Si"},
		{"COB", "CO N21 C1", "Co N C"}, {"ACT", "CO C1 H1", "C C H"},
		{"SOL", "OW HW1 HW2 MW", "O H H virtual"}, {"WAT", "O H1 H2 EPW", "O H H virtual"},
		{"PRO", "N=N CA=ca CX=X C=C1 CD=CD HG=HG NE=N", "N C C C C H N"},
		{"3CT", "N=N CA=C CX=ca C=C1 CL=CL", "N C Ca C Cl"}, {"MSE", "N=N CA=C C=C SE=SE", "N C C Se"},
		{"DEU", "N=N CA=C D=D C=c H=h", "N C D C H"},
		{"BEAD", "BB SC1 XX", " S "},
	} {
		t.Run(c.residue, func(t *testing.T) {
			var atoms []gromacs.Atom
			for _, word := range strings.Fields(c.atoms) {
				name, element, _ := strings.Cut(word, "=")
				atoms = append(atoms, gromacs.Atom{Residue: c.residue, Name: name, Element: element, ResidueNumber: 1})
			}
			if got := strings.Join(elementsOf(atoms), " "); got != c.want {
				t.Errorf("%s: got %s, want %s", c.atoms, got, c.want)
			}
		})
	}
}

// Species stand for one element each, but hydrogen's for deuterium, too.
func TestSpecies(t *testing.T) {
	seen := map[int32]string{}
	for symbol := range elements {
		code := speciesOf(symbol)
		want := symbol
		if symbol == "D" {
			want = "H"
		}
		if got := ElementOf(code); got != want {
			t.Errorf("%s: its species %d is %s", symbol, code, got)
		}
		if other, ok := seen[code]; ok && other+symbol != "HD" && other+symbol != "DH" {
			t.Errorf("%s and %s have species %d", symbol, other, code)
		}
		seen[code] = symbol
	}
	if got := ElementOf(7); got != "" {
		t.Errorf("7 is %s", got)
	}
}

// A metal in a peptide is no bead of core-beta, is one of a heavy-atom map where it is part of a ligand, and may be one
// of a file's map.
func TestMetals(t *testing.T) {
	s := ala2(t)
	for _, a := range [][2]string{{"HEM", "FE"}, {"HEM", "NA"}, {"ZN", "ZN"}} {
		s.Atoms = append(s.Atoms, gromacs.Atom{Residue: a[0], Name: a[1], ResidueNumber: 4})
		s.R = append(s.R, 5, 5, 5)
	}
	if m, err := New(CoreBeta, s); err != nil || len(m.Beads) != 6 {
		t.Errorf("core beta: got %v, %v", m, err)
	}
	if m, err := New(HeavyAtom, s); err != nil || len(m.Beads) != 12 || m.Species[10] != 126 || m.Species[11] != 3 {
		t.Errorf("heavy atoms: got %v, %v", m, err)
	}
	m, err := Parse(strings.NewReader("ion Zn ZN4:ZN\nown 7 HEM4:FE\npair C com ALA2:CA HEM4:NA\n"), "metals", s)
	if err != nil || !slices.Equal(m.Species, []int32{130, 7, 1}) {
		t.Fatalf("a file: got %v, %v", m, err)
	}
	if got, want := m.Matrix().At(2, 8), 12.011/(12.011+14.007); math.Abs(got-want) > 1e-12 {
		t.Errorf("weight %g, want %g", got, want)
	}
	s.Atoms[22].Name = "XX"
	if _, err := New(HeavyAtom, s); err == nil || !strings.Contains(err.Error(), "atom 23, HEM4:XX") {
		t.Errorf("an unknown element: got %v", err)
	}
	if m, err := New(CoreBeta, s); err != nil || len(m.Beads) != 6 {
		t.Errorf("core beta beside an unknown element: got %v, %v", m, err)
	}
}
