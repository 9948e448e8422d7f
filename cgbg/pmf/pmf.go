package pmf

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Potential is a parametrised energy U(R).
type Potential interface {
	// Dim is the number of components of R.
	Dim() int
	// Init creates the parameters in the store.
	Init(store *model.Store, rng *rand.Rand)
	// Energy builds U. r: [batch, dim]; result: [batch].
	Energy(store *model.Store, r *graph.Node) *graph.Node
}

// energyGradient builds U, [batch], and ∇U, [batch, dim]: by the potential's own
// EnergyGradient where it has one, by reverse mode otherwise. For the latter r
// must not be a StopGradient node: GoMLX gives no gradient with respect to one.
//
// inputs: r, and the neighbour list of a potential that takes one.
func energyGradient(pot Potential, store *model.Store, inputs []*graph.Node) (energy, gradient *graph.Node) {
	r := inputs[0]
	if p, ok := pot.(interface {
		EnergyGradient(*model.Store, *graph.Node) (energy, gradient *graph.Node)
	}); ok {
		return p.EnergyGradient(store, r)
	}
	if len(inputs) > 1 {
		energy = pot.(listed).ListEnergy(store, r, inputs[1])
	} else {
		energy = pot.Energy(store, r)
	}
	return energy, graph.Gradient(graph.ReduceAllSum(energy), r)[0]
}

// Config of force matching.
type Config struct {
	Epochs    int     // passes over the data, on average (frames are drawn with replacement)
	Batch     int     // frames per step
	Rate      float64 // learning rate at the start
	RateDecay float64 // its factor over the whole run, exponential; 1: constant
	Cosine    bool    // fall along half a cosine instead, to Rate*RateDecay
	ClipNorm  float64 // gradients are scaled to at most this norm; 0: off
	Seed      uint64
	// Validation holds out the last part of the frames, and keeps the parameters of least loss on them, looked at fifty
	// times a run or as often as is cheap; 0: off. Frames of one trajectory should be in the order of time, so that the
	// part is a block. Populations by the potential's weights may go on improving where this loss stands still, with
	// its noise: it guards against overfitting, and does not tell when to stop.
	Validation float64
	// RandomSplit holds out frames at random instead. Neighbours in time then
	// stand on both sides, and the loss on them is too good.
	RandomSplit bool
	// Start is the file of a trained model whose parameters are those of the first step; "": random ones.
	Start string
	// Floor is the noise floor of the loss where it is known (see NoiseFloor),
	// to be shown beside the loss; 0: unknown.
	Floor float64

	StepsPerCall    int           // steps fused into one compiled call [10]
	Checkpoint      string        // file; "" for none
	CheckpointEvery time.Duration // [10 s]
	Progress        func(done, total int, note string)
}

// Model is a trained potential. It may be evaluated by several goroutines at once.
type Model struct {
	Potential Potential
	Store     *model.Store // parameters, float32

	// Single evaluates energies and forces in float32, for speed; set it before the first evaluation.
	Single bool
	// FastForces compiles forces at fixed parameters for longer (MACE: some 10 s
	// by XLA), to evaluate them about twice as fast: for 10,000 and more. Set it as Single.
	FastForces bool

	backend      compute.Backend
	mu           sync.Mutex
	energies     *evaluator // made on first use, as the next
	energyForces *evaluator
}

// Fit trains pot on frames and forces: the mean over batch and components of
// (F + ∇U)² (paper, Eq. 13 and, for biased frames with unbiased forces, Eq. 16).
//
// r, f: [n*dim]. The losses of the history are mean squares per component, in
// squared force units; they have a floor, the noise of f about the mean force.
// Errors: no, unequally many, or non-finite frames; a checkpoint that does not
// fit; a non-finite loss; the wrapped ctx.Err() after a checkpoint was saved.
func Fit(ctx context.Context, backend compute.Backend, pot Potential, r, f []float32, cfg Config) (m *Model,
	history *train.History, err error) {
	if err := check(pot, r, f, cfg); err != nil {
		return nil, nil, err
	}
	dim := pot.Dim()
	n := len(r) / dim
	r, f = split(r, f, dim, cfg)
	held := int(cfg.Validation * float64(n))
	kept := n - held
	m = &Model{Potential: pot, Store: model.NewStore(), backend: backend}
	defer func(m *Model) {
		if err != nil {
			m.Finalize()
		}
	}(m)
	pot.Init(m.Store, rand.New(rand.NewPCG(cfg.Seed, 0x706d66)))
	if cfg.Start != "" {
		if err = train.Start(m.Store, cfg.Start); err == nil {
			cfg.Start, err = train.Sum(m.Store) // a checkpoint is of what was in the file, not of its name
		}
		if err != nil {
			return nil, nil, fmt.Errorf("pmf: %w", err)
		}
	}
	perEpoch := max(1, kept/cfg.Batch)
	steps := cfg.Epochs * perEpoch
	tc := train.Config{
		Steps: steps, StepsPerCall: cfg.StepsPerCall, StepsPerEpoch: perEpoch,
		Rate: train.Exponential(cfg.Rate, cfg.RateDecay, steps), ClipNorm: cfg.ClipNorm, Seed: cfg.Seed,
		Checkpoint: cfg.Checkpoint, CheckpointEvery: cfg.CheckpointEvery, Progress: withFloor(cfg.Progress, cfg.Floor),
		Fingerprint: fingerprint(pot, r, f, cfg),
	}
	if cfg.Cosine {
		tc.Rate = train.Cosine(cfg.Rate, cfg.Rate*cfg.RateDecay, steps)
	}
	if held > 0 {
		tc.Validation = func(store *model.Store, inputs []*graph.Node) *graph.Node {
			return residual(pot, store, inputs)
		}
		// A few thousand frames tell which step is best.
		rows := min(held, 2048)
		if p, ok := pot.(chunked); ok {
			rows = min(rows, 16*p.Chunk()) // all at once: they must fit in memory
		}
		tc.ValidationInputs = trainingInputs(pot, thin(r[kept*dim:], dim, rows), thin(f[kept*dim:], dim, rows))
		// Fifty times a run, but so that it costs no more than about a tenth of it: a frame costs a third here of what
		// it costs in a step.
		tc.ValidateEvery = max(1, steps/50, 10*rows/(3*cfg.Batch))
	}
	inputs := trainingInputs(pot, r[:kept*dim], f[:kept*dim])
	defer func() {
		for _, t := range slices.Concat(inputs, tc.ValidationInputs) {
			t.FinalizeAll()
		}
	}()
	history, err = train.Run(ctx, backend, m.Store, func(store *model.Store, inputs []*graph.Node) *graph.Node {
		index := store.RandomIntN(inputs[0].Graph(), int32(kept), shapes.Make(dtypes.Int32, cfg.Batch, 1))
		var batch []*graph.Node
		for _, input := range inputs {
			batch = append(batch, graph.Gather(input, index))
		}
		return residual(pot, store, batch)
	}, inputs, tc)
	if err != nil {
		return nil, nil, fmt.Errorf("pmf: %w", err)
	}
	history.Floor = cfg.Floor
	return m, history, nil
}

// split orders frames so that those to hold out come last: as they are, or shuffled.
func split(r, f []float32, dim int, cfg Config) (shuffledR, shuffledF []float32) {
	if !cfg.RandomSplit || cfg.Validation == 0 {
		return r, f
	}
	order := rand.New(rand.NewPCG(cfg.Seed, 0x73706c6974)).Perm(len(r) / dim)
	for _, k := range order {
		shuffledR = append(shuffledR, r[k*dim:(k+1)*dim]...)
		shuffledF = append(shuffledF, f[k*dim:(k+1)*dim]...)
	}
	return shuffledR, shuffledF
}

// trainingInputs are forces, positions, and the neighbour list of a potential that takes one.
func trainingInputs(pot Potential, r, f []float32) []*tensors.Tensor {
	dim := pot.Dim()
	out := []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(f, len(f)/dim, dim),
		tensors.FromFlatDataAndDimensions(r, len(r)/dim, dim),
	}
	if list := listTensor(pot, r); list != nil {
		out = append(out, list)
	}
	return out
}

// residual is the mean of (F + ∇U)². inputs: those of trainingInputs.
func residual(pot Potential, store *model.Store, inputs []*graph.Node) *graph.Node {
	_, gradient := energyGradient(pot, store, inputs[1:])
	return graph.ReduceAllMean(graph.Square(graph.Add(inputs[0], gradient)))
}

// thin takes rows frames at even distances.
func thin(values []float32, dim, rows int) []float32 {
	n := len(values) / dim
	out := make([]float32, 0, rows*dim)
	for i := range rows {
		k := i * n / rows
		out = append(out, values[k*dim:(k+1)*dim]...)
	}
	return out
}

func check(pot Potential, r, f []float32, cfg Config) error {
	if p, ok := pot.(interface{ Check() error }); ok {
		if err := p.Check(); err != nil {
			return err
		}
	}
	dim := pot.Dim()
	if len(r) == 0 || len(r)%dim != 0 {
		return fmt.Errorf("pmf: %d numbers are no frames of %d components", len(r), dim)
	}
	if len(f) != len(r) {
		return fmt.Errorf("pmf: %d positions, but %d forces", len(r), len(f))
	}
	if cfg.Epochs <= 0 || cfg.Batch <= 0 || cfg.Rate <= 0 || cfg.RateDecay <= 0 {
		return errors.New("pmf: Epochs, Batch, Rate and RateDecay must be positive")
	}
	if cfg.Validation < 0 || cfg.Validation >= 1 {
		return fmt.Errorf("pmf: a fraction of %g frames cannot be held out", cfg.Validation)
	}
	for name, values := range map[string][]float32{"position": r, "force": f} {
		for i, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("pmf: frame %d, component %d of the %s is %g: remove the frame", i/dim, i%dim, name,
					v)
			}
		}
	}
	return nil
}

// fingerprint identifies potential, data and settings, for checkpoints.
func fingerprint(pot Potential, r, f []float32, cfg Config) string {
	cfg.Checkpoint, cfg.CheckpointEvery, cfg.Progress, cfg.Floor = "", 0, nil, 0
	hash := fnv.New64a()
	for _, values := range [][]float32{r, f} {
		for _, v := range values {
			bits := math.Float32bits(v)
			hash.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
		}
	}
	return fmt.Sprintf("pmf %T%+v %+v data %016x", pot, pot, cfg, hash.Sum64())
}
