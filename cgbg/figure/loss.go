package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LossOptions describe a loss curve.
type LossOptions struct {
	// XLabel and YLabel name the axes; empty means "step" and "loss".
	XLabel, YLabel string
	// Floor is the least loss that any model can reach (its noise floor); NaN or 0 where it is not known.
	Floor float64
}

// logFrom is the ratio of losses from which the axis is logarithmic: below it, too few round numbers fall into the
// range.
const logFrom = 3

// LossCurve draws training and validation loss, X the step or epoch, and the floor as a dashed line. The axis is
// logarithmic where all losses are above zero and differ by a factor of three, and linear otherwise.
// val may be empty. Errors: no training losses, lengths that differ.
func LossCurve(train, val Series, o LossOptions) (Picture, error) {
	if len(train.Y) == 0 {
		return Picture{}, fmt.Errorf("figure: drawing a loss curve: no training losses")
	}
	val.Role = After
	// noisy: thin and solid
	train.line = &draw.LineStyle{Color: color.NRGBA{R: 150, G: 150, B: 150, A: 255}, Width: vg.Points(axisWidth)}
	if train.Name == "" {
		train.Name = "training"
	}
	if val.Name == "" {
		val.Name = "validation"
	}
	series := []Series{train}
	if len(val.Y) > 0 {
		series = append(series, val)
	}
	if err := checkAll(series); err != nil {
		return Picture{}, fmt.Errorf("figure: drawing a loss curve: %w", err)
	}
	if o.XLabel == "" {
		o.XLabel = "step"
	}
	if o.YLabel == "" {
		o.YLabel = "loss"
	}
	p := newPlot(o.XLabel, o.YLabel)
	p.X.Min, p.X.Max = extent(series, func(s *Series, i int) float64 { return s.X[i] })
	lo, hi := extent(series, func(s *Series, i int) float64 { return s.Y[i] })
	floor := finite(o.Floor) && o.Floor != 0
	if floor {
		lo, hi = math.Min(lo, o.Floor), math.Max(hi, o.Floor)
	}
	if lo > 0 && hi >= logFrom*lo {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
		pad := math.Max(math.Pow(hi/lo, 0.05), 1.02)
		p.Y.Min, p.Y.Max = lo/pad, hi*pad
	} else {
		pad := 0.05 * (hi - lo)
		p.Y.Min, p.Y.Max = lo-pad, hi+pad
	}
	one := &panel{plot: p}
	for _, s := range series {
		p.Add(curve{s})
		one.keys = append(one.keys, s.key())
	}
	if floor {
		l := level{y: o.Floor, sty: draw.LineStyle{Color: black, Width: vg.Points(axisWidth),
			Dashes: []vg.Length{3, 2}}}
		p.Add(l)
		one.keys = append(one.keys, key{name: "noise floor", line: l.sty})
	}
	return render(columnWidth, 0.72*columnWidth, [][]*panel{{one}})
}

// level is a horizontal line at y, or a vertical one at y as x.
type level struct {
	y        float64
	vertical bool
	sty      draw.LineStyle
}

// Plot implements plot.Plotter.
func (l level) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	if l.vertical {
		c.StrokeLine2(l.sty, tx(l.y), c.Min.Y, tx(l.y), c.Max.Y)
		return
	}
	c.StrokeLine2(l.sty, c.Min.X, ty(l.y), c.Max.X, ty(l.y))
}
