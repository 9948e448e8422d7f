package topology

import (
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/zmatrix"
)

// Limits of a bond: relative standard deviations of its length, and how much longer than the longer edges of the tree
// at both of its ends one may be that closes a ring. Bonds of atoms have 0.02 to 0.03 at room temperature, those of
// beads of several atoms up to 0.1; distances over an angle are 1.6 times as long as a bond, contacts of a folded chain
// fluctuate.
const (
	softest   = 0.1
	ringStiff = 0.05
	ringLong  = 1.3
)

// Frames that bonds are found from: no more than these, evenly spaced, and fewer of very many beads.
const (
	mostFrames = 2000
	mostPairs  = 5e7 // distances
)

// bonds finds the bonded pairs, in order. r: [n, beads, 3].
func bonds(r []float32, beads int) [][2]int {
	mean, sd := distances(r, beads)
	tree := zmatrix.SpanningTree(mean, beads)
	longest := make([]float64, beads) // edge of the tree at a bead
	joined := make([]bool, beads*beads)
	for _, e := range tree {
		d := mean[e[0]*beads+e[1]]
		longest[e[0]], longest[e[1]] = max(longest[e[0]], d), max(longest[e[1]], d)
		joined[e[0]*beads+e[1]] = true
	}
	var out [][2]int
	for i := range beads {
		for j := i + 1; j < beads; j++ {
			k := i*beads + j
			limit := softest
			if !joined[k] {
				limit = ringStiff
			}
			if (joined[k] || mean[k] <= ringLong*min(longest[i], longest[j])) && sd[k] <= limit*mean[k] {
				out = append(out, [2]int{i, j})
			}
		}
	}
	return out
}

// distances are mean and standard deviation of every pair i < j at i*beads+j.
func distances(r []float32, beads int) (mean, sd []float64) {
	n := len(r) / (3 * beads)
	use := min(n, mostFrames, max(minFrames, int(2*mostPairs/float64(beads*beads))))
	mean, sd = make([]float64, beads*beads), make([]float64, beads*beads)
	for f := range use {
		frame := r[f*n/use*3*beads:][:3*beads]
		for i := range beads {
			for j := i + 1; j < beads; j++ {
				d := norm(edge(frame, i, j))
				k := i*beads + j
				before := d - mean[k] // Welford, Technometrics 4 (1962) 419
				mean[k] += before / float64(f+1)
				sd[k] += before * (d - mean[k])
			}
		}
	}
	for k := range sd {
		sd[k] = math.Sqrt(sd[k] / float64(use))
	}
	return mean, sd
}

// neighbours are the beads that bonds join to each bead, ascending.
func neighbours(bonds [][2]int, beads int) [][]int {
	out := make([][]int, beads)
	for _, b := range bonds {
		out[b[0]], out[b[1]] = append(out[b[0]], b[1]), append(out[b[1]], b[0])
	}
	for _, n := range out {
		slices.Sort(n)
	}
	return out
}

// edge is the vector from bead i to bead j of a frame.
func edge[T float32 | float64](frame []T, i, j int) (d [3]float64) {
	for axis := range d {
		d[axis] = float64(frame[3*j+axis]) - float64(frame[3*i+axis])
	}
	return d
}

func norm(v [3]float64) float64 { return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]) }
