// Package train runs training loops on GoMLX: data stay on the device, noise
// and batches are drawn inside the compiled step, several steps run per call,
// and everything that a step changes (parameters, Adam's moments, the random
// state) is checkpointed, so that an interrupted loop ends with the same bits
// as an uninterrupted one.
//
// Parameters live in a [model.Store] under "/net/..." (see params.go).
package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// Loss builds the graph of one step's loss, a scalar. It draws its batch and
// its noise from the store's random state (store.RandomNormal and friends).
type Loss func(store *model.Store, inputs []*graph.Node) *graph.Node

// Config of a training loop.
type Config struct {
	Steps        int      // optimiser steps in all, rounded up to whole calls
	StepsPerCall int      // steps fused into one compiled call [10]
	Rate         Schedule // learning rate
	WeightDecay  float64  // of AdamW, decoupled; on all parameters
	ClipValue    float64  // clip every component of the gradient to ±ClipValue; 0: off
	ClipNorm     float64  // scale the gradient to at most this global norm; 0: off
	EMA          float64  // decay per step of an average of the parameters, which takes their place at the end; 0: none
	Seed         uint64   // of batches and noise

	// Validation, when set, is evaluated on ValidationInputs every
	// ValidateEvery steps, and the parameters of its least value are kept; with EMA, it is of their averages.
	Validation       Loss
	ValidationInputs []*tensors.Tensor
	ValidateEvery    int

	Checkpoint      string        // file; "" for none
	CheckpointEvery time.Duration // [10 s]
	Fingerprint     string        // what the checkpoint must have been made for

	StepsPerEpoch int                                // for the progress note
	Progress      func(done, total int, note string) // may be nil
}

// History is the course of a loop.
type History struct {
	Step           []int     // end of each recorded interval
	Loss           []float64 // mean loss over the interval
	ValidationStep []int
	Validation     []float64
	BestStep       int     // step of the least validation loss; 0 without validation
	Floor          float64 // the least loss that any model can reach, where the caller knows it; 0: unknown
}

// ErrNonFinite reports a loss that is not a finite number.
var ErrNonFinite = errors.New("the loss is not finite: lower the learning rate, clip the gradient, or check the data")

// records is about how many points a history has.
const records = 200

type loop struct {
	cfg     Config
	store   *model.Store
	exec    *model.Exec
	check   *model.Exec
	inputs  []*tensors.Tensor
	state   state
	started time.Time
	first   int // step at which this process started
	saved   time.Time
}

// Run trains the parameters of store, and returns the history.
//
// inputs are handed to loss at every step; keep them on the device by passing
// the same tensors. If cfg.Checkpoint exists, the loop continues from there; a
// finished one returns at once. On cancellation of ctx the loop saves a
// checkpoint and returns an error that wraps ctx.Err().
func Run(ctx context.Context, backend compute.Backend, store *model.Store, loss Loss, inputs []*tensors.Tensor,
	cfg Config) (*History, error) {
	if cfg.StepsPerCall == 0 {
		cfg.StepsPerCall = 10
	}
	if cfg.CheckpointEvery == 0 {
		cfg.CheckpointEvery = 10 * time.Second
	}
	if cfg.Steps <= 0 || cfg.Rate == nil {
		return nil, errors.New("train: Steps and Rate must be set")
	}
	cfg.Steps = (cfg.Steps + cfg.StepsPerCall - 1) / cfg.StepsPerCall * cfg.StepsPerCall
	l := &loop{cfg: cfg, store: store, inputs: inputs, started: time.Now(), saved: time.Now()}
	l.state.best = math.Inf(1)
	if err := store.SetRNGStateFromSeed(int64(cfg.Seed)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if cfg.Checkpoint != "" {
		err := l.load()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	l.first = l.state.step
	defer l.finalize()
	if cfg.EMA > 0 {
		if err := startAverage(store); err != nil {
			return nil, err
		}
	}
	if l.state.step < cfg.Steps {
		l.progress(false) // the first call compiles, which may take a minute
		if err := l.build(backend, loss); err != nil {
			return nil, err
		}
		if err := l.run(ctx); err != nil {
			return nil, err
		}
	}
	if l.state.bestParams != nil {
		if err := setParams(store, l.state.bestParams); err != nil {
			return nil, err
		}
	}
	if cfg.EMA > 0 && l.state.bestParams == nil {
		if err := takeAverage(store); err != nil {
			return nil, err
		}
	}
	l.progress(true)
	return &l.state.History, nil
}

// finalize frees the compiled steps and all that they changed beside the parameters: moments, averages, random state.
func (l *loop) finalize() {
	for _, exec := range []*model.Exec{l.exec, l.check} {
		if exec != nil {
			exec.Finalize()
		}
	}
	var rest []string
	for v := range l.store.IterVariables() {
		if !strings.HasPrefix(v.Path(), netScope) {
			rest = append(rest, v.Path())
		}
	}
	for _, path := range rest {
		_ = l.store.DeleteVariable(path) // without a loader it cannot fail
	}
}

// build compiles nothing yet: GoMLX compiles at the first call.
func (l *loop) build(backend compute.Backend, loss Loss) (err error) {
	l.exec, err = model.NewExec(backend, l.store, func(_ *model.Scope, nodes []*graph.Node) *graph.Node {
		rates, inputs := nodes[0], nodes[1:]
		losses := make([]*graph.Node, l.cfg.StepsPerCall)
		for i := range losses {
			rate := graph.Reshape(graph.Slice(rates, graph.AxisElem(i)))
			losses[i] = l.step(loss, inputs, rate)
		}
		return graph.Stack(losses, 0)
	})
	if err == nil && l.cfg.Validation != nil {
		l.check, err = model.NewExec(backend, l.store, func(_ *model.Scope, nodes []*graph.Node) *graph.Node {
			if l.cfg.EMA > 0 {
				defer withAverages(l.store, nodes[0])()
			}
			return l.cfg.Validation(l.store, nodes)
		})
	}
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// step builds one optimiser step: loss, clipped gradients, AdamW.
func (l *loop) step(loss Loss, inputs []*graph.Node, rate *graph.Node) *graph.Node {
	value := loss(l.store, inputs)
	value.AssertScalar()
	scope := l.store.RootScope()
	grads := l.clip(scope.BuildTrainableVariablesGradientsGraph(value))
	optimizer.LearningRateVar(scope, value.DType(), 0).SetNodeValue(graph.ConvertDType(rate, value.DType()))
	adam := optimizer.Adam().Epsilon(1e-8).WeightDecay(l.cfg.WeightDecay).Done()
	adam.(interface {
		UpdateGraphWithGradients(*model.Scope, []*graph.Node, dtypes.DType)
	}).UpdateGraphWithGradients(scope, grads, value.DType())
	if l.cfg.EMA > 0 {
		average(l.store, value, l.cfg.EMA)
	}
	return value
}

func (l *loop) clip(grads []*graph.Node) []*graph.Node {
	if c := l.cfg.ClipValue; c > 0 {
		for i, g := range grads {
			grads[i] = graph.MaxScalar(graph.MinScalar(g, c), -c)
		}
	}
	if c := l.cfg.ClipNorm; c > 0 {
		var sum *graph.Node
		for _, g := range grads {
			s := graph.ReduceAllSum(graph.Square(g))
			if sum == nil {
				sum = s
			} else {
				sum = graph.Add(sum, s)
			}
		}
		norm := graph.Sqrt(sum)
		scale := graph.Div(graph.Scalar(norm.Graph(), norm.DType(), c), graph.MaxScalar(norm, c))
		for i, g := range grads {
			grads[i] = graph.Mul(g, scale)
		}
	}
	return grads
}

func (l *loop) run(ctx context.Context) error {
	every := max(l.cfg.Steps/records, l.cfg.StepsPerCall)
	for l.state.step < l.cfg.Steps {
		if err := ctx.Err(); err != nil {
			return l.interrupted(err)
		}
		if err := l.call(); err != nil {
			return err
		}
		if n := l.state.step - l.state.lastRecord(); n >= every || l.state.step >= l.cfg.Steps {
			l.state.record()
		}
		if v := l.cfg.ValidateEvery; l.check != nil && v > 0 &&
			(l.state.step/v > l.state.lastValidation()/v || l.state.step >= l.cfg.Steps) {
			if err := l.validate(); err != nil {
				return err
			}
		}
		l.progress(false)
		if l.cfg.Checkpoint != "" && (time.Since(l.saved) > l.cfg.CheckpointEvery || l.state.step >= l.cfg.Steps) {
			if err := l.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// call runs StepsPerCall steps.
func (l *loop) call() error {
	n := l.cfg.StepsPerCall
	rates := make([]float64, n)
	for i := range rates {
		rates[i] = l.cfg.Rate(l.state.step + i)
	}
	rate := tensors.FromFlatDataAndDimensions(rates, n)
	defer rate.FinalizeAll()
	args := []any{rate}
	for _, input := range l.inputs {
		args = append(args, input)
	}
	out, err := l.exec.Exec(args...)
	if err != nil {
		return fmt.Errorf("train: step %d: %w", l.state.step+1, err)
	}
	losses, err := toFloat64(out[0])
	if err != nil {
		return fmt.Errorf("train: step %d: %w", l.state.step+1, err)
	}
	out[0].FinalizeAll()
	for i, v := range losses {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("train: step %d: loss %g: %w", l.state.step+i+1, v, ErrNonFinite)
		}
		l.state.sum += v
		l.state.count++
	}
	l.state.step += n
	return nil
}

func (l *loop) validate() error {
	args := make([]any, len(l.cfg.ValidationInputs))
	for i, input := range l.cfg.ValidationInputs {
		args[i] = input
	}
	out, err := l.check.Exec(args...)
	if err != nil {
		return fmt.Errorf("train: validation after step %d: %w", l.state.step, err)
	}
	value, err := toFloat64(out[0])
	if err != nil {
		return fmt.Errorf("train: validation after step %d: %w", l.state.step, err)
	}
	out[0].FinalizeAll()
	l.state.ValidationStep = append(l.state.ValidationStep, l.state.step)
	l.state.Validation = append(l.state.Validation, value[0])
	if value[0] < l.state.best {
		l.state.best, l.state.BestStep = value[0], l.state.step
		if l.state.bestParams, err = l.kept(); err != nil {
			return err
		}
	}
	return nil
}

// kept are the parameters that a validation is of.
func (l *loop) kept() (map[string][]float32, error) {
	if l.cfg.EMA > 0 {
		return averages(l.store)
	}
	return getParams(l.store)
}

func (l *loop) interrupted(cause error) error {
	if l.cfg.Checkpoint == "" {
		return fmt.Errorf("train: stopped after step %d of %d, nothing saved (no checkpoint file was asked for): %w",
			l.state.step, l.cfg.Steps, cause)
	}
	if err := l.save(); err != nil {
		return fmt.Errorf("train: stopped after step %d of %d, and not saved: %w (%w)", l.state.step, l.cfg.Steps, err,
			cause)
	}
	return fmt.Errorf("train: stopped after step %d of %d; run it again to go on from %s: %w", l.state.step,
		l.cfg.Steps, l.cfg.Checkpoint, cause)
}

func (l *loop) progress(final bool) {
	if l.cfg.Progress == nil {
		return
	}
	var notes []string
	if e := l.cfg.StepsPerEpoch; e > 0 {
		notes = append(notes, fmt.Sprintf("epoch %d/%d", l.state.step/e, l.cfg.Steps/e))
	}
	if n := len(l.state.Loss); n > 0 {
		notes = append(notes, fmt.Sprintf("loss %.4g", l.state.Loss[n-1]))
	}
	if n := len(l.state.Validation); n > 0 {
		v := fmt.Sprintf("validation %.4g", l.state.Validation[n-1])
		if b := l.state.BestStep; b > 0 && b < l.state.ValidationStep[n-1] {
			v += fmt.Sprintf(" (least %.4g at step %d)", l.state.best, b)
		}
		notes = append(notes, v)
	}
	note := strings.Join(notes, ", ")
	if final && l.first > 0 {
		note += fmt.Sprintf(" (resumed at step %d)", l.first)
	}
	l.cfg.Progress(l.state.step, l.cfg.Steps, note)
}
