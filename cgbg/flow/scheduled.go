package flow

import (
	"context"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/ode"
)

// Samples whose paths are rougher than that, in terms of the pilots' Defect, get the
// finer rule; those beyond the second go the adaptive way.
const (
	roughPath = 2
	oddPath   = 10
)

// batch moves states along the schedule, and integrates the divergence. Those
// unlike the pilots go the adaptive way.
func (s *Schedule) batch(ctx context.Context, e *evaluator, x []float64, t0, t1 float64, acc Accuracy) (*transported, error) {
	n := len(x) / e.dim
	mesh := append([]float64(nil), s.Mesh...)
	node, fine := s.places(s.Nodes), s.places(s.Fine)
	if t1 < t0 {
		slices.Reverse(mesh)
		slices.Reverse(node)
		slices.Reverse(fine)
	}
	values := make([]float64, n*len(s.Fine)) // divergences, [state][fine node]
	states := make([][]float64, len(mesh))   // at fine nodes that are no nodes
	div := make([]float64, n)
	sol, err := ode.SolveMesh(ctx, e.field, x, e.dim, mesh, func(k int, t float64, x, dx []float64) error {
		switch {
		case node[k] >= 0:
			if err := e.chunks(ctx, slices.Repeat([]float64{t}, n), x, dx, div, acc.Chunk); err != nil {
				return err
			}
			for i, d := range div {
				values[i*len(s.Fine)+fine[k]] = d
			}
		case fine[k] >= 0:
			states[k] = append([]float64(nil), x...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &transported{x: sol.X, integral: make([]float64, n), errors: make([]float64, n),
		evaluations: float64(sol.Evaluations + len(s.Nodes)), divergences: float64(len(s.Nodes))}
	var refine, odd []int
	inFine := s.places(s.Fine)
	for i := range n {
		v := make([]float64, 0, len(s.Nodes))
		for _, k := range s.Nodes {
			v = append(v, values[i*len(s.Fine)+inFine[k]])
		}
		for k, w := range s.Weights {
			out.integral[i] += w * v[k]
		}
		out.errors[i] = s.LogQError * s.unlike(v)
		switch {
		case !(out.errors[i] <= acc.LogQTol) || sol.Defect[i] > oddPath*s.Defect:
			odd = append(odd, i)
		case sol.Defect[i] > roughPath*s.Defect:
			refine = append(refine, i)
		}
	}
	var t, more []float64
	for k, x := range states {
		if x != nil {
			for _, i := range refine {
				t, more = append(t, mesh[k]), append(more, x[i*e.dim:(i+1)*e.dim]...)
			}
		}
	}
	div = make([]float64, len(t))
	if err := e.chunks(ctx, t, more, nil, div, acc.Chunk); err != nil {
		return nil, err
	}
	for k, x := range states {
		if x != nil {
			for j, i := range refine {
				values[i*len(s.Fine)+fine[k]] = div[j]
			}
			div = div[len(refine):]
		}
	}
	for _, i := range refine {
		out.integral[i], out.errors[i] = 0, s.FineError
		for k, w := range s.FineWeights {
			out.integral[i] += w * values[i*len(s.Fine)+k]
		}
	}
	out.divergences += float64(len(refine)*(len(s.Fine)-len(s.Nodes))) / float64(n)
	return out, s.adapt(ctx, e, x, odd, t0, t1, acc, out)
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
