package reweight_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Samples of N(0, 1.2²) reweighted to N(0, 1).
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, s = 20_000, 1.2
	u, logq, x2 := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range u {
		z := rng.NormFloat64()
		x2[i] = s * s * z * z
		u[i] = x2[i] / 2
		logq[i] = -z*z/2 - math.Log(s*math.Sqrt(2*math.Pi))
	}
	logw := reweight.LogWeights(u, logq, 1)
	mean, err := reweight.Average(logw, x2)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := reweight.Summarize(logw)
	fmt.Printf("<x²> = %.2f ± %.2f, ESS %.2f, %v\n", mean.Value, mean.Error, sum.ESS, sum.Status)
	// Output: <x²> = 1.01 ± 0.01, ESS 0.95, reliable
}

func benchWeights(n int) []float64 {
	rng := rand.New(rand.NewPCG(3, 3))
	logw := make([]float64, n)
	for i := range logw {
		logw[i] = 0.5 * rng.ExpFloat64()
	}
	return logw
}

func BenchmarkSmooth(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		logw := benchWeights(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := reweight.Smooth(logw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSummarize(b *testing.B) {
	logw := benchWeights(100_000)
	for b.Loop() {
		reweight.Summarize(logw)
	}
}
