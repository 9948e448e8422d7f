package forward

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// An Activation is a function of one variable with its derivative, applied to
// every element of z (any shape).
type Activation func(z *graph.Node) (value, derivative *graph.Node)

// Map applies an activation.
func (v Value) Map(f Activation) Value {
	value, derivative := f(v.X)
	out := Value{X: value}
	if v.T != nil {
		out.T = graph.Mul(v.T, beside(derivative))
	}
	return out
}

// Sigmoid is σ(z) = 1/(1 + exp −z), with its derivative σ(1 − σ).
func Sigmoid(z *graph.Node) (value, derivative *graph.Node) {
	s := graph.Sigmoid(z)
	return s, graph.Mul(s, graph.OneMinus(s))
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

// Coefficients of the tanh form of GELU: Hendrycks and Gimpel, arXiv 1606.08415.
var (
	geluScale = math.Sqrt(2 / math.Pi)
	geluCubic = 0.044715
)

// GELU is ½z(1 + tanh u) with u = √(2/π)(z + 0.044715 z³), and its derivative
// ½(1 + tanh u) + ½z(1 − tanh² u)·du/dz.
func GELU(z *graph.Node) (value, derivative *graph.Node) {
	square := graph.Square(z)
	u := graph.Mul(z, graph.AddScalar(graph.MulScalar(square, geluScale*geluCubic), geluScale))
	th := graph.Tanh(u)
	half := graph.MulScalar(graph.OnePlus(th), 0.5)
	slope := graph.AddScalar(graph.MulScalar(square, 3*geluScale*geluCubic), geluScale)
	bend := graph.Mul(graph.MulScalar(z, 0.5), graph.Mul(graph.OneMinus(graph.Square(th)), slope))
	return graph.Mul(z, half), graph.Add(half, bend)
}

// Softmax is exp z / Σ exp z along the last axis.
func (v Value) Softmax() Value {
	out := Value{X: graph.Softmax(v.X, -1)}
	if v.T != nil {
		out.T = softmaxTangents(out.X, v.T)
	}
	return out
}

// softmaxTangents are the tangents of a softmax along the last axis,
// a·(ż − Σ a·ż), from its values a, [batch, ...], and the tangents ż of its
// arguments, [batch or 1, K, ...].
func softmaxTangents(a, tangents *graph.Node) *graph.Node {
	weighted := graph.Mul(tangents, beside(a))
	mean := graph.ReduceAndKeep(weighted, graph.ReduceSum, -1)
	return graph.Sub(weighted, graph.Mul(beside(a), mean))
}

// Norm is a layer norm at work: what its values and tangents are made from.
type Norm struct {
	unit, inverse *graph.Node // (x − mean)/σ, [batch, ..., n]; 1/σ, [batch, ..., 1]
	scale, bias   *graph.Node // [n]
}

// newNorm normalises x along its last axis to mean 0 and variance 1, the
// variance with epsilon added, scale and bias, [n], to follow (J. L. Ba et al.,
// arXiv 1607.06450).
func newNorm(x, scale, bias *graph.Node, epsilon float64) Norm {
	centred := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
	variance := graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, -1)
	inverse := graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, epsilon)))
	return Norm{unit: graph.Mul(centred, inverse), inverse: inverse, scale: scale, bias: bias}
}

// Value is the normalised x, [batch, ..., n].
func (l Norm) Value() *graph.Node {
	rank := l.unit.Rank()
	return graph.Add(graph.Mul(l.unit, graph.ExpandLeftToRank(l.scale, rank)), graph.ExpandLeftToRank(l.bias, rank))
}

// Tangents are those of Value, from tangents of x, [batch or 1, K, ..., n]:
// scale/σ·(ẋ − mean ẋ − u·mean(u·ẋ)), where u is x with mean 0 and variance 1.
func (l Norm) Tangents(tangents *graph.Node) *graph.Node {
	u := beside(l.unit)
	mean := graph.ReduceAndKeep(tangents, graph.ReduceMean, -1)
	along := graph.ReduceAndKeep(graph.Mul(tangents, u), graph.ReduceMean, -1)
	rest := graph.Sub(graph.Sub(tangents, mean), graph.Mul(u, along))
	factor := graph.Mul(l.inverse, graph.ExpandLeftToRank(l.scale, l.inverse.Rank()))
	return graph.Mul(rest, beside(factor))
}

// LayerNorm applies a layer norm along the last axis; see newNorm.
func (v Value) LayerNorm(scale, bias *graph.Node, epsilon float64) Value {
	norm := newNorm(v.X, scale, bias, epsilon)
	out := Value{X: norm.Value()}
	if v.T != nil {
		out.T = norm.Tangents(v.T)
	}
	return out
}
