package cgmap

import "math"

// Package observable, which measures dihedrals and the inefficiency of series, imports this one: here they are once
// more, plainly.

// dihedral is the torsion angle a–b–c–d, rad: that of the parts of the outer edges across the inner one.
func dihedral(a, b, c, d vector) float64 {
	axis := c.sub(b).unit()
	across := func(v vector) vector { return v.plus(axis, -v.dot(axis)) }
	u, v := across(a.sub(b)), across(d.sub(c))
	return math.Atan2(axis.cross(u).dot(v), u.dot(v))
}

// inefficiency is 1 + 2Σ(1 − t/n)C(t) of a series, up to the first pair of lags whose sum is not positive.
func inefficiency(x []float64) float64 {
	n := len(x)
	var mean float64
	for _, v := range x {
		mean += v / float64(n)
	}
	covariance := func(lag int) (sum float64) {
		for i := range n - lag {
			sum += (x[i] - mean) * (x[i+lag] - mean)
		}
		return sum
	}
	variance, g := covariance(0), -1.
	for lag := 0; lag+1 < n; lag += 2 {
		pair := (covariance(lag) + covariance(lag+1)) / variance
		if pair <= 0 {
			break
		}
		g += 2 * pair
	}
	return max(g, 1)
}
