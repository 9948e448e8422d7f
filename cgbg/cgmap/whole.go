package cgmap

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Molecule knows which atoms are bonded, so that molecules broken by the
// periodic boundary can be put together.
type Molecule struct {
	bonds [][2]int // parent and child, parents first: a tree for each molecule
	atoms int
}

// bondFactor is how much longer than the sum of the radii a bond may be.
const bondFactor = 1.3

// NewMolecule finds the bonds of a peptide's structure, water and ions left
// out, from its distances to the nearest images.
func NewMolecule(s *gromacs.Structure) (*Molecule, error) {
	l := layOut(s)
	var atoms []int
	for i, r := range l.of {
		if l.residues[r].solute() && elements[l.elements[i]].radius > 0 {
			atoms = append(atoms, i)
		}
	}
	m := &Molecule{atoms: len(s.Atoms)}
	bonded := func(i, j int) bool {
		a, b := atoms[i], atoms[j]
		d := nearest(s.R[3*b:3*b+3], s.R[3*a:3*a+3], &s.Box)
		limit := bondFactor * (elements[l.elements[a]].radius + elements[l.elements[b]].radius)
		return d[0]*d[0]+d[1]*d[1]+d[2]*d[2] < limit*limit
	}
	seen := make([]bool, len(atoms))
	for root := range atoms {
		if seen[root] {
			continue
		}
		seen[root] = true
		for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
			for j := range atoms {
				if !seen[j] && bonded(queue[0], j) {
					seen[j] = true
					m.bonds = append(m.bonds, [2]int{atoms[queue[0]], atoms[j]})
					queue = append(queue, j)
				}
			}
		}
	}
	return m, nil
}

// nearest is the vector from b to the nearest image of a. For a bond, shorter
// than half of every height of the box, rounding by rows finds it.
func nearest(a, b []float32, box *[9]float64) [3]float64 {
	d := [3]float64{float64(a[0]) - float64(b[0]), float64(a[1]) - float64(b[1]), float64(a[2]) - float64(b[2])}
	for row := 2; row >= 0; row-- {
		if h := box[4*row]; h > 0 {
			n := math.Round(d[row] / h)
			for k := range 3 {
				d[k] -= n * box[3*row+k]
			}
		}
	}
	return d
}

// Whole moves atoms by box vectors so that every molecule is in one piece;
// without a box it leaves them. It tells whether it moved any.
// r: [atoms, 3], nm. Error: another number of atoms, a bond so long that the
// frame cannot be of this molecule.
func (m *Molecule) Whole(r []float32, box *[9]float64) (moved bool, err error) {
	if len(r) != 3*m.atoms {
		return false, fmt.Errorf("cgmap: %d numbers in a frame; the structure has %d atoms", len(r), m.atoms)
	}
	for _, b := range m.bonds {
		parent, child := r[3*b[0]:3*b[0]+3], r[3*b[1]:3*b[1]+3]
		d := nearest(child, parent, box)
		if length := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2]); length > maxBond {
			return moved, fmt.Errorf("cgmap: atoms %d and %d are bonded in the structure and %.3f nm apart here: are structure and trajectory of the same atoms in the same order?", b[0]+1, b[1]+1, length)
		}
		for k := range 3 {
			was := float64(child[k]) - float64(parent[k])
			if math.Abs(d[k]-was) > 0.01 { // by a box vector; leave the others' last digits alone
				child[k] = float32(float64(parent[k]) + d[k])
				moved = true
			}
		}
	}
	return moved, nil
}

// maxBond is longer than any covalent bond at any temperature of interest, nm.
const maxBond = 0.35

// Bonds are the pairs of bonded atoms, from 0, that join each molecule.
func (m *Molecule) Bonds() [][2]int { return m.bonds }

// HydrogenGroups are the groups of atoms that constraints on all bonds to
// hydrogen hold together: a heavy atom and its hydrogens.
func (m *Molecule) HydrogenGroups(s *gromacs.Structure) [][]int {
	group, elements := map[int][]int{}, elementsOf(s.Atoms)
	var order []int
	for _, b := range m.bonds {
		heavy, light := b[0], b[1]
		if isHydrogen(elements[heavy]) {
			heavy, light = light, heavy
		}
		if !isHydrogen(elements[light]) {
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
