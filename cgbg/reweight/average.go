package reweight

import (
	"fmt"
	"math"
)

// Average returns the self-normalised average Σŵf of f with its delta-method error √(Σŵ²(f − mean)²).
// logw: log-weights, [n], nats; f: the observable, [n]. The error assumes independent samples and a finite
// variance of w·f, which k̂ of Smooth below 0.5 supports.
// Errors: ErrNoWeight, ErrNotFinite, lengths that differ, a value of f that is not finite where the weight is not zero.
// Source: Owen (2013), Eq. 9.8.
func Average(logw, f []float64) (Estimate, error) {
	w, err := weightsFor(logw, f)
	if err != nil {
		return Estimate{}, fmt.Errorf("reweight: averaging: %w", err)
	}
	mean := dot(w, f)
	var s float64
	for i, v := range w {
		if v != 0 {
			d := v * (f[i] - mean)
			s += d * d
		}
	}
	return Estimate{Value: mean, Error: math.Sqrt(s)}, nil
}

func weightsFor(logw, f []float64) ([]float64, error) {
	if len(logw) != len(f) {
		return nil, fmt.Errorf("%d values for %d log-weights", len(f), len(logw))
	}
	w, err := Normalize(logw)
	if err != nil {
		return nil, err
	}
	for i, v := range f {
		if w[i] != 0 && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return nil, fmt.Errorf("value %d of %d is %g; drop that sample by setting its log-weight to -Inf", i,
				len(f), v)
		}
	}
	return w, nil
}

// dot returns Σ w f over samples that carry weight.
func dot(w, f []float64) float64 {
	var s float64
	for i, v := range w {
		if v != 0 {
			s += v * f[i]
		}
	}
	return s
}
