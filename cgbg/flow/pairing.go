package flow

import (
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Pairing says which noise x₀ a frame x₁ is joined with along a straight line.
// Whatever the pairing, x₀ is normal and x₁ a frame in random orientation; lines
// that cross less make flows that are easier to learn and to integrate.
type Pairing string

const (
	// Independent noise, as published. The empty name stands for it, too.
	Independent Pairing = "independent"
	// Aligned turns every frame onto its noise (Kabsch), and shifts it to the
	// same centre, instead of at random: both laws are invariant under rotation,
	// and the centre of the noise has the law of the shift.
	Aligned Pairing = "aligned"
	// Transported pairs the frames of a batch with its noise by entropic optimal
	// transport (A. Tong et al., arXiv 2302.00482, with Sinkhorn's iteration).
	Transported Pairing = "transported"
)

const (
	squarings        = 12   // of Horn's matrix: powers up to 2¹²
	sinkhornSteps    = 50   // sweeps over rows and columns
	sinkhornSoftness = 0.05 // of the mean cost
)

// align turns frames onto their noise and shifts them to its centre.
//
// x1: centred frames; x0: noise; both [batch, 3*beads].
//
// Source: B. K. P. Horn, J. Opt. Soc. Am. A 4 (1987) 629: the best rotation is the
// quaternion that belongs to the largest eigenvalue of a symmetric 4×4 matrix. It
// is found by squaring the shifted matrix until only that eigenvector is left.
func align(store *model.Store, x1, x0 *graph.Node, beads int) *graph.Node {
	batch := x1.Shape().Dim(0)
	target := graph.Reshape(x0, batch, beads, axes)
	centre := graph.ReduceAndKeep(target, graph.ReduceMean, 1)
	frame := graph.Reshape(x1, batch, beads, axes)
	s := graph.Einsum("bni,bnj->bij", frame, graph.Sub(target, centre))
	at := func(i, j int) *graph.Node {
		return graph.Reshape(graph.Slice(s, graph.AxisRange(), graph.AxisElem(i), graph.AxisElem(j)), batch)
	}
	add, sub := graph.Add, graph.Sub
	xx, yy, zz := at(0, 0), at(1, 1), at(2, 2)
	a, b, c := sub(at(1, 2), at(2, 1)), sub(at(2, 0), at(0, 2)), sub(at(0, 1), at(1, 0))
	d, e, f := add(at(0, 1), at(1, 0)), add(at(2, 0), at(0, 2)), add(at(1, 2), at(2, 1))
	horn := graph.Reshape(graph.Stack([]*graph.Node{
		add(add(xx, yy), zz), a, b, c,
		a, sub(sub(xx, yy), zz), d, e,
		b, d, sub(sub(yy, xx), zz), f,
		c, e, f, sub(sub(zz, xx), yy),
	}, 1), batch, 4, 4)
	norm := func(m *graph.Node) *graph.Node {
		return graph.Sqrt(graph.ReduceAndKeep(graph.Square(m), graph.ReduceSum, 1, 2))
	}
	unit := graph.Reshape(graph.ConvertDType(graph.Diagonal(x1.Graph(), 4), x1.DType()), 1, 4, 4)
	m := graph.Add(horn, graph.Mul(norm(horn), unit)) // no negative eigenvalue
	for range squarings {
		m = graph.Einsum("bij,bjk->bik", m, m)
		m = graph.Div(m, norm(m))
	}
	any := store.RandomNormal(x1.Graph(), shapes.Make(x1.DType(), batch, 4))
	q := graph.Einsum("bij,bj->ib", m, any)
	turned := graph.Einsum("bnj,bij->bni", frame, rotation(graph.StopGradient(q)))
	return graph.Reshape(graph.Add(turned, centre), batch, axes*beads)
}

// optimal draws for every noise a frame of the batch, with the probabilities
// of the entropic transport plan between the two.
//
// x1, x0: [batch, dim]. Result: frames, [batch, dim], where one may stand twice.
func optimal(store *model.Store, x1, x0 *graph.Node) *graph.Node {
	batch := x1.Shape().Dim(0)
	square := func(x *graph.Node) *graph.Node { return graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, 1) }
	cost := graph.Sub(graph.Add(square(x0), graph.Transpose(square(x1), 0, 1)),
		graph.MulScalar(graph.Einsum("id,jd->ij", x0, x1), 2))
	logit := graph.Neg(graph.Div(cost, graph.MulScalar(graph.ReduceAllMean(cost), sinkhornSoftness)))
	for range sinkhornSteps { // log-weights whose columns, then rows, sum to one
		logit = graph.LogSoftmax(graph.LogSoftmax(logit, 0), 1)
	}
	uniform := graph.MaxScalar(store.RandomUniform(x1.Graph(), shapes.Make(x1.DType(), batch, batch)),
		math.SmallestNonzeroFloat32)
	gumbel := graph.Neg(graph.Log(graph.MaxScalar(graph.Neg(graph.Log(uniform)), 1e-30)))
	choice := graph.ArgMax(graph.Add(logit, gumbel), 1)
	return graph.Gather(x1, graph.InsertAxes(choice, -1))
}
