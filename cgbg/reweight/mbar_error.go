package reweight

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// MBARErrors returns the asymptotic standard errors of f[k] − f[0] of [MBAR], [states], nats, and the overlap of the
// states, [states, states]: row k is the share of each state in the samples as state k weighs them, and sums to one.
// Arguments as those and the result of MBAR. Samples count as independent: of correlated ones give every τ-th, or
// multiply the errors by the root of the statistical inefficiency. Errors: shapes.
//
// Source: Shirts and Chodera (2008), doi 10.1063/1.2978177, Eqs. 8 and D10; Klimovich, Shirts and Mobley, J. Comput.
// Aided Mol. Des. 29 (2015) 397, for the overlap.
func MBARErrors(u [][]float64, n []int, f []float64) (errs []float64, overlap [][]float64, err error) {
	m, err := newMBAR(u, n)
	if err != nil {
		return nil, nil, err
	}
	if len(f) != len(u) {
		return nil, nil, fmt.Errorf("reweight: MBAR: %d free energies of %d states", len(f), len(u))
	}
	for s, k := range m.sampled {
		m.f[s] = f[k]
	}
	m.objective()
	square := m.square(f)
	dim := len(u)
	errs = make([]float64, dim)
	theta, err := m.theta(square)
	if err != nil {
		return nil, nil, err
	}
	for i := range errs {
		errs[i] = math.Sqrt(max(0, theta.At(i, i)-2*theta.At(i, 0)+theta.At(0, 0)))
		row := make([]float64, dim)
		for j := range row {
			row[j] = m.count[j] * square.At(i, j)
		}
		overlap = append(overlap, row)
	}
	return errs, overlap, nil
}

// square is WᵀW of the normalised weights W[n][k] of sample n in state k.
func (m *mbar) square(f []float64) *mat.SymDense {
	dim := len(m.u)
	out := mat.NewSymDense(dim, nil)
	w := make([]float64, dim)
	norm := make([]float64, dim)
	for k := range norm {
		norm[k] = m.free(k) // that of f up to a constant, which may be there
	}
	for i, d := range m.logd {
		for k := range w {
			w[k] = math.Exp(norm[k] - m.u[k][i] - d)
		}
		for a := range w {
			for b := a; b < dim; b++ {
				out.SetSym(a, b, out.At(a, b)+w[a]*w[b])
			}
		}
	}
	return out
}

// theta is the covariance of the free energies, with WᵀW = V S² Vᵀ: V S (1 − S Vᵀ N V S)⁺ S Vᵀ.
func (m *mbar) theta(square *mat.SymDense) (*mat.Dense, error) {
	dim := len(m.u)
	var eigen mat.EigenSym
	if !eigen.Factorize(square, true) {
		return nil, fmt.Errorf("reweight: MBAR: the weights have no covariance: %w", ErrOverlap)
	}
	var v mat.Dense
	eigen.VectorsTo(&v)
	for k, value := range eigen.Values(nil) {
		s := math.Sqrt(max(0, value))
		for i := range dim {
			v.Set(i, k, v.At(i, k)*s) // V S
		}
	}
	inner := mat.NewSymDense(dim, nil)
	for a := range dim {
		for b := a; b < dim; b++ {
			sum := 0.0
			for k := range dim {
				sum -= v.At(k, a) * m.count[k] * v.At(k, b)
			}
			if a == b {
				sum++
			}
			inner.SetSym(a, b, sum)
		}
	}
	var middle mat.EigenSym
	if !middle.Factorize(inner, true) {
		return nil, fmt.Errorf("reweight: MBAR: the weights have no covariance: %w", ErrOverlap)
	}
	var q, left mat.Dense
	middle.VectorsTo(&q)
	left.Mul(&v, &q)
	theta := mat.NewDense(dim, dim, nil)
	for k, value := range middle.Values(nil) {
		if value < 1e-10 { // the constant that all free energies share
			continue
		}
		for a := range dim {
			for b := range dim {
				theta.Set(a, b, theta.At(a, b)+left.At(a, k)*left.At(b, k)/value)
			}
		}
	}
	return theta, nil
}
