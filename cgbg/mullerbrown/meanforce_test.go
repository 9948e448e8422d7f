package mullerbrown

import (
	"errors"
	"maps"
	"math"
	"testing"
)

// Conditional mean forces from data agree with the exact mean force: bins within 5 standard errors, from unbiased and
// from biased data (Proposition 3). Beside them 0.005 for the error of the scheme and, in F, float32.
func TestBinForceMatchesExact(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		tr := simulate(t, m.Biased())
		got, err := binForce(tr.X, tr.Fx, uniformEdges(14, 46, 32), 1)
		if err != nil {
			t.Fatal(err)
		}
		for b, want := range m.binForce(got.Edges) {
			near(t, "mean force of a bin", got.Mean[b], want, 5*got.SEM[b]+0.005)
			if got.Count[b] == 0 || !(got.SEM[b] > 0) {
				t.Errorf("bin %d: %d frames, error %g", b, got.Count[b], got.SEM[b])
			}
		}
	})
}

// Force matching in closed form: the population optimum of a rich spline is F itself with either marginal, and the fits
// to unbiased and to biased data agree with it and with each other within 5 standard errors.
func TestProposition3(t *testing.T) {
	const lo, hi, intervals = 15, 45, 24
	fits := map[bool]*ForceSpline{}
	for _, biased := range []bool{false, true} {
		tr := simulate(t, biased)
		exact, err := NewMarginal(biased).fitForce(lo, hi, intervals)
		if err != nil {
			t.Fatal(err)
		}
		fit, err := FitForce(tr.X, tr.Fx, lo, hi, intervals, 1)
		if err != nil {
			t.Fatal(err)
		}
		fits[biased] = fit
		for x := 16.0; x <= 44; x++ {
			want, _ := exact.At(x)
			near(t, "best spline against F", want, MeanForce(x), 0.03)
			got, se := fit.At(x)
			near(t, "fit against best spline", got, want, 5*se+0.005)
		}
	}
	for x := 16.0; x <= 44; x++ {
		a, sa := fits[false].At(x)
		b, sb := fits[true].At(x)
		near(t, "biased against unbiased fit", b, a, 5*math.Hypot(sa, sb)+0.01)
	}
}

// The mean squared residual of the exact force is the noise floor, within 5 standard errors over trajectories.
func TestNoiseFloor(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		tr := simulate(t, m.Biased())
		line, err := newLine(-15, 60, 3001)
		if err != nil {
			t.Fatal(err)
		}
		var mean, square float64
		for i, x := range tr.X {
			var s float64
			for k, v := range x {
				u := (float64(v) + 15) / 0.025
				j := int(u)
				f := line.F[j] + (u-float64(j))*(line.F[j+1]-line.F[j])
				d := float64(tr.Fx[i][k]) - f
				s += d * d / float64(len(x))
			}
			mean += s
			square += s * s
		}
		n := float64(len(tr.X))
		mean /= n
		se := math.Sqrt((square/n - mean*mean) / (n - 1))
		near(t, "loss of the exact force", mean, m.noiseFloor(), 5*se+0.002)
	})
}

// Errors of bins: independent noise of known size, and correlated noise seen through blocks.
func TestBinForceErrors(t *testing.T) {
	g, tab := newRNG(1, 1), newTables()
	const n, blocks = 100_000, 50
	z := make([]float64, n+blocks)
	tab.normals(&g, z)
	x, f := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(g.uniform())
		f[i] = float32(2 + z[i] + z[n+i*blocks/n]) // noise of every frame, and one shared by each block
	}
	got, err := binForce([][]float32{x}, [][]float32{f}, []float64{0, 0.5, 1, 2}, blocks)
	if err != nil {
		t.Fatal(err)
	}
	want := math.Sqrt(1.0/blocks + 2.0/n)
	for b := range 2 {
		near(t, "SEM", got.SEM[b], want, want*5/math.Sqrt(2*blocks))
		near(t, "mean", got.Mean[b], 2, 5*want)
	}
	if !math.IsNaN(got.Mean[2]) || !math.IsNaN(got.SEM[2]) || got.Count[2] != 0 {
		t.Errorf("empty bin: got %g ± %g of %d, want NaN", got.Mean[2], got.SEM[2], got.Count[2])
	}
	if _, err := FitForce([][]float32{x}, [][]float32{f}, 0, 10, 20, 4); !errors.Is(err, ErrUndetermined) {
		t.Errorf("fit beyond the data: got %v, want ErrUndetermined", err)
	}
	for name, call := range map[string]func() error{
		"lengths": func() error {
			_, err := binForce([][]float32{x}, [][]float32{f[1:]}, []float64{0, 1},
				1)
			return err
		},
		"edges": func() error { _, err := binForce([][]float32{x}, [][]float32{f}, []float64{1, 0}, 1); return err },
		"blocks": func() error {
			_, err := binForce([][]float32{x[:3]}, [][]float32{f[:3]}, []float64{0, 1}, 4)
			return err
		},
		"range": func() error { _, err := FitForce([][]float32{x}, [][]float32{f}, 1, 1, 3, 1); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSubsamples(t *testing.T) {
	tr := &Trajectories{}
	for i := range 3 {
		var x []float32
		for k := range 10 {
			x = append(x, float32(10*i+k))
		}
		tr.X, tr.Y, tr.Fx, tr.Fy = append(tr.X, x), append(tr.Y, x), append(tr.Fx, x), append(tr.Fy, x)
	}
	even, err := tr.Even(10)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range even.X {
		if v != float32(3*i) {
			t.Errorf("Even(10)[%d]: got %g, want %d", i, v, 3*i)
		}
	}
	hits := make([]float64, 30)
	const repeats = 6000
	for seed := range uint64(repeats) {
		r, err := tr.Random(12, seed)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[float32]bool{}
		for i, v := range r.X {
			if seen[v] || r.Fy[i] != v {
				t.Fatalf("seed %d: %g twice, or arrays out of step", seed, v)
			}
			seen[v] = true
			hits[int(v)]++
		}
	}
	for _, h := range hits {
		p := 12.0 / 30
		near(t, "frequency of a frame", h/repeats, p, 5*math.Sqrt(p*(1-p)/repeats))
	}
	a, _ := tr.Random(12, 4)
	b, _ := tr.Random(12, 4)
	for i := range a.X {
		if a.X[i] != b.X[i] {
			t.Error("same seed, other frames")
		}
	}
	for _, n := range []int{0, 31} {
		if _, err := tr.Even(n); err == nil {
			t.Errorf("Even(%d): no error", n)
		}
		if _, err := tr.Random(n, 1); err == nil {
			t.Errorf("Random(%d): no error", n)
		}
	}
}

func TestFlat(t *testing.T) {
	tr := &Trajectories{}
	counts := map[int]int{12: 5, 20: 300, 21: 40, 45: 1000} // frames by bin of x
	for _, bin := range []int{12, 20, 21, 45} {
		var x []float32
		for k := range counts[bin] {
			x = append(x, float32(bin)+float32(k)/float32(counts[bin]))
		}
		tr.X, tr.Y, tr.Fx, tr.Fy = append(tr.X, x), append(tr.Y, x), append(tr.Fx, x), append(tr.Fy, x)
	}
	f, err := tr.Flat(245, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, seen := map[int]int{}, map[float32]bool{}
	for i, x := range f.X {
		got[int(x)]++
		if seen[x] || f.Fx[i] != x {
			t.Fatalf("%g twice, or arrays out of step", x)
		}
		seen[x] = true
	}
	if want := map[int]int{12: 5, 20: 100, 21: 40, 45: 100}; !maps.Equal(got, want) {
		t.Errorf("got %v frames by bin, want %v", got, want)
	}
	if f.NoiseFloor() <= 0 {
		t.Errorf("noise floor %g, want a positive number", f.NoiseFloor())
	}
	one := &Frames{X: []float32{24, 24.125}}
	near(t, "interpolated noise floor", one.NoiseFloor(), (At(24).VarF+At(24.125).VarF)/2, 1e-3)
	near(t, "fraction of frames", tr.Fraction(20, 21), 300.0/1345, 1e-12)
	if _, err := tr.Flat(1346, 1); err == nil {
		t.Error("more frames than there are: no error")
	}
}
