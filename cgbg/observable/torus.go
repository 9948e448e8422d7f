package observable

import (
	"fmt"
	"math"
)

// TorusFreeEnergy is a free energy over two dihedrals.
type TorusFreeEnergy struct {
	// Grid is the middle of the cells along each angle, [n], rad.
	Grid []float64
	// F is −kT ln P with its minimum at zero, [n*n], +Inf where P is zero; (φ_i, ψ_j) is F[i*n+j].
	F []float64
	// P is the density per rad², [n*n].
	P []float64
}

// NewTorusFreeEnergy estimates the free energy of dihedrals on a grid of n × n by a periodic Gaussian kernel of standard deviation
// bandwidth (rad) along each angle; 0 is the plain histogram. kT: the unit of the result.
// Errors: those of Histogram, n below four, ErrNoMass.
func NewTorusFreeEnergy(t Torus, n int, bandwidth, kT float64) (TorusFreeEnergy, error) {
	if n < 4 || !(bandwidth >= 0) || !(kT > 0) {
		return TorusFreeEnergy{}, fmt.Errorf("observable: a free energy of two angles on %d cells with bandwidth %g and kT %g: four cells or more, a bandwidth of zero or more, a kT above zero", n, bandwidth, kT)
	}
	edges := Edges(-math.Pi, math.Pi, n)
	h, err := NewHistogram2D(t.Phi, t.Psi, t.Weight, edges, edges)
	if err != nil {
		return TorusFreeEnergy{}, err
	}
	total := 0.0
	for _, m := range h.Mass {
		total += m
	}
	if !(total > 0) {
		return TorusFreeEnergy{}, fmt.Errorf("observable: a free energy of two angles: %w", ErrNoMass)
	}
	cell := 2 * math.Pi / float64(n)
	p := h.Mass
	for i := range p {
		p[i] /= total * cell * cell
	}
	if bandwidth > 0 {
		kernel := circleKernel(n, bandwidth/cell)
		p = smoothRows(smoothRows(p, kernel), kernel) // each turns the grid over
	}
	return TorusFreeEnergy{Grid: Centers(edges), F: FreeEnergy(p, kT), P: p}, nil
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

// smoothRows convolves every row of an n × n grid and returns the result transposed.
func smoothRows(p, kernel []float64) []float64 {
	n := len(kernel)
	out := make([]float64, len(p))
	for i := range n {
		for j := range n {
			sum := 0.0
			for k := range n {
				sum += p[i*n+k] * kernel[(j-k+n)%n]
			}
			out[j*n+i] = sum
		}
	}
	return out
}

// At interpolates F between the four cells around (φ, ψ), rad; +Inf where one of them is empty.
func (t *TorusFreeEnergy) At(phi, psi float64) float64 {
	n := len(t.Grid)
	cell := 2 * math.Pi / float64(n)
	place := func(x float64) (lo, hi int, f float64) {
		u := (x - t.Grid[0]) / cell
		k := math.Floor(u)
		lo = ((int(k) % n) + n) % n
		return lo, (lo + 1) % n, u - k
	}
	i, i1, fx := place(phi)
	j, j1, fy := place(psi)
	sum := 0.0
	for _, c := range []struct {
		i, j int
		w    float64
	}{{i, j, (1 - fx) * (1 - fy)}, {i, j1, (1 - fx) * fy}, {i1, j, fx * (1 - fy)}, {i1, j1, fx * fy}} {
		if c.w > 0 {
			sum += c.w * t.F[c.i*n+c.j]
		}
	}
	return sum
}

// FloorHalves is what the two halves of a reference score against each other: blocks of time are dealt to two halves at random, in
// each of repeats. The Error is the standard deviation of one score. A model cannot be told from the truth below about half of
// it, since each half is half as long as the reference.
// Errors: those of FloorReference.
func FloorHalves(reference Torus, repeats int, r Resampling) (Scores, error) {
	n := len(reference.Phi)
	block := max(reference.Block, 1)
	blocks := (n + block - 1) / block
	if blocks < 2 || repeats < 2 || r.Rng == nil {
		return Scores{}, fmt.Errorf("observable: scoring halves: %d frames in blocks of %d, %d repeats: two blocks and repeats or more, and a random state, are needed", n, block, repeats)
	}
	c, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: scoring halves: %w", err)
	}
	js, pmf := make([]float64, repeats), make([]float64, repeats)
	for k := range repeats {
		half := c.deal(2, block, r.Rng.Perm(blocks))
		js[k], pmf[k] = JS(half[0], half[1]), PMFError(half[0], half[1])
		if math.IsNaN(js[k]) {
			return Scores{}, fmt.Errorf("observable: scoring halves: %w", ErrNoMass)
		}
	}
	return Scores{JS: scatter(js), PMFError: scatter(pmf)}, nil
}

func scatter(x []float64) Estimate {
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return Estimate{Value: mean, Error: math.Sqrt(square)}
}

// BondLengths is the distance of two beads in each frame, [n], in the unit of r. r: [n, beads, 3].
func BondLengths[T float32 | float64](r []T, beads int, pair [2]int) []float64 {
	out := make([]float64, 0, len(r)/(3*beads))
	for ; len(r) >= 3*beads; r = r[3*beads:] {
		out = append(out, norm(between(r, pair[0], pair[1])))
	}
	return out
}

// Angles is the angle at the middle one of three beads in each frame, [n], rad. r: [n, beads, 3].
func Angles[T float32 | float64](r []T, beads int, triple [3]int) []float64 {
	out := make([]float64, 0, len(r)/(3*beads))
	for ; len(r) >= 3*beads; r = r[3*beads:] {
		a, b := between(r, triple[1], triple[0]), between(r, triple[1], triple[2])
		cross := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
		out = append(out, math.Atan2(norm(cross), a[0]*b[0]+a[1]*b[1]+a[2]*b[2])) // acos loses digits near 0 and π
	}
	return out
}

func between[T float32 | float64](r []T, i, j int) [3]float64 {
	return [3]float64{float64(r[3*j]) - float64(r[3*i]), float64(r[3*j+1]) - float64(r[3*i+1]), float64(r[3*j+2]) - float64(r[3*i+2])}
}

func norm(a [3]float64) float64 { return math.Sqrt(a[0]*a[0] + a[1]*a[1] + a[2]*a[2]) }
