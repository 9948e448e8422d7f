package observable

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const algebra = 1e-12

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: got %.15g, want %.15g ± %g", name, got, want, tol)
	}
}

func newRNG(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func normals(n int, seed uint64) []float64 {
	r := newRNG(seed)
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// numpy.histogram([0, 0.5, 1, 2.999, 3, -1, 4], bins=[0, 1, 2, 3]) is [2, 1, 2]: the last bin holds its upper edge.
func TestHistogramEdges(t *testing.T) {
	x := []float64{0, 0.5, 1, 2.999, 3, -1, 4}
	for _, edges := range [][]float64{{0, 1, 2, 3}, {0, 1, 2.5, 3}} {
		h, err := Histogram(x, nil, edges)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.Mass, []float64{2, 1, 2}) || h.Below != 1 || h.Above != 1 {
			t.Errorf("edges %v: got %v, below %g, above %g", edges, h.Mass, h.Below, h.Above)
		}
	}
}

// Law: equal bins find the same bin as a search through the edges, on the edges and one ulp beside them.
func TestEqualBinsAgreeWithSearch(t *testing.T) {
	edges := Edges(-math.Pi, math.Pi, TorusBins)
	fast, err := newBinner(edges)
	if err != nil {
		t.Fatal(err)
	}
	slow := fast
	slow.inv = 0
	x := normals(2000, 1)
	for _, e := range edges {
		x = append(x, e, math.Nextafter(e, 9), math.Nextafter(e, -9))
	}
	for _, v := range x {
		if got, want := fast.bin(v), slow.bin(v); got != want {
			t.Errorf("%.17g: got bin %d, want %d", v, got, want)
		}
	}
}

func TestHistogramWeights(t *testing.T) {
	x := []float64{0.1, 0.2, 1.5, math.NaN()}
	h, err := Histogram(x, []float64{2, 3, 0.5, 0}, []float64{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.Mass, []float64{5, 0.5}) {
		t.Errorf("got %v", h.Mass)
	}
	g, err := NewHistogram2D([]float64{0.5, 1.5, 9}, []float64{0.5, 2.5, 0}, []float64{1, 2, 4},
		[]float64{0, 1, 2}, []float64{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if g.Mass[0] != 1 || g.Mass[1*3+2] != 2 || g.Outside != 4 {
		t.Errorf("got %v, outside %g", g.Mass, g.Outside)
	}
	for name, f := range map[string]func() error{
		"NaN":      func() error { _, err := Histogram(x, nil, []float64{0, 1}); return err },
		"negative": func() error { _, err := Histogram(x[:1], []float64{-1}, []float64{0, 1}); return err },
		"lengths":  func() error { _, err := Histogram(x, []float64{1}, []float64{0, 1}); return err },
		"edges":    func() error { _, err := Histogram(x[:1], nil, []float64{0, 1, 1}); return err },
		"one edge": func() error { _, err := Histogram(x[:1], nil, []float64{0}); return err },
		"x and y":  func() error { _, err := TorusHistogram(x[:1], x[:2], nil); return err },
	} {
		if err := f(); err == nil || !strings.HasPrefix(err.Error(), "observable: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Laws of the divergence: zero for equals, ln 2 for strangers, symmetric, blind to scale; and a value by hand.
func TestJS(t *testing.T) {
	p, q := []float64{1, 2, 3, 0}, []float64{2, 2, 1, 1}
	near(t, "equal", JS(p, p), 0, algebra)
	near(t, "disjoint", JS([]float64{1, 0}, []float64{0, 1}), math.Ln2, 1e-9) // 1e-10 is added to the sum
	near(t, "symmetric", JS(p, q), JS(q, p), algebra)
	near(t, "scale", JS([]float64{1e6, 2e6, 3e6, 0}, q), JS(p, q), 1e-9)
	want := 0.5 * (1./6*math.Log(1/1.5) + 3./6*math.Log(3./2) + 2./6*math.Log(2/1.5) + 1./6*math.Log(1./2) +
		1./6*math.Log(2))
	near(t, "by hand", JS(p, q), want, 1e-9)
	if !math.IsNaN(JS([]float64{0, 0}, []float64{1, 1})) {
		t.Error("an empty histogram has a score")
	}
}

// pmfError by hand: p = (½, ½), q = (¼, ¾); and an empty cell counts as 1e-10.
func TestPMFError(t *testing.T) {
	near(t, "by hand", pmfError([]float64{1, 1}, []float64{1, 3}),
		0.375*math.Pow(math.Log(2), 2)+0.625*math.Pow(math.Log(2./3), 2), 1e-9)
	near(t, "empty cell", pmfError([]float64{1, 0}, []float64{1, 1}),
		(0.75*math.Pow(math.Log(2), 2)+0.25*math.Pow(math.Log(2e-10), 2))/1, 1e-6)
}

// Law: to leading order, n samples of bins with masses m score (bins−1)/(8n) in JS against the exact masses.
func TestFloorExact(t *testing.T) {
	exact := []float64{1, 2, 3, 4, 5, 5, 4, 3, 2, 1}
	const n, repeats = 20_000, 400
	s, err := FloorExact(n, repeats, exact, newRNG(3))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "JS floor", s.JS.Value, 9./(8*n), 5*s.JS.Error/math.Sqrt(repeats))
	near(t, "PMF floor", s.PMFError.Value, 9./n, 5*s.PMFError.Error/math.Sqrt(repeats)+0.02*9./n)
	if _, err := FloorExact(0, 1, exact, newRNG(3)); err == nil {
		t.Error("no samples passes")
	}
	if _, err := FloorExact(5, 1, []float64{0, 0}, newRNG(3)); !errors.Is(err, ErrNoMass) {
		t.Errorf("got %v, want ErrNoMass", err)
	}
}

// Law: independent samples score like their floor, within the scatter of one score; the bootstrap finds that scatter
// within a factor (it resamples a distribution that already has noise).
func TestScoreExactMeetsFloor(t *testing.T) {
	x := normals(5000, 4)
	edges := Edges(-2, 2, 40)
	exact := make([]float64, 40)
	for i := range exact {
		exact[i] = 0.5 * (math.Erf(edges[i+1]/math.Sqrt2) - math.Erf(edges[i]/math.Sqrt2))
	}
	s, err := ScoreExact(x, nil, edges, exact, Resampling{Resamples: 100, Rng: newRNG(5)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := FloorExact(4772, 100, exact, newRNG(6)) // 95.45 % lie within two standard deviations
	if err != nil {
		t.Fatal(err)
	}
	near(t, "JS", s.JS.Value, f.JS.Value, 5*f.JS.Error)
	near(t, "PMF error", s.PMFError.Value, f.PMFError.Value, 5*f.PMFError.Error)
	if r := s.JS.Error / f.JS.Error; r < 0.7 || r > 2.5 {
		t.Errorf("bootstrap error is %g of the scatter", r)
	}
	if _, err := ScoreExact([]float64{99}, nil, edges, exact, Resampling{}); !errors.Is(err, ErrNoMass) {
		t.Errorf("got %v, want ErrNoMass", err)
	}
}

// Laws: a model equal to the reference scores zero; same seed, same errors; FloorReference is near what fresh samples
// score.
func TestTorusScores(t *testing.T) {
	angles := func(n int, seed uint64) Torus {
		x, y := normals(n, seed), normals(n, seed+100)
		for i := range x {
			x[i], y[i] = 0.3*x[i]-1.2, 0.3*y[i]+2
		}
		return Torus{Phi: x, Psi: y}
	}
	ref, model := angles(20_000, 1), angles(4000, 2)
	same, err := ScoreTorus(ref, ref, Resampling{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "itself", same.JS.Value, 0, algebra)
	ref.Block = 50
	a, err := ScoreTorus(model, ref, Resampling{Resamples: 20, Rng: newRNG(9)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ScoreTorus(model, ref, Resampling{Resamples: 20, Rng: newRNG(9)})
	if err != nil {
		t.Fatal(err)
	}
	if a != b || !(a.JS.Error > 0 && a.PMFError.Error > 0) {
		t.Errorf("got %+v, then %+v", a, b)
	}
	f, err := FloorReference(ref.Points(), 4000, 20, newRNG(10))
	if err != nil {
		t.Fatal(err)
	}
	// Half the reference: 1/4000 + 1/10000 against 1/4000 + 1/20000, more where cells are nearly empty.
	if r := f.JS.Value / a.JS.Value; r < 1 || r > 1.6 {
		t.Errorf("floor %g for a score of %g", f.JS.Value, a.JS.Value)
	}
}

// Law: an AR(1) series x_t = a x_{t−1} + noise has g = (1 + a)/(1 − a); independent samples have 1.
func TestInefficiency(t *testing.T) {
	const n = 200_000
	for _, a := range []float64{0, 0.5, 0.9} {
		e := normals(n, 12)
		x := make([]float64, n)
		for i := 1; i < n; i++ {
			x[i] = a*x[i-1] + e[i]
		}
		want := (1 + a) / (1 - a)
		// Sokal: relative error √(2(2M+1)/n), M about 2g
		near(t, "g", Inefficiency(x), want, 5*want*math.Sqrt(8*want/n)+0.02)
	}
	near(t, "constant", Inefficiency([]float64{2, 2, 2, 2}), 4, 0)
	near(t, "short", Inefficiency([]float64{2, 3}), 1, 0)
}

// Law: the block bootstrap of the mean of an AR(1) series finds √(g σ²/n); single samples do not.
func TestBlockBootstrapSeesCorrelation(t *testing.T) {
	const n, a = 20_000, 0.9
	e := normals(n, 13)
	x := make([]float64, n)
	for i := 1; i < n; i++ {
		x[i] = a*x[i-1] + e[i]
	}
	mean := func(idx []int, out []float64) {
		out[0] = 0
		for _, i := range idx {
			out[0] += x[i] / n
		}
	}
	sd, err := Bootstrap(n, 1, Resampling{Resamples: 300, Block: 400, Rng: newRNG(14)}, mean)
	if err != nil {
		t.Fatal(err)
	}
	want := math.Sqrt(1 / (1 - a*a) * (1 + a) / (1 - a) / n)
	near(t, "error of the mean", sd[0]/want, 1, 0.5*math.Sqrt(1./300+1./50)*5) // 300 resamples of 50 blocks
	single, err := Bootstrap(n, 1, Resampling{Resamples: 300, Rng: newRNG(14)}, mean)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "without blocks", single[0]/want, math.Sqrt((1-a)/(1+a)), 0.1)
	if _, err := Bootstrap(n, 1, Resampling{Resamples: 10}, mean); err == nil {
		t.Error("no random state passes")
	}
}

func TestBlockIndices(t *testing.T) {
	idx := make([]int, 103)
	blockIndices(idx, 10, newRNG(1))
	for i, k := range idx {
		if k < 0 || k >= len(idx) {
			t.Fatalf("index %d is %d", i, k)
		}
		if i%10 != 0 && k != (idx[i-1]+1)%len(idx) {
			t.Errorf("index %d breaks its block", i)
		}
	}
}

// Weights that differ by hundreds of nats leave cells of the smallest numbers there are.
func TestScoresOfTinyMass(t *testing.T) {
	p := []float64{1, math.SmallestNonzeroFloat64, 1e-300}
	q := []float64{0.5, 0, 0.5}
	if js := JS(p, q); !(js > 0 && js < math.Ln2) {
		t.Errorf("JS: got %g", js)
	}
	if e := pmfError(p, q); !(e > 0) || math.IsInf(e, 0) {
		t.Errorf("PMF error: got %g", e)
	}
}
