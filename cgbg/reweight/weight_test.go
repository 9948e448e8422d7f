package reweight

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const algebra = 1e-12

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %.15g, want %.15g ± %g", name, got, want, tol)
	}
}

// gaussianFlow draws n samples of q = N(0, s²) and returns x, ln q and u = x²/2 (target N(0,1), kT = 1).
func gaussianFlow(n int, s float64, seed uint64) (x, u, logq []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	x, u, logq = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		z := rng.NormFloat64()
		x[i] = s * z
		u[i] = x[i] * x[i] / 2
		logq[i] = -z*z/2 - math.Log(s) - 0.5*math.Log(2*math.Pi)
	}
	return x, u, logq
}

// Law: an exact flow has constant weights, exp(logw) = Z for every sample.
func TestExactFlowGivesConstantWeights(t *testing.T) {
	_, u, logq := gaussianFlow(5000, 1, 3)
	logw := LogWeights(u, logq, 1)
	for _, v := range logw {
		near(t, "logw", v, 0.5*math.Log(2*math.Pi), algebra)
	}
	s := Summarize(logw)
	if s.Status != Good || !math.IsInf(s.KHat, -1) {
		t.Errorf("got %v with k̂ %g, want reliable with -Inf", s.Status, s.KHat)
	}
	near(t, "ESS", s.ESS, 1, algebra)
}

// Law: E[w²]/E[w]² is known for Gaussians: with q = N(0, s²) and target N(0, 1),
// E[w] = 1 and E[w²] = s²/√(2s² − 1), so ESS → √(2s² − 1)/s².
func TestGaussianESSAndMoments(t *testing.T) {
	const s = 1.3
	x, u, logq := gaussianFlow(200_000, s, 4)
	logw := LogWeights(u, logq, 1)
	e, err := ESSDelta(logw)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ESS", e.Value, math.Sqrt(2*s*s-1)/(s*s), 5*e.Error)
	z, err := LogZ(logw)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ln Z", z, 0.5*math.Log(2*math.Pi), 5*math.Sqrt((1/e.Value-1)/float64(len(x))))
	sq := make([]float64, len(x))
	for i, v := range x {
		sq[i] = v * v
	}
	a, err := Average(logw, sq)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "<x²>", a.Value, 1, 5*a.Error)
}

// Law: the delta-method errors agree with the bootstrap for light tails. 400 resamples know the error to 3.5 %.
func TestErrorsAgreeWithBootstrap(t *testing.T) {
	x, u, logq := gaussianFlow(4000, 1.2, 5)
	logw := LogWeights(u, logq, 1)
	rng := rand.New(rand.NewPCG(6, 6))
	d, err := ESSDelta(logw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := essBootstrap(logw, 400, rng)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ESS error ratio", d.Error/b.Error, 1, 5*0.035)
	ad, err := Average(logw, x)
	if err != nil {
		t.Fatal(err)
	}
	ab, err := averageBootstrap(logw, x, 400, rng)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "average error ratio", ad.Error/ab.Error, 1, 5*0.035)
}

// Law: shifting all log-weights changes nothing, even by more than exp can hold.
func TestShiftInvariance(t *testing.T) {
	_, u, logq := gaussianFlow(3000, 1.4, 7)
	a := LogWeights(u, logq, 1)
	b := make([]float64, len(a))
	for i, v := range a {
		b[i] = v + 2e5
	}
	sa, sb := Summarize(a), Summarize(b)
	near(t, "ESS", sb.ESS, sa.ESS, 1e-9)  // 2e5 leaves 1e-11 of each log-weight
	near(t, "k̂", sb.KHat, sa.KHat, 1e-6) // bounded weights crowd at their maximum, where rounding shows
	near(t, "largest weight", sb.MaxWeight, sa.MaxWeight, 1e-9)
}

// Law: LogCOM is a normalised density whose mean of |c|² is 3/N, and the published radial form costs 3/5 of the ESS.
func TestCOMTerm(t *testing.T) {
	const beads, n = 10, 100_000
	rng := rand.New(rand.NewPCG(8, 8))
	com := make([]float64, 3*n)
	for i := range com {
		com[i] = rng.NormFloat64() / math.Sqrt(beads)
	}
	logp := LogCOM(com, beads)
	c := com[:3]
	want := 0.0
	for _, v := range c {
		want += -0.5*v*v*beads - 0.5*math.Log(2*math.Pi/beads)
	}
	near(t, "log density", logp[0], want, algebra)

	zero := make([]float64, n)
	exact := LogWeights(zero, logp, 1, logp)
	e, err := ESS(exact)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ESS with the Gaussian", e, 1, algebra)
	radial, err := ESSDelta(LogWeights(zero, logp, 1, LogCOMPublishedRadial(com, beads)))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ESS with the radial form", radial.Value, 0.6, 5*radial.Error)
}

func TestClipDropsTopPercent(t *testing.T) {
	logw := make([]float64, 201)
	for i := range logw {
		logw[i] = float64((i * 7) % 201)
	}
	got, err := Clip(logw, PaperClip)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range logw { // the 99th percentile of 0..200 is 198 exactly
		if dropped := math.IsInf(got[i], -1); dropped != (v >= 198) {
			t.Errorf("log-weight %g: dropped %v", v, dropped)
		}
	}
	same, err := Clip(make([]float64, 50), PaperClip)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := ESS(same); err != nil || e != 1 {
		t.Errorf("constant weights: got ESS %g, %v; want 1", e, err)
	}
	if _, err := Clip(logw, 1); err == nil {
		t.Error("fraction 1 passes")
	}
}

// Dropped samples count in N: half of equal weights dropped is an ESS of one half.
func TestDroppedCount(t *testing.T) {
	logw := make([]float64, 1000)
	for i := 0; i < len(logw); i += 2 {
		logw[i] = math.Inf(-1)
	}
	e, err := ESS(logw)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ESS", e, 0.5, algebra)
}

func TestUnusableWeights(t *testing.T) {
	inf := math.Inf(-1)
	for _, c := range []struct {
		name string
		logw []float64
		want error
	}{
		{"empty", nil, ErrNoWeight},
		{"all dropped", []float64{inf, inf}, ErrNoWeight},
		{"NaN", []float64{0, math.NaN()}, ErrNotFinite},
		{"+Inf", []float64{0, math.Inf(1)}, ErrNotFinite},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, f := range map[string]func() error{
				"Normalize": func() error { _, err := Normalize(c.logw); return err },
				"ESS":       func() error { _, err := ESS(c.logw); return err },
				"Clip":      func() error { _, err := Clip(c.logw, 0.01); return err },
				"Smooth":    func() error { _, err := Smooth(c.logw); return err },
				"Average":   func() error { _, err := Average(c.logw, make([]float64, len(c.logw))); return err },
				"Resample": func() error {
					_, err := Resample(c.logw, 3, Systematic, rand.New(rand.NewPCG(1, 1)))
					return err
				},
			} {
				if err := f(); !errors.Is(err, c.want) {
					t.Errorf("%s: got %v, want %v", name, err, c.want)
				}
			}
			s := Summarize(c.logw)
			if !errors.Is(s.Err, c.want) || s.Reliable || s.Verdict == "" {
				t.Errorf("Summarize: got %+v, want %v", s, c.want)
			}
		})
	}
	if s := Summarize([]float64{0.3}); s.Err == nil || s.Reliable {
		t.Errorf("one sample: got %+v", s)
	}
}

// averageBootstrap returns the same average with the standard deviation over resamples (drawn with replacement,
// weights and values together) as its error. Errors: those of Average, fewer than two resamples.
func averageBootstrap(logw, f []float64, resamples int, rng *rand.Rand) (Estimate, error) {
	w, err := weightsFor(logw, f)
	if err != nil {
		return Estimate{}, fmt.Errorf("reweight: averaging: %w", err)
	}
	mean := dot(w, f)
	n := len(w)
	sd, err := bootstrap(n, resamples, rng, func(draw func() int) float64 {
		var sw, swf float64
		for range n {
			i := draw()
			if w[i] != 0 {
				sw += w[i]
				swf += w[i] * f[i]
			}
		}
		if sw == 0 { // only dropped samples were drawn
			return mean
		}
		return swf / sw
	})
	if err != nil {
		return Estimate{}, fmt.Errorf("reweight: bootstrapping an average: %w", err)
	}
	return Estimate{Value: mean, Error: sd}, nil
}

// essBootstrap returns ESS with the standard deviation of the ESS of resamples (drawn with replacement, independent
// samples) as its error. rng is the random state; 200 resamples give the error to about 5 %.
// Errors: ErrNoWeight, ErrNotFinite, fewer than two resamples.
func essBootstrap(logw []float64, resamples int, rng *rand.Rand) (Estimate, error) {
	ess, err := ESS(logw)
	if err != nil {
		return Estimate{}, err
	}
	w, err := Normalize(logw)
	if err != nil {
		return Estimate{}, err
	}
	n := len(w)
	sd, err := bootstrap(n, resamples, rng, func(draw func() int) float64 {
		var s1, s2 float64
		for range n {
			v := w[draw()]
			s1 += v
			s2 += v * v
		}
		if s2 == 0 { // only dropped samples were drawn
			return 0
		}
		return s1 * s1 / (float64(n) * s2)
	})
	if err != nil {
		return Estimate{}, fmt.Errorf("reweight: bootstrapping the effective sample size: %w", err)
	}
	return Estimate{Value: ess, Error: sd}, nil
}

// bootstrap returns the standard deviation of stat over resamples; draw gives the index of a random sample of n.
func bootstrap(n, resamples int, rng *rand.Rand, stat func(draw func() int) float64) (float64, error) {
	if resamples < 2 {
		return 0, fmt.Errorf("%d resamples give no standard error; use 2 or more, 200 for a good one", resamples)
	}
	draw := func() int { return rng.IntN(n) }
	var mean, m2 float64
	for k := range resamples {
		v := stat(draw)
		d := v - mean
		mean += d / float64(k+1)
		m2 += d * (v - mean)
	}
	return math.Sqrt(m2 / float64(resamples-1)), nil
}
