package cost

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
)

// Flow is what a vector field takes at a mapping; see [Lab.Flow].
type Flow struct {
	Mapping, Field string
	Weights        string  // of the flow that was sampled, in words
	Step           Timing  // of training, s
	Velocity       Timing  // of one state, s
	Divergence     Timing  // of one state, s
	Reverse        Timing  // the same by reverse mode, s; nil where it was not measured
	Sample         Timing  // with its log-density, s
	Evaluations    float64 // of the velocity per sample
	Divergences    float64 // of the divergence per sample

	// By the published solver, at tolerances 1e-4 and 1e-5: evaluations per sample of
	// velocity and divergence together; 0 where that was not measured.
	Joint4, Joint5 float64
	Joint          Timing  // of a sample at 1e-5, s
	LogQ           float64 // root mean square difference of ln q between both solvers, the latter at 1e-5, nats
}

// Flow measures a field, GraphTransformer or cgbg.Equivariant, at a mapping: training
// steps as published (ours: as the quick preset has them), evaluations, samples by
// [flow.Model.Sample] with [flow.SamplingAccuracy], and by the published solver.
// Samples are of the flow in the file weights or, where that is "", of the one that
// the timed steps gave (as always with tiny networks, whose fields have other sizes). With reverse, divergences are
// timed in reverse mode, too.
//
// Errors: an unknown mapping or field, weights of other beads; ctx.Err(), wrapped.
func (c *Lab) Flow(ctx context.Context, mapping, field, weights string, reverse bool,
	progress cgbg.Progress) (*Flow, error) {
	m, err := c.mapping(mapping)
	if err != nil {
		return nil, err
	}
	if c.Settings.Tiny {
		weights = ""
	}
	sum := ""
	if weights != "" {
		if sum, err = data.Checksum(ctx, weights); err != nil {
			return nil, fmt.Errorf("cost: %w", err)
		}
	}
	out := &Flow{Mapping: mapping, Field: field}
	fingerprint := c.fingerprint(m) + " " + keep.Fingerprint(sum)
	if more := fingerprint + " reverse"; reverse {
		fingerprint = more
	} else if _, err := keep.Read(c.Path(costFile(field, mapping)), out,
		func(have string) bool { return have == more }); err == nil {
		return out, nil // all that is asked for, and one time more
	}
	return out, c.JSON(costFile(field, mapping), fingerprint, out,
		func() error { return c.measureFlow(ctx, m, weights, reverse, progress, out) })
}

// costFile keeps the costs of a field at a mapping.
func costFile(field, mapping string) string { return field + "-" + mapping + ".json" }

func (c *Lab) measureFlow(ctx context.Context, m *Mapping, weights string, reverse bool, progress cgbg.Progress,
	out *Flow) error {
	s := c.Settings
	steps, samples, joint := s.Steps+2, s.Samples, s.Joint
	switch {
	case out.Field == cgbg.Equivariant:
		steps, samples = s.Train, s.Cheap
	case m.Beads > manyBeads:
		steps, samples, joint = s.StepsMany+2, s.SamplesFew, s.JointMany
	}
	watch := &stages{total: steps + 3*s.Repeats + 2, progress: progress}
	if reverse {
		watch.total += s.Repeats
	}
	model, err := c.train(ctx, m, steps, watch, out)
	if err != nil {
		return err
	}
	defer func() { model.Finalize() }()
	if weights != "" {
		imported, err := flow.Import(c.Backend.Backend, weights)
		if err != nil {
			return err
		}
		model.Finalize()
		model = imported
		if model.Network.Dim() != 3*m.Beads {
			return fmt.Errorf("cost: %s: a flow of %d coordinates, but %s has %d beads", weights, model.Network.Dim(),
				m.Title,
				m.Beads)
		}
		out.Weights = filepath.Base(weights)
	}
	acc := flow.SamplingAccuracy(c.Backend.Name, model.Network)
	acc.Checks = -1
	// Work for every thread; fewer states than 8 take as long as 8.
	acc.Batch = max(8, min(acc.Batch, samples/runtime.GOMAXPROCS(0)))
	acc.Chunk = min(acc.Chunk, acc.Batch)
	acc.PathTol, acc.LogQTol = s.Loose*acc.PathTol, s.Loose*acc.LogQTol
	if err := c.evaluations(ctx, model, acc, reverse, watch, out); err != nil {
		return err
	}
	return c.samples(ctx, model, acc, samples, joint, watch, out)
}

// train times training steps, and leaves the flow that they gave.
func (c *Lab) train(ctx context.Context, m *Mapping, steps int, watch *stages, out *Flow) (*flow.Model, error) {
	networks, err := c.networks.WithField(out.Field)
	if err != nil {
		return nil, err
	}
	field, err := flow.FieldByName(out.Field)
	if err != nil {
		return nil, err
	}
	cfg := field.Fit
	switch {
	case c.Settings.Tiny:
		cfg = networks.FlowFit
	case out.Field == cgbg.Equivariant:
		cfg = field.Quick
	}
	cfg.Batch, cfg.Seed, cfg.Beads, cfg.Progress = c.Settings.Batch, c.Settings.Seed, m.Beads, watch.stopwatch(&out.Step)
	if cfg.EMA > 0 {
		cfg.EMA, cfg.StepsPerCall = 0.99, c.Settings.Fused // there are few steps
	}
	frames := m.frames.Positions(m.some(steps * cfg.Batch))
	perEpoch := max(1, len(frames)/(3*m.Beads*cfg.Batch))
	cfg.Epochs = (steps + perEpoch - 1) / perEpoch
	model, _, err := networks.FitFlow(ctx, c.Backend, frames, m.Beads, cfg)
	out.Weights = fmt.Sprintf("%d steps", cfg.Epochs*perEpoch)
	watch.done = steps
	return model, err
}

// Calls that are timed together, so that no clock is too coarse.
const (
	velocityCalls   = 10
	divergenceCalls = 4
)

// evaluations times velocity and divergence at states of the prior.
func (c *Lab) evaluations(ctx context.Context, model *flow.Model, acc flow.Accuracy, reverse bool, watch *stages,
	out *Flow) error {
	n := acc.Batch * runtime.GOMAXPROCS(0)
	rng := analysis.Rng(int(c.Settings.Seed), analysis.StreamClipping)
	x := make([]float64, n*model.Network.Dim())
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	measure := func(timing *Timing, calls int, note string,
		evaluate func(x []float64, acc flow.Accuracy) ([]float64, error)) error {
		for size := 8; size < 2*acc.Chunk; size *= 2 { // compiles every shape that samples may ask for
			part := acc
			part.Chunk = min(size, acc.Chunk)
			if _, err := evaluate(x, part); err != nil {
				return err
			}
		}
		for range c.Settings.Repeats {
			start := time.Now()
			for range calls {
				if _, err := evaluate(x, acc); err != nil {
					return err
				}
			}
			timing.add(start, calls*n)
			watch.step(note)
		}
		return nil
	}
	const t = 0.5
	err := measure(&out.Velocity, velocityCalls, "velocities",
		func(x []float64, acc flow.Accuracy) ([]float64, error) { return model.VelocityAt(ctx, t, x, acc) })
	if err == nil {
		err = measure(&out.Divergence, divergenceCalls, "divergences",
			func(x []float64, acc flow.Accuracy) ([]float64, error) { return model.DivergenceAt(ctx, t, x, acc) })
	}
	if err == nil && reverse {
		plain := model.InReverseMode()
		err = measure(&out.Reverse, 1, "divergences in reverse mode",
			func(x []float64, acc flow.Accuracy) ([]float64, error) { return plain.DivergenceAt(ctx, t, x, acc) })
	}
	return err
}

// samples times samples, ours and by the published solver.
func (c *Lab) samples(ctx context.Context, model *flow.Model, acc flow.Accuracy, n, joint int, watch *stages,
	out *Flow) error {
	s := c.Settings
	var logq []float64
	for k := range s.Repeats {
		start := time.Now()
		drawn, err := model.Sample(ctx, n, s.Seed+uint64(k), acc, nil)
		if err != nil {
			return err
		}
		out.Sample.add(start, n)
		out.Evaluations += drawn.Evaluations / float64(s.Repeats)
		out.Divergences += drawn.Divergences / float64(s.Repeats)
		if k == 0 {
			logq = drawn.LogQ
		}
		watch.step("samples")
	}
	if n = min(n, joint); n == 0 {
		return nil
	}
	drawn, err := model.JointSample(ctx, n, s.Seed, s.Loose*flow.TextTolerance) // compiles
	if err != nil {
		return err
	}
	out.Joint4 = drawn.Divergences
	watch.step("samples by the published solver")
	start := time.Now()
	if drawn, err = model.JointSample(ctx, n, s.Seed, s.Loose*flow.CodeTolerance); err != nil {
		return err
	}
	out.Joint.add(start, n)
	out.Joint5 = drawn.Divergences
	for i, q := range drawn.LogQ { // the first draws of a seed are the same
		out.LogQ = math.Hypot(out.LogQ, (q-logq[i])/math.Sqrt(float64(n)))
	}
	watch.step("samples by the published solver")
	return nil
}

// trainSteps are those of the whole training that hours are scaled to: the
// published ones, or those of the quick preset.
func (f *Flow) trainSteps() int {
	if f.Field == cgbg.GraphTransformer {
		return publishedFlowSteps
	}
	field, err := flow.FieldByName(f.Field)
	if err != nil {
		return 0
	}
	quick := field.Quick
	return quick.Epochs * (quickFrames / quick.Batch)
}

// trainHours is the whole training, scaled from single steps.
func (f *Flow) trainHours() Timing { return f.Step.Times(float64(f.trainSteps()) / 3600) }

// sampleMinutes is scaled to 10^4 samples.
func (f *Flow) sampleMinutes() Timing { return f.Sample.Times(publishedSamples / 60.) }

// Results are the numbers under the names of results.json: medians, and the ends of the ranges.
func (f *Flow) Results() []result.Result {
	name := "cost/" + f.Mapping + "/" + f.Field + "/"
	list := slices.Concat(f.Step.results(name+"step_seconds", "s"),
		f.trainHours().results(name+"train_hours_scaled", "h"),
		f.Velocity.results(name+"velocity_seconds", "s"), f.Divergence.results(name+"divergence_seconds", "s"),
		f.Sample.results(name+"sample_seconds", "s"), f.sampleMinutes().results(name+"samples_10000_minutes_scaled",
			"min"))
	if f.Reverse != nil {
		list = append(list, f.Reverse.results(name+"divergence_reverse_seconds", "s")...)
	}
	list = append(list, result.New(name+"evaluations", f.Evaluations, result.None, result.None, "", 0),
		result.New(name+"divergences", f.Divergences, result.None, result.None, "", 0))
	if f.Joint == nil {
		return list
	}
	return append(list, result.New(name+"joint_divergences_1e-4", f.Joint4, result.None, result.None, "", 0),
		result.New(name+"joint_divergences_1e-5", f.Joint5, result.None, result.None, "", 0),
		result.New(name+"joint_sample_seconds", f.Joint.Median(), result.None, result.None, "s", 0),
		result.New(name+"logq_difference_rms", f.LogQ, result.None, result.None, "nats", 0))
}

// jointCounts writes the evaluations per sample of the published solver, at 1e-5 and
// in brackets at 1e-4, a dash where they were not measured.
func (f *Flow) jointCounts() string {
	if f.Joint == nil {
		return "–"
	}
	return fmt.Sprintf("%.0f (%.0f)", f.Joint5, f.Joint4)
}

// accounted is the part of a sample's time that its evaluations take, one by one;
// the rest goes to the solver, or is gained by larger batches.
func (f *Flow) accounted() float64 {
	return (f.Evaluations*f.Velocity.Median() + f.Divergences*f.Divergence.Median()) / f.Sample.Median()
}
