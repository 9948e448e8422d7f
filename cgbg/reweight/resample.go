package reweight

import (
	"fmt"
	"math/rand/v2"
	"sort"
)

// Scheme is a way of resampling.
type Scheme int

// The schemes. Both are unbiased: sample i is drawn m·ŵ_i times on average.
const (
	// Systematic uses one random number and m equally spaced points; each count is within one of m·ŵ_i.
	Systematic Scheme = iota
	// Multinomial draws m times independently; its counts are those of the bootstrap.
	Multinomial
)

// Resample draws m samples with probability ŵ and returns how often each was drawn, [n], of sum m.
// logw: log-weights, [n], nats; rng: the random state.
// Errors: ErrNoWeight, ErrNotFinite, m below one, an unknown scheme.
// Source: Douc, Cappé and Moulines, ISPA 2005, arXiv cs/0507025.
func Resample(logw []float64, m int, scheme Scheme, rng *rand.Rand) ([]int, error) {
	w, err := Normalize(logw)
	if err != nil {
		return nil, fmt.Errorf("reweight: resampling: %w", err)
	}
	if m < 1 {
		return nil, fmt.Errorf("reweight: resampling: %d samples asked for; ask for one or more", m)
	}
	points := make([]float64, m)
	switch scheme {
	case Systematic:
		u := rng.Float64()
		for i := range points {
			points[i] = (float64(i) + u) / float64(m)
		}
	case Multinomial:
		for i := range points {
			points[i] = rng.Float64()
		}
		sort.Float64s(points)
	default:
		return nil, fmt.Errorf("reweight: resampling: unknown scheme %d; use Systematic or Multinomial", scheme)
	}
	counts := make([]int, len(w))
	last := 0 // the last sample with weight takes what rounding leaves over
	for i, v := range w {
		if v > 0 {
			last = i
		}
	}
	var upto float64
	k := 0
	for i, v := range w {
		upto += v
		for k < m && v > 0 && (points[k] < upto || i == last) {
			counts[i]++
			k++
		}
	}
	return counts, nil
}
