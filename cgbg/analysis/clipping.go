package analysis

import (
	"errors"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Clipped is what dropping the largest weights does.
type Clipped struct {
	Fraction   float64 // of the samples, dropped
	ESS        reweight.Estimate
	Scores     observable.Scores // of the question's first group
	Population reweight.Estimate // of the split state
}

// clipFractions are those of the paper's Table 6 and Figure 12, and more.
var clipFractions = []float64{0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1}

// Clipping drops growing fractions of the largest weights of an evaluation's samples (paper, Tab. 6, Fig. 12).
// Errors: an evaluation without reference or split state; those of the weights.
func (e *Evaluation) Clipping() ([]Clipped, error) {
	if e.Reference == nil || e.Reference.Question.Split == nil {
		return nil, errors.New("analysis: clipping is scored against a reference with a split state")
	}
	rng := Rng(e.Seed, StreamClipping)
	right := make([]float64, len(e.LogW))
	for i := range right {
		right[i] = float64(e.Samples.sideOf(i))
	}
	var out []Clipped
	for _, fraction := range clipFractions {
		logw := e.LogW
		var err error
		if fraction > 0 {
			if logw, err = reweight.Clip(e.LogW, fraction); err != nil {
				return nil, err
			}
		}
		c := Clipped{Fraction: fraction}
		if c.ESS, err = reweight.ESSDelta(logw); err != nil {
			return nil, err
		}
		group := e.Reference.Question.Scored[0].Variables
		p := e.Samples.Points(e.Reference.Axes, group...)
		if p.Weight, err = reweight.Normalize(logw); err != nil {
			return nil, err
		}
		if c.Scores, err = observable.Score(p, e.Reference.Main(e.Reference),
			observable.Resampling{Resamples: Bootstraps, Rng: rng}); err != nil {
			return nil, err
		}
		if c.Population, err = reweight.Average(logw, right); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// LineRoles colour curves of equal standing.
var LineRoles = []figure.Role{figure.After, figure.Biased, figure.Learned, figure.Other}

// ClippingFigure draws JS divergence, PMF error and effective sample size against the fraction of weights that is
// dropped. Errors: no sets or more than four, names that are not theirs.
func ClippingFigure(names []string, sets [][]Clipped) (figure.Picture, error) {
	if len(sets) == 0 || len(sets) > len(LineRoles) || len(names) != len(sets) {
		return figure.Picture{}, errors.New("analysis: a figure of clipping takes one to four sets, each with its name")
	}
	var panels [3][]figure.Series
	for k, set := range sets {
		for p := range panels {
			s := figure.Series{Name: names[k], Role: LineRoles[k]}
			for _, c := range set {
				y := []reweight.Estimate{c.Scores.JS, c.Scores.PMFError,
					{Value: 100 * c.ESS.Value, Error: 100 * c.ESS.Error}}[p]
				s.X, s.Y, s.Error = append(s.X, 100*c.Fraction), append(s.Y, y.Value), append(s.Error, y.Error)
			}
			panels[p] = append(panels[p], s)
		}
	}
	var options []figure.LinesOptions
	for _, label := range []string{"JS divergence, nat", "PMF error, (kT)²", "effective sample size, %"} {
		o := figure.LinesOptions{XLabel: "largest weights dropped, %", YLabel: label, Points: true}
		options = append(options, o)
	}
	return figure.LinesRow(panels[:], options)
}
