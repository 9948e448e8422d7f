package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

func TestGraphTransformerParameterCount(t *testing.T) {
	// 6 and 10 beads are derived from the published architecture (facts); all 22 atoms follow from them, since
	// beads enter as 16 numbers each in the embedding, and 384 beads² + 3 beads in the decoder.
	for beads, want := range map[int]int{6: 1_406_194, 10: 1_430_846, 22: 1_578_530} {
		store := model.NewStore()
		NewGraphTransformer(beads).Init(store, rand.New(rand.NewPCG(1, 1)))
		if got := train.NumParams(store); got != want {
			t.Errorf("%d beads: got %d parameters, want %d", beads, got, want)
		}
	}
}

// plain is the published field written out, with a tensor for every edge.
func (f GraphTransformer) plain(w weights, t, x *graph.Node) *graph.Node {
	n, batch := f.Beads, x.Shape().Dim(0)
	dense := func(x *graph.Node, w, b *graph.Node) *graph.Node {
		return graph.Add(graph.Einsum("bnd,de->bne", x, w), graph.Reshape(b, 1, 1, -1))
	}
	norm := func(x, scale, bias *graph.Node) *graph.Node {
		x = graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, -1))
		x = graph.Div(x, graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Square(x), graph.ReduceMean, -1), 1e-6)))
		return graph.Add(graph.Mul(x, graph.Reshape(scale, 1, 1, -1)), graph.Reshape(bias, 1, 1, -1))
	}
	gate := func(w, new, old *graph.Node) *graph.Node {
		all := graph.Concatenate([]*graph.Node{new, old, graph.Sub(new, old)}, -1)
		g := graph.Sigmoid(graph.Einsum("bnd,de->bne", all, w))
		return graph.Add(graph.Mul(new, g), graph.Mul(old, graph.OneMinus(g)))
	}
	gelu := func(z *graph.Node) *graph.Node {
		u := graph.MulScalar(graph.Add(z, graph.MulScalar(graph.Mul(z, graph.Square(z)), 0.044715)),
			math.Sqrt(2/math.Pi))
		return graph.Mul(graph.MulScalar(z, 0.5), graph.OnePlus(graph.Tanh(u)))
	}
	x = graph.Reshape(x, batch, n, 3)
	time := graph.Concatenate([]*graph.Node{graph.AddScalar(t, -0.5), graph.Cos(graph.MulScalar(t, 2*math.Pi)),
		graph.Sin(graph.MulScalar(t, 2*math.Pi)), graph.Neg(graph.Cos(graph.MulScalar(t, 4*math.Pi)))}, -1)
	time = graph.BroadcastToDims(graph.InsertAxes(time, 1), batch, n, 4)
	d := graph.Sub(graph.InsertAxes(x, 1), graph.InsertAxes(x, 2))
	edges := graph.Reshape(graph.Concatenate([]*graph.Node{d,
		graph.ReduceAndKeep(graph.Square(d), graph.ReduceSum, -1)}, -1), batch, n*n, 4)
	edges = dense(edges, w("edge/w"), w("edge/b"))
	embed := graph.BroadcastToDims(graph.InsertAxes(w("embed"), 0), batch, n, f.Embed)
	nodes := dense(graph.Concatenate([]*graph.Node{embed, x, time}, -1), w("node/w"), w("node/b"))
	for l := range f.Layers {
		layer := w.of(l)
		y := norm(nodes, layer("norm1/scale"), layer("norm1/bias"))
		part := func(name string, from *graph.Node, dims ...int) *graph.Node {
			return graph.Reshape(dense(from, layer(name+"/w"), layer(name+"/b")),
				append(append([]int{batch}, dims...), f.Heads, f.HeadDim)...)
		}
		e := part("e", edges, n, n)
		k := graph.Add(graph.InsertAxes(part("k", y, n), 1), e)
		v := graph.Add(graph.InsertAxes(part("v", y, n), 1), e)
		a := graph.Softmax(graph.MulScalar(graph.Einsum("bihd,bijhd->bhij", part("q", y, n), k),
			1/math.Sqrt(float64(f.HeadDim))), -1)
		out := graph.Reshape(graph.Einsum("bhij,bijhd->bihd", a, v), batch, n, f.Heads*f.HeadDim)
		nodes = gate(layer("gate1/w"), dense(out, layer("o/w"), layer("o/b")), nodes)
		y = norm(nodes, layer("norm2/scale"), layer("norm2/bias"))
		nodes = gate(layer("gate2/w"), dense(gelu(dense(y, layer("ff1/w"), layer("ff1/b"))), layer("ff2/w"),
			layer("ff2/b")), nodes)
	}
	out := graph.MatMul(graph.Reshape(nodes, batch, n*f.Hidden), w("decoder/w"))
	return graph.Add(out, graph.Reshape(w("decoder/b"), 1, -1))
}

// plainTrace is the trace of the Jacobian of the plain form by reverse mode.
func (f GraphTransformer) plainTrace(w weights, t, x *graph.Node) *graph.Node {
	out := f.plain(w, t, x)
	trace := graph.ScalarZero(x.Graph(), x.DType())
	for i := range f.Dim() {
		g := graph.Gradient(graph.ReduceAllSum(graph.Slice(out, graph.AxisRange(), graph.AxisElem(i))), x)[0]
		trace = graph.Add(trace, graph.Slice(g, graph.AxisRange(), graph.AxisElem(i)))
	}
	return graph.Reshape(trace, -1)
}

// rough makes all parameters count: at the start gates, biases and norms do not.
func rough(t testing.TB, f Field, seed uint64) *model.Store {
	return roughened(t, f, rand.New(rand.NewPCG(seed, 7)),
		func(rng *rand.Rand) float64 { return 0.05 * rng.NormFloat64() })
}

// roughened are a field's first parameters with noise on all of them, in float64.
func roughened(t testing.TB, f Field, rng *rand.Rand, noise func(rng *rand.Rand) float64) *model.Store {
	store := model.NewStore()
	f.Init(store, rng)
	for v := range store.IterVariables() {
		values := tensors.MustCopyFlatData[float32](v.MustValue())
		for i := range values {
			values[i] += float32(noise(rng))
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
	}
	double, err := train.Float64(store)
	if err != nil {
		t.Fatal(err)
	}
	return double
}

// TestFoldedIsPlain holds the collapsed velocity, the generic divergence and the
// folded one to the plain form, in float64.
func TestFoldedIsPlain(t *testing.T) {
	for _, f := range []GraphTransformer{
		{Beads: 4, Embed: 3, Hidden: 16, Layers: 3, Heads: 2, HeadDim: 4, FF: 24},
		{Beads: 3, Embed: 2, Hidden: 8, Layers: 1, Heads: 3, HeadDim: 5, FF: 8},
		NewGraphTransformer(2),
	} {
		for _, batchTime := range []int{1, 3} {
			t.Run(fmt.Sprintf("%d beads, %d layers, %d times", f.Beads, f.Layers, batchTime),
				func(t *testing.T) { testFolded(t, f, batchTime) })
		}
	}
}

func testFolded(t *testing.T, f GraphTransformer, times int) {
	store := rough(t, f, 5)
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(rows, columns int) *tensors.Tensor {
		v := make([]float64, rows*columns)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return tensors.FromFlatDataAndDimensions(v, rows, columns)
	}
	exec, err := model.NewExec(goBackend(), store, func(_ *model.Scope, t, x *graph.Node) []*graph.Node {
		w := params(store, x)
		generic := f.apply(w, t, forward.Variable(x))
		velocity, folded := f.Divergence(store, t, x)
		full := graph.BroadcastToDims(t, x.Shape().Dim(0), 1)
		return []*graph.Node{f.plain(w, full, x), f.plainTrace(w, full, x), f.Velocity(store, t, x), generic.X,
			velocity, f.batchVelocity(store, full, x), generic.Trace(), folded}
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Exec(random(times, 1), random(3, f.Dim()))
	if err != nil {
		t.Fatal(err)
	}
	flat := make([][]float64, len(out))
	for i := range out {
		flat[i] = tensors.MustCopyFlatData[float64](out[i])
	}
	for i, name := range []string{2: "velocity", 3: "generic velocity", 4: "folded velocity", 5: "velocity for batches",
		6: "generic divergence", 7: "folded divergence"} {
		if name == "" {
			continue
		}
		want := flat[0]
		if i >= 6 {
			want = flat[1]
		}
		for k := range want {
			if math.Abs(flat[i][k]-want[k]) > 1e-12*(1+math.Abs(want[k])) {
				t.Errorf("%s %d: got %.16g, want %.16g", name, k, flat[i][k], want[k])
			}
		}
	}
}
