package flow

import (
	"context"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/ode"
)

// Where the errors have their tails, in terms of the pilots' root mean squares.
const (
	roughPath  = 2.5 // Defect; a rougher path is stepped anew, in halves, with the finer rule
	unlikeRule = 1.2 // length of the divergences, see unlike; a greater one gets the finer rule
	roughRule  = 1.6 // Defect; likewise
)

// finer is the schedule of samples with rough paths. One that is rough even there
// goes the adaptive way.
func (s *Schedule) finer() *Schedule {
	f := &Schedule{Mesh: make([]float64, 0, 2*len(s.Mesh)), Weights: s.FineWeights, LogQError: s.FineError,
		Defect: s.Defect}
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
func (s *Schedule) batch(ctx context.Context, e *evaluator, x []float64, t0, t1 float64, acc Accuracy) (*transported,
	error) {
	n := len(x) / e.dim
	mesh, node, fine := slices.Clone(s.Mesh), s.places(s.Nodes), s.places(s.Fine)
	if t1 < t0 {
		slices.Reverse(mesh)
		slices.Reverse(node)
		slices.Reverse(fine)
	}
	values := make([]float64, n*len(s.Nodes)) // divergences, [state][node]
	between := make([][]float64, len(s.Fine)) // states at nodes of the finer rule alone
	div := make([]float64, n)
	sol, err := ode.SolveMesh(ctx, e.field, x, e.dim, mesh, func(k int, t float64, x, dx []float64) error {
		if node[k] < 0 {
			if fine[k] >= 0 {
				between[fine[k]] = slices.Clone(x)
			}
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
	var again []int // states for the finer rule
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
		case !s.last() && (out.errors[i] > unlikeRule*s.LogQError || sol.Defect[i] > roughRule*s.Defect):
			again = append(again, i)
		}
	}
	return out, s.refine(ctx, e, again, between, values, acc, out)
}

// refine integrates the divergence of some states by the finer rule.
func (s *Schedule) refine(ctx context.Context, e *evaluator, states []int, between [][]float64, values []float64,
	acc Accuracy, out *transported) error {
	var t, x []float64
	for k, part := range between {
		for _, i := range states {
			if part != nil {
				t, x = append(t, s.Mesh[s.Fine[k]]), append(x, part[i*e.dim:(i+1)*e.dim]...)
			}
		}
	}
	div := make([]float64, len(t))
	if err := e.chunks(ctx, t, x, nil, div, acc.Chunk); err != nil {
		return err
	}
	out.divergences += float64(len(t)) / float64(len(out.integral))
	for _, i := range states {
		out.errors[i] *= s.FineError / s.LogQError
		out.integral[i] = 0
	}
	node := s.places(s.Nodes)
	for k, w := range s.FineWeights {
		for _, i := range states {
			if j := node[s.Fine[k]]; j >= 0 {
				out.integral[i] += w * values[i*len(s.Nodes)+j]
			} else {
				out.integral[i] += w * div[0]
				div = div[1:]
			}
		}
	}
	return nil
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
