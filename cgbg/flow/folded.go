package flow

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// The divergence of a graph transformer by forward mode, with the attention
// folded. A direction is a coordinate (m, c) of bead m; tangents of bead i's
// features are rows of a matrix [batch·beads, directions, features].
//
// Normalised nodes are u_i, with mean 0 and variance 1: the norm's scale and the
// mean of its tangents are left to the weights, W' = C·diag(scale)·W with
// C = 1 − 1/n, and u̇ stands for (ḣ − u·mean(u·ḣ))/σ. With f_ij = |x_j − x_i|²,
// κ_j = k_j + A₀₁₂x_j, ν_j = v_j + A₀₁₂x_j, and dots for tangents, per head:
//
//	ṡ_ij = u̇_i·U_j + f_ij u̇_i·s + u̇_j·w_i + (δ_mj − δ_mi) g_ij    U_j = W'_q κ_j, s = W'_q A₃, w_i = W'_k q_i
//	ȧ_ij = a_ij(ṡ_ij − Σ_j a_ij ṡ_ij)
//	ȯ_i  = Σ_j ȧ_ij R_j + W_o Σ_j a_ij W'_v u̇_j + (a_im − δ_im) W_o A_c + W_o A₃ φ̇_i    R_j = W_o ν_j
//	φ̇_i  = Σ_j ȧ_ij f_ij + 2(a_im d_im − δ_im Σ_j a_ij d_ij)·e_c
//
// so that queries and keys have no tangents, and no vector belongs to a pair:
// what is the same for all j drops out of ṡ and Σ_j ȧ_ij = 0. The edges' part is
// sparse, g_ij = (A q_i)·[e_c, 2 d_ij·e_c]. Heads are the last axis of scores.
// Before the first attention bead i depends on its own three directions alone,
// and after the last one the trace needs W₂ᵀ·decoder, a constant, in place of W₂.
// All of this is exact: a test holds it to reverse mode of the plain form.

// Divergence builds v(t, x), [batch, 3*beads], and ∇·v, [batch].
func (f GraphTransformer) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	w := params(store, x)
	p := newPairs(f, x)
	h := forward.Constant(f.flat(graph.Add(graph.Reshape(f.rows(p.x, f.nodeRows(w, f.Embed, axes)), -1, f.Beads,
		f.Hidden), f.identity(w, t))))
	for l := range f.Layers {
		layer := w.of(l)
		unit, inverse := normalise(h.X)
		var new forward.Value
		if l == 0 {
			own := graph.InsertAxes(f.nodeRows(w, f.Embed, axes), 0) // tangents of every bead along its own directions
			own = graph.BroadcastToDims(own, p.batch*f.Beads, axes, f.Hidden)
			new = f.firstAttention(w, layer, forward.Value{X: unit, T: normTangents(unit, inverse, own)}, p)
			all := graph.Mul(p.own, graph.Reshape(own, p.batch, f.Beads, 1, axes, f.Hidden)) // [batch, i, m, 3, hidden]
			h.T = graph.Reshape(all, -1, f.Dim(), f.Hidden)
		} else {
			new = f.laterAttention(w, layer, forward.Value{X: unit, T: normTangents(unit, inverse, h.T)}, p)
		}
		h = gated(layer("gate1/w"), new, h)
		if l == f.Layers-1 {
			return f.traced(w, layer, h, p.batch)
		}
		act, slope, z := f.expand(layer, h)
		ff := forward.Value{X: act, T: graph.Mul(z, graph.InsertAxes(slope, 1))}
		h = gated(layer("gate2/w"), ff.Affine(layer("ff2/w"), layer("ff2/b")), h)
	}
	return nil, nil // there is at least one layer
}

// normTangents are u̇ before its mean is taken off: (ḣ − u·mean(u·ḣ))/σ.
//
// unit: [rows, hidden]; inverse: 1/σ, [rows, 1]; tangents: [rows, directions, hidden].
func normTangents(unit, inverse, tangents *graph.Node) *graph.Node {
	along := alongUnit(unit, tangents)
	rest := graph.Sub(tangents, graph.Mul(graph.InsertAxes(along, -1), graph.InsertAxes(unit, 1)))
	return graph.Mul(rest, graph.InsertAxes(inverse, 1))
}

// alongUnit is mean(u·ḣ), [rows, directions]: as a product, since XLA writes a
// reduction's argument to memory.
func alongUnit(unit, tangents *graph.Node) *graph.Node {
	return graph.MulScalar(graph.Einsum("rkD,rD->rk", tangents, unit), 1/float64(unit.Shape().Dim(1)))
}

// afterNorm are weights and bias, [hidden, n] and [n], that act on nodes with
// mean 0 and variance 1, and on their tangents, whose mean they take off.
func afterNorm(layer weights, norm, part string) (weight, bias *graph.Node) {
	scale := layer(norm + "/scale")
	mean := graph.DivScalar(throughRow(scale, layer(part+"/w")), float64(scale.Shape().Dim(0)))
	weight = graph.Sub(graph.Mul(graph.InsertAxes(scale, -1), layer(part+"/w")), graph.InsertAxes(mean, 0))
	return weight, graph.Add(throughRow(layer(norm+"/bias"), layer(part+"/w")), layer(part+"/b"))
}

// expand is the first half of a feed-forward block, norm included: its values and
// their slopes, [batch·beads, FF], and the tangents before the slopes,
// [batch·beads, directions, FF].
func (f GraphTransformer) expand(layer weights, h forward.Value) (act, slope, tangents *graph.Node) {
	unit, inverse := normalise(h.X)
	weight, bias := afterNorm(layer, "norm2", "ff1")
	z := f.rows(unit, weight)
	act, slope = forward.GELU(graph.Add(z, graph.InsertAxes(bias, 0)))
	// Normalised after the product, where the slopes come in anyway.
	rest := graph.Sub(f.rows(h.T, weight),
		graph.Mul(graph.InsertAxes(alongUnit(unit, h.T), -1), graph.InsertAxes(z, 1)))
	return act, slope, graph.Mul(rest, graph.InsertAxes(inverse, 1))
}

// flat joins batch and beads.
func (f GraphTransformer) flat(x *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	return graph.Reshape(x, append([]int{-1}, dims[2:]...)...)
}

// rows multiplies rows of the last axis.
func (f GraphTransformer) rows(x, w *graph.Node) *graph.Node {
	return forward.Constant(x).Affine(w, nil).X
}

// pairs is what the attention needs of the positions, the same in all layers.
type pairs struct {
	batch  int
	x      *graph.Node // [batch, beads, 3]
	d      *graph.Node // x_j − x_i, [batch, i, j, 3]
	square *graph.Node // |x_j − x_i|², [batch, i, j]
	own    *graph.Node // δ_im, [1, i, m, 1, 1]
}

func newPairs(f GraphTransformer, x *graph.Node) *pairs {
	n := f.Beads
	p := &pairs{batch: x.Shape().Dim(0), x: graph.Reshape(x, -1, n, axes)}
	p.d = graph.Sub(graph.InsertAxes(p.x, 1), graph.InsertAxes(p.x, 2))
	p.square = graph.ReduceSum(graph.Square(p.d), -1)
	p.own = graph.Reshape(graph.ConvertDType(graph.Diagonal(x.Graph(), n), x.DType()), 1, n, n, 1, 1)
	return p
}

// head is an attention at work: primal tensors that its tangents are made from.
type head struct {
	weight *graph.Node // a_ij, [batch, i, j, head]
	u, r   *graph.Node // U_j and R_j, [batch, j·head, hidden]
	w      *graph.Node // w_i, [batch, i·head, hidden]
	s      *graph.Node // s, [hidden, head]
	g      *graph.Node // g_ij, [batch, i, 3, j, head]
	value  *graph.Node // W'_v, [hidden, head·headDim]
	direct *graph.Node // A₀₁₂, [3, head·headDim]
	square *graph.Node // W_o A₃, [head, hidden]
	mean   *graph.Node // Σ_j a_ij d_ij, [batch, i, 3, head]
	out    *graph.Node // the attention's output, [batch·beads, hidden]
}

// attend computes the attention of normalised nodes, [batch·beads, hidden].
func (f GraphTransformer) attend(w, layer weights, unit *graph.Node, p *pairs) *head {
	a := &head{}
	n, inner := f.Beads, f.Heads*f.HeadDim
	edgeMap, bias := f.edgeMap(w, layer)
	edgeMap = graph.Reshape(edgeMap, edgeFeatures, inner)
	a.direct = graph.Slice(edgeMap, graph.AxisRange(0, axes))
	steep := graph.Slice(edgeMap, graph.AxisElem(axes))
	// single is a product over each head's features.
	single := func(x, y *graph.Node) *graph.Node {
		return graph.ReduceSum(graph.Reshape(graph.Mul(x, y), -1, f.Heads, f.HeadDim), -1)
	}
	// spread multiplies by each head's weights: [batch·beads, head·headDim] to [batch, beads·head, hidden].
	spread := func(x, w *graph.Node, axis int) *graph.Node {
		each := graph.DotGeneral(graph.TransposeAllAxes(graph.Reshape(x, -1, f.Heads, f.HeadDim), 1, 0, 2), []int{2},
			[]int{0}, w, []int{axis}, []int{0})
		return graph.Reshape(graph.TransposeAllAxes(each, 1, 0, 2), p.batch, n*f.Heads, f.Hidden)
	}
	back := func(x, w *graph.Node) *graph.Node { // by the transposed weights
		return spread(x, graph.TransposeAllAxes(graph.Reshape(w, f.Hidden, f.Heads, f.HeadDim), 1, 0, 2), 2)
	}
	qw, qb := afterNorm(layer, "norm1", "q")
	kw, kb := afterNorm(layer, "norm1", "k")
	vw, vb := afterNorm(layer, "norm1", "v")
	scale := 1 / math.Sqrt(float64(f.HeadDim))
	qw, qb = graph.MulScalar(qw, scale), graph.InsertAxes(graph.MulScalar(qb, scale), 0)
	moved := f.rows(graph.Reshape(p.x, -1, axes), a.direct)
	q := graph.Add(f.rows(unit, qw), qb)
	k := graph.Add(graph.Add(f.rows(unit, kw), graph.InsertAxes(kb, 0)), moved)
	v := graph.Add(graph.Add(f.rows(unit, vw), graph.InsertAxes(vb, 0)), moved)
	output := graph.Reshape(layer("o/w"), f.Heads, f.HeadDim, f.Hidden)
	a.value = vw
	a.u, a.w, a.r = back(k, qw), back(q, kw), spread(v, output, 1)
	a.s = single(qw, steep)
	a.square = graph.Einsum("hd,hdD->hD", graph.Reshape(steep, f.Heads, f.HeadDim), output)

	// A q_i
	along := graph.Reshape(single(graph.InsertAxes(q, 1), graph.InsertAxes(edgeMap, 0)), p.batch, n, edgeFeatures, 1,
		f.Heads)
	distance := graph.Slice(along, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(axes))
	d := graph.InsertAxes(graph.TransposeAllAxes(p.d, 0, 1, 3, 2), -1) // [batch, i, 3, j, 1]
	a.g = graph.Add(graph.Slice(along, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, axes)),
		graph.MulScalar(graph.Mul(distance, d), 2))
	score := graph.Reshape(graph.Einsum("biD,bpD->bip", graph.Reshape(unit, p.batch, n, f.Hidden), a.u), p.batch, n, n,
		f.Heads)
	score = graph.Add(score, graph.Reshape(single(k, qb), p.batch, 1, n, f.Heads))
	square := graph.InsertAxes(p.square, -1)
	score = graph.Add(score, graph.Mul(graph.Squeeze(distance, 2), square))
	a.weight = graph.Softmax(score, 2)
	a.mean = graph.ReduceSum(graph.Mul(graph.InsertAxes(a.weight, 2), d), 3)

	out := f.flat(graph.Einsum("bip,bpD->biD", graph.Reshape(a.weight, p.batch, n, n*f.Heads), a.r))
	far := graph.ReduceSum(graph.Mul(a.weight, square), 2)
	out = graph.Add(out, f.rows(f.flat(far), a.square))
	out = graph.Sub(out, f.rows(moved, layer("o/w")))
	a.out = graph.Add(out, graph.InsertAxes(bias, 0))
	return a
}

// scores turns tangents of scores, [batch, i, m, c, j, head], into what the
// weights and the squared distances do to the output, [batch·beads, directions, hidden].
func (f GraphTransformer) scores(a *head, tangents *graph.Node, p *pairs) *graph.Node {
	n := f.Beads
	weight := graph.InsertAxes(a.weight, 2, 2)
	weighted := graph.Mul(tangents, weight)
	change := graph.Sub(weighted, graph.Mul(weight, graph.ReduceAndKeep(weighted, graph.ReduceSum, 4)))
	out := graph.Einsum("bkp,bpD->bkD", graph.Reshape(change, p.batch, n*f.Dim(), n*f.Heads), a.r)
	// [batch, i, m, c, head]
	far := graph.ReduceSum(graph.Mul(change, graph.Reshape(p.square, p.batch, n, 1, 1, n, 1)), 4)
	// Bead m itself moves: a_im d_im − δ_im Σ_j a_ij d_ij.
	move := graph.Sub(graph.Mul(graph.InsertAxes(a.weight, 3), graph.InsertAxes(p.d, -1)),
		graph.Mul(p.own, graph.InsertAxes(a.mean, 2)))
	far = graph.Add(far, graph.MulScalar(move, 2))
	return graph.Add(graph.Reshape(out, -1, f.Dim(), f.Hidden),
		f.rows(graph.Reshape(far, -1, f.Dim(), f.Heads), a.square))
}

// laterAttention is the attention of nodes with tangents along all directions.
func (f GraphTransformer) laterAttention(w, layer weights, y forward.Value, p *pairs) forward.Value {
	a := f.attend(w, layer, y.X, p)
	n, k := f.Beads, f.Dim()
	tangents := graph.Reshape(y.T, p.batch, n*k, f.Hidden)
	mine := graph.Reshape(graph.Einsum("bkD,bpD->bkp", tangents, a.u), p.batch, n, n, axes, n, f.Heads)
	theirs := graph.Reshape(graph.Einsum("bkD,bpD->bkp", tangents, a.w), p.batch, n, n, axes, n, f.Heads)
	theirs = graph.TransposeAllAxes(theirs, 0, 4, 2, 3, 1, 5)
	slope := graph.Reshape(f.rows(y.T, a.s), p.batch, n, n, axes, 1, f.Heads)
	far := graph.Mul(slope, graph.Reshape(p.square, p.batch, n, 1, 1, n, 1))
	moves := graph.Sub(graph.Reshape(p.own, 1, 1, n, 1, n, 1), graph.Reshape(p.own, 1, n, n, 1, 1, 1)) // δ_mj − δ_mi
	edge := graph.Mul(moves, graph.InsertAxes(a.g, 2))
	out := f.scores(a, graph.Add(graph.Add(mine, theirs), graph.Add(far, edge)), p)
	// Values: mixed by the weights, with what the edges add, then projected.
	values := graph.Reshape(f.rows(y.T, a.value), p.batch, n, k, f.Heads, f.HeadDim)
	alpha := graph.Sub(a.weight, graph.Reshape(p.own, 1, n, n, 1))
	mixed := graph.Mul(graph.Reshape(alpha, p.batch, n, n, 1, f.Heads, 1),
		graph.Reshape(a.direct, 1, 1, 1, axes, f.Heads, f.HeadDim))
	mixed = graph.Reshape(mixed, p.batch, n, k, f.Heads, f.HeadDim)
	for j := range n {
		weight := graph.Slice(a.weight, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(j))
		value := graph.Slice(values, graph.AxisRange(), graph.AxisElem(j))
		mixed = graph.Add(mixed, graph.Mul(graph.Reshape(weight, p.batch, n, 1, f.Heads, 1), value))
	}
	out = graph.Add(out, f.rows(graph.Reshape(mixed, -1, k, f.Heads*f.HeadDim), layer("o/w")))
	return forward.Value{X: a.out, T: out}
}

// firstAttention is the attention of nodes whose tangents are along their own
// three directions, [batch·beads, 3, hidden].
func (f GraphTransformer) firstAttention(w, layer weights, y forward.Value, p *pairs) forward.Value {
	a := f.attend(w, layer, y.X, p)
	n := f.Beads
	tangents := graph.Reshape(y.T, p.batch, n*axes, f.Hidden)
	mine := graph.Reshape(graph.Einsum("bkD,bpD->bkp", tangents, a.u), p.batch, n, axes, n, f.Heads)
	slope := graph.Reshape(f.rows(y.T, a.s), p.batch, n, axes, 1, f.Heads)
	mine = graph.Sub(graph.Add(mine, graph.Mul(slope, graph.Reshape(p.square, p.batch, n, 1, n, 1))), a.g)
	theirs := graph.Reshape(graph.Einsum("bkD,bpD->bkp", tangents, a.w), p.batch, n, axes, n, f.Heads)
	theirs = graph.Add(graph.TransposeAllAxes(theirs, 0, 3, 2, 1, 4), a.g)
	score := graph.Add(graph.Mul(graph.Reshape(p.own, 1, n, n, 1, 1, 1), graph.InsertAxes(mine, 2)),
		graph.Mul(graph.Reshape(p.own, 1, 1, n, 1, n, 1), graph.InsertAxes(theirs, 2)))
	out := f.scores(a, score, p)
	// Only the tangents of bead m pass through the projections; then they are mixed.
	output := graph.Reshape(layer("o/w"), f.Heads, f.HeadDim, f.Hidden)
	values := graph.Reshape(graph.Add(f.rows(y.T, a.value), graph.InsertAxes(a.direct, 0)), p.batch, n, axes, f.Heads,
		f.HeadDim)
	more := graph.Einsum("bimh,bmchD->bimcD", a.weight, graph.Einsum("bmchd,hdD->bmchD", values, output))
	direct := graph.Reshape(f.rows(a.direct, layer("o/w")), 1, 1, 1, axes, f.Hidden)
	more = graph.Sub(more, graph.Mul(p.own, direct))
	return forward.Value{X: a.out, T: graph.Add(out, graph.Reshape(more, -1, f.Dim(), f.Hidden))}
}

// traced is the last feed-forward block, its gate and the decoder: velocity and
// divergence.
func (f GraphTransformer) traced(w, layer weights, h forward.Value, batch int) (velocity, divergence *graph.Node) {
	n, k := f.Beads, f.Dim()
	act, slope, z := f.expand(layer, h)
	new := forward.Constant(act).Affine(layer("ff2/w"), layer("ff2/b")).X
	toNew, toOld := gateWeights(layer("gate2/w"))
	gate := graph.Sigmoid(graph.Add(graph.MatMul(new, toNew), graph.MatMul(h.X, toOld))) // [batch·beads, 1]
	diff := graph.Sub(new, h.X)
	final := graph.Add(graph.Mul(gate, diff), h.X)
	velocity = forward.Constant(graph.Reshape(final, batch, n*f.Hidden)).Affine(w("decoder/w"), w("decoder/b")).X

	// [beads, directions, hidden]
	decoder := graph.TransposeAllAxes(graph.Reshape(w("decoder/w"), n, f.Hidden, k), 0, 2, 1)
	inner := graph.Einsum("ikD,FD->ikF", decoder, layer("ff2/w"))
	byBead := func(x *graph.Node) *graph.Node { return graph.Reshape(x, batch, n, 1, -1) }
	bend := graph.Mul(byBead(graph.Mul(gate, graph.OneMinus(gate))),
		graph.Reshape(graph.Einsum("biD,ikD->bik", graph.Reshape(diff, batch, n, f.Hidden), decoder), batch, n, k, 1))
	gated := byBead(gate)
	// Directions first, then features: XLA writes the argument of a reduction over a long last axis to memory.
	sum := func(tangents, pull *graph.Node) *graph.Node {
		return graph.ReduceSum(graph.Mul(graph.Reshape(tangents, batch, n, k, -1), pull), 2)
	}
	toInner := graph.Reshape(graph.MatMul(layer("ff2/w"), toNew), 1, 1, 1, f.FF)
	pull := graph.Add(graph.Mul(gated, graph.InsertAxes(inner, 0)), graph.Mul(bend, toInner))
	through := graph.Mul(sum(z, pull), graph.Reshape(slope, batch, n, f.FF))
	rest := graph.Add(graph.Mul(graph.OneMinus(gated), graph.InsertAxes(decoder, 0)),
		graph.Mul(bend, graph.Reshape(toOld, 1, 1, 1, f.Hidden)))
	return velocity, graph.Add(graph.ReduceSum(through, 1, 2), graph.ReduceSum(sum(h.T, rest), 1, 2))
}
