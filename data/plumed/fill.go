package plumed

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

const turn = 2 * math.Pi

// rangeTolerance is how far from a turn the range of a dihedral may be, rad: four digits of π.
const rangeTolerance = 1e-3

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

var multipleOfPi = regexp.MustCompile(`^([+-]?[0-9.]*)\*?pi$`)

// number reads an end of a range: a number, or a multiple of pi such as -pi, 2*pi.
func number(text string) (float64, error) {
	factor := 1.0
	if m := multipleOfPi.FindStringSubmatch(text); m != nil {
		factor, text = math.Pi, m[1]
		if text == "" || text == "+" || text == "-" {
			text += "1"
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && !finite(v) {
		err = strconv.ErrRange
	}
	return factor * v, err
}

// checkRange refuses what is no range, and degrees.
func checkRange(name string, low, high float64) error {
	const what = "%s runs from %g to %g"
	switch span := high - low; {
	case !(span > 0):
		return fmt.Errorf(what, name, low, high)
	case math.Abs(span-360) < 0.1:
		return fmt.Errorf(what+", in degrees; PLUMED's dihedrals are in rad, from -pi to pi: write the grid in rad",
			name, low, high)
	}
	return nil
}

// Dihedral tells the grid that variable k is one: any turn of it is the same then, at the ends of a grid that does not
// go round, too. Errors: a range that no dihedral has, as a periodic one goes once round, another at most.
func (g *Grid) Dihedral(k int) error {
	const what = "plumed: %s runs from %g to %g"
	name, low, high := g.Names[k], g.Min[k], g.Max[k]
	switch span := high - low; {
	case g.Periodic[k] && math.Abs(span-turn) > rangeTolerance:
		return fmt.Errorf(what+" and closes there: that is no dihedral, which goes once round, from -pi to pi", name,
			low, high)
	case span > turn+rangeTolerance:
		return fmt.Errorf(what+", farther than once round: that is no dihedral", name, low, high)
	}
	if g.dihedral == nil {
		g.dihedral = make([]bool, len(g.Names))
	}
	g.dihedral[k] = true
	return nil
}

// fill puts the rows in their places, in whatever order they came. A variable that is not periodic
// has points at both ends. PLUMED counts both in nbins, others the steps between them.
func (p *parser) fill() error {
	g := p.grid
	for k := range g.Bins {
		if !g.Periodic[k] {
			g.Bins[k] = points(p.rows, k, g.Max[k]-g.Min[k], g.Bins[k])
			last := p.rows[0].v[k]
			for _, r := range p.rows {
				last = max(last, r.v[k])
			}
			if last < g.Max[k]-g.step(k)/2 {
				return fmt.Errorf("%s is not periodic and ends at %g, and its last point is at %.3f: the bias "+
					"between is not there; the file is cut short or periodic_%[1]s is "+
					"wrong", g.Names[k], g.Max[k], last)
			}
		}
	}
	n := g.points()
	if len(p.rows) < n {
		return fmt.Errorf("%d values, the header says %s; the file is cut short, write it again", len(p.rows), g.size())
	}
	g.Values = make([]float64, n)
	const empty, filled, closed = 0, 1, 2
	state := make([]byte, n)
	dim := len(g.Names)
	for _, r := range p.rows {
		point, now, unit := 0, byte(filled), 1
		for k := range dim {
			i, err := g.place(k, r.v[k])
			if err != nil {
				return fmt.Errorf("line %d: %w", r.line, err)
			}
			if i == g.Bins[k] { // some write a periodic variable's first point once more at its end
				i, now = 0, closed
			}
			point += unit * i
			unit *= g.Bins[k]
		}
		value := r.v[dim]
		if was := state[point]; was != empty &&
			(max(was, now) == filled || math.Abs(g.Values[point]-value) > 1e-6*max(1, math.Abs(value))) {
			return fmt.Errorf("line %d: the point %s is there twice, with the values %g and %g", r.line,
				list(r.v[:dim], "%g"), g.Values[point], value)
		}
		state[point], g.Values[point] = max(now, state[point]), value
	}
	for i, was := range state {
		if was == empty {
			return fmt.Errorf("there is no value at %s; the file is cut short, write it again",
				list(g.Place(i), "%.6f"))
		}
	}
	return nil
}

// Place is that of a point, by its place in Values.
func (g *Grid) Place(point int) (x []float64) {
	for k, n := range g.Bins {
		x = append(x, g.at(k, point%n))
		point /= n
	}
	return x
}

// size is the numbers of points, for messages.
func (g *Grid) size() string {
	var words []string
	for _, n := range g.Bins {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, " by ")
}

func list(x []float64, format string) string {
	var words []string
	for _, v := range x {
		words = append(words, fmt.Sprintf(format, v))
	}
	return strings.Join(words, ", ")
}

// points counts those of a variable from end to end: nbins, or one more. The first two different places tell.
func points(rows []row, k int, span float64, nbins int) int {
	for _, r := range rows {
		if step := math.Abs(r.v[k] - rows[0].v[k]); step > 1e-3*span/float64(nbins) {
			if math.Round(span/step) >= float64(nbins) {
				return nbins + 1
			}
			break
		}
	}
	return nbins
}

// step between the points of variable k.
func (g *Grid) step(k int) float64 {
	if g.Periodic[k] {
		return (g.Max[k] - g.Min[k]) / float64(g.Bins[k])
	}
	return (g.Max[k] - g.Min[k]) / float64(g.Bins[k]-1)
}

// at is the place of point i.
func (g *Grid) at(k, i int) float64 { return g.Min[k] + g.step(k)*float64(i) }

// place finds the point at x, to a thousandth of a step and five digits; Bins at the end of a periodic variable.
func (g *Grid) place(k int, x float64) (int, error) {
	i := math.Round((x - g.Min[k]) / g.step(k))
	if i >= 0 && i <= float64(g.Bins[k]) {
		want := g.at(k, int(i))
		switch {
		case math.Abs(x-want) > 1e-3*g.step(k)+1e-5:
			return 0, fmt.Errorf("%s is %g where the grid has %.6f", g.Names[k], x, want)
		case int(i) < g.Bins[k] || g.Periodic[k]:
			return int(i), nil
		}
	}
	return 0, fmt.Errorf("%s is %g, outside of the range %.6f to %.6f that the header says", g.Names[k], x, g.Min[k],
		g.Max[k])
}
