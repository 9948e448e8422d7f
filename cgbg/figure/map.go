package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Map is a free energy over two variables.
type Map struct {
	// Title stands above the map.
	Title string
	// F is the free energy at x and y in internal units (rad, nm), zero at its lowest; +Inf where nothing was
	// sampled, which is left white.
	F func(x, y float64) float64
}

// MapOptions describe the axes and the colours of maps.
type MapOptions struct {
	// XLabel and YLabel name the axes, with the units shown.
	XLabel, YLabel string
	// XMin, XMax, YMin and YMax bound the region in internal units; both 0 for a circle mean −π to π.
	XMin, XMax, YMin, YMax float64
	// XScale and YScale are what is shown per internal unit, 10 for Å of nm; 0 means 1, and degrees for a circle.
	XScale, YScale float64
	// XCircle and YCircle say that the variable is an angle in rad.
	XCircle, YCircle bool
	// Top is where colours end. Unit is that of F and of Top, "kJ/mol" say; may be empty.
	Top  float64
	Unit string
}

// FreeEnergyMaps draws maps side by side, up to four, with the same axes and one colour scale from 0 to o.Top. Errors:
// no map or more than four, a top not above zero, an empty range or one of more than a turn, a scale that is not above
// zero, a free energy that is NaN or −Inf or nowhere below the top.
func FreeEnergyMaps(maps []Map, o MapOptions) (Picture, error) {
	if len(maps) == 0 || len(maps) > 4 || !(o.Top > 0) || math.IsInf(o.Top, 1) {
		return Picture{}, fmt.Errorf(
			"figure: drawing maps: %d maps up to %g; one to four and a top above zero are needed", len(maps), o.Top)
	}
	x, err := newMapAxis(o.XLabel, o.XMin, o.XMax, o.XScale, o.XCircle)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing maps: x: %w", err)
	}
	y, err := newMapAxis(o.YLabel, o.YMin, o.YMax, o.YScale, o.YCircle)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing maps: y: %w", err)
	}
	row := make([]*panel, len(maps))
	var bar *colorBar
	for i, m := range maps {
		p, err := m.panel(x, y, o)
		if err != nil {
			return Picture{}, fmt.Errorf("figure: drawing the map %q: %w", m.Title, err)
		}
		p.plot.X.Tick.Marker, p.plot.Y.Tick.Marker = x.ticks(mapTicks[len(maps)-1]), y.ticks(6)
		if len(maps) > 1 {
			p.letter = string(rune('a' + i))
		}
		bar, p.bar = p.bar, nil
		if i > 0 { // one scale and one axis of y for the row
			p.plot.Y.Label.Text = ""
			p.plot.Y.Tick.Marker = bare{p.plot.Y.Tick.Marker}
		}
		row[i] = p
	}
	s := sheet{panels: [][]*panel{row}, side: bar}
	if len(maps) == 1 {
		return s.render(columnWidth, 0.86*columnWidth)
	}
	return s.render(fullWide, fullWide*(0.84/vg.Length(len(maps))+0.06))
}

// mapTicks is about how many labels there is room for along x, by the number of maps in the row.
var mapTicks = [4]niceTicks{6, 6, 5, 4}

// mapAxis is an axis of a map: its range as shown, and what is shown per internal unit.
type mapAxis struct {
	label         string
	lo, hi, scale float64
	degrees       bool
}

func newMapAxis(label string, lo, hi, scale float64, circle bool) (mapAxis, error) {
	if circle && lo == 0 && hi == 0 {
		lo, hi = -math.Pi, math.Pi
	}
	switch {
	case scale != 0:
	case circle:
		scale = degrees
	default:
		scale = 1
	}
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return mapAxis{}, fmt.Errorf("the axis %q goes from %g to %g; want a range", label, lo, hi)
	}
	if circle && hi-lo > 2*math.Pi+roundOff {
		return mapAxis{}, fmt.Errorf("the axis %q goes from %g to %g; want at most a turn, in rad", label, lo, hi)
	}
	if !(scale > 0) || math.IsInf(scale, 1) {
		return mapAxis{}, fmt.Errorf("the axis %q shows %g per unit; want a scale above zero", label, scale)
	}
	return mapAxis{label, lo * scale, hi * scale, scale, circle && math.Abs(scale-degrees) < 1e-9}, nil
}

func (a mapAxis) ticks(n niceTicks) plot.Ticker {
	if a.degrees {
		return angleTicks(a.lo, a.hi)
	}
	return n
}

func (m Map) panel(x, y mapAxis, o MapOptions) (*panel, error) {
	if m.F == nil {
		return nil, fmt.Errorf("it has no F")
	}
	low := math.Inf(1)
	s := Surface{
		Cap: o.Top, Step: roundStep(o.Top), XMin: x.lo, XMax: x.hi, YMin: y.lo, YMax: y.hi,
		XLabel: x.label, YLabel: y.label, Label: "F",
		U: func(u, v float64) float64 {
			f := m.F(u/x.scale, v/y.scale)
			low = math.Min(low, f)
			return math.Min(f, 4*o.Top)
		}}
	if o.Unit != "" {
		s.Label += ", " + o.Unit
	}
	p, err := s.panel("")
	if err != nil {
		return nil, err
	}
	if !(low < o.Top) {
		return nil, fmt.Errorf(
			"it is nowhere below %g (lowest: %g); give it zero at its lowest, and a region that was sampled",
			o.Top, low)
	}
	p.remarks = []remark{{text: m.Title}}
	return p, nil
}

// bare is ticks with blank labels: a tick without one is a short one.
type bare struct{ of plot.Ticker }

// Ticks implements plot.Ticker.
func (b bare) Ticks(lo, hi float64) []plot.Tick {
	ticks := slices.Clone(b.of.Ticks(lo, hi))
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = " "
		}
	}
	return ticks
}
