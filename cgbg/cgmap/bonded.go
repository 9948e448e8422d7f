package cgmap

import (
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// covalent are the elements that make bonds; metals and the noble gases make none.
var covalent = []string{"H", "D", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "I"}

// Temporary: the table of elements.
var shimRadius = map[string]float64{"H": 0.031, "D": 0.031, "B": 0.084, "C": 0.076, "N": 0.071, "O": 0.066, "F": 0.057, "Si": 0.111, "P": 0.107, "S": 0.105, "Cl": 0.102, "As": 0.119, "Se": 0.120, "Br": 0.120, "I": 0.139}

func shimElements(atoms []gromacs.Atom) []string {
	out := make([]string, len(atoms))
	for i, a := range atoms {
		switch e := element(a.Name); e {
		case 'M', 'E', 'L':
		default:
			out[i] = string(e)
		}
	}
	return out
}

// residueSpans are the residues: atoms that follow each other under one name. [n][2]: the first atom, and the one behind the last.
func residueSpans(atoms []gromacs.Atom) (spans [][2]int) {
	for first := 0; first < len(atoms); {
		end := first + 1
		for end < len(atoms) && atoms[end].ResidueNumber == atoms[first].ResidueNumber && atoms[end].Residue == atoms[first].Residue &&
			atoms[end].Chain == atoms[first].Chain && atoms[end].Insertion == atoms[first].Insertion {
			end++
		}
		spans = append(spans, [2]int{first, end})
		first = end
	}
	return spans
}

// bondRadii are the covalent radii of atoms, nm; 0 of those that make no bonds: metals, ions, and sites that are no atoms. hydrogen: which have
// one bond. sites: those of no element, which go with an atom of their residue.
func bondRadii(atoms []gromacs.Atom) (radii []float64, hydrogen, sites []bool) {
	radii, hydrogen, sites = make([]float64, len(atoms)), make([]bool, len(atoms)), make([]bool, len(atoms))
	symbols := shimElements(atoms)
	for _, span := range residueSpans(atoms) {
		ion := span[1]-span[0] == 1 && !slices.Contains([]string{"C", "N", "O", "H"}, symbols[span[0]])
		for i := span[0]; i < span[1]; i++ {
			switch e := symbols[i]; {
			case slices.Contains(covalent, e) && !ion:
				radii[i], hydrogen[i] = shimRadius[e], e == "H" || e == "D"
			default:
				sites[i] = e == "" || e == "virtual"
			}
		}
	}
	return radii, hydrogen, sites
}
