package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/cgbg-go/lab/cgbg/keep"
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
	Mesh    []float64 `json:"mesh"`    // flow times of the path, from 0 to 1
	Nodes   []int     `json:"nodes"`   // places in Mesh where the divergence is evaluated
	Weights []float64 `json:"weights"` // of the nodes
	// places in Mesh of a finer rule, for samples with rough paths or unlike the pilots
	Fine        []int     `json:"fine"`
	FineWeights []float64 `json:"fine_weights"`
	Precision   []float64 `json:"precision"` // inverse second moment of the pilots' divergences at the nodes, [n*n]
	// of the quadrature, root mean square over pilots it was not fitted to, nats
	LogQError float64 `json:"logq_error"`
	FineError float64 `json:"fine_error"` // of the finer rule
	PathError float64 `json:"path_error"` // of the end points, root mean square, standardised units
	Defect    float64 `json:"defect"`     // of the paths, root mean square; see ode.MeshSolution
}

// Numbers of samples that a schedule is made from.
const (
	pilots     = 192
	meshPilots = 32
)

// Schedule makes the schedule of the model for samples as precise as acc: end
// points with a third of the error of Dormand–Prince steps at acc.PathTol, and a
// quadrature whose error is a seventh of acc.LogQTol. It takes as long as some hundred samples.
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
	every := upTo(len(times))
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
	s := &Schedule{}
	set, defects, err := s.fitMesh(ctx, e, z, exact, acc.PathTol)
	if err != nil {
		return nil, err
	}
	var smooth []float64 // the others will get the finer rule
	for i, d := range defects {
		if d <= roughPath*s.Defect {
			smooth = append(smooth, divergences[i*len(times):(i+1)*len(times)]...)
		}
	}
	rule, err := fitQuadrature(smooth, acc.LogQTol/7)
	if err != nil {
		return nil, err
	}
	s.Weights, s.LogQError, s.Precision = rule.weights, rule.heldOut, rule.precision
	set(rule.nodes)
	if _, err := s.try(ctx, e, z, exact); err != nil {
		return nil, err
	}
	s.Fine = s.between()
	s.FineWeights, s.FineError = fitWeights(divergences, pick(s.Mesh, s.Fine))
	return s, nil
}

// between are the nodes and, between two of them, the mesh point closest to the middle.
func (s *Schedule) between() []int {
	var out []int
	last := 0
	for _, k := range append(slices.Clone(s.Nodes), len(s.Mesh)-1) {
		middle := last
		for j := last; j < k; j++ {
			if d := func(j int) float64 { return math.Abs(s.Mesh[j] - (s.Mesh[last]+s.Mesh[k])/2) }; d(j) < d(middle) {
				middle = j
			}
		}
		if middle != last || len(out) == 0 {
			out = append(out, middle)
		}
		out = append(out, k)
		last = k
	}
	return slices.Compact(out)
}

func pick(values []float64, index []int) []float64 {
	out := make([]float64, len(index))
	for i, k := range index {
		out[i] = values[k]
	}
	return out
}

// fitMesh chooses a mesh: as dense as steps of Dormand–Prince are, and as fine as
// their error asks for. set remakes it with the given nodes in it; defects are
// those of the pilots.
func (s *Schedule) fitMesh(ctx context.Context, e *evaluator, z, exact []float64,
	tol float64) (set func(nodes []float64), defects []float64, err error) {
	some := meshPilots * e.dim
	sol, err := e.solve(ctx, z[:some], 0, 1, tol)
	if err != nil {
		return nil, nil, err
	}
	target := rms(sol.X, exact[:some]) / 3 // tails of ln q come from the path first
	share, err := steps(sol.Times())
	if err != nil {
		return nil, nil, err
	}
	for n := 16.0; ; n *= 1.15 {
		s.setMesh(nil, share, n)
		_, err := s.try(ctx, e, z[:some], exact[:some])
		switch {
		case ctx.Err() != nil:
			return nil, nil, fmt.Errorf("flow: schedule: %w", ctx.Err())
		case n > maxMesh && err != nil:
			return nil, nil, fmt.Errorf("flow: schedule: %w", err)
		case n > maxMesh || err == nil && s.PathError <= target: // one that is too coarse is not even stable
			defects, err = s.try(ctx, e, z, exact)
			return func(nodes []float64) { s.setMesh(nodes, share, n) }, defects, err
		}
	}
}

// try moves pilots along the mesh, which gives its errors.
func (s *Schedule) try(ctx context.Context, e *evaluator, z, exact []float64) (defects []float64, err error) {
	end, err := ode.SolveMesh(ctx, e.field, z, e.dim, s.Mesh, nil)
	if err != nil {
		return nil, err
	}
	s.PathError, s.Defect = rms(end.X, exact), rms(end.Defect, make([]float64, len(end.Defect)))
	return end.Defect, nil
}

const (
	maxMesh  = 1000
	shortest = 1e-6 // step
)

// setMesh makes a mesh of about n steps; share is the part of all steps before a time.
func (s *Schedule) setMesh(nodes []float64, share interp.Predictor, n float64) {
	s.Mesh, s.Nodes = []float64{0}, nil
	add := func(to float64) {
		from := s.Mesh[len(s.Mesh)-1]
		if to-from < shortest { // nodes that all but coincide share a mesh point
			return
		}
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
	s.Mesh[len(s.Mesh)-1] = 1
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

// Save writes the schedule as JSON, atomically.
func (s *Schedule) Save(path string) error {
	text, err := json.Marshal(s)
	if err == nil {
		err = keep.WriteFile(path, append(text, '\n'))
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
	ok := len(s.Mesh) >= 2 && n > 0 && len(s.Weights) == n && len(s.Precision) == n*n &&
		len(s.Fine) == len(s.FineWeights) && slices.IsSorted(s.Mesh)
	for _, k := range s.Nodes {
		ok = ok && slices.Contains(s.Fine, k)
	}
	for _, k := range s.Fine {
		ok = ok && k >= 0 && k < len(s.Mesh)
	}
	if !ok || s.Mesh[0] != 0 || s.Mesh[len(s.Mesh)-1] != 1 {
		return fmt.Errorf("no schedule: %d times, %d nodes, %d weights", len(s.Mesh), n, len(s.Weights))
	}
	return nil
}
