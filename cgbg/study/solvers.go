package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
)

// SolverRow is how well one way to integrate a flow knows the log-density of its samples.
type SolverRow struct {
	Name        string
	N           int
	RMS         reweight.Estimate // error of ln q, nats, against an integration back from the same samples
	Max         float64           // the largest, nats
	ESS         reweight.Estimate // by the solver's own ln q
	Divergences float64           // a sample
}

// solvers draws n samples, from the same prior points, by the way here and by others: the published solver at both
// tolerances, and Euler steps. Every one's ln q is held to an integration back from its samples, as verify
// does; weights are by the potential of biased forces. preset small draws a few.
//
// Errors: those of the models.
func solvers(ctx context.Context, g *cgbg.Generator, flowOf string, n int,
	progress cgbg.Progress) ([]SolverRow, error) {
	m, file, err := g.OpenFlow(ctx, flowOf, progress)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	card, err := cgbg.ReadCard(file)
	if err != nil {
		return nil, err
	}
	u, err := g.OpenPMF(ctx, cgbg.Biased, file, card.Meta())
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	n = min(n, limits(g).solved)
	seed, acc := g.Settings.Seed+2000, flow.SamplingAccuracy(g.Backend.Name, m.Network)
	acc.Checks = -1
	joint := func(tol float64) func() (*flow.Samples, error) {
		return func() (*flow.Samples, error) { return m.JointSample(ctx, n, seed, tol) }
	}
	euler := func(steps int) func() (*flow.Samples, error) {
		return func() (*flow.Samples, error) { return m.EulerSample(ctx, n, seed, steps) }
	}
	ways := []struct {
		name string
		draw func() (*flow.Samples, error)
	}{
		{"Euler, 100 steps", euler(100)},
		{"Dormand–Prince, 1e-4 (text)", joint(flow.TextTolerance)},
		{"Dormand–Prince, 1e-5 (code)", joint(flow.CodeTolerance)},
		{"here", func() (*flow.Samples, error) { return m.Sample(ctx, n, seed, acc, nil) }},
	}
	var rows []SolverRow
	for k, way := range ways {
		s, err := way.draw()
		if err != nil {
			return nil, fmt.Errorf("study: %s: %s: %w", g.Name, way.name, err)
		}
		row := SolverRow{Name: way.name, N: n, Divergences: s.Divergences}
		back := acc
		back.Single = false // errors of some 1e-4 nat
		logq, _, err := m.LogQ(ctx, s.R, back, nil)
		if err != nil {
			return nil, err
		}
		row.RMS.Value, row.RMS.Error, row.Max = analysis.Deviation(s.LogQ, logq)
		e, err := u.Energy(ctx, s.R)
		if err != nil {
			return nil, err
		}
		logw := reweight.LogWeights(e, s.LogQ, units.KT(card.Temperature), s.LogCOM)
		card.Geometry().Discard(logw, s.R)
		if row.ESS, err = reweight.ESSDelta(logw); err != nil {
			return nil, err
		}
		rows = append(rows, row)
		if progress != nil {
			progress(k+1, len(ways), way.name)
		}
	}
	return rows, nil
}
