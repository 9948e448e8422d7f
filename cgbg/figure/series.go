package figure

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line with an optional band of one standard error. Series are drawn in the order given: put the exact one,
// which is the thickest, first.
type Series struct {
	// Name is the entry in the key.
	Name string
	// Role decides colour and line.
	Role Role
	// X and Y are [n], X increasing. The line breaks where Y is not finite.
	X, Y []float64
	// Error is the standard error of Y, [n], or nil; no band where it is not finite.
	Error []float64
	// Steps draws a histogram's outline, flat between the middles of neighbouring X.
	Steps bool

	line *draw.LineStyle // in place of the role's
}

func (s *Series) style() draw.LineStyle {
	if s.line != nil {
		return *s.line
	}
	return s.Role.style()
}

func (s *Series) check() error {
	if len(s.X) != len(s.Y) || s.Error != nil && len(s.Error) != len(s.Y) {
		return fmt.Errorf("series %q has %d X, %d Y and %d errors; want as many of each (or no errors)", s.Name,
			len(s.X), len(s.Y), len(s.Error))
	}
	for i, v := range s.X {
		if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && v < s.X[i-1] {
			return fmt.Errorf("series %q: X[%d] is %g; want finite and increasing", s.Name, i, v)
		}
	}
	return nil
}

func (s *Series) key() key { return key{name: s.Name, line: s.style(), band: s.Error != nil} }

// curve is a Series on a plot.
type curve struct{ s Series }

// Plot implements plot.Plotter.
func (c curve) Plot(cv draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&cv)
	s := c.s
	at := func(x, y float64) vg.Point {
		return vg.Point{X: tx(x), Y: ty(math.Min(math.Max(y, bound(p.Y.Min, p, -1)), bound(p.Y.Max, p, 1)))}
	}
	sty := s.style()
	if s.Error != nil {
		runs(len(s.Y), func(i int) bool { return finite(s.Y[i]) && finite(s.Error[i]) }, func(i, j int) {
			var up, down []vg.Point
			for k := i; k < j; k++ {
				up = append(up, at(s.X[k], s.Y[k]+s.Error[k]))
				down = append(down, at(s.X[k], s.Y[k]-s.Error[k]))
			}
			for k := len(down) - 1; k >= 0; k-- {
				up = append(up, down[k])
			}
			cv.FillPolygon(shade(sty.Color), cv.ClipPolygonXY(up))
		})
	}
	runs(len(s.Y), func(i int) bool { return finite(s.Y[i]) }, func(i, j int) {
		var line []vg.Point
		for k := i; k < j; k++ {
			if s.Steps {
				lo, hi := s.X[max(k-1, 0)], s.X[min(k+1, len(s.X)-1)]
				line = append(line, at((lo+s.X[k])/2, s.Y[k]), at((s.X[k]+hi)/2, s.Y[k]))
				continue
			}
			line = append(line, at(s.X[k], s.Y[k]))
		}
		cv.StrokeLines(sty, cv.ClipLinesXY(line)...)
	})
}

// bound is how far outside the axis a point may be drawn before clipping: far on a linear axis, and not to zero on a
// logarithmic one.
func bound(edge float64, p *plot.Plot, sign float64) float64 {
	switch p.Y.Scale.(type) {
	case plot.LogScale, logScale:
		return edge * math.Pow(10, 3*sign)
	}
	return edge + sign*100*(p.Y.Max-p.Y.Min)
}

// runs calls f for each maximal range [i, j) of indices that are good.
func runs(n int, good func(int) bool, f func(i, j int)) {
	for i := 0; i < n; {
		if !good(i) {
			i++
			continue
		}
		j := i
		for j < n && good(j) {
			j++
		}
		f(i, j)
		i = j
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func splitWords(s string) []string { return strings.Fields(s) }

// extent returns the range of finite values of get over all series, 0 to 1 where there are none.
func extent(series []Series, get func(s *Series, i int) float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for k := range series {
		for i := range series[k].Y {
			if v := get(&series[k], i); finite(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	switch {
	case lo > hi:
		return 0, 1
	case lo == hi:
		return lo - 0.5, hi + 0.5
	}
	return lo, hi
}

// checkAll checks that there is something to draw.
func checkAll(series []Series) error {
	if len(series) == 0 {
		return fmt.Errorf("no series to draw")
	}
	for i := range series {
		if err := series[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func keys(series []Series) []key {
	var k []key
	for i := range series {
		if series[i].Name != "" {
			k = append(k, series[i].key())
		}
	}
	return k
}
