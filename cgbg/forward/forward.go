// Package forward carries derivatives forward through GoMLX graphs: beside
// each primal tensor it keeps K tangents, the derivatives along K directions,
// with rules for the few operations that the vector fields use. The primal is
// computed once and nothing is kept for a backward pass, which makes the exact
// divergence of a vector field much cheaper than by reverse mode.
//
// A [Value] holds the primal [batch, n] and the tangents [batch or 1, K, n].
// Everything is dimensionless. Graph-building functions panic on misuse, as
// those of GoMLX do.
package forward

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Value is a tensor with its tangents.
type Value struct {
	X *graph.Node // primal, [batch, n]
	T *graph.Node // tangents, [batch or 1, K, n]; nil for a constant
}

// Variable makes x the independent variable: K = n directions, the unit vectors.
//
// x: [batch, n].
func Variable(x *graph.Node) Value {
	x.AssertRank(2)
	n := x.Shape().Dim(1)
	identity := graph.ConvertDType(graph.Diagonal(x.Graph(), n), x.DType())
	return Value{X: x, T: graph.Reshape(identity, 1, n, n)}
}

// Chain starts from a tensor x whose derivatives along K directions are known.
//
// x: [batch, n]; tangents: [batch or 1, K, n].
func Chain(x, tangents *graph.Node) Value {
	x.AssertRank(2)
	tangents.AssertDims(-1, -1, x.Shape().Dim(1))
	return Value{X: x, T: tangents}
}

// Constant wraps a tensor that does not depend on the independent variable.
//
// x: [batch, n].
func Constant(x *graph.Node) Value {
	x.AssertRank(2)
	return Value{X: x}
}

// Affine returns v·w + b.
//
// w: [n, m]; b: [m]. Result: primal [batch, m], tangents [batch or 1, K, m].
func (v Value) Affine(w, b *graph.Node) Value {
	w.AssertRank(2)
	out := Value{X: graph.Add(graph.MatMul(v.X, w), graph.Reshape(b, 1, -1))}
	if v.T != nil {
		k, n := v.T.Shape().Dim(1), v.T.Shape().Dim(2)
		rows := graph.Reshape(v.T, -1, n) // one matrix product for all directions
		out.T = graph.Reshape(graph.MatMul(rows, w), -1, k, w.Shape().Dim(1))
	}
	return out
}

// Add returns v + u, where both have tangents or none; shapes as broadcast.
func (v Value) Add(u Value) Value {
	out := Value{X: graph.Add(v.X, u.X), T: v.T}
	switch {
	case v.T == nil:
		out.T = u.T
	case u.T != nil:
		out.T = graph.Add(v.T, u.T)
	}
	return out
}

// An Activation is a function of one variable with its derivative, applied to
// every element of z (any shape).
type Activation func(z *graph.Node) (value, derivative *graph.Node)

// Map applies an activation.
func (v Value) Map(f Activation) Value {
	value, derivative := f(v.X)
	out := Value{X: value}
	if v.T != nil {
		out.T = graph.Mul(v.T, graph.InsertAxes(derivative, 1))
	}
	return out
}

// Swish is z·σ(z), with its derivative σ(z)·(1 + z·(1 − σ(z))).
func Swish(z *graph.Node) (value, derivative *graph.Node) {
	s := graph.Sigmoid(z)
	value = graph.Mul(z, s)
	return value, graph.Add(s, graph.Mul(value, graph.OneMinus(s)))
}

// Softplus is ln(1 + exp z), computed without overflow, with its derivative σ(z).
//
// With s = σ(z) it is max(z, 0) − ln max(s, 1−s). Reverse mode through that
// expression takes a dozen operations and is not smooth at 0, so its gradient
// is given by hand: σ(z), which can be differentiated again.
func Softplus(z *graph.Node) (value, derivative *graph.Node) {
	s := graph.Sigmoid(z)
	value = graph.Sub(graph.MaxScalar(z, 0), graph.Log(graph.Max(s, graph.OneMinus(s))))
	through := graph.IdentityWithCustomGradient(z, func(_, v *graph.Node) *graph.Node { return graph.Mul(v, s) })
	return graph.Add(graph.StopGradient(graph.Sub(value, z)), through), s
}

// Trace returns the divergence of v seen as a vector field of the independent
// variable: the sum over i of the i-th component's tangent along direction i.
//
// v: primal [batch, n] with K = n tangents. Result: [batch].
func (v Value) Trace() *graph.Node {
	n := v.X.Shape().Dim(1)
	v.T.AssertDims(-1, n, n)
	identity := graph.ConvertDType(graph.Diagonal(v.X.Graph(), n), v.X.DType())
	return graph.ReduceSum(graph.Mul(v.T, graph.Reshape(identity, 1, n, n)), 1, 2)
}
