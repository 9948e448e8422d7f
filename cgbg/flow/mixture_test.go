package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
)

// gaussians is an even mixture of two normal laws of width s about ±mean.
type gaussians struct {
	mean []float64
	s    float64
}

func (g gaussians) draw(rng *rand.Rand) []float64 {
	x := make([]float64, len(g.mean))
	sign := float64(2*rng.IntN(2) - 1)
	for i := range x {
		x[i] = sign*g.mean[i] + g.s*rng.NormFloat64()
	}
	return x
}

func (g gaussians) logDensity(x []float64) float64 {
	var plus, minus float64
	for i, v := range x {
		plus -= (v - g.mean[i]) * (v - g.mean[i]) / (2 * g.s * g.s)
		minus -= (v + g.mean[i]) * (v + g.mean[i]) / (2 * g.s * g.s)
	}
	top := math.Max(plus, minus)
	return top +
		math.Log(0.5*math.Exp(plus-top)+0.5*math.Exp(minus-top)) - 0.5*float64(len(x))*math.Log(2*math.Pi*g.s*g.s)
}

// mean and its standard error.
func average(v []float64) (mean, stderr float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		stderr += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(stderr / float64(len(v)) / float64(len(v)-1))
}

// TestKnownDensity trains a graph transformer on a law whose density is known, of 3 beads, or of 10 where the time of
// minutes without XLA is given. The mean of p/q over samples of the flow is 1; its mean over samples of the law is one
// over the effective fraction, which the flow's own samples give as well.
func TestKnownDensity(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a flow")
	}
	ctx := context.Background()
	b, err := backend.Open()
	if err != nil {
		t.Fatal(err)
	}
	beads, count, n := 10, 8000, 500
	if b.Name == "go" && !fixture.Heavy() {
		beads, count, n = 3, 2500, 120
	}
	dim := 3 * beads
	rng := rand.New(rand.NewPCG(2, 3))
	law := gaussians{mean: make([]float64, dim), s: 0.6}
	for i := range law.mean {
		law.mean[i] = 0.4 * rng.NormFloat64()
	}
	frames := make([]float32, 0, count*dim)
	for range count {
		for _, v := range law.draw(rng) {
			frames = append(frames, float32(v))
		}
	}
	field := GraphTransformer{Beads: beads, Embed: 8, Hidden: 32, Layers: 2, Heads: 2, HeadDim: 8, FF: 64}
	m, _, err := Fit(ctx, b.Backend, field, frames,
		Config{Epochs: 12, Batch: 128, RateHigh: 5e-3, RateLow: 1e-5, EMA: 0.99, Seed: 1, StepsPerCall: 1})
	if err != nil {
		t.Fatal(err)
	}
	acc := Accuracy{PathTol: 1e-5, LogQTol: 0.01, Batch: 64, Chunk: 16, Single: true, Checks: 8}
	s, err := m.Sample(ctx, n, 1, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.LogQBound() > 0.01 {
		t.Errorf("log q is certified to %g nat, want 0.01", s.LogQBound())
	}
	weight := func(r []float64, logq []float64) (w []float64) {
		for i, l := range logq {
			w = append(w, math.Exp(law.logDensity(r[i*dim:(i+1)*dim])-l-m.logJacobian()))
		}
		return w
	}
	w := weight(s.R, s.LogQ)
	mean, stderr := average(w)
	if math.Abs(mean-1) > 5*stderr || stderr > 0.2 {
		t.Errorf("mean weight %.3f ± %.3f, want 1", mean, stderr)
	}
	squares := make([]float64, n)
	for i, v := range w {
		squares[i] = v * v
	}
	second, secondErr := average(squares) // of flow samples: E_q[(p/q)²] = 1/ESS
	truth := make([]float64, 0, n*dim)
	for range n {
		truth = append(truth, law.draw(rng)...)
	}
	logq, _, err := m.LogQ(ctx, truth, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, firstErr := average(weight(truth, logq)) // of the law's samples: E_p[p/q] = 1/ESS
	t.Logf("effective fraction %.3f by the flow's samples, %.3f by the law's", 1/second, 1/first)
	if math.Abs(first-second) > 5*math.Hypot(firstErr, secondErr) || 1/second < 0.2 {
		t.Errorf("1/ESS: %.2f ± %.2f by the flow's samples, %.2f ± %.2f by the law's", second, secondErr, first,
			firstErr)
	}
}
