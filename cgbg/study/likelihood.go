package study

import (
	"context"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
)

// reference is samples of the equivariant flow, as they are drawn, with the truth about them.
type reference struct {
	R, LogQ, Truth           []float64 // nm, [n*dim]; standardised units, nats, [n]
	Evaluations, Divergences float64   // per sample
}

const (
	referenceTol = 1e-9 // of the joint solve in float64 that is believed
	pathTol      = 1e-7 // of the paths that LogQErrors integrates divergences along: errors of ln q of some 1e-5 nat
)

// reference draws the samples once, and keeps them in the run's folder.
func drawReference(ctx context.Context, g *cgbg.Generator, m *flow.Model) (*reference, error) {
	out := &reference{}
	return out, keptOf(g, m, "logq-reference.json", []any{g.Settings.Checks, referenceTol}, out, func() error {
		acc := accuracy(g, m)
		acc.Checks = -1
		s, err := m.Sample(ctx, g.Settings.Checks, g.Settings.Seed+1, acc, nil)
		if err != nil {
			return err
		}
		truth, err := m.JointLogQ(ctx, m.Standardise(s.R), referenceTol)
		*out = reference{s.R, s.LogQ, truth, s.Evaluations, s.Divergences}
		return err
	})
}

// LogQError is how far log-densities are from the truth by one way to integrate them, and what that costs.
type LogQError struct {
	Name          string  // before the names of results
	Way           string  // PublishedWay, OurWay or DrawnWay
	Setting       string  // tolerances and nodes
	N             int     // samples
	RMS, RMSError float64 // root mean square error of ln q, nats, with its standard error
	Max           float64 // nats
	Evaluations   float64 // of the velocity, per sample
	Divergences   float64 // per sample
	Moved         float64 // largest distance of a coordinate from where it was after a round trip, nm; only with OurWay
}

// Ways to integrate a log-density.
const (
	publishedWay = "joint solve, as published"
	ourWay       = "path, then quadrature"
	drawnWay     = "as samples are drawn"
)

// LogQErrors integrates the same samples of the equivariant flow back to the prior
// in several ways, and holds each log-density against a joint solve in float64 at
// tolerance 1e-9: the published way, in float64, at several tolerances, and ours,
// with the field in float32 as it is used, by several quadratures. The last row is
// what the samples were drawn with, forth. What is found is kept in the run's folder.
func LogQErrors(ctx context.Context, g *cgbg.Generator, of string, progress cgbg.Progress) (*LogQReport, error) {
	m, _, err := g.With(equivariant.Options()).OpenFlow(ctx, of, nil)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	out := &LogQReport{Name: g.Name + "/logq"}
	return out, keptOf(g, m, "logq-errors.json", []any{g.Settings.Checks, referenceTol, pathTol}, &out.Rows,
		func() (err error) {
			out.Rows, err = logQErrors(ctx, g, m, progress)
			return err
		})
}

// accuracy is that of samples of a flow.
func accuracy(g *cgbg.Generator, m *flow.Model) flow.Accuracy {
	acc := flow.SamplingAccuracy(g.Backend.Name, m.Network)
	acc.Checks = g.Settings.Checks
	return acc
}

// keptOf keeps what is found of a flow in the run's folder.
func keptOf(g *cgbg.Generator, m *flow.Model, file string, inputs []any, value any, find func() error) error {
	sum, err := m.Sum()
	if err != nil {
		return err
	}
	return g.JSON(file, keep.Fingerprint(append(inputs, file, sum, g.Seed, accuracy(g, m), g.Backend.Name)...), value,
		find)
}

func logQErrors(ctx context.Context, g *cgbg.Generator, m *flow.Model, progress cgbg.Progress) ([]LogQError, error) {
	ref, err := drawReference(ctx, g, m)
	if err != nil {
		return nil, err
	}
	var out []LogQError
	published, intervals := []float64{1e-3, 1e-4, 1e-5, 1e-6}, []int{16, 32, 64, 128}
	add := func(e LogQError, logq []float64) {
		e.N = len(logq)
		e.RMS, e.RMSError, e.Max = analysis.Deviation(logq, ref.Truth)
		out = append(out, e)
		if progress != nil {
			progress(len(out), len(published)+len(intervals)+1, e.Way)
		}
	}
	for _, tol := range published {
		logq, n, err := m.PublishedLogQ(ctx, ref.R, tol)
		if err != nil {
			return nil, err
		}
		add(LogQError{Name: fmt.Sprintf("joint_%.0e", tol), Way: publishedWay,
			Setting: fmt.Sprintf("tolerance %.0e", tol), Evaluations: n, Divergences: n}, logq)
	}
	for _, n := range intervals {
		// The second level is the last.
		acc := flow.Accuracy{PathTol: pathTol, Intervals: n / 2, LogQTol: math.MaxFloat64, Single: true}
		trip, err := m.RoundTrip(ctx, ref.R, acc)
		if err != nil {
			return nil, err
		}
		e := LogQError{Name: fmt.Sprintf("apart_%d", n+1), Way: ourWay,
			Setting: fmt.Sprintf("path %.0e, %d nodes", pathTol, n+1), Evaluations: trip.Evaluations,
			Divergences: trip.Divergences}
		_, _, e.Moved = analysis.Deviation(trip.R, ref.R)
		add(e, trip.LogQBack)
	}
	acc := accuracy(g, m)
	add(LogQError{Name: "drawn", Way: drawnWay,
		Setting: fmt.Sprintf("path %.0e, nodes for %g nat", acc.PathTol, acc.LogQTol), Evaluations: ref.Evaluations,
		Divergences: ref.Divergences}, ref.LogQ)
	return out, nil
}

// RoundTrip is Moved as a table has it, "" where no round trip was made.
func (e LogQError) RoundTrip() string {
	if e.Way != ourWay {
		return ""
	}
	return fmt.Sprintf("%.1e", e.Moved)
}

// LogQReport is the errors of several ways.
type LogQReport struct {
	Name string // before the names of results
	Rows []LogQError
}

// Results are the numbers under the names of results.json.
func (r *LogQReport) Results() (list []result.Result) {
	for _, e := range r.Rows {
		list = append(list, result.Behind(r.Name+"/"+e.Name, e.results())...)
	}
	return list
}

// Figures draw errors of ln q against divergence evaluations.
func (r *LogQReport) Figures() ([]result.Figure, error) {
	rows := r.Rows
	series := []figure.Series{{Name: publishedWay, Role: figure.Before}, {Name: ourWay, Role: figure.After},
		{Name: drawnWay, Role: figure.Exact}}
	for k := range series {
		s := &series[k]
		for _, e := range rows {
			if e.Way == s.Name {
				s.X, s.Y, s.Error = append(s.X, e.Divergences), append(s.Y, e.RMS), append(s.Error, e.RMSError)
			}
		}
	}
	p, err := figure.Lines(series, figure.LinesOptions{XLabel: "divergence evaluations per sample",
		YLabel: "RMS error of ln q (nat)", LogX: true, LogY: true, Points: true})
	return []result.Figure{p.Named("logq_errors",
		"root mean square error of ln q against divergence evaluations per sample, by way of integration")}, err
}

func (e LogQError) results() []result.Result {
	out := []result.Result{
		result.New("error_rms", e.RMS, e.RMSError, result.None, "nat", e.N),
		result.New("error_max", e.Max, result.None, result.None, "nat", e.N),
		result.New("divergences", e.Divergences, result.None, result.None, "", e.N),
		result.New("evaluations", e.Evaluations, result.None, result.None, "", e.N),
	}
	if e.Way == ourWay {
		out = append(out, result.New("round_trip_r_max", e.Moved, result.None, result.None, "nm", e.N))
	}
	return out
}

// Certificate is what samples of the equivariant flow come with, and whether it held.
type Certificate struct {
	Name               string  // before the names of results
	Samples            int     // that it is for
	Checked            int     // of them, integrated back more precisely
	CheckRMS, CheckMax float64 // of the checked errors, nats
	Bound              float64 // of the errors of 99 of 100 log-densities, nats
	Fresh, Inside      int     // other samples, drawn alike, and those of them whose error is within the bound
	// Share is Inside/Fresh, and ShareError the standard deviation of the posterior under a uniform prior, above zero
	// even where all are inside.
	Share, ShareError float64
	FreshMax          float64 // largest error of the fresh samples, nats

	// The samples, forth as they were drawn and back again with the same tolerances.
	TripR    float64 // largest distance of a coordinate from where it was, nm
	TripBack float64 // largest |ln q back − ln q as drawn|, nats
	TripSelf float64 // largest |ln q back − ln q forth again|, nats
	TripRMS  float64 // root mean square of the differences of TripBack, nats
	TripErr  float64 // its standard error
}

// Certify draws samples with the checks of every draw, puts the bound to the
// test with others that it does not know, by the reference, and takes the samples to the prior and
// back. What it found is kept in the run's folder.
func Certify(ctx context.Context, g *cgbg.Generator, of string) (*Certificate, error) {
	m, _, err := g.With(equivariant.Options()).OpenFlow(ctx, of, nil)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	c := &Certificate{Name: g.Name}
	inputs := []any{g.Settings.Checks, g.Settings.HeldOut, referenceTol}
	return c, keptOf(g, m, "certificate.json", inputs, c, func() error { return certify(ctx, g, m, c) })
}

func certify(ctx context.Context, g *cgbg.Generator, m *flow.Model, c *Certificate) error {
	acc := accuracy(g, m)
	s, err := m.Sample(ctx, g.Settings.HeldOut, g.Settings.Seed, acc, nil)
	if err != nil {
		return err
	}
	c.Samples, c.Checked, c.CheckRMS, c.CheckMax, c.Bound = len(s.LogQ), s.Checked, s.CheckRMS, s.CheckMax,
		s.LogQBound()
	trip, err := m.RoundTrip(ctx, s.R, acc)
	if err != nil {
		return err
	}
	_, _, c.TripR = analysis.Deviation(trip.R, s.R)
	c.TripRMS, c.TripErr, c.TripBack = analysis.Deviation(trip.LogQBack, s.LogQ)
	_, _, c.TripSelf = analysis.Deviation(trip.LogQForth, trip.LogQBack)
	fresh, err := drawReference(ctx, g, m)
	if err != nil {
		return err
	}
	c.Fresh = len(fresh.Truth)
	for i, want := range fresh.Truth {
		e := math.Abs(fresh.LogQ[i] - want)
		c.FreshMax = math.Max(c.FreshMax, e)
		if e <= c.Bound {
			c.Inside++
		}
	}
	c.Share, c.ShareError = analysis.Share(c.Inside, c.Fresh)
	return nil
}

// Results are the numbers of the certificate under the names of results.json.
func (c *Certificate) Results() []result.Result {
	return []result.Result{
		result.New(c.Name+"/certificate/bound", c.Bound, result.None, result.None, "nat", c.Checked),
		result.New(c.Name+"/certificate/share_inside", c.Share, c.ShareError, result.None, "", c.Fresh),
		result.New(c.Name+"/certificate/fresh_error_max", c.FreshMax, result.None, result.None, "nat", c.Fresh),
		result.New(c.Name+"/round_trip/r_max", c.TripR, result.None, result.None, "nm", c.Samples),
		result.New(c.Name+"/round_trip/logq_rms", c.TripRMS, c.TripErr, result.None, "nat", c.Samples),
		result.New(c.Name+"/round_trip/logq_max", c.TripBack, result.None, result.None, "nat", c.Samples),
		result.New(c.Name+"/round_trip/logq_max_same_path", c.TripSelf, result.None, result.None, "nat", c.Samples),
	}
}
