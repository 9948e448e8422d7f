package reweight

import (
	"fmt"
	"math"
)

// Estimate is a number with its standard error.
type Estimate struct {
	// Value is the estimate from all the samples.
	Value float64
	// Error is one standard error, in the unit of Value.
	Error float64
}

// ESS returns Kish's effective sample size as a fraction of n, (Σw)²/(n Σw²), between 1/n and 1. Dropped samples
// (−Inf) count in n. Errors: ErrNoWeight, ErrNotFinite. Source: Kish, Survey Sampling (1965).
func ESS(logw []float64) (float64, error) {
	if err := check(logw); err != nil {
		return 0, fmt.Errorf("reweight: computing the effective sample size: %w", err)
	}
	return kish(logw), nil
}

// kish is ESS of checked log-weights.
func kish(logw []float64) float64 {
	top := math.Inf(-1)
	for _, v := range logw {
		top = max(top, v)
	}
	var s1, s2 float64
	for _, v := range logw {
		w := math.Exp(v - top)
		s1 += w
		s2 += w * w
	}
	return s1 * s1 / (float64(len(logw)) * s2)
}

// ESSDelta returns ESS with its delta-method error: with m1, m2 the means of w and w²,
// Var(ln ESS) = Var(2w/m1 − w²/m2)/n. Errors: ErrNoWeight, ErrNotFinite.
func ESSDelta(logw []float64) (Estimate, error) {
	ess, err := ESS(logw)
	if err != nil {
		return Estimate{}, err
	}
	n := float64(len(logw))
	logm1 := logSumExp(logw) - math.Log(n)
	var sum2 float64
	for _, v := range logw {
		w := math.Exp(v - logm1) // of mean one
		d := 2*w - ess*w*w - 1   // the mean of w² is 1/ESS; the mean of 2w − ESS·w² is 1
		sum2 += d * d
	}
	return Estimate{Value: ess, Error: ess * math.Sqrt(sum2) / n}, nil
}
