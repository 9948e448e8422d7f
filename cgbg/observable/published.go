package observable

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// ScorePublished is [ScoreTorus] with values and errors by the published procedure, to
// compare with: every resample draws samples one by one with probability proportional to their weight,
// whatever blocks they come from, and counts them as equals. The value is the mean over
// resamples, which their own noise raises; the error is their standard deviation.
// Errors: those of ScoreTorus.
// Source: published code of arXiv 2602.10637.
func ScorePublished(model, reference Torus, r Resampling) (Scores, error) {
	var lists [2]cellList
	var sums [2][]float64 // running sums of the weights
	for k, t := range []Torus{model, reference} {
		var err error
		if lists[k], err = t.cells(); err != nil {
			return Scores{}, fmt.Errorf("observable: scoring as published: %w", err)
		}
		total := 0.0
		for i := range lists[k].cell {
			total += weight(t.Weight, i)
			sums[k] = append(sums[k], total)
		}
		if !(total > 0) {
			return Scores{}, fmt.Errorf("observable: scoring as published: %w", ErrNoMass)
		}
	}
	out, err := r.all(2, func() resampleStat {
		h := [2][]float64{make([]float64, lists[0].n), make([]float64, lists[1].n)}
		return func(rng rng, out []float64) {
			for k, l := range lists {
				clear(h[k])
				n := len(l.cell)
				for range n {
					i, _ := slices.BinarySearch(sums[k], rng.Float64()*sums[k][n-1])
					if c := l.cell[min(i, n-1)]; c >= 0 {
						h[k][c]++
					}
				}
			}
			out[0], out[1] = JS(h[0], h[1]), PMFError(h[0], h[1])
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
