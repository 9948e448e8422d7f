package analysis

import "math"

// Deviation is the root mean square of differences, with its standard error, and the largest.
func Deviation(got, want []float64) (rms, rmsError, largest float64) {
	n := float64(len(got))
	var sum, squares float64
	for i := range got {
		e := math.Abs(got[i] - want[i])
		sum, squares = sum+e*e, squares+e*e*e*e
		largest = math.Max(largest, e)
	}
	mean := sum / n
	rms = math.Sqrt(mean)
	if rms > 0 {
		rmsError = math.Sqrt(math.Max(0, squares/n-mean*mean)/(n-1)) / (2 * rms)
	}
	return rms, rmsError, largest
}

// Share is k/n, and the standard deviation of its posterior under a uniform prior.
func Share(k, n int) (value, deviation float64) {
	a, b := float64(k+1), float64(n-k+1)
	return float64(k) / float64(n), math.Sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)))
}
