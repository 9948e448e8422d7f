package flow

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// The velocity of a graph transformer for large batches, as in training: the
// same function, with the weights of an attention multiplied by each other
// before they meet the beads.
//
// Normalised nodes are affine in features u_i, y_i = Bᵀu_i + β: before the first
// attention, 7 numbers and the bead's identity, all over the standard deviation;
// later, the node with mean 0 and variance 1. With û_i = [u_i, x_i, 1], per head:
//
//	score_ij = (û_iᵀL·Rᵀû_j + û_iᵀL·A₃|x_j − x_i|²)/√d
//	out_i    = Σ_j a_ij û_jᵀV + A₃ Σ_j a_ij|x_j − x_i|² − A₀₁₂ x_i
//
//	L = [B W_q; 0; β W_q + b_q]   R = [B W_k; A₀₁₂; 0]   V = [B W_v; A₀₁₂; β W_v + b_v + c]
//
// What is the same for all j drops out of the softmax, the bias of the keys
// among it. Only L Rᵀ and V W_o, both matrices of weights, meet the batch: no
// query, key or value is formed, and no wide tensor is transposed.

// batchVelocity builds v(t, x), [batch, 3*beads], as Velocity does.
//
// t: [batch, 1]; x: [batch, 3*beads].
func (f GraphTransformer) batchVelocity(store *model.Store, t, x *graph.Node) *graph.Node {
	w := params(store, x)
	x = graph.Reshape(x, -1, f.Beads, axes)
	h := f.nodes(w, t, forward.Constant(x)).X
	p := f.newAttended(x)
	for l := range f.Layers {
		layer := w.of(l)
		scale := graph.InsertAxes(layer("norm1/scale"), -1)
		unit, inverse := normalise(h)
		basis := func(m *graph.Node) *graph.Node { return graph.Mul(scale, m) }
		if l == 0 {
			rows := f.firstRows(w)
			basis = func(m *graph.Node) *graph.Node { return graph.MatMul(rows, graph.Mul(scale, m)) }
			unit = f.firstFeatures(t, x, inverse)
		}
		new := f.mergedAttention(w, layer, unit, basis, p)
		h = gated(layer("gate1/w"), forward.Constant(new), forward.Constant(h)).X
		unit, _ = normalise(h)
		w1 := graph.Mul(graph.InsertAxes(layer("norm2/scale"), -1), layer("ff1/w"))
		b1 := graph.Add(throughRow(layer("norm2/bias"), layer("ff1/w")), layer("ff1/b"))
		ff := forward.Constant(unit).Affine(w1, b1).Map(forward.GELU).Affine(layer("ff2/w"), layer("ff2/b"))
		h = gated(layer("gate2/w"), ff, forward.Constant(h)).X
	}
	return forward.Constant(h).Reshape(f.Beads*f.Hidden).Affine(w("decoder/w"), w("decoder/b")).X
}

// sliceBeads is how many beads of a batch are computed together on a CPU: fewer
// waste time between operations, more do not stay in its caches.
const sliceBeads = 2560

// slices are a power of two, so that parts are of equal length.
func (f GraphTransformer) slices(batch int) int {
	n := 1
	for batch*f.Beads > n*sliceBeads && 2*n <= batch {
		n *= 2
	}
	return n
}

// throughRow is b·w for a row b, [n], and w, [n, m].
func throughRow(b, w *graph.Node) *graph.Node {
	return graph.Reshape(graph.MatMul(graph.InsertAxes(b, 0), w), -1)
}

// normalise gives the last axis mean 0 and variance 1, and returns also the
// inverse of its standard deviation, [..., 1].
func normalise(x *graph.Node) (unit, inverse *graph.Node) {
	centred := graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
	variance := graph.ReduceAndKeep(graph.Square(centred), graph.ReduceMean, -1)
	inverse = graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, normEpsilon)))
	return graph.Mul(centred, inverse), inverse
}

// firstFeatures are position, clock and identity over the standard deviation of
// the embedded nodes, [batch, beads, 3+4+beads].
func (f GraphTransformer) firstFeatures(t, x, inverse *graph.Node) *graph.Node {
	batch := x.Shape().Dim(0)
	clock := graph.BroadcastToDims(graph.InsertAxes(clockFeatures(t), 1), batch, f.Beads, timeFeatures)
	own := graph.ConvertDType(graph.Diagonal(x.Graph(), f.Beads), x.DType())
	own = graph.BroadcastToDims(graph.InsertAxes(own, 0), batch, f.Beads, f.Beads)
	return graph.Mul(graph.Concatenate([]*graph.Node{x, clock, own}, -1), inverse)
}

// firstRows are what those features stand for among the normalised nodes: the
// rows of the node embedding with mean 0, [3+4+beads, hidden].
func (f GraphTransformer) firstRows(w weights) *graph.Node {
	bead := graph.Add(graph.MatMul(w("embed"), f.nodeRows(w, 0, f.Embed)), graph.InsertAxes(w("node/b"), 0))
	rows := graph.Concatenate([]*graph.Node{f.nodeRows(w, f.Embed, axes+timeFeatures), bead}, 0)
	return graph.Sub(rows, graph.ReduceAndKeep(rows, graph.ReduceMean, -1))
}

// attended is what the merged attention needs of the positions, in all layers.
type attended struct {
	x      *graph.Node // with a one, [batch, beads, 4]
	square *graph.Node // |x_j − x_i|², [batch, i, 1, j]
}

func (f GraphTransformer) newAttended(x *graph.Node) attended {
	d := graph.Sub(graph.InsertAxes(x, 1), graph.InsertAxes(x, 2))
	one := graph.OnesLike(graph.ReduceAndKeep(x, graph.ReduceSum, -1))
	return attended{x: graph.Concatenate([]*graph.Node{x, one}, -1),
		square: graph.InsertAxes(graph.ReduceSum(graph.Square(d), -1), 2)}
}

// mergedAttention of nodes that are affine in features unit, [batch, beads, n].
// basis multiplies by B from the left. Result: [batch, beads, hidden].
func (f GraphTransformer) mergedAttention(w, layer weights, unit *graph.Node, basis func(m *graph.Node) *graph.Node,
	p attended) *graph.Node {
	batch, n := unit.Shape().Dim(0), unit.Shape().Dim(2)+axes+1
	bias := layer("norm1/bias")
	edge := graph.MatMul(w("edge/w"), layer("e/w"))
	direct := graph.Slice(edge, graph.AxisRange(0, axes))
	// stack joins the rows of L, R or V, [n, heads, headDim].
	stack := func(rows ...*graph.Node) *graph.Node {
		return graph.Reshape(graph.Concatenate(rows, 0), n, f.Heads, f.HeadDim)
	}
	row := func(part string) *graph.Node {
		return graph.InsertAxes(graph.Add(throughRow(bias, layer(part+"/w")), layer(part+"/b")), 0)
	}
	constant := graph.Add(throughRow(w("edge/b"), layer("e/w")), layer("e/b"))
	left := graph.MulScalar(stack(basis(layer("q/w")), graph.ZerosLike(direct), row("q")),
		1/math.Sqrt(float64(f.HeadDim)))
	right := stack(basis(layer("k/w")), direct, graph.ZerosLike(row("q")))
	value := stack(basis(layer("v/w")), direct, graph.Add(row("v"), graph.InsertAxes(constant, 0)))
	square := graph.Reshape(graph.Slice(edge, graph.AxisElem(axes)), f.Heads, f.HeadDim)
	output := graph.Reshape(layer("o/w"), f.Heads, f.HeadDim, f.Hidden)

	full := graph.Concatenate([]*graph.Node{unit, p.x}, -1) // [batch, beads, n]
	rows := graph.Reshape(full, -1, n)
	query := graph.MatMul(rows, graph.Reshape(graph.Einsum("nhd,mhd->nhm", left, right), n, f.Heads*n))
	score := graph.DotGeneral(graph.Reshape(query, batch, f.Beads*f.Heads, n), []int{2}, []int{0}, full, []int{2},
		[]int{0})
	score = graph.Reshape(score, batch, f.Beads, f.Heads, f.Beads)
	steep := graph.Reshape(graph.MatMul(rows, graph.Einsum("nhd,hd->nh", left, square)), batch, f.Beads, f.Heads, 1)
	weight := graph.Softmax(graph.Add(score, graph.Mul(steep, p.square)), -1)

	mixed := graph.DotGeneral(graph.Reshape(weight, batch, f.Beads*f.Heads, f.Beads), []int{2}, []int{0}, full,
		[]int{1}, []int{0})
	out := graph.MatMul(graph.Reshape(mixed, -1, f.Heads*n),
		graph.Reshape(graph.Einsum("nhd,hdD->hnD", value, output), f.Heads*n, f.Hidden))
	distance := graph.Reshape(graph.ReduceSum(graph.Mul(weight, p.square), -1), -1, f.Heads)
	out = graph.Add(out, graph.MatMul(distance, graph.Einsum("hd,hdD->hD", square, output)))
	away := graph.Concatenate([]*graph.Node{graph.Neg(graph.MatMul(direct, layer("o/w"))),
		graph.InsertAxes(layer("o/b"), 0)}, 0)
	out = graph.Add(out, graph.MatMul(graph.Reshape(p.x, -1, axes+1), away)) // −A₀₁₂ x_i, and the bias
	return graph.Reshape(out, batch, f.Beads, f.Hidden)
}
