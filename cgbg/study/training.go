package cgbg

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/train"
)

// trainFlow trains a flow with the given settings, or takes up the file. Beside
// it stands the time that the steps took.
func (a *Alanine) trainFlow(ctx context.Context, s AlanineSettings, file string, progress Progress) (*flow.Model, *train.History, error) {
	var clock stopwatch
	cfg := s.FlowFit
	cfg.Checkpoint = a.path(file + ".npz")
	cfg.Progress = func(done, total int, note string) {
		clock.tick(done)
		if progress != nil {
			progress(done, total, note)
		}
	}
	kept, _ := holdOut(a.Frames.Len())
	m, h, err := s.fitFlow(ctx, a.Backend, positions(a.Frames, kept), a.Frames.Beads, cfg)
	if err == nil && clock.steps() > 0 {
		err = keep.Write(a.path(file+timeSuffix), keep.Fingerprint(a.sum, s), clock.training())
	}
	return m, h, err
}

// timeSuffix is that of the file with the time of a training.
const timeSuffix = ".time.json"

// trainingTime is what a training took.
type trainingTime struct {
	Steps   int
	PerStep float64 // s, without the compilation before the first
}

// stopwatch takes the time of steps from reports of progress. The first of them,
// after the network was compiled, starts it.
type stopwatch struct {
	first, last int
	start, end  time.Time
}

func (w *stopwatch) tick(done int) {
	if w.start.IsZero() {
		w.first, w.start = done, time.Now()
	}
	if done > w.last { // the last report repeats the one before
		w.last, w.end = done, time.Now()
	}
}

// steps are those that were timed.
func (w *stopwatch) steps() int { return w.last - w.first }

func (w *stopwatch) training() trainingTime {
	return trainingTime{w.last, w.end.Sub(w.start).Seconds() / float64(w.steps())}
}

// TrainedFlow is a training of a kind of flow, and what it gave for its cost.
type TrainedFlow struct {
	Kind    FlowKind
	Steps   int
	Seconds float64          // of the steps on this machine, without compilation
	NLL     *flow.Likelihood // of held-out frames, the same for all trainings
}

// TrainedFor trains a flow of the given kind for so many epochs, with a schedule
// of rates of that length, and computes the exact likelihood of the frames that
// are held out. What it gave is kept in the run's folder.
func (a *Alanine) TrainedFor(ctx context.Context, kind FlowKind, epochs int, progress Progress) (*TrainedFlow, error) {
	s := a.Settings.of(kind)
	file := "flow-" + kind.String()
	if epochs != s.FlowFit.Epochs {
		s.FlowFit.Epochs = epochs
		file = fmt.Sprintf("%s-%d", file, epochs)
	}
	out := &TrainedFlow{}
	return out, a.kept(file+".likelihood.json", a.fingerprint("likelihood", kind, s), out, func() error {
		m, _, err := a.trainFlow(ctx, s, file, progress)
		if err != nil {
			return err
		}
		defer m.Finalize()
		var took trainingTime
		fingerprint := keep.Fingerprint(a.sum, s) // whatever machine went on with it
		if _, err := keep.Read(a.path(file+timeSuffix), &took, func(have string) bool { return have == fingerprint }); err != nil {
			return fmt.Errorf("cgbg: the time of a training: %w; remove %s to have it trained anew", err, a.path(file+".npz"))
		}
		_, held := holdOut(a.Frames.Len())
		l, err := m.NegLogLikelihood(ctx, positions(a.Frames, held), a.Settings.HeldOut, a.Settings.Seed, a.accuracy(m), nil)
		*out = TrainedFlow{kind, took.Steps, took.PerStep * float64(took.Steps), l}
		return err
	})
}

// FitEquivariant is FitFlow for the equivariant flow, whatever the settings have.
func (a *Alanine) FitEquivariant(ctx context.Context, progress Progress) (*flow.Model, *train.History, error) {
	return a.fitFlow(ctx, equivariant, progress)
}

// LearningCurve trains the equivariant flow anew for a sixteenth, an eighth, a
// quarter and half of the preset's epochs, each with its own cosine of rates, and in full.
func (a *Alanine) LearningCurve(ctx context.Context, progress Progress) ([]*TrainedFlow, error) {
	settings := a.Settings.of(equivariant)
	var epochs []int
	for _, part := range []int{16, 8, 4, 2, 1} {
		epochs = append(epochs, max(1, settings.FlowFit.Epochs/part))
	}
	var out []*TrainedFlow
	for _, n := range slices.Compact(epochs) {
		t, err := a.TrainedFor(ctx, equivariant, n, progress)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// LearningFigure draws −ln q against training steps. Its bars are the standard
// errors of differences from the last, longest training: the frames are the same.
func LearningFigure(curve []*TrainedFlow) (figure.Picture, error) {
	s, last := figure.Series{Role: figure.Learned}, curve[len(curve)-1].NLL
	for _, t := range curve {
		_, e := last.Less(t.NLL)
		s.X, s.Y, s.Error = append(s.X, float64(t.Steps)), append(s.Y, t.NLL.Mean), append(s.Error, e)
	}
	return figure.Lines([]figure.Series{s}, figure.LinesOptions{XLabel: "training steps", YLabel: "−ln q of held-out frames (nat per frame)", LogX: true, Points: true,
		Remark: fmt.Sprintf("bars: difference from the longest training; all: ±%.2f nat", last.Error)})
}

// comparedPart of the published field's epochs is what CompareFields trains for.
const comparedPart = 4

// FieldComparison is the published field beside ours.
type FieldComparison struct {
	Published *TrainedFlow
	Steps     *TrainedFlow // ours for as many steps
	Time      *TrainedFlow // ours for the longest time of the learning curve's that is no longer than the published field's; nil: none is
}

// CompareFields trains the published field for a part of the preset's epochs, with
// frames turned onto their noise, and sets it beside the equivariant one: with as many steps, and
// with as much time.
func (a *Alanine) CompareFields(ctx context.Context, progress Progress) (*FieldComparison, error) {
	published := FlowKind{GraphTransformer, flow.Aligned}
	settings := a.Settings.of(published)
	epochs := max(1, settings.FlowFit.Epochs/comparedPart)
	var c FieldComparison
	var err error
	if c.Published, err = a.TrainedFor(ctx, published, epochs, progress); err != nil {
		return nil, err
	}
	if c.Steps, err = a.TrainedFor(ctx, equivariant, epochs, progress); err != nil {
		return nil, err
	}
	curve, err := a.LearningCurve(ctx, progress)
	if err != nil {
		return nil, err
	}
	for _, t := range append([]*TrainedFlow{c.Steps}, curve...) {
		if t.Seconds <= c.Published.Seconds && (c.Time == nil || t.Steps > c.Time.Steps) {
			c.Time = t
		}
	}
	return &c, nil
}

// ComparedFlow is a row of a comparison.
type ComparedFlow struct {
	Name, Title string // before the names of results; in tables
	Flow        *TrainedFlow
}

// Rows are the comparison as a table has it.
func (c *FieldComparison) Rows() []ComparedFlow {
	rows := []ComparedFlow{{"cb/fields/published", "graph transformer, as published", c.Published}, {"cb/fields/equal_steps", "equivariant, as many steps", c.Steps}}
	if c.Time != nil {
		rows = append(rows, ComparedFlow{"cb/fields/equal_time", "equivariant, no more time", c.Time})
	}
	return rows
}

// Results are the numbers of a training under a name of results.json.
func (t *TrainedFlow) Results(name string) []Result {
	return []Result{
		{name + "/nll", t.NLL.Mean, t.NLL.Error, none, "nat", t.NLL.Frames},
		{name + "/steps", float64(t.Steps), none, none, "", 0},
		{name + "/seconds", t.Seconds, none, none, "s", 0},
		{name + "/evaluations", t.NLL.Evaluations, none, none, "", t.NLL.Frames},
		{name + "/divergences", t.NLL.Divergences, none, none, "", t.NLL.Frames},
	}
}
