package observable

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Estimate is a number with its standard error.
type Estimate = reweight.Estimate

// Constants of the published metrics.
const (
	sumGuard  = 1e-10 // added to the total before dividing
	emptyCell = 1e-10 // stands in for a probability of zero in the PMF error
)

// ErrNoMass reports a histogram without weight inside its bins.
var ErrNoMass = errors.New("the histogram holds no weight inside its bins")

// JS returns the Jensen–Shannon divergence ½[KL(p‖m) + KL(q‖m)], m = (p+q)/2, in nats, between 0 and ln 2.
// p, q: weight per cell, [cells], of any scale; each is divided by its sum plus 1e-10. Cells outside the
// histograms do not count. It panics if lengths differ; NaN if a histogram is empty, which the
// Score functions report as ErrNoMass.
// Source: definition of arXiv 2602.10637, §4, with the conventions of its published code.
func JS(p, q []float64) float64 {
	sp, sq := sums(p, q)
	if sp == 0 || sq == 0 {
		return math.NaN()
	}
	var d, apart float64
	for i := range p {
		switch a, b := p[i]/(sp+sumGuard), q[i]/(sq+sumGuard); {
		case a == 0 || b == 0:
			apart += a + b // without a logarithm: most cells are empty in one of them, or both
		default: // a/(a+b), not a/m: half of the smallest number is zero
			d += 0.5*a*math.Log(2*(a/(a+b))) + 0.5*b*math.Log(2*(b/(a+b)))
		}
	}
	return d + 0.5*math.Ln2*apart
}

// pmfError returns Σ m̂ (ln p − ln q)², the squared difference of two free-energy surfaces in (kT)², weighted by
// m̂, the normalised (p+q)/2. Cells of a probability below 1e-10, zero too, count as 1e-10. Arguments, panics and
// source are those of JS.
func pmfError(p, q []float64) float64 {
	sp, sq := sums(p, q)
	if sp == 0 || sq == 0 {
		return math.NaN()
	}
	var sum, total float64
	for i := range p {
		a, b := max(p[i]/(sp+sumGuard), emptyCell), max(q[i]/(sq+sumGuard), emptyCell)
		var d float64
		switch { // as few logarithms as can be: most cells are empty in one of them, or both
		case a == emptyCell && b == emptyCell:
		case a == emptyCell:
			d = logEmptyCell - math.Log(b)
		case b == emptyCell:
			d = math.Log(a) - logEmptyCell
		default:
			d = math.Log(a / b)
		}
		m := 0.5 * (a + b)
		sum += m * d * d
		total += m
	}
	return sum / total
}

var logEmptyCell = math.Log(emptyCell)

func sums(p, q []float64) (sp, sq float64) {
	if len(p) != len(q) {
		panic(fmt.Sprintf("observable: comparing %d cells with %d", len(p), len(q)))
	}
	for i := range p {
		sp += p[i]
		sq += q[i]
	}
	return sp, sq
}

// Scores are the two numbers that compare distributions, each with its error.
type Scores struct {
	// JS is the Jensen–Shannon divergence in nats, PMFError the weighted squared difference of ln p.
	JS, PMFError Estimate
}

// Score compares the histograms of model and reference, of one variable or of two together. Both are resampled for the
// errors, each in its own blocks, weights and values together; r.Block is not used.
// Errors: axes that differ, those of Histogram, ErrNoMass, bad Resampling.
func Score(model, reference Points, r Resampling) (Scores, error) {
	if err := sameAxes(model, reference); err != nil {
		return Scores{}, fmt.Errorf("observable: scoring: %w", err)
	}
	m, err := model.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: scoring the model: %w", err)
	}
	ref, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: scoring against the reference: %w", err)
	}
	return score(m, &ref, nil, r)
}

// ScoreDifference is the score of a less that of b, which are the same samples with
// two weights, against one reference. For its errors the same samples are drawn for both,
// so that what they share does not count.
// Errors: those of Score; samples that are not the same.
func ScoreDifference(a, b, reference Points, r Resampling) (Scores, error) {
	var s Scores
	if err := sameAxes(a, reference); err != nil {
		return s, fmt.Errorf("observable: the difference of scores: %w", err)
	}
	if !slices.EqualFunc(a.X, b.X, sameValues) || !slices.Equal(a.Axes, b.Axes) || a.Block != b.Block {
		return s, fmt.Errorf("observable: the difference of scores: not the same samples")
	}
	var lists [3]cellList
	var h [3][]float64
	for k, t := range []Points{a, b, reference} {
		var err error
		if lists[k], err = t.cells(); err != nil {
			return s, fmt.Errorf("observable: the difference of scores: %w", err)
		}
		h[k] = make([]float64, lists[k].n)
		lists[k].mass(h[k], nil)
	}
	s.JS.Value = JS(h[0], h[2]) - JS(h[1], h[2])
	s.PMFError.Value = pmfError(h[0], h[2]) - pmfError(h[1], h[2])
	if math.IsNaN(s.JS.Value) || math.IsNaN(s.PMFError.Value) {
		return s, fmt.Errorf("observable: the difference of scores: %w", ErrNoMass)
	}
	if r.Resamples == 0 {
		return s, nil
	}
	sd, err := r.run(2, func() resampleStat {
		var h [3][]float64
		for k := range h {
			h[k] = make([]float64, lists[k].n)
		}
		samples, frames := make([]int, len(lists[0].cell)), make([]int, len(lists[2].cell))
		return func(rng rng, out []float64) {
			blockIndices(samples, max(lists[0].block, 1), rng)
			blockIndices(frames, max(lists[2].block, 1), rng)
			lists[0].mass(h[0], samples)
			lists[1].mass(h[1], samples)
			lists[2].mass(h[2], frames)
			out[0], out[1] = JS(h[0], h[2])-JS(h[1], h[2]), pmfError(h[0], h[2])-pmfError(h[1], h[2])
		}
	})
	if err != nil {
		return s, fmt.Errorf("observable: the difference of scores: %w", err)
	}
	s.JS.Error, s.PMFError.Error = sd[0], sd[1]
	return s, nil
}

// sameValues tells whether two series are the same, places without a value included.
func sameValues(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

// ScoreExact compares the histogram of weighted samples with exact bin masses. The samples are resampled for the
// errors in blocks of r.Block. Samples outside the bins do not count.
// x, w, edges: those of Histogram; exact: mass of each bin, [bins], of any scale.
// Errors: those of Histogram, ErrNoMass, lengths that differ, bad Resampling.
func ScoreExact(x, w, edges, exact []float64, r Resampling) (Scores, error) {
	var s Scores
	if len(exact) != len(edges)-1 {
		return s, fmt.Errorf("observable: scoring: %d exact masses for %d bins", len(exact), len(edges)-1)
	}
	if err := checkSamples(x, w); err != nil {
		return s, fmt.Errorf("observable: scoring: %w", err)
	}
	b, err := newBinner(edges)
	if err != nil {
		return s, fmt.Errorf("observable: scoring: %w", err)
	}
	c := cellList{cell: make([]int32, len(x)), w: w, n: b.bins, block: r.Block}
	for i, v := range x {
		if c.cell[i] = int32(b.bin(v)); int(c.cell[i]) >= b.bins {
			c.cell[i] = -1
		}
	}
	return score(c, nil, exact, r)
}

// cellList is a list of samples by cell, −1 outside.
type cellList struct {
	cell  []int32
	w     []float64
	n     int
	block int
}

// mass adds the samples idx (all if nil) into h, which it clears.
func (c *cellList) mass(h []float64, idx []int) {
	clear(h)
	if idx == nil {
		for i, k := range c.cell {
			if k >= 0 {
				h[k] += weight(c.w, i)
			}
		}
		return
	}
	for _, i := range idx {
		if k := c.cell[i]; k >= 0 {
			h[k] += weight(c.w, i)
		}
	}
}

// score compares m with ref, or with exact where ref is nil.
func score(m cellList, ref *cellList, exact []float64, r Resampling) (Scores, error) {
	p, q := make([]float64, m.n), exact
	m.mass(p, nil)
	if ref != nil {
		q = make([]float64, m.n)
		ref.mass(q, nil)
	}
	s := Scores{JS: Estimate{Value: JS(p, q)}, PMFError: Estimate{Value: pmfError(p, q)}}
	if math.IsNaN(s.JS.Value) || math.IsNaN(s.PMFError.Value) {
		return s, fmt.Errorf("observable: scoring: %w; check the units and the range of the samples", ErrNoMass)
	}
	if r.Resamples == 0 {
		return s, nil
	}
	lists := []cellList{m}
	if ref != nil {
		lists = append(lists, *ref)
	}
	sd, err := bootstrapLists(lists, r, func(h [][]float64, out []float64) {
		b := exact
		if ref != nil {
			b = h[1]
		}
		out[0], out[1] = JS(h[0], b), pmfError(h[0], b)
	}, 2)
	if err != nil {
		return s, fmt.Errorf("observable: scoring: %w", err)
	}
	s.JS.Error, s.PMFError.Error = sd[0], sd[1]
	return s, nil
}

// bootstrapLists returns the standard deviations of stat over resampled histograms of the lists.
func bootstrapLists(lists []cellList, r Resampling, stat func(h [][]float64, out []float64),
	dim int) ([]float64, error) {
	newStat := func() resampleStat {
		h := make([][]float64, len(lists))
		idx := make([][]int, len(lists))
		for k, l := range lists {
			h[k], idx[k] = make([]float64, l.n), make([]int, len(l.cell))
		}
		return func(rng rng, out []float64) {
			for k := range lists {
				blockIndices(idx[k], max(lists[k].block, 1), rng)
				lists[k].mass(h[k], idx[k])
			}
			stat(h, out)
		}
	}
	return r.run(dim, newStat)
}
