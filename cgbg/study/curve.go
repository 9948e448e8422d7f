package study

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// CurveOptions of [LearningCurve].
type CurveOptions struct {
	Train  cgbg.TrainOptions // of every model but for Epochs, which the steps decide
	Steps  []int             // numbers of steps; every one is tried on every number of frames
	Frames []int             // numbers of frames, evenly spaced in time, beside all of them

	PMF string // potential that weighs the samples of flows
	N   int    // samples of every flow [2000]

	Flow, Samples string // a flow and its samples, which potentials weigh

	Question *analysis.Question // whose states are counted in the weighted samples; may be nil
}

// Curve is how good models get with steps of training and with frames.
type Curve struct {
	Kind        string       `json:"kind"` // flow or pmf
	Data        string       `json:"data"`
	DataSHA     string       `json:"data_sha256"`
	Settings    any          `json:"settings"`
	Fingerprint string       `json:"fingerprint"` // of data, settings and the other model
	Version     string       `json:"version"`
	Backend     string       `json:"backend"`
	Points      []CurvePoint `json:"points"`
}

// CurvePoint is one training.
type CurvePoint struct {
	Asked  int `json:"asked"`  // steps
	Steps  int `json:"steps"`  // whole passes over the frames
	Frames int `json:"frames"` // given; some are held out
	// Score is, of flows, −ln q of held-out frames, nat; of potentials the squared force error, (kJ/mol/nm)².
	Score reweight.Estimate `json:"score"`
	ESS   reweight.Estimate `json:"ess"`  // as a fraction, unclipped
	KHat  *float64          `json:"khat"` // nil where there are too few weights
	// Populations are of the question's states, by the weighted samples.
	Populations map[string]reweight.Estimate `json:"populations,omitempty"`
	Seconds     float64                      `json:"seconds"` // of the training; of its last part where it was stopped
}

// LearningCurve trains models of a kind ("flow" or "pmf") on the frames of a file, with more and more steps on more and
// more of the frames, and finds what the weights are worth with each: samples of every flow under one potential, or the
// samples of one flow under every potential. It tells whether time or data would help. Few frames and many steps make
// bad flows, so that for every number of frames the steps that do best on held-out frames count. Points go to the JSON
// file out as they are done; a curve that was stopped goes on.
//
// Errors: those of the files, of training and of sampling; ctx.Err(), wrapped.
func LearningCurve(ctx context.Context, b *backend.Backend, kind, in, out string, o CurveOptions) (*Curve, error) {
	if o.N == 0 {
		o.N = 2000
	}
	if err := o.check(kind); err != nil {
		return nil, err
	}
	frames, meta, err := data.ReadFile(in)
	if err != nil {
		return nil, err
	}
	c := &Curve{Kind: kind, Data: filepath.Base(in), Version: cgbg.Version(), Backend: b.String()}
	if c.DataSHA, err = data.Checksum(ctx, in); err != nil {
		return nil, err
	}
	if err := o.describe(ctx, c); err != nil {
		return nil, err
	}
	work := out + ".models"
	if old, err := ReadCurve(out); err == nil && old.Fingerprint == c.Fingerprint {
		c.Points = old.Points
	} else if err == nil {
		return nil, fmt.Errorf("study: %s holds something else than this curve, of other data or settings: "+
			"move it away, and %s if it is there", out, work)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: move the file away, and %s if it is there", err, work)
	}
	if err := o.checkModels(ctx, kind, in, out, frames.Len()); err != nil {
		return nil, err
	}
	for _, p := range o.points(frames.Len()) {
		same := func(q CurvePoint) bool { return q.Asked == p.Asked && q.Frames == p.Frames }
		if slices.ContainsFunc(c.Points, same) {
			continue
		}
		if err := os.MkdirAll(work, 0o755); err != nil {
			return nil, fmt.Errorf("study: %w", err)
		}
		some := filepath.Join(work, fmt.Sprintf("frames_%d.arrow", p.Frames))
		if err := data.WriteFile(some, meta, frames.Pick(data.Evenly(frames.Len(), p.Frames))); err != nil {
			return nil, err
		}
		model := filepath.Join(work, fmt.Sprintf("%d_%d.npz", p.Frames, p.Asked))
		if err := p.learn(ctx, b, kind, some, model, o); err != nil {
			return nil, err
		}
		c.Points = append(c.Points, p)
		text, err := json.MarshalIndent(c, "", "  ")
		if err == nil {
			err = keep.WriteFile(out, append(text, '\n'))
		}
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", out, err)
		}
	}
	os.RemoveAll(work) // one that stays does no harm
	return c, nil
}

// describe sets the curve's settings and fingerprint.
func (o *CurveOptions) describe(ctx context.Context, c *Curve) error {
	train := o.Train
	train.Progress = nil
	settings := map[string]any{"preset": train.Preset, "seed": train.Seed, "batch": train.Batch, "width": train.Width,
		"potential": train.Potential, "field": train.Field, "samples": o.N}
	sums := []any{c.Kind, o.N, c.DataSHA}
	for _, other := range []struct{ name, file string }{
		{cgbg.PMF, o.PMF}, {cgbg.Flow, o.Flow}, {"weighed", o.Samples}, {"start", train.Start}} {
		if other.file == "" {
			continue
		}
		sum, err := data.Checksum(ctx, other.file)
		if err != nil {
			return err
		}
		settings[other.name], sums = filepath.Base(other.file), append(sums, sum)
	}
	if o.Question != nil {
		for _, v := range o.Question.Variables {
			sums = append(sums, v.Name, v.Text)
		}
		for _, s := range o.Question.States {
			sums = append(sums, s.Name, s.Text)
		}
	}
	c.Settings, c.Fingerprint = settings, keep.Hash(append(sums, train)...)
	return nil
}

func (o *CurveOptions) check(kind string) error {
	switch {
	case kind != cgbg.Flow && kind != cgbg.PMF:
		return fmt.Errorf("study: no learning curve of a %q: flow or pmf", kind)
	case kind == cgbg.Flow && o.PMF == "":
		return errors.New("study: a learning curve of flows needs a potential that weighs their samples")
	case kind == cgbg.PMF && (o.Flow == "" || o.Samples == ""):
		return errors.New("study: a learning curve of potentials needs a flow and its samples to weigh")
	case len(o.Steps) == 0 || slices.Min(o.Steps) < 1:
		return fmt.Errorf("study: a learning curve of %v steps: at least one number, all above zero", o.Steps)
	case o.N < 100:
		return fmt.Errorf("study: a learning curve by %d samples of a flow: at least 100", o.N)
	}
	return nil
}

// checkModels finds, before anything is trained, what would stop the curve.
func (o *CurveOptions) checkModels(ctx context.Context, kind, in, out string, frames int) error {
	meta, err := cgbg.CheckTraining(kind, in, out, o.Train)
	if err != nil {
		return err
	}
	for _, p := range o.points(frames) {
		if err := cgbg.CheckFrames(kind, in, meta, p.Frames, true); err != nil {
			return fmt.Errorf("the point of %d frames: %w", p.Frames, err)
		}
	}
	if kind == cgbg.Flow {
		_, err := belongs(in, meta, o.PMF, cgbg.PMF)
		return err
	}
	card, err := belongs(in, meta, o.Flow, cgbg.Flow)
	if err != nil {
		return err
	}
	return cgbg.CheckSamples(ctx, o.Samples, o.Flow, card)
}

// belongs reads the card of a model of a kind that frames must belong to.
func belongs(in string, meta data.Meta, model, kind string) (*cgbg.Card, error) {
	card, err := cgbg.ReadCard(model)
	if err == nil {
		err = card.CheckKind(model, kind)
	}
	if err == nil {
		_, err = os.Stat(model)
	}
	if err == nil {
		err = cgbg.Belong(in, meta, model, card.Meta())
	}
	return card, err
}

// points are the trainings to make, the shortest first.
func (o *CurveOptions) points(all int) (points []CurvePoint) {
	frames := slices.DeleteFunc(slices.Clone(o.Frames), func(n int) bool { return n < 1 || n >= all })
	frames = slices.Compact(slices.Sorted(slices.Values(append(frames, all))))
	for _, s := range slices.Compact(slices.Sorted(slices.Values(o.Steps))) {
		for _, n := range frames {
			points = append(points, CurvePoint{Asked: s, Frames: n})
		}
	}
	return points
}

// learn trains the model of a point on a file of frames and weighs samples with it.
func (p *CurvePoint) learn(ctx context.Context, b *backend.Backend, kind, frames, model string, o CurveOptions) error {
	settings, err := cgbg.NewSettings(o.Train.Preset, o.Train.Seed)
	if err == nil {
		settings, err = settings.WithField(o.Train.Field)
	}
	if err == nil {
		settings, err = settings.WithPotential(o.Train.Potential)
	}
	if err != nil {
		return err
	}
	t, batch, held := o.Train, settings.FlowFit.Batch, 1./cgbg.HeldOutPart
	if kind == cgbg.PMF {
		batch, held = settings.PMFFit.Batch, settings.PMFFit.Validation
	}
	batch = cmp.Or(t.Batch, batch)
	t.Epochs = max(1, int(math.Round(float64(p.Asked)/float64(max(1, int((1-held)*float64(p.Frames))/batch)))))
	card, _, err := cgbg.Train(ctx, b, kind, frames, model, t)
	if err != nil {
		return err
	}
	p.Steps, p.Seconds = card.Steps, card.Seconds
	if score, ok := card.HeldOut(); ok {
		p.Score = score
	} else {
		p.Score.Value = math.MaxFloat64 // of a model too bad for a number
	}
	samples := model + ".samples.arrow"
	if kind == cgbg.Flow {
		_, err = cgbg.Draw(ctx, b, model, samples,
			cgbg.DrawOptions{N: o.N, Seed: t.Seed, PMF: []string{o.PMF}, Progress: t.Progress})
	} else {
		_, err = cgbg.Reweigh(ctx, b, o.Samples, o.Flow, []string{model}, samples)
	}
	if err != nil {
		return err
	}
	weighed, meta, err := data.ReadFile(samples)
	if err != nil {
		return err
	}
	if p.ESS, err = reweight.ESSDelta(weighed.LogW); err != nil {
		return err
	}
	if k := reweight.Summarize(weighed.LogW).KHat; !math.IsNaN(k) && !math.IsInf(k, 0) {
		p.KHat = &k
	}
	if o.Question == nil {
		return nil
	}
	set, err := analysis.NewSet(o.Question, analysis.Options{Name: filepath.Base(model), Seed: int(t.Seed)}, weighed,
		meta)
	if err != nil {
		return err
	}
	p.Populations = map[string]reweight.Estimate{}
	for k, state := range o.Question.States {
		p.Populations[state.Name] = set.Populations[k]
	}
	return nil
}

// ReadCurve reads the file of a learning curve.
func ReadCurve(path string) (*Curve, error) {
	text, err := os.ReadFile(path)
	c := &Curve{}
	if err == nil {
		err = json.Unmarshal(text, c)
	}
	if err != nil {
		return nil, fmt.Errorf("study: %s: %w", path, err)
	}
	return c, nil
}

// BySteps are the trainings on all frames, fewest steps first.
func (c *Curve) BySteps() (points []CurvePoint) {
	most := 0
	for _, p := range c.Points {
		most = max(most, p.Frames)
	}
	for _, p := range c.Points {
		if p.Frames == most {
			points = append(points, p)
		}
	}
	slices.SortFunc(points, func(a, b CurvePoint) int { return a.Steps - b.Steps })
	return points
}

// ByFrames are for every number of frames, fewest first, the training that does best on held-out frames.
func (c *Curve) ByFrames() (points []CurvePoint) {
	best := map[int]CurvePoint{}
	for _, p := range c.Points {
		if q, ok := best[p.Frames]; !ok || p.Score.Value < q.Score.Value {
			best[p.Frames] = p
		}
	}
	return slices.SortedFunc(maps.Values(best), func(a, b CurvePoint) int { return a.Frames - b.Frames })
}

// curveFigure draws effective sample sizes against steps and against frames, of up to four named curves.
// Errors: names that do not fit, curves without points.
func curveFigure(names []string, curves []*Curve) (figure.Picture, error) {
	if len(curves) == 0 || len(curves) > len(analysis.LineRoles) || len(names) != len(curves) {
		return figure.Picture{}, errors.New("study: a figure of learning curves takes one to four, each with its name")
	}
	var panels [2][]figure.Series
	for k, c := range curves {
		if len(c.Points) == 0 {
			return figure.Picture{}, fmt.Errorf("study: the learning curve %s has no points", names[k])
		}
		for p, points := range [][]CurvePoint{c.BySteps(), c.ByFrames()} {
			s := figure.Series{Name: names[k], Role: analysis.LineRoles[k]}
			for _, q := range points {
				s.X = append(s.X, float64([]int{q.Steps, q.Frames}[p]))
				s.Y, s.Error = append(s.Y, 100*q.ESS.Value), append(s.Error, 100*q.ESS.Error)
			}
			panels[p] = append(panels[p], s)
		}
	}
	label := "effective sample size, %"
	return figure.LinesRow(panels[:], []figure.LinesOptions{
		{XLabel: "steps of training", YLabel: label, LogX: true, Points: true},
		{XLabel: "frames, best number of steps", YLabel: label, LogX: true, Points: true}})
}

// ShippedCurve is a learning curve that comes along, of a kind (flow or pmf) on biased frames: PREFIX_curve_KIND.json.
// Error: there is none.
func ShippedCurve(g *cgbg.Generator, kind string) (*Curve, error) {
	file, err := g.Shipped(fmt.Sprintf("%s_curve_%s.json", g.Prefix, kind))
	if err != nil {
		return nil, err
	}
	return ReadCurve(file)
}
