package pmf

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/e3"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// maceGraph builds one energy. The batch is the last axis of every tensor, so
// that the processor's vectors run over it; beads are the first. Gradients of
// gradients must pass: no Slice or Pad on the way from the positions.
type maceGraph struct {
	MACE
	store  *model.Store
	at     *graph.Node
	batch  int
	fixed  bool           // contractions at fixed weights, without gradient
	slopes bool           // but with their first derivatives
	pairs  int            // rows of distances: i < j, or slots of all beads
	expand *graph.Node    // see constants
	signed [2]*graph.Node // by parity

	// Of a neighbour list, see mace_list.go; nil where all pairs are used.
	list *graph.Node
}

// Energy builds U, [batch], kJ/mol.
//
// r: [batch, 3·beads], nm.
func (p MACE) Energy(store *model.Store, r *graph.Node) *graph.Node {
	return p.energy(store, r, nil, false, false)
}

// FixedEnergy builds U as Energy does, for values alone, not for gradients,
// with parameters that have been given to Fix, and a neighbour list or nil.
func (p MACE) FixedEnergy(store *model.Store, r, list *graph.Node) *graph.Node {
	return p.energy(store, r, list, true, false)
}

// FixedEnergyGradient builds U, [batch], and ∇U, [batch, 3·beads], as FixedEnergy
// builds U. Second derivatives are not those of U.
func (p MACE) FixedEnergyGradient(store *model.Store, r, list *graph.Node) (energy, gradient *graph.Node) {
	energy = p.energy(store, r, list, true, true)
	return energy, graph.Gradient(graph.ReduceAllSum(energy), r)[0]
}

func (p MACE) energy(store *model.Store, r, list *graph.Node, fixed, slopes bool) *graph.Node {
	r.AssertDims(-1, p.Dim())
	b := &maceGraph{MACE: p, store: store, at: r, batch: r.Shape().Dim(0), fixed: fixed, slopes: slopes}
	if list == nil {
		b.constants()
	} else {
		b.useList(list)
	}
	d, x, y, z := b.distances(r)
	rbf := b.bessel(d)
	harmonics := make([]*graph.Node, p.LMax+1)
	for l := range harmonics {
		harmonics[l] = graph.Stack(e3.HarmonicGraph(l, x, y, z), 0)
	}
	h := map[int]*graph.Node{0: b.embedding()}
	for layer := range p.Layers {
		h = b.layer(layer, h, rbf, harmonics)
	}
	if p.Prior.empty() {
		return b.readout(h[0])
	}
	return graph.Add(b.readout(h[0]), p.Prior.energy(r, p.Box))
}

func (b *maceGraph) param(name string) *graph.Node { return train.Param(b.store, b.at, name) }

// constant is a node of the graph's number type.
func (b *maceGraph) constant(values []float64, dims ...int) *graph.Node {
	return graph.ConvertDType(graph.ConstTensor(b.at.Graph(), tensors.FromFlatDataAndDimensions(values, dims...)),
		b.at.DType())
}

// constants are, for every ordered pair (i, j): the pair i < j that it belongs
// to, and the sign of what is even or odd: 0 for i = j, which is no pair.
func (b *maceGraph) constants() {
	n := len(b.Species)
	first, second := Pairs(n)
	b.pairs = len(first)
	index := make([]int32, n*n)
	even, odd := make([]float64, n*n), make([]float64, n*n)
	for k := range first {
		i, j := int(first[k]), int(second[k])
		index[i*n+j], index[j*n+i] = int32(k), int32(k)
		even[i*n+j], even[j*n+i] = 1, 1
		odd[i*n+j], odd[j*n+i] = 1, -1
	}
	b.expand = graph.ConstTensor(b.at.Graph(), tensors.FromFlatDataAndDimensions(index, n*n, 1))
	b.signed = [2]*graph.Node{b.constant(even, n, n), b.constant(odd, n, n)}
}

// differences builds, for pairs i < j, an axis of R_j − R_i in cutoffs, [pairs, batch].
func (b *maceGraph) differences(r *graph.Node, axis int) *graph.Node {
	if b.list != nil {
		return b.listDifferences(r, axis)
	}
	first, second := Pairs(len(b.Species))
	return differences(r, first, second, axis, b.Cutoff)
}

// distances builds, for pairs i < j or slots of a list, the distance in cutoffs
// and the unit vector of R_j − R_i, [pairs, batch] each.
func (b *maceGraph) distances(r *graph.Node) (d, x, y, z *graph.Node) {
	var axes [3]*graph.Node
	var square *graph.Node
	for axis := range axes {
		v := b.differences(r, axis)
		if b.Box != nil {
			v = nearest(v, b.Box[axis]/b.Cutoff)
		}
		axes[axis] = v
		if square == nil {
			square = graph.Square(v)
		} else {
			square = graph.Add(square, graph.Square(v))
		}
	}
	if b.list != nil {
		square = b.emptyFar(square)
	}
	d = graph.Sqrt(graph.AddScalar(square, tiny(r.DType())))
	return d, graph.Div(axes[0], d), graph.Div(axes[1], d), graph.Div(axes[2], d)
}

// bessel builds u(d) √2 sin(f_k d)/d with the envelope u = 1 − 28d⁶ + 48d⁷ − 21d⁸
// below the cutoff, [radial, pairs, batch].
func (b *maceGraph) bessel(d *graph.Node) *graph.Node {
	cube := graph.Mul(graph.Square(d), d)
	u := graph.AddScalar(graph.Mul(d, graph.AddScalar(graph.MulScalar(d, -21), 48)), -28)
	u = graph.OnePlus(graph.Mul(graph.Square(cube), u))
	u = graph.Where(graph.LessThan(d, graph.OnesLike(d)), u, graph.ZerosLike(d))
	u = graph.Div(graph.MulScalar(u, math.Sqrt2), d)
	sin := graph.Sin(graph.Mul(graph.Reshape(b.param("frequencies"), -1, 1, 1), graph.InsertAxes(d, 0)))
	return graph.Mul(graph.InsertAxes(u, 0), sin)
}

// rows takes the species' rows of a parameter, one for every bead: a product
// with a constant matrix, whose gradient needs no scatter.
func (b *maceGraph) rows(name string) *graph.Node {
	v := b.param(name)
	n := len(b.Species)
	choice := make([]float64, n*b.Rows)
	for i, s := range b.Species {
		choice[i*b.Rows+s] = 1
	}
	flat := graph.MatMul(b.constant(choice, n, b.Rows), graph.Reshape(v, b.Rows, -1))
	return graph.Reshape(flat, append([]int{n}, v.Shape().Dimensions[1:]...)...)
}

// embedding is the first feature, [beads, channels, 1, 1]: the same for all frames.
func (b *maceGraph) embedding() *graph.Node {
	return graph.InsertAxes(graph.MatMul(b.rows("embed/table"), b.param("embed/linear")), -1, -1)
}

// silu is normalised: its square has mean 1 over a standard normal.
func silu(x *graph.Node) *graph.Node {
	return graph.MulScalar(graph.Mul(x, graph.Sigmoid(x)), 1/siluNorm)
}

// radial builds the hidden part of a layer's radial network for pairs i < j,
// [width, pairs·batch]; only its last matrix is left to apply.
func (b *maceGraph) radial(layer int, rbf *graph.Node) *graph.Node {
	x := graph.Reshape(rbf, b.Radial, -1)
	for k := range b.Hidden {
		w := b.param(fmt.Sprintf("%d/radial_%d", layer, k))
		x = graph.Einsum("uw,ur->wr", graph.MulScalar(w, 1/math.Sqrt(float64(w.Shape().Dim(0)))), x)
		x = silu(x)
	}
	return x
}

// ordered copies values of pairs i < j to every ordered pair; those of slots
// are of ordered pairs.
//
// x: [width, pairs·batch]. Result: [beads i, beads or slots j, width, batch].
func (b *maceGraph) ordered(x *graph.Node) *graph.Node {
	n := len(b.Species)
	if b.list != nil {
		return graph.TransposeAllAxes(graph.Reshape(x, -1, n, b.pairs/n, b.batch), 1, 2, 0, 3)
	}
	return graph.Reshape(graph.Gather(graph.Transpose(graph.Reshape(x, -1, b.pairs, b.batch), 0, 1), b.expand), n, n,
		-1, b.batch)
}

// layer builds one interaction and its contraction.
//
// h: features by degree, [beads, channels, 2l+1, batch or 1].
func (b *maceGraph) layer(layer int, h map[int]*graph.Node, rbf *graph.Node,
	harmonics []*graph.Node) map[int]*graph.Node {
	param := func(format string, args ...any) *graph.Node {
		return b.param(fmt.Sprintf("%d/", layer) + fmt.Sprintf(format, args...))
	}
	c := b.Channels
	up := map[int]*graph.Node{}
	for l, x := range h {
		up[l] = b.sources(e3.Linear(param("up_l%d", l), x))
	}
	hidden := b.radial(layer, rbf)
	last := param("radial_%d", len(b.Hidden))
	last = graph.MulScalar(last, 1/math.Sqrt(float64(last.Shape().Dim(0))))
	epsilon := graph.Div(graph.OnesLike(b.param("neighbours")),
		graph.Sqrt(graph.OnePlus(graph.Square(b.param("neighbours")))))
	scale := graph.MulScalar(graph.Square(epsilon), 1/float64(c*len(h)))
	x := make([]*graph.Node, b.LMax+1)
	index := 0
	for l := range x {
		var sums []*graph.Node
		for _, path := range e3.Paths(b.in(layer), b.LMax, l) {
			w := graph.Slice(last, graph.AxisRange(), graph.AxisRange(index*c, (index+1)*c))
			mix := b.ordered(graph.Einsum("uc,ur->cr", w, hidden))
			sums = append(sums, b.message(path, mix, up[path.A], harmonics))
			index++
		}
		sum := sums[0]
		if len(sums) > 1 {
			sum = graph.Concatenate(sums, 1)
		}
		x[l] = e3.Linear(graph.Mul(param("down_l%d", l), scale), sum)
		if layer == 0 {
			x[l] = e3.Linear(b.rows(fmt.Sprintf("0/species_l%d", l)), x[l])
		}
	}
	out := map[int]*graph.Node{}
	contract := b.contractor(layer, x)
	for _, l := range b.out(layer) {
		out[l] = e3.Linear(param("out_l%d", l), contract(l))
		if layer > 0 {
			out[l] = graph.Add(out[l], e3.Linear(b.rows(fmt.Sprintf("%d/skip_l%d", layer, l)), h[l]))
		}
	}
	return out
}

// sources are the features of the beads j that messages come from.
//
// h: [beads, channels, 2a+1, batch or 1]. Result: [beads i or 1, channels, 2a+1, beads or slots j, batch or 1].
func (b *maceGraph) sources(h *graph.Node) *graph.Node {
	if b.list != nil {
		return b.listSources(h)
	}
	return graph.InsertAxes(graph.TransposeAllAxes(h, 1, 2, 0, 3), 0)
}

// sign multiplies values of ordered pairs, [beads i, j, …, batch], by 1, for
// an odd parity and i > j by −1, and for no pair by 0.
func (b *maceGraph) sign(x *graph.Node, parity int) *graph.Node {
	if b.list != nil {
		return x // no pair has a mix of 0: its distance is far
	}
	return graph.Mul(x, graph.InsertAxes(b.signed[parity], -1, -1))
}

// message builds Σ_j mix_ij [h_j ⊗ Y(R_j − R_i)] along a path, [beads i, channels, 2l+1, batch].
//
// mix: [beads i, j, channels, batch]; h: those of sources, of degree a.
func (b *maceGraph) message(path e3.Path, mix, h *graph.Node, harmonics []*graph.Node) *graph.Node {
	n, a, l := len(b.Species), 2*path.A+1, 2*path.L+1
	// Axes of the product: i, channel, m_l, m_a, j, batch.
	turn := func(x *graph.Node) *graph.Node { return graph.TransposeAllAxes(x, 0, 2, 1, 3) }
	if path.B == 0 {
		mix = graph.InsertAxes(turn(b.sign(mix, 0)), 2)
		return graph.ReduceSum(graph.Mul(mix, h), 3)
	}
	mix = graph.InsertAxes(turn(mix), 2, 2)
	y := harmonics[path.B]
	if path.A > 0 {
		table := e3.Wigner3j(path.A, path.B, path.L)
		for i := range table {
			table[i] *= math.Sqrt(float64(l))
		}
		y = graph.Einsum("abl,br->lar", b.constant(table, a, 2*path.B+1, l), graph.Reshape(y, 2*path.B+1, -1))
	}
	y = b.sign(b.ordered(graph.Reshape(y, l*a, -1)), path.B%2)
	y = graph.Reshape(turn(y), n, 1, l, a, -1, b.batch)
	return graph.ReduceSum(graph.Mul(graph.Mul(mix, graph.InsertAxes(h, 2)), y), 3, 4)
}

// contractor returns the function that builds B of one degree.
func (b *maceGraph) contractor(layer int, x []*graph.Node) func(l int) *graph.Node {
	if b.fixed {
		return func(l int) *graph.Node { return b.contractSparse(layer, l, x) }
	}
	phi, even, odd := products(x)
	return func(l int) *graph.Node { return b.contract(layer, l, phi, even, odd) }
}

// products builds q of mace_contract.go, [beads, channels, Q, batch], and the
// factors: even with a leading 1, and odd.
func products(x []*graph.Node) (phi, even, odd *graph.Node) {
	shape := x[0].Shape()
	n, c, batch := shape.Dim(0), shape.Dim(1), shape.Dim(3)
	var evens, odds []*graph.Node
	for l, v := range x {
		if l%2 == 0 {
			evens = append(evens, v)
		} else {
			odds = append(odds, v)
		}
	}
	square := func(v *graph.Node) *graph.Node {
		k := v.Shape().Dim(2)
		return graph.Reshape(graph.Mul(graph.InsertAxes(v, 3), graph.InsertAxes(v, 2)), n, c, k*k, batch)
	}
	ones := graph.OnesLike(x[0])
	even = graph.Concatenate(evens, 2)
	list := []*graph.Node{ones, even, square(even)}
	if len(odds) > 0 {
		odd = graph.Concatenate(odds, 2)
		list = append(list, square(odd))
	}
	return graph.Concatenate(list, 2), graph.Concatenate([]*graph.Node{ones, even}, 2), odd
}

// contract builds B of one degree, [beads, channels, 2l+1, batch].
func (b *maceGraph) contract(layer, l int, phi, even, odd *graph.Node) *graph.Node {
	n, c := len(b.Species), b.Channels
	table := b.contraction(l)
	var weights []*graph.Node
	for nu := 1; nu <= b.Correlation; nu++ {
		weights = append(weights, b.rows(fmt.Sprintf("%d/w%d_l%d", layer, nu, l)))
	}
	w := graph.Einsum("nkc,kr->ncr", graph.Concatenate(weights, 1),
		b.constant(table.Coef, table.K, table.A*table.M*table.Q))
	w = graph.Reshape(w, n, c, table.A*table.M, table.Q)
	z := graph.Reshape(graph.Einsum("ncoq,ncqb->ncob", w, phi), n, c, table.A, table.M, b.batch)
	a := even
	if l%2 == 1 {
		a = odd
	}
	return graph.ReduceSum(graph.Mul(graph.InsertAxes(a, 3), z), 2)
}

// readout builds the energy, the sum over beads, from the last scalars,
// [beads, channels, 1, batch].
func (b *maceGraph) readout(h *graph.Node) *graph.Node {
	o := e3.Linear(b.param("readout/out"), silu(e3.Linear(b.param("readout/hidden"), h)))
	sum := graph.ReduceSum(graph.Reshape(o, -1, b.batch), 0)
	constant := graph.Add(graph.ReduceAllSum(b.rows("atomic")),
		graph.MulScalar(b.param("shift"), float64(len(b.Species))))
	return graph.Add(graph.Mul(sum, b.param("scale")), constant)
}
