package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// Distribution is a panel of probability densities.
type Distribution struct {
	// Title stands above the panel, may be empty.
	Title string
	// Series are densities per unit of X on equal bins, X their middles; drawn as outlines, with bands where they have
	// errors.
	Series []Series
	// XMin and XMax bound the axis; both 0 takes what holds all but a thousandth of every series.
	XMin, XMax float64
	// Quality is shown above the axes; may be nil.
	Quality *Quality
}

// EnergyHistograms draws distributions of the potential of mean force, kJ/mol, one to four panels, as in Fig. 3b and 4b
// of the paper. The zero of U is arbitrary: take the same for all series. Errors: no panel or more than four, no
// series, lengths that differ, a density below zero.
func EnergyHistograms(panels ...Distribution) (Picture, error) {
	return distributions(panels, "U, kJ/mol", "probability density, mol/kJ", "energies")
}

// BondLengths draws distributions of the length of a bond, nm, one to four panels, as in Fig. 14 of the paper. Errors:
// those of EnergyHistograms.
func BondLengths(panels ...Distribution) (Picture, error) {
	return distributions(panels, "bond length, nm", "probability density, 1/nm", "bond lengths")
}

// distributions draws one panel in a column, two side by side, and up to four on a sheet of two rows.
func distributions(list []Distribution, x, y, what string) (Picture, error) {
	if len(list) == 0 || len(list) > 4 {
		return Picture{}, fmt.Errorf("figure: drawing %s: %d panels; want one to four", what, len(list))
	}
	var panels []*panel
	for i, d := range list {
		p, err := d.panel(x, y)
		if err != nil {
			return Picture{}, fmt.Errorf("figure: drawing %s: panel %d: %w", what, i+1, err)
		}
		if len(list) > 1 {
			p.letter = string(rune('a' + i))
		}
		panels = append(panels, p)
	}
	switch len(panels) {
	case 1:
		return render(columnWidth, 0.78*columnWidth, [][]*panel{panels})
	case 2:
		return render(fullWide, 0.4*fullWide, [][]*panel{panels})
	}
	return render(fullWide, 0.8*fullWide, inPairs(panels))
}

// inPairs puts panels in rows of two, a last single one beside a blank.
func inPairs(panels []*panel) [][]*panel {
	if len(panels)%2 == 1 {
		blank := plot.New()
		blank.HideAxes()
		panels = append(panels, &panel{plot: blank})
	}
	return slices.Collect(slices.Chunk(panels, 2))
}

func (d Distribution) panel(x, y string) (*panel, error) {
	if err := checkAll(d.Series); err != nil {
		return nil, err
	}
	for _, s := range d.Series {
		for i, v := range s.Y {
			if !(v >= 0) || math.IsInf(v, 1) {
				return nil, fmt.Errorf("series %q: the density is %g at %g; want it finite and not negative",
					s.Name, v, s.X[i])
			}
		}
	}
	p := newPlot(x, y)
	p.X.Min, p.X.Max = d.XMin, d.XMax
	if d.XMin == 0 && d.XMax == 0 {
		p.X.Min, p.X.Max = bulk(d.Series)
	}
	p.X.Tick.Marker = niceTicks(5)
	_, top := extent(d.Series, func(s *Series, i int) float64 { return s.Y[i] })
	p.Y.Min, p.Y.Max = 0, 1.08*top
	out := &panel{plot: p, remarks: d.Quality.remarks()}
	for _, s := range d.Series {
		s.Steps = true
		line := s.style()
		line.Width = vg.Points(lineWidth) // outlines lie over each other: none hides the others
		s.line = &line
		p.Add(curve{s})
		out.keys = append(out.keys, s.key())
	}
	if d.Title != "" {
		out.remarks = append(out.remarks, remark{text: d.Title})
	}
	return out, nil
}

// bulk is the range outside which no series has more than a thousandth of its mass on either side.
func bulk(series []Series) (lo, hi float64) {
	const tail = 1e-3
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range series {
		total := 0.0
		for _, v := range s.Y {
			total += v
		}
		sum := 0.0
		for i, v := range s.Y {
			before := sum
			if sum += v; before <= tail*total && sum > tail*total {
				lo = math.Min(lo, s.X[i])
			}
			if before < (1-tail)*total && sum >= (1-tail)*total {
				hi = math.Max(hi, s.X[i])
			}
		}
	}
	if !(hi > lo) { // one bin, or none
		return extent(series, func(s *Series, i int) float64 { return s.X[i] })
	}
	return lo, hi
}
