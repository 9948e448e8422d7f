package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
)

// TrainedFlow is a training of a kind of flow, and what it gave for its cost.
type TrainedFlow struct {
	Kind    cgbg.FlowKind
	Steps   int
	Seconds float64          // of the steps on this machine, without compilation
	NLL     *flow.Likelihood // of held-out frames, the same for all trainings
}

// trainedFor trains a flow of a kind of simulation for so many epochs (0: as many as the preset says), with a schedule
// of rates of that length, and computes the exact likelihood of the frames that are held out. What it gave is kept in
// the run's folder.
func trainedFor(ctx context.Context, g *cgbg.Generator, of string, kind cgbg.FlowKind, epochs int,
	progress cgbg.Progress) (*TrainedFlow, error) {
	o := kind.Options()
	o.Epochs = epochs
	v := g.With(o)
	frames, meta, err := g.FlowFrames[of]()
	if err != nil {
		return nil, err
	}
	file, err := v.Model(ctx, cgbg.Flow, of, progress)
	if err != nil {
		return nil, err
	}
	card, err := cgbg.ReadCard(file)
	if err != nil {
		return nil, err
	}
	sum, err := data.Checksum(ctx, file)
	if err != nil {
		return nil, err
	}
	out := &TrainedFlow{}
	inputs := keep.Fingerprint("likelihood", sum, card.StepSeconds, data.Sum(frames, meta), g.Settings.HeldOut, g.Seed,
		g.Backend.Name)
	return out, keep.JSON(file+".likelihood.json", inputs, out, func() error {
		m, _, err := v.OpenFlow(ctx, of, nil)
		if err != nil {
			return err
		}
		defer m.Finalize()
		_, held := cgbg.HoldOut(frames.Len())
		l, err := m.NegLogLikelihood(ctx, frames.Positions(held), g.Settings.HeldOut, g.Settings.Seed,
			flow.SamplingAccuracy(g.Backend.Name, m.Network), nil)
		*out = TrainedFlow{kind, card.Steps, card.StepSeconds * float64(card.Steps), l}
		return err
	})
}

// epochsOf is how many the generator's preset trains a kind of flow for.
func epochsOf(g *cgbg.Generator, kind cgbg.FlowKind) (int, error) {
	s, err := g.Settings.WithField(kind.Field)
	return s.FlowFit.Epochs, err
}

// FlowLearning is a learning curve of flows: −ln q against training.
type FlowLearning struct {
	Name   string // before the names of results
	Points []*TrainedFlow
}

// LearnFlows trains the equivariant flow anew for a sixteenth, an eighth, a quarter and half of the preset's epochs,
// each with its own cosine of rates, and in full.
func LearnFlows(ctx context.Context, g *cgbg.Generator, of string, progress cgbg.Progress) (*FlowLearning, error) {
	all, err := epochsOf(g, equivariant)
	if err != nil {
		return nil, err
	}
	var epochs []int
	for _, part := range []int{16, 8, 4, 2, 1} {
		epochs = append(epochs, max(1, all/part))
	}
	out := &FlowLearning{Name: g.Name + "/learning"}
	for _, n := range slices.Compact(epochs) {
		t, err := trainedFor(ctx, g, of, equivariant, n, progress)
		if err != nil {
			return nil, err
		}
		out.Points = append(out.Points, t)
	}
	return out, nil
}

// Results are the numbers under the names of results.json, the trainings by their order.
func (l *FlowLearning) Results() (list []result.Result) {
	for k, t := range l.Points {
		list = append(list, t.Results(fmt.Sprintf("%s/%d", l.Name, k+1))...)
	}
	return list
}

// Figures draw −ln q against training steps. Its bars are the standard
// errors of differences from the last, longest training: the frames are the same.
func (l *FlowLearning) Figures() ([]result.Figure, error) {
	s, last := figure.Series{Role: figure.Learned}, l.Points[len(l.Points)-1].NLL
	for _, t := range l.Points {
		_, e := last.Less(t.NLL)
		s.X, s.Y, s.Error = append(s.X, float64(t.Steps)), append(s.Y, t.NLL.Mean), append(s.Error, e)
	}
	p, err := figure.Lines([]figure.Series{s}, figure.LinesOptions{XLabel: "training steps",
		YLabel: "−ln q of held-out frames (nat per frame)", LogX: true, Points: true,
		Remark: fmt.Sprintf("bars: difference from the longest training; all: ±%.2f nat", last.Error)})
	alt := "negative log-likelihood of held-out frames against training steps"
	return []result.Figure{p.Named("learning", alt)}, err
}

// comparedPart of the published field's epochs is what CompareFields trains for.
const comparedPart = 4

// FieldComparison is the published field beside ours.
type FieldComparison struct {
	Name      string // before the names of results
	Published *TrainedFlow
	Steps     *TrainedFlow // ours for as many steps
	// Time is ours for the longest time of the learning curve's that is no longer than the published one's; nil: none.
	Time *TrainedFlow
}

// CompareFields trains the published field for a part of the preset's epochs, with
// frames turned onto their noise, and sets it beside the equivariant one: with as many steps, and
// with as much time.
func CompareFields(ctx context.Context, g *cgbg.Generator, of string,
	progress cgbg.Progress) (*FieldComparison, error) {
	published := cgbg.FlowKind{Field: cgbg.GraphTransformer, Pairing: flow.Aligned}
	epochs, err := epochsOf(g, published)
	if err != nil {
		return nil, err
	}
	epochs = max(1, epochs/comparedPart)
	c := FieldComparison{Name: g.Name + "/fields"}
	if c.Published, err = trainedFor(ctx, g, of, published, epochs, progress); err != nil {
		return nil, err
	}
	if c.Steps, err = trainedFor(ctx, g, of, equivariant, epochs, progress); err != nil {
		return nil, err
	}
	curve, err := LearnFlows(ctx, g, of, progress)
	if err != nil {
		return nil, err
	}
	for _, t := range append([]*TrainedFlow{c.Steps}, curve.Points...) {
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
	rows := []ComparedFlow{{c.Name + "/published", "graph transformer, as published", c.Published},
		{c.Name + "/equal_steps", "equivariant, as many steps", c.Steps}}
	if c.Time != nil {
		rows = append(rows, ComparedFlow{c.Name + "/equal_time", "equivariant, no more time", c.Time})
	}
	return rows
}

// Results are the numbers of a training under a name of results.json.
func (t *TrainedFlow) Results(name string) []result.Result {
	return []result.Result{
		result.New(name+"/nll", t.NLL.Mean, t.NLL.Error, result.None, "nat", t.NLL.Frames),
		result.New(name+"/steps", float64(t.Steps), result.None, result.None, "", 0),
		result.New(name+"/seconds", t.Seconds, result.None, result.None, "s", 0),
		result.New(name+"/evaluations", t.NLL.Evaluations, result.None, result.None, "", t.NLL.Frames),
		result.New(name+"/divergences", t.NLL.Divergences, result.None, result.None, "", t.NLL.Frames),
	}
}

// Results are the numbers of all rows under the names of results.json.
func (c *FieldComparison) Results() (list []result.Result) {
	for _, r := range c.Rows() {
		list = append(list, r.Flow.Results(r.Name)...)
	}
	return list
}
