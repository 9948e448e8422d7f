package observable

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// Floor returns the mean score of n exact samples over repeats, and in Error the standard deviation of one score,
// which is what a perfect model's score scatters by. score draws n exact samples with rng and scores them.
// Errors: n or repeats below one, those of score.
func Floor(n, repeats int, rng *rand.Rand, score func(n int, rng *rand.Rand) (float64, error)) (Estimate, error) {
	if n < 1 || repeats < 1 {
		return Estimate{}, fmt.Errorf("observable: estimating a floor: %d repeats of %d samples; want one or more",
			repeats, n)
	}
	var mean, m2 float64
	for k := range repeats {
		v, err := score(n, rng)
		if err != nil {
			return Estimate{}, fmt.Errorf("observable: estimating a floor: repeat %d: %w", k, err)
		}
		d := v - mean
		mean += d / float64(k+1)
		m2 += d * (v - mean)
	}
	e := Estimate{Value: mean}
	if repeats > 1 {
		e.Error = math.Sqrt(m2 / float64(repeats-1))
	}
	return e, nil
}

// FloorExact returns the floors of JS and PMFError of n samples against the masses they are drawn from: mean scores
// over repeats (100 give it to a few per cent), with the standard deviation of one score in Error. Drawing bin
// counts is the same in law as drawing samples and making their histogram.
// exact: mass of each bin, [bins], of any scale. Errors: n or repeats below one, ErrNoMass, a mass that is negative.
func FloorExact(n, repeats int, exact []float64, rng *rand.Rand) (Scores, error) {
	draw, err := newSampler(exact)
	if err != nil {
		return Scores{}, fmt.Errorf("observable: estimating a floor: %w", err)
	}
	h := make([]float64, len(exact))
	return floors(n, repeats, rng, func(n int, rng *rand.Rand) ([]float64, []float64, error) {
		clear(h)
		for range n {
			h[draw(rng)]++
		}
		return h, exact, nil
	})
}

// FloorReference estimates the floors of n independent samples against a reference trajectory from the reference
// alone. Each repeat splits its blocks at random into two halves, draws n frames by weight from the one and scores
// them against the other. That half has half as many frames as the reference, so the floor is somewhat high.
// Errors: n or repeats below one, fewer than two blocks, ErrNoMass, those of Histogram.
func FloorReference(reference Points, n, repeats int, rng *rand.Rand) (Scores, error) {
	c, err := reference.cells()
	if err != nil {
		return Scores{}, fmt.Errorf("observable: estimating a floor: %w", err)
	}
	block := max(c.block, 1)
	blocks := (len(c.cell) + block - 1) / block
	if blocks < 2 {
		return Scores{}, fmt.Errorf("observable: estimating a floor: %d frames are %d blocks of %d; "+
			"use shorter blocks or more frames", len(c.cell), blocks, block)
	}
	half := [2][]float64{make([]float64, c.n), make([]float64, c.n)}
	h := make([]float64, c.n)
	return floors(n, repeats, rng, func(n int, rng *rand.Rand) ([]float64, []float64, error) {
		clear(half[0])
		clear(half[1])
		for k, b := range rng.Perm(blocks) {
			side := half[k%2]
			for i := b * block; i < min((b+1)*block, len(c.cell)); i++ {
				if c.cell[i] >= 0 {
					side[c.cell[i]] += weight(c.w, i)
				}
			}
		}
		draw, err := newSampler(half[0])
		if err != nil {
			return nil, nil, err
		}
		clear(h)
		for range n {
			h[draw(rng)]++
		}
		return h, half[1], nil
	})
}

// floors scores what pair returns, twice.
func floors(n, repeats int, rng *rand.Rand,
	pair func(n int, rng *rand.Rand) (p, q []float64, err error)) (Scores, error) {
	pmf := make([]float64, 0, max(repeats, 0))
	js, err := Floor(n, repeats, rng, func(n int, rng *rand.Rand) (float64, error) {
		p, q, err := pair(n, rng)
		if err != nil {
			return 0, err
		}
		pmf = append(pmf, pmfError(p, q))
		if v := JS(p, q); !math.IsNaN(v) {
			return v, nil
		}
		return 0, ErrNoMass
	})
	if err != nil {
		return Scores{}, err
	}
	k := 0
	e, err := Floor(n, repeats, rng, func(int, *rand.Rand) (float64, error) { k++; return pmf[k-1], nil })
	return Scores{JS: js, PMFError: e}, err
}

// newSampler returns a function that draws a bin with probability in proportion to its mass.
func newSampler(mass []float64) (func(rng *rand.Rand) int, error) {
	upto := make([]float64, len(mass))
	var s float64
	last := -1
	for i, v := range mass {
		if !(v >= 0) || math.IsInf(v, 1) {
			return nil, fmt.Errorf("mass %d of %d is %g; want it finite and not negative", i, len(mass), v)
		}
		s += v
		upto[i] = s
		if v > 0 {
			last = i
		}
	}
	if last < 0 {
		return nil, ErrNoMass
	}
	return func(rng *rand.Rand) int {
		u := rng.Float64() * s
		return min(sort.Search(len(upto), func(k int) bool { return u < upto[k] }), last)
	}, nil
}
