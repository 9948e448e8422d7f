package observable

import (
	"fmt"
	"math"
	"sort"
)

// Histogram1D is the weight that fell into each of a row of bins.
type Histogram1D struct {
	// Edges bound the bins, [bins+1], increasing. A bin holds its lower edge; the last holds both, as in numpy.
	Edges []float64
	// Mass is the weight in each bin, [bins].
	Mass []float64
	// Below and Above are the weight left and right of the bins.
	Below, Above float64
}

// Edges returns n+1 edges of n equal bins, lo + i·((hi−lo)/n) as numpy.linspace makes them.
// It panics if n is below one or hi is not above lo.
func Edges(lo, hi float64, n int) []float64 {
	if n < 1 || !(hi > lo) {
		panic(fmt.Sprintf("observable: %d bins from %g to %g; want a bin or more, from low to high", n, lo, hi))
	}
	step := (hi - lo) / float64(n)
	e := make([]float64, n+1)
	for i := range e {
		e[i] = lo + float64(float64(i)*step)
	}
	e[n] = hi
	return e
}

// Centers returns the middle of each bin, [len(edges)−1].
func Centers(edges []float64) []float64 {
	c := make([]float64, max(len(edges)-1, 0))
	for i := range c {
		c[i] = 0.5 * (edges[i] + edges[i+1])
	}
	return c
}

// Histogram sorts weighted samples into bins.
// x: samples, [n]; w: weights of any scale, [n], or nil for one each; edges: [bins+1], increasing.
// Errors: lengths that differ, edges that do not increase, a sample that is NaN and has weight, a weight that is
// negative or not finite.
func Histogram(x, w, edges []float64) (Histogram1D, error) {
	if err := checkSamples(x, w); err != nil {
		return Histogram1D{}, fmt.Errorf("observable: making a histogram: %w", err)
	}
	b, err := newBinner(edges)
	if err != nil {
		return Histogram1D{}, fmt.Errorf("observable: making a histogram: %w", err)
	}
	h := Histogram1D{Edges: edges, Mass: make([]float64, b.bins)}
	for i, v := range x {
		wi := weight(w, i)
		switch k := b.bin(v); {
		case wi == 0:
		case k < 0:
			h.Below += wi
		case k >= b.bins:
			h.Above += wi
		default:
			h.Mass[k] += wi
		}
	}
	return h, nil
}

// TorusBins is the number of bins along each angle that JS divergence and PMF error use.
const TorusBins = 100

// binner finds the bin of a number.
type binner struct {
	edges []float64
	bins  int
	inv   float64 // bins per unit if all are equal, else zero
}

func newBinner(edges []float64) (binner, error) {
	n := len(edges) - 1
	if n < 1 {
		return binner{}, fmt.Errorf("%d edges; want two or more", len(edges))
	}
	step := (edges[n] - edges[0]) / float64(n)
	equal := true
	for i := range n {
		d := edges[i+1] - edges[i]
		if !(d > 0) || math.IsInf(d, 0) {
			return binner{}, fmt.Errorf("edge %d (%g) is not above edge %d (%g)", i+1, edges[i+1], i, edges[i])
		}
		equal = equal && math.Abs(d-step) < 1e-6*step
	}
	b := binner{edges: edges, bins: n}
	if equal {
		b.inv = 1 / step
	}
	return b, nil
}

// bin returns the bin of v, −1 below the first edge, b.bins above the last. NaN is above.
func (b *binner) bin(v float64) int {
	last := b.edges[b.bins]
	switch {
	case v < b.edges[0]:
		return -1
	case v == last:
		return b.bins - 1
	case !(v < last):
		return b.bins
	case b.inv == 0:
		return sort.Search(b.bins, func(k int) bool { return v < b.edges[k+1] })
	}
	k := min(int((v-b.edges[0])*b.inv), b.bins-1)
	for v < b.edges[k] { // rounding may put v one bin off: the edges decide
		k--
	}
	for v >= b.edges[k+1] {
		k++
	}
	return k
}

func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

func checkSamples(x, w []float64) error {
	if w != nil && len(w) != len(x) {
		return fmt.Errorf("%d weights for %d samples", len(w), len(x))
	}
	for i, v := range x {
		wi := weight(w, i)
		if !(wi >= 0) || math.IsInf(wi, 1) {
			return fmt.Errorf("weight %d of %d is %g; weights are finite and not negative (normalise log-weights "+
				"first)",
				i, len(x), wi)
		}
		if math.IsNaN(v) && wi > 0 {
			return fmt.Errorf("sample %d of %d is NaN; give it weight zero to drop it", i, len(x))
		}
	}
	return nil
}
