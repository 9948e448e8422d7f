package flow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Accuracy of log-densities; zero values stand for the defaults in brackets.
type Accuracy struct {
	PathTol   float64 // tolerance of the path x(t), absolute and relative [1e-6]
	LogQTol   float64 // tolerance of the divergence's quadrature, nats [1e-3]
	Batch     int     // states that share one step size [1000]
	Chunk     int     // states whose divergences are computed at once; few stay in a CPU's caches [Batch]
	Checks    int     // states checked by reverse integration in float64, far more precise [256; −1: none]
	Intervals int     // of the coarsest quadrature; the second has twice as many [16]
	MaxNodes  int     // ceiling of the quadrature's intervals [1024]

	Adaptive bool // sample without a schedule, where its making does not pay or some states are unlike the others

	// Schedule of the model, by which paths are stepped and divergences integrated; nil: each batch
	// adapts its steps, and each state the nodes of its quadrature.
	Schedule *Schedule

	// Single evaluates the field in float32; sums and paths stay in float64.
	// A graph transformer's log-density moves by some 1e-5 nat, and is there in half the time.
	Single bool

	doublePath bool // the path in float64 even so, for checks
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
	setInt(&a.Intervals, 16)
	setInt(&a.MaxNodes, 1024)
	setInt(&a.Chunk, a.Batch)
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

	// Checked states were integrated back from R in float64, far more
	// precisely; path, quadrature and rounding errors all show.
	Checked            int
	CheckMax, CheckRMS float64 // |LogQ − reference|, nats
	CheckSeconds       float64 // what the checks took, apart from the samples

	Evaluations float64 // velocity evaluations per sample
	Divergences float64 // divergence evaluations per sample
}

// LogQBound bounds the error of LogQ of 99 of 100 samples, nats: 6 times the
// root mean square of the checked errors, and at least twice the largest of them,
// since their tail is heavy and checks are few. NaN without checks.
func (s *Samples) LogQBound() float64 {
	if s.Checked == 0 {
		return math.NaN()
	}
	return math.Max(6*s.CheckRMS, 2*s.CheckMax)
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
func (m *Model) Sample(ctx context.Context, n int, seed uint64, acc Accuracy,
	progress func(done, total int, note string)) (*Samples, error) {
	if n <= 0 {
		return nil, fmt.Errorf("flow: cannot draw %d samples", n)
	}
	z, rng := m.prior(n, seed)
	out, err := m.transport(ctx, z, 0, 1, acc, progress)
	if err != nil {
		return nil, err
	}
	s := m.drawn(z, out)
	if err := m.check(ctx, s, out.x, acc.withDefaults(), rng); err != nil {
		return nil, err
	}
	return s, nil
}

// drawn are the samples that points z of the prior were carried to.
func (m *Model) drawn(z []float64, out *transported) *Samples {
	s := &Samples{R: m.physical(out.x), LogQ: out.logQForth(z), Quadrature: out.errors, Evaluations: out.evaluations,
		Divergences: out.divergences}
	s.LogCOM = m.LogCOM(s.R)
	return s
}

// LogQ returns the log-density of given frames in standardised units, nats,
// and the estimated error of its quadrature, by integrating back to the prior.
//
// r: frames in physical units, [n*dim].
func (m *Model) LogQ(ctx context.Context, r []float64, acc Accuracy, progress func(done, total int, note string)) (logq,
	quadrature []float64, err error) {
	dim := m.Network.Dim()
	if len(r) == 0 || len(r)%dim != 0 {
		return nil, nil, fmt.Errorf("flow: %d numbers are no frames of %d components", len(r), dim)
	}
	out, err := m.transport(ctx, m.Standardise(r), 1, 0, acc, progress)
	if err != nil {
		return nil, nil, err
	}
	return out.logQ(dim), out.errors, nil
}

// LogDensity is LogQ in physical units: ln q(R), the natural logarithm of a
// density per unit of R to the power dim.
func (m *Model) LogDensity(ctx context.Context, r []float64, acc Accuracy) ([]float64, error) {
	logq, _, err := m.LogQ(ctx, r, acc, nil)
	for i := range logq {
		logq[i] += m.logJacobian()
	}
	return logq, err
}

// check compares the log-density of some samples with the reference.
func (m *Model) check(ctx context.Context, s *Samples, x []float64, acc Accuracy, rng *rand.Rand) error {
	dim, n := m.Network.Dim(), len(s.LogQ)
	s.Checked = min(acc.Checks, n)
	if s.Checked <= 0 {
		return nil
	}
	index := rng.Perm(n)[:s.Checked]
	part := make([]float64, 0, s.Checked*dim)
	for _, i := range index {
		part = append(part, x[i*dim:(i+1)*dim]...)
	}
	start := time.Now()
	reference, err := m.precise(ctx, part, acc)
	if err != nil {
		return err
	}
	s.CheckSeconds = time.Since(start).Seconds()
	var sum float64
	for k, i := range index {
		e := math.Abs(s.LogQ[i] - reference[k])
		s.CheckMax = math.Max(s.CheckMax, e)
		sum += e * e
	}
	s.CheckRMS = math.Sqrt(sum / float64(s.Checked))
	return nil
}

// precise is the log-density that samples are checked with: by the joint solve or, where that
// would take longer than the samples did, by a path and a quadrature of much higher precision.
// Tests hold the two together.
func (m *Model) precise(ctx context.Context, x []float64, acc Accuracy) ([]float64, error) {
	if _, ok := m.Network.(Spline); ok {
		return m.logQOf(ctx, x, Accuracy{Batch: acc.Batch})
	}
	if !acc.Single {
		return m.JointLogQ(ctx, x, 1e-9)
	}
	out, err := m.transport(ctx, x, 1, 0,
		Accuracy{PathTol: 1e-8, LogQTol: acc.LogQTol / 50, Intervals: 64, Batch: 16, Chunk: acc.Chunk, Single: true,
			doublePath: true}, nil)
	if err != nil {
		return nil, err
	}
	return out.logQ(m.Network.Dim()), nil
}

// logQOf is the log-density of states in standardised units, [n*dim], nats.
func (m *Model) logQOf(ctx context.Context, x []float64, acc Accuracy) ([]float64, error) {
	out, err := m.transport(ctx, x, 1, 0, acc, nil)
	if err != nil {
		return nil, err
	}
	return out.logQ(m.Network.Dim()), nil
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
	var sum float64
	for _, c := range centreOf(x) {
		sum += c * c
	}
	n := float64(beads)
	return -0.5*n*sum + 1.5*math.Log(n/(2*math.Pi))
}

// LogCOM is, for samples in physical units, [n*dim], the field of that name of
// [Samples], [n].
func (m *Model) LogCOM(r []float64) []float64 {
	dim := m.Network.Dim()
	x := m.Standardise(r)
	out := make([]float64, len(x)/dim)
	for i := range out {
		if m.Beads > 0 {
			out[i] = comLogDensity(x[i*dim:(i+1)*dim], m.Beads)
		}
	}
	return out
}

// transported is the outcome of moving states along the flow.
type transported struct {
	x                        []float64 // states at the end
	integral                 []float64 // ∫₀¹ ∇·v dt along each path
	errors                   []float64 // estimated errors of integral
	evaluations, divergences float64   // per state
	rough, odd               []int     // states to be moved by a finer schedule, or by none
}

// logQ is the log-density of states that were moved back to the prior.
func (t *transported) logQ(dim int) []float64 {
	logq := make([]float64, len(t.integral))
	for i := range logq {
		logq[i] = logNormal(t.x[i*dim:(i+1)*dim]) - t.integral[i]
	}
	return logq
}

// logQForth is the log-density at the ends of paths that began at z in the prior.
func (t *transported) logQForth(z []float64) []float64 {
	logq := make([]float64, len(t.integral))
	dim := len(z) / len(logq)
	for i := range logq {
		logq[i] = logNormal(z[i*dim:(i+1)*dim]) - t.integral[i]
	}
	return logq
}

// transport moves the states from t0 to t1 in batches, several at a time.
func (m *Model) transport(ctx context.Context, x []float64, t0, t1 float64, acc Accuracy,
	progress func(done, total int, note string)) (*transported, error) {
	acc = acc.withDefaults()
	if f, ok := m.Network.(Spline); ok {
		return m.pass(ctx, f, x, t1 > t0, acc, progress)
	}
	e, err := m.evaluator(acc.Single)
	if err != nil {
		return nil, err
	}
	path := e
	if acc.doublePath {
		if path, err = m.evaluator(false); err != nil {
			return nil, err
		}
	}
	dim := m.Network.Dim()
	n := len(x) / dim
	out := &transported{x: make([]float64, len(x)), integral: make([]float64, n), errors: make([]float64, n)}
	var mu sync.Mutex
	done := 0
	err = inBatches(n, acc.Batch, func(start, end int) error {
		b, err := e.batch(ctx, path, x[start*dim:end*dim], t0, t1, acc)
		if err != nil {
			return fmt.Errorf("flow: samples %d to %d: %w", start, end-1, err)
		}
		mu.Lock()
		defer mu.Unlock()
		copy(out.x[start*dim:], b.x)
		copy(out.integral[start:], b.integral)
		copy(out.errors[start:], b.errors)
		for _, i := range b.rough {
			out.rough = append(out.rough, start+i)
		}
		for _, i := range b.odd {
			out.odd = append(out.odd, start+i)
		}
		out.evaluations += b.evaluations * float64(end-start) / float64(n)
		out.divergences += b.divergences * float64(end-start) / float64(n)
		done += end - start
		if progress != nil {
			progress(done, n, "")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, m.again(ctx, x, t0, t1, acc, out)
}

// inBatches does work on batches of n states, as many at once as there are
// threads. After an error no batch is begun; the first is returned.
func inBatches(n, batch int, work func(start, end int) error) error {
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		firstErr error
	)
	failed := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return firstErr != nil
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for start := 0; start < n && !failed(); start += batch {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := work(start, min(start+batch, n)); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if firstErr == nil {
					firstErr = err
				}
			}
		})
	}
	wg.Wait()
	return firstErr
}

// again moves the states that a schedule was not good enough for: rough ones by
// the finer schedule, odd ones the adaptive way, where steps and levels tell
// errors less well for such states, hence more tightly.
func (m *Model) again(ctx context.Context, x []float64, t0, t1 float64, acc Accuracy, out *transported) error {
	move := func(states []int, acc Accuracy) error {
		if len(states) == 0 {
			return nil
		}
		slices.Sort(states) // batches ended in any order
		dim := m.Network.Dim()
		part := make([]float64, 0, len(states)*dim)
		for _, i := range states {
			part = append(part, x[i*dim:(i+1)*dim]...)
		}
		b, err := m.transport(ctx, part, t0, t1, acc, nil)
		if err != nil {
			return err
		}
		for k, i := range states {
			copy(out.x[i*dim:(i+1)*dim], b.x[k*dim:(k+1)*dim])
			out.integral[i], out.errors[i] = b.integral[k], b.errors[k]
		}
		share := float64(len(states)) / float64(len(out.integral))
		out.evaluations += share * b.evaluations
		out.divergences += share * b.divergences
		return nil
	}
	finer, adaptive := acc, acc
	if acc.Schedule != nil {
		finer.Schedule = acc.Schedule.finer()
	}
	adaptive.Schedule, adaptive.Intervals = nil, 2*acc.Intervals
	adaptive.PathTol, adaptive.LogQTol = acc.PathTol/10, acc.LogQTol/10
	if err := move(out.rough, finer); err != nil {
		return err
	}
	return move(out.odd, adaptive)
}

// SamplingAccuracy is what samples of a field are drawn with on a backend ("go",
// "xla:cpu", "xla:cuda"): errors of log q of some 0.005 nat.
func SamplingAccuracy(backend string, field Network) Accuracy {
	acc := Accuracy{PathTol: 3e-6, LogQTol: 0.03, Batch: 64, Chunk: 8, Checks: 64, Single: true}
	if k, ok := kindOf(field); ok && k.sampling != (Accuracy{}) {
		acc = k.sampling
	}
	if strings.Contains(backend, "cuda") { // a GPU wants much to do at once
		acc.Batch, acc.Chunk = 1000, 1000
	}
	return acc
}
