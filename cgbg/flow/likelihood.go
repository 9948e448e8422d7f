package flow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/cgbg-go/lab/cgbg/ode"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Accuracy of log-densities; zero values stand for the defaults in brackets.
type Accuracy struct {
	PathTol  float64 // tolerance of the path x(t), absolute and relative [1e-6]
	LogQTol  float64 // tolerance of the divergence's quadrature, nats [1e-3]
	Batch    int     // states that share one step size [1000]
	Checks   int     // states checked by reverse joint integration at 1e-9 [256]
	MaxNodes int     // ceiling of the quadrature's intervals [1024]
}

func (a Accuracy) withDefaults() Accuracy {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	setInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&a.PathTol, 1e-6)
	set(&a.LogQTol, 1e-3)
	setInt(&a.Batch, 1000)
	setInt(&a.Checks, 256)
	setInt(&a.MaxNodes, 1024)
	return a
}

// Samples of a flow with their exact log-density.
type Samples struct {
	R    []float64 // physical units, [n*dim]
	LogQ []float64 // ln q(x) in standardised units, nats, [n]
	// LogCOM is the log-density, in standardised units, of the shift of the
	// geometric centre that training added: ln N(centre; 0, 1/beads per axis).
	// Zeros unless the model has Beads. It belongs to the target density.
	LogCOM     []float64
	Quadrature []float64 // estimated error of the quadrature in LogQ, nats, [n]

	// Checked states were integrated back from R in float64, x and log q
	// jointly at 1e-9; path and quadrature errors both show.
	Checked            int
	CheckMax, CheckRMS float64 // |LogQ − reference|, nats

	Evaluations float64 // velocity evaluations per sample
	Divergences float64 // divergence evaluations per sample
}

// LogQErrorMax is the worst error of LogQ known, nats: the largest of the
// quadrature's estimates and the differences found by the checks.
func (s *Samples) LogQErrorMax() float64 {
	worst := s.CheckMax
	for _, e := range s.Quadrature {
		worst = math.Max(worst, e)
	}
	return worst
}

// Sample draws n samples with their exact log-density. The draws depend on
// seed and n alone, not on the number of threads.
func (m *Model) Sample(ctx context.Context, n int, seed uint64, acc Accuracy, progress func(done, total int, note string)) (*Samples, error) {
	if n <= 0 {
		return nil, fmt.Errorf("flow: cannot draw %d samples", n)
	}
	dim := m.Field.Dim()
	rng := rand.New(rand.NewPCG(seed, 0x73616d70))
	z := make([]float64, n*dim)
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	out, err := m.transport(ctx, z, 0, 1, acc, progress)
	if err != nil {
		return nil, err
	}
	s := &Samples{R: m.physical(out.x), LogQ: make([]float64, n), LogCOM: make([]float64, n), Quadrature: out.errors}
	for i := range n {
		s.LogQ[i] = logNormal(z[i*dim:(i+1)*dim]) - out.integral[i]
		if m.Beads > 0 {
			s.LogCOM[i] = comLogDensity(out.x[i*dim:(i+1)*dim], m.Beads)
		}
	}
	s.Evaluations, s.Divergences = out.evaluations, out.divergences
	if err := m.check(ctx, s, out.x, acc.withDefaults(), rng); err != nil {
		return nil, err
	}
	return s, nil
}

// LogQ returns the log-density of given frames in standardised units, nats,
// and the estimated error of its quadrature, by integrating back to the prior.
//
// r: frames in physical units, [n*dim].
func (m *Model) LogQ(ctx context.Context, r []float64, acc Accuracy, progress func(done, total int, note string)) (logq, quadrature []float64, err error) {
	dim := m.Field.Dim()
	if len(r) == 0 || len(r)%dim != 0 {
		return nil, nil, fmt.Errorf("flow: %d numbers are no frames of %d components", len(r), dim)
	}
	out, err := m.transport(ctx, m.standardise(r), 1, 0, acc, progress)
	if err != nil {
		return nil, nil, err
	}
	logq = make([]float64, len(r)/dim)
	for i := range logq {
		logq[i] = logNormal(out.x[i*dim:(i+1)*dim]) - out.integral[i]
	}
	return logq, out.errors, nil
}

// LogDensity is LogQ in physical units: ln q(R), the natural logarithm of a
// density per unit of R to the power dim.
func (m *Model) LogDensity(ctx context.Context, r []float64, acc Accuracy) ([]float64, error) {
	logq, _, err := m.LogQ(ctx, r, acc, nil)
	for i := range logq {
		logq[i] += m.LogJacobian()
	}
	return logq, err
}

// check compares the log-density of some samples with the reference.
func (m *Model) check(ctx context.Context, s *Samples, x []float64, acc Accuracy, rng *rand.Rand) error {
	dim, n := m.Field.Dim(), len(s.LogQ)
	s.Checked = min(acc.Checks, n)
	if s.Checked <= 0 {
		return nil
	}
	index := rng.Perm(n)[:s.Checked]
	part := make([]float64, 0, s.Checked*dim)
	for _, i := range index {
		part = append(part, x[i*dim:(i+1)*dim]...)
	}
	reference, err := m.JointLogQ(ctx, part, 1e-9)
	if err != nil {
		return err
	}
	var sum float64
	for k, i := range index {
		e := math.Abs(s.LogQ[i] - reference[k])
		s.CheckMax = math.Max(s.CheckMax, e)
		sum += e * e
	}
	s.CheckRMS = math.Sqrt(sum / float64(s.Checked))
	return nil
}

func logNormal(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return -0.5*sum - 0.5*float64(len(x))*math.Log(2*math.Pi)
}

// comLogDensity is ln N(centre; 0, 1/beads per axis).
func comLogDensity(x []float64, beads int) float64 {
	var centre [3]float64
	for i, v := range x {
		centre[i%3] += v / float64(beads)
	}
	var sum float64
	for _, c := range centre {
		sum += c * c
	}
	n := float64(beads)
	return -0.5*n*sum + 1.5*math.Log(n/(2*math.Pi))
}

// transported is the outcome of moving states along the flow.
type transported struct {
	x                        []float64 // states at the end
	integral                 []float64 // ∫₀¹ ∇·v dt along each path
	errors                   []float64 // estimated errors of integral
	evaluations, divergences float64   // per state
}

// transport moves the states from t0 to t1 in batches, several at a time.
func (m *Model) transport(ctx context.Context, x []float64, t0, t1 float64, acc Accuracy, progress func(done, total int, note string)) (*transported, error) {
	acc = acc.withDefaults()
	e, err := m.evaluator()
	if err != nil {
		return nil, err
	}
	dim := m.Field.Dim()
	n := len(x) / dim
	out := &transported{x: make([]float64, len(x)), integral: make([]float64, n), errors: make([]float64, n)}
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		firstErr error
		done     int
	)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for start := 0; start < n; start += acc.Batch {
		end := min(start+acc.Batch, n)
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			b, err := e.batch(ctx, x[start*dim:end*dim], t0, t1, acc)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if firstErr == nil {
					firstErr = fmt.Errorf("flow: samples %d to %d: %w", start, end-1, err)
				}
				return
			}
			copy(out.x[start*dim:], b.x)
			copy(out.integral[start:], b.integral)
			copy(out.errors[start:], b.errors)
			out.evaluations += b.evaluations * float64(end-start) / float64(n)
			out.divergences += b.divergences * float64(end-start) / float64(n)
			done += end - start
			if progress != nil {
				progress(done, n, "")
			}
		})
		mu.Lock()
		failed := firstErr != nil
		mu.Unlock()
		if failed {
			break
		}
	}
	wg.Wait()
	return out, firstErr
}

// evaluator evaluates a field in float64.
type evaluator struct {
	dim        int
	velocity   *model.Exec
	divergence *model.Exec
}

// evaluator compiles the float64 field once.
func (m *Model) evaluator() (*evaluator, error) {
	if m.eval != nil {
		return m.eval, nil
	}
	store, err := train.Float64(m.Store)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	e := &evaluator{dim: m.Field.Dim()}
	e.velocity, err = model.NewExec(m.backend, store, func(_ *model.Scope, t, x *graph.Node) *graph.Node {
		return m.Field.Velocity(store, t, x)
	})
	if err == nil {
		e.divergence, err = model.NewExec(m.backend, store, func(_ *model.Scope, t, x *graph.Node) (*graph.Node, *graph.Node) {
			return m.Field.Divergence(store, t, x)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	m.eval = e
	return e, nil
}

// batch moves states that share one step size, and integrates the divergence.
func (e *evaluator) batch(ctx context.Context, x []float64, t0, t1 float64, acc Accuracy) (*transported, error) {
	field := func(t float64, x, dx []float64) error { return e.run(e.velocity, t, x, dx, nil) }
	sol, err := ode.Solve(ctx, field, x, e.dim, t0, t1, ode.Options{RTol: acc.PathTol, ATol: acc.PathTol})
	if err != nil {
		return nil, err
	}
	out := &transported{x: sol.X, evaluations: float64(sol.Evaluations)}
	if err := e.integrate(ctx, sol, len(x)/e.dim, acc, out); err != nil {
		return nil, err
	}
	return out, nil
}

// run evaluates the velocity, and the divergence where div is not nil. Batches
// are padded to powers of two from 64, so that few shapes are compiled.
func (e *evaluator) run(exec *model.Exec, t float64, x, dx, div []float64) error {
	n := len(x) / e.dim
	rows := 64
	for rows < n && rows < 1<<30 {
		rows *= 2
	}
	if n > rows/2 && n >= 500 {
		rows = n // full batches go as they are
	}
	in := x
	if rows > n {
		in = make([]float64, rows*e.dim)
		copy(in, x)
	}
	out, err := exec.Exec([][]float64{{t}}, tensors.FromFlatDataAndDimensions(in, rows, e.dim))
	if err != nil {
		return err
	}
	for i, dst := range [][]float64{dx, div} {
		if dst == nil {
			continue
		}
		if err := tensors.ConstFlatData(out[i], func(flat []float64) { copy(dst, flat) }); err != nil {
			return err
		}
	}
	for _, t := range out {
		t.FinalizeAll()
	}
	return nil
}

// integrate computes ∫₀¹ ∇·v dt along the paths of sol, from 16 intervals up
// for those states whose two last levels differ by more than the tolerance.
func (e *evaluator) integrate(ctx context.Context, sol *ode.Solution, n int, acc Accuracy, out *transported) error {
	out.integral, out.errors = make([]float64, n), make([]float64, n)
	active := make([]int, n)
	for i := range active {
		active[i] = i
	}
	state := make([]float64, n*e.dim)
	values := map[int][]float64{} // divergences by node of the finest level, [n]
	const coarse = 16
	for level := coarse; ; level *= 2 {
		if err := ctx.Err(); err != nil {
			return err
		}
		nodes, weights := ode.ClenshawCurtis(level)
		fine := map[int][]float64{}
		for k, t := range nodes {
			if level > coarse && k%2 == 0 {
				fine[k] = values[k/2]
				continue
			}
			div, err := e.divergenceAt(sol, t, state, active)
			if err != nil {
				return err
			}
			out.divergences += float64(len(active)) / float64(n)
			fine[k] = div
		}
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

// divergenceAt evaluates ∇·v on the path at t for the active states; [n], with
// zeros for the others.
func (e *evaluator) divergenceAt(sol *ode.Solution, t float64, state []float64, active []int) ([]float64, error) {
	sol.At(t, state)
	x := make([]float64, 0, len(active)*e.dim)
	for _, i := range active {
		x = append(x, state[i*e.dim:(i+1)*e.dim]...)
	}
	div := make([]float64, len(active))
	if err := e.run(e.divergence, t, x, nil, div); err != nil {
		return nil, err
	}
	out := make([]float64, len(state)/e.dim)
	for k, i := range active {
		out[i] = div[k]
	}
	return out, nil
}
