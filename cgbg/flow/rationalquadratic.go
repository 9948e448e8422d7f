package flow

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// splines are monotonic rational-quadratic splines, one for every number of a [batch, n] tensor: on the line from
// −reach to reach, with the identity beyond; on a circle from −π to π, where both ends are one place.
//
// Source: C. Durkan et al., arXiv 1906.04032, Eqs. 4 to 8.
type splines struct {
	bins           int
	low, length    *graph.Node // of the interval, [1, n]
	width, height  *graph.Node // of the bins, parts of the length, [batch, n, bins]
	left, bottom   *graph.Node // ends of the bins, [batch, n, bins]
	slope0, slope1 *graph.Node // at the ends of the bins, [batch, n, bins]
}

const (
	leastBin   = 1e-3 // width and height of a bin, parts of the interval
	leastSlope = 1e-3
)

// splines are made from the perceptron's numbers, [batch, n, knots]: zeros make the identity.
func (c couplings) splines(moved []int, p *graph.Node) splines {
	n, k := len(moved), c.Bins
	low, length, on := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, m := range moved {
		low[i], length[i] = -reach, 2*reach
		if c.Circle[m] {
			low[i], length[i], on[i] = -math.Pi, 2*math.Pi, 1
		}
	}
	s := splines{bins: k, low: row(p, low), length: row(p, length)}
	part := func(from, to int) *graph.Node {
		return graph.Slice(p, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(from, to))
	}
	// Ends of bins by a product with a triangle: a running sum has no gradient on every backend.
	triangle := matrix{k, k, make([]float64, k*k)}
	for i := range k {
		for j := i + 1; j < k; j++ {
			triangle.values[i*k+j] = 1
		}
	}
	ends := func(parts *graph.Node) *graph.Node {
		before := graph.Einsum("bnk,kj->bnj", parts, constant(p, triangle))
		return graph.Add(graph.Mul(before, graph.InsertAxes(s.length, -1)), graph.InsertAxes(s.low, -1))
	}
	s.width, s.height = bins(part(0, k)), bins(part(k, 2*k))
	s.left, s.bottom = ends(s.width), ends(s.height)
	one := math.Log(math.Expm1(1 - leastSlope)) // zeros make slopes of 1
	slopes := graph.AddScalar(softplus(graph.AddScalar(part(2*k, 3*k), one)), leastSlope)
	circle := graph.InsertAxes(row(p, on), -1)
	first := graph.Slice(slopes, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, 1))
	// A slope of 1 meets the identity beyond the line's interval; a circle has the same at both ends.
	end := graph.Add(graph.Mul(first, circle), graph.OneMinus(circle))
	inner := graph.Slice(slopes, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(1, k))
	if k == 1 {
		s.slope0, s.slope1 = end, end
		return s
	}
	end = graph.BroadcastToDims(end, p.Shape().Dim(0), n, 1)
	s.slope0, s.slope1 = graph.Concatenate([]*graph.Node{end, inner}, 2), graph.Concatenate([]*graph.Node{inner, end}, 2)
	return s
}

// bins are positive parts of 1, none below leastBin.
func bins(p *graph.Node) *graph.Node {
	k := p.Shape().Dim(2)
	e := graph.Exp(graph.Sub(p, graph.StopGradient(graph.ReduceAndKeep(p, graph.ReduceMax, 2))))
	parts := graph.Div(e, graph.ReduceAndKeep(e, graph.ReduceSum, 2))
	return graph.AddScalar(graph.MulScalar(parts, 1-leastBin*float64(k)), leastBin)
}

// softplus is ln(1 + eˣ), without overflow.
func softplus(x *graph.Node) *graph.Node {
	return graph.Add(graph.MaxScalar(x, 0), graph.Log1P(graph.Exp(graph.Neg(graph.Abs(x)))))
}

// bin is the part of each spline that a number falls into, everything [batch, n].
type bin struct {
	x, y, dx, dy, d0, d1 *graph.Node // lower left corner, sizes, slopes at the ends
	inside               *graph.Node // whether the number is in the interval
	at                   *graph.Node // it, or a number inside in its place
}

// find looks for a number among the ends of bins: lefts, or bottoms of the inverse.
func (s splines) find(v, ends *graph.Node) bin {
	high := graph.Add(s.low, s.length)
	margin := graph.MulScalar(s.length, 1e-6)
	b := bin{inside: graph.And(graph.GreaterThan(v, s.low), graph.LessThan(v, high))}
	b.at = graph.Max(graph.Min(v, graph.Sub(high, margin)), graph.Add(s.low, margin))
	above := graph.ConvertDType(graph.GreaterOrEqual(graph.InsertAxes(b.at, -1), ends), v.DType())
	later := graph.Slice(above, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(1, s.bins))
	none := graph.ZerosLike(graph.Slice(above, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, 1)))
	if s.bins > 1 {
		later = graph.Concatenate([]*graph.Node{later, none}, 2)
	} else {
		later = none
	}
	here := graph.StopGradient(graph.Sub(above, later))
	of := func(x *graph.Node) *graph.Node { return graph.ReduceSum(graph.Mul(here, x), 2) }
	b.x, b.y, b.d0, b.d1 = of(s.left), of(s.bottom), of(s.slope0), of(s.slope1)
	b.dx, b.dy = graph.Mul(of(s.width), s.length), graph.Mul(of(s.height), s.length)
	return b
}

// forward is Durkan's Eq. 4 with the logarithm of its slope.
func (s splines) forward(v *graph.Node) (out, logSlope *graph.Node) {
	b := s.find(v, s.left)
	mean := graph.Div(b.dy, b.dx)
	t := graph.Div(graph.Sub(b.at, b.x), b.dx)
	y := graph.Add(b.y, graph.Div(graph.Mul(b.dy, b.numerator(mean, t)), b.denominator(mean, t)))
	return graph.Where(b.inside, y, v), graph.Where(b.inside, b.logSlope(mean, t), graph.ZerosLike(v))
}

// inverse solves Eqs. 6 to 8; the logarithm is that of the inverse's slope.
func (s splines) inverse(v *graph.Node) (out, logSlope *graph.Node) {
	b := s.find(v, s.bottom)
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
