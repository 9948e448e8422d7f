package plumed

import (
	"fmt"
	"math"
)

// At returns the bias at two dihedrals (rad, any turn; in the order of Names), kJ/mol, by cubic
// convolution, which is exact at the points and of third order between them. A variable that
// is not periodic does not go round: ErrRange beyond its ends.
// Source: Keys, doi 10.1109/TASSP.1981.1163711.
func (g *Grid) At(x, y float64) (float64, error) {
	if s := x + y; !finite(s) {
		return 0, fmt.Errorf("plumed: the bias at %v, %v: not finite", x, y)
	}
	i, a, err := g.cubic(0, x)
	if err != nil {
		return 0, err
	}
	j, b, err := g.cubic(1, y)
	if err != nil {
		return 0, err
	}
	var sum float64
	for m, bm := range b {
		row := g.Values[(j+m)%g.Bins[1]*g.Bins[0]:][:g.Bins[0]]
		for k, ak := range a {
			sum += bm * ak * row[(i+k)%g.Bins[0]]
		}
	}
	return sum, nil
}

// cubic returns the first of the four grid points around the angle x, and their weights.
func (g *Grid) cubic(axis int, x float64) (first int, w [4]float64, err error) {
	n := g.Bins[axis]
	u := (x - g.Min[axis]) / turn
	u -= math.Floor(u) // from Min, in turns
	if g.Periodic[axis] {
		u *= float64(n)
		k := min(math.Floor(u), float64(n-1)) // rounding just below a whole turn
		return (int(k) - 1 + n) % n, keys(u - k), nil
	}
	u *= turn / g.step(axis)
	const slack = 1e-5 // of rounding in the file, steps
	switch last := float64(n - 1); {
	case u <= last:
	case u <= last+slack:
		u = last
	case u >= turn/g.step(axis)-slack:
		u = 0
	default:
		return 0, w, fmt.Errorf("plumed: %w: %s is %.3f, and the grid, which does not go round, runs from %.3f to %.3f rad", ErrRange, g.Names[axis], x, g.Min[axis], g.Max[axis])
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

// keys are the weights of points at -1, 0, 1 and 2 for the value at t in [0, 1].
func keys(t float64) [4]float64 {
	return [4]float64{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
}
