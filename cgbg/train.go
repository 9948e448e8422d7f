package cgbg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// TrainOptions of [Train]; zeros stand for those of the preset.
type TrainOptions struct {
	Preset    string // of the settings, see Presets
	Seed      uint64
	Epochs    int          // passes over the frames
	Batch     int          // frames of a step
	Rate      float64      // highest learning rate
	Width     int          // of the perceptrons of a spline or equivariant flow, or an invariant potential
	Potential string       // MACE or Invariant; of potentials
	Field     string       // Spline, GraphTransformer or Equivariant; of flows, as those to HeldOut
	Pairing   flow.Pairing // of frames and noise
	Late      float64      // power of the flow times' law, see flow.Config
	EMA       float64      // decay of the parameters' average
	HeldOut   int          // frames that the likelihood is computed on; NoLikelihood: none
	Start     string       // file of a trained model to go on from, of the same beads; "": random parameters
	Refine    []string     // files of potentials that a flow, exact in one pass, is refined on; their mean counts
	Progress  Progress
}

// noLikelihood leaves out the likelihood of frames held out, which takes long; the frames are held out all the same.
const noLikelihood = -1

// Kinds of models.
const (
	Flow = "flow" // of samples
	PMF  = "pmf"  // a potential of mean force
)

// training is a model in the making.
type training struct {
	frames   *data.Frames
	meta     data.Meta
	card     *Card
	out      string
	start    time.Time
	settings Settings
	told     map[string]any // what the card tells of them
	network  any            // flow.Field or pmf.Potential
	clock    stopwatch      // of its steps
}

// readTraining reads the frames and fits the preset to them and to the options. Errors: all that would stop the
// training.
func readTraining(kind, in, out string, o TrainOptions) (t *training, err error) {
	if err := errors.Join(o.Check(kind), checkOut(out)); err != nil {
		return nil, err
	}
	t = &training{out: out, start: time.Now()}
	if t.settings, err = NewSettings(o.Preset, o.Seed); err != nil {
		return nil, err
	}
	if t.frames, t.meta, err = data.ReadFile(in); err != nil {
		return nil, err
	}
	t.meta.Source = in
	if err := CheckFrames(kind, in, t.meta, t.frames.Len(), len(t.frames.F) == len(t.frames.R)); err != nil {
		return nil, err
	}
	if err := checkStart(kind, o.Start, in, t.meta); err != nil {
		return nil, err
	}
	if err := checkRefine(o.Refine, in, t.meta); err != nil {
		return nil, err
	}
	if kind == Flow {
		t.told, err = t.flowSettings(o)
	} else {
		t.told, err = t.pmfSettings(o)
	}
	return t, err
}

// newTraining reads the frames; ready: the model is there already, of the same
// kind, settings and frames.
func newTraining(ctx context.Context, b *backend.Backend, kind, in, out string,
	o TrainOptions) (t *training, ready bool, err error) {
	if t, err = readTraining(kind, in, out, o); err != nil {
		return nil, false, err
	}
	sum, err := data.Checksum(ctx, in)
	if err != nil {
		return nil, false, err
	}
	t.card = newCard(kind, o.Preset, o.Seed, t.meta, b)
	t.card.Data, t.card.DataSHA, t.card.Frames, t.card.Settings = filepath.Base(in), sum, t.frames.Len(), t.told
	if o.Start != "" {
		start, err := data.Checksum(ctx, o.Start)
		if err != nil {
			return nil, false, err
		}
		t.card.Start, t.card.StartSHA = filepath.Base(o.Start), start
	}
	t.card.Fingerprint = keep.Hash(kind, t.card.Settings, o.Seed, sum, t.card.StartSHA)
	if len(o.Refine) > 0 {
		sums, err := data.Checksum(ctx, o.Refine...)
		if err != nil {
			return nil, false, err
		}
		t.card.Fingerprint = keep.Hash(t.card.Fingerprint, sums, t.settings.FlowRefine)
	}
	t.card.study(t.frames)
	if card, ok := cardOfDone(out, t.card.Fingerprint); ok {
		if card.ChiralCentres == nil { // of an earlier version
			card.study(t.frames)
			if err := card.write(out); err != nil {
				return nil, false, err
			}
		}
		t.card = card
		return t, true, nil
	}
	return t, false, nil
}

func (t *training) checkpoint() string { return t.out + ".checkpoint" }

// finish writes the model and its card.
func (t *training) finish(history *train.History, steps int, export func(path string) error) (*Card, error) {
	t.card.History = losses(history)
	if n := len(history.Loss); n > 0 {
		t.card.Results["loss"] = history.Loss[n-1]
	}
	t.card.Seconds, t.card.StepSeconds, t.card.Steps = time.Since(t.start).Seconds(), t.clock.perStep(), steps
	if n := len(history.Step); n > 0 { // whole calls of several steps
		t.card.Steps = history.Step[n-1]
	}
	// A kill must not leave the new model with an old card.
	if err := os.Remove(CardPath(t.out)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cgbg: %w", err)
	}
	if err := export(t.out); err != nil {
		return nil, err
	}
	t.card.Made = time.Now().UTC().Truncate(time.Second)
	if err := t.card.write(t.out); err != nil {
		return nil, err
	}
	os.Remove(t.checkpoint()) // one that stays does no harm
	os.Remove(t.refineCheckpoint())
	return t.card, nil
}

// flowSettings fits the preset to the options, and returns what the card tells of it.
func (t *training) flowSettings(o TrainOptions) (map[string]any, error) {
	s := &t.settings
	var err error
	if *s, err = s.WithField(o.Field); err != nil {
		return nil, err
	}
	cfg := &s.FlowFit
	cfg.Beads = t.frames.Beads
	replace(&cfg.Epochs, o.Epochs)
	replace(&cfg.Batch, o.Batch)
	replace(&cfg.RateHigh, o.Rate)
	replace(&cfg.Pairing, o.Pairing)
	replace(&cfg.Late, o.Late)
	replace(&cfg.EMA, o.EMA)
	if o.HeldOut != noLikelihood {
		replace(&s.HeldOut, o.HeldOut)
	}
	replace(&s.FlowSizes.Width, o.Width)
	field, err := s.newField(t.frames.R, t.frames.Beads)
	if err != nil {
		return nil, err
	}
	t.network = field
	told := map[string]any{"field": s.Field, "sizes": s.flowTold(field), "epochs": cfg.Epochs, "batch": cfg.Batch,
		"rate_high": cfg.RateHigh, "rate_low": cfg.RateLow, "weight_decay": cfg.WeightDecay,
		"clip_value": cfg.ClipValue, "pairing": cfg.Pairing, "late": cfg.Late, "ema": cfg.EMA,
		"held_out": s.HeldOut}
	if cfg.ClipNorm > 0 || cfg.Validation > 0 {
		told["clip_norm"], told["validation"] = cfg.ClipNorm, cfg.Validation
	}
	return told, nil
}

// pmfSettings are those of a potential, as flowSettings. Error: beads without species.
func (t *training) pmfSettings(o TrainOptions) (map[string]any, error) {
	s := &t.settings
	var err error
	if *s, err = s.WithPotential(o.Potential); err != nil {
		return nil, err
	}
	cfg := &s.PMFFit
	replace(&cfg.Epochs, o.Epochs)
	replace(&cfg.Batch, o.Batch)
	replace(&cfg.Rate, o.Rate)
	replace(&s.PMFSizes.Width, o.Width)
	potential, err := s.NewPotential(t.frames.R, t.frames.Beads, t.meta.Species, units.KT(t.meta.Temperature))
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s: %w", t.meta.Source, err)
	}
	t.network = potential
	return map[string]any{"potential": s.Potential, "sizes": s.pmfTold(potential), "epochs": cfg.Epochs,
		"batch": cfg.Batch, "rate": cfg.Rate, "rate_decay": cfg.RateDecay, "cosine": cfg.Cosine,
		"clip_norm": cfg.ClipNorm, "validation": cfg.Validation}, nil
}

// Train trains a model, a [Flow] or a [PMF], on a file of frames. The model goes to the file out (NPZ), its card beside
// it. A run that was stopped goes on from its checkpoint beside out; a model that is there already, of the same
// settings and data, is left as it is (fresh = false).
//
// A flow learns the frames as they are: biased if their simulation was. Those held out in ten blocks of time tell its
// likelihood; one that fails leaves a model all the same, whose card says so.
//
// A potential learns from the forces, biased frames or not (paper, Propositions 2 and 3). The last tenth of the frames
// tells which parameters are kept: those of the step that does best on it, see [pmf.Config]. The card has that step,
// its error and the last step's; where the latter is a tenth larger, the training overfits, and the card's Warnings say
// so.
//
// Errors: those of the files and of the training; for potentials frames without forces or species, or of an unknown
// temperature; ctx.Err(), wrapped.
func Train(ctx context.Context, b *backend.Backend, kind, in, out string,
	o TrainOptions) (card *Card, fresh bool, err error) {
	t, ready, err := newTraining(ctx, b, kind, in, out, o)
	switch {
	case err != nil:
		return nil, false, err
	case ready:
		return t.card, false, nil
	case kind == Flow:
		card, err = t.learnFlow(ctx, b, o)
	default:
		card, err = t.learnPMF(ctx, b, o)
	}
	return card, err == nil, err
}

func (t *training) learnFlow(ctx context.Context, b *backend.Backend, o TrainOptions) (*Card, error) {
	kept, held := HoldOut(t.frames.Len())
	cfg := t.settings.FlowFit
	cfg.Checkpoint, cfg.Progress, cfg.Start = t.checkpoint(), t.clock.watch(o.Progress), o.Start
	m, history, err := t.settings.FitFlow(ctx, b, t.frames.Positions(kept), t.frames.Beads, cfg)
	if err != nil {
		return nil, err
	}
	t.card.Frames = len(kept)
	if len(o.Refine) > 0 {
		refined, err := t.refine(ctx, b, m, kept, held, o)
		if err != nil {
			m.Finalize()
			return nil, err
		}
		m = refined
	}
	defer m.Finalize()
	if o.HeldOut != noLikelihood {
		if o.Progress != nil {
			o.Progress(0, min(t.settings.HeldOut, len(held)), "-ln q of frames held out")
		}
		l, err := m.NegLogLikelihood(ctx, t.frames.Positions(held), t.settings.HeldOut, o.Seed,
			flow.SamplingAccuracy(b.Name, m.Network), o.Progress)
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		t.card.likely(l, err)
	}
	return t.finish(history, cfg.Epochs*max(1, len(kept)/cfg.Batch), m.Export)
}

func (t *training) learnPMF(ctx context.Context, b *backend.Backend, o TrainOptions) (*Card, error) {
	cfg := t.settings.PMFFit
	cfg.Checkpoint, cfg.Progress, cfg.Start = t.checkpoint(), t.clock.watch(o.Progress), o.Start
	m, history, err := pmf.Fit(ctx, b.Backend, t.network.(pmf.Potential), t.frames.R, t.frames.F, cfg)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	t.card.judge(history)
	kept := t.frames.Len() - int(cfg.Validation*float64(t.frames.Len()))
	return t.finish(history, cfg.Epochs*max(1, kept/cfg.Batch), func(path string) error { return pmf.Export(path, m) })
}

// HeldOutPart of the frames, one in so many, are held out of the training of flows.
const HeldOutPart = 10

// HoldOut splits n frames into those to train flows on and those held out, see [flow.HoldOut].
func HoldOut(n int) (kept, held []int) { return flow.HoldOut(n, HeldOutPart) }

// replace sets what the options name.
func replace[T comparable](dst *T, value T) {
	var zero T
	if value != zero {
		*dst = value
	}
}
