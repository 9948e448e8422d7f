package observable

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// ScorePublished is [Score] with values and errors by the published procedure, to
// compare with: every resample draws samples one by one with probability proportional to their weight,
// whatever blocks they come from, and counts them as equals. The value is the mean over
// resamples, which their own noise raises; the error is their standard deviation.
// Errors: fewer than two resamples; those of Score.
// Source: published code of arXiv 2602.10637.
func ScorePublished(model, reference Points, r Resampling) (Scores, error) {
	if err := sameAxes(model, reference); err != nil {
		return Scores{}, fmt.Errorf("observable: scoring as published: %w", err)
	}
	var n [2]int
	var sums [2][]float64 // running sums of the weights of cells, and of what is outside
	for k, t := range []Points{model, reference} {
		c, err := t.cells()
		if err != nil {
			return Scores{}, fmt.Errorf("observable: scoring as published: %w", err)
		}
		n[k], sums[k] = len(c.cell), make([]float64, c.n+1)
		for i, cell := range c.cell {
			if cell < 0 {
				cell = int32(c.n)
			}
			sums[k][cell] += weight(t.Weight, i)
		}
		if floats.CumSum(sums[k], sums[k]); !(sums[k][c.n] > 0) {
			return Scores{}, fmt.Errorf("observable: scoring as published: %w", ErrNoMass)
		}
	}
	out, err := r.all(2, func() resampleStat {
		h := [2][]float64{make([]float64, len(sums[0])), make([]float64, len(sums[1]))}
		return func(rng rng, out []float64) {
			for k, sum := range sums {
				clear(h[k])
				last := len(sum) - 1
				for range n[k] {
					cell, _ := slices.BinarySearch(sum, rng.Float64()*sum[last])
					h[k][cell]++
				}
			}
			last := len(sums[0]) - 1
			out[0], out[1] = JS(h[0][:last], h[1][:last]), pmfError(h[0][:last], h[1][:last])
		}
	})
	if err != nil {
		return Scores{}, fmt.Errorf("observable: scoring as published: %w", err)
	}
	estimate := func(k int) Estimate {
		values := make([]float64, 0, r.Resamples)
		for i := k; i < len(out); i += 2 {
			values = append(values, out[i])
		}
		mean, variance := stat.MeanVariance(values, nil)
		return Estimate{Value: mean, Error: math.Sqrt(variance)}
	}
	return Scores{JS: estimate(0), PMFError: estimate(1)}, nil
}
