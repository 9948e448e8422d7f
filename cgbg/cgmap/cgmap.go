// Package cgmap maps atoms to beads.
//
// The named maps are slices: a bead is one of the atoms. The force on a bead is
// then the force on its atom, which is an unbiased sample of the mean force as
// long as no constraint joins it to another atom (Noid et al., J. Chem. Phys.
// 128 (2008) 244114, Eq. 23). Any other linear map comes from a file
// ([ReadFile]), and its forces from [Basic] or [Gram.LeastNoise].
//
// Beads are named RESIDUE+NUMBER:ATOM, ALA2:CA say ([Name]), and the backbone's
// dihedrals follow from the names ([Backbone]). Which atoms belong together is found from
// a structure: residues from chain, number, insertion code and place in the file, chains from
// peptide bonds, elements and what is water or an ion from residue and atom name together.
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
	CoreBeta  = "core-beta"  // N, CA, CB and C of every residue; in a chain of one residue the C and N of its caps, too

	// CoreBetaCaps keeps the caps' C and N in every chain.
	CoreBetaCaps = "core-beta-caps"
)

// Names lists the maps.
var Names = []string{CoreBeta, CoreBetaCaps, HeavyAtom, AllAtom}

// NamedFormat explains the named maps.
const NamedFormat = `  core-beta       N, CA, CB and C of every residue (glycine has no CB). A chain of one residue keeps its
                  caps' C and N; longer ones drop them, as the published sets do, and with them phi
                  of the first residue and psi of the last
  core-beta-caps  the same with the caps' C and N in every chain
  heavy-atom      all atoms but hydrogen
  all-atom        all atoms

None has beads of water or ions, under any of their usual names, nor of sites that are no atoms. The species
of C, O, N, H, S are 1 to 5, those of other elements 100 and the atomic number. Elements are those
of the PDB file (columns 77 and 78), else they follow from the names of residue and atom together.
`

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
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("cgmap: %w as %q: choose one of %s", ErrMap, name, strings.Join(Names, ", "))
	}
	l := layOut(s)
	var atoms []int
	for i := range l.residues {
		if r := &l.residues[i]; r.solute() {
			atoms = append(atoms, l.wanted(name, r)...)
		}
	}
	slices.Sort(atoms)
	if atoms = slices.Compact(atoms); len(atoms) == 0 {
		return nil, fmt.Errorf("cgmap: %w: the structure %q has no atom for %s; is it a peptide?", ErrMap, s.Title, name)
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
			return nil, fmt.Errorf("cgmap: atom %d, %s: its element does not follow from its name; give a PDB file with elements in columns 77 and 78, or a map that leaves it out", i+1, l.name(i, several))
		}
		m.Beads, m.Species = append(m.Beads, l.name(i, several).String()), append(m.Species, code)
	}
	return m, nil
}

// wanted are the atoms of a residue, and of its caps, that are beads of a named map.
func (l *layout) wanted(name string, r *fragment) (atoms []int) {
	if name == AllAtom || name == HeavyAtom {
		for i := r.first; i < r.end; i++ {
			if e := l.elements[i]; e != virtual && (name == AllAtom || !isHydrogen(e)) {
				atoms = append(atoms, i)
			}
		}
		return atoms
	}
	if r.kind != aminoAcid {
		return nil
	}
	atoms = append(atoms, r.n, r.ca, r.c)
	if i := slices.Index(l.names[r.first:r.end], "CB"); i >= 0 {
		atoms = append(atoms, r.first+i)
	}
	if name == CoreBetaCaps || l.alone(r) { // without its neighbours a single residue has no dihedrals
		before, after := l.caps(r)
		for _, i := range []int{before, after} {
			if i >= 0 {
				atoms = append(atoms, i)
			}
		}
	}
	return atoms
}

// Dihedrals finds the residues of all chains that have both backbone dihedrals, whatever else they have, and maps their atoms;
// the residues' indices are those of the map's beads. Error: there is none.
func Dihedrals(s *gromacs.Structure) (*Map, []Residue, error) {
	l := layOut(s)
	backbones, of := l.dihedrals()
	if len(of) == 0 {
		return nil, nil, fmt.Errorf("cgmap: the structure %q has no residue with both backbone dihedrals: C of the residue or cap before, N, CA, C, N of the one after", s.Title)
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
		residues = append(residues, backboneOf(l.name(l.residues[of[k]].first, several).Group(), b[0], b[1], b[2], b[3], b[4], -1))
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
