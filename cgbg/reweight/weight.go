package reweight

import (
	"errors"
	"fmt"
	"math"
)

// ErrNoWeight reports that no sample carries weight: the list is empty or every log-weight is −Inf.
var ErrNoWeight = errors.New("no sample has a weight above zero")

// ErrNotFinite reports a log-weight that is NaN or +Inf.
var ErrNotFinite = errors.New("log-weight is NaN or +Inf")

// LogWeights returns logW = −u/kT − logq + Σ terms, in nats.
// u: energies, [n], in the unit of kT; logq: proposal log-densities, [n], nats; kT: thermal energy, above zero;
// terms: further log terms, each [n], nats, such as that of LogCOM.
// It panics if lengths differ or kT is not above zero; numbers pass through unchecked, and Normalize, ESS and the
// others find what is not finite. Source: arXiv 2602.10637, §3.3.
func LogWeights(u, logq []float64, kT float64, terms ...[]float64) []float64 {
	if len(u) != len(logq) {
		panic(fmt.Sprintf("reweight: %d energies for %d log-densities", len(u), len(logq)))
	}
	if !(kT > 0) {
		panic(fmt.Sprintf("reweight: kT is %g; it must be above zero", kT))
	}
	logw := make([]float64, len(u))
	for i := range u {
		logw[i] = -u[i]/kT - logq[i]
	}
	for k, term := range terms {
		if len(term) != len(u) {
			panic(fmt.Sprintf("reweight: term %d has %d values for %d energies", k, len(term), len(u)))
		}
		for i, v := range term {
			logw[i] += v
		}
	}
	return logw
}

// LogCOM returns log N(c; 0, 1/beads per axis) = (3/2) ln(beads/2π) − (beads/2)|c|² for each centre of mass c, in nats.
// com: geometric centres of the samples in standardised units (nm divided by the flow's std), [n*3]; beads: N.
// It panics if len(com) is not a multiple of 3 or beads is below 1.
func LogCOM(com []float64, beads int) []float64 {
	return eachCOM(com, beads, func(r2, n float64) float64 {
		return 1.5*math.Log(n/(2*math.Pi)) - 0.5*n*r2
	})
}

// LogCOMPublishedRadial returns the logarithm of the density of the length |c| (a chi distribution with 3 degrees of
// freedom, scale 1/√beads) in place of the Gaussian density of the vector c. The weights stay unbiased, but each
// is multiplied by |c|², which costs the factor E[r²]²/E[r⁴] = 3/5 in effective sample size. It exists
// only to reproduce published numbers; use LogCOM. Arguments and panics are those of LogCOM.
func LogCOMPublishedRadial(com []float64, beads int) []float64 {
	return eachCOM(com, beads, func(r2, n float64) float64 {
		return 0.5*math.Log(2/math.Pi) + 1.5*math.Log(n) + math.Log(r2) - 0.5*n*r2
	})
}

func eachCOM(com []float64, beads int, logp func(r2, n float64) float64) []float64 {
	if len(com)%3 != 0 || beads < 1 {
		panic(fmt.Sprintf("reweight: %d centre-of-mass coordinates for %d beads; want 3 per sample and a bead",
			len(com), beads))
	}
	out := make([]float64, len(com)/3)
	for i := range out {
		c := com[3*i : 3*i+3]
		out[i] = logp(c[0]*c[0]+c[1]*c[1]+c[2]*c[2], float64(beads))
	}
	return out
}

// logSumExp returns ln Σ exp(x), −Inf for an empty list or one of −Inf only. NaN gives NaN and +Inf gives +Inf.
func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		if v > top || math.IsNaN(v) {
			top = v
		}
		if math.IsNaN(v) {
			return v
		}
	}
	if math.IsInf(top, 0) {
		return top
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// LogZ returns ln((1/n) Σ exp(logw)), the estimate of the logarithm of the target's normalising constant, in nats.
// Errors: ErrNoWeight, ErrNotFinite.
func LogZ(logw []float64) (float64, error) {
	if err := check(logw); err != nil {
		return 0, fmt.Errorf("reweight: estimating the normalising constant: %w", err)
	}
	return logSumExp(logw) - math.Log(float64(len(logw))), nil
}

// Normalize returns ŵ = exp(logw − LogSumExp(logw)), [n], of sum one.
// Errors: ErrNoWeight, ErrNotFinite.
func Normalize(logw []float64) ([]float64, error) {
	if err := check(logw); err != nil {
		return nil, fmt.Errorf("reweight: normalising weights: %w", err)
	}
	z := logSumExp(logw)
	w := make([]float64, len(logw))
	for i, v := range logw {
		w[i] = math.Exp(v - z)
	}
	return w, nil
}

// maxWeight returns the largest normalised weight, between 1/n and 1.
// Errors: ErrNoWeight, ErrNotFinite.
func maxWeight(logw []float64) (float64, error) {
	if err := check(logw); err != nil {
		return 0, fmt.Errorf("reweight: finding the largest weight: %w", err)
	}
	top := math.Inf(-1)
	for _, v := range logw {
		top = max(top, v)
	}
	return math.Exp(top - logSumExp(logw)), nil
}

// check returns ErrNotFinite with the first bad sample, or ErrNoWeight.
func check(logw []float64) error {
	some := false
	for i, v := range logw {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return fmt.Errorf("sample %d of %d: %w (%g): its energy or log-density is not finite; "+
				"fix that sample or drop it by setting its log-weight to -Inf", i, len(logw), ErrNotFinite, v)
		}
		some = some || !math.IsInf(v, -1)
	}
	if len(logw) == 0 {
		return fmt.Errorf("the list of samples is empty: %w; draw samples first", ErrNoWeight)
	}
	if !some {
		return fmt.Errorf("all %d log-weights are -Inf: %w; the proposal and the potential do not overlap, "+
			"or every sample was dropped", len(logw), ErrNoWeight)
	}
	return nil
}
