package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Error bars of biased, correlated simulations cover, too: series of density N(0, 1) with the weights exp(µx) that
// make it N(µ, 1), whose free-energy difference across zero is ln[Φ(µ)/(1 − Φ(µ))], in blocks of twice the
// inefficiency of x as for the unweighted.
func TestCoverageWeighted(t *testing.T) {
	const series, n, memory, mu = 300, 8000, 0.95, 0.8 // inefficiency 39, Kish's fraction exp(−µ²) = 0.53
	rng := rand.New(rand.NewPCG(13, 14))
	exact := math.Log(math.Erfc(-mu/math.Sqrt2) / math.Erfc(mu/math.Sqrt2))
	hit, sum, ratio := 0, 0.0, 0.0
	for range series {
		x, w, all := make([]float64, n), make([]float64, n), make([]int, n)
		v := rng.NormFloat64()
		for i := range x {
			v = memory*v + math.Sqrt(1-memory*memory)*rng.NormFloat64()
			x[i], w[i], all[i] = v, math.Exp(mu*v), i
		}
		stat := func(idx []int, out []float64) {
			var up, down float64
			for _, i := range idx {
				if x[i] > 0 {
					up += w[i]
				} else {
					down += w[i]
				}
			}
			out[0] = math.Log(up / down)
		}
		var value [1]float64
		stat(all, value[:])
		sd, err := Bootstrap(n, 1, Resampling{Resamples: 100, Block: int(2 * Inefficiency(x)), Rng: rng}, stat)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(value[0]-exact) < sd[0] {
			hit++
		}
		sum += value[0] - exact
		ratio += sd[0]
	}
	if c := float64(hit) / series; c < 0.58 || c > 0.78 {
		t.Errorf("one standard error covers the answer in %.0f %% of the series, want 68 ± 10", 100*c)
	} else {
		t.Logf("covers %.0f %%", 100*c)
	}
	// The mean over the series is right: within 5 of its standard errors, and a tenth of one series' error for the
	// bias of a logarithm.
	near(t, "mean difference", sum/series, 0, ratio/series*(5/math.Sqrt(series)+0.1))
}
