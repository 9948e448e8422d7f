// Package forward carries derivatives forward through GoMLX graphs: beside
// each primal tensor it keeps K tangents, the derivatives along K directions,
// with rules for the operations that vector fields use. The primal is computed
// once and nothing is kept for a backward pass, which makes the exact
// divergence of a vector field much cheaper than by reverse mode.
//
// A [Value] holds the primal [batch, ...] and the tangents [batch or 1, K, ...]:
// the same axes with the directions after the first. A field that is written
// with values costs no more than one written with nodes when all of them are
// constants. Everything is dimensionless. Graph-building functions panic on
// misuse, as those of GoMLX do.
package forward

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Value is a tensor with its tangents.
type Value struct {
	X *graph.Node // primal, [batch, ...]
	T *graph.Node // tangents, [batch or 1, K, ...]; nil for a constant
}

// Variable makes x the independent variable: K = n directions, the unit vectors.
//
// x: [batch, n].
func Variable(x *graph.Node) Value {
	x.AssertRank(2)
	n := x.Shape().Dim(1)
	return Value{X: x, T: graph.Reshape(unit(x, n), 1, n, n)}
}

// Chain starts from a tensor x whose derivatives along K directions are known.
//
// x: [batch, ...]; tangents: [batch or 1, K, ...].
func Chain(x, tangents *graph.Node) Value {
	tangents.AssertRank(x.Rank() + 1)
	tangents.AssertDims(append([]int{-1, -1}, x.Shape().Dimensions[1:]...)...)
	return Value{X: x, T: tangents}
}

// Constant wraps a tensor that does not depend on the independent variable,
// [batch or 1, ...].
func Constant(x *graph.Node) Value { return Value{X: x} }

// Trace returns the divergence of v seen as a vector field of the independent
// variable: the sum over i of the i-th component's tangent along direction i.
//
// v: primal [batch, n] with K = n tangents. Result: [batch].
func (v Value) Trace() *graph.Node {
	n := v.X.Shape().Dim(1)
	v.T.AssertDims(-1, n, n)
	return graph.ReduceSum(graph.Mul(v.T, graph.Reshape(unit(v.X, n), 1, n, n)), 1, 2)
}

// unit is the unit matrix of x's type.
func unit(x *graph.Node, n int) *graph.Node {
	return graph.ConvertDType(graph.Diagonal(x.Graph(), n), x.DType())
}

// beside gives a primal an axis for the directions, so that it multiplies tangents.
func beside(x *graph.Node) *graph.Node { return graph.InsertAxes(x, 1) }

// spread repeats tangents along the axes that broadcasting gave their primal;
// the batch may stay 1.
func spread(tangents, primal *graph.Node) *graph.Node {
	if tangents == nil {
		return nil
	}
	dims := append([]int{tangents.Shape().Dim(0), tangents.Shape().Dim(1)}, primal.Shape().Dimensions[1:]...)
	return graph.BroadcastToDims(tangents, dims...)
}

// everyBatch repeats tangents that all samples share.
func everyBatch(tangents *graph.Node, batch int) *graph.Node {
	dims := append([]int{batch}, tangents.Shape().Dimensions[1:]...)
	return graph.BroadcastToDims(tangents, dims...)
}

// plus adds tangents, either of which may be nil.
func plus(a, b *graph.Node) *graph.Node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return graph.Add(a, b)
}
