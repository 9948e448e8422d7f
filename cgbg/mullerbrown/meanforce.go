package mullerbrown

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

func checkSeries(x, f [][]float32, blocks int) error {
	if len(x) == 0 || len(x) != len(f) || blocks < 1 {
		return fmt.Errorf("mullerbrown: mean force: %d trajectories of x, %d of f, %d blocks each: need as many of "+
			"both and at least one", len(x), len(f), blocks)
	}
	for i := range x {
		if len(x[i]) != len(f[i]) || len(x[i]) < blocks {
			return fmt.Errorf("mullerbrown: mean force: trajectory %d has %d x and %d f: need as many, and at least "+
				"one a block (%d blocks)", i, len(x[i]), len(f[i]), blocks)
		}
	}
	return nil
}

func eachBlock(x, f [][]float32, blocks int, do func(x, f []float32)) {
	for t := range x {
		n := len(x[t])
		for b := range blocks {
			from, to := n*b/blocks, n*(b+1)/blocks
			do(x[t][from:to], f[t][from:to])
		}
	}
}

// ForceSpline is a mean force F(x) as a cubic spline on [Lo, Hi] with uniform knots, fitted by least squares.
type ForceSpline struct {
	Lo, Hi float64
	Coef   []float64     // intervals + 3 coefficients of uniform cubic B-splines
	cov    *mat.SymDense // of Coef; nil where there is no statistical error
}

// ErrUndetermined reports a fit whose basis functions are not all supported by data.
var ErrUndetermined = errors.New("some coefficients are not determined by the data")

// FitForce minimises Σ (F(x_i) - f_i)² over cubic splines with the given number of intervals on [lo, hi] (frames
// outside are left out): force matching (Eq. 13, or Eq. 16 under the umbrella) in closed form. It fails with
// ErrUndetermined where an interval holds no frames.
//
// x, f: one slice per trajectory, in time order. Every trajectory is cut into blocks pieces (1 is right when there are
// many trajectories), which must be longer than the relaxation time: their scatter gives the errors of the fit, by the
// sandwich formula.
func FitForce(x, f [][]float32, lo, hi float64, intervals, blocks int) (*ForceSpline, error) {
	if err := checkSeries(x, f, blocks); err != nil {
		return nil, err
	}
	if intervals < 1 || !(lo < hi) {
		return nil, fmt.Errorf("mullerbrown: fitting a force on [%g, %g] with %d intervals: need lo < hi and at "+
			"least 1", lo, hi, intervals)
	}
	e := newNormal(lo, hi, intervals)
	eachBlock(x, f, 1, func(xs, fs []float32) {
		for i, v := range xs {
			e.add(float64(v), float64(fs[i]), 1)
		}
	})
	s, chol, err := e.solve()
	if err != nil {
		return nil, err
	}
	n := len(s.Coef)
	meat := mat.NewSymDense(n, nil)
	score := make([]float64, n)
	blocksUsed := 0.0
	eachBlock(x, f, blocks, func(xs, fs []float32) {
		clear(score)
		for i, v := range xs {
			if j, b, ok := s.basis(float64(v)); ok {
				r := float64(fs[i])
				for k := range b {
					r -= b[k] * s.Coef[j+k]
				}
				for k := range b {
					score[j+k] += b[k] * r
				}
			}
		}
		meat.SymRankOne(meat, 1, mat.NewVecDense(n, append([]float64(nil), score...)))
		blocksUsed++
	})
	if blocksUsed > 1 {
		meat.ScaleSym(blocksUsed/(blocksUsed-1), meat)
		var half, full mat.Dense
		if err := errors.Join(chol.SolveTo(&half, meat), chol.SolveTo(&full, half.T())); err != nil {
			return nil, fmt.Errorf("mullerbrown: error of the fitted force: %w", err)
		}
		s.cov = mat.NewSymDense(n, nil)
		for i := range n {
			for j := i; j < n; j++ {
				s.cov.SetSym(i, j, (full.At(i, j)+full.At(j, i))/2)
			}
		}
	}
	return s, nil
}

// normal accumulates the normal equations of a spline fit.
type normal struct {
	s   *ForceSpline
	a   *mat.SymDense
	rhs *mat.VecDense
}

func newNormal(lo, hi float64, intervals int) *normal {
	n := intervals + 3
	return &normal{&ForceSpline{Lo: lo, Hi: hi, Coef: make([]float64, n)}, mat.NewSymDense(n, nil),
		mat.NewVecDense(n, nil)}
}

func (e *normal) add(x, f, w float64) {
	j, b, ok := e.s.basis(x)
	if !ok {
		return
	}
	for k := range b {
		e.rhs.SetVec(j+k, e.rhs.AtVec(j+k)+w*b[k]*f)
		for l := k; l < len(b); l++ {
			e.a.SetSym(j+k, j+l, e.a.At(j+k, j+l)+w*b[k]*b[l])
		}
	}
}

func (e *normal) solve() (*ForceSpline, *mat.Cholesky, error) {
	var chol mat.Cholesky
	if !chol.Factorize(e.a) || chol.Cond() > 1e14 {
		return nil, nil, fmt.Errorf("mullerbrown: fitting a force on [%g, %g]: %w; use a narrower range, fewer "+
			"intervals or more frames", e.s.Lo, e.s.Hi, ErrUndetermined)
	}
	c := mat.NewVecDense(len(e.s.Coef), e.s.Coef)
	if err := chol.SolveVecTo(c, e.rhs); err != nil {
		return nil, nil, fmt.Errorf("mullerbrown: fitting a force: %w", err)
	}
	return e.s, &chol, nil
}

// basis returns the four B-splines that are not zero at x, and the index of the first.
func (s *ForceSpline) basis(x float64) (j int, b [4]float64, ok bool) {
	if !(x >= s.Lo && x <= s.Hi) {
		return 0, b, false
	}
	n := len(s.Coef) - 3
	u := (x - s.Lo) / (s.Hi - s.Lo) * float64(n)
	j = min(int(u), n-1)
	u -= float64(j)
	v := 1 - u
	b = [4]float64{v * v * v / 6, (4 - 6*u*u + 3*u*u*u) / 6, (4 - 6*v*v + 3*v*v*v) / 6, u * u * u / 6}
	return j, b, true
}

// At returns the fitted force at x and its standard error (NaN where unknown); both are NaN outside [Lo, Hi].
func (s *ForceSpline) At(x float64) (f, sem float64) {
	j, b, ok := s.basis(x)
	if !ok {
		return math.NaN(), math.NaN()
	}
	var v float64
	for k := range b {
		f += b[k] * s.Coef[j+k]
		if s.cov != nil {
			for l := range b {
				v += b[k] * b[l] * s.cov.At(j+k, j+l)
			}
		}
	}
	if s.cov == nil {
		return f, math.NaN()
	}
	return f, math.Sqrt(max(0, v))
}
