package forward

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// rules are fields R⁶ → R^m, one for each rule: x, [batch, 6], to [batch, m]. c is
// a constant of the same shape.
var rules = map[string]func(x, c Value) Value{
	"Affine": func(x, c Value) Value {
		return x.Reshape(2, 3).Affine(graph.Reshape(graph.Slice(c.X, graph.AxisElem(0)), 3, 2), nil).Reshape(4)
	},
	"Add, broadcast": func(x, c Value) Value { return x.Reshape(1, 2, 3).Add(x.Reshape(3, 2, 1)).Reshape(18) },
	"Add a constant": func(x, c Value) Value { return x.Reshape(1, 6).Add(c.Reshape(6, 1)).Reshape(36) },
	"Sub":            func(x, c Value) Value { return c.Sub(x.Mul(x)) },
	"Mul": func(x, c Value) Value {
		return x.Reshape(1, 2, 3).Mul(x.Reshape(3, 2, 1)).Mul(x.Reshape(1, 2, 3)).Reshape(18)
	},
	"Mul by a constant": func(x, c Value) Value { return c.Reshape(1, 6).Mul(x.Mul(x).Reshape(6, 1)).Reshape(36) },
	"Sum of the last":   func(x, c Value) Value { return x.Mul(c).Reshape(2, 3).Sum(-1).Reshape(2) },
	"Sum of the first":  func(x, c Value) Value { return x.Mul(x).Reshape(2, 3).Sum(1).Reshape(3) },
	"Concatenate":       func(x, c Value) Value { return Concatenate(x.Mul(x), c, x) },
	"Einsum": func(x, c Value) Value {
		return Einsum("bij,bkj->bik", x.Reshape(2, 3), x.Mul(x).Reshape(2, 3)).Reshape(4)
	},
	"Einsum, constant": func(x, c Value) Value {
		return Einsum("bij,bkj->bki", c.Reshape(2, 3),
			x.Reshape(2, 3)).Reshape(4)
	},
	"Einsum, batch alone": func(x, c Value) Value { return Einsum("bi,bi->bi", x, x.Mul(c)) },
	"Einsum, weights": func(x, c Value) Value {
		w := graph.Reshape(graph.Slice(c.X, graph.AxisElem(0)), 3, 2)
		return Einsum("bij,jk->bik", x.Reshape(2, 3), Constant(w)).Reshape(4)
	},
	"Swish":    func(x, c Value) Value { return x.Map(Swish) },
	"Softplus": func(x, c Value) Value { return x.Map(Softplus) },
	"Sigmoid":  func(x, c Value) Value { return x.Map(Sigmoid) },
	"GELU":     func(x, c Value) Value { return x.Map(GELU) },
	"Softmax":  func(x, c Value) Value { return x.Mul(x).Reshape(2, 3).Softmax().Mul(c.Reshape(2, 3)).Reshape(6) },
	"LayerNorm": func(x, c Value) Value {
		part := func(k int) *graph.Node {
			return graph.Reshape(graph.Slice(c.X, graph.AxisElem(k), graph.AxisRange(0, 3)), 3)
		}
		return x.Mul(x).Reshape(2, 3).LayerNorm(part(0), part(1), 1e-3).Reshape(6)
	},
	"Chain": func(x, c Value) Value {
		y := Chain(graph.Square(x.X), graph.Mul(graph.MulScalar(x.T, 2), beside(x.X)))
		return y.Map(Sigmoid)
	},
}

// TestRules holds the tangents of every rule to reverse mode and to finite
// differences, in float64.
func TestRules(t *testing.T) {
	const batch, n, step = 3, 6, 1e-5
	rng := rand.New(rand.NewPCG(3, 1))
	random := func() []float64 {
		v := make([]float64, batch*n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return v
	}
	x, c := random(), random()
	tensor := func(v []float64) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(v, batch, n) }
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			exec := graph.MustNewExec(goBackend(), func(x, c *graph.Node) []*graph.Node {
				out := rule(Variable(x), Constant(c))
				m := out.X.Shape().Dim(1)
				all := graph.BroadcastToDims(out.T, batch, n, m)
				var columns []*graph.Node
				for i := range m {
					columns = append(columns,
						graph.Gradient(graph.ReduceAllSum(graph.Slice(out.X, graph.AxisRange(), graph.AxisElem(i))),
							x)[0])
				}
				return []*graph.Node{out.X, all, graph.Stack(columns, 2)}
			})
			run := func(x []float64) [][]float64 {
				var out [][]float64
				for _, o := range exec.MustCall(tensor(x), tensor(c)) {
					out = append(out, tensors.MustCopyFlatData[float64](o))
				}
				return out
			}
			at := run(x)
			m := len(at[0]) / batch
			for k := range n {
				up, down := append([]float64{}, x...), append([]float64{}, x...)
				for b := range batch {
					up[b*n+k] += step
					down[b*n+k] -= step
				}
				high, low := run(up)[0], run(down)[0]
				for b := range batch {
					for i := range m {
						got, reverse := at[1][(b*n+k)*m+i], at[2][(b*n+k)*m+i]
						difference := (high[b*m+i] - low[b*m+i]) / (2 * step)
						if math.Abs(got-reverse) > 1e-12*(1+math.Abs(reverse)) ||
							math.Abs(got-difference) > 1e-6*(1+math.Abs(difference)) {
							t.Fatalf("sample %d, component %d along %d: got %.14g, by reverse mode %.14g, by finite "+
								"differences %.9g", b, i, k, got, reverse, difference)
						}
					}
				}
			}
		})
	}
}

func ExampleVariable() {
	// The divergence of v(x) = x·|x|², which is 5|x|² in three dimensions.
	x := tensors.FromFlatDataAndDimensions([]float64{1, 2, 3}, 1, 3)
	out := graph.MustExecOnce(goBackend(), func(x *graph.Node) *graph.Node {
		v := Variable(x)
		return v.Mul(v.Mul(v).Sum(-1)).Trace()
	}, x)
	fmt.Println(tensors.MustCopyFlatData[float64](out))
	// Output: [70]
}
