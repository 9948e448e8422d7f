package topology

import "math"

// Margins of a centre: its mean triple product over the standard deviation, and the least mean. That of a tetrahedral
// centre is 0.77 with a deviation of 0.05 to 0.1 at room temperature; that of a planar one is 0 with a deviation of 0.1
// to 0.2.
const (
	steady   = 3
	leastTip = 0.2
)

// Centre is a chiral centre.
type Centre struct {
	Beads [4]int  `json:"beads"` // the centre and three of its neighbours
	Sign  float64 `json:"sign"`  // of the triple product of the edges to them, +1 or −1
}

// TripleProduct is the volume, −1 to 1, that the unit vectors from a bead to three others span: (a×b)·c.
// frame: [beads, 3]; quad: the bead and the others. NaN where two beads stand in one place.
func TripleProduct[T float32 | float64](frame []T, quad [4]int) float64 {
	a, b, c := edge(frame, quad[0], quad[1]), edge(frame, quad[0], quad[2]), edge(frame, quad[0], quad[3])
	v := a[0]*(b[1]*c[2]-b[2]*c[1]) + a[1]*(b[2]*c[0]-b[0]*c[2]) + a[2]*(b[0]*c[1]-b[1]*c[0])
	return v / (norm(a) * norm(b) * norm(c))
}

// Right tells whether the centre of a frame has its hand. frame: [beads, 3].
func (c Centre) Right(frame []float64) bool { return TripleProduct(frame, c.Beads)*c.Sign > 0 }

// centre finds the three neighbours of a bead that stand most steadily about it with one hand; ok: there are some. r:
// [n, beads, 3].
func centre(r []float32, beads, bead int, around []int) (best Centre, ok bool) {
	most := 0.
	for i := range around {
		for j := i + 1; j < len(around); j++ {
			for k := j + 1; k < len(around); k++ {
				quad := [4]int{bead, around[i], around[j], around[k]}
				mean, sd, one := products(r, beads, quad)
				if size := math.Abs(mean); one && size >= leastTip && size >= steady*sd && (!ok || size/sd > most) {
					best, ok, most = Centre{quad, math.Copysign(1, mean)}, true, size/sd
				}
			}
		}
	}
	return best, ok
}

// products are mean and standard deviation of a triple product over frames; one: it has the same sign in all of them.
func products(r []float32, beads int, quad [4]int) (mean, sd float64, one bool) {
	first, n := 0., 0.
	for ; len(r) >= 3*beads; r = r[3*beads:] {
		v := TripleProduct(r[:3*beads], quad)
		if n == 0 {
			first = v
		}
		if !(v*first > 0) {
			return 0, 0, false
		}
		n++
		before := v - mean
		mean += before / n
		sd += before * (v - mean)
	}
	return mean, math.Sqrt(sd / n), true
}
