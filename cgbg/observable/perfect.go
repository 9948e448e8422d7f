package observable

import (
	"fmt"
	"math"
)

// FloorPerfect estimates what a perfect model with unlimited samples scores against a reference trajectory, from the
// reference alone. Blocks of time are dealt to quarters at random, in each of repeats; the mean score of the halves
// they make, J₂, and of the quarters, J₄, tell how it falls with the number of frames, and J₂(J₂/J₄)² carries that
// on. To leading order a score is proportional to 1/a + 1/b of sets of a and b frames, so that n frames against the
// truth score as 2n against 2n do, two doublings from the halves. The Error is the standard deviation over repeats.
//
// J₂/J₄ counts as at most 1, where a basin was visited a few times and more frames are no better, and as at least ½,
// what doubling can give when no cell is empty any more. So the result errs on the high side: checked against exact
// samples, JS is good to a fifth below 0.05, the PMF error is up to a fifth too high for plain samples below 10, and
// up to 4 times for weighted ones, whose rarest cells fill all at once. A model with samples of its own adds their
// FloorPerfect.
// Errors: fewer than four blocks, fewer than two repeats, no random state, ErrNoMass, those of Histogram.
func FloorPerfect(reference Points, repeats int, r Resampling) (Scores, error) {
	n, block := reference.Len(), max(reference.Block, 1)
	blocks := (n + block - 1) / block
	if blocks < 4 || repeats < 2 || r.Rng == nil {
		return Scores{}, fmt.Errorf("observable: extrapolating a floor: %d frames in blocks of %d, %d repeats: "+
			"four blocks and two repeats or more, and a random state, are needed", n, block, repeats)
	}
	c, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: extrapolating a floor: %w", err)
	}
	var js, pmf [2][]float64 // of halves, and of quarters
	for range repeats {
		quarter := c.deal(4, block, r.Rng.Perm(blocks))
		halves := [2][]float64{added(quarter[0], quarter[1]), added(quarter[2], quarter[3])}
		for k, q := range [][2][]float64{halves, {quarter[0], quarter[1]}, {quarter[2], quarter[3]}} {
			js[min(k, 1)] = append(js[min(k, 1)], JS(q[0], q[1]))
			pmf[min(k, 1)] = append(pmf[min(k, 1)], pmfError(q[0], q[1]))
		}
	}
	s := Scores{JS: carryOn(js), PMFError: carryOn(pmf)}
	if math.IsNaN(s.JS.Value) {
		return s, fmt.Errorf("observable: extrapolating a floor: %w", ErrNoMass)
	}
	return s, nil
}

// carryOn is the score of halves, carried on by what halving costs.
func carryOn(score [2][]float64) Estimate {
	half, quarter := scatter(score[0]), scatter(score[1])
	if half.Value == 0 {
		return half
	}
	// Bounds: no gain at all, and that of 1/n.
	gain := math.Pow(math.Min(1, math.Max(0.5, half.Value/quarter.Value)), 2)
	return Estimate{Value: gain * half.Value, Error: gain * half.Error}
}

func added(a, b []float64) []float64 {
	sum := make([]float64, len(a))
	for i := range sum {
		sum[i] = a[i] + b[i]
	}
	return sum
}

// deal adds blocks of consecutive samples to hands in turn, in the order given; [hands][cells].
func (c *cellList) deal(hands, block int, order []int) [][]float64 {
	out := make([][]float64, hands)
	for k := range out {
		out[k] = make([]float64, c.n)
	}
	for at, b := range order {
		hand := out[at%hands]
		for i := b * block; i < min((b+1)*block, len(c.cell)); i++ {
			if c.cell[i] >= 0 {
				hand[c.cell[i]] += weight(c.w, i)
			}
		}
	}
	return out
}
