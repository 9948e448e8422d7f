package trajectory

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/plumed"
)

// readHills reads METAD's hills: ln w = V/kT with all of them, or, by -rbias, with those before the frame and less what
// all places share by then.
func (im *importer) readHills(f *finder) (func(*biasFrame) (float64, error), error) {
	h, err := plumed.ReadHills(im.Weights.File("hills"))
	if err != nil {
		return nil, err
	}
	of, err := f.find(h.Names)
	if err != nil {
		return nil, err
	}
	for k, c := range of {
		const turn = 2 * math.Pi
		switch p := h.Period(k); {
		case c.kind == plumed.Torsion && math.Abs(p-turn) > 1e-3:
			return nil, fmt.Errorf("its variable %s has the period %g, and %s is a torsion, from -pi to pi",
				h.Names[k], p, c.name)
		case c.kind != "" && c.kind != plumed.Torsion && p > 0:
			return nil, fmt.Errorf("its variable %s closes on itself, and %s is a %s, which does not", h.Names[k],
				c.name, c.kind)
		}
	}
	beta, err := im.beta(im.Weights.File("hills"))
	if err != nil {
		return nil, err
	}
	im.noteVariables(f, of)
	unit := 1.0
	if im.input != nil {
		unit = im.input.Time
	}
	early := pace(h.Time) / 100 // a hill of the frame's own time is added after the frame
	meet := meeting{h: h, slack: early}
	im.ends["hills"] = func(int) error {
		meet.tell(im, of)
		return nil
	}
	if !im.RBias {
		return func(f *biasFrame) (float64, error) {
			x, err := values(im, of, f)
			if err != nil {
				return 0, err
			}
			if f.timed == nil {
				meet.look(x, f.time/unit)
			}
			return h.At(x, math.Inf(1)) * beta, nil
		}, nil
	}
	low, high := im.gridRange(h.Names)
	offset, err := h.Offset(1/beta, low, high)
	if err != nil {
		return nil, err
	}
	return func(f *biasFrame) (float64, error) {
		if f.timed != nil {
			return 0, fmt.Errorf("-rbias takes the hills before the frame's time: %w", f.timed)
		}
		x, err := values(im, of, f)
		if err != nil {
			return 0, err
		}
		meet.look(x, f.time/unit)
		before := f.time/unit - early
		return (h.At(x, before) - offset.At(before)) * beta, nil
	}, nil
}

// meeting compares frames at the times of hills with the places of these: a hill is put where the run is.
type meeting struct {
	h         *plumed.Hills
	slack     float64
	order     []int // of hills, in time
	seen, off int   // frames at the time of a hill, and those with none nearby
	at        []float64
	hill      int // the first ones that are apart
}

// look takes a frame, with its time as the hills count it.
func (m *meeting) look(x []float64, t float64) {
	if m.order == nil {
		for i := range m.h.Time {
			m.order = append(m.order, i)
		}
		slices.SortFunc(m.order, func(a, b int) int { return cmp.Compare(m.h.Time[a], m.h.Time[b]) })
	}
	k, _ := slices.BinarySearchFunc(m.order, t-m.slack, func(i int, t float64) int {
		return cmp.Compare(m.h.Time[i],
			t)
	})
	first, near := k, false
	for ; k < len(m.order) && m.h.Time[m.order[k]] <= t+m.slack; k++ { // one of each walker
		near = near || m.h.Near(m.order[k], x)
	}
	if k == first {
		return
	}
	m.seen++
	if !near {
		if m.off++; m.off == 1 {
			m.at, m.hill = x, m.order[first]
		}
	}
}

// tell notes where frames and hills are not of one run, or of other variables.
func (m *meeting) tell(im *importer, of []*coordinate) {
	if m.off <= m.seen/2 {
		return
	}
	var here, there []string
	for k, c := range of {
		here = append(here, c.show(m.at[k]))
		there = append(there, c.show(m.h.Centre[m.hill*len(of)+k]))
	}
	im.note("DOUBTFUL WEIGHTS: of %d frames at the times of hills %d are not where the hill was put: the first has "+
		"%s, and the "+
		"hill of its time %s: are trajectory and %s of one run, and the variables these?", m.seen, m.off,
		strings.Join(here, ", "), strings.Join(there, ", "), im.Weights.File("hills"))
}

// pace is the time between hills.
func pace(time []float64) float64 {
	sorted := slices.Sorted(slices.Values(time))
	n := len(sorted)
	if n < 2 {
		return 0
	}
	return (sorted[n-1] - sorted[0]) / float64(n-1)
}

// gridRange is that of METAD's grid on these variables, which its rct is taken over.
func (im *importer) gridRange(names []string) (low, high []float64) {
	if im.input == nil {
		return nil, nil
	}
	for _, b := range im.input.Biases {
		if b.Action == "METAD" && slices.Equal(b.Arguments, names) {
			return b.Low, b.High
		}
	}
	return nil, nil
}
