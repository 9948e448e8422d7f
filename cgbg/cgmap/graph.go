package cgmap

import (
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/data/gromacs"
)

// bondFactor is how much longer than the sum of the radii a bond may be.
const bondFactor = 1.3

// Two atoms closer than overlap, nm, are no structure (the bond of H2 has 0.074 nm), nor are more than maxNeighbours
// within bonds of one.
const (
	overlap       = 0.05
	maxNeighbours = 8
)

// siteDistance is how far from an atom of its residue a site without an element may lie, nm: lone pairs lie at 0.07 nm.
const siteDistance = 0.1

// graph are the bonds of a structure.
type graph struct {
	first      []int32  // of the neighbours of each atom, and the end
	neighbours []int32  // in order
	overlaps   [][2]int // atoms on one another
}

// newGraph finds bonds by distances to the nearest images. r: [atoms, 3], nm.
// Errors: a box that is none, atoms that overlap with many.
func newGraph(atoms []gromacs.Atom, r []float32, box *[9]float64) (*graph, error) {
	l, err := newLattice(box)
	if err != nil {
		return nil, err
	}
	radii, hydrogen, sites := bondRadii(atoms)
	var chosen []int
	largest := 0.0
	for i, radius := range radii {
		if radius > 0 {
			chosen = append(chosen, i)
			largest = max(largest, radius)
		}
	}
	g := &graph{}
	p := &pairing{radii: radii, hydrogen: hydrogen, best: make([]float64, len(atoms)), owner: make([]int32, len(atoms)),
		count: make([]uint8, len(atoms))}
	if len(chosen) > 0 {
		newCells(r, chosen, l, max(2*bondFactor*largest, overlap)).pairs(func(i, j int, square float64) bool {
			limit := bondFactor * (radii[i] + radii[j])
			if square >= limit*limit {
				return true
			}
			if square < overlap*overlap {
				g.overlaps = append(g.overlaps, [2]int{i, j})
			}
			full := p.add(i, j, square)
			if full >= 0 {
				err = fmt.Errorf("cgmap: more than %d atoms lie within a bond of atom %d, %s: the structure's "+
					"positions are no real ones (all zero, or in another unit?)", maxNeighbours, full+1,
					nameOf(atoms[full]))
			}
			return full < 0
		})
	}
	if err != nil {
		return nil, err
	}
	g.connect(len(atoms), append(p.bonds(), siteBonds(atoms, r, l, radii, sites)...))
	return g, nil
}

// pairing gathers bonds: all of heavy atoms, and of a hydrogen the shortest.
type pairing struct {
	radii    []float64
	hydrogen []bool
	edges    [][2]int32
	best     []float64 // of a hydrogen: the square of the distance of its heavy atom
	owner    []int32   // that atom
	count    []uint8   // of atoms within bonds
}

// add takes a pair within a bond. full: an atom that has too many; else -1.
func (p *pairing) add(i, j int, square float64) (full int) {
	for _, k := range [2]int{i, j} {
		if p.count[k]++; p.count[k] > maxNeighbours {
			return k
		}
	}
	if p.hydrogen[j] {
		i, j = j, i
	}
	switch {
	case !p.hydrogen[i] || p.hydrogen[j]:
		p.edges = append(p.edges, [2]int32{int32(i), int32(j)})
	case p.best[i] == 0 || square < p.best[i]:
		p.best[i], p.owner[i] = square, int32(j)
	}
	return -1
}

// bonds are those of all pairs. H2 has no heavy atom; other pairs of hydrogens are none.
func (p *pairing) bonds() [][2]int32 {
	edges := slices.DeleteFunc(p.edges, func(e [2]int32) bool {
		return p.hydrogen[e[0]] && p.hydrogen[e[1]] && (p.best[e[0]] > 0 || p.best[e[1]] > 0)
	})
	for i, square := range p.best {
		if square > 0 {
			edges = append(edges, [2]int32{int32(i), p.owner[i]})
		}
	}
	return edges
}

// siteBonds hang sites that are no atoms on the nearest atoms of their residues.
func siteBonds(atoms []gromacs.Atom, r []float32, l *lattice, radii []float64, sites []bool) (edges [][2]int32) {
	if !slices.Contains(sites, true) {
		return nil
	}
	for _, span := range runs(atoms) {
		for i := span.first; i < span.end; i++ {
			if !sites[i] {
				continue
			}
			best, least := -1, siteDistance*siteDistance
			for j := span.first; j < span.end; j++ {
				if radii[j] > 0 {
					if d := l.nearest(at(r, j).sub(at(r, i))); d.dot(d) < least {
						best, least = j, d.dot(d)
					}
				}
			}
			if best >= 0 {
				edges = append(edges, [2]int32{int32(i), int32(best)})
			}
		}
	}
	return edges
}

// connect makes lists of neighbours of pairs.
func (g *graph) connect(atoms int, edges [][2]int32) {
	g.first = make([]int32, atoms+1)
	for _, e := range edges {
		g.first[e[0]+1]++
		g.first[e[1]+1]++
	}
	for i := range atoms {
		g.first[i+1] += g.first[i]
	}
	g.neighbours = make([]int32, 2*len(edges))
	next := slices.Clone(g.first)
	for _, e := range edges {
		for k, i := range e {
			g.neighbours[next[i]] = e[1-k]
			next[i]++
		}
	}
	for i := range atoms {
		slices.Sort(g.of(i))
	}
}

// of are the atoms bonded to atom i, in order.
func (g *graph) of(i int) []int32 { return g.neighbours[g.first[i]:g.first[i+1]] }

// trees are bonds that join each molecule, parents first, and the molecule that each atom belongs to, by number, from
// 0.
func (g *graph) trees() (bonds [][2]int, molecule []int32, molecules int) {
	atoms := len(g.first) - 1
	molecule = make([]int32, atoms)
	for i := range molecule {
		molecule[i] = -1
	}
	var queue []int
	for root := range atoms {
		if molecule[root] >= 0 {
			continue
		}
		molecule[root] = int32(molecules)
		queue = append(queue[:0], root)
		for k := 0; k < len(queue); k++ {
			for _, j := range g.of(queue[k]) {
				if molecule[j] < 0 {
					molecule[j] = int32(molecules)
					bonds = append(bonds, [2]int{queue[k], int(j)})
					queue = append(queue, int(j))
				}
			}
		}
		molecules++
	}
	return bonds, molecule, molecules
}
