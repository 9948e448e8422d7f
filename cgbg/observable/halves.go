package observable

import (
	"fmt"
	"math"
)

// FloorHalves is what the two halves of a reference score against each other: blocks of time are dealt to two halves
// at random, in each of repeats. The Error is the standard deviation of one score. A model cannot be told from the
// truth below about half of it, since each half is half as long as the reference.
// Errors: those of FloorReference.
func FloorHalves(reference Points, repeats int, r Resampling) (Scores, error) {
	n, block := reference.Len(), max(reference.Block, 1)
	blocks := (n + block - 1) / block
	if blocks < 2 || repeats < 2 || r.Rng == nil {
		return Scores{}, fmt.Errorf("observable: scoring halves: %d frames in blocks of %d, %d repeats: "+
			"two blocks and repeats or more, and a random state, are needed", n, block, repeats)
	}
	c, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: scoring halves: %w", err)
	}
	js, pmf := make([]float64, repeats), make([]float64, repeats)
	for k := range repeats {
		half := c.deal(2, block, r.Rng.Perm(blocks))
		js[k], pmf[k] = JS(half[0], half[1]), pmfError(half[0], half[1])
		if math.IsNaN(js[k]) {
			return Scores{}, fmt.Errorf("observable: scoring halves: %w", ErrNoMass)
		}
	}
	return Scores{JS: scatter(js), PMFError: scatter(pmf)}, nil
}

func scatter(x []float64) Estimate {
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return Estimate{Value: mean, Error: math.Sqrt(square)}
}
