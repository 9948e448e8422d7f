package flow

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// The divergence of a graph transformer by forward mode, with the attention
// folded. A direction is a coordinate (m, c) of bead m; tangents of bead i's
// features are rows of a matrix [batch·beads, directions, features], so that
// everything that acts on one bead is written with package forward. With y the
// normalised nodes, dots for tangents, per head:
//
//	ṡ_ij = ẏ_i·u_ij + ẏ_j·w_i + (δ_mj − δ_mi) g_ij     u_ij = W_q(k_j + Aᵀf_ij), w_i = W_k q_i
//	ȧ_ij = a_ij(ṡ_ij − Σ_j a_ij ṡ_ij)
//	ȯ_i  = Σ_j ȧ_ij r_ij + W_o Σ_j a_ij(W_vẏ_j + Aᵀḟ_ij)  r_ij = W_o(v_j + Aᵀf_ij)
//
// so that queries and keys have no tangents, and the edges' are sparse:
// ḟ_ij = (δ_mj − δ_mi)[e_c, 2 d_ij·e_c] and g_ij = (A q_i)·[e_c, 2 d_ij·e_c].
// Before the first attention bead i depends on its own three directions alone,
// and after the last one the trace needs W₂ᵀ·decoder, a constant, in place of W₂.
// All of this is exact: a test holds it to reverse mode of the plain form.

// Divergence builds v(t, x), [batch, 3*beads], and ∇·v, [batch].
func (f GraphTransformer) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	w := params(store, x)
	p := newPairs(f, x)
	h := forward.Constant(f.flat(graph.Add(graph.Reshape(f.rows(p.x, f.nodeRows(w, f.Embed, axes)), -1, f.Beads, f.Hidden), f.identity(w, t))))
	for l := range f.Layers {
		layer := w.of(l)
		var new forward.Value
		if l == 0 {
			own := graph.InsertAxes(f.nodeRows(w, f.Embed, axes), 0) // tangents of every bead along its own directions
			y := forward.Value{X: h.X, T: own}.LayerNorm(layer("norm1/scale"), layer("norm1/bias"), normEpsilon)
			new = f.firstAttention(w, layer, y, p)
			all := graph.Mul(p.own, graph.Reshape(own, 1, 1, 1, axes, f.Hidden)) // [1, i, m, 3, hidden]
			h.T = graph.Reshape(graph.BroadcastToDims(all, p.batch, f.Beads, f.Beads, axes, f.Hidden), -1, f.Dim(), f.Hidden)
		} else {
			y := h.LayerNorm(layer("norm1/scale"), layer("norm1/bias"), normEpsilon)
			new = f.laterAttention(w, layer, y, p)
		}
		h = gated(layer("gate1/w"), new, h)
		y := h.LayerNorm(layer("norm2/scale"), layer("norm2/bias"), normEpsilon)
		if l == f.Layers-1 {
			return f.traced(w, layer, y, h, p.batch)
		}
		ff := y.Affine(layer("ff1/w"), layer("ff1/b")).Map(forward.GELU)
		h = gated(layer("gate2/w"), ff.Affine(layer("ff2/w"), layer("ff2/b")), h)
	}
	return nil, nil // there is at least one layer
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
	batch int
	x     *graph.Node // [batch, beads, 3]
	d     *graph.Node // x_j − x_i, [batch, i, j, 3]
	edges *graph.Node // [batch, i, j, 4]
	own   *graph.Node // δ_im, [1, i, m, 1, 1]
}

func newPairs(f GraphTransformer, x *graph.Node) *pairs {
	n := f.Beads
	p := &pairs{batch: x.Shape().Dim(0), x: graph.Reshape(x, -1, n, axes)}
	p.edges = f.edges(forward.Constant(p.x)).X
	p.d = graph.Slice(p.edges, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, axes))
	p.own = graph.Reshape(graph.ConvertDType(graph.Diagonal(x.Graph(), n), x.DType()), 1, n, n, 1, 1)
	return p
}

// head is an attention at work: primal tensors that its tangents are made from.
type head struct {
	weight  *graph.Node // a_ij, [batch, i, head, j]
	u, r    *graph.Node // [batch, i, head, j, hidden]
	w       *graph.Node // w_i, [batch, i, head, hidden]
	g       *graph.Node // g_ij, [batch, i, head, j, 3]
	edgeMap *graph.Node // A, [4, head, headDim]
	mean    *graph.Node // Σ_j a_ij d_ij, [batch, i, head, 3]
	out     *graph.Node // the attention's output, [batch·beads, hidden]
}

// attend computes the attention of normalised nodes y, [batch·beads, hidden].
func (f GraphTransformer) attend(w, layer weights, y *graph.Node, p *pairs) *head {
	a := &head{}
	var bias *graph.Node
	a.edgeMap, bias = f.edgeMap(w, layer)
	project := func(part string) *graph.Node {
		flat := forward.Constant(y).Affine(layer(part+"/w"), layer(part+"/b")).X
		return graph.Reshape(flat, p.batch, f.Beads, f.Heads, f.HeadDim)
	}
	scale := 1 / math.Sqrt(float64(f.HeadDim))
	q, k, v := graph.MulScalar(project("q"), scale), project("k"), project("v")
	query := graph.MulScalar(f.split(layer("q/w")), scale)
	key := f.split(layer("k/w"))
	output := graph.Reshape(layer("o/w"), f.Heads, f.HeadDim, f.Hidden)
	qa := graph.Einsum("bihd,fhd->bihf", q, a.edgeMap)
	score := graph.Add(graph.Einsum("bihd,bjhd->bihj", q, k), graph.Einsum("bihf,bijf->bihj", qa, p.edges))
	a.weight = graph.Softmax(score, -1)
	// u and r: a part of j alone, and four features of the pair.
	pair := func(single, edge *graph.Node) *graph.Node {
		each := graph.InsertAxes(graph.TransposeAllAxes(single, 0, 2, 1, 3), 1) // [batch, 1, head, j, hidden]
		sum := each
		for c := range edgeFeatures {
			feature := graph.Slice(p.edges, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisElem(c))
			sum = graph.Add(sum, graph.Mul(graph.Reshape(feature, p.batch, f.Beads, 1, f.Beads, 1),
				graph.Reshape(graph.Slice(edge, graph.AxisElem(c)), 1, 1, f.Heads, 1, f.Hidden)))
		}
		return sum
	}
	a.u = pair(graph.Einsum("bjhd,Dhd->bjhD", k, query), graph.Einsum("fhd,Dhd->fhD", a.edgeMap, query))
	a.r = pair(graph.Einsum("bjhd,hdD->bjhD", v, output), graph.Einsum("fhd,hdD->fhD", a.edgeMap, output))
	a.w = graph.Einsum("bihd,Dhd->bihD", q, key)
	distance := graph.Slice(qa, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisElem(axes))
	along := graph.Slice(qa, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange(0, axes))
	a.g = graph.Add(graph.InsertAxes(along, 3), graph.MulScalar(graph.Mul(graph.InsertAxes(distance, 3), graph.InsertAxes(p.d, 2)), 2))
	a.mean = graph.Einsum("bihj,bijc->bihc", a.weight, p.d)
	a.out = graph.Add(graph.Einsum("bihj,bihjD->biD", a.weight, a.r), graph.Reshape(bias, 1, 1, f.Hidden))
	a.out = f.flat(a.out)
	return a
}

// split gives the heads of a projection an axis, [hidden, head, headDim].
func (f GraphTransformer) split(w *graph.Node) *graph.Node {
	return graph.Reshape(w, f.Hidden, f.Heads, f.HeadDim)
}

// scores turns tangents of scores, [batch, i, m, c, head, j], into the part of
// the output's that comes from the weights, [batch, i, directions, hidden].
func (f GraphTransformer) scores(a *head, tangents *graph.Node) *graph.Node {
	weight := graph.InsertAxes(a.weight, 2, 2)
	weighted := graph.Mul(tangents, weight)
	change := graph.Sub(weighted, graph.Mul(weight, graph.ReduceAndKeep(weighted, graph.ReduceSum, -1)))
	dims := change.Shape().Dimensions
	return graph.Einsum("bikp,bipD->bikD", graph.Reshape(change, dims[0], f.Beads, f.Dim(), f.Heads*f.Beads),
		graph.Reshape(a.r, dims[0], f.Beads, f.Heads*f.Beads, f.Hidden))
}

// moved is what a displacement of the beads themselves does to the edges' part
// of the output: α = a_im − δ_im for the displacement, [batch, i, m, head], and
// β = 2(a_im d_im − δ_im Σ_j a_ij d_ij) for its square, [batch, i, m, 3, head].
func (f GraphTransformer) moved(a *head, p *pairs) (alpha, beta *graph.Node) {
	weight := graph.TransposeAllAxes(a.weight, 0, 1, 3, 2) // [batch, i, m, head]
	own := graph.Reshape(p.own, 1, f.Beads, f.Beads, 1)
	alpha = graph.Sub(weight, own)
	mean := graph.TransposeAllAxes(a.mean, 0, 1, 3, 2) // [batch, i, 3, head]
	beta = graph.Sub(graph.Mul(graph.InsertAxes(weight, 3), graph.InsertAxes(p.d, -1)),
		graph.Mul(graph.InsertAxes(own, 3), graph.InsertAxes(mean, 2)))
	return alpha, graph.MulScalar(beta, 2)
}

// laterAttention is the attention of nodes with tangents along all directions.
func (f GraphTransformer) laterAttention(w, layer weights, y forward.Value, p *pairs) forward.Value {
	a := f.attend(w, layer, y.X, p)
	n, k := f.Beads, f.Dim()
	tangents := graph.Reshape(y.T, p.batch, n, k, f.Hidden)
	// Scores, [batch, i, directions, head, j].
	mine := graph.Einsum("bikD,bipD->bikp", tangents, graph.Reshape(a.u, p.batch, n, f.Heads*n, f.Hidden))
	theirs := graph.Einsum("bjkD,bihD->bjkih", tangents, a.w)
	theirs = graph.TransposeAllAxes(theirs, 0, 3, 2, 4, 1)
	moves := graph.Sub(graph.Reshape(p.own, 1, 1, n, 1, 1, n), graph.Reshape(p.own, 1, n, n, 1, 1, 1)) // δ_mj − δ_mi
	edge := graph.Mul(moves, graph.InsertAxes(graph.TransposeAllAxes(a.g, 0, 1, 4, 2, 3), 2))
	score := graph.Add(graph.Add(graph.Reshape(mine, p.batch, n, n, axes, f.Heads, n), graph.Reshape(theirs, p.batch, n, n, axes, f.Heads, n)), edge)
	out := f.scores(a, score)
	// Values: mixed by the weights, with what the edges add, then projected.
	values := graph.Reshape(f.rows(y.T, layer("v/w")), p.batch, n, k, f.Heads, f.HeadDim)
	alpha, beta := f.moved(a, p)
	direct := graph.Slice(a.edgeMap, graph.AxisRange(0, axes))
	square := graph.Slice(a.edgeMap, graph.AxisElem(axes))
	mixed := graph.Add(
		graph.Mul(graph.Reshape(alpha, p.batch, n, n, 1, f.Heads, 1), graph.Reshape(direct, 1, 1, 1, axes, f.Heads, f.HeadDim)),
		graph.Mul(graph.InsertAxes(beta, -1), graph.Reshape(square, 1, 1, 1, 1, f.Heads, f.HeadDim)))
	mixed = graph.Reshape(mixed, p.batch, n, k, f.Heads, f.HeadDim)
	for j := range n {
		weight := graph.Slice(a.weight, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisElem(j))
		value := graph.Slice(values, graph.AxisRange(), graph.AxisElem(j))
		mixed = graph.Add(mixed, graph.Mul(graph.Reshape(weight, p.batch, n, 1, f.Heads, 1), value))
	}
	out = graph.Add(out, f.rows(graph.Reshape(mixed, p.batch, n, k, f.Heads*f.HeadDim), layer("o/w")))
	return forward.Value{X: a.out, T: f.flat(out)}
}

// firstAttention is the attention of nodes whose tangents are along their own
// three directions, [batch·beads, 3, hidden].
func (f GraphTransformer) firstAttention(w, layer weights, y forward.Value, p *pairs) forward.Value {
	a := f.attend(w, layer, y.X, p)
	n := f.Beads
	tangents := graph.Reshape(y.T, p.batch, n, axes, f.Hidden)
	g := graph.TransposeAllAxes(a.g, 0, 1, 4, 2, 3) // [batch, i, 3, head, j]
	mine := graph.Einsum("bicD,bipD->bicp", tangents, graph.Reshape(a.u, p.batch, n, f.Heads*n, f.Hidden))
	mine = graph.Sub(graph.Reshape(mine, p.batch, n, axes, f.Heads, n), g)
	theirs := graph.Add(graph.Einsum("bihD,bjcD->bichj", a.w, tangents), g)
	score := graph.Add(graph.Mul(graph.Reshape(p.own, 1, n, n, 1, 1, 1), graph.InsertAxes(mine, 2)),
		graph.Mul(graph.Reshape(p.own, 1, 1, n, 1, 1, n), graph.InsertAxes(theirs, 2)))
	out := f.scores(a, score)
	// Only the tangents of bead m pass through the projections; then they are mixed.
	output := graph.Reshape(layer("o/w"), f.Heads, f.HeadDim, f.Hidden)
	values := graph.Reshape(f.rows(tangents, layer("v/w")), p.batch, n, axes, f.Heads, f.HeadDim)
	alpha, beta := f.moved(a, p)
	edge := graph.Einsum("fhd,hdD->fhD", a.edgeMap, output)
	direct := graph.Slice(edge, graph.AxisRange(0, axes))
	square := graph.Reshape(graph.Slice(edge, graph.AxisElem(axes)), f.Heads, f.Hidden)
	more := graph.Einsum("bihm,bmchD->bimcD", a.weight, graph.Einsum("bmchd,hdD->bmchD", values, output))
	more = graph.Add(more, graph.Einsum("bimh,chD->bimcD", alpha, direct))
	more = graph.Add(more, graph.Einsum("bimch,hD->bimcD", beta, square))
	out = graph.Add(out, graph.Reshape(more, p.batch, n, f.Dim(), f.Hidden))
	return forward.Value{X: a.out, T: f.flat(out)}
}

// traced is the last feed-forward block, its gate and the decoder: velocity and
// divergence. y: the normalised nodes; h: the nodes.
func (f GraphTransformer) traced(w, layer weights, y, h forward.Value, batch int) (velocity, divergence *graph.Node) {
	n, k := f.Beads, f.Dim()
	act, slope := forward.GELU(forward.Constant(y.X).Affine(layer("ff1/w"), layer("ff1/b")).X)
	new := forward.Constant(act).Affine(layer("ff2/w"), layer("ff2/b")).X
	toNew, toOld := gateWeights(layer("gate2/w"))
	gate := graph.Sigmoid(graph.Add(graph.MatMul(new, toNew), graph.MatMul(h.X, toOld))) // [batch·beads, 1]
	diff := graph.Sub(new, h.X)
	final := graph.Add(graph.Mul(gate, diff), h.X)
	velocity = forward.Constant(graph.Reshape(final, batch, n*f.Hidden)).Affine(w("decoder/w"), w("decoder/b")).X

	decoder := graph.TransposeAllAxes(graph.Reshape(w("decoder/w"), n, f.Hidden, k), 0, 2, 1) // [beads, directions, hidden]
	inner := graph.Einsum("ikD,FD->ikF", decoder, layer("ff2/w"))
	byBead := func(x *graph.Node) *graph.Node { return graph.Reshape(x, batch, n, 1, -1) }
	bend := graph.Mul(byBead(graph.Mul(gate, graph.OneMinus(gate))), graph.Reshape(graph.Einsum("biD,ikD->bik", graph.Reshape(diff, batch, n, f.Hidden), decoder), batch, n, k, 1))
	gated := byBead(gate)
	hidden := graph.Reshape(f.rows(y.T, layer("ff1/w")), batch, n, k, f.FF)
	toInner := graph.Reshape(graph.MatMul(layer("ff2/w"), toNew), 1, 1, 1, f.FF)
	pull := graph.Mul(byBead(slope), graph.Add(graph.Mul(gated, graph.InsertAxes(inner, 0)), graph.Mul(bend, toInner)))
	divergence = graph.ReduceSum(graph.Mul(hidden, pull), 1, 2, 3)
	rest := graph.Add(graph.Mul(graph.OneMinus(gated), graph.InsertAxes(decoder, 0)), graph.Mul(bend, graph.Reshape(toOld, 1, 1, 1, f.Hidden)))
	old := graph.Reshape(h.T, batch, n, k, f.Hidden)
	return velocity, graph.Add(divergence, graph.ReduceSum(graph.Mul(old, rest), 1, 2, 3))
}
