package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Network is what a flow is made of: a vector field ([Field]), or couplings that are exact in one pass ([Spline]).
type Network interface {
	// Dim is the number of components of x.
	Dim() int
	// Init creates the parameters in the store.
	Init(store *model.Store, rng *rand.Rand)
}

// Field is a parametrised vector field v(t, x).
type Field interface {
	Network
	// Velocity builds v(t, x). t: [batch or 1, 1]; x: [batch, dim].
	Velocity(store *model.Store, t, x *graph.Node) *graph.Node
	// Divergence builds v and its exact divergence ∇·v, [batch].
	Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node)
}

// MLP is a multilayer perceptron with swish activations. The flow time is
// embedded by two affine layers and joined by t itself; for Dims 1, Hidden 96,
// Layers 3, TimeHidden 16, TimeFeatures 3 it is the published field of the
// Müller–Brown system, with 19,380 parameters (paper, C.1).
type MLP struct {
	Dims         int // components of x
	Hidden       int // width of the hidden layers
	Layers       int // number of hidden layers, at least 1
	TimeHidden   int // width of the time embedding
	TimeFeatures int // features of the time embedding, beside t
}

var perceptronKind = Kind{
	Name:       "perceptron",
	About:      "the published multilayer perceptron of the Müller–Brown system",
	Sizes:      Sizes{Width: 96, Layers: 3, Time: 16},
	WidthAlone: true,
	Fit: Config{Epochs: 1000, Batch: 256, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Raw: true},
	Quick: Config{Epochs: 10, Batch: 512, RateHigh: 5e-3, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000},
	Small: Config{Epochs: 3, Batch: 256, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Raw: true, EMA: 0.99},
	is: isA[MLP],
	build: func(_ []float32, _ int, o Sizes) (Network, error) {
		return MLP{Dims: 1, Hidden: o.Width, Layers: o.Layers, TimeHidden: o.Time, TimeFeatures: 3}, nil
	},
}

// Dim returns the number of components of x.
func (f MLP) Dim() int { return f.Dims }

// Init creates the parameters.
func (f MLP) Init(store *model.Store, rng *rand.Rand) {
	train.AddDense(store, rng, "time/0", 1, f.TimeHidden)
	train.AddDense(store, rng, "time/1", f.TimeHidden, f.TimeFeatures)
	// The first layer acts on [x, t, features]: its rows are kept in two
	// blocks, since only those of x carry tangents. All are drawn with the
	// variance of the whole layer.
	in := f.Dims + 1 + f.TimeFeatures
	block := func(name string, rows int) {
		w := make([]float32, rows*f.Hidden)
		for i := range w {
			w[i] = float32(rng.NormFloat64() / math.Sqrt(float64(in)))
		}
		train.AddParam(store, name, w, rows, f.Hidden)
	}
	block("dense/0/w", f.Dims)
	block("dense/0/w_time", 1+f.TimeFeatures)
	train.AddParam(store, "dense/0/b", make([]float32, f.Hidden), f.Hidden)
	for i := 1; i < f.Layers; i++ {
		train.AddDense(store, rng, fmt.Sprintf("dense/%d", i), f.Hidden, f.Hidden)
	}
	train.AddDense(store, rng, "out", f.Hidden, f.Dims)
}

func (f MLP) apply(store *model.Store, t *graph.Node, x forward.Value) forward.Value {
	param := func(name string) *graph.Node { return train.Param(store, t, name) }
	time := forward.Constant(t)
	features := time.Affine(param("time/0/w"), param("time/0/b")).Map(forward.Swish)
	features = features.Affine(param("time/1/w"), param("time/1/b"))
	clock := graph.Concatenate([]*graph.Node{t, features.X}, 1)
	h := x.Affine(param("dense/0/w"), param("dense/0/b"))
	h = h.Add(forward.Constant(graph.MatMul(clock, param("dense/0/w_time")))).Map(forward.Swish)
	for i := 1; i < f.Layers; i++ {
		name := fmt.Sprintf("dense/%d", i)
		h = h.Affine(param(name+"/w"), param(name+"/b")).Map(forward.Swish)
	}
	return h.Affine(param("out/w"), param("out/b"))
}

// Velocity builds v(t, x), [batch, dim].
func (f MLP) Velocity(store *model.Store, t, x *graph.Node) *graph.Node {
	return f.apply(store, t, forward.Constant(x)).X
}

// Divergence builds v(t, x), [batch, dim], and ∇·v, [batch], by forward mode.
func (f MLP) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	out := f.apply(store, t, forward.Variable(x))
	return out.X, out.Trace()
}

// Model is a trained flow with its standardisation. It may be evaluated by several goroutines at once.
type Model struct {
	Network Network
	Mean    []float64    // of the data, per component, subtracted [dim]
	Std     float64      // of the data, one number for all components
	Beads   int          // > 0: trained on a rigid body's frames (see Config.Beads)
	Store   *model.Store // parameters, float32

	backend                compute.Backend
	mu                     sync.Mutex
	double, single         *evaluator // made on first use, as the next
	doublePass, singlePass *passes
}

// logJacobian is ln |dx/dR| = −dim·ln std: ln q(R) = ln q(x) + LogJacobian.
func (m *Model) logJacobian() float64 { return -float64(m.Network.Dim()) * math.Log(m.Std) }

// Standardise takes frames in physical units to those of the flow, [n*dim].
func (m *Model) Standardise(r []float64) []float64 {
	x := make([]float64, len(r))
	for i, v := range r {
		x[i] = (v - m.Mean[i%len(m.Mean)]) / m.Std
	}
	return x
}

func (m *Model) physical(x []float64) []float64 {
	r := make([]float64, len(x))
	for i, v := range x {
		r[i] = m.Mean[i%len(m.Mean)] + m.Std*v
	}
	return r
}
