package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Equivariant is a vector field that turns with the molecule: beads move along
// the lines between them,
//
//	v_i = Σ_j s_ij(t, ξ, χ) (x_i − x_j)/r_ij,    s_ij = s_ji,
//
// with strengths s from a residual perceptron of all distances and of the signed
// volumes of quadruples of beads near each other along the chain, by which it
// tells left from right. Training need not teach it what a rotation is, as it
// must the published [GraphTransformer], and a distance enters as its deviation
// from what it is at time t, in units of its spread at that time,
//
//	ξ = (r − m(t))/σ(t),   σ² = 1.8(1−t)² + t²·Var r,   m² = 6(1−t)² + t²·⟨r²⟩ − σ²
//
// (frames' ⟨r⟩ and Var r; noise adds 2(1−t)² per axis), so that a stiff bond is as
// plain to see near the data as a soft angle. The geometric centre stays where
// it is, which suits pairings that share it: [Aligned].
type Equivariant struct {
	Beads        int
	Hidden       int       // width of the perceptron
	Blocks       int       // its residual blocks
	Mean, Spread []float32 // of distances in the frames, standardised units [beads*(beads-1)/2]
}

// NewEquivariant has the sizes that alanine dipeptide is served by.
//
// frames: those to train on, [n*3*beads], any unit of length. Error: none.
func NewEquivariant(frames []float32, beads int) (Equivariant, error) {
	f := Equivariant{Beads: beads, Hidden: 256, Blocks: 3}
	m, err := prepare(nil, f, frames, Config{Epochs: 1, Batch: 1, RateHigh: 1, Beads: beads})
	if err != nil {
		return f, err
	}
	n := float64(len(frames) / f.Dim())
	for _, pair := range f.pairs() {
		var sum, squares float64
		for x := range slices.Chunk(frames, f.Dim()) {
			r2 := softness * softness
			for k := range axes {
				d := float64(x[axes*pair[0]+k]-x[axes*pair[1]+k]) / m.Std
				r2 += d * d
			}
			sum, squares = sum+math.Sqrt(r2), squares+r2
		}
		mean := sum / n
		f.Mean = append(f.Mean, float32(mean))
		f.Spread = append(f.Spread, float32(math.Sqrt(max(0, squares/n-mean*mean))))
	}
	return f, nil
}

var equivariantKind = Kind{
	Name:       "equivariant",
	About:      "ours, in terms of distances and signed volumes: learns with far fewer and cheaper steps",
	Molecule:   true,
	Sizes:      Sizes{Width: 256, Layers: 3},
	SmallSizes: Sizes{Width: 32},
	WidthAlone: true,
	Fit: Config{Epochs: 5000, Batch: 1024, RateHigh: 3e-3, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Late: 2, Pairing: Aligned, EMA: 0.999, StepsPerCall: 10},
	Quick: Config{Epochs: 160, Batch: 256, RateHigh: 3e-3, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Late: 2, Pairing: Aligned, EMA: 0.999, StepsPerCall: 10},
	Small: Config{Epochs: 3, Batch: 256, RateHigh: 3e-3, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000,
		Late: 2, Pairing: Aligned, EMA: 0.99, StepsPerCall: 10},
	// It is cheap: more of its states stay in the caches, and few errors above 0.003 nat cost little.
	sampling: Accuracy{PathTol: 3e-7, LogQTol: 0.03, Batch: 512, Chunk: 64, Checks: 64, Intervals: 32, Adaptive: true,
		Single: true},
	form: &form{mark: "param/pair/mean", read: readEquivariant},
	is:   isA[Equivariant],
	build: func(frames []float32, beads int, o Sizes) (Network, error) {
		f, err := NewEquivariant(frames, beads)
		f.Hidden, f.Blocks = o.Width, o.Layers
		return f, err
	},
}

// readEquivariant leaves mean and spread to the parameters.
func readEquivariant(arrays map[string]*tensors.Tensor) (Network, int, error) {
	pairs := arrays["param/pair/mean"].Shape().Size()
	beads := int(math.Round((1 + math.Sqrt(1+8*float64(pairs))) / 2))
	hidden, _ := rank2(arrays, "param/out/w")
	if pairs == 0 || beads*(beads-1)/2 != pairs || hidden == 0 {
		return nil, 0, fmt.Errorf("%w: pair/mean of %d numbers and out/w are not those of an equivariant field",
			train.ErrParams, pairs)
	}
	return Equivariant{Beads: beads, Hidden: hidden, Blocks: layersOf(arrays, "param/blocks/%d/0/w"),
		Mean: make([]float32, pairs), Spread: make([]float32, pairs)}, beads, nil
}

const (
	softness     = 0.15 // r² = |x_i − x_j|² + softness²: beads may meet, standardised units
	chainWindow  = 6    // consecutive beads that a quadruple lies within
	lateScale    = 3e-3 // of 1 − t that the clock resolves
	clockWaves   = 4    // frequencies of the clock
	smallWeights = 0.1  // of layers whose output starts small
)

func (f Equivariant) clockSize() int { return 2 + 2*clockWaves }

// Dim is the number of coordinates.
func (f Equivariant) Dim() int { return axes * f.Beads }

// pairs of beads, i < j.
func (f Equivariant) pairs() (pairs [][2]int) {
	for i := range f.Beads {
		for j := i + 1; j < f.Beads; j++ {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

// quadruples of beads whose signed volume is seen: all within chainWindow
// consecutive beads. They grow with the chain's length, not with its cube.
func (f Equivariant) quadruples() (quadruples [][4]int) {
	for i := range f.Beads {
		end := min(i+chainWindow, f.Beads)
		for j := i + 1; j < end; j++ {
			for k := j + 1; k < end; k++ {
				for l := k + 1; l < end; l++ {
					quadruples = append(quadruples, [4]int{i, j, k, l})
				}
			}
		}
	}
	return quadruples
}

// Init creates the parameters; mean and spread of distances are among them, but stay as they are.
func (f Equivariant) Init(store *model.Store, rng *rand.Rand) {
	pairs := len(f.pairs())
	train.AddParam(store, "pair/mean", slices.Clone(f.Mean), pairs)
	train.AddParam(store, "pair/spread", slices.Clone(f.Spread), pairs)
	train.AddDense(store, rng, "in", pairs+len(f.quadruples())+f.clockSize(), f.Hidden)
	for l := range f.Blocks {
		name := fmt.Sprintf("blocks/%d/", l)
		train.AddScaledDense(store, rng, name+"clock", f.clockSize(), 2*f.Hidden, smallWeights)
		train.AddDense(store, rng, name+"0", f.Hidden, f.Hidden)
		train.AddScaledDense(store, rng, name+"1", f.Hidden, f.Hidden, smallWeights)
	}
	train.AddScaledDense(store, rng, "out", f.Hidden, pairs, smallWeights)
}

// Velocity builds v(t, x), [batch, 3*beads].
func (f Equivariant) Velocity(store *model.Store, t, x *graph.Node) *graph.Node {
	return f.apply(params(store, x), t, forward.Constant(x)).X
}

// Divergence builds v(t, x), [batch, 3*beads], and ∇·v, [batch], by forward mode.
func (f Equivariant) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	out := f.apply(params(store, x), t, forward.Variable(x))
	return out.X, out.Trace()
}

// apply builds the field with the tangents of x.
func (f Equivariant) apply(w weights, t *graph.Node, x forward.Value) forward.Value {
	between := f.differences(f.pairs())
	var edge [axes]forward.Value // components of x_i − x_j, [batch, pairs]
	for k := range edge {
		edge[k] = x.Affine(constant(t, between[k]), nil)
	}
	square := edge[0].Mul(edge[0]).Add(edge[1].Mul(edge[1])).Add(edge[2].Mul(edge[2]))
	inverse, r := square.Map(inverseSoftRoot), square.Map(softRoot)
	mean, spread := expected(w("pair/mean"), w("pair/spread"), t)
	deviation := r.Sub(forward.Constant(mean)).Mul(forward.Constant(graph.Reciprocal(spread)))
	seen := deviation
	if f.Beads > 3 {
		seen = forward.Concatenate(deviation, f.volumes(x, inverse))
	}
	pull := f.strengths(w, clock(t), seen).Mul(inverse)
	var v forward.Value
	for k := range edge {
		part := pull.Mul(edge[k]).Affine(graph.Transpose(constant(t, between[k]), 0, 1), nil)
		if k == 0 {
			v = part
		} else {
			v = v.Add(part)
		}
	}
	return v
}

// softRoot is √(z + softness²), with its derivative.
func softRoot(z *graph.Node) (value, derivative *graph.Node) {
	value = graph.Sqrt(graph.AddScalar(z, softness*softness))
	return value, graph.MulScalar(graph.Reciprocal(value), 0.5)
}

// inverseSoftRoot is 1/√(z + softness²), with its derivative.
func inverseSoftRoot(z *graph.Node) (value, derivative *graph.Node) {
	square := graph.Reciprocal(graph.AddScalar(z, softness*softness))
	value = graph.Sqrt(square)
	return value, graph.MulScalar(graph.Mul(value, square), -0.5)
}

// expected are the mean and the spread of distances at time t, [batch or 1, pairs].
func expected(mean, spread, t *graph.Node) (m, s *graph.Node) {
	row := func(x *graph.Node) *graph.Node { return graph.InsertAxes(graph.StopGradient(x), 0) }
	square := func(x *graph.Node) *graph.Node { return graph.Square(row(x)) }
	noise := graph.MulScalar(graph.Square(graph.OneMinus(t)), 2) // variance of a difference, per axis
	late := graph.Square(t)
	variance := graph.AddScalar(graph.Add(graph.MulScalar(noise, 0.9), graph.Mul(late, square(spread))), 1e-8)
	squared := graph.Add(graph.MulScalar(noise, axes), graph.Mul(late, graph.Add(square(mean), square(spread))))
	return graph.Sqrt(graph.MaxScalar(graph.Sub(squared, variance), 1e-6)), graph.Sqrt(variance)
}

// clock are features of t that resolve the end: waves in ln(1 − t + lateScale),
// scaled to [-1, 1]. Result: [batch or 1, clockSize].
func clock(t *graph.Node) *graph.Node {
	all := math.Log((1 + lateScale) / lateScale)
	s := graph.Log(graph.AddScalar(graph.MulScalar(graph.OneMinus(t), 1/lateScale), 1))
	s = graph.AddScalar(graph.MulScalar(s, 2/all), -1)
	features := []*graph.Node{graph.AddScalar(t, -0.5), s}
	for k := range clockWaves {
		angle := graph.MulScalar(s, float64(k+1)*math.Pi)
		features = append(features, graph.Sin(angle), graph.Cos(angle))
	}
	return graph.Concatenate(features, -1)
}

// volumes are signed volumes of quadruples, three times those of unit edges,
// [batch, quadruples]: 3·(a × b)·c/(|a||b||c|) with edges a, b, c from the first bead.
//
// inverse: of the distances, [batch, pairs].
func (f Equivariant) volumes(x, inverse forward.Value) forward.Value {
	quadruples := f.quadruples()
	index := map[[2]int]int{}
	for p, pair := range f.pairs() {
		index[pair] = p
	}
	var edge [3][axes]forward.Value
	product := forward.Value{}
	for e := range edge {
		ends := make([][2]int, len(quadruples))
		pick := make([]float64, len(index)*len(quadruples))
		for q, quadruple := range quadruples {
			ends[q] = [2]int{quadruple[e+1], quadruple[0]}
			pick[index[[2]int{quadruple[0], quadruple[e+1]}]*len(quadruples)+q] = 1
		}
		for k, m := range f.differences(ends) {
			edge[e][k] = x.Affine(constant(x.X, m), nil)
		}
		scale := inverse.Affine(constant(x.X, matrix{len(index), len(quadruples), pick}), nil)
		if e == 0 {
			product = scale.Scale(3)
		} else {
			product = product.Mul(scale)
		}
	}
	a, b, c := edge[0], edge[1], edge[2]
	var volume forward.Value
	for k := range axes {
		i, j := (k+1)%axes, (k+2)%axes
		part := a[i].Mul(b[j]).Sub(a[j].Mul(b[i])).Mul(c[k])
		if k == 0 {
			volume = part
		} else {
			volume = volume.Add(part)
		}
	}
	return volume.Mul(product)
}

// strengths is the perceptron, from all that is seen to one number for every pair.
//
// clock: [batch or 1, clockSize]; seen: [batch, pairs + quadruples].
func (f Equivariant) strengths(w weights, clock *graph.Node, seen forward.Value) forward.Value {
	in := w("in/w")
	n := seen.X.Shape().Dim(1)
	times := graph.MatMul(clock, graph.Slice(in, graph.AxisRange(n)))
	h := seen.Affine(graph.Slice(in, graph.AxisRange(0, n)), w("in/b")).Add(forward.Constant(times))
	for l := range f.Blocks {
		part := func(name string) *graph.Node { return w(fmt.Sprintf("blocks/%d/%s", l, name)) }
		gain := graph.Add(graph.MatMul(clock, part("clock/w")), graph.InsertAxes(part("clock/b"), 0))
		scale := graph.OnePlus(graph.Slice(gain, graph.AxisRange(), graph.AxisRange(0, f.Hidden)))
		shift := graph.Slice(gain, graph.AxisRange(), graph.AxisRange(f.Hidden))
		y := h.LayerNorm(scale, shift, normEpsilon).Affine(part("0/w"), part("0/b")).Map(forward.Swish)
		h = h.Add(y.Affine(part("1/w"), part("1/b")))
	}
	return h.Affine(w("out/w"), w("out/b"))
}

// matrix is a constant of a graph.
type matrix struct {
	rows, columns int
	values        []float64
}

func constant(at *graph.Node, m matrix) *graph.Node {
	values := tensors.FromFlatDataAndDimensions(m.values, m.rows, m.columns)
	return graph.ConvertDType(graph.Const(at.Graph(), values), at.DType())
}

// differences are matrices that take coordinates, [3*beads], to the components
// x_i − x_j of the given pairs (i, j).
func (f Equivariant) differences(pairs [][2]int) (m [axes]matrix) {
	for k := range m {
		m[k] = matrix{f.Dim(), len(pairs), make([]float64, f.Dim()*len(pairs))}
		for p, pair := range pairs {
			m[k].values[(axes*pair[0]+k)*len(pairs)+p] = 1
			m[k].values[(axes*pair[1]+k)*len(pairs)+p] = -1
		}
	}
	return m
}
