package observable

import (
	"fmt"
	"math"
)

// Map is a free energy over two variables.
type Map struct {
	// Axes are the two ranges and how many cells they are cut into, nx and ny.
	Axes [2]Axis
	// X and Y are the middles of the cells, [nx] and [ny].
	X, Y []float64
	// F is −kT ln P with its minimum at zero, [nx*ny], +Inf where P is zero; (x_i, y_j) is F[i*ny+j].
	F []float64
	// P is the density per unit of both variables, [nx*ny]; what is outside does not count.
	P []float64
}

// leastCells is the least number of cells along a variable.
const leastCells = 4

// NewMap estimates the free energy of two variables on the cells of their axes by a Gaussian kernel of standard
// deviation bandwidth (in the variables' units) along each; 0 is the plain histogram. On a circle the kernel goes
// round; at the ends of an interval it is reflected, so that no weight is lost there and a flat density stays flat.
// kT: the unit of the result.
// Errors: those of Histogram, one variable, fewer than four cells, ErrNoMass.
func NewMap(p Points, bandwidth [2]float64, kT float64) (Map, error) {
	if len(p.X) != 2 || len(p.Axes) != 2 || !(min(bandwidth[0], bandwidth[1]) >= 0) || !(kT > 0) {
		return Map{}, fmt.Errorf("observable: a free energy of %d variables with bandwidths %g and kT %g: "+
			"two variables, bandwidths of zero or more, a kT above zero", len(p.X), bandwidth, kT)
	}
	for _, a := range p.Axes {
		if a.Bins < leastCells {
			return Map{}, fmt.Errorf("observable: a free energy on %d cells: %d cells or more", a.Bins, leastCells)
		}
	}
	c, err := p.within()
	if err != nil {
		return Map{}, fmt.Errorf("observable: a free energy of two variables: %w", err)
	}
	density := make([]float64, c.n)
	c.mass(density, nil)
	total := 0.0
	for _, m := range density {
		total += m
	}
	if !(total > 0) {
		return Map{}, fmt.Errorf("observable: a free energy of two variables: %w", ErrNoMass)
	}
	m := Map{Axes: [2]Axis(p.Axes), X: p.Axes[0].Centers(), Y: p.Axes[1].Centers()}
	width := [2]float64{m.Axes[0].width(), m.Axes[1].width()}
	for i := range density {
		density[i] /= total * width[0] * width[1]
	}
	if bandwidth[0] > 0 || bandwidth[1] > 0 { // each turns the grid over
		density = smoothRows(density, m.Axes[1].kernel(bandwidth[1]/width[1]), m.Axes[1].Bins)
		density = smoothRows(density, m.Axes[0].kernel(bandwidth[0]/width[0]), m.Axes[0].Bins)
	}
	m.P, m.F = density, FreeEnergy(density, kT)
	return m, nil
}

// width is that of a bin.
func (a Axis) width() float64 { return (a.Hi - a.Lo) / float64(a.Bins) }

// kernel is how much each cell gets of every other one, [Bins*Bins], by a Gaussian of so many cells. An interval is
// half of a circle twice as long, whose other half is its mirror image.
func (a Axis) kernel(sigma float64) []float64 {
	n := a.Bins
	k := make([]float64, n*n)
	if sigma == 0 {
		for i := range n {
			k[i*n+i] = 1
		}
		return k
	}
	if a.Periodic {
		circle := circleKernel(n, sigma)
		for i := range n {
			for j := range n {
				k[i*n+j] = circle[(i-j+n)%n]
			}
		}
		return k
	}
	circle := circleKernel(2*n, sigma)
	for i := range n {
		for j := range n {
			k[i*n+j] = circle[(i-j+2*n)%(2*n)] + circle[i+j+1]
		}
	}
	return k
}

// circleKernel is a Gaussian of so many cells on a circle of n, of sum one.
func circleKernel(n int, sigma float64) []float64 {
	k := make([]float64, n)
	sum := 0.0
	for i := range k {
		for turn := -2; turn <= 2; turn++ {
			d := (float64(i) + float64(turn*n)) / sigma
			k[i] += math.Exp(-0.5 * d * d)
		}
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// smoothRows multiplies every row of a grid of n columns by a kernel, [n*n], and returns the result transposed.
func smoothRows(p, kernel []float64, n int) []float64 {
	rows := len(p) / n
	out := make([]float64, len(p))
	for i := range rows {
		for j := range n {
			sum := 0.0
			for k := range n {
				sum += p[i*n+k] * kernel[j*n+k]
			}
			out[j*rows+i] = sum
		}
	}
	return out
}

// At interpolates F between the four cells around a point; +Inf where one of them is empty, and beyond an interval.
func (m *Map) At(x, y float64) float64 {
	i, fx, ok := m.Axes[0].place(m.X[0], x)
	j, fy, there := m.Axes[1].place(m.Y[0], y)
	if !ok || !there {
		return math.Inf(1)
	}
	sum := 0.0
	for _, c := range []struct {
		i, j int
		w    float64
	}{{i[0], j[0], (1 - fx) * (1 - fy)}, {i[0], j[1], (1 - fx) * fy}, {i[1], j[0], fx * (1 - fy)}, {i[1], j[1],
		fx * fy}} {
		if c.w > 0 {
			sum += c.w * m.F[c.i*len(m.Y)+c.j]
		}
	}
	return sum
}

// place finds the two cells whose middles are on either side of a value, and how far it is from one to the other; first
// is the middle of the first cell. At the ends of an interval both are the last one. ok: the value is not beyond them.
func (a Axis) place(first, v float64) (cells [2]int, f float64, ok bool) {
	if !a.Periodic && !(v >= a.Lo && v <= a.Hi) || math.IsNaN(v) || math.IsInf(v, 0) {
		return cells, 0, false
	}
	u := (v - first) / a.width()
	k := math.Floor(u)
	for c := range cells {
		i := int(k) + c
		if a.Periodic {
			i = (i%a.Bins + a.Bins) % a.Bins
		}
		cells[c] = min(max(i, 0), a.Bins-1)
	}
	return cells, u - k, true
}
