package figure

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes in points (1/72 inch) but for the resolutions, in dots per inch: a sheet of full width has fewer, to spare
// notebooks.
const (
	columnDPI, fullDPI    = 300, 160
	labelSize, tickSize   = 8, 7
	keySize, letterSize   = 7, 10
	axisWidth, thinWidth  = 0.6, 0.4
	lineWidth, boldWidth  = 1.1, 1.5
	tickLength            = 3
	rowHeight             = 10.5
	margin                = 4
	columnWidth, fullWide = 3.4 * 72, 7.0 * 72
)

// Okabe and Ito's colours, but for the greys.
var (
	black     = color.NRGBA{A: 255}
	grey      = color.NRGBA{R: 110, G: 110, B: 110, A: 255}
	vermilion = color.NRGBA{R: 213, G: 94, B: 0, A: 255}
	blue      = color.NRGBA{R: 0, G: 114, B: 178, A: 255}
	orange    = color.NRGBA{R: 230, G: 159, B: 0, A: 255}
	green     = color.NRGBA{R: 0, G: 158, B: 115, A: 255}
	purple    = color.NRGBA{R: 204, G: 121, B: 167, A: 255}
)

// Role is what a series stands for; it decides colour and line.
type Role int

// The roles.
const (
	// Exact is the truth: a thick black line.
	Exact Role = iota
	// Simulation is molecular dynamics: a grey line.
	Simulation
	// Before is a flow's proposal: dashed vermilion.
	Before
	// After is the reweighted flow: blue.
	After
	// Biased is a biased simulation: dash-dotted orange.
	Biased
	// Learned is a fitted model: green.
	Learned
	// Other is anything else: dotted purple.
	Other
)

func (r Role) style() draw.LineStyle {
	s := draw.LineStyle{Color: purple, Width: vg.Points(lineWidth), Dashes: []vg.Length{1.5, 1.5}}
	switch r {
	case Exact:
		s.Color, s.Width, s.Dashes = black, vg.Points(boldWidth), nil
	case Simulation:
		s.Color, s.Dashes = grey, []vg.Length{6, 1.5}
	case Before:
		s.Color, s.Dashes = vermilion, []vg.Length{4, 2}
	case After:
		s.Color, s.Dashes = blue, nil
	case Biased:
		s.Color, s.Dashes = orange, []vg.Length{5, 1.5, 1, 1.5}
	case Learned:
		s.Color, s.Dashes = green, nil
	}
	return s
}

// shade is the colour of a band.
func shade(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = 70
	return n
}

func textStyle(size float64, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: black, Font: f, Handler: text.Plain{Fonts: font.DefaultCache}}
}

// newPlot returns empty axes in the style.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the sheet is white already; a transparent fill is not valid in vgsvg's output
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		rotation := a.Label.TextStyle.Rotation
		xa, ya := a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		a.Label.TextStyle = textStyle(labelSize, false)
		a.Label.TextStyle.Rotation, a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign = rotation, xa, ya
		a.Label.Padding = 2
		xa, ya = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Tick.Label = textStyle(tickSize, false)
		a.Tick.Label.XAlign, a.Tick.Label.YAlign = xa, ya
		a.LineStyle = draw.LineStyle{Color: black, Width: vg.Points(axisWidth)}
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = tickLength
		a.Padding = 0
		a.Tick.Marker = niceTicks(6)
	}
	p.X.Label.Text, p.Y.Label.Text = x, y
	return p
}

// niceTicks puts about n labels on steps of 1, 2 or 5 times a power of ten, with a small tick halfway.
type niceTicks int

// Ticks implements plot.Ticker.
func (n niceTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n))))
	for _, f := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*f) <= float64(n) {
			step *= f
			break
		}
	}
	places := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	const slack = 1e-9
	for k := math.Ceil(2*lo/step - slack); k*step/2 <= hi+slack*step; k++ {
		t := plot.Tick{Value: k * step / 2}
		if math.Mod(k, 2) == 0 {
			t.Label = number(t.Value, places)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// number writes v with a true minus sign, and zero without one.
func number(v float64, places int) string {
	s := strconv.FormatFloat(v, 'f', places, 64)
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == 0 {
		return strconv.FormatFloat(0, 'f', places, 64)
	}
	return strings.Replace(s, "-", "−", 1)
}

// shortNumber writes a value above zero plainly where that is short.
func shortNumber(v float64) string {
	if v >= 1e-4 && v < 1e6 {
		return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// snap moves the ends of an axis to the nearest tick of niceTicks where that is within 1.5 % of its length: grids of
// bin centres start half a bin inside.
func snap(lo, hi float64) (float64, float64) {
	near := func(v float64) float64 {
		for _, t := range niceTicks(6).Ticks(lo-0.1*(hi-lo), hi+0.1*(hi-lo)) {
			if math.Abs(t.Value-v) <= 0.015*(hi-lo) {
				return t.Value
			}
		}
		return v
	}
	return near(lo), near(hi)
}

// fixedTicks labels given values.
type fixedTicks []plot.Tick

// Ticks implements plot.Ticker.
func (t fixedTicks) Ticks(lo, hi float64) []plot.Tick { return t }

// logTicks labels powers of ten, and 2 and 5 times them where there are fewer than two decades.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	short := math.Log10(hi/lo) < 2
	for e := math.Floor(math.Log10(lo)); e <= math.Log10(hi); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || short && (m == 2 || m == 5) {
				t.Label = shortNumber(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}
