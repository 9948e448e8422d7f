package flow

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// GraphTransformer is the published vector field of peptides: every bead
// attends to every bead, itself included, with keys and values that depend on
// the displacement between the two (paper, C.1). Parameters are those of the
// publication, one for one; only the way to the same numbers is shorter.
//
// Edge embedding and edge projection are affine with nothing between, so the
// edges' part of keys and values is e_ij = Aᵀf_ij + c with four features
// f_ij = [x_j − x_i, |x_j − x_i|²], and is never formed:
//
//	score_ij = (q_i·k_j + (A q_i)·f_ij)/√d         c adds the same to all j
//	out_i    = Σ_j a_ij v_j + Aᵀ(Σ_j a_ij f_ij) + c
type GraphTransformer struct {
	Beads   int
	Embed   int // features of a bead's identity
	Hidden  int // features of a bead
	Layers  int
	Heads   int
	HeadDim int // features of a head
	FF      int // features inside a feed-forward block
}

// NewGraphTransformer has the published sizes: 1,430,846 parameters for 10
// beads, 1,406,194 for 6.
func NewGraphTransformer(beads int) GraphTransformer {
	return GraphTransformer{Beads: beads, Embed: 16, Hidden: 128, Layers: 3, Heads: 8, HeadDim: headDim, FF: 512}
}

var graphTransformerKind = Kind{
	Name:     "graph-transformer",
	About:    "the published graph transformer: every bead attends to every bead",
	Molecule: true,
	Sizes:    Sizes{Width: 128, Layers: 3, Embed: 16, Heads: 8, HeadWidth: headDim, Inner: 512},

	SmallSizes: Sizes{Width: 16, Layers: 2, Embed: 4, Heads: 2, HeadWidth: 8, Inner: 32},
	// Published (paper, C.1), in its revision: batches of 1024.
	Fit: Config{Epochs: 5000, Batch: 1024, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		StepsPerCall: 1},
	// Flow times near the data and averaged parameters: with uniform times it is 15 nats less likely after 1,400 steps.
	Quick: Config{Epochs: 6, Batch: 256, RateHigh: 1e-3, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Late: 2.5, EMA: 0.995, StepsPerCall: 1},
	Small: Config{Epochs: 2, Batch: 256, RateHigh: 1e-2, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		EMA: 0.99, StepsPerCall: 1},
	form: &form{mark: "param/embed", write: writeGraphTransformer, read: readGraphTransformer},
	is:   isA[GraphTransformer],
	build: func(_ []float32, beads int, o Sizes) (Network, error) {
		return GraphTransformer{Beads: beads, Embed: o.Embed, Hidden: o.Width, Layers: o.Layers, Heads: o.Heads,
			HeadDim: o.HeadWidth, FF: o.Inner}, nil
	},
}

// headDimArray is the number of features of a head, where they are not the published ones.
const headDimArray = "head_dim"

// writeGraphTransformer adds what shapes do not tell: how the heads share the features.
func writeGraphTransformer(f Network, arrays map[string]*tensors.Tensor) {
	if n := f.(GraphTransformer).HeadDim; n != headDim {
		arrays[headDimArray] = tensors.FromScalar(int64(n))
	}
}

func readGraphTransformer(arrays map[string]*tensors.Tensor) (Network, int, error) {
	beads, embed := rank2(arrays, "param/embed")
	_, hidden := rank2(arrays, "param/node/w")
	_, ff := rank2(arrays, "param/layers/0/ff1/w")
	_, inner := rank2(arrays, "param/layers/0/q/w")
	width := headDim
	if a := arrays[headDimArray]; a != nil {
		one, _ := tensors.CopyFlatData[int64](a)
		if len(one) != 1 || one[0] < 1 {
			return nil, 0, fmt.Errorf("%w: %q must be one positive int64", train.ErrParams, headDimArray)
		}
		width = int(one[0])
	}
	if beads == 0 || hidden == 0 || ff == 0 || inner%width != 0 || inner == 0 {
		return nil, 0, fmt.Errorf("%w: no embed, node/w, layers/0/ff1/w or layers/0/q/w of a graph transformer",
			train.ErrParams)
	}
	return GraphTransformer{Beads: beads, Embed: embed, Hidden: hidden, Layers: layersOf(arrays, "param/layers/%d/q/w"),
		Heads: inner / width, HeadDim: width, FF: ff}, beads, nil
}

const (
	axes         = 3  // of space
	headDim      = 64 // of the publication; files do not tell it
	timeFeatures = 4
	edgeFeatures = 4 // displacement and its square
	normEpsilon  = 1e-6
)

// Dim is the number of coordinates.
func (f GraphTransformer) Dim() int { return axes * f.Beads }

// Init creates the parameters: normal with variance 1/inputs, biases zero.
func (f GraphTransformer) Init(store *model.Store, rng *rand.Rand) {
	inner := f.Heads * f.HeadDim
	fill := func(name string, value float32, n int) {
		v := make([]float32, n)
		for i := range v {
			v[i] = value
		}
		train.AddParam(store, name, v, n)
	}
	weights := func(name string, variance float64, rows, columns int) {
		w := make([]float32, rows*columns)
		for i := range w {
			w[i] = float32(rng.NormFloat64() * math.Sqrt(variance))
		}
		train.AddParam(store, name, w, rows, columns)
	}
	weights("embed", 1/float64(f.Embed), f.Beads, f.Embed)
	train.AddDense(store, rng, "edge", edgeFeatures, f.Hidden)
	train.AddDense(store, rng, "node", f.Embed+axes+timeFeatures, f.Hidden)
	for l := range f.Layers {
		name := func(part string) string { return fmt.Sprintf("layers/%d/%s", l, part) }
		for _, norm := range []string{"norm1", "norm2"} {
			fill(name(norm+"/scale"), 1, f.Hidden)
			fill(name(norm+"/bias"), 0, f.Hidden)
		}
		for _, part := range []string{"q", "k", "v", "e"} {
			train.AddDense(store, rng, name(part), f.Hidden, inner)
		}
		train.AddDense(store, rng, name("o"), inner, f.Hidden)
		train.AddDense(store, rng, name("ff1"), f.Hidden, f.FF)
		train.AddDense(store, rng, name("ff2"), f.FF, f.Hidden)
		weights(name("gate1/w"), 1/float64(3*f.Hidden), 3*f.Hidden, 1)
		weights(name("gate2/w"), 1/float64(3*f.Hidden), 3*f.Hidden, 1)
	}
	train.AddDense(store, rng, "decoder", f.Beads*f.Hidden, f.Dim())
}

// weights gives the parameters of a graph by their names.
type weights func(name string) *graph.Node

func params(store *model.Store, at graph.GraphProvider) weights {
	return func(name string) *graph.Node { return train.Param(store, at, name) }
}

// of are the parameters of a layer.
func (w weights) of(layer int) weights {
	return func(name string) *graph.Node { return w(fmt.Sprintf("layers/%d/%s", layer, name)) }
}

// Velocity builds v(t, x), [batch, 3*beads].
func (f GraphTransformer) Velocity(store *model.Store, t, x *graph.Node) *graph.Node {
	return f.apply(params(store, x), t, forward.Constant(x)).X
}

// apply builds the field with the tangents of x.
func (f GraphTransformer) apply(w weights, t *graph.Node, x forward.Value) forward.Value {
	x = x.Reshape(f.Beads, axes)
	edges := f.edges(x)
	h := f.nodes(w, t, x)
	for l := range f.Layers {
		layer := w.of(l)
		y := h.LayerNorm(layer("norm1/scale"), layer("norm1/bias"), normEpsilon)
		h = gated(layer("gate1/w"), f.attention(w, layer, y, edges), h)
		y = h.LayerNorm(layer("norm2/scale"), layer("norm2/bias"), normEpsilon)
		ff := y.Affine(layer("ff1/w"), layer("ff1/b")).Map(forward.GELU)
		h = gated(layer("gate2/w"), ff.Affine(layer("ff2/w"), layer("ff2/b")), h)
	}
	return h.Reshape(f.Beads*f.Hidden).Affine(w("decoder/w"), w("decoder/b"))
}

// edges are the features of every pair, f_ij = [x_j − x_i, |x_j − x_i|²],
// [batch, beads i, beads j, 4]. Differences, since |x_j|² + |x_i|² − 2x_i·x_j cancels.
func (f GraphTransformer) edges(x forward.Value) forward.Value {
	d := x.Reshape(1, f.Beads, axes).Sub(x.Reshape(f.Beads, 1, axes))
	return forward.Concatenate(d, d.Mul(d).Sum(-1))
}

// nodes embeds identity, position and time, [batch, beads, hidden].
func (f GraphTransformer) nodes(w weights, t *graph.Node, x forward.Value) forward.Value {
	return x.Affine(f.nodeRows(w, f.Embed, axes), nil).Add(forward.Constant(f.identity(w, t)))
}

// identity is what the nodes hold before the positions, [batch or 1, beads, hidden].
func (f GraphTransformer) identity(w weights, t *graph.Node) *graph.Node {
	bead := graph.MatMul(w("embed"), f.nodeRows(w, 0, f.Embed))
	time := graph.MatMul(clockFeatures(t), f.nodeRows(w, f.Embed+axes, timeFeatures))
	sum := graph.Add(graph.InsertAxes(bead, 0), graph.InsertAxes(time, 1))
	return graph.Add(sum, graph.Reshape(w("node/b"), 1, 1, f.Hidden))
}

// clockFeatures are what the nodes see of the flow time t, [batch or 1, 1].
func clockFeatures(t *graph.Node) *graph.Node {
	angle := graph.MulScalar(t, 2*math.Pi)
	return graph.Concatenate([]*graph.Node{graph.AddScalar(t, -0.5), graph.Cos(angle), graph.Sin(angle),
		graph.Neg(graph.Cos(graph.MulScalar(angle, 2)))}, -1)
}

// nodeRows are n rows of the node embedding's weights, from the given one.
func (f GraphTransformer) nodeRows(w weights, from, n int) *graph.Node {
	return graph.Slice(w("node/w"), graph.AxisRange(from, from+n), graph.AxisRange())
}

// edgeMap is A, [4, heads, headDim], and c through the output projection with
// its bias, [hidden]: what edges add to keys and values, and to the output.
func (f GraphTransformer) edgeMap(w, layer weights) (a, bias *graph.Node) {
	a = graph.Reshape(graph.MatMul(w("edge/w"), layer("e/w")), edgeFeatures, f.Heads, f.HeadDim)
	c := graph.Add(graph.MatMul(graph.InsertAxes(w("edge/b"), 0), layer("e/w")), graph.InsertAxes(layer("e/b"), 0))
	out := graph.Add(graph.MatMul(c, layer("o/w")), graph.InsertAxes(layer("o/b"), 0))
	return a, graph.Reshape(out, f.Hidden)
}

// attention of the normalised nodes y, [batch, beads, hidden].
func (f GraphTransformer) attention(w, layer weights, y, edges forward.Value) forward.Value {
	edgeMap, bias := f.edgeMap(w, layer)
	a := forward.Constant(edgeMap)
	heads := func(part string) forward.Value {
		return y.Affine(layer(part+"/w"), layer(part+"/b")).Reshape(f.Beads, f.Heads, f.HeadDim)
	}
	q := heads("q").Scale(1 / math.Sqrt(float64(f.HeadDim)))
	score := forward.Einsum("bihd,bjhd->bihj", q, heads("k"))
	score = score.Add(forward.Einsum("bihf,bijf->bihj", forward.Einsum("bihd,fhd->bihf", q, a), edges))
	weight := score.Softmax()
	out := forward.Einsum("bihj,bjhd->bihd", weight, heads("v"))
	out = out.Add(forward.Einsum("bihf,fhd->bihd", forward.Einsum("bihj,bijf->bihf", weight, edges), a))
	return out.Reshape(f.Beads, f.Heads*f.HeadDim).Affine(layer("o/w"), bias)
}

// gated mixes a block's result with its input: g·new + (1 − g)·old with
// g = σ(w·[new, old, new − old]).
//
// w: [3·hidden, 1].
func gated(w *graph.Node, new, old forward.Value) forward.Value {
	toNew, toOld := gateWeights(w)
	g := new.Affine(toNew, nil).Add(old.Affine(toOld, nil)).Map(forward.Sigmoid)
	return g.Mul(new.Sub(old)).Add(old)
}

// gateWeights are the gate's weights on new and on old, [hidden, 1] each: the
// difference new − old needs none of its own.
func gateWeights(w *graph.Node) (toNew, toOld *graph.Node) {
	n := w.Shape().Dim(0) / 3
	part := func(k int) *graph.Node { return graph.Slice(w, graph.AxisRange(k*n, (k+1)*n), graph.AxisRange()) }
	return graph.Add(part(0), part(2)), graph.Sub(part(1), part(2))
}
