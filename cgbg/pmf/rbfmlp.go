package pmf

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// RBFMLP is a multilayer perceptron with softplus activations on Gaussian
// radial basis functions exp(−(x−c)²/2σ²) of one coordinate, with learnable
// centres c. Centers 100 in [10, 50], Sigma 5, Hidden 128, Layers 4 is the
// published potential of the Müller–Brown system, with 62,693 parameters
// (paper, D.1).
type RBFMLP struct {
	Centers int
	Lo, Hi  float64 // the centres start uniformly in [Lo, Hi]
	Sigma   float64 // width σ
	Hidden  int     // width of the hidden layers
	Layers  int     // number of hidden layers
}

var rbfKind = Kind{
	Name:       "rbf",
	About:      "the published perceptron on Gaussian basis functions of one coordinate (Müller–Brown)",
	Sizes:      Sizes{Width: 128, Layers: 4, Centers: 100},
	WidthAlone: true,
	Fit:        Config{Epochs: 500, Batch: 128, Rate: 1e-4, RateDecay: 1},
	Quick:      Config{Epochs: 1, Batch: 512, Rate: 5e-3, RateDecay: 0.003, Cosine: true},
	Small:      Config{Epochs: 1, Batch: 128, Rate: 1e-2, RateDecay: 1},
	is:         isA[RBFMLP],
	build: func(frames []float32, _ int, _ []int, _ float64, o Sizes) (Potential, error) {
		if len(frames) == 0 {
			return nil, fmt.Errorf("pmf: no frames to say where basis functions are needed")
		}
		lo, hi := float64(slices.Min(frames)), float64(slices.Max(frames))
		// As wide, of what they cover, as the published ones: 5 of 40.
		return RBFMLP{Centers: o.Centers, Lo: lo, Hi: hi, Sigma: (hi - lo) / 8, Hidden: o.Width, Layers: o.Layers}, nil
	},
}

// Dim is 1.
func (p RBFMLP) Dim() int { return 1 }

// Init creates the parameters.
func (p RBFMLP) Init(store *model.Store, rng *rand.Rand) {
	centers := make([]float32, p.Centers)
	for i := range centers {
		centers[i] = float32(p.Lo + (p.Hi-p.Lo)*rng.Float64())
	}
	train.AddParam(store, "centers", centers, p.Centers)
	addMLP(store, rng, p.Centers, p.Hidden, p.Layers)
}

// Energy builds U(x), [batch].
func (p RBFMLP) Energy(store *model.Store, r *graph.Node) *graph.Node {
	energy, _ := p.EnergyGradient(store, r)
	return energy
}

// EnergyGradient builds U, [batch], and dU/dx, [batch, 1]. One direction costs
// less by forward than by reverse mode, and leaves training with a single
// reverse pass.
func (p RBFMLP) EnergyGradient(store *model.Store, r *graph.Node) (energy, gradient *graph.Node) {
	r.AssertDims(-1, 1)
	d := graph.Sub(r, graph.Reshape(train.Param(store, r, "centers"), 1, -1))
	basis := graph.Exp(graph.MulScalar(graph.Square(d), -0.5/(p.Sigma*p.Sigma)))
	slope := graph.Mul(basis, graph.MulScalar(d, -1/(p.Sigma*p.Sigma)))
	out := mlp(store, forward.Chain(basis, graph.InsertAxes(slope, 1)), p.Layers)
	return graph.Reshape(out.X, -1), graph.Reshape(out.T, -1, 1)
}

// addMLP creates an energy network: layers hidden ones and a scalar output.
func addMLP(store *model.Store, rng *rand.Rand, in, hidden, layers int) {
	for i := range layers {
		train.AddDense(store, rng, fmt.Sprintf("dense/%d", i), in, hidden)
		in = hidden
	}
	train.AddDense(store, rng, "out", in, 1)
}

// mlp builds the energy network on features [batch, in]; result: [batch, 1].
func mlp(store *model.Store, features forward.Value, layers int) forward.Value {
	param := func(name string) *graph.Node { return train.Param(store, features.X, name) }
	h := features
	for i := range layers {
		name := fmt.Sprintf("dense/%d", i)
		h = h.Affine(param(name+"/w"), param(name+"/b")).Map(forward.Softplus)
	}
	return h.Affine(param("out/w"), param("out/b"))
}
