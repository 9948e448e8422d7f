package reweight

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// A proposal that knows one of two wells has excellent weights, and misses what the other well has; one that knows both
// misses nothing.
func TestCover(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const lost = 0.1 // weight of the well at 30
	gauss := func(x, at float64) float64 { return math.Exp(-(x-at)*(x-at)/2) / math.Sqrt(2*math.Pi) }
	target := func(x float64) float64 { return (1-lost)*gauss(x, 0) + lost*gauss(x, 30) }
	draw := func(part float64) float64 {
		if rng.Float64() < part {
			return 30 + rng.NormFloat64()
		}
		return rng.NormFloat64()
	}
	for _, part := range []float64{0, 0.5} {
		logWeight := func(x float64) float64 {
			return math.Log(target(x)) - math.Log((1-part)*gauss(x, 0)+part*gauss(x, 30))
		}
		var samples, frames, own []float64
		for range 5000 {
			samples = append(samples, logWeight(draw(part)))
		}
		for range 2000 { // of a biased simulation, half here and half there
			x := draw(0.5)
			frames = append(frames, logWeight(x))
			own = append(own, math.Log(target(x))-math.Log(0.5*gauss(x, 0)+0.5*gauss(x, 30)))
		}
		c, err := Cover(frames, own, samples)
		if err != nil {
			t.Fatal(err)
		}
		s := Summarize(samples).WithCoverage(c)
		if part == 0 {
			if math.Abs(c.Missed.Value-lost) > 4*c.Missed.Error+0.01 || c.Bound < c.Missed.Value {
				t.Errorf("one well: missed %v, bound %g, want %g", c.Missed, c.Bound, lost)
			}
			if s.Status != Unreliable || !strings.Contains(s.Verdict, "makes no samples") ||
				Summarize(samples).Status != Good {
				t.Errorf("one well: %s; without frames %s", s.Verdict, Summarize(samples).Verdict)
			}
		} else if c.Missed.Value > 0.005 || c.Bound > 0.01 || s.Status == Unreliable {
			t.Errorf("both wells: missed %v, bound %g, %s", c.Missed, c.Bound, s.Verdict)
		}
		again, err := CoverageOf(c.Text())
		if err != nil || again != c {
			t.Errorf("read again: %v, %v", again, err)
		}
	}
	if _, err := Cover(nil, nil, []float64{1}); err == nil {
		t.Error("no frames: no error")
	}
	if _, err := Cover([]float64{1}, nil, []float64{math.Inf(-1)}); err == nil {
		t.Error("no weights: no error")
	}
}
