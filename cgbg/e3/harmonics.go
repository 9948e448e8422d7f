package e3

import (
	"math"
)

// Term is a coefficient times x^X y^Y z^Z.
type Term struct {
	X, Y, Z int
	Coef    float64
}

// harmonicTerms returns the real spherical harmonics of degree l as homogeneous
// polynomials of (x, y, z) of that degree: terms by component. On the unit sphere
// they are, with polar angle θ from y and azimuth φ from z towards x,
//
//	√(2(2l+1)(l−|m|)!/(l+|m|)!) P_l^|m|(cos θ) · (sin |m|φ for m < 0, cos mφ for m > 0),
//
// without the phase (−1)^m; for m = 0, √(2l+1) P_l(cos θ).
func harmonicTerms(l int) [][]Term {
	out := make([][]Term, 2*l+1)
	for m := 0; m <= l; m++ {
		norm := math.Sqrt(float64(2*l+1) * factorial(l-m) / factorial(l+m))
		if m > 0 {
			norm *= math.Sqrt2
		}
		real, imag := azimuthal(m)
		polar := polarTerms(l, m)
		out[l+m] = multiply(polar, real, norm)
		if m > 0 {
			out[l-m] = multiply(polar, imag, norm)
		}
	}
	return out
}

// azimuthal are the real and imaginary part of (z + ix)^m.
func azimuthal(m int) (real, imag []Term) {
	for k := 0; k <= m; k++ {
		c := factorial(m) / (factorial(k) * factorial(m-k))
		t := Term{X: k, Z: m - k, Coef: c * []float64{1, 1, -1, -1}[k%4]}
		if k%2 == 0 {
			real = append(real, t)
		} else {
			imag = append(imag, t)
		}
	}
	return real, imag
}

// polarTerms is r^(l−m) times the m-th derivative of P_l at y/r (Legendre's
// explicit sum), with r² written out.
func polarTerms(l, m int) []Term {
	var out []Term
	for k := 0; 2*k <= l-m; k++ {
		c := factorial(2*l-2*k) / (math.Exp2(float64(l)) * factorial(k) * factorial(l-k) * factorial(l-2*k-m))
		if k%2 == 1 {
			c = -c
		}
		power := []Term{{Y: l - 2*k - m, Coef: c}}
		for range k {
			power = multiply(power, []Term{{X: 2, Coef: 1}, {Y: 2, Coef: 1}, {Z: 2, Coef: 1}}, 1)
		}
		out = append(out, power...)
	}
	return multiply(out, []Term{{Coef: 1}}, 1)
}

// multiply is the product of two polynomials and a factor, like terms collected.
func multiply(p, q []Term, factor float64) []Term {
	var out []Term
	for _, a := range p {
		for _, b := range q {
			t := Term{a.X + b.X, a.Y + b.Y, a.Z + b.Z, factor * a.Coef * b.Coef}
			found := false
			for i := range out {
				if out[i].X == t.X && out[i].Y == t.Y && out[i].Z == t.Z {
					out[i].Coef += t.Coef
					found = true
				}
			}
			if !found {
				out = append(out, t)
			}
		}
	}
	return out
}

// Harmonics evaluates the harmonics of degree l at r, 2l+1 numbers. r need not
// have length 1: the result scales with |r|^l.
func Harmonics(l int, r [3]float64) []float64 {
	out := make([]float64, 2*l+1)
	for i, terms := range harmonicTerms(l) {
		for _, t := range terms {
			out[i] += t.Coef * power(r[0], t.X) * power(r[1], t.Y) * power(r[2], t.Z)
		}
	}
	return out
}

func power(x float64, n int) float64 {
	out := 1.0
	for range n {
		out *= x
	}
	return out
}
