package reweight

import (
	"fmt"
	"math"
	"math/rand/v2"
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

// ESSBootstrap returns ESS with the standard deviation of the ESS of resamples (drawn with replacement, independent
// samples) as its error. rng is the random state; 200 resamples give the error to about 5 %.
// Errors: ErrNoWeight, ErrNotFinite, fewer than two resamples.
func ESSBootstrap(logw []float64, resamples int, rng *rand.Rand) (Estimate, error) {
	ess, err := ESS(logw)
	if err != nil {
		return Estimate{}, err
	}
	w, err := Normalize(logw)
	if err != nil {
		return Estimate{}, err
	}
	n := len(w)
	sd, err := bootstrap(n, resamples, rng, func(draw func() int) float64 {
		var s1, s2 float64
		for range n {
			v := w[draw()]
			s1 += v
			s2 += v * v
		}
		if s2 == 0 { // only dropped samples were drawn
			return 0
		}
		return s1 * s1 / (float64(n) * s2)
	})
	if err != nil {
		return Estimate{}, fmt.Errorf("reweight: bootstrapping the effective sample size: %w", err)
	}
	return Estimate{Value: ess, Error: sd}, nil
}

// bootstrap returns the standard deviation of stat over resamples; draw gives the index of a random sample of n.
func bootstrap(n, resamples int, rng *rand.Rand, stat func(draw func() int) float64) (float64, error) {
	if resamples < 2 {
		return 0, fmt.Errorf("%d resamples give no standard error; use 2 or more, 200 for a good one", resamples)
	}
	draw := func() int { return rng.IntN(n) }
	var mean, m2 float64
	for k := range resamples {
		v := stat(draw)
		d := v - mean
		mean += d / float64(k+1)
		m2 += d * (v - mean)
	}
	return math.Sqrt(m2 / float64(resamples-1)), nil
}
