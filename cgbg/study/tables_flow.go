package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Drawings are samples drawn until they were worth what was asked for.
type Drawings struct {
	effective float64
	names     []string
	list      []*cgbg.Drawn
}

// UntilAll draws samples of the flow of a kind of simulation of every generator until their weights, by the potential
// of biased forces, are worth so many equal samples (preset small: 8). Errors: fifty times as many are not worth it;
// those of [cgbg.Draw].
func UntilAll(ctx context.Context, bar Bar, of string, effective float64, generators ...*cgbg.Generator) (*Drawings,
	error) {
	d := &Drawings{effective: effective}
	for _, g := range generators {
		drawn, err := until(ctx, g, of, effective,
			bar.of(fmt.Sprintf("%s, until %g effective samples", g.Name, min(effective, limits(g).effective))))
		if err != nil {
			return nil, err
		}
		d.names, d.list = append(d.names, g.Name), append(d.list, drawn)
	}
	return d, nil
}

// Results are the numbers under the names of results.json.
func (d *Drawings) Results() (list []result.Result) {
	for k, drawn := range d.list {
		name := fmt.Sprintf("%s/until_%g", d.names[k], d.effective)
		list = append(list, result.New(name, float64(drawn.N), result.None, result.None, "samples", 0),
			result.New(name+"/ess", drawn.Weights.ESS, drawn.Weights.ESSError, result.None, "", drawn.N))
	}
	return list
}

// Clippings are what dropping large weights does to several evaluations.
type Clippings struct {
	names []string
	sets  [][]analysis.Clipped
	label string
}

// ClipAll clips the weights of evaluations by [analysis.Evaluation.Clipping]. Errors: those of that.
func ClipAll(s *Scores) (*Clippings, error) {
	c := &Clippings{}
	for _, e := range s.List {
		set, err := e.Clipping()
		if err != nil {
			return nil, err
		}
		c.names, c.sets, c.label = append(c.names, e.Name), append(c.sets, set), e.Reference.Question.Split.Label
	}
	return c, nil
}

// Table is a row for each evaluation and fraction.
func (c *Clippings) Table() result.Table {
	t := result.Table{Head: []string{"flow / PMF", "dropped", "JS, nat", "PMF error", "ESS", c.label}}
	for k, set := range c.sets {
		for _, r := range set {
			t.Row(c.names[k], fmt.Sprintf("%.1f %%", 100*r.Fraction), measured(r.Scores.JS),
				measured(r.Scores.PMFError), measured(r.ESS), measured(r.Population))
		}
	}
	return t
}

// Figures draw scores and effective sample sizes against the fraction that is dropped.
func (c *Clippings) Figures() ([]result.Figure, error) {
	p, err := analysis.ClippingFigure(c.names, c.sets)
	return []result.Figure{p.Named("clipping", "JS divergence, PMF error and effective sample size against the "+
		"fraction of weights dropped")}, err
}

// Weighings are ways to weigh the samples of several generators.
type Weighings struct {
	names []string
	rows  [][]analysis.Correction
	gains []reweight.Estimate
}

// CorrectAll compares ways to weigh the same samples, see corrections. Errors: those of that.
func CorrectAll(ctx context.Context, flowOf, pmfOf string, generators ...*cgbg.Generator) (*Weighings, error) {
	w := &Weighings{}
	for _, g := range generators {
		rows, gain, err := corrections(ctx, g, flowOf, pmfOf)
		if err != nil {
			return nil, err
		}
		w.names, w.rows, w.gains = append(w.names, g.Name), append(w.rows, rows), append(w.gains, gain)
	}
	return w, nil
}

// Table is a row for each way.
func (w *Weighings) Table() result.Table {
	t := result.Table{Head: []string{"generator", "density of the centre", "large weights", "errors", "ESS", "JS, nat",
		"PMF error"}}
	for k, rows := range w.rows {
		for _, r := range rows {
			t.Row(w.names[k], r.COM, r.Tails, r.Errors, measured(r.ESS), measured(r.Scores.JS),
				measured(r.Scores.PMFError))
		}
	}
	return t
}

// Results are the gains of the right density of the centre.
func (w *Weighings) Results() (list []result.Result) {
	for k, gain := range w.gains {
		list = append(list, result.New(w.names[k]+"/ess_vector_over_radial", gain.Value, gain.Error, result.None, "",
			0))
	}
	return list
}

// Integrations are ways to integrate the flows of several generators.
type Integrations struct {
	names []string
	rows  [][]SolverRow
}

// SolveAll compares solvers by solvers. Errors: those of that.
func SolveAll(ctx context.Context, bar Bar, flowOf string, n int, generators ...*cgbg.Generator) (*Integrations,
	error) {
	s := &Integrations{}
	for _, g := range generators {
		rows, err := solvers(ctx, g, flowOf, n, bar.of("solvers, "+g.Name))
		if err != nil {
			return nil, err
		}
		s.names, s.rows = append(s.names, g.Name), append(s.rows, rows)
	}
	return s, nil
}

// Table is a row for each solver.
func (s *Integrations) Table() result.Table {
	t := result.Table{Head: []string{"generator", "solver", "rms error of ln q, nat", "largest", "divergences a sample",
		"ESS"}}
	for k, rows := range s.rows {
		for _, r := range rows {
			t.Row(s.names[k], r.Name, measured(r.RMS), fmt.Sprintf("%.4f", r.Max), fmt.Sprintf("%.0f", r.Divergences),
				measured(r.ESS))
		}
	}
	return t
}

// solverKeys are the names of solvers in results, in the order of solvers.
var solverKeys = []string{"euler_100", "dopri_1e-4", "dopri_1e-5", "here"}

// Results are the errors under the names of results.json.
func (s *Integrations) Results() (list []result.Result) {
	for k, rows := range s.rows {
		for i, r := range rows {
			list = append(list, result.New(s.names[k]+"/logq_rms/"+solverKeys[i], r.RMS.Value, r.RMS.Error, result.None,
				"nat", r.N))
		}
	}
	return list
}

// Curves are the learning curves that come along with generators, flows first.
func Curves(generators ...*cgbg.Generator) (figure.Picture, error) {
	var names []string
	var curves []*Curve
	for _, kind := range []string{cgbg.Flow, cgbg.PMF} {
		for _, g := range generators {
			c, err := ShippedCurve(g, kind)
			if err != nil {
				return figure.Picture{}, err
			}
			names, curves = append(names, kind+", "+g.Name), append(curves, c)
		}
	}
	return curveFigure(names, curves)
}

// Table is a row for each kind of flow.
func (l FlowReports) Table() result.Table {
	t := result.Table{Head: []string{"flow", "steps", "-ln q, nat per frame", "velocities", "divergences", "ESS",
		"ESS clipped", "Pareto k", "JS (floor), nat", "PMF error (floor)"}}
	for _, r := range l {
		e, n, all := r.Evaluation, r.Flow.NLL, r.Evaluation.After.All()
		w := e.Weights
		t.Row(r.Kind.String(), r.Flow.Steps, result.Measured{Value: n.Mean, Error: n.Error},
			fmt.Sprintf("%.0f", n.Evaluations), fmt.Sprintf("%.1f", n.Divergences),
			result.Measured{Value: w.ESS, Error: w.ESSError},
			result.Measured{Value: w.ESSClipped, Error: w.ESSClippedError}, fmt.Sprintf("%.2f", w.KHat),
			beside(all.Scores.JS, all.Floor.JS), beside(all.Scores.PMFError, all.Floor.PMFError))
	}
	return t
}

// FlowReports are all kinds of flow.
type FlowReports []FlowReport

// Results are the numbers of all kinds.
func (l FlowReports) Results() (list []result.Result) {
	for i := range l {
		list = append(list, l[i].Results()...)
	}
	return list
}
