package observable

import (
	"fmt"
	"math"
)

// FloorPerfect estimates what a perfect model with unlimited samples scores against a reference trajectory, from the
// reference alone. Blocks of time are dealt to quarters at random, in each of repeats; the score of the halves they make, J₂, and of
// the quarters, J₄, tell how it falls with the number of frames, and J₂(J₂/J₄)² carries that on. Leading orders: a
// score is proportional to 1/a + 1/b of sets of a and b frames, so that n frames against the truth score as
// 2n against 2n do, two doublings from the halves. The Error is the standard deviation over repeats.
//
// It is good to a fifth where the result is below 0.1 (JS) and 10 (PMF error), and too high beyond. A model with samples of its own
// adds their FloorPerfect.
// Errors: fewer than four blocks, fewer than two repeats, no random state, ErrNoMass, those of Histogram.
func FloorPerfect(reference Torus, repeats int, r Resampling) (Scores, error) {
	n := len(reference.Phi)
	block := max(reference.Block, 1)
	blocks := (n + block - 1) / block
	if blocks < 4 || repeats < 2 || r.Rng == nil {
		return Scores{}, fmt.Errorf("observable: extrapolating a floor: %d frames in blocks of %d, %d repeats: four blocks and two repeats or more, and a random state, are needed", n, block, repeats)
	}
	c, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: extrapolating a floor: %w", err)
	}
	js, pmf := make([]float64, repeats), make([]float64, repeats)
	for k := range repeats {
		quarter := c.deal(4, block, r.Rng.Perm(blocks))
		js[k], pmf[k] = carryOn(quarter, JS), carryOn(quarter, PMFError)
		if math.IsNaN(js[k]) {
			return Scores{}, fmt.Errorf("observable: extrapolating a floor: %w", ErrNoMass)
		}
	}
	return Scores{JS: scatter(js), PMFError: scatter(pmf)}, nil
}

// carryOn is the score of halves, carried on by what halving costs; quarters: [4][cells].
func carryOn(quarter [][]float64, score func(p, q []float64) float64) float64 {
	half := [2][]float64{make([]float64, len(quarter[0])), make([]float64, len(quarter[0]))}
	for k, h := range half {
		for i := range h {
			h[i] = quarter[2*k][i] + quarter[2*k+1][i]
		}
	}
	j2 := score(half[0], half[1])
	j4 := (score(quarter[0], quarter[1]) + score(quarter[2], quarter[3])) / 2
	if j2 == 0 {
		return 0
	}
	return j2 * (j2 / j4) * (j2 / j4)
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
