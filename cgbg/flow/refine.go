package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Energy builds a potential of mean force in units of kT, up to a constant. r: [batch, 3*beads], nm; result: [batch].
type Energy func(r *graph.Node) *graph.Node

// RefineConfig of [Model.Refine]; zeros stand for the defaults in brackets.
type RefineConfig struct {
	Steps       int     // [1500]
	Batch       int     // fresh samples of a step [512]
	RateHigh    float64 // learning rate at the start of the cosine [7e-4]
	RateLow     float64 // and at its end [7e-6]
	WeightDecay float64 // of AdamW [1e-4]
	ClipNorm    float64 // of the gradient [5]
	EMA         float64 // decay per step of the average of the parameters that is kept [0.99]

	// Hot is the temperature of the potential at the first step, in units of the real one, to which it falls over the
	// first half of the steps. Rare places are then left by too much density and not by too little, which weights forgive.
	// [2]
	Hot float64

	// The loss is the sum of
	Reverse float64 // this times the reverse Kullback–Leibler divergence, by its path gradient [0.3]
	Forward float64 // this times the forward one, of the samples with their weights [1]
	Frames  float64 // this times −ln q of frames, so that no mode is lost [0.1]

	Seed            uint64
	StepsPerCall    int // [1: a step is long, and so is its compilation]
	Checkpoint      string
	CheckpointEvery time.Duration
	Progress        func(done, total int, note string)
	Fingerprint     string // stands for the potential
}

func (c RefineConfig) withDefaults() RefineConfig {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Steps == 0 {
		c.Steps = 1500
	}
	if c.Batch == 0 {
		c.Batch = 512
	}
	if c.StepsPerCall == 0 {
		c.StepsPerCall = 1
	}
	set(&c.RateHigh, 7e-4)
	set(&c.RateLow, c.RateHigh/100)
	set(&c.WeightDecay, 1e-4)
	set(&c.ClipNorm, 5)
	set(&c.EMA, 0.99)
	set(&c.Hot, 2)
	set(&c.Reverse, 0.3)
	set(&c.Forward, 1)
	set(&c.Frames, 0.1)
	return c
}

// refinedSteps counts the steps that were made.
const refinedSteps = "/refinedSteps"

const (
	farEnergy   = 25.0 // kT above that of frames, from which energies count by their logarithm
	heavyWeight = 10.0 // of the mean, above which weights are cut off: a single sample must not steer
)

// Refine trains the flow further on a potential, whose samples never end: every step draws fresh ones, and follows both
// Kullback–Leibler divergences between flow and potential, and the likelihood of frames. The reverse one follows its
// path gradient, whose variance vanishes where both agree (G. Roeder et al., arXiv 1703.09194; L. Vaitl et al., arXiv
// 2207.08219); the forward one is of the samples with their weights (L. Midgley et al., arXiv 2208.01893).
//
// frames: those that the flow was trained on, [n, beads, 3], flattened, nm. The model itself stays as it is.
// Errors: a flow that is not exact in one pass, frames as in [Fit], a checkpoint that does not fit, a loss that is not
// finite, ctx.Err(), wrapped.
func (m *Model) Refine(ctx context.Context, energy Energy, frames []float32, cfg RefineConfig) (refined *Model,
	history *train.History, err error) {
	f, ok := m.Network.(Spline)
	if !ok {
		return nil, nil, fmt.Errorf("flow: a %T cannot be refined on a potential: only flows that are exact in one pass",
			m.Network)
	}
	if m.Store == nil {
		return nil, nil, errFinalized
	}
	cfg = cfg.withDefaults()
	if len(frames) == 0 || len(frames)%f.Dim() != 0 {
		return nil, nil, fmt.Errorf("flow: %d numbers are no frames of %d components", len(frames), f.Dim())
	}
	x, err := f.coordinates(frames)
	if err != nil {
		return nil, nil, err
	}
	store, err := train.Copy(m.Store)
	if err != nil {
		return nil, nil, fmt.Errorf("flow: %w", err)
	}
	refined = &Model{Network: f, Mean: m.Mean, Std: m.Std, Beads: m.Beads, Store: store, backend: m.backend}
	defer func(made *Model) {
		if err != nil {
			made.Finalize()
		}
	}(refined)
	counter, err := refined.Store.CreateVariable(refinedSteps, tensors.FromScalar(float32(0)))
	if err != nil {
		return nil, nil, fmt.Errorf("flow: %w", err)
	}
	counter.SetTrainable(false)
	zero, err := m.levelOf(f, energy, x)
	if err != nil {
		return nil, nil, err
	}
	start, err := m.Sum()
	if err != nil {
		return nil, nil, err
	}
	n := len(x) / len(f.Circle)
	input := tensors.FromFlatDataAndDimensions(x, n, len(f.Circle))
	defer input.FinalizeAll()
	told := cfg
	told.Checkpoint, told.CheckpointEvery, told.Progress, told.StepsPerCall = "", 0, nil, 0
	history, err = train.Run(ctx, m.backend, refined.Store, f.refinement(energy, zero, n, cfg), []*tensors.Tensor{input},
		train.Config{Steps: cfg.Steps, StepsPerCall: cfg.StepsPerCall,
			Rate: train.Cosine(cfg.RateHigh, cfg.RateLow, cfg.Steps), WeightDecay: cfg.WeightDecay,
			ClipNorm: cfg.ClipNorm, EMA: cfg.EMA, Seed: cfg.Seed, Checkpoint: cfg.Checkpoint,
			CheckpointEvery: cfg.CheckpointEvery, Progress: cfg.Progress,
			Fingerprint: fingerprint(f, frames, Config{}) + fmt.Sprintf(" from %s %+v", start, told)})
	if err != nil {
		return nil, nil, fmt.Errorf("flow: %w", err)
	}
	return refined, history, nil
}

// level is what frames have on average.
type level struct{ energy, logVolume float64 }

// levelOf is that of frames under an energy. Error: it is not finite.
func (m *Model) levelOf(f Spline, energy Energy, x []float32) (l level, err error) {
	k := len(f.Circle)
	n := len(x) / k
	rows := min(n, 256)
	part := make([]int, rows)
	for i := range part {
		part[i] = i * n / rows
	}
	in := rowsOf(x, k, part)
	defer in.FinalizeAll()
	exec, err := graph.NewExec(m.backend, func(x *graph.Node) (*graph.Node, *graph.Node) {
		r, logVolume := f.place(graph.Transpose(x, 0, 1))
		return graph.ReduceAllMean(energy(r)), graph.ReduceAllMean(logVolume)
	})
	if err != nil {
		return l, fmt.Errorf("flow: %w", err)
	}
	defer exec.Finalize()
	out, err := exec.Call(in)
	if err != nil {
		return l, fmt.Errorf("flow: the energy of frames: %w", err)
	}
	l = level{float64(tensors.ToScalar[float32](out[0])), float64(tensors.ToScalar[float32](out[1]))}
	for _, t := range out {
		t.FinalizeAll()
	}
	if sum := l.energy + l.logVolume; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return l, errors.New("flow: the potential of the frames is not finite: it does not belong to them")
	}
	return l, nil
}

// refinement is the loss of a step.
//
// One evaluation of ln q gives two gradients: the forward divergence wants that of the parameters, each sample by its
// weight, the reverse one's path gradient that of the samples, all alike. So samples enter the evaluation by a
// difference that is zero, stretched by the ratio of what the two want.
func (f Spline) refinement(energy Energy, zero level, n int, cfg RefineConfig) train.Loss {
	return func(store *model.Store, inputs []*graph.Node) *graph.Node {
		g := inputs[0].Graph()
		w := params(store, g)
		z := f.noise(store, g, cfg.Batch)
		x, slopes := f.couplings.fromBase(w, z)
		logQ := graph.StopGradient(graph.Sub(total(f.logBase(z), false), total(slopes, false)))
		r, logVolume := f.place(x)
		u := graph.Sub(graph.Mul(graph.AddScalar(energy(r), -zero.energy), cooling(store, g, cfg)),
			graph.AddScalar(logVolume, -zero.logVolume))
		over := graph.MaxScalar(graph.AddScalar(u, -farEnergy), 0)
		tamed := graph.Add(graph.MinScalar(u, farEnergy), graph.Log1P(over))
		reverse := graph.ReduceAllMean(graph.Add(tamed, logQ))

		share := cappedWeights(graph.StopGradient(graph.Neg(graph.Add(u, logQ))))
		stretch := graph.Div(graph.Scalar(g, share.DType(), -cfg.Reverse/(cfg.Forward*float64(cfg.Batch))), share)
		fixed := graph.StopGradient(x)
		x = graph.Add(fixed, graph.Mul(graph.Sub(x, fixed), graph.InsertAxes(stretch, 0)))
		forward := graph.Neg(graph.ReduceAllSum(graph.Mul(share, f.logQ(w, x))))

		rows := max(1, cfg.Batch/2)
		index := store.RandomIntN(g, int32(n), shapes.Make(dtypes.Int32, rows, 1))
		frames := f.negLogLikelihood(w, graph.StopGradient(graph.Gather(inputs[0], index)))
		return graph.Add(graph.MulScalar(frames, cfg.Frames),
			graph.Add(graph.MulScalar(reverse, cfg.Reverse), graph.MulScalar(forward, cfg.Forward)))
	}
}

// cooling is the factor of the energy in a step, and counts the step.
func cooling(store *model.Store, g *graph.Graph, cfg RefineConfig) *graph.Node {
	counter := store.GetVariable(refinedSteps)
	n := counter.NodeValue(g)
	counter.SetNodeValue(graph.OnePlus(n))
	done := graph.MinScalar(graph.MulScalar(n, 2/float64(cfg.Steps)), 1)
	return graph.AddScalar(graph.MulScalar(done, 1-1/cfg.Hot), 1/cfg.Hot)
}

// cappedWeights are normalised weights of which none is above heavyWeight times the mean, and none so small that
// nothing could be divided by it. logW: [batch].
func cappedWeights(logW *graph.Node) *graph.Node {
	weight := graph.Exp(graph.Sub(logW, graph.ReduceAndKeep(logW, graph.ReduceMax, 0)))
	mean := graph.ReduceAndKeep(weight, graph.ReduceMean, 0)
	weight = graph.Max(graph.Min(weight, graph.MulScalar(mean, heavyWeight)), graph.MulScalar(mean, 1e-6))
	return graph.StopGradient(graph.Div(weight, graph.ReduceAndKeep(weight, graph.ReduceSum, 0)))
}

// noise draws from the base, [coordinates, batch].
func (f Spline) noise(store *model.Store, g *graph.Graph, batch int) *graph.Node {
	shape := shapes.Make(dtypes.Float32, len(f.Circle), batch)
	normal := store.RandomNormal(g, shape)
	uniform := graph.MulScalar(graph.AddScalar(store.RandomUniform(g, shape), -0.5), 2*math.Pi)
	line := make([]float64, len(f.Circle))
	for i, on := range f.Circle {
		if !on {
			line[i] = 1
		}
	}
	on := column(normal, line)
	return graph.StopGradient(graph.Add(graph.Mul(normal, on), graph.Mul(uniform, graph.OneMinus(on))))
}
