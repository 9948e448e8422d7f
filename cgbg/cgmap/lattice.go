package cgmap

import (
	"fmt"
	"math"
)

// lattice are the translations of a periodic box, along as many directions as the box has vectors: a short basis, and
// with it every vector that can lead from a place to a nearer image.
type lattice struct {
	basis    []vector
	near     []vector  // sums and differences of the basis; of a vector and its opposite, one
	square   []float64 // of near
	shortest float64   // nm; infinite without a box
}

// reductions bounds the steps to a short basis; a box of real proportions takes a few.
const reductions = 1000

// newLattice reduces the vectors of a box, row by row, nm; rows of zeros are directions without a boundary. The basis
// is Minkowski's: no vector becomes shorter by the others, so that sums and differences are all that border on the cell
// of nearest places (Conway and Sloane, Proc. R. Soc. Lond. A 436 (1992) 55). Error: vectors in a plane, or in a line.
func newLattice(box *[9]float64) (*lattice, error) {
	l := &lattice{shortest: math.Inf(1)}
	for row := range 3 {
		if v := (vector{box[3*row], box[3*row+1], box[3*row+2]}); v != (vector{}) {
			l.basis = append(l.basis, v)
		}
	}
	if !l.reduce() || !l.independent() {
		return nil, fmt.Errorf("cgmap: the vectors of the box, %.4g nm, are no box", *box)
	}
	counts := [3]int{}
	var add func(k int, sum vector)
	add = func(k int, sum vector) {
		if k == len(l.basis) {
			for _, c := range counts {
				if c != 0 {
					if c > 0 {
						l.near, l.square = append(l.near, sum), append(l.square, sum.dot(sum))
						l.shortest = min(l.shortest, sum.norm())
					}
					return
				}
			}
			return
		}
		for _, c := range []int{-1, 0, 1} {
			counts[k] = c
			add(k+1, sum.plus(l.basis[k], float64(c)))
		}
		counts[k] = 0
	}
	add(0, vector{})
	return l, nil
}

// reduce subtracts vectors from longer ones as long as that makes any shorter.
func (l *lattice) reduce() bool {
	b := l.basis
	for range reductions {
		changed := false
		shorter := func(i int, v vector) {
			if v.dot(v) < b[i].dot(b[i])*(1-1e-9) {
				b[i], changed = v, true
			}
		}
		for i := range b {
			for j := range b {
				if i != j && b[j] != (vector{}) {
					shorter(i, b[i].plus(b[j], -math.Round(b[i].dot(b[j])/b[j].dot(b[j]))))
				}
			}
		}
		if len(b) == 3 {
			for i := range b {
				for _, s := range [][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
					shorter(i, b[i].plus(b[(i+1)%3], s[0]).plus(b[(i+2)%3], s[1]))
				}
			}
		}
		if !changed {
			return true
		}
	}
	return false
}

// leastVolume of a cell beside the product of its edges; of a short basis it is 0.7 or more.
const leastVolume = 1e-3

func (l *lattice) independent() bool {
	b := l.basis
	for _, v := range b {
		if n := v.norm(); !(n > 0) || math.IsInf(n, 0) {
			return false
		}
	}
	switch len(b) {
	case 2:
		return b[0].unit().cross(b[1].unit()).norm() > leastVolume
	case 3:
		return math.Abs(b[0].unit().cross(b[1].unit()).dot(b[2].unit())) > leastVolume
	}
	return true
}

// nearest is the shortest of a difference of places and all its images: each step makes it shorter by a vector that
// borders on the cell of nearest places, and there is no shorter one where none does.
func (l *lattice) nearest(d vector) vector {
	if 4*d.dot(d) <= l.shortest*l.shortest {
		return d
	}
	for range reductions {
		changed := false
		for k, v := range l.near {
			if t := d.dot(v) / l.square[k]; math.Abs(t) > 0.5+1e-9 {
				d, changed = d.plus(v, -math.Round(t)), true
			}
		}
		if !changed {
			break
		}
	}
	return d
}

// nearlyHalf is how much of the way to the border between two images is close to it.
const nearlyHalf = 0.9

// ambiguous tells whether a difference of places is not clearly the shortest of all its images.
func (l *lattice) ambiguous(d vector) bool {
	for k, v := range l.near {
		if math.Abs(d.dot(v)) > 0.5*nearlyHalf*l.square[k] {
			return true
		}
	}
	return false
}

// Images measures distances of nearest images in a box.
type Images struct{ lattice *lattice }

// NewImages measures in a box, row by row, nm. Without one (nil, zeros, or vectors in a plane) distances are those of
// the places themselves.
func NewImages(box *[9]float64) *Images {
	if box == nil {
		return &Images{}
	}
	l, err := newLattice(box)
	if err != nil {
		return &Images{}
	}
	return &Images{l}
}

// Distance of places i and j of r, [places, 3], nm.
func (b *Images) Distance(r []float32, i, j int) float64 {
	d := at(r, i).sub(at(r, j))
	if b.lattice != nil {
		d = b.lattice.nearest(d)
	}
	return d.norm()
}
