package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"

	"github.com/cgbg-go/lab/cgbg/ode"
	"gonum.org/v1/gonum/interp"
)

// Schedule says when the paths of one flow are stepped, and when its divergence
// is evaluated along them. All samples of a flow have much the same time scales,
// so that pilots tell them once: a mesh for a multistep method, which needs one
// velocity where a Runge–Kutta step needs six, and a quadrature rule that is
// optimal for the pilots' divergences. A schedule of another flow is still
// consistent, but may be far from precise: see [Samples.LogQBound].
type Schedule struct {
	Mesh      []float64 `json:"mesh"`       // flow times of the path, from 0 to 1
	Nodes     []int     `json:"nodes"`      // places in Mesh where the divergence is evaluated
	Weights   []float64 `json:"weights"`    // of the nodes
	Precision []float64 `json:"precision"`  // inverse second moment of the pilots' divergences at the nodes, [n*n]
	LogQError float64   `json:"logq_error"` // of the quadrature, root mean square over pilots it was not fitted to, nats
	PathError float64   `json:"path_error"` // of the end points, root mean square, standardised units
	Defect    float64   `json:"defect"`     // of the paths, root mean square; see ode.MeshSolution
}

// Numbers of samples that a schedule is made from.
const (
	pilots     = 96
	meshPilots = 32
)

// Schedule makes the schedule of the model for samples as precise as acc: end
// points like those of Dormand–Prince steps at acc.PathTol, and a quadrature
// whose error is a tenth of acc.LogQTol. It takes as long as some hundred samples.
func (m *Model) Schedule(ctx context.Context, seed uint64, acc Accuracy) (*Schedule, error) {
	acc = acc.withDefaults()
	acc.Schedule = nil
	e, err := m.evaluator(acc.Single)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 0x70696c6f74))
	z := make([]float64, pilots*e.dim)
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	times, _ := ode.ClenshawCurtis(pilotIntervals)
	divergences := make([]float64, 0, pilots*len(times)) // [pilot][time]
	exact := make([]float64, 0, len(z))
	every := make([]int, len(times))
	for k := range every {
		every[k] = k
	}
	size := min(acc.Batch, pilots)
	for start := 0; start < pilots; start += size {
		part := z[start*e.dim : min(start+size, pilots)*e.dim]
		sol, err := e.solve(ctx, part, 0, 1, acc.PathTol/30)
		if err != nil {
			return nil, err
		}
		exact = append(exact, sol.X...)
		n := len(part) / e.dim
		values := map[int][]float64{}
		for _, k := range every {
			values[k] = make([]float64, n)
		}
		if err := e.divergences(ctx, sol, times, every, upTo(n), acc.Chunk, values); err != nil {
			return nil, err
		}
		for i := range n {
			for _, k := range every {
				divergences = append(divergences, values[k][i])
			}
		}
	}
	rule, err := fitQuadrature(divergences, pilots, acc.LogQTol/10)
	if err != nil {
		return nil, err
	}
	s := &Schedule{LogQError: rule.heldOut, Weights: rule.weights, Precision: rule.precision}
	return s, s.fitMesh(ctx, e, rule.nodes, z[:meshPilots*e.dim], exact[:meshPilots*e.dim], acc.PathTol)
}

// fitMesh chooses the mesh, with the nodes in it: as dense as steps of
// Dormand–Prince are, and as fine as their error asks for.
func (s *Schedule) fitMesh(ctx context.Context, e *evaluator, nodes, z, exact []float64, tol float64) error {
	sol, err := e.solve(ctx, z, 0, 1, tol)
	if err != nil {
		return err
	}
	target := rms(sol.X, exact)
	share, err := steps(sol.Times())
	if err != nil {
		return err
	}
	for n := 16.0; ; n *= 1.15 {
		s.setMesh(nodes, share, n)
		end, err := ode.SolveMesh(ctx, e.field, z, e.dim, s.Mesh, nil, nil)
		if err != nil && n > maxMesh {
			return fmt.Errorf("flow: schedule: %w", err)
		}
		if err != nil { // too coarse to be stable
			continue
		}
		var sum float64
		for _, d := range end.Defect {
			sum += d * d / float64(len(end.Defect))
		}
		s.PathError, s.Defect = rms(end.X, exact), math.Sqrt(sum)
		if s.PathError <= target || n > maxMesh {
			return nil
		}
	}
}

const maxMesh = 1000

// setMesh makes a mesh of about n steps; share is the part of all steps before a time.
func (s *Schedule) setMesh(nodes []float64, share interp.Predictor, n float64) {
	s.Mesh, s.Nodes = []float64{0}, nil
	add := func(to float64) {
		from := s.Mesh[len(s.Mesh)-1]
		a, b := share.Predict(from), share.Predict(to)
		parts := max(1, int(math.Round(n*(b-a))))
		for k := 1; k < parts; k++ { // equal shares, by bisection
			lo, hi := from, to
			for range 60 {
				mid := (lo + hi) / 2
				if share.Predict(mid) < a+(b-a)*float64(k)/float64(parts) {
					lo = mid
				} else {
					hi = mid
				}
			}
			s.Mesh = append(s.Mesh, lo)
		}
		s.Mesh = append(s.Mesh, to)
	}
	for _, t := range nodes {
		add(t)
		s.Nodes = append(s.Nodes, len(s.Mesh)-1)
	}
	add(1)
}

// steps is the smoothed part of steps before a time, monotone from 0 to 1.
func steps(times []float64) (interp.Predictor, error) {
	const knots = 12
	x, y := make([]float64, knots+1), make([]float64, knots+1)
	last := float64(len(times) - 1)
	for k := range x {
		place := last * float64(k) / knots
		i := min(int(place), len(times)-2)
		x[k] = times[i] + (place-float64(i))*(times[i+1]-times[i])
		y[k] = float64(k) / knots
	}
	p := &interp.FritschButland{}
	if err := p.Fit(x, y); err != nil {
		return nil, fmt.Errorf("flow: schedule: %w", err)
	}
	return p, nil
}

// batch moves states along the schedule, and integrates the divergence. Those
// unlike the pilots go the adaptive way.
func (s *Schedule) batch(ctx context.Context, e *evaluator, x []float64, t0, t1 float64, acc Accuracy) (*transported, error) {
	n := len(x) / e.dim
	mesh, node := append([]float64(nil), s.Mesh...), make([]int, len(s.Mesh)) // 1 + node of a mesh point
	for i, k := range s.Nodes {
		node[k] = i + 1
	}
	if t1 < t0 {
		slices.Reverse(mesh)
		slices.Reverse(node)
	}
	stops := make([]bool, len(mesh))
	for k, i := range node {
		stops[k] = i > 0
	}
	values := make([]float64, n*len(s.Nodes)) // [state][node]
	div := make([]float64, n)
	at := func(k int, t float64, x, dx []float64) error {
		for start := 0; start < n; start += acc.Chunk {
			end := min(start+acc.Chunk, n)
			if err := e.run(e.divergence, []float64{t}, x[start*e.dim:end*e.dim], dx[start*e.dim:end*e.dim], div[start:end]); err != nil {
				return err
			}
		}
		for i, d := range div {
			values[i*len(s.Nodes)+node[k]-1] = d
		}
		return ctx.Err()
	}
	sol, err := ode.SolveMesh(ctx, e.field, x, e.dim, mesh, stops, at)
	if err != nil {
		return nil, err
	}
	out := &transported{x: sol.X, integral: make([]float64, n), errors: make([]float64, n),
		evaluations: float64(sol.Evaluations), divergences: float64(len(s.Nodes))}
	var odd []int
	for i := range n {
		v := values[i*len(s.Nodes) : (i+1)*len(s.Nodes)]
		for k, w := range s.Weights {
			out.integral[i] += w * v[k]
		}
		out.errors[i] = s.LogQError * s.unlike(v)
		if !(out.errors[i] <= acc.LogQTol) || sol.Defect[i] > 10*s.Defect {
			odd = append(odd, i)
		}
	}
	return out, s.adapt(ctx, e, x, odd, t0, t1, acc, out)
}

// unlike is the Mahalanobis length of divergences at the nodes, 1 for those
// like the pilots': under a Gaussian law of unknown scale, the quadrature's
// standard error is proportional to it.
func (s *Schedule) unlike(v []float64) float64 {
	n := len(v)
	var sum float64
	for i, a := range v {
		for j, b := range v {
			sum += a * s.Precision[i*n+j] * b
		}
	}
	return math.Sqrt(sum / float64(n))
}

// adapt moves the odd states again, with steps and nodes of their own.
func (s *Schedule) adapt(ctx context.Context, e *evaluator, x []float64, odd []int, t0, t1 float64, acc Accuracy, out *transported) error {
	if len(odd) == 0 {
		return nil
	}
	acc.Schedule = nil
	part := make([]float64, 0, len(odd)*e.dim)
	for _, i := range odd {
		part = append(part, x[i*e.dim:(i+1)*e.dim]...)
	}
	again, err := e.batch(ctx, e, part, t0, t1, acc)
	if err != nil {
		return err
	}
	for k, i := range odd {
		copy(out.x[i*e.dim:(i+1)*e.dim], again.x[k*e.dim:(k+1)*e.dim])
		out.integral[i], out.errors[i] = again.integral[k], again.errors[k]
	}
	ratio := float64(len(odd)) / float64(len(out.integral))
	out.evaluations += ratio * again.evaluations
	out.divergences += ratio * again.divergences
	return nil
}

// Save writes the schedule as JSON.
func (s *Schedule) Save(path string) error {
	text, err := json.Marshal(s)
	if err == nil { // in one piece: a run that is killed leaves none or a whole one
		err = os.WriteFile(path+".new", append(text, '\n'), 0o644)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("flow: schedule: %w", err)
	}
	return nil
}

// LoadSchedule reads a schedule that Save wrote.
func LoadSchedule(path string) (*Schedule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	s := &Schedule{}
	if err = json.Unmarshal(text, s); err == nil {
		err = s.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("flow: %s: %w; remove the file to have the schedule made anew", path, err)
	}
	return s, nil
}

func (s *Schedule) validate() error {
	n := len(s.Nodes)
	ok := len(s.Mesh) >= 2 && n > 0 && len(s.Weights) == n && len(s.Precision) == n*n && sort.Float64sAreSorted(s.Mesh) && sort.IntsAreSorted(s.Nodes)
	if !ok || s.Mesh[0] != 0 || s.Mesh[len(s.Mesh)-1] != 1 || s.Nodes[0] < 0 || s.Nodes[n-1] >= len(s.Mesh) {
		return fmt.Errorf("no schedule: %d times, %d nodes, %d weights", len(s.Mesh), n, len(s.Weights))
	}
	return nil
}

// upTo are the numbers below n.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// rms is the root mean square difference.
func rms(a, b []float64) float64 {
	var sum float64
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum / float64(len(a)))
}
