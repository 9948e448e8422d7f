package mullerbrown

import (
	"math"
	"testing"
)

func both(t *testing.T, f func(t *testing.T, m *Marginal)) {
	for _, biased := range []bool{false, true} {
		t.Run(map[bool]string{false: "unbiased", true: "biased"}[biased],
			func(t *testing.T) { f(t, NewMarginal(biased)) })
	}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %.15g, want %.15g ± %.1g", what, got, want, tol)
	}
}

func TestNormalisationConverged(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		near(t, "relative change of Z when the step is halved", trapezoidStep(m, 0.125)/trapezoidStep(m, 0.25), 1,
			1e-13)
		near(t, "total mass by Gauss–Legendre", m.mass(supportLo, supportHi), 1, 1e-12)
		if p := math.Exp(m.LogDensity(supportLo)) + math.Exp(m.LogDensity(supportHi)); p > 1e-30 {
			t.Errorf("density at the ends of the support: %g, want below 1e-30", p)
		}
	})
}

func TestBinMasses(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		fine, err := m.BinMasses(uniformEdges(DomainLo, DomainHi, 100))
		if err != nil {
			t.Fatal(err)
		}
		coarse, err := m.BinMasses(uniformEdges(DomainLo, DomainHi, 7))
		if err != nil {
			t.Fatal(err)
		}
		var a, b float64
		for _, v := range fine {
			a += v
		}
		for _, v := range coarse {
			b += v
		}
		left, right := m.outsideMass(DomainLo, DomainHi)
		near(t, "sum of 100 bins and of 7", a, b, 1e-13)
		near(t, "bins and tails", a+left+right, 1, 1e-12)
		near(t, "first bin against the CDF", fine[0], m.cdf(10.4)-m.cdf(10), 1e-9)
		t.Logf("mass left of 10: %.4g, right of 50: %.4g; noise floor %.6f", left, right, m.noiseFloor())
		for _, bad := range [][]float64{nil, {1}, {1, 1}, {2, 1}, {1, math.NaN()}, {0, math.Inf(1)}} {
			if _, err := m.BinMasses(bad); err == nil {
				t.Errorf("BinMasses(%v): no error", bad)
			}
		}
	})
}

// The biased marginal is the unbiased one times exp(-V), normalised (Eq. 31).
func TestBiasedMarginal(t *testing.T) {
	u, b := NewMarginal(false), NewMarginal(true)
	for _, x := range []float64{12, 24, 32, 42} {
		near(t, "ln ratio of densities", b.LogDensity(x)-u.LogDensity(x), -Bias(x)+u.logZ-b.logZ, 1e-12)
		near(t, "difference of scores", b.score(x)-u.score(x), -biasGradient(x), 1e-12)
	}
}

func TestCDFAndQuantile(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		for _, x := range []float64{11.03, 20.5, 23.123, 32.007, 41.9, 49.99} {
			near(t, "CDF", m.cdf(x), m.mass(supportLo, x), 1e-9)
			near(t, "Quantile(CDF(x))", m.quantile(m.cdf(x)), x, 1e-5)
		}
		for _, q := range []float64{1e-7, 0.01, 0.3, 0.5, 0.97, 1 - 1e-9} {
			near(t, "CDF(Quantile(q))", m.cdf(m.quantile(q)), q, 1e-13)
		}
	})
}

// Samples fill the exact bins: chi-squared of 40 bins within 5 standard errors of its mean.
func TestSamplesFillExactBins(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		const n, bins = 200_000, 40
		edges := make([]float64, bins+1)
		for i := range edges {
			edges[i] = m.quantile(float64(i) / bins)
		}
		mass, err := m.BinMasses(edges)
		if err != nil {
			t.Fatal(err)
		}
		count := make([]float64, bins)
		for _, x := range m.Sample(n, 7) {
			for i := range bins {
				if x < edges[i+1] {
					count[i]++
					break
				}
			}
		}
		var chi2 float64
		for i, c := range count {
			e := n * mass[i]
			chi2 += (c - e) * (c - e) / e
		}
		near(t, "chi-squared", chi2, bins-1, 5*math.Sqrt(2*(bins-1)))
		again := m.Sample(10, 7)
		if first := m.Sample(n, 7)[:10]; first[9] != again[9] {
			t.Errorf("same seed, other sample: %g and %g", first[9], again[9])
		}
	})
}

func TestFreeEnergyAligned(t *testing.T) {
	m := NewMarginal(false)
	l, err := newLine(DomainLo, DomainHi, 200)
	if err != nil {
		t.Fatal(err)
	}
	p, f := m.Density(l.X), m.freeEnergyAligned(l.X)
	var mean float64
	for i := range f {
		mean += p[i] * f[i]
	}
	near(t, "weighted mean", mean, 0, 1e-12)
	near(t, "difference", f[150]-f[20], l.U[150]-l.U[20], 1e-12)
}

func BenchmarkSample(b *testing.B) {
	m := NewMarginal(false)
	m.cdf(0)
	for b.Loop() {
		m.Sample(1000, 1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/sample")
}
