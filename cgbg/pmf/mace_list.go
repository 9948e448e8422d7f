package pmf

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// With a neighbour list the beads j of a sum over neighbours are slots, which
// hold another bead in every frame: what belongs to j is gathered. The sums are
// those of all pairs, since nothing is left out but zeros.

// ListEnergy builds U as Energy does, from a neighbour list.
//
// r: [batch, 3·beads], nm; list: [batch, beads, slots], the beads within the
// cutoff, in empty slots the bead itself. Result: [batch], kJ/mol.
func (p MACE) ListEnergy(store *model.Store, r, list *graph.Node) *graph.Node {
	return p.energy(store, r, list, false, false)
}

// useList takes the place of constants.
func (b *maceGraph) useList(list *graph.Node) {
	list.AssertDims(b.batch, len(b.Species), -1)
	b.list = graph.TransposeAllAxes(list, 1, 2, 0) // [beads, slots, batch]
	b.pairs = len(b.Species) * b.list.Shape().Dim(1)
}

// rowsOfSlots are, for every slot, the row of its bead j in arrays [beads·batch, …],
// or [beads, …] where all frames are alike: [beads·slots·batch, 1].
func (b *maceGraph) rowsOfSlots(batch int) *graph.Node {
	rows := b.list
	if batch > 1 {
		frame := graph.Iota(b.at.Graph(), shapes.Make(dtypes.Int32, 1, 1, batch), 2)
		rows = graph.Add(graph.MulScalar(rows, batch), frame)
	}
	return graph.Reshape(rows, -1, 1)
}

// listDifferences is differences for slots.
func (b *maceGraph) listDifferences(r *graph.Node, axis int) *graph.Node {
	n := len(b.Species)
	matrix := make([]float64, n*3*n)
	for i := range n {
		matrix[i*3*n+3*i+axis] = 1 / b.Cutoff
	}
	x := graph.Einsum("pk,bk->pb", b.constant(matrix, n, 3*n), r)
	other := graph.Gather(graph.Reshape(x, -1, 1), b.rowsOfSlots(b.batch))
	other = graph.Reshape(other, n, -1, b.batch)
	return graph.Reshape(graph.Sub(other, graph.InsertAxes(x, 1)), b.pairs, b.batch)
}

// emptyFar puts the bead of an empty slot at twice the cutoff: without
// influence, and away from the singular distance zero.
func (b *maceGraph) emptyFar(square *graph.Node) *graph.Node {
	self := graph.Iota(b.at.Graph(), b.list.Shape(), 0)
	empty := graph.Reshape(graph.Equal(b.list, self), b.pairs, b.batch)
	return graph.Where(empty, graph.MulScalar(graph.OnesLike(square), 4), square)
}

// listSources is sources for slots.
func (b *maceGraph) listSources(h *graph.Node) *graph.Node {
	n, c, a, batch := h.Shape().Dim(0), h.Shape().Dim(1), h.Shape().Dim(2), h.Shape().Dim(3)
	rows := graph.Reshape(graph.TransposeAllAxes(h, 0, 3, 1, 2), n*batch, c*a)
	x := graph.Reshape(graph.Gather(rows, b.rowsOfSlots(batch)), n, -1, b.batch, c, a)
	return graph.TransposeAllAxes(x, 0, 3, 4, 1, 2)
}
