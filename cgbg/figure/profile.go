package figure

import (
	"fmt"
	"math"
	"reflect"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Quality is how far reweighted samples can be trusted; the picture shows it.
type Quality struct {
	// ESS is Kish's effective sample size as a fraction; KHat the Pareto shape of the weights, KThreshold its limit.
	ESS, KHat, KThreshold float64
	// Reliable is the verdict.
	Reliable bool
}

func (q *Quality) remarks() []remark {
	if q == nil {
		return nil
	}
	k := "constant weights"
	switch {
	case math.IsInf(q.KHat, 1) || math.IsNaN(q.KHat):
		k = "Pareto k undefined"
	case finite(q.KHat):
		k = fmt.Sprintf("Pareto k %s", number(q.KHat, 2))
	}
	ess := fmt.Sprintf("ESS %.3g %%", 100*q.ESS)
	if q.Reliable {
		return []remark{{text: fmt.Sprintf("reweighted: %s, %s", ess, k)}}
	}
	if q.KHat > q.KThreshold {
		k = fmt.Sprintf("%s > %s", k, number(q.KThreshold, 2))
	}
	return []remark{{text: fmt.Sprintf("Weights not reliable: %s, %s", k, ess), bad: true}}
}

// ProfileOptions describe the axes of a free-energy profile.
type ProfileOptions struct {
	// XLabel and YLabel name the axes, with units.
	XLabel, YLabel string
	// YMax is the top of the energy axis; 0 takes what the series need, at most 10.
	YMax float64
	// Circle says that X is an angle in rad: the axis is in degrees, from −180 to 180, and lines go on round the
	// circle.
	Circle bool
	// Quality is shown above the axes; may be nil.
	Quality *Quality
	// Letter is the panel's, may be empty; FreeEnergies letters those that are.
	Letter string
}

// FreeEnergyProfile draws free energies with their bands. Energies are drawn as given: align them first, zero at the
// bottom. Errors: no series, lengths that differ, an angle outside −π to π.
func FreeEnergyProfile(series []Series, o ProfileOptions) (Picture, error) {
	p, err := profilePanel(series, o)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing a free-energy profile: %w", err)
	}
	return render(columnWidth, 0.82*columnWidth, [][]*panel{{p}})
}

// ProfilePanel is one panel of FreeEnergies: the free energy along one variable.
type ProfilePanel struct {
	Series  []Series
	Options ProfileOptions
}

const (
	maxProfiles = 8
	// Heights of a row as shares of a sheet's width, so that four rows fit a page; lower where one key is above all.
	pairShare, rowShare, keyedRowShare, keyShare = 0.42, 0.33, 0.31, 0.06
)

// FreeEnergies draws free energies along any variables, one to eight panels: one in a column, more side by side in rows
// of two, with the letters a, b, … where the options give none. A panel is a circle (X in rad, drawn in degrees) or an
// interval, drawn in the unit of X. Keys and remarks stand above each of two panels; above more panels that have the
// same ones they stand once. Errors: no panel or more than eight; those of FreeEnergyProfile.
func FreeEnergies(panels ...ProfilePanel) (Picture, error) {
	lettered := make([]ProfilePanel, len(panels))
	for i, p := range panels {
		if len(panels) > 1 && p.Options.Letter == "" {
			p.Options.Letter = string(rune('a' + i))
		}
		lettered[i] = p
	}
	return freeEnergies(lettered)
}

func freeEnergies(list []ProfilePanel) (Picture, error) {
	if len(list) == 0 || len(list) > maxProfiles {
		return Picture{}, fmt.Errorf("figure: drawing free energies: %d panels; want one to %d", len(list), maxProfiles)
	}
	if len(list) == 1 {
		return FreeEnergyProfile(list[0].Series, list[0].Options)
	}
	panels := make([]*panel, len(list))
	for i, l := range list {
		p, err := profilePanel(l.Series, l.Options)
		if err != nil {
			return Picture{}, fmt.Errorf("figure: drawing free energies: panel %d (%s): %w", i+1, l.Options.XLabel, err)
		}
		panels[i] = p
	}
	if len(panels) == 2 {
		return render(fullWide, pairShare*fullWide, [][]*panel{panels})
	}
	s := sheet{top: shared(panels)}
	s.panels = inPairs(panels)
	rows := float64(len(s.panels))
	high := rowShare * rows
	if s.top != nil {
		high = keyedRowShare*rows + keyShare
	}
	return s.render(fullWide, fullWide*vg.Length(high))
}

// shared takes the keys and remarks off panels that all have the same ones; nil where they differ.
func shared(panels []*panel) *panel {
	first := panels[0]
	for _, p := range panels[1:] {
		if !reflect.DeepEqual(p.keys, first.keys) || !reflect.DeepEqual(p.remarks, first.remarks) {
			return nil
		}
	}
	top := &panel{keys: first.keys, remarks: first.remarks}
	for _, p := range panels {
		p.keys, p.remarks = nil, nil
	}
	return top
}

const (
	maxEnergy = 10   // top of an energy axis unless told
	roundOff  = 1e-6 // rad: ends of a circle that were computed, in float32 say
	degrees   = 180 / math.Pi
)

func profilePanel(series []Series, o ProfileOptions) (*panel, error) {
	if err := checkAll(series); err != nil {
		return nil, err
	}
	p := newPlot(o.XLabel, o.YLabel)
	if o.Circle {
		round := make([]Series, len(series))
		for i, s := range series {
			if n := len(s.X); n > 0 && (s.X[0] < -math.Pi-roundOff || s.X[n-1] > math.Pi+roundOff) {
				return nil, fmt.Errorf("series %q goes from %g to %g round a circle; want angles in rad from −π to π",
					s.Name, s.X[0], s.X[n-1])
			}
			round[i] = unroll(s)
		}
		series = round
	}
	p.X.Min, p.X.Max = snap(extent(series, func(s *Series, i int) float64 { return s.X[i] }))
	lo, hi := extent(series, func(s *Series, i int) float64 { return s.Y[i] })
	p.Y.Min, p.Y.Max = math.Min(0, lo), math.Min(maxEnergy, 1.05*hi)
	if o.YMax > 0 {
		p.Y.Max = o.YMax
	}
	if span := p.Y.Max - p.Y.Min; p.Y.Min < 0 && p.Y.Min > -0.02*span {
		p.Y.Min = -0.02 * span
	}
	if o.Circle {
		p.X.Min, p.X.Max = -180, 180
		p.X.Tick.Marker = angleTicks(-180, 180)
	}
	for _, s := range series {
		p.Add(curve{s})
	}
	return &panel{letter: o.Letter, plot: p, keys: keys(series), remarks: o.Quality.remarks()}, nil
}

// angleTicks puts labels on multiples of 90 degrees and small ticks on those of 30.
func angleTicks(lo, hi float64) fixedTicks {
	var t fixedTicks
	for k := math.Ceil(lo/30 - 1e-9); k <= hi/30+1e-9; k++ {
		tick := plot.Tick{Value: 30 * k}
		if math.Mod(k, 3) == 0 {
			tick.Label = number(tick.Value, 0)
		}
		t = append(t, tick)
	}
	return t
}

// unroll turns radians into degrees and repeats the last point before the first and the first after the last.
func unroll(s Series) Series {
	n := len(s.X)
	if n == 0 {
		return s
	}
	out := Series{Name: s.Name, Role: s.Role, Steps: s.Steps}
	for k := -1; k <= n; k++ {
		i := (k + n) % n
		turn := 0.0
		switch k {
		case -1:
			turn = -360
		case n:
			turn = 360
		}
		out.X = append(out.X, s.X[i]*degrees+turn)
		out.Y = append(out.Y, s.Y[i])
		if s.Error != nil {
			out.Error = append(out.Error, s.Error[i])
		}
	}
	return out
}
