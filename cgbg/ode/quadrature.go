package ode

import "math"

// ClenshawCurtis returns the n+1 nodes on [0, 1], ascending, and the weights of
// Clenshaw–Curtis quadrature; n is even and positive. The nodes of n are the
// even-numbered nodes of 2n, so a refinement reuses all earlier evaluations,
// and the difference of two levels estimates the error of the coarser one.
//
// Source: C. W. Clenshaw and A. R. Curtis, Numer. Math. 2 (1960) 197,
// doi 10.1007/BF01386223; weights as in J. Waldvogel, BIT 46 (2006) 195.
func ClenshawCurtis(n int) (nodes, weights []float64) {
	if n <= 0 || n%2 != 0 {
		panic("ode: Clenshaw–Curtis quadrature needs an even, positive number of intervals")
	}
	nodes = make([]float64, n+1)
	weights = make([]float64, n+1)
	for k := range nodes {
		angle := math.Pi * float64(k) / float64(n)
		// sin² keeps the nodes next to 0 accurate.
		half := math.Sin(angle / 2)
		nodes[k] = half * half
		sum := 0.0
		for j := 1; j <= n/2; j++ {
			b := 2.0
			if j == n/2 {
				b = 1
			}
			sum += b / float64(4*j*j-1) * math.Cos(2*float64(j)*angle)
		}
		c := 2.0
		if k == 0 || k == n {
			c = 1
		}
		weights[k] = c / float64(n) * (1 - sum) / 2
	}
	nodes[n] = 1
	return nodes, weights
}
