package cgmap

import (
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// properties are what this package knows of an element.
type properties struct {
	number int     // atomic
	mass   float64 // standard atomic weight, abridged, u
	radius float64 // covalent, nm
}

// elements by their symbols; D is deuterium. Those without a standard weight are left out. Sources: weights of 2021,
// Prohaska et al., Pure Appl. Chem. 94 (2022) 573, doi 10.1515/pac-2019-0603, and for D the mass of AME2020, Wang et
// al., Chinese Phys. C 45 (2021) 030003; radii of Cordero et al., Dalton Trans. (2008) 2832, doi 10.1039/b801115j (C of
// sp3; Mn, Fe, Co of low spin).
var elements = map[string]properties{
	"H": {1, 1.008, 0.031}, "D": {1, 2.014, 0.031}, "He": {2, 4.0026, 0.028},
	"Li": {3, 6.94, 0.128}, "Be": {4, 9.0122, 0.096}, "B": {5, 10.81, 0.084}, "C": {6, 12.011, 0.076},
	"N": {7, 14.007, 0.071}, "O": {8, 15.999, 0.066}, "F": {9, 18.998, 0.057}, "Ne": {10, 20.180, 0.058},
	"Na": {11, 22.990, 0.166}, "Mg": {12, 24.305, 0.141}, "Al": {13, 26.982, 0.121}, "Si": {14, 28.085, 0.111},
	"P": {15, 30.974, 0.107}, "S": {16, 32.06, 0.105}, "Cl": {17, 35.45, 0.102}, "Ar": {18, 39.95, 0.106},
	"K": {19, 39.098, 0.203}, "Ca": {20, 40.078, 0.176}, "Sc": {21, 44.956, 0.170}, "Ti": {22, 47.867, 0.160},
	"V": {23, 50.942, 0.153}, "Cr": {24, 51.996, 0.139}, "Mn": {25, 54.938, 0.139}, "Fe": {26, 55.845, 0.132},
	"Co": {27, 58.933, 0.126}, "Ni": {28, 58.693, 0.124}, "Cu": {29, 63.546, 0.132}, "Zn": {30, 65.38, 0.122},
	"Ga": {31, 69.723, 0.122}, "Ge": {32, 72.630, 0.120}, "As": {33, 74.922, 0.119}, "Se": {34, 78.971, 0.120},
	"Br": {35, 79.904, 0.120}, "Kr": {36, 83.798, 0.116}, "Rb": {37, 85.468, 0.220}, "Sr": {38, 87.62, 0.195},
	"Y": {39, 88.906, 0.190}, "Zr": {40, 91.224, 0.175}, "Nb": {41, 92.906, 0.164}, "Mo": {42, 95.95, 0.154},
	"Ru": {44, 101.07, 0.146}, "Rh": {45, 102.91, 0.142}, "Pd": {46, 106.42, 0.139}, "Ag": {47, 107.87, 0.145},
	"Cd": {48, 112.41, 0.144}, "In": {49, 114.82, 0.142}, "Sn": {50, 118.71, 0.139}, "Sb": {51, 121.76, 0.139},
	"Te": {52, 127.60, 0.138}, "I": {53, 126.90, 0.139}, "Xe": {54, 131.29, 0.140}, "Cs": {55, 132.91, 0.244},
	"Ba": {56, 137.33, 0.215}, "La": {57, 138.91, 0.207}, "Ce": {58, 140.12, 0.204}, "Pr": {59, 140.91, 0.203},
	"Nd": {60, 144.24, 0.201}, "Sm": {62, 150.36, 0.198}, "Eu": {63, 151.96, 0.198}, "Gd": {64, 157.25, 0.196},
	"Tb": {65, 158.93, 0.194}, "Dy": {66, 162.50, 0.192}, "Ho": {67, 164.93, 0.192}, "Er": {68, 167.26, 0.189},
	"Tm": {69, 168.93, 0.190}, "Yb": {70, 173.05, 0.187}, "Lu": {71, 174.97, 0.187}, "Hf": {72, 178.49, 0.175},
	"Ta": {73, 180.95, 0.170}, "W": {74, 183.84, 0.162}, "Re": {75, 186.21, 0.151}, "Os": {76, 190.23, 0.144},
	"Ir": {77, 192.22, 0.141}, "Pt": {78, 195.08, 0.136}, "Au": {79, 196.97, 0.136}, "Hg": {80, 200.59, 0.132},
	"Tl": {81, 204.38, 0.145}, "Pb": {82, 207.2, 0.146}, "Bi": {83, 208.98, 0.148}, "Th": {90, 232.04, 0.206},
	"U": {92, 238.03, 0.196},
}

// otherSpecies is added to the atomic numbers of the elements whose species are not those of the published models.
const otherSpecies = 100

// speciesOf is the code of an element: C=1, O=2, N=3, H=4, S=5 as in the published models, else the atomic number and
// 100; 0 of none.
func speciesOf(symbol string) int32 {
	switch symbol {
	case "C":
		return 1
	case "O":
		return 2
	case "N":
		return 3
	case "H", "D":
		return 4
	case "S":
		return 5
	}
	if e, ok := elements[symbol]; ok {
		return int32(otherSpecies + e.number)
	}
	return 0
}

// ElementOf is the symbol of the element that a species' code stands for, "" where it stands for none.
func ElementOf(species int32) string {
	for _, symbol := range []string{"C", "O", "N", "H", "S"} {
		if speciesOf(symbol) == species {
			return symbol
		}
	}
	for symbol, e := range elements {
		if int32(otherSpecies+e.number) == species && speciesOf(symbol) == species {
			return symbol
		}
	}
	return ""
}

// isHydrogen tells whether a symbol is that of hydrogen or deuterium.
func isHydrogen(symbol string) bool { return symbol == "H" || symbol == "D" }

// symbolOf is the symbol of an element in any case, "" of what is none.
func symbolOf(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + strings.ToLower(text[1:])
	if _, ok := elements[text]; !ok {
		return ""
	}
	return text
}

// virtual is the element of a site that is no atom: of charge (water's M, lone pairs), of a Drude oscillator, or of
// constraints.
const virtual = "virtual"

// elementsOf are the elements of atoms by their symbols: as the file has them, else by the names of residue and atom
// together. A site that is no atom is virtual, and what cannot be known "". Neither has a mass or a radius in the
// table.
func elementsOf(atoms []gromacs.Atom) []string {
	out := make([]string, len(atoms))
	for _, r := range runs(atoms) {
		of := atoms[r.first:r.end]
		kind := kindOf(of)
		for i, a := range of {
			if symbol := symbolOf(a.Element); symbol != "" && !(kind == aminoAcid && namesake(a, symbol)) {
				out[r.first+i] = symbol
				continue
			}
			out[r.first+i] = elementByName(a.Name, kind, of)
		}
	}
	return out
}

// namesake tells of an element that a program made of the two letters which the name of an amino acid's atom begins
// with: CA, CD, CE, HG, NE are calcium, cadmium, cerium, mercury and neon then, which no amino acid has.
func namesake(a gromacs.Atom, symbol string) bool {
	return len(symbol) == 2 && symbol != "Se" && strings.HasPrefix(lettersOf(a.Name), strings.ToUpper(symbol)) &&
		slices.Contains(proteinNames, strings.ToUpper(a.Residue))
}

// elementByName is an element by the name of the atom and by what residue it belongs to.
func elementByName(name string, kind residueKind, residue []gromacs.Atom) string {
	letters := lettersOf(name)
	switch {
	case letters == "":
		return ""
	case kind == ionResidue:
		return ionElement(name, residue[0].Residue)
	case kind == waterResidue && isDrudeSite(letters), isVirtual(name, letters, kind, residue):
		return virtual
	case letters == "CL" && slices.ContainsFunc([]string{"CR", "CLP", "HL1"},
		func(other string) bool { return hasAtom(residue, other) }):
		return "C" // the left one of CHARMM's names for left and right
	case kind != waterResidue:
		if symbol := twoLetters(letters, residue[0].Residue, kind); symbol != "" {
			return symbol
		}
	}
	if first := letters[:1]; first == letters || strings.Contains("HCNOSPDFI", first) {
		return symbolOf(first)
	}
	return ""
}

// isVirtual tells of sites that are no atoms by their names: M, MW, MN1, LP1, EPW, VS, and D with the name of a heavy
// atom for an oscillator of CHARMM's Drude force field (DN, DCA; not DH, the deuterium of a hydroxyl group).
func isVirtual(name, letters string, kind residueKind, residue []gromacs.Atom) bool {
	for _, prefix := range []string{"LP", "EP", "VS"} {
		if strings.HasPrefix(letters, prefix) {
			return true
		}
	}
	switch letters[0] {
	case 'M':
		return kind == waterResidue || kind == aminoAcid
	case 'L', 'E', 'V':
		return kind == waterResidue
	case 'D':
		on := name[1:]
		return lettersOf(on) != "" && !strings.Contains("HD", lettersOf(on)[:1]) && hasAtom(residue, on)
	}
	return false
}

// twoLetters is an element whose symbol has two, where a name begins with nothing else. CA, CD, CE, CR, HG, HO, NA, NB,
// ND, NE, OS are names of carbon, hydrogen, nitrogen and oxygen, too; so are CL and SE, but not in the residues that
// these are looked for.
func twoLetters(letters, residue string, kind residueKind) string {
	residue = strings.ToUpper(residue)
	if kind == aminoAcid {
		switch {
		case letters == "SE", (letters == "CL" || letters == "BR") && residue != "ALAD" &&
			!slices.Contains(proteinNames, residue):
			return symbolOf(letters)
		}
		return ""
	}
	switch letters {
	case "CL":
		if residue == "AMN" { // CHARMM's left end of a chain
			return ""
		}
		return "Cl"
	case "BR", "SI", "SE", "FE", "MG", "MN", "ZN", "MO", "LI", "AL", "PT", "PD", "RU", "RH", "IR", "AU", "AG", "AS",
		"TI", "GA", "GE", "ZR", "RE":
		return symbolOf(letters)
	// of complexes that are called after it, and of vitamin B12 and coenzyme F430
	case "CU", "CO", "NI", "CR", "CD", "HG":
		if strings.HasPrefix(residue, letters) || slices.Contains([]string{"B12", "CNC", "COB", "F43"}, residue) {
			return symbolOf(letters)
		}
	}
	return ""
}

// lettersOf are the first letters of a name, after digits, in upper case.
func lettersOf(name string) string {
	name = strings.ToUpper(strings.TrimLeft(name, "0123456789"))
	if i := strings.IndexFunc(name, func(r rune) bool { return r < 'A' || r > 'Z' }); i >= 0 {
		name = name[:i]
	}
	return name
}
