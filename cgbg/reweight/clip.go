package reweight

import (
	"fmt"
	"math"
	"slices"
)

// PaperClip is the fraction of samples that the paper drops.
const PaperClip = 0.01

// Clip returns a copy of logw in which every log-weight at or above the (1−fraction) quantile of logw is −Inf. The
// quantile is linearly interpolated between order statistics, as numpy.percentile does by default.
// This drops samples, in place of truncating weights: it is biased, by what those samples carried.
// If that would drop everything (constant weights), nothing is dropped. fraction 0 drops nothing.
// Errors: ErrNoWeight, ErrNotFinite, fraction outside [0, 1). Source: arXiv 2602.10637, §4 (fraction 0.01).
func Clip(logw []float64, fraction float64) ([]float64, error) {
	if err := check(logw); err != nil {
		return nil, fmt.Errorf("reweight: clipping weights: %w", err)
	}
	if !(fraction >= 0 && fraction < 1) {
		return nil, fmt.Errorf("reweight: clipping weights: fraction %g is outside [0, 1); the paper uses %g", fraction,
			PaperClip)
	}
	out := slices.Clone(logw)
	if fraction == 0 {
		return out, nil
	}
	cut := quantile(logw, 1-fraction)
	left := false
	for i, v := range logw {
		if v >= cut {
			out[i] = math.Inf(-1)
		}
		left = left || !math.IsInf(out[i], -1)
	}
	if !left {
		return slices.Clone(logw), nil
	}
	return out, nil
}

// quantile returns the q-quantile of x by linear interpolation between order statistics at position q(n−1),
// Hyndman and Fan's definition 7, numpy's default.
func quantile(x []float64, q float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	pos := q * float64(len(s)-1)
	lo := int(pos)
	if lo >= len(s)-1 {
		return s[len(s)-1]
	}
	a, b, t := s[lo], s[lo+1], pos-float64(lo)
	if math.IsInf(a, -1) { // nothing lies between −Inf and b
		if t == 0 {
			return a
		}
		return b
	}
	if t < 0.5 {
		return a + (b-a)*t
	}
	return b - (b-a)*(1-t)
}
