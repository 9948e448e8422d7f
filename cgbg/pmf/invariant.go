package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
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

var invariantKind = Kind{
	Name:       "invariant",
	About:      "ours, a perceptron on principal components of all distances: learns in seconds",
	Molecule:   true,
	Sizes:      Sizes{Width: 256, Layers: 3},
	SmallSizes: Sizes{Width: 32},
	WidthAlone: true,
	Fit:        Config{Epochs: 250, Batch: 256, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1},
	Quick: Config{Epochs: 40, Batch: 256, Rate: 1e-3, RateDecay: 1e-2, Cosine: true, ClipNorm: 1,
		Validation: 0.1},
	Small: Config{Epochs: 1, Batch: 256, Rate: 1e-2, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1},
	form:  &form{mark: "param/pair/mean", write: writeInvariant, read: readInvariant},
	is:    isA[Invariant],
	build: func(frames []float32, beads int, _ []int, kT float64, o Sizes) (Potential, error) {
		p, err := NewInvariant(frames, beads, kT)
		p.Hidden, p.Blocks = o.Width, o.Layers
		return p, err
	},
}

// ktArray is kT of an Invariant in a file, in the unit of its energy.
const ktArray = "const/kt"

func writeInvariant(p Potential, arrays map[string]*tensors.Tensor) {
	arrays[ktArray] = tensors.FromScalar(p.(Invariant).KT)
}

// readInvariant leaves mean and W to the parameters.
func readInvariant(arrays map[string]*tensors.Tensor) (Potential, error) {
	pairs := arrays["param/pair/mean"].Shape().Size()
	p := Invariant{Beads: int(math.Round((1 + math.Sqrt(1+8*float64(pairs))) / 2)),
		Mean: make([]float32, pairs), White: make([]float32, pairs*pairs)}
	if kT := numbers(arrays[ktArray]); len(kT) == 1 {
		p.KT = kT[0]
	}
	if out := arrays["param/out/w"]; out != nil && out.Rank() == 2 {
		p.Hidden = out.Shape().Dim(0)
	}
	if p.Beads*(p.Beads-1)/2 != pairs || pairs == 0 || p.Hidden == 0 || !(p.KT > 0) {
		return nil, fmt.Errorf("%w: %d distances, width %d of out/w and %s = %g are not those of an invariant "+
			"potential", train.ErrParams, pairs, p.Hidden, ktArray, p.KT)
	}
	for ; arrays[fmt.Sprintf("param/blocks/%d/0/w", p.Blocks)] != nil; p.Blocks++ {
	}
	return p, nil
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
	pairs, err := newPairMLP(frames, beads, 0, 0, kT) // means
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
