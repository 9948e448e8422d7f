package analysis

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/data"
)

// LengthStudy is what the first parts of a simulation know.
type LengthStudy struct {
	Name   string // in results
	Title  string // in figures
	Points []LengthPoint
}

// LengthPoint is the first part of a simulation.
type LengthPoint struct {
	Time float64 // ns
	Set  *Set
	All  Scored // against the reference
}

// NewLengthStudy studies the first parts of a simulation, of the given lengths, ns, and scores each against a
// reference. Parts longer than the simulation are left out. Frames of a biased simulation keep their weights, of the
// bias at its end: its first parts are better than they could be on their own.
//
// Errors: no time between frames, no part that is short enough; those of NewSet and Compare.
func NewLengthStudy(o Options, f *data.Frames, m data.Meta, reference *Set, lengths []float64) (*LengthStudy, error) {
	if !(m.Stride > 0) {
		return nil, fmt.Errorf("analysis: %s: the time between frames is not known", o.Name)
	}
	s := &LengthStudy{Name: o.Name, Title: o.Name}
	for _, ns := range lengths {
		n := int(math.Round(ns * 1000 / m.Stride))
		if n < 1 || n > f.Len() {
			continue
		}
		set, err := NewSet(reference.Question, Options{fmt.Sprintf("%s, %g ns", o.Name, ns), o.Seed, o.Every},
			f.Slice(0, n), m)
		if err != nil {
			return nil, err
		}
		c, err := Compare(o.Seed, set, reference)
		if err != nil {
			return nil, err
		}
		s.Points = append(s.Points, LengthPoint{ns, set, c.All()})
	}
	if len(s.Points) == 0 {
		return nil, fmt.Errorf("analysis: %s: no part of %v ns in %d frames, %g ps apart", o.Name, lengths, f.Len(),
			m.Stride)
	}
	return s, nil
}

// lengthFigure draws the split state's population and the JS divergence of up to three simulations against the length
// that was looked at, and the reference's. Errors: no studies or more than three.
func lengthFigure(reference *Set, studies ...*LengthStudy) (figure.Picture, error) {
	const most = 3 // a key of four entries with the reference
	if len(studies) == 0 || len(studies) > most {
		return figure.Picture{}, fmt.Errorf("analysis: a figure of lengths takes one to %d simulations, got %d", most,
			len(studies))
	}
	var panels [2][]figure.Series
	lo, hi := studies[0].Points[0].Time, 0.0
	for k, s := range studies {
		positive, js := figure.Series{Name: s.Title, Role: LineRoles[k]}, figure.Series{Name: s.Title,
			Role: LineRoles[k]}
		for _, p := range s.Points {
			lo, hi = min(lo, p.Time), max(hi, p.Time)
			positive.X, positive.Y, positive.Error = append(positive.X, p.Time),
				append(positive.Y, 100*p.Set.Split().Value), append(positive.Error, 100*p.Set.Split().Error)
			js.X, js.Y, js.Error = append(js.X, p.Time), append(js.Y, p.All.Scores.JS.Value),
				append(js.Error, p.All.Scores.JS.Error)
		}
		panels[0], panels[1] = append(panels[0], positive), append(panels[1], js)
	}
	r := reference.Split()
	panels[0] = append(panels[0], figure.Series{Name: reference.Title, Role: figure.Simulation, X: []float64{lo, hi},
		Y: []float64{100 * r.Value, 100 * r.Value}, Error: []float64{100 * r.Error, 100 * r.Error}})
	label := reference.Question.Split.Label + ", %"
	return figure.LinesRow(panels[:], []figure.LinesOptions{
		{XLabel: "simulated time, ns", YLabel: label, LogX: true, Points: true, YMin: -10 * r.Value,
			YMax: 250 * r.Value},
		{XLabel: "simulated time, ns", YLabel: "JS divergence, nat", LogX: true, LogY: true, Points: true}})
}
