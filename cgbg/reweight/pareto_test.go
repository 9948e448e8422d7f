package reweight

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// paretoWeights returns log-weights w = u^(−k): a Pareto law of shape k.
func paretoWeights(n int, k float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 2))
	logw := make([]float64, n)
	for i := range logw {
		logw[i] = k * rng.ExpFloat64()
	}
	return logw
}

// Law: the fit finds the shape of Pareto weights, up to the prior, which pulls it by 10/(M+10) towards 0.5.
func TestKHatFindsShape(t *testing.T) {
	for _, k := range []float64{0.2, 0.5, 0.9} {
		p, err := Smooth(paretoWeights(100_000, k, 11))
		if err != nil {
			t.Fatal(err)
		}
		m := float64(p.Tail)
		want := (m*k + 10*0.5) / (m + 10)
		near(t, "k̂", p.KHat, want, 5*p.KHatError)
	}
}

// Laws: smoothed weights are normalised, keep the order, and none exceeds the largest raw weight (before normalising).
func TestSmoothKeepsOrder(t *testing.T) {
	logw := paretoWeights(2000, 0.8, 12)
	p, err := Smooth(logw)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "sum", logSumExp(p.LogW), 0, algebra)
	lo, hi, shi := 0, 0, math.Inf(-1)
	for i := range logw {
		if logw[i] < logw[lo] {
			lo = i
		}
		if logw[i] > logw[hi] {
			hi = i
		}
		shi = math.Max(shi, p.LogW[i])
	}
	if shi != p.LogW[hi] {
		t.Errorf("the largest weight is not the largest after smoothing")
	}
	if d := (p.LogW[hi] - p.LogW[lo]) - (logw[hi] - logw[lo]); d > algebra {
		t.Errorf("the largest weight grew by %g nats", d)
	}
	if want := tailLength(2000); p.Tail != want {
		t.Errorf("tail: got %d, want %d", p.Tail, want)
	}
}

func TestSmoothEdges(t *testing.T) {
	p, err := Smooth(make([]float64, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(p.KHat, -1) {
		t.Errorf("constant weights: got k̂ %g, want -Inf", p.KHat)
	}
	near(t, "weight", p.LogW[3], -math.Log(1000), algebra)
	p, err = Smooth([]float64{0, 1, 2, 5})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(p.KHat, 1) {
		t.Errorf("four samples: got k̂ %g, want +Inf", p.KHat)
	}
	logw := paretoWeights(1000, 0.4, 13)
	for i := range 900 {
		logw[i] = math.Inf(-1)
	}
	if p, err = Smooth(logw); err != nil || math.IsNaN(p.KHat) {
		t.Errorf("mostly dropped: got %g, %v", p.KHat, err)
	}
	for i, v := range p.LogW[:900] {
		if !math.IsInf(v, -1) {
			t.Fatalf("dropped sample %d came back with %g", i, v)
		}
	}
}

// Literals: Vehtari et al. (2024), §3.2.3: 0.7 from n ≈ 2154 on; n = 100 gives 0.5; and §3.2.4: k̂ = 0.7 needs about
// 2,200.
func TestThresholds(t *testing.T) {
	near(t, "n=100", KThreshold(100), 0.5, algebra)
	near(t, "n=1e6", KThreshold(1_000_000), 0.7, algebra)
	near(t, "need at 0.5", minSamples(0.5), 100, 1e-9)
	near(t, "need at 0.7", minSamples(0.7), 2154, 1)
	near(t, "need below 0", minSamples(-1), 10, 1e-9)
	if !math.IsInf(minSamples(1), 1) {
		t.Error("k̂ = 1 needs finitely many samples")
	}
	near(t, "threshold and need are inverse", minSamples(KThreshold(500)), 500, 1e-9)
}

func TestVerdict(t *testing.T) {
	_, u, logq := gaussianFlow(10_000, 1.2, 21)
	good := LogWeights(u, logq, 1)
	_, u, logq = gaussianFlow(150, 1.2, 22)
	few := LogWeights(u, logq, 1)
	// A proposal narrower than the target has k = 1 − s² as the shape of its weights.
	_, u, logq = gaussianFlow(10_000, 0.6, 23)
	heavy := LogWeights(u, logq, 1)
	_, u, logq = gaussianFlow(10_000, 0.2, 24)
	broken := LogWeights(u, logq, 1)
	outlier := append([]float64{25}, good...)
	for _, c := range []struct {
		name string
		logw []float64
		want Status
		says []string
	}{
		{"good", good, Good, []string{"reliable: k̂ = ", "effective samples of 10,000"}},
		{"constant", make([]float64, 1000), Good, []string{"constant"}},
		{"few samples", few, Noisy, []string{"effective samples of 150", "draw more samples"}},
		{"no finite variance", heavy, Noisy, []string{"no finite variance", "smoothed"}},
		{"broken flow", broken, Unreliable, []string{"is above 0.70", "train the flow longer", "clipped or smoothed"}},
		{"one outlier", outlier, Unreliable, []string{"one sample carries 100 %", "PMF"}},
		{"four samples", []float64{0, 0.1, 0.2, 0.3}, Unreliable, []string{"too short", "draw more samples"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Summarize(c.logw)
			if s.Status != c.want || s.Reliable != (c.want != Unreliable) ||
				!strings.HasPrefix(s.Verdict, c.want.String()+": ") {
				t.Errorf("got %v (k̂ %.2f, ESS %.3f, largest %.3f): %q", s.Status, s.KHat, s.ESS, s.MaxWeight,
					s.Verdict)
			}
			for _, w := range c.says {
				if !strings.Contains(s.Verdict, w) {
					t.Errorf("verdict %q does not say %q", s.Verdict, w)
				}
			}
		})
	}
}

// Laws: counts add up to m; systematic counts are within one of m·ŵ; multinomial ones have the right mean.
func TestResample(t *testing.T) {
	logw := paretoWeights(50, 0.5, 31)
	logw[7] = math.Inf(-1)
	w, err := Normalize(logw)
	if err != nil {
		t.Fatal(err)
	}
	const m = 20_000
	for _, scheme := range []Scheme{Systematic, Multinomial} {
		counts, err := Resample(logw, m, scheme, rand.New(rand.NewPCG(32, 1)))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Resample(logw, m, scheme, rand.New(rand.NewPCG(32, 1)))
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for i, c := range counts {
			total += c
			tol := 5 * math.Sqrt(m*w[i])
			if scheme == Systematic {
				tol = 1
			}
			near(t, "count", float64(c), m*w[i], tol)
			if c != again[i] {
				t.Errorf("same seed, other counts")
			}
		}
		if total != m {
			t.Errorf("got %d samples, want %d", total, m)
		}
	}
	if _, err := Resample(logw, 0, Systematic, rand.New(rand.NewPCG(1, 1))); err == nil {
		t.Error("no samples asked for passes")
	}
}

// fitPareto against Zhang and Stephens' own loop written plainly.
func TestFitMatchesPlainLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 1))
	x := make([]float64, 80)
	var upto float64
	for i := range x {
		upto += rng.ExpFloat64() / float64(len(x)-i)
		x[i] = math.Expm1(0.4*upto) / 0.4
	}
	n, m := 80.0, 30+8
	var l, b []float64
	for j := 1; j <= m; j++ {
		theta := 1/x[79] + (1-math.Sqrt(float64(m)/(float64(j)-0.5)))/(3*x[19])
		var k float64
		for _, v := range x {
			k += math.Log(1-theta*v) / n
		}
		b = append(b, theta)
		l = append(l, n*(math.Log(-theta/k)-k-1))
	}
	var theta float64
	for i := range b {
		var s float64
		for j := range b {
			s += math.Exp(l[j] - l[i])
		}
		theta += b[i] / s
	}
	var k float64
	for _, v := range x {
		k += math.Log(1-theta*v) / n
	}
	gotK, gotS := fitPareto(x)
	near(t, "k̂", gotK, (n*k+5)/(n+10), 1e-10)
	near(t, "sigma", gotS, -k/theta, 1e-10)
}
