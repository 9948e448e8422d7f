package observable

import "math"

// Inefficiency returns the statistical inefficiency g = 1 + 2Σ_t (1 − t/n) C(t) of a time series: n/g is its number of
// independent samples. C is the normalised autocorrelation; the sum runs over pairs of lags while their sum is
// positive and does not grow (Geyer's initial monotone sequence).
// x: [n], equally spaced in time. It is at least 1; 1 for fewer than three samples; NaN where x is not finite; n for
// a constant series, of which one sample tells all. Angles go in as their cosine and sine, the larger g counts.
// Sources: Chodera et al., J. Chem. Theory Comput. 3 (2007) 26; Geyer, Statist. Sci. 7 (1992) 473.
func Inefficiency(x []float64) float64 {
	n := len(x)
	if n < 3 {
		return 1
	}
	var mean float64
	for _, v := range x {
		mean += v / float64(n)
	}
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return math.NaN()
	}
	d := make([]float64, n)
	var c0 float64
	for i, v := range x {
		d[i] = v - mean
		c0 += d[i] * d[i]
	}
	if c0 <= float64(n)*mean*mean*1e-28 { // rounding only
		return float64(n)
	}
	sum := -1.0 // 2Σ_{t≥0} C − 1 = 1 + 2Σ_{t≥1} C
	last := math.Inf(1)
	for t := 0; t+1 < n; t += 2 {
		pair := laggedPair(d, t) / c0
		if pair <= 0 {
			break
		}
		last = math.Min(last, pair)
		sum += 2 * last
	}
	return math.Min(math.Max(sum, 1), float64(n))
}

// laggedPair returns Σ_i d_i (d_{i+t} + d_{i+t+1}): n times the biased autocovariances at t and t + 1. Four sums, one
// beside the other, keep a processor busy that one would have wait for every addition.
func laggedPair(d []float64, t int) float64 {
	n := len(d) - t - 1 // products at the longer lag; the shorter has one more
	a, b := d[:n], d[t:][:n+1]
	var s [4]float64
	i := 0
	for ; i+4 <= n; i += 4 {
		s[0] += a[i] * (b[i] + b[i+1])
		s[1] += a[i+1] * (b[i+1] + b[i+2])
		s[2] += a[i+2] * (b[i+2] + b[i+3])
		s[3] += a[i+3] * (b[i+3] + b[i+4])
	}
	for ; i < n; i++ {
		s[0] += a[i] * (b[i] + b[i+1])
	}
	return s[0] + s[1] + s[2] + s[3] + d[n]*b[n]
}
