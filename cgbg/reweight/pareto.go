package reweight

import (
	"fmt"
	"math"
	"sort"
)

// Constants of the method.
const (
	// minTail is the least number of tail samples that the fit accepts, as in ArviZ 0.23.4 (more than 4).
	minTail = 5
	// Zhang and Stephens (2009): prior scale of the profile parameter, and least number of grid points.
	zsPrior, zsGrid = 3, 30
	// Vehtari et al. (2024), appendix C: the prior on k̂ weighs as 10 samples at 0.5.
	priorWeight, priorK = 10, 0.5
	// flatTail is the spread of log-weights, in nats, below which a tail is constant but for rounding.
	flatTail = 1e-10
)

// logTiny is the logarithm of the smallest normal float64: the cut-off of a tail is never below it.
var logTiny = math.Log(0x1p-1022)

// Pareto is the result of Pareto smoothing.
type Pareto struct {
	// LogW are the smoothed log-weights, [n], nats, normalised to Σ exp = 1.
	LogW []float64
	// KHat is the fitted shape of the tail: the weights have 1/k̂ finite moments. −Inf where the largest weights are
	// all equal (bounded weights, an exact flow), +Inf where the tail is too short to be fitted.
	KHat float64
	// KHatError is its asymptotic standard error (1+k̂)/√tail, NaN where k̂ is not finite.
	KHatError float64
	// Tail is the number of log-weights that were smoothed.
	Tail int
}

// Smooth replaces the largest weights by the expected order statistics of a generalised Pareto distribution fitted to
// them, none above the largest raw weight, and normalises.
// logw: log-weights, [n], nats, of independent samples. The tail is what lies above the (M+1)-th
// largest weight, M = ceil(min(n/5, 3√n)).
// Errors: ErrNoWeight, ErrNotFinite. Source: Vehtari et al. (2024), algorithm 1; conventions of ArviZ 0.23.4 psislw
// with reff = 1, except that a constant tail has k̂ = −Inf in place of +Inf.
func Smooth(logw []float64) (Pareto, error) {
	if err := check(logw); err != nil {
		return Pareto{}, fmt.Errorf("reweight: smoothing weights: %w", err)
	}
	n := len(logw)
	order := make([]int, n)
	x := make([]float64, n)
	top := math.Inf(-1)
	for _, v := range logw {
		top = max(top, v)
	}
	for i, v := range logw {
		order[i], x[i] = i, v-top
	}
	sort.Slice(order, func(a, b int) bool {
		i, j := order[a], order[b]
		return x[i] < x[j] || x[i] == x[j] && i < j
	})
	m := tailLength(n)
	cut := math.Max(x[order[max(n-m-1, 0)]], logTiny)
	first := sort.Search(n, func(k int) bool { return x[order[k]] > cut })
	tail := order[first:]
	p := Pareto{Tail: len(tail), KHat: math.Inf(1), KHatError: math.NaN()}
	switch {
	case n > 1 && cut > -flatTail: // x is at most 0: the largest weights are all equal
		p.KHat, p.Tail = math.Inf(-1), 0
	case len(tail) < minTail:
		p.Tail = 0
	default:
		p.KHat = smoothTail(x, tail, math.Exp(cut))
		if math.IsInf(p.KHat, 0) || math.IsNaN(p.KHat) {
			p.KHat, p.Tail = math.Inf(1), 0
			break
		}
		p.KHatError = math.Max(1+p.KHat, 0) / math.Sqrt(float64(len(tail)))
	}
	z := logSumExp(x)
	for i := range x {
		x[i] -= z
	}
	p.LogW = x
	return p, nil
}

// tailLength returns M = ceil(min(n/5, 3√n)).
func tailLength(n int) int {
	return int(math.Ceil(math.Min(float64(n)/5, 3*math.Sqrt(float64(n)))))
}

// smoothTail fits the tail and overwrites x there; tail holds indices in increasing order of x. It returns k̂.
func smoothTail(x []float64, tail []int, cut float64) float64 {
	excess := make([]float64, len(tail))
	for k, i := range tail {
		excess[k] = math.Exp(x[i]) - cut
	}
	k, sigma := fitPareto(excess)
	if math.IsInf(k, 0) || math.IsNaN(k) || math.IsNaN(sigma) {
		return math.Inf(1)
	}
	for j, i := range tail {
		p := (float64(j) + 0.5) / float64(len(tail))
		x[i] = math.Min(0, math.Log(paretoQuantile(p, k, sigma)+cut))
	}
	return k
}

// fitPareto fits a generalised Pareto distribution to excesses sorted in increasing order and above zero, by Zhang and
// Stephens' empirical Bayes estimate, with the weakly informative prior on the shape.
func fitPareto(x []float64) (k, sigma float64) {
	n := float64(len(x))
	m := zsGrid + int(math.Sqrt(n))
	quarter := x[int(n/4+0.5)-1]
	b := make([]float64, m)
	length := make([]float64, m) // profile log-likelihood
	for i := range b {
		b[i] = (1-math.Sqrt(float64(m)/(float64(i)+0.5)))/(zsPrior*quarter) + 1/x[len(x)-1]
		ki := meanLog1p(-b[i], x)
		length[i] = n * (math.Log(-b[i]/ki) - ki - 1)
	}
	z := logSumExp(length)
	var sum, mean float64
	for i := range b {
		if w := math.Exp(length[i] - z); w >= 10*epsilon {
			sum += w
			mean += w * b[i]
		}
	}
	mean /= sum
	k = meanLog1p(-mean, x)
	sigma = -k / mean
	return (n*k + priorWeight*priorK) / (n + priorWeight), sigma
}

// epsilon is the spacing of float64 at one.
const epsilon = 0x1p-52

func meanLog1p(b float64, x []float64) float64 {
	var s float64
	for _, v := range x {
		s += math.Log1p(b * v)
	}
	return s / float64(len(x))
}

// paretoQuantile is the inverse distribution function of the generalised Pareto distribution at location 0.
func paretoQuantile(p, k, sigma float64) float64 {
	if math.Abs(k) < epsilon {
		return -sigma * math.Log1p(-p)
	}
	return sigma * math.Expm1(-k*math.Log1p(-p)) / k
}

// KThreshold returns min(1 − 1/log10(n), 0.7), the k̂ above which n samples do not give a reliable estimate; −Inf for
// n below 2. Source: Vehtari et al. (2024), Eq. 13.
func KThreshold(n int) float64 {
	if n < 2 {
		return math.Inf(-1)
	}
	return math.Min(1-1/math.Log10(float64(n)), 0.7)
}

// minSamples returns 10^(1/(1 − max(0, k̂))), the number of samples needed at k̂ for a reliable estimate; +Inf for
// k̂ ≥ 1. Source: Vehtari et al. (2024), Eq. 12.
func minSamples(khat float64) float64 {
	if !(khat < 1) {
		return math.Inf(1)
	}
	return math.Pow(10, 1/(1-math.Max(0, khat)))
}
