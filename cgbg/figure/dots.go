package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// DotSeries is a number for each category.
type DotSeries struct {
	// Name is the entry in the key.
	Name string
	// Role decides the colour.
	Role Role
	// Y are the values, [categories], above zero; NaN where there is none.
	Y []float64
	// Low and High are the ends of a bar through each dot, [categories], or nil.
	Low, High []float64
	// Cited numbers come from elsewhere: hollow squares in place of discs.
	Cited bool
}

// DotsOptions describe a picture of dots.
type DotsOptions struct {
	// Categories stand below the x axis, from left to right.
	Categories []string
	// XLabel and YLabel name the axes, with units.
	XLabel, YLabel string
	// Remark is a line of text above the axes, may be empty.
	Remark string
}

// Dots draws numbers by category on a logarithmic axis, those of one category side by side, each with its value to
// two digits. Errors: no series or categories, lengths that differ, numbers that are not above zero.
func Dots(series []DotSeries, o DotsOptions) (Picture, error) {
	lo, hi, err := dotsRange(series, o)
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing dots: %w", err)
	}
	p := newPlot(o.XLabel, o.YLabel)
	p.X.Min, p.X.Max = -0.5, float64(len(o.Categories))-0.5
	var ticks fixedTicks
	for i, c := range o.Categories {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: c})
		if i > 0 {
			p.Add(level{y: float64(i) - 0.5, vertical: true,
				sty: draw.LineStyle{Color: shade(grey), Width: vg.Points(thinWidth)}})
		}
	}
	p.X.Tick.Marker = ticks
	const room = 0.06 // of the axis below the dots, and twice of it above, for the values
	lo, hi = lo/math.Pow(hi/lo, room), hi*math.Pow(hi/lo, 2*room)
	p.Y.Min, p.Y.Max = math.Log10(lo), math.Log10(hi) // with plot.LogScale long labels of the axis take room above it
	var decades fixedTicks
	for _, t := range (logTicks{}).Ticks(lo, hi) {
		decades = append(decades, plot.Tick{Value: math.Log10(t.Value), Label: t.Label})
	}
	p.Y.Tick.Marker = decades
	one := &panel{plot: p}
	for k, s := range series {
		p.Add(marks{series: s, shift: (float64(k) - float64(len(series)-1)/2) * 0.8 / float64(len(series))})
		one.keys = append(one.keys, key{name: s.Name, glyph: s.glyph()})
	}
	if o.Remark != "" {
		one.remarks = []remark{{text: o.Remark}}
	}
	return render(columnWidth, 0.8*columnWidth, [][]*panel{{one}})
}

// dotsRange is the range of all numbers; equal ends are moved apart.
func dotsRange(series []DotSeries, o DotsOptions) (lo, hi float64, err error) {
	if len(series) == 0 || len(o.Categories) == 0 {
		return 0, 0, fmt.Errorf("%d series in %d categories; want at least one of each", len(series), len(o.Categories))
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range series {
		for _, values := range [][]float64{s.Y, s.Low, s.High} {
			if len(values) != len(o.Categories) && (values != nil || len(s.Y) == 0) ||
				(s.Low == nil) != (s.High == nil) {
				return 0, 0, fmt.Errorf("series %q has %d numbers with %d and %d ends for %d categories", s.Name,
					len(s.Y), len(s.Low), len(s.High), len(o.Categories))
			}
			for i, v := range values {
				if math.IsNaN(v) {
					continue
				}
				if !(v > 0) || math.IsInf(v, 0) {
					return 0, 0, fmt.Errorf("series %q: number %d is %g; a logarithmic axis wants it above zero",
						s.Name, i, v)
				}
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 0, fmt.Errorf("no numbers")
	}
	if hi < 2*lo {
		lo, hi = lo/2, hi*2
	}
	return lo, hi, nil
}

func (s *DotSeries) glyph() *draw.GlyphStyle {
	g := &draw.GlyphStyle{Color: s.Role.style().Color, Radius: 2.6, Shape: draw.CircleGlyph{}}
	if s.Cited {
		g.Shape = draw.SquareGlyph{}
	}
	return g
}

// marks are a DotSeries on a plot.
type marks struct {
	series DotSeries
	shift  float64 // along x, of a category's width
}

// Plot implements plot.Plotter.
func (d marks) Plot(c draw.Canvas, p *plot.Plot) {
	tx, linear := p.Transforms(&c)
	ty := func(v float64) vg.Length { return linear(math.Log10(v)) }
	s, g := d.series, d.series.glyph()
	label := textStyle(keySize, false)
	label.XAlign, label.YAlign, label.Color = draw.XCenter, draw.YBottom, g.Color
	bar := draw.LineStyle{Color: g.Color, Width: vg.Points(lineWidth)}
	for i, v := range s.Y {
		if math.IsNaN(v) {
			continue
		}
		at, top := vg.Point{X: tx(float64(i) + d.shift), Y: ty(v)}, ty(v)
		if s.Low != nil && finite(s.Low[i]) && finite(s.High[i]) {
			c.StrokeLine2(bar, at.X, ty(s.Low[i]), at.X, ty(s.High[i]))
			top = max(top, ty(s.High[i]))
		}
		c.DrawGlyph(*g, at)
		c.FillText(label, vg.Point{X: at.X, Y: max(top, at.Y+g.Radius) + 2}, twoDigits(v))
	}
}

// twoDigits writes a number above zero to two significant digits.
func twoDigits(v float64) string {
	scale := math.Pow(10, math.Floor(math.Log10(v))-1)
	return shortNumber(math.Round(v/scale) * scale)
}
