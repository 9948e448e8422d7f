package e3

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Wigner3j returns the 3j symbol of degrees a, b, l in the real basis,
// [2a+1, 2b+1, 2l+1], of Frobenius norm 1: the one tensor, but for its sign,
// that rotations leave invariant. It panics unless |a−b| ≤ l ≤ a+b.
func Wigner3j(a, b, l int) []float64 {
	if a < 0 || b < 0 || l < max(a-b, b-a) || l > a+b {
		panic(fmt.Errorf("e3: degrees %d, %d and %d violate the triangle rule", a, b, l))
	}
	qa, qb, ql := realBasis(a), realBasis(b), realBasis(l)
	da, db, dl := 2*a+1, 2*b+1, 2*l+1
	sum := make([]complex128, da*db*dl)
	for ma := -a; ma <= a; ma++ {
		for mb := -b; mb <= b; mb++ {
			ml := ma + mb
			if ml < -l || ml > l {
				continue
			}
			c := complex(clebschGordan(a, ma, b, mb, l, ml), 0)
			for i := range da {
				for j := range db {
					for k := range dl {
						sum[(i*db+j)*dl+k] += c * qa[(a+ma)*da+i] * qb[(b+mb)*db+j] * cmplx.Conj(ql[(l+ml)*dl+k])
					}
				}
			}
		}
	}
	out := make([]float64, len(sum))
	var norm float64
	for i, v := range sum { // the imaginary parts vanish
		out[i] = real(v)
		norm += out[i] * out[i]
	}
	for i := range out {
		out[i] /= math.Sqrt(norm)
	}
	return out
}

// realBasis is the unitary matrix from real to complex components of degree l,
// [complex, real], with the phase (−i)^l that makes the 3j symbols real.
func realBasis(l int) []complex128 {
	d := 2*l + 1
	q := make([]complex128, d*d)
	phase := []complex128{1, -1i, -1, 1i}[l%4]
	for m := 1; m <= l; m++ {
		sign := complex(1-2*float64(m%2), 0)
		h := phase * complex(math.Sqrt2/2, 0)
		q[(l-m)*d+l+m], q[(l-m)*d+l-m] = h, -1i*h
		q[(l+m)*d+l+m], q[(l+m)*d+l-m] = sign*h, 1i*sign*h
	}
	q[l*d+l] = phase
	return q
}

// clebschGordan is ⟨j₁m₁j₂m₂|jm⟩ by Racah's formula (A. R. Edmonds, Angular
// Momentum in Quantum Mechanics, Eq. 3.6.11), for m = m₁+m₂.
func clebschGordan(j1, m1, j2, m2, j, m int) float64 {
	f := factorial
	scale := float64(2*j+1) * f(j+j1-j2) * f(j-j1+j2) * f(j1+j2-j) / f(j1+j2+j+1)
	scale *= f(j+m) * f(j-m) * f(j1-m1) * f(j1+m1) * f(j2-m2) * f(j2+m2)
	var sum float64
	for k := 0; k <= j1+j2-j; k++ {
		if j1-m1-k < 0 || j2+m2-k < 0 || j-j2+m1+k < 0 || j-j1-m2+k < 0 {
			continue
		}
		term := 1 / (f(k) * f(j1+j2-j-k) * f(j1-m1-k) * f(j2+m2-k) * f(j-j2+m1+k) * f(j-j1-m2+k))
		if k%2 == 1 {
			term = -term
		}
		sum += term
	}
	return math.Sqrt(scale) * sum
}

func factorial(n int) float64 {
	out := 1.0
	for i := 2; i <= n; i++ {
		out *= float64(i)
	}
	return out
}
