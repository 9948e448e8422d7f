package pmf

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// PairMLP is a simple potential that is invariant under rotation, translation
// and reflection: a multilayer perceptron on all pair distances, standardised,
// plus harmonic terms for the stiff distances, which keep it confining outside
// the data:
//
//	U = kT·[ MLP(z) + ½ Σ_stiff z² ],   z = (d − mean)/std.
//
// It is the first, plain potential for molecules; reflection invariance makes
// it blind to the handedness of a configuration.
type PairMLP struct {
	Beads  int
	Hidden int // width of the hidden layers
	Layers int // number of hidden layers
	KT     float64
	Mean   []float64 // of each distance, in the order of Pairs
	Std    []float64
	Stiff  []bool // distances with a harmonic term
}

var distancesKind = Kind{
	Name:       "distances",
	About:      "a plain perceptron on all distances, to compare with",
	Molecule:   true,
	Sizes:      Sizes{Width: 128, Layers: 3},
	SmallSizes: Sizes{Width: 16, Layers: 2},
	WidthAlone: true,
	Fit:        Config{Epochs: 250, Batch: 256, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1},
	Quick: Config{Epochs: 7, Batch: 256, Rate: 5e-3, RateDecay: 1e-2, Cosine: true, ClipNorm: 1,
		Validation: 0.1},
	Small: Config{Epochs: 1, Batch: 256, Rate: 1e-2, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1},
	is:    isA[PairMLP],
	build: func(frames []float32, beads int, _ []int, kT float64, o Sizes) (Potential, error) {
		return newPairMLP(frames, beads, o.Width, o.Layers, kT)
	},
}

// stiffness is the relative spread below which a distance counts as stiff:
// bonds and bond angles have 2 to 5 %, distances across a torsion 10 % and more.
const stiffness = 0.06

// Pairs lists the pairs of beads i < j, row by row.
func Pairs(beads int) (first, second []int32) {
	for i := range beads {
		for j := i + 1; j < beads; j++ {
			first, second = append(first, int32(i)), append(second, int32(j))
		}
	}
	return first, second
}

// newPairMLP takes the statistics of the distances from frames.
//
// frames: [n, beads, 3], flattened; kT in the unit of the energy.
func newPairMLP(frames []float32, beads, hidden, layers int, kT float64) (PairMLP, error) {
	first, second := Pairs(beads)
	k := len(first)
	p := PairMLP{Beads: beads, Hidden: hidden, Layers: layers, KT: kT,
		Mean: make([]float64, k), Std: make([]float64, k), Stiff: make([]bool, k)}
	n := len(frames) / (3 * beads)
	if n == 0 || len(frames)%(3*beads) != 0 {
		return p, fmt.Errorf("pmf: %d numbers are no frames of %d beads", len(frames), beads)
	}
	for pair := range k {
		var sum, sum2 float64
		for frame := range n {
			d2 := squareDistance(frames[frame*3*beads:], first[pair], second[pair])
			sum += math.Sqrt(d2)
			sum2 += d2
		}
		mean := sum / float64(n)
		std := math.Sqrt(math.Max(0, sum2/float64(n)-mean*mean))
		if !(std > 0) {
			return p, fmt.Errorf("pmf: the distance of beads %d and %d does not vary: "+
				"a constrained bond needs no potential", first[pair], second[pair])
		}
		p.Mean[pair], p.Std[pair], p.Stiff[pair] = mean, std, std < stiffness*mean
	}
	return p, nil
}

// squareDistance is that of two beads of a frame.
func squareDistance(x []float32, first, second int32) (d2 float64) {
	for axis := range 3 {
		d := float64(x[3*int(first)+axis]) - float64(x[3*int(second)+axis])
		d2 += d * d
	}
	return d2
}

// distances builds those of all pairs, [batch, pairs]. r: [batch, 3*beads].
func distances(r *graph.Node, beads int) *graph.Node {
	r.AssertDims(-1, 3*beads)
	// A constant matrix takes the differences of all pairs: unlike slices and
	// gathers it can be differentiated twice.
	first, second := Pairs(beads)
	matrix := make([]float64, len(first)*beads)
	for i := range first {
		matrix[i*beads+int(first[i])], matrix[i*beads+int(second[i])] = 1, -1
	}
	table := graph.ConstTensor(r.Graph(), tensors.FromFlatDataAndDimensions(matrix, len(first), beads))
	differences := graph.ConvertDType(table, r.DType())
	d := graph.Einsum("pn,bnk->bpk", differences, graph.Reshape(r, -1, beads, 3))
	return graph.Sqrt(graph.AddScalar(graph.ReduceSum(graph.Square(d), 2), tiny(r.DType())))
}

// Dim is 3·beads.
func (p PairMLP) Dim() int { return 3 * p.Beads }

// Init creates the parameters.
func (p PairMLP) Init(store *model.Store, rng *rand.Rand) {
	addMLP(store, rng, len(p.Mean), p.Hidden, p.Layers)
}

// Energy builds U, [batch], in the unit of KT.
func (p PairMLP) Energy(store *model.Store, r *graph.Node) *graph.Node {
	g, dtype := r.Graph(), r.DType()
	constant := func(values []float64) *graph.Node {
		row := graph.ConstTensor(g, tensors.FromFlatDataAndDimensions(values, 1, len(values)))
		return graph.ConvertDType(row, dtype)
	}
	stiff := make([]float64, len(p.Stiff))
	for i := range stiff {
		if p.Stiff[i] {
			stiff[i] = 0.5
		}
	}
	z := graph.Div(graph.Sub(distances(r, p.Beads), constant(p.Mean)), constant(p.Std))
	harmonic := graph.ReduceSum(graph.Mul(graph.Square(z), constant(stiff)), 1)
	return graph.MulScalar(graph.Add(graph.Reshape(mlp(store, forward.Constant(z), p.Layers).X, -1), harmonic), p.KT)
}

// tiny keeps the gradient of a distance finite where two beads coincide.
func tiny(dtype dtypes.DType) float64 {
	if dtype == dtypes.Float32 {
		return 1e-14
	}
	return 1e-24
}
