package flow

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// couplings carry coordinates, some of them on circles, to a base distribution and back, each way in one pass and with
// its log-determinant in closed form: in every layer some coordinates go through monotonic splines
// (rationalquadratic.go) whose knots a perceptron makes from the others. The base is N(0, 1) on the line and uniform on
// a circle.
//
// Sources: C. Durkan et al., arXiv 1906.04032; on circles, D. J. Rezende et al., arXiv 2002.02428.
type couplings struct {
	Circle []bool // coordinate n is on the circle (−π, π]
	Width  int    // of the perceptrons
	Bins   int    // of a spline

	Moved  [][]bool    // of each layer: the coordinates that it moves
	Shifts [][]float64 // of each layer: by what it turns the circles first, so that no place on them is special
}

const (
	reach        = 7.0 // splines on the line leave alone what is beyond ±reach
	waves        = 3   // frequencies in which a perceptron sees a circle
	lineScale    = 0.5 // of what it sees of a line
	smallSplines = 0.01
)

// newCouplings draws which coordinates move together: halves at random, then the other halves.
func newCouplings(circle []bool, layers, width, bins int, rng *rand.Rand) couplings {
	c := couplings{Circle: circle, Width: width, Bins: bins}
	n := len(circle)
	for l := range layers {
		moved, shift := make([]bool, n), make([]float64, n)
		if l%2 == 0 {
			for _, i := range rng.Perm(n)[:(n+1)/2] {
				moved[i] = true
			}
		} else {
			for i, m := range c.Moved[l-1] {
				moved[i] = !m
			}
		}
		for i := range shift {
			if circle[i] {
				shift[i] = math.Pi * (2*rng.Float64() - 1)
			}
		}
		c.Moved, c.Shifts = append(c.Moved, moved), append(c.Shifts, shift)
	}
	return c
}

// parts are the coordinates that a layer moves, and those that it looks at, on lines and on circles.
func (c couplings) parts(layer int) (moved, lines, circles []int) {
	for i, m := range c.Moved[layer] {
		switch {
		case m:
			moved = append(moved, i)
		case c.Circle[i]:
			circles = append(circles, i)
		default:
			lines = append(lines, i)
		}
	}
	return moved, lines, circles
}

// knots is how many numbers make a spline: widths, heights, slopes.
func (c couplings) knots() int { return 3 * c.Bins }

func (c couplings) init(store *model.Store, rng *rand.Rand) {
	for l := range c.Moved {
		moved, lines, circles := c.parts(l)
		name := func(part string) string { return fmt.Sprintf("layers/%d/%s", l, part) }
		train.AddDense(store, rng, name("in"), max(1, len(lines)+2*waves*len(circles)), c.Width)
		train.AddDense(store, rng, name("0"), c.Width, c.Width)
		train.AddDense(store, rng, name("1"), c.Width, c.Width)
		train.AddScaledDense(store, rng, name("out"), c.Width, len(moved)*c.knots(), smallSplines)
	}
}

// toBase carries coordinates to the base. x: [n, batch]; result: [n, batch], and the logarithms of the splines' slopes,
// whose sum over the first axis is ln |∂base/∂x|.
func (c couplings) toBase(w weights, x *graph.Node) (base, slopes *graph.Node) {
	var all []*graph.Node
	for l := range c.Moved {
		x = c.wrap(graph.Add(x, column(x, c.Shifts[l])))
		var s *graph.Node
		x, s = c.layer(w.of(l), l, x, false)
		all = append(all, s)
	}
	return x, graph.Concatenate(all, 0)
}

// fromBase is the inverse of toBase; the sum of its slopes is ln |∂x/∂base|.
func (c couplings) fromBase(w weights, x *graph.Node) (out, slopes *graph.Node) {
	var all []*graph.Node
	for l := len(c.Moved) - 1; l >= 0; l-- {
		var s *graph.Node
		x, s = c.layer(w.of(l), l, x, true)
		x = c.wrap(graph.Sub(x, column(x, c.Shifts[l])))
		all = append(all, s)
	}
	return x, graph.Concatenate(all, 0)
}

func (c couplings) layer(w weights, l int, x *graph.Node, inverse bool) (out, slopes *graph.Node) {
	moved, lines, circles := c.parts(l)
	affine := func(h *graph.Node, name string) *graph.Node {
		return graph.Add(graph.MatMul(graph.Transpose(w(name+"/w"), 0, 1), h), graph.InsertAxes(w(name+"/b"), 1))
	}
	silu := func(h *graph.Node) *graph.Node { return graph.Mul(h, graph.Sigmoid(h)) }
	var seen []*graph.Node
	if len(lines) > 0 {
		seen = append(seen, graph.MulScalar(rowsAt(x, lines), lineScale))
	}
	if len(circles) > 0 {
		angle := rowsAt(x, circles)
		for k := 1; k <= waves; k++ {
			a := graph.MulScalar(angle, float64(k))
			seen = append(seen, graph.Cos(a), graph.Sin(a))
		}
	}
	if len(seen) == 0 { // a single coordinate: its spline depends on nothing
		seen = append(seen, graph.ZerosLike(rowsAt(x, moved[:1])))
	}
	h := silu(affine(graph.Concatenate(seen, 0), "in"))
	h = graph.Add(h, silu(affine(h, "0")))
	h = graph.Add(h, silu(affine(h, "1")))
	s := c.splines(moved, graph.Reshape(affine(h, "out"), c.knots(), len(moved), x.Shape().Dim(1)))
	y := rowsAt(x, moved)
	if inverse {
		y, slopes = s.inverse(y)
	} else {
		y, slopes = s.forward(y)
	}
	keep := make([]float64, len(c.Circle))
	for i, m := range c.Moved[l] {
		if !m {
			keep[i] = 1
		}
	}
	return graph.Add(graph.Mul(x, column(x, keep)), intoRows(y, moved, len(c.Circle))), slopes
}

// wrap takes circles to (−π, π].
func (c couplings) wrap(x *graph.Node) *graph.Node {
	turn := make([]float64, len(c.Circle))
	for i, on := range c.Circle {
		if on {
			turn[i] = 2 * math.Pi
		}
	}
	turns := graph.StopGradient(graph.Round(graph.MulScalar(x, 1/(2*math.Pi))))
	return graph.Sub(x, graph.Mul(turns, column(x, turn)))
}

// logBase is the logarithm of the base's density. base: [n, batch]; result: the same, to be summed.
func (c couplings) logBase(base *graph.Node) *graph.Node {
	line, flat := make([]float64, len(c.Circle)), make([]float64, len(c.Circle))
	for i, on := range c.Circle {
		line[i], flat[i] = -0.5, -0.5*math.Log(2*math.Pi)
		if on {
			line[i], flat[i] = 0, -math.Log(2*math.Pi)
		}
	}
	return graph.Add(graph.Mul(graph.Square(base), column(base, line)), column(base, flat))
}

// column is a constant [n, 1].
func column(at *graph.Node, values []float64) *graph.Node {
	return constant(at, matrix{len(values), 1, values})
}

// rowsAt takes rows. x: [n, batch]; result: [len(rows), batch]. A product with a constant has a gradient on every
// backend, and is exact.
func rowsAt(x *graph.Node, rows []int) *graph.Node {
	return graph.MatMul(graph.Transpose(constant(x, chosen(rows, x.Shape().Dim(0))), 0, 1), x)
}

// intoRows is the transpose of rowsAt: zeros but in the rows.
func intoRows(y *graph.Node, rows []int, n int) *graph.Node {
	return graph.MatMul(constant(y, chosen(rows, n)), y)
}

// chosen is the matrix that puts rows in their places among n.
func chosen(rows []int, n int) matrix {
	m := matrix{n, len(rows), make([]float64, n*len(rows))}
	for k, i := range rows {
		m.values[i*len(rows)+k] = 1
	}
	return m
}

// total adds over the first axis, in float64 where wide.
func total(x *graph.Node, wide bool) *graph.Node {
	if wide {
		x = graph.ConvertDType(x, dtypes.Float64)
	}
	return graph.ReduceSum(x, 0)
}
