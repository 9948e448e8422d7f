package cgmap

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Weight is a number of a sparse matrix and the atom, from 0, that it is of.
type Weight struct {
	Atom   int
	Weight float64
}

// Sparse is a matrix [beads, atoms] of which most numbers are zero: a linear map,
// or the map of its forces. It needs no room for atoms that no bead is made of.
type Sparse struct {
	rows  [][]Weight
	atoms int
}

// Sparse is the map as a matrix, whose rows sum to 1.
func (m *Map) Sparse() *Sparse { return &Sparse{rows: m.rows(), atoms: m.atoms} }

// rows are the weights of atoms in each bead.
func (m *Map) rows() [][]Weight {
	if m.linear != nil {
		return m.linear.rows
	}
	rows := make([][]Weight, len(m.Atoms))
	for k, a := range m.Atoms {
		rows[k] = []Weight{{a, 1}}
	}
	return rows
}

// Dense is the matrix with its zeros.
func (s *Sparse) Dense() *mat.Dense {
	out := mat.NewDense(len(s.rows), s.atoms, nil)
	for k, row := range s.rows {
		for _, w := range row {
			out.Set(k, w.Atom, w.Weight)
		}
	}
	return out
}

// Apply appends the product with x, [atoms, 3], to dst, summed in float64.
// Error: another number of atoms.
func (s *Sparse) Apply(dst, x []float32) ([]float32, error) {
	if len(x) != 3*s.atoms {
		return dst, fmt.Errorf("cgmap: %d numbers in a frame of forces; the force map has %d atoms", len(x), s.atoms)
	}
	return s.multiply(dst, x), nil
}

func (s *Sparse) multiply(dst, x []float32) []float32 {
	for _, row := range s.rows {
		var sum [3]float64
		for _, w := range row {
			for k := range sum {
				sum[k] += w.Weight * float64(x[3*w.Atom+k])
			}
		}
		dst = append(dst, float32(sum[0]), float32(sum[1]), float32(sum[2]))
	}
	return dst
}

// Basic is [Basic] of a sparse matrix, found for beads that share atoms, or
// rigid groups, together, and for others on their own.
func (s *Sparse) Basic(rigid [][]int) (*Sparse, error) {
	u, err := s.clusters(rigid)
	if err != nil {
		return nil, err
	}
	out := &Sparse{rows: make([][]Weight, len(s.rows)), atoms: s.atoms}
	for k, beads := range u.beads {
		if len(beads) == 0 {
			continue
		}
		atoms := u.atoms[k]
		if len(beads) == 1 && len(atoms) == 1 {
			out.rows[beads[0]] = []Weight{{atoms[0], 1 / s.rows[beads[0]][0].Weight}}
			continue
		}
		b, err := Basic(s.block(beads, atoms), u.rigidAmong(atoms))
		if err != nil {
			return nil, err
		}
		out.place(b, beads, atoms)
	}
	return out, nil
}

// clusters are what cannot be taken apart: atoms of beads that share any, with the groups that constraints hold
// together.
type clusters struct {
	of    []int   // the cluster of each atom
	atoms [][]int // of each cluster, in order
	beads [][]int
	rigid []int // group of each atom, or -1
}

// clusters of the beads' atoms. Error: groups that share atoms.
func (s *Sparse) clusters(rigid [][]int) (*clusters, error) {
	root := make([]int32, s.atoms)
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int) int {
		for int(root[i]) != i {
			root[i] = root[root[i]]
			i = int(root[i])
		}
		return i
	}
	join := func(i, j int) {
		i, j = find(i), find(j)
		root[max(i, j)] = int32(min(i, j))
	}
	u := &clusters{of: make([]int, s.atoms), rigid: make([]int, s.atoms)}
	for i := range u.rigid {
		u.rigid[i] = -1
	}
	for k, group := range rigid {
		for _, a := range group {
			if a < 0 || a >= s.atoms || u.rigid[a] >= 0 {
				return nil, fmt.Errorf("cgmap: rigid groups: atom %d (from 0) is not there or in two groups; join them",
					a)
			}
			u.rigid[a] = k
			join(a, group[0])
		}
	}
	for _, row := range s.rows {
		for _, w := range row {
			join(w.Atom, row[0].Atom)
		}
	}
	for i := range u.of {
		if r := find(i); r == i {
			u.of[i] = len(u.atoms)
			u.atoms = append(u.atoms, []int{i})
		} else {
			u.of[i] = u.of[r]
			u.atoms[u.of[i]] = append(u.atoms[u.of[i]], i)
		}
	}
	u.beads = make([][]int, len(u.atoms))
	for k, row := range s.rows {
		n := u.of[row[0].Atom]
		u.beads[n] = append(u.beads[n], k)
	}
	return u, nil
}

// rigidAmong are the rigid groups among some atoms in order, by their places among them.
func (u *clusters) rigidAmong(atoms []int) (groups [][]int) {
	place := map[int]int{}
	for k, i := range atoms {
		if g := u.rigid[i]; g >= 0 {
			n, ok := place[g]
			if !ok {
				n = len(groups)
				place[g] = n
				groups = append(groups, nil)
			}
			groups[n] = append(groups[n], k)
		}
	}
	return groups
}

// block is the dense matrix of some beads and some atoms in order, which hold all atoms of the beads.
func (s *Sparse) block(beads, atoms []int) *mat.Dense {
	out := mat.NewDense(len(beads), len(atoms), nil)
	for k, b := range beads {
		for _, w := range s.rows[b] {
			i, _ := slices.BinarySearch(atoms, w.Atom)
			out.Set(k, i, w.Weight)
		}
	}
	return out
}

// place puts rows of a block where they belong.
func (s *Sparse) place(b *mat.Dense, beads, atoms []int) {
	for k, bead := range beads {
		s.rows[bead] = nil
		for i, w := range b.RawRowView(k) {
			if w != 0 {
				s.rows[bead] = append(s.rows[bead], Weight{atoms[i], w})
			}
		}
	}
}
