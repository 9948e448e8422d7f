package flow

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// splines are monotonic rational-quadratic splines, one for every number of a [n, batch] tensor: on the line from
// −reach to reach, with the identity beyond; on a circle from −π to π, where both ends are one place. The batch comes
// last, so that all that is summed over is far apart in memory, and all that is alike together.
//
// Source: C. Durkan et al., arXiv 1906.04032, Eqs. 4 to 8.
type splines struct {
	bins          int
	low, length   *graph.Node // of the interval, [n, 1]
	width, height *graph.Node // of the bins, parts of the length, [bins, n, batch]
	slopes        *graph.Node // at the left ends of the bins, before softplus, [bins, n, batch]
	circle        *graph.Node // 1 on circles, 0 on lines, [n, 1]
}

const (
	leastBin   = 1e-3 // width and height of a bin, parts of the interval
	leastSlope = 1e-3
)

// splines are made from the perceptron's numbers, [3*bins, n, batch]: zeros make the identity.
func (c couplings) splines(moved []int, p *graph.Node) splines {
	n, k := len(moved), c.Bins
	low, length, on := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, m := range moved {
		low[i], length[i] = -reach, 2*reach
		if c.Circle[m] {
			low[i], length[i], on[i] = -math.Pi, 2*math.Pi, 1
		}
	}
	part := func(from int) *graph.Node { return graph.Slice(p, graph.AxisRange(from, from+k)) }
	return splines{bins: k, low: column(p, low), length: column(p, length), circle: column(p, on), width: bins(part(0)),
		height: bins(part(k)), slopes: part(2 * k)}
}

// bins are positive parts of 1, none below leastBin.
func bins(p *graph.Node) *graph.Node {
	k := p.Shape().Dim(0)
	e := graph.Exp(graph.Sub(p, graph.StopGradient(graph.ReduceAndKeep(p, graph.ReduceMax, 0))))
	parts := graph.Div(e, graph.ReduceAndKeep(e, graph.ReduceSum, 0))
	return graph.AddScalar(graph.MulScalar(parts, 1-leastBin*float64(k)), leastBin)
}

// softplus is ln(1 + eˣ), without overflow.
func softplus(x *graph.Node) *graph.Node {
	return graph.Add(graph.MaxScalar(x, 0), graph.Log1P(graph.Exp(graph.Neg(graph.Abs(x)))))
}

// bin is the part of each spline that a number falls into, everything [n, batch].
type bin struct {
	x, y, dx, dy, d0, d1 *graph.Node // lower left corner, sizes, slopes at the ends
	inside               *graph.Node // whether the number is in the interval
	at                   *graph.Node // it, or a number inside in its place
}

// find looks for numbers, [n, batch], among the bins' sizes on their axis: widths, or heights of the inverse.
func (s splines) find(v, sizes *graph.Node) bin {
	high := graph.Add(s.low, s.length)
	margin := graph.MulScalar(s.length, 1e-6)
	b := bin{inside: graph.And(graph.GreaterThan(v, s.low), graph.LessThan(v, high))}
	// A circle has no beyond, though its ends are hit in float32.
	b.inside = graph.Or(b.inside, graph.BroadcastToShape(graph.GreaterThan(s.circle, graph.ZerosLike(s.circle)),
		b.inside.Shape()))
	b.at = graph.Max(graph.Min(v, graph.Sub(high, margin)), graph.Add(s.low, margin))

	// Right ends of all bins but the last, by a product with a triangle: a running sum has no gradient on every backend.
	k := s.bins
	triangle := matrix{k, k, make([]float64, k*k)}
	for i := range k {
		for j := range i + 1 {
			triangle.values[i*k+j] = 1
			if i == k-1 {
				triangle.values[i*k+j] = 2 // beyond all numbers
			}
		}
	}
	n, batch := sizes.Shape().Dim(1), sizes.Shape().Dim(2)
	ends := graph.MatMul(constant(v, triangle), graph.Reshape(graph.StopGradient(sizes), k, n*batch))
	ends = graph.Reshape(ends, k, n, batch)
	place := graph.InsertAxes(graph.Div(graph.Sub(b.at, s.low), s.length), 0)
	above := graph.ConvertDType(graph.GreaterOrEqual(place, ends), v.DType()) // of a bin: the number is beyond it
	first := graph.OnesLike(graph.Slice(above, graph.AxisElem(0)))
	reached := first
	if k > 1 {
		reached = graph.Concatenate([]*graph.Node{first, graph.Slice(above, graph.AxisRange(0, k-1))}, 0)
	}
	above, reached = graph.StopGradient(above), graph.StopGradient(reached)
	here := graph.Sub(reached, above)
	of := func(mask, x *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(mask, x), 0) }
	scaled := func(mask, x *graph.Node) *graph.Node { return graph.Mul(of(mask, x), s.length) }
	b.x, b.y = graph.Add(scaled(above, s.width), s.low), graph.Add(scaled(above, s.height), s.low)
	b.dx, b.dy = scaled(here, s.width), scaled(here, s.height)

	// A slope of 1 meets the identity beyond a line's interval; a circle has the same at both ends.
	end := graph.Mul(graph.Slice(s.slopes, graph.AxisElem(0)), graph.InsertAxes(s.circle, 0))
	left, right := end, end
	if k > 1 {
		inner := graph.Slice(s.slopes, graph.AxisRange(1, k))
		left = graph.Concatenate([]*graph.Node{end, inner}, 0)
		right = graph.Concatenate([]*graph.Node{inner, end}, 0)
	}
	one := math.Log(math.Expm1(1 - leastSlope)) // zeros make slopes of 1
	slope := func(raw *graph.Node) *graph.Node {
		return graph.AddScalar(softplus(graph.AddScalar(of(here, raw), one)), leastSlope)
	}
	b.d0, b.d1 = slope(left), slope(right)
	return b
}

// forward is Durkan's Eq. 4 with the logarithm of its slope.
func (s splines) forward(v *graph.Node) (out, logSlope *graph.Node) {
	b := s.find(v, s.width)
	mean := graph.Div(b.dy, b.dx)
	t := graph.Div(graph.Sub(b.at, b.x), b.dx)
	y := graph.Add(b.y, graph.Div(graph.Mul(b.dy, b.numerator(mean, t)), b.denominator(mean, t)))
	return graph.Where(b.inside, y, v), graph.Where(b.inside, b.logSlope(mean, t), graph.ZerosLike(v))
}

// inverse solves Eqs. 6 to 8; the logarithm is that of the inverse's slope.
func (s splines) inverse(v *graph.Node) (out, logSlope *graph.Node) {
	b := s.find(v, s.height)
	mean := graph.Div(b.dy, b.dx)
	above := graph.Sub(b.at, b.y)
	bend := graph.Mul(above, b.curvature(mean))
	qa := graph.Add(graph.Mul(b.dy, graph.Sub(mean, b.d0)), bend)
	qb := graph.Sub(graph.Mul(b.dy, b.d0), bend)
	qc := graph.Neg(graph.Mul(mean, above))
	root := graph.Sqrt(graph.MaxScalar(graph.Sub(graph.Square(qb), graph.MulScalar(graph.Mul(qa, qc), 4)), 1e-20))
	t := graph.Div(graph.MulScalar(qc, -2), graph.Add(qb, root))
	x := graph.Add(b.x, graph.Mul(t, b.dx))
	return graph.Where(b.inside, x, v), graph.Where(b.inside, graph.Neg(b.logSlope(mean, t)), graph.ZerosLike(v))
}

// curvature is δ₀ + δ₁ − 2s, with the mean slope s.
func (b bin) curvature(mean *graph.Node) *graph.Node {
	return graph.Sub(graph.Add(b.d0, b.d1), graph.MulScalar(mean, 2))
}

func (b bin) numerator(mean, t *graph.Node) *graph.Node {
	return graph.Add(graph.Mul(mean, graph.Square(t)), graph.Mul(b.d0, graph.Mul(t, graph.OneMinus(t))))
}

func (b bin) denominator(mean, t *graph.Node) *graph.Node {
	return graph.Add(mean, graph.Mul(b.curvature(mean), graph.Mul(t, graph.OneMinus(t))))
}

// logSlope is the logarithm of Eq. 5.
func (b bin) logSlope(mean, t *graph.Node) *graph.Node {
	rest := graph.OneMinus(t)
	slope := graph.Add(graph.Add(graph.Mul(b.d1, graph.Square(t)),
		graph.MulScalar(graph.Mul(mean, graph.Mul(t, rest)), 2)), graph.Mul(b.d0, graph.Square(rest)))
	return graph.Sub(graph.Add(graph.MulScalar(graph.Log(mean), 2), graph.Log(slope)),
		graph.MulScalar(graph.Log(b.denominator(mean, t)), 2))
}
