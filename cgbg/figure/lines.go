package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LinesOptions describe a picture of lines.
type LinesOptions struct {
	// XLabel and YLabel name the axes, with units.
	XLabel, YLabel string
	// YMin and YMax bound the y axis; both 0 takes what the series need.
	YMin, YMax float64
	// Difference adds a panel below with each series minus the first, on the same X; its bands are those of the series.
	Difference bool
	// DifferenceLabel names that panel's axis; empty means "difference". DifferenceMax bounds it on both sides; 0 takes
	// what is needed.
	DifferenceLabel string
	DifferenceMax   float64
	// Remark is a line of text above the axes, may be empty.
	Remark string
	// LogX and LogY make an axis logarithmic; what is drawn on it must be above zero.
	LogX, LogY bool
	// Points marks every point, with a bar of one standard error in place of the band: for few measurements.
	Points bool
}

// Lines draws series over each other, and on request their difference from the first one below (a learned PMF against
// the exact one, say). Errors: no series, lengths that differ, a difference of series on different X.
func Lines(series []Series, o LinesOptions) (Picture, error) {
	top, err := linesPanel(series, o)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing lines: %w", err)
	}
	if !o.Difference {
		return render(columnWidth, 0.8*columnWidth, [][]*panel{{top}})
	}
	d, err := differencePlot(series, o, top.plot)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing lines: %w", err)
	}
	top.plot.X.Label.Text = ""
	return stacked(top, d)
}

// LinesRow draws up to three pictures of lines side by side; differences are not drawn. Errors: no picture or more than
// three; those of Lines.
func LinesRow(series [][]Series, o []LinesOptions) (Picture, error) {
	if len(series) == 0 || len(series) > 3 || len(o) != len(series) {
		return Picture{}, fmt.Errorf("figure: drawing lines: %d panels with %d options; want one to three, and as many",
			len(series), len(o))
	}
	var row []*panel
	for i := range series {
		p, err := linesPanel(series[i], o[i])
		if err != nil {
			return Picture{}, fmt.Errorf("figure: drawing lines: panel %d: %w", i+1, err)
		}
		p.letter = string(rune('a' + i))
		row = append(row, p)
	}
	return render(fullWide, 0.34*fullWide, [][]*panel{row})
}

func linesPanel(series []Series, o LinesOptions) (*panel, error) {
	if err := checkAll(series); err != nil {
		return nil, err
	}
	if err := o.check(series); err != nil {
		return nil, err
	}
	p := newPlot(o.XLabel, o.YLabel)
	o.axes(p, series)
	top := &panel{plot: p}
	for _, s := range series {
		if o.Points {
			p.Add(points{s})
			s.Error = nil // no band in the key
		} else {
			p.Add(curve{s})
		}
		top.keys = append(top.keys, keys([]Series{s})...)
	}
	if o.Remark != "" {
		top.remarks = []remark{{text: o.Remark}}
	}
	return top, nil
}

// check refuses what a logarithmic axis cannot show.
func (o LinesOptions) check(series []Series) error {
	if o.Difference && (o.LogX || o.LogY || o.Points) {
		return fmt.Errorf("a difference is drawn as lines on linear axes")
	}
	for _, s := range series {
		for i := range s.Y {
			if o.LogX && s.X[i] <= 0 || o.LogY && s.Y[i] <= 0 {
				return fmt.Errorf("series %q: point %d is (%g, %g), which a logarithmic axis does not have", s.Name, i,
					s.X[i], s.Y[i])
			}
		}
	}
	return nil
}

// axes sets ranges, scales and ticks.
func (o LinesOptions) axes(p *plot.Plot, series []Series) {
	end := func(sign float64) func(s *Series, i int) float64 { // of the bar of a point
		return func(s *Series, i int) float64 {
			if !o.Points || s.Error == nil || !finite(s.Error[i]) {
				return s.Y[i]
			}
			y := s.Y[i] + sign*s.Error[i]
			if o.LogY {
				y = math.Max(y, s.Y[i]/2)
			}
			return y
		}
	}
	x := func(s *Series, i int) float64 { return s.X[i] }
	p.X.Min, p.X.Max = extent(series, x)
	switch {
	case o.LogX:
		p.X.Scale, p.X.Tick.Marker = logScale{}, logTicks{}
		p.X.Min, p.X.Max = widened(p.X.Min, p.X.Max, true)
	case o.Points:
		p.X.Min, p.X.Max = widened(p.X.Min, p.X.Max, false)
	default:
		p.X.Min, p.X.Max = snap(p.X.Min, p.X.Max)
	}
	if o.LogY {
		p.Y.Scale, p.Y.Tick.Marker = logScale{}, logTicks{}
	}
	if p.Y.Min, p.Y.Max = o.YMin, o.YMax; o.YMin == 0 && o.YMax == 0 {
		p.Y.Min, _ = extent(series, end(-1))
		_, p.Y.Max = extent(series, end(1))
		p.Y.Min, p.Y.Max = widened(p.Y.Min, p.Y.Max, o.LogY)
	}
}

// logScale is logarithmic but at the arithmetic middle of the axis, which is all that gonum asks for when it leaves
// room for the label in the middle; plot.LogScale has it leave room as if the label stood near the end.
type logScale struct{}

// Normalize implements plot.Normalizer.
func (logScale) Normalize(lo, hi, x float64) float64 {
	if x == 0.5*(hi+lo) {
		return 0.5
	}
	return plot.LogScale{}.Normalize(lo, hi, x)
}

// widened leaves some room at both ends of an axis.
func widened(lo, hi float64, log bool) (float64, float64) {
	const room = 0.04
	if log {
		f := math.Pow(hi/lo, room)
		return lo / f, hi * f
	}
	return lo - room*(hi-lo), hi + room*(hi-lo)
}

// points is a Series as marks with bars of one standard error, joined by its line.
type points struct{ s Series }

// Plot implements plot.Plotter.
func (m points) Plot(cv draw.Canvas, p *plot.Plot) {
	line := m.s
	line.Error = nil
	curve{line}.Plot(cv, p)
	tx, ty := p.Transforms(&cv)
	sty := m.s.style()
	sty.Dashes = nil
	for i, y := range m.s.Y {
		if !finite(y) {
			continue
		}
		x := tx(m.s.X[i])
		if m.s.Error != nil && finite(m.s.Error[i]) {
			lo, hi := math.Max(y-m.s.Error[i], p.Y.Min), math.Min(y+m.s.Error[i], p.Y.Max)
			cv.StrokeLine2(sty, x, ty(lo), x, ty(hi))
		}
		cv.DrawGlyph(draw.GlyphStyle{Color: sty.Color, Radius: 2, Shape: draw.CircleGlyph{}}, vg.Point{X: x, Y: ty(y)})
	}
}

// differencePlot is the lower panel.
func differencePlot(series []Series, o LinesOptions, upper *plot.Plot) (*plot.Plot, error) {
	ref := series[0]
	var diffs []Series
	for _, s := range series[1:] {
		if len(s.X) != len(ref.X) {
			return nil, fmt.Errorf("the difference of %q and %q needs them on one X", s.Name, ref.Name)
		}
		d := s
		d.Y = make([]float64, len(s.Y))
		for i := range s.Y {
			if s.X[i] != ref.X[i] {
				return nil, fmt.Errorf("the difference of %q and %q needs them on one X", s.Name, ref.Name)
			}
			d.Y[i] = s.Y[i] - ref.Y[i]
		}
		diffs = append(diffs, d)
	}
	if o.DifferenceLabel == "" {
		o.DifferenceLabel = "difference"
	}
	p := newPlot(o.XLabel, o.DifferenceLabel)
	p.X.Min, p.X.Max = upper.X.Min, upper.X.Max
	p.X.Tick.Marker, p.Y.Tick.Marker = upper.X.Tick.Marker, niceTicks(4)
	bound := o.DifferenceMax
	if bound == 0 {
		lo, hi := extent(diffs, func(s *Series, i int) float64 { return s.Y[i] })
		bound = math.Max(math.Abs(lo), math.Abs(hi))
		_, wide := extent(diffs, func(s *Series, i int) float64 {
			if s.Error == nil {
				return 0
			}
			return math.Abs(s.Y[i]) + s.Error[i]
		})
		bound = 1.1 * math.Min(math.Max(bound, wide), 2*bound) // bands count, unless they would hide the lines
	}
	p.Y.Min, p.Y.Max = -bound, bound
	p.Add(level{sty: ref.Role.style()})
	for _, d := range diffs {
		p.Add(curve{d})
	}
	return p, nil
}

// stacked draws a panel above a lower one of 30 % of its height, with their axes in line.
func stacked(top *panel, lower *plot.Plot) (Picture, error) {
	const share = 0.34
	return export(columnWidth, columnWidth, func(c draw.Canvas) {
		c = draw.Crop(c, margin, -2*margin, margin, -margin)
		h := c.Max.Y - c.Min.Y
		width := c.Max.X - c.Min.X - max(c.Max.X-top.plot.DataCanvas(c).Max.X,
			0) - (top.plot.DataCanvas(c).Min.X - c.Min.X)
		head := top.header(width)
		upper := draw.Crop(c, 0, 0, vg.Length(share)*h+4, -head)
		under := draw.Crop(c, 0, 0, 0, -(1-vg.Length(share))*h)
		a, b := top.plot.DataCanvas(upper).Min.X, lower.DataCanvas(under).Min.X
		upper.Min.X += max(a, b) - a
		under.Min.X += max(a, b) - b
		data := top.plot.DataCanvas(upper)
		top.plot.Draw(upper)
		top.drawHeader(upper, data, head)
		lower.Draw(under)
	})
}
