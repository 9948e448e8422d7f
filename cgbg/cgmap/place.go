package cgmap

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// part is a molecule that beads are of.
type part struct {
	atoms  []int // all
	used   []int // those that beads are made of, whose centre tells where it is
	parent int   // the part that it is placed beside, before it in order; -1 of the first
}

// joint is a bead of several parts: its atoms in each.
type joint struct {
	bead   string
	pieces [][]int
}

// maxParts is how many molecules are placed by a tree of shortest distances; of more, each is placed beside the first.
const maxParts = 1000

// For is what some maps need: molecules that no bead is made of are left as they are, and the others are placed beside
// each other. The first stays where it is; each next one comes, as a whole, to the image whose centre is nearest to the
// centre of the one that lies nearest to it in the structure, centres being those of the atoms that beads are made of.
// s is the structure; its positions may be others, if they are of the molecule. Error: atoms on one another; residues
// that are in pieces in the structure.
func (m *Molecule) For(s *gromacs.Structure, maps ...*Map) (*Molecule, error) {
	used := make([]bool, m.atoms)
	rows := make([][]int, 0)
	var names []string
	for _, c := range maps {
		for k, row := range c.rows() {
			var atoms []int
			for _, w := range row {
				used[w.Atom] = true
				atoms = append(atoms, w.Atom)
			}
			rows, names = append(rows, atoms), append(names, c.Beads[k])
		}
	}
	out := *m
	number := map[int32]int{}
	for i := range used {
		if used[i] {
			if _, ok := number[m.molecule[i]]; !ok {
				number[m.molecule[i]] = len(number)
			}
		}
	}
	if err := m.sound(s, used, number); err != nil {
		return nil, err
	}
	out.parts, out.bonds = make([]part, len(number)), nil
	for _, b := range m.bonds {
		if _, ok := number[m.molecule[b[0]]]; ok {
			out.bonds = append(out.bonds, b)
		}
	}
	for i, label := range m.molecule {
		if k, ok := number[label]; ok {
			out.parts[k].atoms = append(out.parts[k].atoms, i)
			if used[i] {
				out.parts[k].used = append(out.parts[k].used, i)
			}
		}
	}
	for k, atoms := range rows {
		j := joint{bead: names[k], pieces: make([][]int, 0, 1)}
		seen := map[int32]int{}
		for _, i := range atoms {
			at, ok := seen[m.molecule[i]]
			if !ok {
				at = len(j.pieces)
				seen[m.molecule[i]] = at
				j.pieces = append(j.pieces, nil)
			}
			j.pieces[at] = append(j.pieces[at], i)
		}
		if len(j.pieces) > 1 {
			out.joint = append(out.joint, j)
		}
	}
	return &out, out.order()
}

// Own are the atoms of these molecules, in order.
func (m *Molecule) Own() (atoms []int) {
	for _, p := range m.parts {
		atoms = append(atoms, p.atoms...)
	}
	slices.Sort(atoms)
	return atoms
}

// Alone is what [LearnInternal] takes of the molecules' own atoms, counted as in [Molecule.Own]: the map, bonds, and
// the groups of rigid that are among them. c: the map that m is for. Error: no such forces on the beads of c.
func (m *Molecule) Alone(c *Map, rigid [][]int) (own *Map, bonds [][2]int, held [][]int, err error) {
	if err := checkInternal(c); err != nil {
		return nil, nil, nil, err
	}
	place := make([]int, m.atoms)
	for i := range place {
		place[i] = -1
	}
	atoms := m.Own()
	for k, i := range atoms {
		place[i] = k
	}
	own = &Map{Name: c.Name, Beads: c.Beads, Species: c.Species, atoms: len(atoms)}
	for _, i := range c.Atoms {
		own.Atoms = append(own.Atoms, place[i])
	}
	for _, b := range m.bonds {
		bonds = append(bonds, [2]int{place[b[0]], place[b[1]]})
	}
	for _, group := range rigid {
		var here []int
		for _, i := range group {
			if place[i] >= 0 {
				here = append(here, place[i])
			}
		}
		if len(here) > 0 {
			held = append(held, here)
		}
	}
	return own, bonds, held, nil
}

// Far is the number of frames until now in which a molecule was placed about half the box from the one beside it, so
// that another image is almost as near.
func (m *Molecule) Far() int { return m.far }

// order sets the parts' parents: a tree of shortest distances in the structure.
func (m *Molecule) order() error {
	if len(m.parts) < 2 {
		return nil
	}
	l, err := newLattice(&m.box)
	if err != nil {
		return err
	}
	centres := make([]vector, len(m.parts))
	for k, p := range m.parts {
		centres[k] = centre(m.r, p.used)
	}
	m.parts[0].parent = -1
	if len(m.parts) > maxParts {
		return nil // beside the first
	}
	least, from := make([]float64, len(m.parts)), make([]int, len(m.parts))
	for k := range least {
		least[k] = math.Inf(1)
	}
	rank := make([]int, len(m.parts)) // in the new order; -1 before
	for k := range rank {
		rank[k] = -1
	}
	sorted := make([]part, 0, len(m.parts))
	for next := 0; next >= 0; {
		p := m.parts[next]
		if p.parent = -1; len(sorted) > 0 {
			p.parent = rank[from[next]]
		}
		rank[next] = len(sorted)
		sorted = append(sorted, p)
		added := next
		next = -1
		for k := range m.parts {
			if rank[k] >= 0 {
				continue
			}
			if d := l.nearest(centres[k].sub(centres[added])).norm(); d < least[k] {
				least[k], from[k] = d, added
			}
			if next < 0 || least[k] < least[next] {
				next = k
			}
		}
	}
	m.parts = sorted
	return nil
}

// centre is the mean place of some atoms.
func centre(r []float32, atoms []int) (sum vector) {
	for _, i := range atoms {
		sum = sum.plus(at(r, i), 1/float64(len(atoms)))
	}
	return sum
}

// place moves parts to the images that are nearest to the parts beside them.
// Error: a bead of parts so far apart that the image is not known.
func (m *Molecule) place(r []float32, l *lattice) (moved bool, err error) {
	if len(m.parts) < 2 || len(l.basis) == 0 {
		return false, nil
	}
	centres := make([]vector, len(m.parts))
	far := false
	for k, p := range m.parts {
		centres[k] = centre(r, p.used)
		if p.parent < 0 {
			continue
		}
		was := centres[k].sub(centres[p.parent])
		d := l.nearest(was)
		far = far || l.ambiguous(d)
		if d == was {
			continue
		}
		moved = true
		shift := d.sub(was)
		centres[k] = centres[k].plus(shift, 1)
		for _, i := range p.atoms {
			for axis := range 3 {
				if math.Abs(shift[axis]) > shifted {
					r[3*i+axis] = float32(float64(r[3*i+axis]) + shift[axis])
				}
			}
		}
	}
	if far {
		m.far++
	}
	for _, j := range m.joint {
		first := centre(r, j.pieces[0])
		for _, piece := range j.pieces[1:] {
			if d := centre(r, piece).sub(first); l.ambiguous(d) {
				return moved, fmt.Errorf("cgmap: bead %s is of several molecules, which lie %.3f nm apart, about "+
					"half of the box or more: which images belong together is not known; make beads of one molecule "+
					"each", j.bead, d.norm())
			}
		}
	}
	return moved, nil
}

// sound looks for what cannot be among the atoms that beads are made of: those on one another, and residues in pieces.
func (m *Molecule) sound(s *gromacs.Structure, used []bool, number map[int32]int) error {
	for _, pair := range m.graph.overlaps {
		if _, ok := number[m.molecule[pair[0]]]; ok {
			return fmt.Errorf("cgmap: atoms %d and %d, %s and %s, lie on one another in the structure", pair[0]+1,
				pair[1]+1, nameOf(s.Atoms[pair[0]]), nameOf(s.Atoms[pair[1]]))
		}
	}
	radii, _, _ := bondRadii(s.Atoms)
	inPieces := func(i, j int) error {
		d := at(m.r, i).sub(at(m.r, j)).norm()
		return fmt.Errorf("cgmap: no bonds lead from atom %d to %d, %s to %s, %.3f nm apart in the structure: is it "+
			"torn by a boundary and has no box, is a bond too long, or are positions in another unit? Use a "+
			"structure with whole molecules", i+1, j+1, nameOf(s.Atoms[i]), nameOf(s.Atoms[j]), d)
	}
	carbon := -1 // of the residue before: the carbonyl's, one bond short
	var before gromacs.Atom
	for _, span := range runs(s.Atoms) {
		first, nitrogen, next := -1, -1, -1
		for i := span.first; i < span.end; i++ {
			if !used[i] || radii[i] == 0 {
				continue
			}
			switch {
			case first < 0:
				first = i
			case m.molecule[i] != m.molecule[first]:
				return inPieces(first, i)
			}
			switch a := s.Atoms[i]; {
			case a.Name == "N" && len(m.graph.of(i)) < 3:
				nitrogen = i
			case a.Name == "C" && len(m.graph.of(i)) == 2:
				next = i
			}
		}
		here := s.Atoms[span.first]
		if m.box == [9]float64{} && carbon >= 0 && nitrogen >= 0 && here.Chain == before.Chain &&
			here.ResidueNumber == before.ResidueNumber+1 && m.molecule[carbon] != m.molecule[nitrogen] {
			return inPieces(carbon, nitrogen)
		}
		carbon, before = next, here
	}
	return nil
}
