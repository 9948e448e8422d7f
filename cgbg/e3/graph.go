package e3

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// HarmonicGraph builds the harmonics of degree l of unit vectors given by their
// coordinates, nodes of one shape. Result: 2l+1 nodes of that shape. A constant
// component (degree 0) is a node of ones.
func HarmonicGraph(l int, x, y, z *graph.Node) []*graph.Node {
	axes := []*graph.Node{x, y, z}
	powers := make([][]*graph.Node, 3) // powers[axis][n-1]
	pow := func(axis, n int) *graph.Node {
		for len(powers[axis]) < n {
			next := axes[axis]
			if k := len(powers[axis]); k > 0 {
				next = graph.Mul(powers[axis][k-1], next)
			}
			powers[axis] = append(powers[axis], next)
		}
		return powers[axis][n-1]
	}
	var out []*graph.Node
	for _, terms := range harmonicTerms(l) {
		var sum *graph.Node
		for _, t := range terms {
			var product *graph.Node
			for axis, n := range []int{t.X, t.Y, t.Z} {
				if n == 0 {
					continue
				}
				if product == nil {
					product = pow(axis, n)
				} else {
					product = graph.Mul(product, pow(axis, n))
				}
			}
			if product == nil {
				product = graph.OnesLike(x)
			}
			if t.Coef != 1 {
				product = graph.MulScalar(product, t.Coef)
			}
			if sum == nil {
				sum = product
			} else {
				sum = graph.Add(sum, product)
			}
		}
		out = append(out, sum)
	}
	return out
}

// Linear builds the equivariant linear map y_w = Σ_u W[u,w] x_u/√rows of
// features that transform alike, the same for every component; channels are
// axis 1. A map per node has its own weights at every index of axis 0.
//
// w: [rows, columns] or [nodes, rows, columns]; x: [nodes, rows, …]. Result: [nodes, columns, …].
func Linear(w, x *graph.Node) *graph.Node {
	nodes, rows := x.Shape().Dim(0), x.Shape().Dim(1)
	if w.Rank() == 2 {
		w = graph.BroadcastToDims(graph.InsertAxes(w, 0), nodes, rows, w.Shape().Dim(1))
	}
	w.AssertDims(nodes, rows, -1)
	w = graph.MulScalar(w, 1/math.Sqrt(float64(rows)))
	flat := graph.Einsum("nuw,nur->nwr", w, graph.Reshape(x, nodes, rows, -1))
	dims := append([]int{nodes, w.Shape().Dim(2)}, x.Shape().Dimensions[2:]...)
	return graph.Reshape(flat, dims...)
}
