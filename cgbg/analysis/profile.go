package analysis

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
)

// Conventions of free energies along variables.
const (
	circlePoints = 180 // points of a profile round a circle
	// angleBandwidth is the width, rad, of the kernel that smooths profiles on circles; intervals have the same share of
	// their range, so that all sets of a panel are smoothed alike, whatever their spread.
	angleBandwidth = 0.1
	// knownWithin is the error of a free energy, kT, beyond which a point counts as unknown and is not drawn.
	knownWithin = 2
)

// Profile is the free energy along a variable, by its place among the question's, on the grid of an axis, with its
// bootstrap error, kJ/mol; rng nil: without. Where the split state's basin is, the error holds what blocks of time do
// not see. Errors: observable.ErrNoMass of a set without weight.
func (s *Set) Profile(variable int, axis observable.Axis, rng random) (observable.Profile, error) {
	if axis.Periodic {
		axis.Bins = circlePoints
	}
	o := observable.ProfileOptions{Grid: axis.Centers(), KT: s.KT, Smoother: observable.Corrected,
		Periodic: axis.Periodic, Bandwidth: angleBandwidth * (axis.Hi - axis.Lo) / (2 * math.Pi),
		Resampling: s.resampling(rng)}
	if rng == nil {
		o.Resampling = observable.Resampling{} // no errors
	}
	p, err := observable.NewProfile(s.Values[variable], s.Weight, o)
	if err != nil {
		return p, err
	}
	if s.Weight != nil && s.Effective < 2 { // resamples of one sample do not scatter
		for i := range p.FError {
			p.FError[i] = math.NaN()
		}
	}
	if split := s.Question.Split; split != nil && split.Variable == variable && s.Beyond > 0 && p.FError != nil {
		for i, x := range p.X {
			if x > split.Lo && x < split.Hi {
				p.FError[i] = math.Hypot(p.FError[i], s.KT*s.Beyond)
			}
		}
	}
	return p, nil
}

// Curve is a set as a line of a figure.
type Curve struct {
	Set  *Set
	Role figure.Role
	// Members are sets whose mean the set is, by several potentials say: their standard deviation widens its band.
	Members []*Set
}

// ProfileFigure draws the free energies of sets along the question's variables, with bands of one standard error,
// kJ/mol. Nothing is drawn where the error is above 2 kT or not known: a few visits make it so. A set without weight,
// such as few weighted samples where a basin is left out, or of which nothing is known so well, has no line, and the
// key says so. q is shown above the axes; may be nil.
func ProfileFigure(q *figure.Quality, top float64, rng random, curves ...Curve) (figure.Picture, error) {
	first := curves[0].Set
	panels := make([]figure.ProfilePanel, len(first.Question.Variables))
	for _, c := range curves {
		for k := range panels {
			series, err := c.series(k, first.Axes[k], rng)
			if err != nil {
				return figure.Picture{}, fmt.Errorf("analysis: %s: %w", c.Set.Name, err)
			}
			panels[k].Series = append(panels[k].Series, series)
		}
	}
	for k, v := range first.Question.Variables {
		panels[k].Options = figure.ProfileOptions{XLabel: axisLabel(v), YLabel: "free energy, kJ/mol", YMax: top,
			Circle: v.Period > 0, Quality: q}
	}
	return figure.FreeEnergies(panels...)
}

// series is the free energy of a curve along a variable.
func (c Curve) series(variable int, axis observable.Axis, rng random) (figure.Series, error) {
	p, err := c.Set.Profile(variable, axis, rng)
	out := figure.Series{Name: c.Set.Title, X: p.X, Y: p.F, Error: p.FError}
	if errors.Is(err, observable.ErrNoMass) {
		out, err = c.Set.nothing(axis), nil
	}
	out.Role = c.Role
	members := c.Members
	if len(members) < 2 { // one has no deviation
		members = nil
	}
	for _, m := range members {
		p, err := m.Profile(variable, axis, nil)
		if err != nil {
			return out, err
		}
		for i := range out.Error {
			out.Error[i] = math.Hypot(out.Error[i], (p.F[i]-out.Y[i])/math.Sqrt(float64(len(members)-1)))
		}
	}
	for i, e := range out.Error {
		if !(e <= knownWithin*c.Set.KT) {
			out.Y[i] = math.NaN()
		}
	}
	if c.Set.Weight != nil && !strings.HasSuffix(out.Name, noWeight) && !slices.ContainsFunc(out.Y, known) {
		out.Name += ": errors above 2 kT"
	}
	if scale := c.Set.Question.Variables[variable].Scale; !axis.Periodic && scale != 0 {
		out.X = scaled(out.X, scale)
	}
	return out, err
}

// Roles are those of sets of equal standing, the reference first.
var Roles = []figure.Role{figure.Exact, figure.After, figure.Biased, figure.Learned, figure.Other, figure.Simulation}

// Profiles draws the free energies of sets along the question's variables.
func Profiles(seed int, sets ...*Set) (figure.Picture, error) {
	var curves []Curve
	for i, s := range sets {
		curves = append(curves, Curve{Set: s, Role: Roles[i%len(Roles)]})
	}
	return ProfileFigure(nil, 32, Rng(seed, StreamProfiles), curves...)
}

// Densities draws the probability densities of sets along the question's variables, per unit of the axis, with bands of
// one standard error. A set without weight has no line, and the key says so.
func Densities(seed int, sets ...*Set) (figure.Picture, error) {
	rng := Rng(seed, StreamProfiles)
	panels := make([]figure.ProfilePanel, len(sets[0].Question.Variables))
	for k, v := range sets[0].Question.Variables {
		top := 0.0
		for i, set := range sets {
			series, err := set.density(k, sets[0].Axes[k], rng)
			if err != nil {
				return figure.Picture{}, fmt.Errorf("analysis: %s: %w", set.Name, err)
			}
			series.Role = Roles[i%len(Roles)]
			panels[k].Series = append(panels[k].Series, series)
			for j, y := range series.Y {
				if !math.IsNaN(y + series.Error[j]) {
					top = max(top, y+series.Error[j])
				}
			}
		}
		per := ""
		if v.Unit != "" {
			per = ", 1/" + strings.TrimSuffix(v.Unit, "s")
		}
		panels[k].Options = figure.ProfileOptions{XLabel: axisLabel(v), YLabel: "probability density" + per,
			YMax: 1.05 * top, Circle: v.Period > 0}
	}
	return figure.FreeEnergies(panels...)
}

// density is that of a set along a variable, in the unit of the axis.
func (s *Set) density(variable int, axis observable.Axis, rng random) (figure.Series, error) {
	p, err := s.Profile(variable, axis, rng)
	if errors.Is(err, observable.ErrNoMass) {
		return s.nothing(axis), nil
	}
	out := figure.Series{Name: s.Title, X: p.X, Y: p.P, Error: p.PError}
	if scale := s.Question.Variables[variable].Scale; scale != 0 {
		if !axis.Periodic {
			out.X = scaled(p.X, scale)
		}
		out.Y, out.Error = scaled(p.P, 1/scale), scaled(p.PError, 1/scale)
	}
	return out, err
}

func known(y float64) bool { return !math.IsNaN(y) }

// noWeight ends the key of a set without weight.
const noWeight = ": no weight"

// nothing is the line of a set without weight: nothing but its key.
func (s *Set) nothing(axis observable.Axis) figure.Series {
	if axis.Periodic {
		axis.Bins = circlePoints
	}
	x := axis.Centers()
	none := slices.Repeat([]float64{math.NaN()}, len(x))
	return figure.Series{Name: s.Title + noWeight, X: x, Y: none, Error: none}
}

func scaled(x []float64, by float64) []float64 {
	out := slices.Clone(x)
	for i := range out {
		out[i] *= by
	}
	return out
}

// Cells of maps, and the kernel's width as a part of the range: 4° of a circle.
const (
	mapCells = 90
	mapWidth = 1. / 90
	mapTop   = 5.25 // kcal/mol, of the paper's Fig. 6 to 11
)

// Maps draws the free energies of sets over the two variables of the question's first group, in the paper's unit and
// range, up to 5.25 kcal/mol (its Fig. 6 to 11). Errors: a group of one variable.
func Maps(sets ...*Set) (figure.Picture, error) {
	q := sets[0].Question
	if !q.twoDimensional() {
		return figure.Picture{}, errors.New("analysis: maps are over two variables that are scored together")
	}
	x, y := q.Scored[0].Variables[0], q.Scored[0].Variables[1]
	axes := slices.Clone(sets[0].Axes)
	for k := range axes {
		axes[k].Bins = mapCells
	}
	var maps []figure.Map
	for _, s := range sets {
		width := [2]float64{mapWidth * (axes[x].Hi - axes[x].Lo), mapWidth * (axes[y].Hi - axes[y].Lo)}
		f, err := observable.NewMap(s.Points(axes, x, y), width, s.KT/units.KCal)
		if err != nil {
			return figure.Picture{}, fmt.Errorf("analysis: %s: %w", s.Name, err)
		}
		maps = append(maps, figure.Map{Title: s.Title, F: f.At})
	}
	vx, vy := q.Variables[x], q.Variables[y]
	return figure.FreeEnergyMaps(maps, figure.MapOptions{XLabel: axisLabel(vx), YLabel: axisLabel(vy), XMin: axes[x].Lo,
		XMax: axes[x].Hi, YMin: axes[y].Lo, YMax: axes[y].Hi, XScale: vx.Scale, YScale: vy.Scale,
		XCircle: vx.Period > 0, YCircle: vy.Period > 0, Top: mapTop, Unit: "kcal/mol"})
}

// Quality is a summary of weights as pictures show it.
func Quality(s reweight.Summary) *figure.Quality {
	return &figure.Quality{ESS: s.ESS, KHat: s.KHat, KThreshold: s.KThreshold, Reliable: s.Reliable}
}

// axisLabel names a variable's axis, with its unit.
func axisLabel(v observable.Variable) string {
	if v.Unit == "" {
		return v.Label
	}
	return v.Label + ", " + v.Unit
}
