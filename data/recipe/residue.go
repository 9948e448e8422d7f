package recipe

import (
	"fmt"

	"github.com/cgbg-go/lab/data/gromacs"
)

// dihedralAtoms of φ and ψ: C of ACE, N, CA, C of ALA, N of what follows, from 1, as pdb2gmx orders
// them. checkAtoms holds a molecule to them.
var dihedralAtoms = []int{5, 7, 9, 15, 17}

// residue is one of a peptide, with the atoms of its backbone, from 0; -1 where it has none.
type residue struct {
	name     string // ALA2
	chain    string
	n, ca, c int
}

// residues of a structure, in order.
func residues(s *gromacs.Structure) (list []residue) {
	for i, a := range s.Atoms {
		name := fmt.Sprintf("%s%d%s", a.Residue, a.ResidueNumber, a.Insertion)
		if len(list) == 0 || list[len(list)-1].name != name || list[len(list)-1].chain != a.Chain {
			list = append(list, residue{name: name, chain: a.Chain, n: -1, ca: -1, c: -1})
		}
		r := &list[len(list)-1]
		switch a.Name {
		case "N":
			r.n = i
		case "CA":
			r.ca = i
		case "C":
			r.c = i
		}
	}
	return list
}

// biased names the residue whose φ and ψ are biased, the first that has both, and tells how many have them.
// Errors: none has, or another has the same name.
func biased(s *gromacs.Structure) (name string, n int, err error) {
	list := residues(s)
	for i := 1; i+1 < len(list); i++ {
		before, r, after := list[i-1], list[i], list[i+1]
		if before.c < 0 || min(r.n, r.ca, r.c) < 0 || after.n < 0 || before.chain != r.chain || after.chain != r.chain {
			continue
		}
		if n++; n == 1 {
			name = r.name
		} else if r.name == name {
			return "", 0, fmt.Errorf("%w: there are two residues %s, of which a bias can name neither", ErrOptions,
				name)
		}
	}
	if n == 0 {
		return "", 0, fmt.Errorf("%w: a bias is on phi and psi, and no residue has both", ErrOptions)
	}
	return name, n, nil
}

// variables names φ and ψ of the biased residue for PLUMED: phi and psi where there is one of each, else with the
// residue.
func (r *run) variables() (names [2]string, err error) {
	if r.residue == "" {
		s, err := gromacs.ReadStructure(r.Structure)
		if err != nil {
			return names, err
		}
		if r.residue, r.others, err = biased(s); err != nil {
			return names, fmt.Errorf("%s: %w", r.Structure, err)
		}
		r.others--
	}
	if r.others == 0 {
		return [2]string{"phi", "psi"}, nil
	}
	return [2]string{"phi_" + r.residue, "psi_" + r.residue}, nil
}

// checkAtoms holds the molecule that pdb2gmx made to dihedralAtoms.
func (r *run) checkAtoms() error {
	if r.Bias == "none" {
		return nil
	}
	s, err := gromacs.ReadGRO(r.path("conf.gro"))
	if err != nil {
		return err
	}
	list := residues(s)
	for i := 1; i+1 < len(list); i++ {
		if list[i].name != r.residue {
			continue
		}
		got := [5]int{list[i-1].c + 1, list[i].n + 1, list[i].ca + 1, list[i].c + 1, list[i+1].n + 1}
		if got == [5]int(dihedralAtoms) {
			return nil
		}
		return fmt.Errorf("%w: the bias is on phi and psi of atoms %v, as of alanine behind ACE; those of %s are "+
			"%v: run without bias, or bias it yourself and import with -awh or -bias",
			ErrOptions, dihedralAtoms, r.residue, got)
	}
	return fmt.Errorf("%w: conf.gro has no residue %s with phi and psi, which %s has", ErrOptions, r.residue,
		r.Structure)
}
