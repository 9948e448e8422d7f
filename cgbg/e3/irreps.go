package e3

import (
	"fmt"
	"strconv"
	"strings"
)

// Irrep is an irreducible representation of O(3): degree L, and whether it
// changes sign under inversion.
type Irrep struct {
	L   int
	Odd bool
}

// natural is the representation of the spherical harmonics of degree l, of
// parity (−1)^l.
func natural(l int) Irrep { return Irrep{l, l%2 == 1} }

// Dim is 2L+1.
func (r Irrep) Dim() int { return 2*r.L + 1 }

// String is "0e", "1o" and so on: the degree; e for even, o for odd.
func (r Irrep) String() string {
	if r.Odd {
		return strconv.Itoa(r.L) + "o"
	}
	return strconv.Itoa(r.L) + "e"
}

// Block is a number of copies of one representation.
type Block struct {
	N int
	Irrep
}

// Irreps is a direct sum of representations, in order.
type Irreps []Block

// parseIrreps reads sums such as "32x0e+32x1o"; a number may be left out for one copy.
// Errors: a term that is not of this form.
func parseIrreps(s string) (Irreps, error) {
	var out Irreps
	for term := range strings.SplitSeq(s, "+") {
		count, name, found := strings.Cut(strings.TrimSpace(term), "x")
		if !found {
			count, name = "1", count
		}
		n, err := strconv.Atoi(count)
		digits, even := strings.CutSuffix(name, "e")
		digits, odd := strings.CutSuffix(digits, "o")
		l, err2 := strconv.Atoi(digits)
		if err != nil || err2 != nil || n < 0 || l < 0 || even == odd {
			return nil, fmt.Errorf("e3: %q in %q is no representation: write for example 32x0e+32x1o", term, s)
		}
		out = append(out, Block{n, Irrep{l, odd}})
	}
	return out, nil
}

// Dim is the number of components.
func (r Irreps) Dim() int {
	n := 0
	for _, b := range r {
		n += b.N * b.Irrep.Dim()
	}
	return n
}

// String is the form that ParseIrreps reads.
func (r Irreps) String() string {
	var terms []string
	for _, b := range r {
		terms = append(terms, fmt.Sprintf("%dx%s", b.N, b.Irrep))
	}
	return strings.Join(terms, "+")
}

// Path is a tensor product of degree-A features with harmonics of degree B
// that gives degree L. B = 0 copies the feature.
type Path struct{ A, B, L int }

// Paths lists the products of features of degrees a ∈ in, of natural parity,
// with harmonics of degrees up to lmax, that give degree l of natural parity:
// first the plain copy, then by (a, b).
func Paths(in []int, lmax, l int) []Path {
	var copies, products []Path
	for _, a := range in {
		if a == l {
			copies = append(copies, Path{a, 0, l})
		}
		for b := 1; b <= lmax; b++ {
			if l >= max(a-b, b-a) && l <= a+b && (a+b+l)%2 == 0 {
				products = append(products, Path{a, b, l})
			}
		}
	}
	return append(copies, products...)
}
