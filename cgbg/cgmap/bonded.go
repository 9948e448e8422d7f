package cgmap

import (
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// covalent are the elements that make bonds; metals and the noble gases make none.
var covalent = []string{"H", "D", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "I"}

// bondRadii are the covalent radii of atoms, nm; 0 of those that make no bonds: metals, ions, and sites that are no
// atoms. hydrogen: which have one bond. sites: those of no element, which go with an atom of their residue.
func bondRadii(atoms []gromacs.Atom) (radii []float64, hydrogen, sites []bool) {
	radii, hydrogen, sites = make([]float64, len(atoms)), make([]bool, len(atoms)), make([]bool, len(atoms))
	symbols := elementsOf(atoms)
	for _, residue := range runs(atoms) {
		lone := residue.end-residue.first == 1 && isIon(atoms[residue.first:residue.end])
		for i := residue.first; i < residue.end; i++ {
			switch e := symbols[i]; {
			case slices.Contains(covalent, e) && !lone:
				radii[i], hydrogen[i] = elements[e].radius, isHydrogen(e)
			default:
				sites[i] = e == "" || e == virtual
			}
		}
	}
	return radii, hydrogen, sites
}

// nameOf is an atom for messages.
func nameOf(a gromacs.Atom) string {
	return Name{Residue: a.Residue, Number: a.ResidueNumber, Insertion: a.Insertion, Atom: a.Name}.String()
}
