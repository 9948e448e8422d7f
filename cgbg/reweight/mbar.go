package reweight

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrOverlap reports states of [MBAR] that share no samples, so that nothing joins their free energies.
var ErrOverlap = errors.New("states do not overlap: add windows between them, or weaker ones")

// mbarTolerance is how far a free energy may be from the one its own weights give, nats.
const mbarTolerance = 1e-10

const (
	mbarIterations = 20   // self-consistent ones before Newton's method, which needs a start not too far off
	mbarSteps      = 1000 // of both
)

// MBAR estimates the free energies of biased states, and log-weights of their pooled samples for the unbiased ensemble,
// from
//
//	f[k] = −log Σ_n exp(−u[k][n]) / D[n],   D[n] = Σ_j N[j] exp(f[j] − u[j][n]),   logw[n] = −log D[n]
//
// u: reduced energies (bias/kT) of every sample in every state, [states][samples]; what is the same in all states for a
// sample, the unbiased energy, is left out. n: samples drawn from each state, [states], which sum to the samples and
// may be zero. Returns f, nats, f[0] = 0, and logw, [samples], nats. The equations are solved by self-consistent
// iterations and then Newton's method on the convex function whose minimum they are, until no f changes by more than
// 1e-10. Errors: shapes; energies that are not finite; [ErrOverlap].
//
// Source: Shirts and Chodera, J. Chem. Phys. 129 (2008) 124105, doi 10.1063/1.2978177, Eqs. 11 and 13.
func MBAR(u [][]float64, n []int) (f, logw []float64, err error) {
	m, err := newMBAR(u, n)
	if err != nil {
		return nil, nil, err
	}
	value := m.objective()
	for step := range mbarSteps {
		next, off := m.selfConsistent()
		if off < mbarTolerance {
			copy(m.f, next)
			m.objective()
			if err := m.joined(); err != nil {
				return nil, nil, err
			}
			return m.all(), m.logWeights(), nil
		}
		if step >= mbarIterations && m.newton(&value) {
			continue
		}
		copy(m.f, next)
		value = m.objective()
	}
	_, off := m.selfConsistent()
	return nil, nil, fmt.Errorf("reweight: MBAR: free energies still change by %.2g after %d steps: %w", off,
		mbarSteps, ErrOverlap)
}

// mbar is the state of the iteration: over the states with samples, and all of them.
type mbar struct {
	u       [][]float64 // [states][samples]
	count   []float64   // samples of each state
	sampled []int       // states with samples
	f       []float64   // of sampled states; the first is 0
	logd    []float64   // [samples]: log D
}

func newMBAR(u [][]float64, n []int) (*mbar, error) {
	if len(u) == 0 || len(u) != len(n) {
		return nil, fmt.Errorf("reweight: MBAR: energies of %d states, samples of %d: want as many, and at least "+
			"one", len(u), len(n))
	}
	m := &mbar{u: u}
	sum := 0
	for k, row := range u {
		if len(row) != len(u[0]) || n[k] < 0 {
			return nil, fmt.Errorf("reweight: MBAR: state %d has %d energies and %d samples of its own: want %d "+
				"energies", k, len(row), n[k], len(u[0]))
		}
		for i, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("reweight: MBAR: the energy of sample %d in state %d is %g: not finite", i, k, v)
			}
		}
		m.count = append(m.count, float64(n[k]))
		if sum += n[k]; n[k] > 0 {
			m.sampled = append(m.sampled, k)
		}
	}
	if sum != len(u[0]) || sum == 0 {
		return nil, fmt.Errorf("reweight: MBAR: the states have %d samples, and there are energies of %d", sum,
			len(u[0]))
	}
	m.f, m.logd = make([]float64, len(m.sampled)), make([]float64, sum)
	return m, nil
}

// objective updates log D for f, and returns the convex function Σ_n log D[n] − Σ_k N[k] f[k].
func (m *mbar) objective() (sum float64) {
	term := make([]float64, len(m.sampled))
	for i := range m.logd {
		for s, k := range m.sampled {
			term[s] = math.Log(m.count[k]) + m.f[s] - m.u[k][i]
		}
		m.logd[i] = logSumExp(term)
		sum += m.logd[i]
	}
	for s, k := range m.sampled {
		sum -= m.count[k] * m.f[s]
	}
	return sum
}

// free is the free energy of state k by the samples' weights.
func (m *mbar) free(k int) float64 {
	term := make([]float64, len(m.logd))
	for i, d := range m.logd {
		term[i] = -m.u[k][i] - d
	}
	return -logSumExp(term)
}

// selfConsistent returns the next f, and how far it is from the present one.
func (m *mbar) selfConsistent() (next []float64, off float64) {
	for _, k := range m.sampled {
		next = append(next, m.free(k))
	}
	first := next[0]
	for s := range next {
		next[s] -= first
		off = max(off, math.Abs(next[s]-m.f[s]))
	}
	return next, off
}

// newton takes a step of Newton's method, halved until the objective falls; false where it does not.
func (m *mbar) newton(value *float64) bool {
	dim := len(m.sampled) - 1
	if dim == 0 {
		return false
	}
	gradient, hessian := mat.NewVecDense(dim, nil), mat.NewSymDense(dim, nil)
	p := make([]float64, dim) // shares of the states in a sample
	for i, d := range m.logd {
		for a := range p {
			k := m.sampled[a+1]
			p[a] = m.count[k] * math.Exp(m.f[a+1]-m.u[k][i]-d)
		}
		for a, pa := range p {
			gradient.SetVec(a, gradient.AtVec(a)+pa)
			hessian.SetSym(a, a, hessian.At(a, a)+pa)
			for b := a; b < dim; b++ {
				hessian.SetSym(a, b, hessian.At(a, b)-pa*p[b])
			}
		}
	}
	for a := range dim {
		gradient.SetVec(a, gradient.AtVec(a)-m.count[m.sampled[a+1]])
	}
	var root mat.Cholesky
	step := mat.NewVecDense(dim, nil)
	if !root.Factorize(hessian) || root.SolveVecTo(step, gradient) != nil {
		return false
	}
	old, before := append([]float64(nil), m.f...), *value
	for scale := 1.0; scale > 1e-3; scale /= 2 {
		for a := range dim {
			m.f[a+1] = old[a+1] - scale*step.AtVec(a)
		}
		// At the minimum the objective is flat to rounding.
		if now := m.objective(); now <= before+1e-13*math.Abs(before) {
			*value = now
			return true
		}
	}
	copy(m.f, old)
	*value = m.objective()
	return false
}

// leastShared is how many samples two states must share to be joined.
const leastShared = 1e-6

// joined verifies that samples lead from every state to every other: where none do, any difference of f is a solution.
func (m *mbar) joined() error {
	dim := len(m.sampled)
	shared := make([][]float64, dim)
	for a := range shared {
		shared[a] = make([]float64, dim)
	}
	p := make([]float64, dim)
	for i, d := range m.logd {
		for s, k := range m.sampled {
			p[s] = m.count[k] * math.Exp(m.f[s]-m.u[k][i]-d)
		}
		for a := range p {
			for b := range p {
				shared[a][b] += p[a] * p[b]
			}
		}
	}
	reached := make([]bool, dim)
	reached[0] = true
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		for b, v := range shared[queue[0]] {
			if v > leastShared && !reached[b] {
				reached[b] = true
				queue = append(queue, b)
			}
		}
	}
	for s, ok := range reached {
		if !ok {
			return fmt.Errorf("reweight: MBAR: no samples join state %d to state %d: %w", m.sampled[s], m.sampled[0],
				ErrOverlap)
		}
	}
	return nil
}

// all are the free energies of all states, the first one's 0.
func (m *mbar) all() []float64 {
	f := make([]float64, len(m.u))
	for k := range f {
		f[k] = m.free(k)
	}
	for k := len(f) - 1; k >= 0; k-- {
		f[k] -= f[0]
	}
	return f
}

func (m *mbar) logWeights() []float64 {
	logw := make([]float64, len(m.logd))
	for i, d := range m.logd {
		logw[i] = -d
	}
	return logw
}
