package observable

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

type rng = *rand.Rand

// Resampling says how bootstrap errors are made. The result is the same whatever the number of threads.
type Resampling struct {
	// Resamples is the number of resamples: 0 for no errors, 200 to know them to 5 %.
	Resamples int
	// Block is the number of consecutive samples that stay together: 1 (or 0) for independent samples, a few times
	// Inefficiency for a trajectory.
	Block int
	// Rng is the random state; required unless Resamples is 0.
	Rng *rand.Rand
}

// blockIndices fills dst with the indices of a resample of len(dst) samples: blocks of consecutive indices from random
// starts, going round at the end (the circular block bootstrap), the last one cut short. block 1 draws single samples.
// It panics if block is below one; a block beyond len(dst) counts as len(dst).
// Source: Politis and Romano, in Exploring the Limits of Bootstrap (Wiley 1992) 263.
func blockIndices(dst []int, block int, rng *rand.Rand) {
	n := len(dst)
	if block < 1 {
		panic(fmt.Sprintf("observable: blocks of %d samples; want one or more", block))
	}
	if block == 1 {
		for i := range dst {
			dst[i] = rng.IntN(n)
		}
		return
	}
	block = min(block, n)
	for i := 0; i < n; i += block {
		k := rng.IntN(n)
		for j := i; j < min(i+block, n); j++ {
			dst[j] = k
			if k++; k == n {
				k = 0
			}
		}
	}
}

// Bootstrap returns the standard deviation over resamples of each of dim statistics of n samples. stat gets the indices
// of a resample, [n], and writes its statistics into out, [dim]; it is called from several goroutines. A
// statistic that is not finite in some resamples has the standard deviation of the others, NaN if those are fewer
// than half.
// Errors: fewer than two resamples, no samples, no random state.
func Bootstrap(n, dim int, r Resampling, stat func(idx []int, out []float64)) ([]float64, error) {
	if n < 1 {
		return nil, fmt.Errorf("observable: bootstrapping: no samples")
	}
	sd, err := r.run(dim, func() resampleStat {
		idx := make([]int, n)
		return func(rng rng, out []float64) {
			blockIndices(idx, max(r.Block, 1), rng)
			stat(idx, out)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("observable: bootstrapping: %w", err)
	}
	return sd, nil
}

// resampleStat draws a resample and writes its statistics.
type resampleStat func(rng rng, out []float64)

// run returns the standard deviations of a resampleStat over resamples, [dim].
func (r Resampling) run(dim int, newStat func() resampleStat) ([]float64, error) {
	out, err := r.all(dim, newStat)
	if err != nil {
		return nil, err
	}
	sd := make([]float64, dim)
	for k := range sd {
		sd[k] = stridedSD(out[k:], dim, r.Resamples)
	}
	return sd, nil
}

// all calls a resampleStat per worker, each resample with a generator of its own. Result: [resamples*dim].
func (r Resampling) all(dim int, newStat func() resampleStat) ([]float64, error) {
	if r.Resamples < 2 {
		return nil, fmt.Errorf("%d resamples give no standard error; use 2 or more, 200 for a good one", r.Resamples)
	}
	if r.Rng == nil {
		return nil, fmt.Errorf("no random state; set Resampling.Rng")
	}
	seeds := make([][2]uint64, r.Resamples)
	for i := range seeds {
		seeds[i] = [2]uint64{r.Rng.Uint64(), r.Rng.Uint64()}
	}
	out := make([]float64, r.Resamples*dim)
	workers := min(runtime.GOMAXPROCS(0), r.Resamples)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			stat := newStat()
			for i := w; i < r.Resamples; i += workers {
				stat(rand.New(rand.NewPCG(seeds[i][0], seeds[i][1])), out[i*dim:(i+1)*dim])
			}
		})
	}
	wg.Wait()
	return out, nil
}

// stridedSD returns the standard deviation of the finite ones among n values, NaN if those are fewer than half.
func stridedSD(v []float64, stride, n int) float64 {
	var mean, m2 float64
	count := 0
	for i := range n {
		x := v[i*stride]
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		count++
		d := x - mean
		mean += d / float64(count)
		m2 += d * (x - mean)
	}
	if count < 2 || 2*count < n {
		return math.NaN()
	}
	return math.Sqrt(m2 / float64(count-1))
}
