package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
)

// Losses trains a model of a generator, or takes it up, and draws the losses of its training.
// Errors: those of [cgbg.Generator.Model].
func Losses(ctx context.Context, g *cgbg.Generator, kind, of string, progress cgbg.Progress) (figure.Picture, error) {
	card, err := g.Card(ctx, kind, of, progress)
	if err != nil {
		return figure.Picture{}, err
	}
	if card.History == nil {
		return figure.Picture{}, fmt.Errorf("study: %s: the card of the %s has no losses: it is of an earlier version",
			g.Name, kind)
	}
	training, validation := card.History.Series()
	label := map[string]string{cgbg.Flow: "flow-matching loss", cgbg.PMF: "force-matching loss, (kJ/mol/nm)²"}[kind]
	return figure.LossCurve(training, validation, figure.LossOptions{YLabel: label})
}

// Table is a row for each training.
func (l *FlowLearning) Table() result.Table {
	t := result.Table{Head: []string{"steps", "-ln q, nat per frame", "less than with the fewest steps",
		"divergences per frame"}}
	for _, p := range l.Points {
		less, e := p.NLL.Less(l.Points[0].NLL)
		t.Row(p.Steps, result.Measured{Value: p.NLL.Mean, Error: p.NLL.Error}, result.Measured{Value: less, Error: e},
			fmt.Sprintf("%.1f", p.NLL.Divergences))
	}
	return t
}

// Table is a row for each way to integrate.
func (r *LogQReport) Table() result.Table {
	t := result.Table{Head: []string{"way", "setting", "velocities", "divergences", "RMS error, nat",
		"largest error, nat", "round trip off by, nm"}}
	for _, e := range r.Rows {
		t.Row(e.Way, e.Setting, fmt.Sprintf("%.0f", e.Evaluations), fmt.Sprintf("%.1f", e.Divergences),
			result.Measured{Value: e.RMS, Error: e.RMSError},
			e.Max, e.RoundTrip())
	}
	return t
}

// Table is what the certificate says.
func (c *Certificate) Table() result.Table {
	t := result.Table{Head: []string{"of", "n", "rms, nat", "largest, nat"}}
	t.Row("certificate: samples checked", c.Checked, c.CheckRMS, c.CheckMax)
	t.Row("its bound, for all samples", c.Samples, "", c.Bound)
	t.Row(fmt.Sprintf("other samples, %d within the bound", c.Inside), c.Fresh, "", c.FreshMax)
	t.Row("ln q back and as drawn", c.Samples, result.Measured{Value: c.TripRMS, Error: c.TripErr}, c.TripBack)
	t.Row("ln q back and forth from the same z", c.Samples, "", c.TripSelf)
	t.Row(fmt.Sprintf("R → z → R: off by at most %.2g nm", c.TripR), c.Samples, "", "")
	return t
}

// Table is a row for each field.
func (c *FieldComparison) Table() result.Table {
	t := result.Table{Head: []string{"field", "steps", "training, s", "-ln q, nat per frame", "velocities",
		"divergences"}}
	for _, r := range c.Rows() {
		n := r.Flow.NLL
		t.Row(r.Title, r.Flow.Steps, fmt.Sprintf("%.0f", r.Flow.Seconds),
			result.Measured{Value: n.Mean, Error: n.Error},
			fmt.Sprintf("%.0f", n.Evaluations), fmt.Sprintf("%.1f", n.Divergences))
	}
	return t
}

// EnergyTable is where several sets of configurations lie on a potential.
type EnergyTable []EnergyRange

// Table is a row for each set.
func (l EnergyTable) Table() result.Table {
	t := result.Table{Head: []string{"configurations", "U/kT, 10 %", "50 %", "90 %", "sd of the bond " + l[0].Of +
		", nm", "n"}}
	for _, e := range l {
		t.Row(e.Name, fmt.Sprintf("%.1f", e.Low), fmt.Sprintf("%.1f", e.Median), fmt.Sprintf("%.1f", e.High),
			fmt.Sprintf("%.4f", e.Bond), e.N)
	}
	return t
}

// Results are the numbers of all sets.
func (l EnergyTable) Results() (list []result.Result) {
	for _, e := range l {
		list = append(list, e.Results()...)
	}
	return list
}
