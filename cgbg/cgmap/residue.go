package cgmap

import (
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// run is a residue: atoms from first to before end.
type run struct{ first, end int }

// runs are the residues of a structure: atoms that follow each other and are of one chain, number, insertion code and
// name; and of those the copies, where several molecules stand under one number.
func runs(atoms []gromacs.Atom) (out []run) {
	for first := 0; first < len(atoms); {
		end := first + 1
		for end < len(atoms) && sameResidue(atoms[end], atoms[first]) {
			end++
		}
		if starts := aminoAcids(atoms[first:end]); len(starts) > 1 {
			for k, start := range starts {
				next := end
				if k+1 < len(starts) {
					next = first + starts[k+1]
				}
				out = append(out, run{first + start, next})
			}
			first = end
			continue
		}
		n := period(atoms[first:end])
		for ; first < end; first += n {
			out = append(out, run{first, first + n})
		}
	}
	return out
}

// aminoAcids are where amino acids begin, several of which stand under one number and name, as in files that lost their
// insertion codes: each with the atom that the first one begins with, and with no name twice. They may differ, in
// hydrogens above all. None, where it is not so.
func aminoAcids(atoms []gromacs.Atom) (starts []int) {
	for i, a := range atoms {
		if a.Name == atoms[0].Name {
			starts = append(starts, i)
		}
	}
	if len(starts) < 2 {
		return nil
	}
	for k, start := range starts {
		end := len(atoms)
		if k+1 < len(starts) {
			end = starts[k+1]
		}
		seen := map[string]bool{}
		for _, a := range atoms[start:end] {
			if seen[a.Name] {
				return nil
			}
			seen[a.Name] = true
		}
		if kindOf(atoms[start:end]) != aminoAcid {
			return nil
		}
	}
	return starts
}

// period is how many atoms make a residue where a run of them repeats the same names; all, where it does not.
func period(atoms []gromacs.Atom) int {
	n := 1
	for n < len(atoms) && atoms[n].Name != atoms[0].Name {
		n++
	}
	if n == len(atoms) {
		return n
	}
	if !slices.ContainsFunc(atoms, func(a gromacs.Atom) bool { return !isIon([]gromacs.Atom{a}) }) {
		return 1
	}
	for i := n; i < len(atoms); i++ {
		if atoms[i].Name != atoms[i-n].Name {
			return len(atoms)
		}
	}
	if len(atoms)%n != 0 {
		return len(atoms)
	}
	return n
}

func sameResidue(a, b gromacs.Atom) bool {
	return a.Chain == b.Chain && a.ResidueNumber == b.ResidueNumber && a.Insertion == b.Insertion &&
		a.Residue == b.Residue
}

// residueKind is what a residue is to the named maps.
type residueKind int

const (
	otherResidue residueKind = iota // caps and ligands
	aminoAcid                       // N, CA and C
	waterResidue
	ionResidue
)

// kindOf tells what a residue is by its name and its atoms together: CA in a residue CA is calcium, and SOD no sulphur.
func kindOf(atoms []gromacs.Atom) residueKind {
	switch {
	case hasAtom(atoms, "CA") && (hasAtom(atoms, "N") && hasAtom(atoms, "C") || hasAtom(atoms, "NL") &&
		hasAtom(atoms, "CRP")):
		return aminoAcid
	case isWater(atoms):
		return waterResidue
	case isIon(atoms):
		return ionResidue
	}
	return otherResidue
}

func hasAtom(atoms []gromacs.Atom, name string) bool {
	return slices.ContainsFunc(atoms, func(a gromacs.Atom) bool { return a.Name == name })
}

// waterNames are those of AMBER, CHARMM, GROMOS, OPLS, Desmond, the PDB and MARTINI.
var waterNames = words(`
	SOL WAT HOH H2O OH2 TIP TIP2 TIP3 TIP3P TP3 TIP4 TIP4P TP4 TIP5 TIP5P TP5 T3P T3H T4P T4E T5P TI3 TI4 TI5 TIPS
	SPC SPCE SPC/E SPE SPCF OPC OPC3 OP3 FB3 FB4 SWM4 SWM6 SWM DOD D2O HDO DIS HHO OHH W WF PW`)

// isWater tells it by the name, or by the atoms: one oxygen, two hydrogens, and sites that are no atoms.
func isWater(atoms []gromacs.Atom) bool {
	oxygen, hydrogen, other := 0, 0, 0
	for _, a := range atoms {
		letters := lettersOf(a.Name)
		switch symbol := symbolOf(a.Element); {
		case symbol == "" && isDrudeSite(letters):
		case symbol == "O" || symbol == "" && strings.HasPrefix(letters, "O"):
			oxygen++
		case isHydrogen(symbol) || symbol == "" &&
			(strings.HasPrefix(letters, "H") || letters == "D" || strings.HasPrefix(letters, "DW")):
			hydrogen++
		case symbol == "" && strings.ContainsAny(letters[:min(1, len(letters))], "MLEVD"):
		default:
			other++
		}
	}
	if oxygen == 1 && hydrogen == 2 && other == 0 {
		return true
	}
	// Oxygen alone, as in crystals; a bead of several.
	return slices.Contains(waterNames, strings.ToUpper(atoms[0].Residue)) &&
		(oxygen == 1 && other == 0 || len(atoms) <= 3 && oxygen+hydrogen <= 1)
}

// ionNames are the elements of ions under names that are not their symbols, in residues and atoms of force fields; ""
// of what is none. What stands behind the symbol (charges, and the PDB's MN3 or 3CO) is taken off before. Sources: ion
// names of CHARMM36, AMBER, GROMOS and OPLS as GROMACS 2024 ships them, and the PDB's chemical components.
var ionNames = map[string]string{
	"SOD": "Na", "CLA": "Cl", "CHL": "Cl", "CLO": "Cl", "POT": "K", "CAL": "Ca", "CES": "Cs", "CIO": "Cs", "LIT": "Li",
	"RUB": "Rb", "BAR": "Ba", "CAD": "Cd", "CIP": "Na", "CIM": "Cl",
	"IOD": "I", "BRO": "Br", "FLU": "F", "ZIN": "Zn", "MAG": "Mg", "C0": "Ca", "IB": "", "IP": "Na", "IM": "Cl",
}

// ionSymbols are the elements that are single ions in solution. Carbon, nitrogen, oxygen and the like are not.
var ionSymbols = words(`
	Li Na K Rb Cs Be Mg Ca Sr Ba F Cl Br I Zn Cd Hg Cu Ag Au Ni Pd Pt Co Fe Mn Cr V Al Ga Tl Pb Sn La Ce Pr Nd Sm
	Eu Gd Tb Dy Ho Er Tm Yb Lu Th U Hf Zr Y In Bi Ru Rh Ir Os Mo`)

// molecularIons are ions of several atoms, by the residue's name.
var molecularIons = words(`NH4 H3O OH SO4 PO4 HPO4 H2PO4 NO3 CLO4 SCN BF4 PF6 CO3 HCO3`)

// isIon tells whether a residue is an ion: atoms of elements that are ions, or of names that are.
func isIon(atoms []gromacs.Atom) bool {
	name := strings.ToUpper(atoms[0].Residue)
	if slices.Contains(molecularIons, name) || slices.Contains(molecularIons, strings.TrimRight(name, "+-")) {
		return true
	}
	if len(atoms) == 2 && atoms[1].Name == "D"+atoms[0].Name { // with its Drude oscillator
		atoms = atoms[:1]
	}
	_, byResidue := ionSymbol(name)
	switch {
	case slices.Contains(proteinNames, name): // a structure of Cα alone
		return false
	case len(atoms) > 1 && !byResidue && !strings.HasPrefix(name, "ION"): // metals of a ligand
		return false
	}
	for _, a := range atoms {
		_, byName := ionSymbol(a.Name)
		if !byName && !(byResidue && len(atoms) == 1) && !slices.Contains(ionSymbols, symbolOf(a.Element)) {
			return false
		}
	}
	return true
}

// isDrudeSite tells of the site of charge in CHARMM's polarisable water, SWM4 and SWM6, beside the oxygen OH2.
func isDrudeSite(letters string) bool { return letters == "OM" }

// proteinNames are those of amino acids.
var proteinNames = words(`
	ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL ASH CYX CYM GLH HID HIE HIP
	HSD HSE HSP LYN MSE SEC PYL`)

// ionElement is the element of an ion's atom; "" where neither its name nor its residue's says it.
func ionElement(atom, residue string) string {
	if slices.Contains(molecularIons, strings.TrimRight(strings.ToUpper(residue), "+-")) {
		if lettersOf(atom) == "CL" {
			return "Cl"
		}
		return symbolOf(lettersOf(atom)[:1])
	}
	for _, name := range []string{atom, residue} {
		if symbol, ok := ionSymbol(name); ok && symbol != "" {
			return symbol
		}
	}
	return ""
}

// ionSymbol reads a name of an ion: Na+, CL-, ZN2, MG2+, Ca2+, FE3, 3CO, SOD. ok: it is one.
func ionSymbol(name string) (symbol string, ok bool) {
	name = strings.ToUpper(name)
	if symbol, ok = ionNames[strings.TrimRight(name, "+-")]; ok {
		return symbol, true
	}
	letters := strings.Trim(name, "0123456789+-")
	if symbol, ok = ionNames[letters]; ok {
		return symbol, true
	}
	symbol = symbolOf(letters)
	return symbol, slices.Contains(ionSymbols, symbol)
}

func words(text string) []string { return strings.Fields(text) }
