package pmf

import (
	"fmt"
	"math"
)

// The loss of force matching is the error of the learned force plus the noise,
// the variance of instantaneous forces about the mean force at R: its floor.

// NoiseFloor is the noise of forces about a known mean force, the mean of
// (f − mean)² per component, with its standard error: what Config.Floor takes.
//
// f, mean: [n*dim], in the order of time. Errors: lengths that differ, or fewer
// than 20 numbers.
func NoiseFloor(f []float32, mean []float64) (floor, stderr float64, err error) {
	if len(f) != len(mean) {
		return 0, 0, fmt.Errorf("pmf: noise floor: %d forces, but %d mean forces", len(f), len(mean))
	}
	return blockMean(len(f), func(i int) float64 {
		d := float64(f[i]) - mean[i]
		return d * d
	})
}

// NoiseBoundOf is an upper bound of the noise floor where the mean force is not
// known, with its standard error: the mean product of the residuals of two
// members,
//
//	E[(f−F₁)(f−F₂)] = noise + E[(F₁−F)(F₂−F)],
//
// over all pairs of members. In expectation over seeds the last term is the
// squared error of the mean of infinitely many members, so that the bound is
// not below the floor, and below the loss of a single member by the variance that
// its seed brings. Frames must be others than those of training, whose noise
// the members have learned in part.
//
// f: forces of frames, in the order of time; members: those of two or more potentials; each [n*dim].
// Errors: fewer, lengths that differ.
func NoiseBoundOf(f []float32, members ...[]float64) (bound, stderr float64, err error) {
	if len(members) < 2 {
		return 0, 0, fmt.Errorf("pmf: noise bound: forces of %d potentials: two or more", len(members))
	}
	// Σ_a<b ρ_a ρ_b = ½[(Σρ)² − Σρ²]
	sum, squares := make([]float64, len(f)), make([]float64, len(f))
	for _, force := range members {
		if len(force) != len(f) {
			return 0, 0, fmt.Errorf("pmf: noise bound: %d forces of a potential, but %d of frames", len(force), len(f))
		}
		for i, v := range force {
			d := float64(f[i]) - v
			sum[i] += d
			squares[i] += d * d
		}
	}
	n := float64(len(members))
	return blockMean(len(f), func(i int) float64 { return (sum[i]*sum[i] - squares[i]) / (n * (n - 1)) })
}

// noiseBlocks are the pieces of a series whose scatter gives a standard error.
const noiseBlocks = 20

// blockMean is the mean of a series, and its standard error from blocks, which
// must be longer than the series' correlation.
func blockMean(n int, value func(i int) float64) (mean, stderr float64, err error) {
	if n < noiseBlocks {
		return 0, 0, fmt.Errorf("pmf: noise: %d numbers, want %d or more", n, noiseBlocks)
	}
	var blocks []float64
	for b := range noiseBlocks {
		lo, hi := b*n/noiseBlocks, (b+1)*n/noiseBlocks
		var sum float64
		for i := lo; i < hi; i++ {
			sum += value(i)
		}
		mean += sum / float64(n)
		blocks = append(blocks, sum/float64(hi-lo))
	}
	for _, v := range blocks {
		stderr += (v - mean) * (v - mean) / (noiseBlocks * (noiseBlocks - 1))
	}
	return mean, math.Sqrt(stderr), nil
}

// withFloor adds the floor to the progress note.
func withFloor(progress func(done, total int, note string), floor float64) func(done, total int, note string) {
	if progress == nil || floor == 0 {
		return progress
	}
	return func(done, total int, note string) {
		progress(done, total, fmt.Sprintf("%s (noise floor %.4g)", note, floor))
	}
}
