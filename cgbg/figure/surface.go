package figure

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Surface is a potential over a plane.
type Surface struct {
	// U is the potential in kT. It is drawn from its lowest value in the region, which becomes zero.
	U func(x, y float64) float64
	// XMin, XMax, YMin and YMax bound the region.
	XMin, XMax, YMin, YMax float64
	// Cap is where colours end, in kT above the minimum; 0 means 16. The region above is white.
	Cap float64
	// Step is the distance of contours in kT; 0 means 2.
	Step float64
	// PathX and PathY are points of a trajectory drawn on top, [n]; may be nil.
	PathX, PathY []float64
	// XLabel and YLabel name the axes; empty means x and y.
	XLabel, YLabel string
	// Label is that of the colours; empty means u / kT.
	Label string
}

const (
	surfaceCells    = 240 // grid cells per side
	defaultCap      = 16.0
	defaultStep     = 2.0
	trajectoryPoint = 0.7 // radius in points
)

// blues are ColorBrewer's nine "Blues", dark to pale: low energies are dark.
var blues = []color.NRGBA{
	{8, 48, 107, 255}, {8, 81, 156, 255}, {33, 113, 181, 255}, {66, 146, 198, 255}, {107, 174, 214, 255},
	{158, 202, 225, 255}, {198, 219, 239, 255}, {222, 235, 247, 255}, {247, 251, 255, 255},
}

// tone returns the colour at t in [0, 1] of the scale; t beyond is white.
func tone(t float64) color.NRGBA {
	if t >= 1 {
		return color.NRGBA{255, 255, 255, 255}
	}
	u := math.Max(t, 0) * float64(len(blues)-1)
	k := min(int(u), len(blues)-2)
	f := u - float64(k)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	a, b := blues[k], blues[k+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

func (s Surface) panel(letter string) (*panel, error) {
	if s.U == nil || !(s.XMax > s.XMin) || !(s.YMax > s.YMin) || len(s.PathX) != len(s.PathY) {
		return nil, fmt.Errorf(
			"a surface needs U, a region (got x %g to %g, y %g to %g) and as many PathX as PathY (got %d, %d)",
			s.XMin, s.XMax, s.YMin, s.YMax, len(s.PathX), len(s.PathY))
	}
	if s.Cap == 0 {
		s.Cap = defaultCap
	}
	if s.Step == 0 {
		s.Step = defaultStep
	}
	if s.XLabel == "" && s.YLabel == "" {
		s.XLabel, s.YLabel = "x", "y"
	}
	const n = surfaceCells
	u := make([]float64, (n+1)*(n+1))
	low := math.Inf(1)
	for i := range n + 1 {
		for j := range n + 1 {
			x, y := s.XMin+(s.XMax-s.XMin)*float64(i)/n, s.YMin+(s.YMax-s.YMin)*float64(j)/n
			v := s.U(x, y)
			if math.IsNaN(v) || math.IsInf(v, -1) {
				return nil, fmt.Errorf("it is %g at x %g, y %g; want numbers, or +Inf where there is none", v, x, y)
			}
			u[i*(n+1)+j] = v
			low = math.Min(low, v)
		}
	}
	for i := range u {
		u[i] -= low
	}
	if s.Label == "" {
		s.Label = "u / kT"
	}
	bar := &colorBar{cap: s.Cap, step: s.Step, label: s.Label}
	p := newPlot(s.XLabel, s.YLabel)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = s.XMin, s.XMax, s.YMin, s.YMax
	p.Add(s.bands(u, bar))
	p.Add(contours{s, u, bar})
	if len(s.PathX) > 0 {
		p.Add(dots{s.PathX, s.PathY})
	}
	return &panel{letter: letter, plot: p, bar: bar}, nil
}

// bands paints each pixel of a fine image with its band.
func (s Surface) bands(u []float64, bar *colorBar) *plotter.Image {
	const n, zoom = surfaceCells, 2
	img := image.NewNRGBA(image.Rect(0, 0, n*zoom, n*zoom))
	for i := range n * zoom {
		for j := range n * zoom {
			x, y := (float64(i)+0.5)/zoom, (float64(j)+0.5)/zoom
			a, b := int(x), int(y)
			fx, fy := x-float64(a), y-float64(b)
			at := func(di, dj int) float64 { return u[(a+di)*(n+1)+b+dj] }
			v := (1-fx)*((1-fy)*at(0, 0)+fy*at(0, 1)) + fx*((1-fy)*at(1, 0)+fy*at(1, 1))
			img.SetNRGBA(i, n*zoom-1-j, bar.bandColor(v))
		}
	}
	return plotter.NewImage(img, s.XMin, s.YMin, s.XMax, s.YMax)
}

// contours draws the lines between bands.
type contours struct {
	s   Surface
	u   []float64
	bar *colorBar
}

// Plot implements plot.Plotter, by marching triangles.
func (c contours) Plot(cv draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&cv)
	const n = surfaceCells
	s := c.s
	point := func(i, j float64) vg.Point {
		return vg.Point{X: tx(s.XMin + (s.XMax-s.XMin)*i/n), Y: ty(s.YMin + (s.YMax-s.YMin)*j/n)}
	}
	sty := draw.LineStyle{Color: color.NRGBA{R: 30, G: 50, B: 80, A: 255}, Width: vg.Points(thinWidth)}
	for level := c.bar.step; level <= c.bar.cap+1e-9; level += c.bar.step {
		for _, line := range trace(c.u, n, level) {
			pts := make([]vg.Point, len(line))
			for k, q := range line {
				pts[k] = point(q[0], q[1])
			}
			cv.StrokeLines(sty, pts)
		}
	}
}

// dots are the points of a trajectory.
type dots struct{ x, y []float64 }

// Plot implements plot.Plotter.
func (d dots) Plot(cv draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&cv)
	g := draw.GlyphStyle{Color: color.NRGBA{R: 230, G: 159, A: 200}, Radius: trajectoryPoint, Shape: draw.CircleGlyph{}}
	for i := range d.x {
		if q := (vg.Point{X: tx(d.x[i]), Y: ty(d.y[i])}); cv.Contains(q) {
			cv.DrawGlyph(g, q)
		}
	}
}
