package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colorBar is the key of a surface.
type colorBar struct {
	cap, step float64
	label     string
}

// bandColor returns the colour of the contour band that v, counted from the minimum, lies in.
func (b *colorBar) bandColor(v float64) color.NRGBA {
	return tone((math.Floor(v/b.step) + 0.5) * b.step / b.cap)
}

// draw draws the bar with its numbers in two rows above y.
func (b *colorBar) draw(c draw.Canvas, left, y, width vg.Length) {
	sty := textStyle(tickSize, false)
	sty.YAlign = draw.YCenter
	name := textStyle(keySize, false)
	name.YAlign = draw.YCenter
	c.FillText(name, vg.Point{X: left, Y: y + rowHeight/2 + rowHeight}, b.label)
	from := left + name.Width(b.label) + keyGap
	long := left + width - from
	n := b.bands()
	for k := range n {
		x0, x1 := from+long*vg.Length(k)/vg.Length(n), from+long*vg.Length(k+1)/vg.Length(n)
		c.FillPolygon(b.bandColor((float64(k)+0.5)*b.step), box(x0, y+rowHeight+2, x1, y+rowHeight+2+barHeight))
	}
	edge := append(box(from, y+rowHeight+2, from+long, y+rowHeight+2+barHeight),
		vg.Point{X: from, Y: y + rowHeight + 2})
	c.StrokeLines(draw.LineStyle{Color: black, Width: thinWidth}, edge)
	sty.XAlign = draw.XCenter
	for k := 0; k <= n; k += max(1, n/4) {
		x := from + long*vg.Length(k)/vg.Length(n)
		c.StrokeLine2(draw.LineStyle{Color: black, Width: thinWidth}, x, y+rowHeight+2, x, y+rowHeight)
		c.FillText(sty, vg.Point{X: x, Y: y + rowHeight/2}, number(float64(k)*b.step, places(b.step)))
	}
}

// Sizes of an upright bar: the space it takes from the panels, its gap, its width and its tick.
const sideBarSpace, sideBarGap, sideBarWidth, sideBarTick = 45.0, 12.0, 8.0, 2.5

// drawUpright draws the bar right of data, its label turned along it at the edge right.
func (b *colorBar) drawUpright(c, data draw.Canvas, right vg.Length) {
	x0, x1 := data.Max.X+sideBarGap, data.Max.X+sideBarGap+sideBarWidth
	low, long := data.Min.Y, data.Max.Y-data.Min.Y
	n := b.bands()
	at := func(v float64) vg.Length { return low + long*vg.Length(v/b.cap) }
	for k := range n {
		c.FillPolygon(b.bandColor((float64(k)+0.5)*b.step), box(x0, at(float64(k)*b.step), x1, at(float64(k+1)*b.step)))
	}
	edge := append(box(x0, low, x1, low+long), vg.Point{X: x0, Y: low})
	line := draw.LineStyle{Color: black, Width: thinWidth}
	c.StrokeLines(line, edge)
	sty := textStyle(tickSize, false)
	sty.YAlign = draw.YCenter
	for k := 0; k <= n; k += 2 {
		v := float64(k) * b.step
		c.StrokeLine2(line, x1, at(v), x1+sideBarTick, at(v))
		c.FillText(sty, vg.Point{X: x1 + sideBarTick + 1, Y: at(v)}, number(v, places(2*b.step)))
	}
	name := textStyle(keySize, false)
	name.Rotation, name.XAlign, name.YAlign = math.Pi/2, draw.XCenter, draw.YBottom
	c.FillText(name, vg.Point{X: right, Y: low + long/2}, b.label)
}

// bands is the number of colours.
func (b *colorBar) bands() int { return int(math.Round(b.cap / b.step)) }

// places is the number of decimals that multiples of step need, up to three.
func places(step float64) int {
	for p := range 3 {
		if v := step * math.Pow(10, float64(p)); math.Abs(v-math.Round(v)) < 1e-9*v {
			return p
		}
	}
	return 3
}

// roundStep divides a scale from 0 to top into six to ten round bands, or else into eight.
func roundStep(top float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(top/8)))
	for _, f := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10} {
		if n := top / (f * unit); n > 5.5 && n < 10.5 && math.Abs(n-math.Round(n)) < 1e-9*n {
			return f * unit
		}
	}
	return top / 8
}
