package pmf

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// At fixed weights the contraction is a polynomial per bead, channel and
// output component: its few monomials that do not vanish (of 968, about 90 for a
// scalar, 110 for a component of a vector, at ℓ ≤ 3 and correlation 3) are
// summed by Horner's scheme, in one pass over the batch. Coefficients are
// formed once, on the host.

// fixedScope holds what is derived from the parameters, for evaluation.
const fixedScope = "/fixed/"

// polynomial lists the monomials, of all orders, of component m of an output
// of degree l, with the table of the maps' coefficients in them.
type polynomial struct {
	monomials [][]int
	coef      [][]float64 // by monomial: [maps of all orders]
}

func (p MACE) polynomial(l, m int) polynomial {
	var out polynomial
	total := 0
	for nu := 1; nu <= p.Correlation; nu++ {
		total += symmetric(p.LMax, nu, l).K
	}
	start := 0
	for nu := 1; nu <= p.Correlation; nu++ {
		basis := symmetric(p.LMax, nu, l)
		gauge := p.Gauges[fmt.Sprintf("U%d_l%d", nu, l)]
		for i, monomial := range basis.Monomials {
			row, found := make([]float64, total), false
			for k2 := range basis.K {
				v := basis.Coef[(i*basis.K+k2)*(2*l+1)+m]
				if v*v < 1e-24 { // rounding of what vanishes
					continue
				}
				found = true
				for k := range basis.K {
					switch {
					case gauge != nil:
						row[start+k] += gauge[k*basis.K+k2] * v
					case k == k2:
						row[start+k] = v
					}
				}
			}
			if found {
				out.monomials, out.coef = append(out.monomials, monomial), append(out.coef, row)
			}
		}
		start += basis.K
	}
	return out
}

// Fix adds to a store of parameters what evaluation at these values takes.
func (p MACE) Fix(store *model.Store) error {
	values := func(name string) ([]float64, bool, error) {
		t, err := store.GetVariable("/net/" + name).Value()
		if err != nil {
			return nil, false, fmt.Errorf("pmf: MACE: parameter %s: %w", name, err)
		}
		return numbers(t), t.DType().Size() == 4, nil
	}
	n, c := len(p.Species), p.Channels
	for layer := range p.Layers {
		for _, l := range p.out(layer) {
			var weights [][]float64 // by map: [rows, channels]
			single := false
			for nu := 1; nu <= p.Correlation; nu++ {
				w, small, err := values(fmt.Sprintf("%d/w%d_l%d", layer, nu, l))
				if err != nil {
					return err
				}
				single = small
				k := symmetric(p.LMax, nu, l).K
				for j := range k {
					row := make([]float64, 0, p.Rows*c)
					for s := range p.Rows {
						row = append(row, w[(s*k+j)*c:(s*k+j+1)*c]...)
					}
					weights = append(weights, row)
				}
			}
			for m := range 2*l + 1 {
				poly := p.polynomial(l, m)
				out := make([]float64, len(poly.monomials)*n*c)
				for i, coef := range poly.coef {
					for bead, s := range p.Species {
						for channel := range c {
							for k, w := range weights {
								out[(i*n+bead)*c+channel] += coef[k] * w[s*c+channel]
							}
						}
					}
				}
				name := fmt.Sprintf("%s%d/b_l%d_%d", fixedScope, layer, l, m)
				if single {
					store.VariableWithValue(name,
						tensors.FromFlatDataAndDimensions(narrow(out), len(poly.monomials), n, c, 1))
				} else {
					store.VariableWithValue(name, tensors.FromFlatDataAndDimensions(out, len(poly.monomials), n, c, 1))
				}
			}
		}
	}
	return nil
}

// contractSparse builds B of one degree at fixed weights, [beads, channels, 2l+1, batch].
//
// With slopes, its derivatives are polynomials too, instead of a reverse pass
// over Horner's scheme: B = B(x̄) + Σ_a ∂B/∂x_a(x̄)·(x_a − x̄_a), where x̄ is x
// without gradient, has the value of B and its first derivatives.
//
// x: by degree, each [beads, channels, 2l+1, batch].
func (b *maceGraph) contractSparse(layer, l int, x []*graph.Node) *graph.Node {
	still := make([]*graph.Node, len(x))
	for k, v := range x {
		still[k] = graph.StopGradient(v)
	}
	parts := components(still)
	var out []*graph.Node
	for m := range 2*l + 1 {
		w := b.store.GetVariable(fmt.Sprintf("%s%d/b_l%d_%d", fixedScope, layer, l, m)).NodeValue(b.at)
		var terms []term
		for i, monomial := range b.polynomial(l, m).monomials {
			terms = append(terms, term{monomial, graph.Squeeze(graph.Slice(w, graph.AxisElem(i)), 0)})
		}
		value := horner(terms, parts)
		for k := range x {
			if !b.slopes {
				break
			}
			var slopes []*graph.Node
			for a := k * k; a < (k+1)*(k+1); a++ {
				slopes = append(slopes, slope(terms, a, parts))
			}
			change := graph.Mul(graph.Stack(slopes, 2), graph.Sub(x[k], still[k]))
			value = graph.Add(value, graph.ReduceSum(change, 2))
		}
		out = append(out, value)
	}
	return graph.Stack(out, 2)
}

// slope is the derivative of a sum of terms with respect to a factor.
func slope(terms []term, a int, x []*graph.Node) *graph.Node {
	var out []term
	for _, t := range terms {
		first := slices.Index(t.factors, a)
		if first < 0 {
			continue
		}
		power := 0
		for _, f := range t.factors {
			if f == a {
				power++
			}
		}
		coef := t.coef
		if power > 1 {
			coef = graph.MulScalar(coef, float64(power))
		}
		out = append(out, term{slices.Delete(slices.Clone(t.factors), first, first+1), coef})
	}
	if out == nil {
		return graph.ZerosLike(x[a])
	}
	return graph.BroadcastToShape(horner(out, x), x[a].Shape())
}

// term is a coefficient, [beads, channels, 1], and the sorted factors that it multiplies.
type term struct {
	factors []int
	coef    *graph.Node
}

// horner sums terms; every factor is taken out of all terms that begin with it.
func horner(terms []term, x []*graph.Node) *graph.Node {
	var sum *graph.Node
	add := func(v *graph.Node) {
		if sum == nil {
			sum = v
		} else {
			sum = graph.Add(sum, v)
		}
	}
	rest := map[int][]term{}
	var order []int
	for _, t := range terms {
		if len(t.factors) == 0 {
			add(t.coef)
			continue
		}
		a := t.factors[0]
		if !slices.Contains(order, a) {
			order = append(order, a)
		}
		rest[a] = append(rest[a], term{t.factors[1:], t.coef})
	}
	for _, a := range order {
		add(graph.Mul(x[a], horner(rest[a], x)))
	}
	return sum
}

// components takes features apart into their components, [beads, channels, batch].
func components(x []*graph.Node) []*graph.Node {
	var out []*graph.Node
	for _, v := range x {
		for m := range v.Shape().Dim(2) {
			out = append(out, graph.Squeeze(graph.Slice(v, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(m)), 2))
		}
	}
	return out
}
