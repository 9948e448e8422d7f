package cgmap

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// ErrMap reports a map that cannot be made.
var ErrMap = errors.New("no such map")

// Map makes beads of atoms: each is one of them, or a weighted mean.
type Map struct {
	Name    string
	Beads   []string // names
	Species []int32  // C=1, O=2, N=3, H=4, S=5; others 100 and the atomic number, or from a file
	Atoms   []int    // atom of each bead, from 0; nil where a bead is more than one atom
	linear  *Sparse  // [beads, atoms], where Atoms is nil
	atoms   int      // in the structure
}

// New makes the named map of a structure. Water, ions and sites that are no atoms are left out.
// Errors: an unknown name, a bead whose element is not known, no beads.
func New(name string, s *gromacs.Structure) (*Map, error) {
	k, err := MapByName(name)
	if err != nil {
		return nil, err
	}
	l := layOut(s)
	var atoms []int
	for i := range l.residues {
		if r := &l.residues[i]; r.solute() {
			atoms = append(atoms, k.beads(l, r)...)
		}
	}
	slices.Sort(atoms)
	if atoms = slices.Compact(atoms); len(atoms) == 0 {
		return nil, fmt.Errorf("cgmap: %w: the structure %q has no atom for %s, which takes %s",
			ErrMap, s.Title, name, k.Takes)
	}
	return l.slice(name, atoms)
}

// slice is the map to some atoms.
func (l *layout) slice(name string, atoms []int) (*Map, error) {
	m := &Map{Name: name, Atoms: atoms, atoms: len(l.s.Atoms)}
	several := l.several(atoms)
	for _, i := range atoms {
		code := speciesOf(l.elements[i])
		if code == 0 {
			return nil, fmt.Errorf("cgmap: atom %d, %s: its element does not follow from its name; give a PDB "+
				"file with elements in columns 77 and 78, or a map that leaves it out", i+1, l.name(i, several))
		}
		m.Beads, m.Species = append(m.Beads, l.name(i, several).String()), append(m.Species, code)
	}
	return m, nil
}

// Dihedrals finds the residues of all chains that have both backbone dihedrals, whatever else they have, and maps their
// atoms; the residues' indices are those of the map's beads. Error: there is none.
func Dihedrals(s *gromacs.Structure) (*Map, []Residue, error) {
	l := layOut(s)
	backbones, of := l.dihedrals()
	if len(of) == 0 {
		return nil, nil, fmt.Errorf("cgmap: the structure %q has no residue with both backbone dihedrals: "+
			"C of the residue or cap before, N, CA, C, N of the one after", s.Title)
	}
	var atoms []int
	for _, b := range backbones {
		atoms = append(atoms, b[:]...)
	}
	slices.Sort(atoms)
	atoms = slices.Compact(atoms)
	m, err := l.slice("backbone", atoms)
	if err != nil {
		return nil, nil, err
	}
	several := l.several(atoms)
	var residues []Residue
	for k, b := range backbones {
		for i, atom := range b {
			b[i], _ = slices.BinarySearch(atoms, atom)
		}
		name := l.name(l.residues[of[k]].first, several).Group()
		residues = append(residues, backboneOf(name, b[0], b[1], b[2], b[3], b[4], -1))
	}
	return m, residues, nil
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
