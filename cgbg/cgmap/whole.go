package cgmap

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Molecule knows which atoms are bonded, so that molecules broken by the
// periodic boundary can be put together.
type Molecule struct {
	bonds [][2]int // parent and child, parents first: a tree for each molecule
	span  []int    // covalent bonds that each stands for; nil where it is one
	atoms int
	what  string // what is counted as an atom: "atoms" or "beads"

	graph    *graph
	molecule []int32   // of each atom
	r        []float32 // of the structure
	box      [9]float64

	parts []part  // molecules that are placed beside each other; see For
	joint []joint // beads of more than one
	far   int     // frames with parts about half the box apart

	reading int        // of boxes that can be read in two ways, by the frames until now
	last    [9]float64 // box of lattice
	lattice *lattice
}

// NewMolecule finds the bonds of a structure from its distances to the nearest
// images, by covalent radii and a list of cells. Ions and metals make none.
// Errors: a box that is none; atoms that lie on one another.
func NewMolecule(s *gromacs.Structure) (*Molecule, error) {
	return newMolecule(s.Atoms, s.R, s.Box)
}

func newMolecule(atoms []gromacs.Atom, r []float32, box [9]float64) (*Molecule, error) {
	m := &Molecule{atoms: len(atoms), what: "atoms", r: slices.Clone(r), box: box}
	var err error
	if m.graph, err = newGraph(atoms, r, &box); err != nil {
		return nil, err
	}
	m.bonds, m.molecule, _ = m.graph.trees()
	if _, err := m.Whole(m.r, &box); err != nil {
		return nil, err
	}
	return m, nil
}

// translations are those of a box, kept from frame to frame.
func (m *Molecule) translations(box *[9]float64) (*lattice, error) {
	if m.lattice == nil || m.last != *box {
		l, err := newLattice(box)
		if err != nil {
			return nil, err
		}
		m.lattice, m.last = l, *box
	}
	return m.lattice, nil
}

// shifted is a change of a coordinate, nm, that is more than rounding of a sum of box vectors.
const shifted = 1e-6

// Limits of bonds, nm: maxBond is longer than any covalent bond at any
// temperature of interest, stretched longer than those of a simulation.
const (
	maxBond   = 0.35
	stretched = 0.2
)

// Whole moves atoms by box vectors so that every molecule is in one piece, and,
// of a molecule for maps ([Molecule.For]), beside each other. Without a box it
// leaves them. What is whole keeps every bit. It tells whether it moved any.
// r: [atoms, 3], nm. Errors: another number of atoms, a bond so long that the
// frame cannot be of this molecule, or is torn and has no box; a box that is none.
func (m *Molecule) Whole(r []float32, box *[9]float64) (moved bool, err error) {
	if len(r) != 3*m.atoms {
		return false, fmt.Errorf("cgmap: %d numbers in a frame; the structure has %d %s", len(r), m.atoms, m.what)
	}
	l, err := m.translations(box)
	if err != nil {
		return false, err
	}
	for k, b := range m.bonds {
		parent, child := at(r, b[0]), r[3*b[1]:3*b[1]+3]
		was := at(r, b[1]).sub(parent)
		d := l.nearest(was)
		span := 1.0
		if m.span != nil {
			span = float64(m.span[k])
		}
		if length := d.norm(); !(length <= span*maxBond) {
			return moved, m.tooLong(b, length, l)
		}
		if d == was {
			continue
		}
		if 2*span*stretched > l.shortest {
			return moved, fmt.Errorf("cgmap: %s %d and %d are torn apart by a boundary, %d bonds lie between them, "+
				"and images are only %.3f nm apart: which of them belong together is not known", m.what, b[0]+1, b[1]+1,
				int(span), l.shortest)
		}
		for k := range 3 {
			if math.Abs(d[k]-was[k]) > shifted { // leave the last digits of others alone
				child[k] = float32(parent[k] + d[k])
				moved = true
			}
		}
	}
	placed, err := m.place(r, l)
	return moved || placed, err
}

// tooLong is the error of a bond that no image makes short enough.
func (m *Molecule) tooLong(b [2]int, length float64, l *lattice) error {
	text := fmt.Sprintf("cgmap: %s %d and %d are bonded in the structure and %.3f nm apart here", m.what, b[0]+1,
		b[1]+1, length)
	if m.span != nil {
		text = fmt.Sprintf("cgmap: beads %d and %d hang together in the structure and are %.3f nm apart here", b[0]+1,
			b[1]+1, length)
	}
	if len(l.basis) == 0 {
		return fmt.Errorf("%s, and there is no box to put a torn molecule together: keep the box in the trajectory, "+
			"or make molecules whole (gmx trjconv -pbc whole); or are structure and trajectory not of the same %s "+
			"in the same order?", text, m.what)
	}
	return fmt.Errorf("%s: are structure and trajectory of the same %s in the same order?", text, m.what)
}

// WholeFrame is Whole for a frame whose box may be read in two ways ([gromacs.Frame.OtherBox]): by the one that makes
// bonds short, or did in frames before. Errors: those of Whole; no bond told the two apart until now, and molecules lie
// differently by them.
func (m *Molecule) WholeFrame(f *gromacs.Frame) (moved bool, err error) {
	if f.OtherBox == [9]float64{} || len(f.R) != 3*m.atoms {
		return m.Whole(f.R, &f.Box)
	}
	one, other := slices.Clone(f.R), slices.Clone(f.R)
	second := *m // with a count and a lattice of its own
	moved, err = m.Whole(one, &f.Box)
	otherMoved, otherErr := second.Whole(other, &f.OtherBox)
	apart := err == nil && otherErr == nil && differ(one, other)
	switch {
	case err != nil && otherErr != nil:
		return moved, err
	case err != nil:
		m.reading = otherReading
	case otherErr != nil:
		m.reading = firstReading
	case apart:
		switch a, b := m.strain(one), m.strain(other); {
		case b < a-leastStrain:
			m.reading = otherReading
		case a < b-leastStrain:
			m.reading = firstReading
		}
	}
	switch {
	case apart && m.reading == noReading:
		return false, fmt.Errorf("cgmap: the unit cell can be read as lengths and angles or as CHARMM's shape " +
			"matrix, molecules lie differently by the two, and no bond tells which is right: put molecules together " +
			"before, with the program that wrote the file")
	case m.reading == otherReading && otherErr == nil:
		copy(f.R, other)
		f.Box, m.far = f.OtherBox, second.far
		return otherMoved, nil
	}
	copy(f.R, one)
	return moved, err
}

// Readings of a box that bonds can tell apart.
const (
	noReading = iota
	firstReading
	otherReading
)

// Decided tells whether a frame until now told two readings of the box apart.
func (m *Molecule) Decided() bool { return m.reading != noReading }

// Molecules put together by two boxes are told apart by a difference of strain, nm², larger than that of thermal motion
// (0.01 nm a bond); a shift of differentPlace, nm, matters.
const (
	leastStrain    = 2e-3
	differentPlace = 0.005
)

// strain is how much bonds differ in length from those of the structure: the sum of the squares, nm².
func (m *Molecule) strain(r []float32) (sum float64) {
	for _, b := range m.bonds {
		d := at(r, b[0]).sub(at(r, b[1])).norm() - at(m.r, b[0]).sub(at(m.r, b[1])).norm()
		sum += d * d
	}
	return sum
}

// differ tells whether two sets of positions do.
func differ(a, b []float32) bool {
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > differentPlace {
			return true
		}
	}
	return false
}

// Positions are those of the structure with its molecules whole, [atoms, 3], nm.
func (m *Molecule) Positions() []float32 { return m.r }

// Bonds are the pairs of bonded atoms, from 0, that join each molecule.
func (m *Molecule) Bonds() [][2]int { return m.bonds }

// HydrogenGroups are the groups of atoms that constraints on all bonds to
// hydrogen hold together: a heavy atom and its hydrogens.
func (m *Molecule) HydrogenGroups(s *gromacs.Structure) [][]int {
	_, hydrogen, _ := bondRadii(s.Atoms)
	group := map[int][]int{}
	var order []int
	for _, b := range m.bonds {
		heavy, light := b[0], b[1]
		if hydrogen[heavy] {
			heavy, light = light, heavy
		}
		if !hydrogen[light] {
			continue
		}
		if group[heavy] == nil {
			order = append(order, heavy)
			group[heavy] = []int{heavy}
		}
		group[heavy] = append(group[heavy], light)
	}
	var out [][]int
	for _, heavy := range order {
		out = append(out, group[heavy])
	}
	return out
}
