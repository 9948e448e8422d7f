package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// weightBins is the number of bars; weightSpan is how many decades below the largest weight are shown at most.
const (
	weightBins = 61
	weightSpan = 8
)

// WeightHistogram draws how many samples have which weight: log10 of the weight over its mean against the number of
// samples, both logarithmic, so that a heavy tail shows. logw: log-weights, [n], nats; −Inf (dropped) and weights more
// than eight decades below the largest are counted in a remark. q may be nil. Errors: no weight above zero, NaN or
// +Inf.
func WeightHistogram(logw []float64, q *Quality) (Picture, error) {
	top := math.Inf(-1)
	for i, v := range logw {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return Picture{}, fmt.Errorf("figure: drawing weights: log-weight %d is %g", i, v)
		}
		top = math.Max(top, v)
	}
	if math.IsInf(top, -1) {
		return Picture{}, fmt.Errorf("figure: drawing weights: none of %d samples has a weight above zero", len(logw))
	}
	var sum float64
	for _, v := range logw {
		sum += math.Exp(v - top)
	}
	mean := top + math.Log(sum/float64(len(logw)))
	var x []float64
	hidden := 0
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range logw {
		d := (v - mean) / math.Ln10
		if v < top-weightSpan*math.Ln10 {
			hidden++
			continue
		}
		x = append(x, d)
		lo, hi = math.Min(lo, d), math.Max(hi, d)
	}
	if hi-lo < 0.1 { // nearly constant weights
		lo, hi = (lo+hi)/2-0.05, (lo+hi)/2+0.05
	}
	b := bars{lo: lo, width: (hi - lo) / weightBins, count: make([]float64, weightBins)}
	most := 0.0
	for _, d := range x {
		k := min(int((d-lo)/b.width), weightBins-1)
		b.count[k]++
		most = math.Max(most, b.count[k])
	}
	p := newPlot("log10 (weight / mean weight)", "samples")
	pad := 0.03 * (hi - lo)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo-pad, hi+pad, 0.7, 1.5*most
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	p.Add(b)
	one := &panel{plot: p, remarks: q.remarks()}
	if lo <= 0 && hi >= 0 {
		l := level{vertical: true, sty: draw.LineStyle{Color: black, Width: vg.Points(axisWidth),
			Dashes: []vg.Length{3, 2}}}
		p.Add(l)
		one.keys = []key{{name: "mean weight", line: l.sty}}
	}
	if hidden > 0 {
		one.remarks = append(one.remarks, remark{text: fmt.Sprintf("%d of %d samples not shown (dropped, or of "+
			"negligible weight)", hidden, len(logw))})
	}
	return render(columnWidth, 0.72*columnWidth, [][]*panel{{one}})
}

// bars is a histogram of equal bins, drawn from the bottom of the axes.
type bars struct {
	lo, width float64
	count     []float64
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	edge := draw.LineStyle{Color: blue, Width: vg.Points(thinWidth)}
	for k, n := range b.count {
		if n == 0 {
			continue
		}
		q := box(tx(b.lo+float64(k)*b.width), c.Min.Y, tx(b.lo+float64(k+1)*b.width), ty(n))
		c.FillPolygon(shade(blue), q)
		c.StrokeLines(edge, append(q, q[0]))
	}
}
