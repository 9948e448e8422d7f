package forward

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

var goBackend = sync.OnceValue(func() compute.Backend {
	b, err := backend.OpenNamed("go")
	if err != nil {
		panic(err)
	}
	return b.Backend
})

// network is a small field R³ → R³ with both activations and a constant input.
func network(x Value, w1, w2, w3 *graph.Node) Value {
	zero := func(w *graph.Node) *graph.Node { return graph.ZerosLike(graph.ReduceSum(w, 0)) }
	h := x.Affine(w1, zero(w1)).Map(Swish)
	h = h.Affine(w2, zero(w2)).Add(Constant(graph.OnesLike(h.X))).Map(Softplus)
	return h.Affine(w3, zero(w3))
}

func inputs() (x, w1, w2, w3 *tensors.Tensor) {
	rng := rand.New(rand.NewPCG(1, 2))
	fill := func(rows, cols int) *tensors.Tensor {
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = rng.NormFloat64()
		}
		return tensors.FromFlatDataAndDimensions(data, rows, cols)
	}
	return fill(4, 3), fill(3, 8), fill(8, 8), fill(8, 3)
}

// TestTraceAgainstReverseMode holds the divergence by tangents to the trace of
// the Jacobian by reverse mode, in float64 to 1e-12.
func TestTraceAgainstReverseMode(t *testing.T) {
	b := goBackend()
	x, w1, w2, w3 := inputs()
	got := tensors.MustCopyFlatData[float64](graph.MustExecOnce(b, func(x, w1, w2, w3 *graph.Node) *graph.Node {
		return network(Variable(x), w1, w2, w3).Trace()
	}, x, w1, w2, w3))
	want := tensors.MustCopyFlatData[float64](graph.MustExecOnce(b, func(x, w1, w2, w3 *graph.Node) *graph.Node {
		out := network(Constant(x), w1, w2, w3).X
		trace := graph.ScalarZero(x.Graph(), x.DType())
		for i := range 3 {
			column := graph.Slice(out, graph.AxisRange(), graph.AxisElem(i))
			g := graph.Gradient(graph.ReduceAllSum(column), x)[0]
			trace = graph.Add(trace, graph.Slice(g, graph.AxisRange(), graph.AxisElem(i)))
		}
		return graph.Reshape(trace, -1)
	}, x, w1, w2, w3))
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12*(1+math.Abs(want[i])) {
			t.Errorf("sample %d: got divergence %.15g, want %.15g", i, got[i], want[i])
		}
	}
}

// TestActivations holds values and derivatives to closed forms and finite differences.
func TestActivations(t *testing.T) {
	b := goBackend()
	z := []float64{-30, -3, -0.5, 0.25, 2, 40}
	tests := []struct {
		name string
		f    Activation
		want func(float64) float64
	}{
		{"Swish", Swish, func(z float64) float64 { return z / (1 + math.Exp(-z)) }},
		{"Softplus", Softplus, func(z float64) float64 { return math.Log1p(math.Exp(z)) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := graph.MustExecOnceN(b, func(z *graph.Node) (*graph.Node, *graph.Node) { return test.f(z) }, z)
			value, derivative := tensors.MustCopyFlatData[float64](out[0]), tensors.MustCopyFlatData[float64](out[1])
			for i, z := range z {
				if want := test.want(z); math.Abs(value[i]-want) > 1e-12*(1+math.Abs(want)) {
					t.Errorf("f(%g): got %.15g, want %.15g", z, value[i], want)
				}
				const h = 1e-5
				want := (test.want(z+h) - test.want(z-h)) / (2 * h)
				if math.Abs(derivative[i]-want) > 1e-6 {
					t.Errorf("f'(%g): got %.10g, want %.10g", z, derivative[i], want)
				}
			}
		})
	}
}

// TestSoftplusGradients checks the hand-made reverse rule, first and second order.
func TestSoftplusGradients(t *testing.T) {
	b := goBackend()
	z := []float64{-40, -3, -0.5, 0, 0.25, 2, 40}
	out := graph.MustExecOnceN(b, func(z *graph.Node) (*graph.Node, *graph.Node) {
		value, _ := Softplus(z)
		first := graph.Gradient(graph.ReduceAllSum(value), z)[0]
		return first, graph.Gradient(graph.ReduceAllSum(first), z)[0]
	}, z)
	first, second := tensors.MustCopyFlatData[float64](out[0]), tensors.MustCopyFlatData[float64](out[1])
	for i, z := range z {
		s := 1 / (1 + math.Exp(-z))
		if math.Abs(first[i]-s) > 1e-12 || math.Abs(second[i]-s*(1-s)) > 1e-12 {
			t.Errorf("z = %g: got derivatives %g and %g, want %g and %g", z, first[i], second[i], s, s*(1-s))
		}
	}
}

func ExampleValue_Trace() {
	b := goBackend()
	// The field v(x) = x·w has divergence trace(w) everywhere.
	div := graph.MustExecOnce(b, func(x, w *graph.Node) *graph.Node {
		zero := graph.ZerosLike(graph.ReduceSum(w, 0))
		return Variable(x).Affine(w, zero).Add(Constant(x)).Trace()
	}, [][]float64{{1, 2}}, [][]float64{{3, 7}, {5, 4}})
	fmt.Println(div.Value())
	// Output: [7]
}

func BenchmarkTrace(b *testing.B) {
	back := goBackend()
	x, w1, w2, w3 := inputs()
	exec := graph.MustNewExec(back, func(x, w1, w2, w3 *graph.Node) *graph.Node {
		return network(Variable(x), w1, w2, w3).Trace()
	})
	for b.Loop() {
		exec.MustCall1(x, w1, w2, w3).MustFinalizeAll()
	}
}
