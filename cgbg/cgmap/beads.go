package cgmap

import (
	"fmt"
	"slices"
)

// OfBeads is for frames of the beads alone: beads hang together where bonds and hidden atoms join them. c: beads that
// are atoms. Error: beads that are means of atoms.
func (m *Molecule) OfBeads(c *Map) (*Molecule, error) {
	if c.Atoms == nil {
		return nil, fmt.Errorf("cgmap: beads of %s are means of atoms", c.Name)
	}
	out := &Molecule{atoms: len(c.Atoms), what: "beads", span: []int{}, box: m.box,
		molecule: make([]int32, len(c.Atoms))}
	for _, a := range c.Atoms {
		out.r = append(out.r, m.r[3*a:3*a+3]...)
	}
	owner, depth := make([]int, m.atoms), make([]int, m.atoms)
	for i := range owner {
		owner[i] = -1
	}
	queue := slices.Clone(c.Atoms)
	for b, a := range c.Atoms {
		owner[a] = b
	}
	type edge struct{ a, b, bonds int }
	var edges []edge
	for k := 0; k < len(queue); k++ {
		i := queue[k]
		for _, n := range m.graph.of(i) {
			switch j := int(n); {
			case owner[j] < 0:
				owner[j], depth[j] = owner[i], depth[i]+1
				queue = append(queue, j)
			case owner[j] != owner[i]:
				edges = append(edges, edge{min(owner[i], owner[j]), max(owner[i], owner[j]), depth[i] + depth[j] + 1})
			}
		}
	}
	slices.SortFunc(edges, func(x, y edge) int {
		return slices.Compare([]int{x.bonds, x.a, x.b}, []int{y.bonds, y.a, y.b})
	})
	// The spanning trees of fewest bonds (Kruskal).
	root := make([]int, len(c.Atoms))
	for b := range root {
		root[b] = b
	}
	find := func(b int) int {
		for root[b] != b {
			root[b] = root[root[b]]
			b = root[b]
		}
		return b
	}
	near := make([]map[int]int, len(c.Atoms))
	for b := range near {
		near[b] = map[int]int{}
	}
	for _, e := range edges {
		if a, b := find(e.a), find(e.b); a != b {
			root[max(a, b)] = min(a, b)
			near[e.a][e.b], near[e.b][e.a] = e.bonds, e.bonds
		}
	}
	out.hang(near)
	return out, out.order()
}

// hang makes trees of beads that hang together, parents first, and parts of them.
func (m *Molecule) hang(near []map[int]int) {
	seen := make([]bool, m.atoms)
	for first := range seen {
		if seen[first] {
			continue
		}
		seen[first] = true
		queue := []int{first}
		for k := 0; k < len(queue); k++ {
			m.molecule[queue[k]] = int32(len(m.parts))
			var next []int
			for b := range near[queue[k]] {
				if !seen[b] {
					next = append(next, b)
				}
			}
			slices.Sort(next)
			for _, b := range next {
				seen[b] = true
				m.bonds, m.span = append(m.bonds, [2]int{queue[k], b}), append(m.span, near[queue[k]][b])
				queue = append(queue, b)
			}
		}
		slices.Sort(queue)
		m.parts = append(m.parts, part{atoms: queue, used: queue})
	}
}
