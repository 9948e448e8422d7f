package flow

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// pilotIntervals of Clenshaw–Curtis nodes hold the pilots' divergences; their
// integrals at that level are exact to 1e-4 nat.
const pilotIntervals = 64

// rule is a quadrature rule on [0, 1].
type rule struct {
	nodes, weights []float64 // ascending nodes
	precision      []float64 // inverse second moment of the pilots at the nodes, [n*n]
	heldOut        float64   // root mean square error on pilots it was not fitted to
}

// folds of pilots for cross-validation.
const folds = 4

// crossValidate is the root mean square error of rules, made from pilots'
// coefficients, on pilots they were not made from.
func crossValidate(coeffs []float64, make func(*moments) (*rule, error)) (float64, error) {
	const width = pilotIntervals + 1
	n := len(coeffs) / width
	var sum float64
	for f := range folds {
		lo, hi := f*n/folds*width, (f+1)*n/folds*width
		r, err := make(newMoments(slices.Concat(coeffs[:lo], coeffs[hi:])))
		if err != nil {
			return 0, err
		}
		sum += r.meanSquare(coeffs[lo:hi]) * float64((hi-lo)/width) / float64(n)
	}
	return math.Sqrt(sum), nil
}

// fitQuadrature finds the smallest rule whose error, by cross-validation, is at
// most tol. Nodes and weights minimise the mean squared error over functions
// with the pilots' second moments (Bayesian quadrature with an empirical kernel;
// A. O'Hagan, J. Stat. Plan. Inference 29 (1991) 245), and are exact for constants.
//
// values: pilots at Clenshaw–Curtis nodes of pilotIntervals, [n][65].
func fitQuadrature(values []float64, tol float64) (*rule, error) {
	coeffs := chebyshev(values)
	for nodes := 8; nodes <= pilotIntervals; nodes++ {
		heldOut, err := crossValidate(coeffs, func(m *moments) (*rule, error) { return m.fit(nodes) })
		if err != nil {
			return nil, err
		}
		if heldOut <= tol {
			r, err := newMoments(coeffs).fit(nodes)
			if err != nil {
				return nil, err
			}
			r.heldOut = heldOut
			return r, nil
		}
		if heldOut > 3*tol && nodes < pilotIntervals-1 { // far from it
			nodes++
		}
	}
	return nil, fmt.Errorf("flow: no rule of up to %d nodes integrates the divergence to %g nat: train the flow "+
		"longer, or loosen LogQTol", pilotIntervals, tol)
}

// fitWeights are the optimal weights of given nodes, and their root mean square
// error by cross-validation.
func fitWeights(values, nodes []float64) (weights []float64, heldOut float64) {
	coeffs := chebyshev(values)
	phi := make([]float64, len(nodes))
	for i, t := range nodes {
		phi[i] = math.Acos(2*t - 1)
	}
	heldOut, _ = crossValidate(coeffs, func(m *moments) (*rule, error) {
		w, _ := m.weights(phi)
		return &rule{nodes: nodes, weights: w}, nil
	})
	weights, _ = newMoments(coeffs).weights(phi)
	return weights, heldOut
}

// chebyshev turns values at Clenshaw–Curtis nodes into coefficients, [n][65].
func chebyshev(values []float64) []float64 {
	const m = pilotIntervals
	n := len(values) / (m + 1)
	out := make([]float64, n*(m+1))
	for k := range m + 1 {
		for j := range m + 1 {
			c := 2.0 / m * math.Cos(float64(k)*math.Pi*(1-float64(j)/m))
			if k == 0 || k == m {
				c /= 2
			}
			if j == 0 || j == m {
				c /= 2
			}
			for i := range n {
				out[i*(m+1)+k] += c * values[i*(m+1)+j]
			}
		}
	}
	return out
}

// exactIntegrals are ∫₀¹ T_k(2t − 1) dt.
func exactIntegrals() []float64 {
	out := make([]float64, pilotIntervals+1)
	for k := 0; k < len(out); k += 2 {
		out[k] = 1 / (1 - float64(k*k))
	}
	return out
}

// moments are the second moments of pilots' coefficients.
type moments struct {
	cov   *mat.Dense
	exact []float64
}

// shrinkage towards the diagonal, and the variance of a divergence's rounding.
const (
	shrinkage = 0.05
	jitter    = 1e-5
)

func newMoments(coeffs []float64) *moments {
	const width = pilotIntervals + 1
	n := len(coeffs) / width
	c := mat.NewDense(n, width, coeffs)
	m := &moments{cov: mat.NewDense(width, width, nil), exact: exactIntegrals()}
	m.cov.Mul(c.T(), c)
	for i := range width {
		for j := range width {
			v := m.cov.At(i, j) / float64(n)
			if i != j {
				v *= 1 - shrinkage
			}
			m.cov.Set(i, j, v)
		}
	}
	return m
}

// fit optimises nodes, as angles φ with 2t − 1 = cos φ, from a few starts.
func (m *moments) fit(n int) (*rule, error) {
	problem := optimize.Problem{
		Func: func(phi []float64) float64 { v, _ := m.error(phi, nil); return v },
		Grad: func(grad, phi []float64) { m.error(phi, grad) },
	}
	best := math.Inf(1)
	var angles []float64
	for _, warp := range [][2]float64{{0, 0}, {0.3, 0.2}, {0.45, 0.35}} {
		start := make([]float64, n)
		for i := range start { // Gauss–Legendre nodes nearly, then denser towards t = 1
			s := (1 - math.Cos(math.Pi*(float64(i)+0.75)/(float64(n)+0.5))) / 2
			s += warp[0]*s*(1-s) + warp[1]*s*(1-s)*(1-2*s)
			start[i] = math.Acos(2*math.Min(math.Max(s, 0), 1) - 1)
		}
		result, err := optimize.Minimize(problem, start, &optimize.Settings{MajorIterations: 300}, &optimize.LBFGS{})
		if result == nil {
			return nil, fmt.Errorf("flow: quadrature of %d nodes: %w", n, err)
		}
		if result.F < best { // a line search that ends early leaves a rule that is good all the same
			best, angles = result.F, result.X
		}
	}
	return m.rule(angles), nil
}

// error is the logarithm of the rule's expected squared error, with its
// gradient where grad is not nil. The weights are optimal for the nodes.
func (m *moments) error(phi, grad []float64) (float64, []float64) {
	w, residual := m.weights(phi)
	width := len(m.exact)
	var pushed mat.VecDense
	pushed.MulVec(m.cov, mat.NewVecDense(width, residual))
	v := mat.Dot(&pushed, mat.NewVecDense(width, residual))
	for _, x := range w {
		v += jitter * x * x
	}
	for i := range grad {
		var sum float64
		for k := 1; k < width; k++ {
			sum -= float64(k) * math.Sin(float64(k)*phi[i]) * pushed.AtVec(k)
		}
		grad[i] = 2 * w[i] * sum / v
	}
	return math.Log(v), w
}

// basis are T_k at the nodes, [n, 65].
func basis(phi []float64) *mat.Dense {
	p := mat.NewDense(len(phi), pilotIntervals+1, nil)
	for i, a := range phi {
		for k := range pilotIntervals + 1 {
			p.Set(i, k, math.Cos(float64(k)*a))
		}
	}
	return p
}

// weights minimise the expected squared error for the nodes, exact for
// constants; residual: what the rule adds to the exact integrals, by degree.
func (m *moments) weights(phi []float64) (w, residual []float64) {
	n, width := len(phi), len(m.exact)
	p := basis(phi)
	var pc, gram mat.Dense
	pc.Mul(p, m.cov)
	gram.Mul(&pc, p.T())
	system := mat.NewDense(n+1, n+1, nil)
	right := mat.NewVecDense(n+1, nil)
	for i := range n {
		for j := range n {
			system.Set(i, j, gram.At(i, j))
		}
		system.Set(i, i, gram.At(i, i)+jitter)
		system.Set(i, n, 1)
		system.Set(n, i, 1)
		right.SetVec(i, mat.Dot(pc.RowView(i), mat.NewVecDense(width, m.exact)))
	}
	right.SetVec(n, m.exact[0])
	var solved mat.VecDense
	// An ill-conditioned system still gives weights; the error that is minimised tells how good.
	_ = solved.SolveVec(system, right)
	w = append(w, solved.RawVector().Data[:n]...)
	residual = make([]float64, width)
	for k := range residual {
		residual[k] = -m.exact[k]
		for i := range n {
			residual[k] += p.At(i, k) * w[i]
		}
	}
	return w, residual
}

// rule orders the nodes in time and adds the precision matrix.
func (m *moments) rule(phi []float64) *rule {
	const turn = 2 * math.Pi
	for i, a := range phi { // cos φ is even and periodic
		if phi[i] = math.Abs(math.Remainder(a, turn)); phi[i] > math.Pi {
			phi[i] = turn - phi[i]
		}
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(phi)))
	r := &rule{}
	r.weights, _ = m.weights(phi)
	for _, a := range phi {
		r.nodes = append(r.nodes, (1+math.Cos(a))/2)
	}
	n := len(phi)
	p := basis(phi)
	var pc, gram, inverse mat.Dense
	pc.Mul(p, m.cov)
	gram.Mul(&pc, p.T())
	for i := range n {
		gram.Set(i, i, gram.At(i, i)+jitter)
	}
	_ = inverse.Inverse(&gram) // the jitter bounds its condition
	for i := range n {
		r.precision = append(r.precision, inverse.RawRowView(i)...)
	}
	return r
}

// meanSquare is the mean squared error of the rule on pilots.
func (r *rule) meanSquare(coeffs []float64) float64 {
	const width = pilotIntervals + 1
	exact := exactIntegrals()
	residual := make([]float64, width)
	for k := range residual {
		residual[k] = -exact[k]
		for i, t := range r.nodes {
			residual[k] += r.weights[i] * math.Cos(float64(k)*math.Acos(2*t-1))
		}
	}
	var sum float64
	for i := 0; i < len(coeffs); i += width {
		var e float64
		for k, c := range residual {
			e += c * coeffs[i+k]
		}
		sum += e * e
	}
	return sum / float64(len(coeffs)/width)
}
