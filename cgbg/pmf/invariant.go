package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
)

// Invariant is a potential of one molecule in terms of all its distances,
// invariant under translation, rotation and reflection:
//
//	U = kT·[ ½ Σ_k a_k² w_k² + g(w) ],   w = W (d − ⟨d⟩),
//
// with a residual perceptron g. W takes the distances to their principal components
// in the frames, each in units of its spread: a stiff bond is as plain to the perceptron as
// a soft torsion. The squares keep the molecule together where there are no data.
// It costs a small part of [MACE], and knows nothing of other molecules.
type Invariant struct {
	Beads  int
	Hidden int // width of the perceptron
	Blocks int // its residual blocks
	KT     float64
	Mean   []float32 // ⟨d⟩ in the order of Pairs, nm
	White  []float32 // W, a column for each component, [pairs, pairs], 1/nm
}

// leastSpread of a component, in units of that of the stiffest distance: what
// varies less, as combinations of distances of a planar group do, is not blown up further.
const leastSpread = 0.2

// NewInvariant takes the statistics of the distances from frames.
//
// frames: [n, beads, 3], flattened, nm; kT in the unit of the energy.
// Errors: no frames; distances that do not vary.
func NewInvariant(frames []float32, beads int, kT float64) (Invariant, error) {
	p := Invariant{Beads: beads, Hidden: 256, Blocks: 3, KT: kT}
	pairs, err := NewPairMLP(frames, beads, 0, 0, kT) // means
	if err != nil {
		return p, err
	}
	first, second := Pairs(beads)
	k, n := len(first), len(frames)/(3*beads)
	covariance := mat.NewSymDense(k, nil)
	z := mat.NewVecDense(k, nil)
	for frame := range n {
		x := frames[frame*3*beads:]
		for pair := range k {
			z.SetVec(pair, math.Sqrt(squareDistance(x, first[pair], second[pair]))-pairs.Mean[pair])
		}
		covariance.SymRankOne(covariance, 1/float64(n), z)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return p, fmt.Errorf("pmf: the covariance of %d distances has no eigenvectors", k)
	}
	least := math.Inf(1)
	for pair := range k {
		p.Mean = append(p.Mean, float32(pairs.Mean[pair]))
		least = min(least, leastSpread*pairs.Std[pair])
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	p.White = make([]float32, k*k)
	for c, v := range values {
		for pair := range k {
			p.White[pair*k+c] = float32(vectors.At(pair, c) / math.Sqrt(max(v, least*least)))
		}
	}
	return p, nil
}

// Dim is 3·beads.
func (p Invariant) Dim() int { return 3 * p.Beads }

// Init creates the parameters; mean and W are among them, but stay as they are.
func (p Invariant) Init(store *model.Store, rng *rand.Rand) {
	k := len(p.Mean)
	train.AddParam(store, "pair/mean", append([]float32(nil), p.Mean...), k)
	train.AddParam(store, "pair/white", append([]float32(nil), p.White...), k, k)
	squares := make([]float32, k)
	for i := range squares {
		squares[i] = 0.7
	}
	train.AddParam(store, "squares", squares, k)
	train.AddDense(store, rng, "in", k, p.Hidden)
	for l := range p.Blocks {
		train.AddDense(store, rng, fmt.Sprintf("blocks/%d/0", l), p.Hidden, p.Hidden)
		train.AddScaledDense(store, rng, fmt.Sprintf("blocks/%d/1", l), p.Hidden, p.Hidden, 0.3)
	}
	train.AddScaledDense(store, rng, "out", p.Hidden, 1, 0.3)
}

// Energy builds U, [batch], in the unit of KT.
func (p Invariant) Energy(store *model.Store, r *graph.Node) *graph.Node {
	param := func(name string) *graph.Node { return train.Param(store, r, name) }
	fixed := func(name string) *graph.Node { return graph.StopGradient(param(name)) }
	affine := func(x *graph.Node, name string) *graph.Node {
		return graph.Add(graph.MatMul(x, param(name+"/w")), graph.InsertAxes(param(name+"/b"), 0))
	}
	w := graph.MatMul(graph.Sub(distances(r, p.Beads), graph.InsertAxes(fixed("pair/mean"), 0)), fixed("pair/white"))
	h := affine(w, "in")
	for l := range p.Blocks {
		y := affine(h, fmt.Sprintf("blocks/%d/0", l))
		y = graph.Mul(y, graph.Sigmoid(y))
		h = graph.Add(h, affine(y, fmt.Sprintf("blocks/%d/1", l)))
	}
	squares := graph.Mul(graph.Square(w), graph.InsertAxes(graph.Square(param("squares")), 0))
	u := graph.Add(graph.Reshape(affine(h, "out"), -1), graph.MulScalar(graph.ReduceSum(squares, 1), 0.5))
	return graph.MulScalar(u, p.KT)
}
