package cgbg

import (
	"context"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
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
func (a *Alanine) reference(ctx context.Context, m *flow.Model) (*reference, error) {
	out := &reference{}
	return out, a.kept("logq-reference.json", a.fingerprint("reference", a.accuracy(m), referenceTol), out, func() error {
		acc := a.accuracy(m)
		acc.Checks = -1
		s, err := m.Sample(ctx, a.Settings.Checks, a.Settings.Seed+1, acc, nil)
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
	PublishedWay = "joint solve, as published"
	OurWay       = "path, then quadrature"
	DrawnWay     = "as samples are drawn"
)

// LogQErrors integrates the same samples of the equivariant flow back to the prior
// in several ways, and holds each log-density against a joint solve in float64 at
// tolerance 1e-9: the published way, in float64, at several tolerances, and ours,
// with the field in float32 as it is used, by several quadratures. The last row is
// what the samples were drawn with, forth. What is found is kept in the run's folder.
func (a *Alanine) LogQErrors(ctx context.Context, progress Progress) ([]LogQError, error) {
	var out []LogQError
	err := a.kept("logq-errors.json", a.fingerprint("errors", referenceTol, pathTol), &out, func() (err error) {
		out, err = a.logQErrors(ctx, progress)
		return err
	})
	return out, err
}

func (a *Alanine) logQErrors(ctx context.Context, progress Progress) ([]LogQError, error) {
	m, _, err := a.FitEquivariant(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	ref, err := a.reference(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []LogQError
	published, intervals := []float64{1e-3, 1e-4, 1e-5, 1e-6}, []int{16, 32, 64, 128}
	add := func(e LogQError, logq []float64) {
		e.N = len(logq)
		e.RMS, e.RMSError, e.Max = deviation(logq, ref.Truth)
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
		add(LogQError{Name: fmt.Sprintf("joint_%.0e", tol), Way: PublishedWay, Setting: fmt.Sprintf("tolerance %.0e", tol), Evaluations: n, Divergences: n}, logq)
	}
	for _, n := range intervals {
		acc := flow.Accuracy{PathTol: pathTol, Intervals: n / 2, LogQTol: math.MaxFloat64, Single: true} // the second level is the last
		trip, err := m.RoundTrip(ctx, ref.R, acc)
		if err != nil {
			return nil, err
		}
		e := LogQError{Name: fmt.Sprintf("apart_%d", n+1), Way: OurWay, Setting: fmt.Sprintf("path %.0e, %d nodes", pathTol, n+1), Evaluations: trip.Evaluations, Divergences: trip.Divergences}
		_, _, e.Moved = deviation(trip.R, ref.R)
		add(e, trip.LogQBack)
	}
	acc := a.accuracy(m)
	add(LogQError{Name: "drawn", Way: DrawnWay, Setting: fmt.Sprintf("path %.0e, nodes for %g nat", acc.PathTol, acc.LogQTol), Evaluations: ref.Evaluations, Divergences: ref.Divergences}, ref.LogQ)
	return out, nil
}

// RoundTrip is Moved as a table has it, "" where no round trip was made.
func (e LogQError) RoundTrip() string {
	if e.Way != OurWay {
		return ""
	}
	return fmt.Sprintf("%.1e", e.Moved)
}

// deviation is the root mean square of differences, with its standard error, and the largest.
func deviation(got, want []float64) (rms, rmsError, largest float64) {
	n := float64(len(got))
	var sum, squares float64
	for i := range got {
		e := math.Abs(got[i] - want[i])
		sum, squares = sum+e*e, squares+e*e*e*e
		largest = math.Max(largest, e)
	}
	mean := sum / n
	rms = math.Sqrt(mean)
	if rms > 0 {
		rmsError = math.Sqrt(math.Max(0, squares/n-mean*mean)/(n-1)) / (2 * rms)
	}
	return rms, rmsError, largest
}

// LogQFigure draws errors of ln q against divergence evaluations.
func LogQFigure(rows []LogQError) (figure.Picture, error) {
	series := []figure.Series{{Name: PublishedWay, Role: figure.Before}, {Name: OurWay, Role: figure.After}, {Name: DrawnWay, Role: figure.Exact}}
	for k := range series {
		s := &series[k]
		for _, e := range rows {
			if e.Way == s.Name {
				s.X, s.Y, s.Error = append(s.X, e.Divergences), append(s.Y, e.RMS), append(s.Error, e.RMSError)
			}
		}
	}
	return figure.Lines(series, figure.LinesOptions{XLabel: "divergence evaluations per sample", YLabel: "RMS error of ln q (nat)", LogX: true, LogY: true, Points: true})
}

// Results are the numbers of a way under the names of results.json.
func (e LogQError) Results() []Result {
	none, name := math.NaN(), "cb/logq/"+e.Name
	out := []Result{
		{name + "/error_rms", e.RMS, e.RMSError, none, "nat", e.N},
		{name + "/error_max", e.Max, none, none, "nat", e.N},
		{name + "/divergences", e.Divergences, none, none, "", e.N},
		{name + "/evaluations", e.Evaluations, none, none, "", e.N},
	}
	if e.Way == OurWay {
		out = append(out, Result{name + "/round_trip_r_max", e.Moved, none, none, "nm", e.N})
	}
	return out
}

// Certificate is what samples of the equivariant flow come with, and whether it held.
type Certificate struct {
	Samples            int     // that it is for
	Checked            int     // of them, integrated back more precisely
	CheckRMS, CheckMax float64 // of the checked errors, nats
	Bound              float64 // of the errors of 99 of 100 log-densities, nats
	Fresh, Inside      int     // other samples, drawn alike, and those of them whose error is within the bound
	Share, ShareError  float64 // Inside/Fresh; standard deviation of the posterior under a uniform prior, above zero even where all are inside
	FreshMax           float64 // largest error of the fresh samples, nats

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
func (a *Alanine) Certify(ctx context.Context) (*Certificate, error) {
	c := &Certificate{}
	return c, a.kept("certificate.json", a.fingerprint("certificate", referenceTol), c, func() error { return a.certify(ctx, c) })
}

func (a *Alanine) certify(ctx context.Context, c *Certificate) error {
	m, _, err := a.FitEquivariant(ctx, nil)
	if err != nil {
		return err
	}
	defer m.Finalize()
	acc := a.accuracy(m)
	s, err := m.Sample(ctx, a.Settings.HeldOut, a.Settings.Seed, acc, nil)
	if err != nil {
		return err
	}
	c.Samples, c.Checked, c.CheckRMS, c.CheckMax, c.Bound = len(s.LogQ), s.Checked, s.CheckRMS, s.CheckMax, s.LogQBound()
	trip, err := m.RoundTrip(ctx, s.R, acc)
	if err != nil {
		return err
	}
	_, _, c.TripR = deviation(trip.R, s.R)
	c.TripRMS, c.TripErr, c.TripBack = deviation(trip.LogQBack, s.LogQ)
	_, _, c.TripSelf = deviation(trip.LogQForth, trip.LogQBack)
	fresh, err := a.reference(ctx, m)
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
	c.Share, c.ShareError = share(c.Inside, c.Fresh)
	return nil
}

// share is k/n, and the standard deviation of its posterior under a uniform prior.
func share(k, n int) (value, deviation float64) {
	a, b := float64(k+1), float64(n-k+1)
	return float64(k) / float64(n), math.Sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)))
}

// Results are the numbers of the certificate under the names of results.json.
func (c *Certificate) Results() []Result {
	return []Result{
		{"cb/certificate/bound", c.Bound, none, none, "nat", c.Checked},
		{"cb/certificate/share_inside", c.Share, c.ShareError, none, "", c.Fresh},
		{"cb/certificate/fresh_error_max", c.FreshMax, none, none, "nat", c.Fresh},
		{"cb/round_trip/r_max", c.TripR, none, none, "nm", c.Samples},
		{"cb/round_trip/logq_rms", c.TripRMS, c.TripErr, none, "nat", c.Samples},
		{"cb/round_trip/logq_max", c.TripBack, none, none, "nat", c.Samples},
		{"cb/round_trip/logq_max_same_path", c.TripSelf, none, none, "nat", c.Samples},
	}
}
