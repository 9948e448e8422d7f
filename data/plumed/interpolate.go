package plumed

import (
	"fmt"
	"math"
	"strings"
)

// At returns the bias at a place, one number a variable in the order of Names, rad or nm; kJ/mol, by cubic
// convolution, which is exact at the points and of third order between them. A variable that is not periodic does not
// go round: ErrRange beyond its ends. Of a dihedral ([Grid.Dihedral]) any turn will do.
// Source: Keys, doi 10.1109/TASSP.1981.1163711.
func (g *Grid) At(x ...float64) (float64, error) {
	if len(x) != len(g.Bins) {
		return 0, fmt.Errorf("plumed: a place of %d variables on a grid of %s", len(x), strings.Join(g.Names, ", "))
	}
	first, weight := make([]int, len(x)), make([][4]float64, len(x))
	for k, v := range x {
		if !finite(v) {
			return 0, fmt.Errorf("plumed: the bias at %v: not finite", x)
		}
		var err error
		if first[k], weight[k], err = g.cubic(k, v); err != nil {
			return 0, err
		}
	}
	return g.sum(len(x)-1, 0, first, weight), nil
}

// sum of the points around a place over variables 0 to k; offset: of those behind, in Values.
func (g *Grid) sum(k, offset int, first []int, weight [][4]float64) (sum float64) {
	n := g.Bins[k]
	for i, w := range weight[k] {
		at := offset*n + (first[k]+i)%n
		if k > 0 {
			sum += w * g.sum(k-1, at, first, weight)
		} else {
			sum += w * g.Values[at]
		}
	}
	return sum
}

// cubic returns the first of the four grid points around x, and their weights.
func (g *Grid) cubic(axis int, x float64) (first int, w [4]float64, err error) {
	n := g.Bins[axis]
	if g.Periodic[axis] {
		u := (x - g.Min[axis]) / (g.Max[axis] - g.Min[axis])
		u = (u - math.Floor(u)) * float64(n)  // from Min, in steps
		k := min(math.Floor(u), float64(n-1)) // rounding just below a whole turn
		return (int(k) - 1 + n) % n, keys(u - k), nil
	}
	const slack = 1e-5 // of rounding in the file, steps
	u, round, beyond := x-g.Min[axis], math.Inf(1), ""
	if g.dihedral != nil && g.dihedral[axis] {
		u -= turn * math.Floor(u/turn)
		round, beyond = turn/g.step(axis)-slack, ", which does not go round,"
	}
	u /= g.step(axis)
	switch last := float64(n - 1); {
	case u < -slack:
		return 0, w, g.outside(axis, x, beyond)
	case u < 0:
		u = 0
	case u <= last:
	case u <= last+slack:
		u = last
	case u >= round:
		u = 0
	default:
		return 0, w, g.outside(axis, x, beyond)
	}
	k := min(int(u), n-2)
	w = keys(u - float64(k))
	// Beyond the ends a parabola goes on through the last three points (Keys, Eqs. 19 and 25).
	switch k {
	case 0:
		return 0, [4]float64{w[1] + 3*w[0], w[2] - 3*w[0], w[3] + w[0], 0}, nil
	case n - 2:
		return n - 4, [4]float64{0, w[0] + w[3], w[1] - 3*w[3], w[2] + 3*w[3]}, nil
	}
	return k - 1, w, nil
}

func (g *Grid) outside(axis int, x float64, beyond string) error {
	return fmt.Errorf("plumed: %w: %s is %.3f, and the grid%s runs from %.3f to %.3f", ErrRange, g.Names[axis], x,
		beyond,
		g.Min[axis], g.Max[axis])
}

// keys are the weights of points at -1, 0, 1 and 2 for the value at t in [0, 1].
func keys(t float64) [4]float64 {
	return [4]float64{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
}
