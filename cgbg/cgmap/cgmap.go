// Package cgmap maps atoms to beads.
//
// The named maps are slices: a bead is one of the atoms. The force on a bead is
// then the force on its atom, which is an unbiased sample of the mean force as
// long as no constraint joins it to another atom (Noid et al., J. Chem. Phys.
// 128 (2008) 244114, Eq. 23). Any other linear map comes from a file
// ([ReadFile]), and its forces from [Basic] or [Gram.LeastNoise].
//
// Beads are named RESIDUE+NUMBER:ATOM, ALA2:CA say, and the backbone's
// dihedrals follow from the names ([Backbone]).
package cgmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Names of the maps.
const (
	AllAtom   = "all-atom"   // every atom
	HeavyAtom = "heavy-atom" // all but hydrogen
	CoreBeta  = "core-beta"  // N, CA, CB and C of every residue; with one residue the neighbouring C and N of its caps, too
)

// Names lists the maps.
var Names = []string{CoreBeta, HeavyAtom, AllAtom}

// ErrMap reports a map that cannot be made.
var ErrMap = errors.New("no such map")

// Map makes beads of atoms: each is one of them, or a weighted mean.
type Map struct {
	Name    string
	Beads   []string // names
	Species []int32  // C=1, O=2, N=3, H=4, S=5; others from a file
	Atoms   []int    // atom of each bead, from 0; nil where a bead is more than one atom
	linear  *Sparse  // [beads, atoms], where Atoms is nil
	atoms   int      // in the structure
}

var species = map[byte]int32{'C': 1, 'O': 2, 'N': 3, 'H': 4, 'S': 5}

var water = []string{"SOL", "HOH", "WAT", "TIP3", "NA", "CL", "NA+", "CL-"}

// New makes the named map of a peptide's structure. Water and ions are left out.
// Errors: an unknown name, an element that is not among C, O, N, H, S, no beads.
func New(name string, s *gromacs.Structure) (*Map, error) {
	m := &Map{Name: name, atoms: len(s.Atoms)}
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("cgmap: %w as %q: choose one of %s", ErrMap, name, strings.Join(Names, ", "))
	}
	residues := map[int]bool{} // amino acids: residues with a CA
	for _, a := range s.Atoms {
		if a.Name == "CA" && !slices.Contains(water, a.Residue) {
			residues[a.ResidueNumber] = true
		}
	}
	for i, a := range s.Atoms {
		if slices.Contains(water, a.Residue) || !wanted(name, a, residues) {
			continue
		}
		code, ok := species[element(a.Name)]
		if !ok {
			return nil, fmt.Errorf("cgmap: atom %d, %s of %s%d: its element is none of C, O, N, H, S", i+1, a.Name, a.Residue, a.ResidueNumber)
		}
		m.Beads = append(m.Beads, atomName(a))
		m.Species = append(m.Species, code)
		m.Atoms = append(m.Atoms, i)
	}
	if len(m.Atoms) == 0 {
		return nil, fmt.Errorf("cgmap: %w: the structure %q has no atom for %s; is it a peptide?", ErrMap, s.Title, name)
	}
	return m, nil
}

func wanted(name string, a gromacs.Atom, residues map[int]bool) bool {
	switch name {
	case HeavyAtom:
		return element(a.Name) != 'H'
	case CoreBeta:
		if residues[a.ResidueNumber] {
			return slices.Contains([]string{"N", "CA", "CB", "C"}, a.Name)
		}
		// Without its neighbours a single residue has no dihedrals.
		return len(residues) == 1 && (a.Name == "C" && residues[a.ResidueNumber+1] || a.Name == "N" && residues[a.ResidueNumber-1])
	}
	return true
}

// atomName is the name of the bead that is this atom: ALA2:CA.
func atomName(a gromacs.Atom) string {
	return fmt.Sprintf("%s%d:%s", a.Residue, a.ResidueNumber, a.Name)
}

// element is the first letter of a peptide's atom name.
func element(name string) byte {
	name = strings.TrimLeft(name, "0123456789")
	if name == "" {
		return 0
	}
	return name[0]
}

// Apply appends the positions of the beads to dst. Where every bead is an atom
// of its own it does for forces, too; else those take a force map, see [Basic].
// frame: [atoms, 3], as in the structure, of whole molecules.
// Errors: another number of atoms.
func (m *Map) Apply(dst, frame []float32) ([]float32, error) {
	if len(frame) != 3*m.atoms {
		return dst, fmt.Errorf("cgmap: %d numbers in a frame; the structure has %d atoms", len(frame), m.atoms)
	}
	if m.linear != nil {
		return m.linear.multiply(dst, frame), nil
	}
	for _, atom := range m.Atoms {
		dst = append(dst, frame[3*atom:3*atom+3]...)
	}
	return dst, nil
}

// Residue is where the backbone dihedrals of an amino acid are among the beads.
type Residue struct {
	Name     string
	Phi, Psi [4]int // beads: C of the residue before, N, CA, C; N, CA, C, N of the residue after
	Center   [4]int // CA and its neighbours N, C, CB, whose handedness tells L from D
}

// Backbone finds the residues whose two dihedrals the named beads determine, in
// order. Error: there is none.
func Backbone(beads []string) ([]Residue, error) {
	at := func(number int, atom string) int {
		for i, bead := range beads {
			if _, n, a := split(bead); n == number && a == atom {
				return i
			}
		}
		return -1
	}
	var found []Residue
	for i, bead := range beads {
		residue, n, atom := split(bead)
		if atom != "CA" {
			continue
		}
		before, nitrogen, carbon, after, beta := at(n-1, "C"), at(n, "N"), at(n, "C"), at(n+1, "N"), at(n, "CB")
		if min(before, nitrogen, carbon, after, beta) >= 0 {
			found = append(found, Residue{Name: fmt.Sprintf("%s%d", residue, n),
				Phi: [4]int{before, nitrogen, i, carbon}, Psi: [4]int{nitrogen, i, carbon, after},
				Center: [4]int{i, nitrogen, carbon, beta}})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("cgmap: no residue has all of its backbone dihedrals among the beads %q; map with -map %s or %s", beads, CoreBeta, HeavyAtom)
	}
	return found, nil
}

// split takes a bead's name apart; the number is negative where it has none.
func split(bead string) (residue string, number int, atom string) {
	left, atom, ok := strings.Cut(bead, ":")
	digits := strings.TrimLeft(left, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if _, err := fmt.Sscanf(digits, "%d", &number); !ok || err != nil {
		return bead, -10, ""
	}
	return strings.TrimSuffix(left, digits), number, atom
}
