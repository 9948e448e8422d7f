package flow

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Config of flow matching.
type Config struct {
	Epochs      int     // passes over the data, on average (frames are drawn with replacement)
	Batch       int     // frames per step
	RateHigh    float64 // learning rate at the start of the cosine
	RateLow     float64 // and at its end
	WeightDecay float64 // of AdamW
	ClipValue   float64 // gradient components are clipped to ±ClipValue; 0: off
	Seed        uint64

	// Raw leaves x as it is, as the paper does for Müller–Brown. Otherwise x
	// is standardised by its mean and standard deviation.
	Raw bool

	// Beads > 0 says that a frame is a rigid body in space, [beads, 3]: frames
	// are centred, and in every batch one shift N(0, 1/beads) per axis and a
	// uniform rotation about the centre are added, so that the flow's density
	// has full dimension and no preferred frame (paper, C.1). The density of
	// the shift is in Samples.LogCOM.
	Beads int

	// Late > 1 draws flow times t = 1 − (1 − s)^Late with s uniform: more of them near
	// the data, where stiff bonds take their shape. The best field is the same, but
	// one that is trained for hours instead of days has a far higher likelihood. 0 or 1: uniform, as published.
	Late     float64
	ClipNorm float64 // gradients are scaled to at most this global norm; 0: off

	// Validation frames, one in so many, at the ends of ten blocks of time, are those whose likelihood tells which
	// parameters of a flow that is exact in one pass are kept; 0: none. Flow matching has no use for them.
	Validation int

	Start   string  // file of a trained model whose parameters are those of the first step; "": random ones
	Pairing Pairing // of frames and noise; Aligned needs Beads
	EMA     float64 // decay per step of an average of the parameters that takes their place at the end; 0: none

	// Slices of a batch are computed independently of each other, which keeps
	// several cores busy and their caches warm [1, but more for graph
	// transformers on a CPU]. The result is the same but for rounding.
	Slices int

	StepsPerCall    int           // steps fused into one compiled call [10]
	Checkpoint      string        // file; "" for none
	CheckpointEvery time.Duration // [10 s]
	Progress        func(done, total int, note string)
}

// Fit trains a vector field on frames by conditional flow matching (paper, Eq. 7 and
// Alg. 2): the mean over batch and components of |v(t, x_t) − (x₁ − x₀)|²; and
// a [Spline] by maximum likelihood, the mean of −ln q over the batch.
//
// frames: [n*dim], in physical units. The flow times of a batch are
// stratified: t_i is uniform in the i-th of batch equal parts of [0, 1], which
// keeps the objective and lowers the noise of its gradient.
// Errors: no or non-finite frames, a checkpoint that does not fit, a
// non-finite loss, or the wrapped ctx.Err() after a checkpoint was saved.
func Fit(ctx context.Context, backend compute.Backend, network Network, frames []float32, cfg Config) (m *Model,
	history *train.History, err error) {
	if f, ok := network.(Spline); ok && cfg.Start != "" {
		if network, err = f.from(cfg.Start); err != nil {
			return nil, nil, fmt.Errorf("flow: %w", err)
		}
	}
	m, err = prepare(backend, network, frames, cfg)
	if err != nil {
		return nil, nil, err
	}
	defer func(m *Model) {
		if err != nil {
			m.Finalize()
		}
	}(m)
	network.Init(m.Store, rand.New(rand.NewPCG(cfg.Seed, 0x666c6f77)))
	if cfg.Start != "" {
		if err = train.Start(m.Store, cfg.Start); err == nil {
			cfg.Start, err = train.Sum(m.Store) // a checkpoint is of what was in the file, not of its name
		}
		if err != nil {
			return nil, nil, fmt.Errorf("flow: %w", err)
		}
	}
	var o *objective
	switch f := network.(type) {
	case Spline:
		o, err = likelihoodOf(f, frames, cfg)
	case Field:
		o = m.matching(f, frames, cfg)
	default:
		err = fmt.Errorf("flow: a %T is neither a vector field nor exact in one pass", network)
	}
	if err != nil {
		return nil, nil, err
	}
	defer o.finalize()
	perEpoch := max(1, o.frames/cfg.Batch)
	steps := cfg.Epochs * perEpoch
	history, err = train.Run(ctx, backend, m.Store, o.loss, o.inputs, train.Config{
		Steps: steps, StepsPerCall: cfg.StepsPerCall, StepsPerEpoch: perEpoch,
		Rate: train.Cosine(cfg.RateHigh, cfg.RateLow, steps), WeightDecay: cfg.WeightDecay, ClipValue: cfg.ClipValue,
		ClipNorm: cfg.ClipNorm, EMA: cfg.EMA, Seed: cfg.Seed, Checkpoint: cfg.Checkpoint,
		CheckpointEvery: cfg.CheckpointEvery, Progress: cfg.Progress, Validation: o.validation,
		ValidationInputs: o.validationInputs, ValidateEvery: max(1, steps/looks),
		Fingerprint: fingerprint(network, frames, cfg),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("flow: %w", err)
	}
	return m, history, nil
}

// looks is how often a training looks at frames held out.
const looks = 50

// objective is what a training minimises.
type objective struct {
	loss, validation         train.Loss
	inputs, validationInputs []*tensors.Tensor
	frames                   int // trained on
}

func (o *objective) finalize() {
	for _, t := range append(o.inputs, o.validationInputs...) {
		t.FinalizeAll()
	}
}

// matching is flow matching on frames.
func (m *Model) matching(field Field, frames []float32, cfg Config) *objective {
	dim := field.Dim()
	n := len(frames) / dim
	standard := make([]float32, len(frames))
	for i := range frames {
		standard[i] = float32((m.centred(frames, i) - m.Mean[i%dim]) / m.Std)
	}
	return &objective{loss: matching(field, n, cfg, cfg.slices(m.backend, field)), frames: n,
		inputs: []*tensors.Tensor{tensors.FromFlatDataAndDimensions(standard, n, dim)}}
}

// prepare checks the input and finds the standardisation.
func prepare(backend compute.Backend, network Network, frames []float32, cfg Config) (*Model, error) {
	dim := network.Dim()
	if len(frames) == 0 || len(frames)%dim != 0 {
		return nil, fmt.Errorf("flow: %d numbers are no frames of %d components", len(frames), dim)
	}
	if cfg.Beads > 0 && cfg.Beads*3 != dim {
		return nil, fmt.Errorf("flow: %d beads have %d coordinates, but the field has %d", cfg.Beads, cfg.Beads*3, dim)
	}
	switch cfg.Pairing {
	case "", Independent, Transported:
	case Aligned:
		if cfg.Beads == 0 {
			return nil, errors.New("flow: aligned pairing turns frames, so that Beads must be set")
		}
	default:
		return nil, fmt.Errorf("flow: no pairing %q: choose %q, %q or %q", cfg.Pairing, Independent, Aligned,
			Transported)
	}
	if cfg.Late < 0 || cfg.Late > 0 && cfg.Late < 1 {
		return nil, fmt.Errorf("flow: Late = %g: 1, uniform flow times, or more", cfg.Late)
	}
	if cfg.EMA < 0 || cfg.EMA >= 1 {
		return nil, fmt.Errorf("flow: an EMA decay of %g: at least 0, below 1", cfg.EMA)
	}
	if cfg.Epochs <= 0 || cfg.Batch <= 0 || cfg.RateHigh <= 0 {
		return nil, errors.New("flow: Epochs, Batch and RateHigh must be positive")
	}
	for i, v := range frames {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("flow: frame %d, component %d is %g: remove the frame", i/dim, i%dim, v)
		}
	}
	m := &Model{Network: network, Mean: make([]float64, dim), Std: 1, Beads: cfg.Beads, Store: model.NewStore(),
		backend: backend}
	if cfg.Raw {
		return m, nil
	}
	n := float64(len(frames) / dim)
	if cfg.Beads == 0 {
		for i, v := range frames {
			m.Mean[i%dim] += float64(v) / n
		}
	}
	var sum float64
	for i := range frames {
		d := m.centred(frames, i) - m.Mean[i%dim]
		sum += d * d
	}
	m.Std = math.Sqrt(sum / float64(len(frames)))
	if m.Std == 0 {
		return nil, errors.New("flow: all frames are equal: nothing to learn")
	}
	return m, nil
}

// centred returns component i of the frames, relative to its frame's geometric
// centre if the frames are rigid bodies.
func (m *Model) centred(frames []float32, i int) float64 {
	if m.Beads == 0 {
		return float64(frames[i])
	}
	start := i - i%(3*m.Beads)
	var centre float64
	for j := start + i%3; j < start+3*m.Beads; j += 3 {
		centre += float64(frames[j])
	}
	return float64(frames[i]) - centre/float64(m.Beads)
}

// batchField is a field with a form of its velocity that is made for large batches.
type batchField interface {
	Field
	batchVelocity(store *model.Store, t, x *graph.Node) *graph.Node
	// slices is the number of parts of a batch that suit the caches of a CPU.
	slices(batch int) int
}

// slices is the number of parts of a batch where the caller gave none.
func (cfg Config) slices(backend compute.Backend, field Field) int {
	if cfg.Slices > 0 {
		return cfg.Slices
	}
	if gpu, ok := backend.(interface{ IsCUDA() bool }); ok && gpu.IsCUDA() { // it wants much to do at once
		return 1
	}
	if f, ok := field.(batchField); ok {
		return f.slices(cfg.Batch)
	}
	return 1
}

// matching is the loss of a step, of a batch in so many slices.
func matching(field Field, n int, cfg Config, slices int) train.Loss {
	return func(store *model.Store, inputs []*graph.Node) *graph.Node {
		data := inputs[0]
		g, dim := data.Graph(), field.Dim()
		float := func(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }
		index := store.RandomIntN(g, int32(n), shapes.Make(dtypes.Int32, cfg.Batch, 1))
		x1 := graph.StopGradient(graph.Gather(data, index))
		x0 := store.RandomNormal(g, float(cfg.Batch, dim))
		if cfg.Pairing == Aligned {
			x1 = align(store, x1, x0, cfg.Beads)
		} else if cfg.Beads > 0 {
			x1 = moveRigidly(store, x1, cfg.Beads)
		}
		if cfg.Pairing == Transported {
			x1 = optimal(store, x1, x0)
		}
		stratum := graph.ConvertDType(graph.Iota(g, shapes.Make(dtypes.Int32, cfg.Batch, 1), 0), dtypes.Float32)
		t := graph.DivScalar(graph.Add(stratum, store.RandomUniform(g, float(cfg.Batch, 1))), float64(cfg.Batch))
		if cfg.Late > 1 {
			t = graph.OneMinus(graph.Pow(graph.OneMinus(t), graph.Scalar(g, dtypes.Float32, cfg.Late)))
		}
		xt := graph.Add(graph.Mul(graph.OneMinus(t), x0), graph.Mul(t, x1))
		u := graph.Sub(x1, x0)
		velocity := field.Velocity
		if f, ok := field.(batchField); ok {
			velocity = f.batchVelocity
		}
		var sum *graph.Node
		for k := range slices {
			part := func(x *graph.Node) *graph.Node {
				return graph.StopGradient(graph.Slice(x, graph.AxisRange(k*cfg.Batch/slices, (k+1)*cfg.Batch/slices)))
			}
			loss := graph.ReduceAllSum(graph.Square(graph.Sub(velocity(store, part(t), part(xt)), part(u))))
			if sum == nil {
				sum = loss
			} else {
				sum = graph.Add(sum, loss)
			}
		}
		return graph.DivScalar(sum, float64(cfg.Batch*dim))
	}
}

// moveRigidly adds one shift N(0, 1/beads) per axis and frame, and turns every
// frame by a rotation drawn uniformly (normalised normal quaternions,
// K. Shoemake, Graphics Gems III (1992) 124).
//
// x: [batch, 3*beads], centred.
func moveRigidly(store *model.Store, x *graph.Node, beads int) *graph.Node {
	g, batch := x.Graph(), x.Shape().Dim(0)
	turn := rotation(store.RandomNormal(g, shapes.Make(x.DType(), 4, batch)))
	turned := graph.Einsum("bnj,bij->bni", graph.Reshape(x, batch, beads, 3), turn)
	shift := graph.MulScalar(store.RandomNormal(g, shapes.Make(x.DType(), batch, 1, 3)), 1/math.Sqrt(float64(beads)))
	return graph.Reshape(graph.Add(turned, shift), batch, 3*beads)
}

// rotation is the rotation of quaternions of any length.
//
// q: [4, batch]. Result: [batch, 3, 3].
func rotation(q *graph.Node) *graph.Node {
	batch := q.Shape().Dim(1)
	q = graph.Div(q, graph.Sqrt(graph.ReduceAndKeep(graph.Square(q), graph.ReduceSum, 0)))
	part := func(i int) *graph.Node { return graph.Reshape(graph.Slice(q, graph.AxisElem(i)), batch) }
	w, i, j, k := part(0), part(1), part(2), part(3)
	twice := func(a, b, c, d *graph.Node, sign float64) *graph.Node {
		return graph.MulScalar(graph.Add(graph.Mul(a, b), graph.MulScalar(graph.Mul(c, d), sign)), 2)
	}
	diagonal := func(a, b *graph.Node) *graph.Node { return graph.OneMinus(twice(a, a, b, b, 1)) }
	return graph.Reshape(graph.Stack([]*graph.Node{
		diagonal(j, k), twice(i, j, w, k, -1), twice(i, k, w, j, 1),
		twice(i, j, w, k, 1), diagonal(i, k), twice(j, k, w, i, -1),
		twice(i, k, w, j, -1), twice(j, k, w, i, 1), diagonal(i, j),
	}, 1), batch, 3, 3)
}

// fingerprint identifies field, data and settings, for checkpoints.
func fingerprint(network Network, frames []float32, cfg Config) string {
	cfg.Checkpoint, cfg.CheckpointEvery, cfg.Progress, cfg.StepsPerCall = "", 0, nil, 0
	hash := fnv.New64a()
	var b [4]byte
	for _, v := range frames {
		bits := math.Float32bits(v)
		b = [4]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}
		hash.Write(b[:])
	}
	return fmt.Sprintf("flow %+v %+v data %016x", network, cfg, hash.Sum64())
}
