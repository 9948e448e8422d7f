package observable

import (
	"fmt"
	"slices"
)

// Points is a set of weighted values of one or two variables.
type Points struct {
	// X is the values of each variable, [1 or 2][n].
	X [][]float64
	// Axes are the range and bins of each variable.
	Axes []Axis
	// Weight is of any scale, [n], or nil for one each.
	Weight []float64
	// Block is the number of consecutive frames that stay together in a resample: 1 (or 0) for independent samples, a
	// few times Inefficiency for a trajectory.
	Block int
}

// mostCells is the number of cells that histograms have at most: 4000 × 4000, 128 MB.
const mostCells = 4000 * 4000

// Len is the number of points.
func (p Points) Len() int {
	if len(p.X) == 0 {
		return 0
	}
	return len(p.X[0])
}

// Inefficiency is that of the slowest variable, frames; of an angle its cosine and sine count. See the function.
func (p Points) Inefficiency() float64 {
	g := 1.0
	for k, a := range p.Axes {
		g = max(g, a.inefficiency(p.X[k]))
	}
	return g
}

// check returns an error unless there are as many values of each variable, and axes for them.
func (p Points) check() error {
	if len(p.X) < 1 || len(p.X) > 2 || len(p.Axes) != len(p.X) {
		return fmt.Errorf("%d variables on %d axes; want one or two, each with its axis", len(p.X), len(p.Axes))
	}
	cells := 1
	for k, a := range p.Axes {
		if err := a.check(); err != nil {
			return err
		}
		if len(p.X[k]) != p.Len() {
			return fmt.Errorf("%d values of one variable, %d of the other", p.Len(), len(p.X[k]))
		}
		if err := checkSamples(p.X[k], p.Weight); err != nil {
			return err
		}
		if cells = cells * min(a.Bins, mostCells); cells > mostCells {
			return fmt.Errorf("more than %d cells; use fewer bins", mostCells)
		}
	}
	return nil
}

// cells are the points by cell, for scores: i of one variable, i*ny + j of two. What lies beyond an end of an interval
// is in the last cell there: the range is that of a reference, and a model that leaves it differs from it.
func (p Points) cells() (cellList, error) { return p.sort(false) }

// within are the points by cell without those beyond the end of an interval, for pictures.
func (p Points) within() (cellList, error) { return p.sort(true) }

func (p Points) sort(drop bool) (cellList, error) {
	c := cellList{w: p.Weight, n: 1, block: p.Block}
	if err := p.check(); err != nil {
		return c, err
	}
	c.cell = make([]int32, p.Len())
	for k, a := range p.Axes {
		b, err := newBinner(Edges(a.Lo, a.Hi, a.Bins))
		if err != nil {
			return c, err
		}
		c.n *= b.bins
		for i, v := range p.X[k] {
			bin := b.bin(a.wrap(v))
			if inside := min(max(bin, 0), b.bins-1); drop && bin != inside || c.cell[i] < 0 {
				c.cell[i] = -1
			} else {
				c.cell[i] = c.cell[i]*int32(b.bins) + int32(inside)
			}
		}
	}
	return c, nil
}

// sameAxes returns an error unless two sets have one histogram.
func sameAxes(model, reference Points) error {
	if !slices.Equal(model.Axes, reference.Axes) {
		return fmt.Errorf("the model has the axes %+v, the reference %+v; score both on one", model.Axes,
			reference.Axes)
	}
	return nil
}
