package flow

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/ode"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// evaluator evaluates a field; numbers come and go in float64.
type evaluator struct {
	dim        int
	single     bool // the field is computed in float32
	store      *model.Store
	velocity   *model.Exec
	divergence *model.Exec
}

// evaluator compiles the field once for each precision.
func (m *Model) evaluator(single bool) (*evaluator, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slot := &m.double
	if single {
		slot = &m.single
	}
	if *slot != nil {
		return *slot, nil
	}
	store := m.Store
	if store == nil {
		return nil, errFinalized
	}
	if !single {
		var err error
		if store, err = train.Float64(m.Store); err != nil {
			return nil, fmt.Errorf("flow: %w", err)
		}
	}
	field, ok := m.Network.(Field)
	if !ok {
		return nil, fmt.Errorf("flow: a %T has no velocity: it is exact in one pass", m.Network)
	}
	e := &evaluator{dim: m.Network.Dim(), single: single, store: store}
	var err error
	e.velocity, err = model.NewExec(m.backend, store, func(_ *model.Scope, t, x *graph.Node) *graph.Node {
		return field.Velocity(store, t, x)
	})
	if err == nil {
		e.divergence, err = model.NewExec(m.backend, store,
			func(_ *model.Scope, t, x *graph.Node) (*graph.Node, *graph.Node) {
				return field.Divergence(store, t, x)
			})
	}
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	*slot = e
	return e, nil
}

var errFinalized = errors.New("flow: the model was finalized: open it again")

// Finalize frees what the model holds on its backend: compiled programs and parameters. No evaluation may be running;
// later ones are errors. A model that is dropped without it is freed by the garbage collector, which does not see a
// device's memory.
func (m *Model) Finalize() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range []*evaluator{m.double, m.single} {
		if e == nil {
			continue
		}
		e.velocity.Finalize()
		e.divergence.Finalize()
		if e.store != m.Store {
			e.store.Finalize()
		}
	}
	for _, p := range []*passes{m.doublePass, m.singlePass} {
		if p != nil {
			p.finalize(m.Store)
		}
	}
	m.double, m.single, m.doublePass, m.singlePass = nil, nil, nil, nil
	if m.Store != nil {
		m.Store.Finalize()
		m.Store = nil
	}
}

// Sum is the SHA-256 of field, standardisation and parameters, in hexadecimal digits: the same for the same flow.
func (m *Model) Sum() (string, error) {
	if m.Store == nil {
		return "", errFinalized
	}
	sum, err := train.Sum(m.Store)
	if err != nil {
		return "", fmt.Errorf("flow: %w", err)
	}
	return keep.Fingerprint(m.Network, m.Mean, m.Std, m.Beads, sum), nil
}

// batch moves states that share one step size along the velocity of path, and
// integrates the divergence.
func (e *evaluator) batch(ctx context.Context, path *evaluator, x []float64, t0, t1 float64,
	acc Accuracy) (*transported, error) {
	if acc.Schedule != nil {
		return acc.Schedule.batch(ctx, e, x, t0, t1, acc)
	}
	sol, err := path.solve(ctx, x, t0, t1, acc.PathTol)
	if err != nil {
		return nil, err
	}
	out := &transported{x: sol.X, evaluations: float64(sol.Evaluations)}
	if err := e.integrate(ctx, sol, len(x)/e.dim, acc, out); err != nil {
		return nil, err
	}
	return out, nil
}

// field is the velocity at one time for all states.
func (e *evaluator) field(t float64, x, dx []float64) error {
	return e.run(e.velocity, []float64{t}, x, dx, nil)
}

// solve moves states that share one step size along the velocity.
func (e *evaluator) solve(ctx context.Context, x []float64, t0, t1, tol float64) (*ode.Solution, error) {
	return ode.Solve(ctx, e.field, x, e.dim, t0, t1, ode.Options{RTol: tol, ATol: tol})
}

// run evaluates the velocity, and the divergence where div is not nil, at one
// time or one for every state. Batches are padded to powers of two, so that few
// shapes are compiled.
func (e *evaluator) run(exec *model.Exec, t, x, dx, div []float64) error {
	n := len(x) / e.dim
	rows := 8
	for rows < n && rows < 1<<30 {
		rows *= 2
	}
	if n > rows/2 && n >= 500 {
		rows = n // full batches go as they are
	}
	times := rows
	if len(t) == 1 && n > 1 {
		times = 1
	}
	at, states := e.tensor(t, times, 1), e.tensor(x, rows, e.dim)
	defer at.FinalizeAll()
	defer states.FinalizeAll()
	out, err := exec.Exec(at, states)
	if err != nil {
		return err
	}
	for i, dst := range [][]float64{dx, div} {
		if dst == nil {
			continue
		}
		if err := e.read(out[i], dst); err != nil {
			return err
		}
	}
	for _, t := range out {
		t.FinalizeAll()
	}
	return nil
}

// tensor makes a matrix of the values, with zeros after them.
func (e *evaluator) tensor(values []float64, rows, columns int) *tensors.Tensor {
	if !e.single {
		full := make([]float64, rows*columns)
		copy(full, values)
		return tensors.FromFlatDataAndDimensions(full, rows, columns)
	}
	full := make([]float32, rows*columns)
	for i, v := range values {
		full[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(full, rows, columns)
}

func (e *evaluator) read(t *tensors.Tensor, dst []float64) error {
	if !e.single {
		return tensors.ConstFlatData(t, func(flat []float64) { copy(dst, flat) })
	}
	return tensors.ConstFlatData(t, func(flat []float32) {
		for i := range dst {
			dst[i] = float64(flat[i])
		}
	})
}

// integrate computes ∫₀¹ ∇·v dt along the paths of sol, from the coarsest level up
// for those states whose two last levels differ by more than the tolerance.
func (e *evaluator) integrate(ctx context.Context, sol *ode.Solution, n int, acc Accuracy, out *transported) error {
	out.integral, out.errors = make([]float64, n), make([]float64, n)
	active := upTo(n)
	values := map[int][]float64{} // divergences by node of the finest level, [n]
	coarse := acc.Intervals
	for level := coarse; ; level *= 2 {
		nodes, weights := ode.ClenshawCurtis(level)
		fine := map[int][]float64{}
		var missing []int
		for k := range nodes {
			if level > coarse && k%2 == 0 {
				fine[k] = values[k/2]
			} else {
				fine[k] = make([]float64, n)
				missing = append(missing, k)
			}
		}
		if err := e.divergences(ctx, sol, nodes, missing, active, acc.Chunk, fine); err != nil {
			return err
		}
		out.divergences += float64(len(active)*len(missing)) / float64(n)
		values = fine
		var rest []int
		for _, i := range active {
			var sum float64
			for k, w := range weights {
				sum += w * values[k][i]
			}
			out.errors[i] = math.Abs(sum - out.integral[i])
			out.integral[i] = sum
			if level == coarse || out.errors[i] > acc.LogQTol {
				rest = append(rest, i)
			}
		}
		if active = rest; len(active) == 0 || level >= acc.MaxNodes {
			return nil
		}
	}
}

// divergences evaluates ∇·v on the paths at the missing nodes for the active
// states, chunk by chunk, into values, [node][state].
func (e *evaluator) divergences(ctx context.Context, sol *ode.Solution, nodes []float64, missing, active []int,
	chunk int, values map[int][]float64) error {
	state := make([]float64, len(sol.X))
	t, x := make([]float64, 0, len(missing)*len(active)), make([]float64, 0, len(missing)*len(active)*e.dim)
	for _, k := range missing {
		sol.At(nodes[k], state)
		for _, i := range active {
			t, x = append(t, nodes[k]), append(x, state[i*e.dim:(i+1)*e.dim]...)
		}
	}
	div := make([]float64, len(t))
	if err := e.chunks(ctx, t, x, nil, div, chunk); err != nil {
		return err
	}
	for _, k := range missing {
		for _, i := range active {
			values[k][i], div = div[0], div[1:]
		}
	}
	return nil
}

// chunks evaluates the divergence of states, each at its time, some at once;
// the velocity too where dx is not nil.
func (e *evaluator) chunks(ctx context.Context, t, x, dx, div []float64, size int) error {
	for start := 0; start < len(t); start += size {
		end := min(start+size, len(t))
		var slopes []float64
		if dx != nil {
			slopes = dx[start*e.dim : end*e.dim]
		}
		if err := e.run(e.divergence, t[start:end], x[start*e.dim:end*e.dim], slopes, div[start:end]); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
