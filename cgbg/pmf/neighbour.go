package pmf

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// A potential of short range may take the neighbours of every bead from a list
// that the host makes.
type listed interface {
	// Reach is the range, nm, and the periodic box or nil; ok is false where
	// all pairs cost less than a list.
	Reach() (cutoff float64, box []float64, ok bool)
	// ListEnergy builds U, [batch], as Energy does, from a list, [batch, beads, slots].
	ListEnergy(store *model.Store, r, list *graph.Node) *graph.Node
}

// neighbourList finds, for every bead, the beads within the cutoff, as rows
// [frames, beads, slots] of their indices. A slot that holds the bead itself is
// empty. There are as many slots as the most crowded bead takes, rounded up to
// one of few sizes, since a graph is compiled for each.
//
// All pairs are tried, in float64: up to thousands of beads that is little
// beside what a neighbour costs in the network.
//
// r: [frames*beads*3], nm; box: lengths of at least twice the cutoff, or nil.
func neighbourList[T float32 | float64](r []T, beads int, cutoff float64, box []float64) (list []int32, slots int) {
	frames := len(r) / (3 * beads)
	count := make([]int, frames*beads)
	eachPair(r, beads, cutoff, box, func(a, b, _, _ int) {
		count[a]++
		count[b]++
		slots = max(slots, count[a], count[b])
	})
	slots = slotSize(slots, beads)
	list = make([]int32, frames*beads*slots)
	for i := range list {
		list[i] = int32(i / slots % beads)
	}
	clear(count)
	eachPair(r, beads, cutoff, box, func(a, b, i, j int) {
		list[a*slots+count[a]], list[b*slots+count[b]] = int32(j), int32(i)
		count[a]++
		count[b]++
	})
	return list, slots
}

// eachPair visits the pairs i < j within the cutoff; a and b count the beads
// over all frames.
func eachPair[T float32 | float64](r []T, beads int, cutoff float64, box []float64, visit func(a, b, i, j int)) {
	for first := 0; 3*first < len(r); first += beads {
		x := r[3*first:]
		for i := range beads {
			for j := i + 1; j < beads; j++ {
				if d := edge(x, i, j, box); dot(d, d) < cutoff*cutoff {
					visit(first+i, first+j, i, j)
				}
			}
		}
	}
}

// slotSize rounds a number of neighbours up to 4, 8, 12, 16, 24, 32, 48, …
func slotSize(n, beads int) int {
	size := 4
	for step := 4; size < n; size += step {
		if size >= 4*step {
			step *= 2
		}
	}
	return min(size, beads-1)
}

// listTensor is the list of frames for a potential that takes one, otherwise nil.
func listTensor[T float32 | float64](pot Potential, r []T) *tensors.Tensor {
	p, ok := pot.(listed)
	if !ok {
		return nil
	}
	cutoff, box, ok := p.Reach()
	if !ok {
		return nil
	}
	beads := pot.Dim() / 3
	list, slots := neighbourList(r, beads, cutoff, box)
	return tensors.FromFlatDataAndDimensions(list, len(r)/(3*beads), beads, slots)
}

// meanNeighbours is the mean number of beads within the cutoff of a bead, over some hundred frames at even distances.
//
// frames: [n, beads, 3], flattened, in the unit of the cutoff; open space.
func meanNeighbours(frames []float32, beads int, cutoff float64) float64 {
	pairs, seen := 0, 0
	n := len(frames) / (3 * beads)
	for i := 0; i < n; i += max(1, n/100) {
		seen++
		eachPair(frames[3*beads*i:3*beads*(i+1)], beads, cutoff, nil, func(_, _, _, _ int) { pairs++ })
	}
	return 2 * float64(pairs) / float64(seen*beads)
}
