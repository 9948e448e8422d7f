package e3

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Symmetric is a basis of the equivariant maps from the symmetric tensor power
// of degree Nu of the representation 0e+1o+2e+… (degrees up to LMax, natural
// parity) to degree L of natural parity: K maps, each 2L+1 polynomials of
// degree Nu in the (LMax+1)² components. Such a map is what MACE calls a
// symmetric contraction (I. Batatia et al., arXiv 2206.07697, Eq. 11); the
// choice of basis is a gauge.
//
// As tensors U[a₁…a_ν, k, m], symmetric in the a's, they are orthonormal:
// Σ_a U[a,k,m] U[a,k′,m′] = δ_kk′ δ_mm′.
type Symmetric struct {
	LMax, Nu, L int
	K           int
	Monomials   [][]int   // sorted indices of components
	Coef        []float64 // [monomials, K, 2L+1]: of the monomial in the polynomial
}

// NewSymmetric computes a basis: all couplings of Nu components, by degree,
// made orthonormal in that order. Nu is 1, 2 or 3; it panics otherwise.
func NewSymmetric(lmax, nu, l int) *Symmetric {
	if nu < 1 || nu > 3 || lmax < 0 || l < 0 {
		panic(fmt.Errorf("e3: no symmetric contraction of order %d, degrees up to %d to %d: orders are 1 to 3", nu,
			lmax, l))
	}
	s := &Symmetric{LMax: lmax, Nu: nu, L: l, Monomials: monomials((lmax+1)*(lmax+1), nu)}
	var basis [][]float64 // each [monomials, 2L+1]
	for _, degrees := range monomials(lmax+1, nu) {
		for _, candidate := range s.couplings(degrees) {
			if v := s.orthogonal(basis, candidate); v != nil {
				basis = append(basis, v)
			}
		}
	}
	s.K = len(basis)
	s.Coef = make([]float64, len(s.Monomials)*s.K*(2*l+1))
	for k, v := range basis {
		for i := range s.Monomials {
			copy(s.Coef[(i*s.K+k)*(2*l+1):], v[i*(2*l+1):(i+1)*(2*l+1)])
		}
	}
	return s
}

// monomials lists sorted tuples of nu indices below n.
func monomials(n, nu int) [][]int {
	out := [][]int{{}}
	for range nu {
		var next [][]int
		for _, t := range out {
			for i := range n {
				if len(t) == 0 || i >= t[len(t)-1] {
					next = append(next, append(slices.Clone(t), i))
				}
			}
		}
		out = next
	}
	return out
}

// couplings are all ways to couple components of the given degrees to degree L,
// as polynomials, [monomials, 2L+1].
func (s *Symmetric) couplings(degrees []int) [][]float64 {
	position := map[string]int{}
	for i, m := range s.Monomials {
		position[fmt.Sprint(m)] = i
	}
	var out [][]float64
	// A partial coupling holds, for a tuple of components, its value by m.
	type partial struct {
		l     int
		value map[string][]float64
		index map[string][]int
	}
	start := partial{l: degrees[0], value: map[string][]float64{}, index: map[string][]int{}}
	for m := range 2*degrees[0] + 1 {
		t := []int{degrees[0]*degrees[0] + m}
		unit := make([]float64, 2*degrees[0]+1)
		unit[m] = 1
		start.value[fmt.Sprint(t)], start.index[fmt.Sprint(t)] = unit, t
	}
	front := []partial{start}
	for _, d := range degrees[1:] {
		var next []partial
		for _, p := range front {
			for l := max(p.l-d, d-p.l); l <= p.l+d; l++ {
				c := Wigner3j(p.l, d, l)
				q := partial{l: l, value: map[string][]float64{}, index: map[string][]int{}}
				for _, key := range slices.Sorted(maps.Keys(p.value)) { // sums in one order, the same in every run
					v := p.value[key]
					for m := range 2*d + 1 {
						t := append(slices.Clone(p.index[key]), d*d+m)
						slices.Sort(t)
						name := fmt.Sprint(t)
						if q.value[name] == nil {
							q.value[name], q.index[name] = make([]float64, 2*l+1), t
						}
						for i, x := range v {
							for j := range 2*l + 1 {
								q.value[name][j] += x * c[(i*(2*d+1)+m)*(2*l+1)+j]
							}
						}
					}
				}
				next = append(next, q)
			}
		}
		front = next
	}
	parity := 0
	for _, d := range degrees {
		parity += d
	}
	for _, p := range front {
		if p.l != s.L || (parity+s.L)%2 != 0 {
			continue
		}
		v := make([]float64, len(s.Monomials)*(2*s.L+1))
		for key, x := range p.value {
			copy(v[position[key]*(2*s.L+1):], x)
		}
		out = append(out, v)
	}
	return out
}

// multiplicity is the number of distinct orders of a sorted tuple.
func multiplicity(m []int) float64 {
	out := factorial(len(m))
	run := 1
	for i := 1; i <= len(m); i++ {
		if i < len(m) && m[i] == m[i-1] {
			run++
			continue
		}
		out /= factorial(run)
		run = 1
	}
	return out
}

// dot is the product of two maps as symmetric tensors, averaged over m.
func (s *Symmetric) dot(u, v []float64) float64 {
	d := 2*s.L + 1
	var sum float64
	for i, m := range s.Monomials {
		var part float64
		for j := range d {
			part += u[i*d+j] * v[i*d+j]
		}
		sum += part / multiplicity(m)
	}
	return sum / float64(d)
}

// orthogonal makes v orthonormal to the basis; nil where nothing new is left.
func (s *Symmetric) orthogonal(basis [][]float64, v []float64) []float64 {
	size := s.dot(v, v)
	for range 2 { // twice is enough: W. Kahan, in B. N. Parlett, The Symmetric Eigenvalue Problem, 6.9
		for _, b := range basis {
			w := s.dot(b, v)
			for i := range v {
				v[i] -= w * b[i]
			}
		}
	}
	norm := math.Sqrt(s.dot(v, v))
	if norm < 1e-8*math.Max(1e-8, math.Sqrt(size)) || norm < 1e-10 {
		return nil
	}
	for i := range v {
		v[i] /= norm
	}
	return v
}

// Dim is the number of components, (LMax+1)².
func (s *Symmetric) Dim() int { return (s.LMax + 1) * (s.LMax + 1) }

// Evaluate computes the maps at components x. Result: [K, 2L+1].
func (s *Symmetric) Evaluate(x []float64) []float64 {
	width := s.K * (2*s.L + 1)
	out := make([]float64, width)
	for i, m := range s.Monomials {
		v := 1.0
		for _, a := range m {
			v *= x[a]
		}
		for j := range out {
			out[j] += v * s.Coef[i*width+j]
		}
	}
	return out
}

// Tensor is the basis as symmetric tensors, [dim (Nu times), K, 2L+1].
func (s *Symmetric) Tensor() []float64 {
	n, width := s.Dim(), s.K*(2*s.L+1)
	out := make([]float64, int(math.Pow(float64(n), float64(s.Nu)))*width)
	for i, m := range s.Monomials {
		share := 1 / multiplicity(m)
		for _, p := range permutations(m) {
			row := 0
			for _, a := range p {
				row = row*n + a
			}
			for j := range width {
				out[row*width+j] = share * s.Coef[i*width+j]
			}
		}
	}
	return out
}

// permutations lists all orders of m; equal ones may repeat.
func permutations(m []int) [][]int {
	if len(m) < 2 {
		return [][]int{m}
	}
	var out [][]int
	for i := range m {
		rest := append(slices.Clone(m[:i]), m[i+1:]...)
		for _, p := range permutations(rest) {
			out = append(out, append([]int{m[i]}, p...))
		}
	}
	return out
}

// Gauge returns the matrix M, [K, K], of another basis of the same space:
// V_k = Σ_k′ M[k,k′] U_k′. Weights w of V are weights wᵀM of this basis.
//
// other: V, [dim (Nu times), K, 2L+1]. Errors: another size; maps outside the
// space, by more than 1e-6.
func (s *Symmetric) Gauge(other []float64) ([]float64, error) {
	mine := s.Tensor()
	if len(other) != len(mine) {
		return nil, fmt.Errorf("e3: a basis of order %d to degree %d has %d numbers, not %d", s.Nu, s.L, len(mine),
			len(other))
	}
	d := 2*s.L + 1
	rows := len(mine) / (s.K * d)
	m := make([]float64, s.K*s.K)
	for r := range rows {
		for k := range s.K {
			for k2 := range s.K {
				for j := range d {
					m[k*s.K+k2] += other[(r*s.K+k)*d+j] * mine[(r*s.K+k2)*d+j] / float64(d)
				}
			}
		}
	}
	for r := range rows {
		for k := range s.K {
			for j := range d {
				v := other[(r*s.K+k)*d+j]
				for k2 := range s.K {
					v -= m[k*s.K+k2] * mine[(r*s.K+k2)*d+j]
				}
				if !(math.Abs(v) < 1e-6) {
					return nil, fmt.Errorf("e3: map %d of the other basis of order %d to degree %d is not symmetric "+
						"and equivariant (off by %.2g)", k, s.Nu, s.L, v)
				}
			}
		}
	}
	return m, nil
}
