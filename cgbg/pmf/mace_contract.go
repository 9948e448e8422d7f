package pmf

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cgbg-go/lab/cgbg/e3"
)

// The symmetric contraction through monomials. Components of even degree, e,
// and of odd degree, o, are kept apart: to an output of even degree only
// monomials with an even number of o contribute. Every monomial is written as
// a factor a times a product q of at most two,
//
//	B_m = Σ_a a · Z_am,   Z_am = Σ_q W_amq q,   q ∈ {1, e, ee, oo},
//
// with a ∈ {1, e} for even, a ∈ {o} for odd degrees of B. W, formed once per
// species and channel from weights and basis, turns the sum over q, which is
// all the work, into one matrix product.

var (
	symmetricMu    sync.Mutex
	symmetricBases = map[[3]int]*e3.Symmetric{}
)

// symmetric is e3.NewSymmetric, computed once.
func symmetric(lmax, nu, l int) *e3.Symmetric {
	symmetricMu.Lock()
	defer symmetricMu.Unlock()
	key := [3]int{lmax, nu, l}
	if symmetricBases[key] == nil {
		symmetricBases[key] = e3.NewSymmetric(lmax, nu, l)
	}
	return symmetricBases[key]
}

// parts sorts the components of degrees up to lmax by parity: even and odd
// hold their indices.
func parts(lmax int) (even, odd []int) {
	for l := range lmax + 1 {
		for m := range 2*l + 1 {
			if l%2 == 0 {
				even = append(even, l*l+m)
			} else {
				odd = append(odd, l*l+m)
			}
		}
	}
	return even, odd
}

// contraction is the constant tensor of one output degree.
type contraction struct {
	K       int       // maps, of all orders
	A, M, Q int       // factors a, components of the output, products q
	Coef    []float64 // [K, A, M, Q]
}

// contraction arranges the basis of an output degree, in the potential's gauge.
func (p MACE) contraction(l int) contraction {
	even, odd := parts(p.LMax)
	place := func(list []int, component int) int { return slices.Index(list, component) }
	isEven := func(component int) bool { return place(even, component) >= 0 }
	ne, no := len(even), len(odd)
	c := contraction{A: 1 + ne, M: 2*l + 1, Q: 1 + ne + ne*ne + no*no}
	if l%2 == 1 {
		c.A = no
	}
	// product is the index of a sorted list of at most two factors of one parity.
	product := func(m []int) int {
		switch {
		case len(m) == 0:
			return 0
		case len(m) == 1:
			return 1 + place(even, m[0])
		case isEven(m[0]):
			return 1 + ne + place(even, m[0])*ne + place(even, m[1])
		default:
			return 1 + ne + ne*ne + place(odd, m[0])*no + place(odd, m[1])
		}
	}
	// split finds a and q of a monomial.
	split := func(m []int) (a, q int) {
		first := slices.IndexFunc(m, func(x int) bool { return isEven(x) == (l%2 == 0) })
		if l%2 == 1 {
			return place(odd, m[first]), product(slices.Delete(slices.Clone(m), first, first+1))
		}
		if len(m) < 3 {
			return 0, product(m)
		}
		return 1 + place(even, m[first]), product(slices.Delete(slices.Clone(m), first, first+1))
	}
	for nu := 1; nu <= p.Correlation; nu++ {
		c.K += symmetric(p.LMax, nu, l).K
	}
	c.Coef = make([]float64, c.K*c.A*c.M*c.Q)
	start := 0
	for nu := 1; nu <= p.Correlation; nu++ {
		basis := symmetric(p.LMax, nu, l)
		gauge := p.Gauges[fmt.Sprintf("U%d_l%d", nu, l)]
		for i, monomial := range basis.Monomials {
			for j := range basis.K * c.M {
				v, k2, m := basis.Coef[i*basis.K*c.M+j], j/c.M, j%c.M
				if v == 0 {
					continue
				}
				a, q := split(monomial)
				for k := range basis.K {
					w := v
					if gauge != nil {
						w *= gauge[k*basis.K+k2]
					} else if k != k2 {
						continue
					}
					c.Coef[(((start+k)*c.A+a)*c.M+m)*c.Q+q] += w
				}
			}
		}
		start += basis.K
	}
	return c
}
