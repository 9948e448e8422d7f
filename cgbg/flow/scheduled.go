package flow

import (
	"context"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/ode"
)

// roughPath is how rough a path may be, in terms of the pilots' Defect. A rougher
// one gets a mesh of half the steps and the finer rule: there both errors have
// their tails.
const roughPath = 2

// finer is the schedule of samples with rough paths. One that is rough even there
// goes the adaptive way.
func (s *Schedule) finer() *Schedule {
	f := &Schedule{Mesh: make([]float64, 0, 2*len(s.Mesh)), Weights: s.FineWeights, LogQError: s.FineError, Defect: s.Defect}
	for k, t := range s.Mesh {
		if k > 0 {
			f.Mesh = append(f.Mesh, (s.Mesh[k-1]+t)/2)
		}
		f.Mesh = append(f.Mesh, t)
	}
	for _, k := range s.Fine {
		f.Nodes = append(f.Nodes, 2*k)
	}
	return f
}

// last says that there is no finer schedule.
func (s *Schedule) last() bool { return s.Fine == nil }

// batch moves states along the schedule, and integrates the divergence. Those
// that it is not good enough for are listed, rough or odd.
func (s *Schedule) batch(ctx context.Context, e *evaluator, x []float64, t0, t1 float64, acc Accuracy) (*transported, error) {
	n := len(x) / e.dim
	mesh, node := slices.Clone(s.Mesh), s.places(s.Nodes)
	if t1 < t0 {
		slices.Reverse(mesh)
		slices.Reverse(node)
	}
	values := make([]float64, n*len(s.Nodes)) // divergences, [state][node]
	div := make([]float64, n)
	sol, err := ode.SolveMesh(ctx, e.field, x, e.dim, mesh, func(k int, t float64, x, dx []float64) error {
		if node[k] < 0 {
			return nil
		}
		if err := e.chunks(ctx, slices.Repeat([]float64{t}, n), x, dx, div, acc.Chunk); err != nil {
			return err
		}
		for i, d := range div {
			values[i*len(s.Nodes)+node[k]] = d
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &transported{x: sol.X, integral: make([]float64, n), errors: make([]float64, n),
		evaluations: float64(sol.Evaluations + len(s.Nodes)), divergences: float64(len(s.Nodes))}
	for i := range n {
		v := values[i*len(s.Nodes) : (i+1)*len(s.Nodes)]
		for k, w := range s.Weights {
			out.integral[i] += w * v[k]
		}
		out.errors[i] = s.LogQError
		if s.Precision != nil {
			out.errors[i] *= s.unlike(v)
		}
		switch rough := sol.Defect[i] > roughPath*s.Defect; {
		case !(out.errors[i] <= acc.LogQTol) || rough && s.last():
			out.odd = append(out.odd, i)
		case rough:
			out.rough = append(out.rough, i)
		}
	}
	return out, nil
}

// places are the numbers that mesh points have among the given ones, −1 for others.
func (s *Schedule) places(points []int) []int {
	out := make([]int, len(s.Mesh))
	for k := range out {
		out[k] = slices.Index(points, k)
	}
	return out
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
