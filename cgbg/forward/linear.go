package forward

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Affine returns v·w + b along the last axis; b may be nil.
//
// w: [n, m]; b: [m]. Result: primal [batch, ..., m], tangents [batch or 1, K, ..., m].
func (v Value) Affine(w, b *graph.Node) Value {
	w.AssertRank(2)
	out := Value{X: mulRows(v.X, w)}
	if v.T != nil {
		out.T = mulRows(v.T, w)
	}
	if b != nil {
		out.X = graph.Add(out.X, graph.ExpandLeftToRank(b, out.X.Rank()))
	}
	return out
}

// mulRows multiplies all rows of x by w in one matrix product.
func mulRows(x, w *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	flat := graph.MatMul(graph.Reshape(x, -1, dims[len(dims)-1]), w)
	return graph.Reshape(flat, append(append([]int{}, dims[:len(dims)-1]...), w.Shape().Dim(1))...)
}

// Add returns v + u; axes of length 1 are broadcast.
func (v Value) Add(u Value) Value {
	x := graph.Add(v.X, u.X)
	return Value{X: x, T: plus(spread(v.T, x), spread(u.T, x))}
}

// Sub returns v − u; axes of length 1 are broadcast.
func (v Value) Sub(u Value) Value { return v.Add(u.Scale(-1)) }

// Scale returns c·v.
func (v Value) Scale(c float64) Value {
	out := Value{X: graph.MulScalar(v.X, c)}
	if v.T != nil {
		out.T = graph.MulScalar(v.T, c)
	}
	return out
}

// Mul returns the product element by element; axes of length 1 are broadcast.
func (v Value) Mul(u Value) Value {
	out := Value{X: graph.Mul(v.X, u.X)}
	if v.T != nil {
		out.T = spread(graph.Mul(v.T, beside(u.X)), out.X)
	}
	if u.T != nil {
		out.T = plus(out.T, spread(graph.Mul(u.T, beside(v.X)), out.X))
	}
	return out
}

// Sum adds up along an axis of the primal, counted from 1 up or from −1 down,
// and keeps it with length 1.
func (v Value) Sum(axis int) Value {
	out := Value{X: graph.ReduceAndKeep(v.X, graph.ReduceSum, axis)}
	if v.T != nil {
		if axis > 0 {
			axis++
		}
		out.T = graph.ReduceAndKeep(v.T, graph.ReduceSum, axis)
	}
	return out
}

// Reshape gives the axes after the batch other lengths, of the same product.
func (v Value) Reshape(dims ...int) Value {
	out := Value{X: graph.Reshape(v.X, append([]int{v.X.Shape().Dim(0)}, dims...)...)}
	if v.T != nil {
		out.T = graph.Reshape(v.T, append([]int{v.T.Shape().Dim(0), v.T.Shape().Dim(1)}, dims...)...)
	}
	return out
}

// Concatenate joins values along their last axis. Their other axes must agree.
func Concatenate(values ...Value) Value {
	var primals, tangents []*graph.Node
	var some *graph.Node
	for _, v := range values {
		primals = append(primals, v.X)
		if v.T != nil && (some == nil || v.T.Shape().Dim(0) > some.Shape().Dim(0)) {
			some = v.T
		}
	}
	out := Value{X: graph.Concatenate(primals, -1)}
	if some == nil {
		return out
	}
	for _, v := range values {
		dims := append([]int{some.Shape().Dim(0), some.Shape().Dim(1)}, v.X.Shape().Dimensions[1:]...)
		if v.T == nil {
			tangents = append(tangents, graph.BroadcastToDims(graph.ScalarZero(v.X.Graph(), v.X.DType()), dims...))
		} else {
			tangents = append(tangents, graph.BroadcastToDims(v.T, dims...))
		}
	}
	out.T = graph.Concatenate(tangents, -1)
	return out
}

// Einsum is the product of v and u that the equation tells, "bihd,bjhd->bhij"
// say. The first letter of the result, and of every operand with tangents, is
// the batch; a constant may do without.
func Einsum(equation string, v, u Value) Value {
	left, result, ok := strings.Cut(equation, "->")
	first, second, ok2 := strings.Cut(left, ",")
	if !ok || !ok2 || strings.Contains(equation, "Z") {
		panic(fmt.Errorf("forward: %q is no equation of two operands, such as \"bij,bjk->bik\"", equation))
	}
	out := Value{X: graph.Einsum(equation, v.X, u.X)}
	batch := out.X.Shape().Dim(0)
	direction := func(axes string) string { return axes[:1] + "Z" + axes[1:] }
	if v.T != nil {
		out.T = graph.Einsum(direction(first)+","+second+"->"+direction(result), everyBatch(v.T, batch), u.X)
	}
	if u.T != nil {
		out.T = plus(out.T, graph.Einsum(first+","+direction(second)+"->"+direction(result), v.X,
			everyBatch(u.T, batch)))
	}
	return out
}
