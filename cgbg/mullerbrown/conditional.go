package mullerbrown

import (
	"errors"
	"fmt"
	"math"
	"sort"
)

// ConditionalTest compares the distribution of y among frames with x in a narrow window between two runs: by
// Proposition 2 it is the same with and without a bias that depends on x alone.
type ConditionalTest struct {
	Lo, Hi           float64   // the window in x
	Y                []float64 // deciles of y over both runs
	CDFA, CDFB       []float64 // P(y ≤ Y | window) in each run
	SE               []float64 // standard error of CDFA - CDFB, from the scatter of blocks
	MaxZ             float64   // largest |CDFA - CDFB|/SE
	FramesA, FramesB int
}

// ErrSparse reports a window with too few frames.
var ErrSparse = errors.New("too few frames")

// CompareConditional tests whether y is distributed alike in a and b at x in [lo, hi). Every trajectory is cut into
// blocks pieces, which must be longer than the relaxation time. The window must be so narrow that the slope of p(x)
// inside it does not matter: 0.2 moves E[y] by less than 0.01 under the umbrella of §B.1. With 9 correlated deciles a
// MaxZ above 4 has a probability below 6e-4 when the distributions agree. It fails when a run has fewer than two blocks
// with frames in the window.
func CompareConditional(a, b *Trajectories, lo, hi float64, blocks int) (*ConditionalTest, error) {
	for _, t := range []*Trajectories{a, b} {
		if err := checkSeries(t.X, t.Y, blocks); err != nil {
			return nil, err
		}
	}
	ya, yb := windowed(a, lo, hi, blocks), windowed(b, lo, hi, blocks)
	var all []float64
	for _, block := range append(append([][]float64(nil), ya...), yb...) {
		all = append(all, block...)
	}
	if len(ya) < 2 || len(yb) < 2 {
		return nil, fmt.Errorf("mullerbrown: comparing y at x in [%g, %g): %w: %d and %d blocks have frames there, "+
			"and two of each are needed; widen the window or simulate longer",
			lo, hi, ErrSparse, len(ya), len(yb))
	}
	sort.Float64s(all)
	c := &ConditionalTest{Lo: lo, Hi: hi}
	for d := 1; d < 10; d++ {
		y := all[len(all)*d/10]
		pa, va := blockFraction(ya, y)
		pb, vb := blockFraction(yb, y)
		se := math.Sqrt(va + vb)
		c.Y, c.CDFA, c.CDFB, c.SE = append(c.Y, y), append(c.CDFA, pa), append(c.CDFB, pb), append(c.SE, se)
		c.MaxZ = max(c.MaxZ, math.Abs(pa-pb)/se)
	}
	for _, v := range ya {
		c.FramesA += len(v)
	}
	for _, v := range yb {
		c.FramesB += len(v)
	}
	return c, nil
}

// windowed returns, for each block that has any, the y of frames with x in the window.
func windowed(t *Trajectories, lo, hi float64, blocks int) [][]float64 {
	var out [][]float64
	eachBlock(t.X, t.Y, blocks, func(x, y []float32) {
		var in []float64
		for i, v := range x {
			if float64(v) >= lo && float64(v) < hi {
				in = append(in, float64(y[i]))
			}
		}
		if in != nil {
			out = append(out, in)
		}
	})
	return out
}

// blockFraction returns the fraction of values ≤ y and its variance (ratio estimator over blocks).
func blockFraction(blocks [][]float64, y float64) (p, variance float64) {
	below := make([]float64, len(blocks))
	var n, sum float64
	for i, b := range blocks {
		for _, v := range b {
			if v <= y {
				below[i]++
			}
		}
		n += float64(len(b))
		sum += below[i]
	}
	p = sum / n
	var q float64
	for i, b := range blocks {
		d := below[i] - p*float64(len(b))
		q += d * d
	}
	k := float64(len(blocks))
	return p, q * k / (k - 1) / (n * n)
}
