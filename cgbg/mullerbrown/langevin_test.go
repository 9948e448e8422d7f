package mullerbrown

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"testing"
)

// simulate returns a data set shared by the tests of physics: 64 trajectories of 10^6 steps after the default burn-in
// (2 s on two cores each), with -short 64 of 2·10^5.
func simulate(t *testing.T, biased bool) *Trajectories {
	t.Helper()
	get := unbiasedSet
	if biased {
		get = biasedSet
	}
	tr, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

var (
	unbiasedSet = sync.OnceValues(func() (*Trajectories, error) { return runSet(false) })
	biasedSet   = sync.OnceValues(func() (*Trajectories, error) { return runSet(true) })
)

func runSet(biased bool) (*Trajectories, error) {
	c := Default()
	c.Biased, c.Seed, c.Trajectories, c.Steps = biased, 5, 64, 1_000_000
	if testing.Short() {
		c.Steps = 200_000
	}
	return c.Run(context.Background(), nil)
}

// The sampled marginal of x is the exact one: bin fractions within 5 standard errors (trajectories as blocks), beside
// 0.01 relative for the error of the scheme at dt = 0.1 (see Langevin).
func TestSampledMarginal(t *testing.T) {
	both(t, func(t *testing.T, m *Marginal) {
		tr := simulate(t, m.Biased())
		edges := uniformEdges(14, 46, 16)
		want, err := m.BinMasses(edges)
		if err != nil {
			t.Fatal(err)
		}
		fractions := make([][]float64, len(tr.X))
		for k, x := range tr.X {
			fractions[k] = make([]float64, len(want))
			for _, v := range x {
				if b := binOf(edges, float64(v)); b >= 0 {
					fractions[k][b] += 1 / float64(len(x))
				}
			}
		}
		for b := range want {
			var mean, q float64
			n := float64(len(fractions))
			for _, f := range fractions {
				mean += f[b] / n
			}
			for _, f := range fractions {
				q += (f[b] - mean) * (f[b] - mean)
			}
			near(t, "fraction", mean, want[b], 5*math.Sqrt(q/n/(n-1))+0.01*want[b])
		}
	})
}

// Equipartition: <v²> = kT/m for both components, within 5 standard errors and the 0.8 % of the scheme (see Langevin).
func TestVelocityVariance(t *testing.T) {
	c := Default()
	c.Trajectories, c.BurnIn, c.Steps, c.Stride = 20_000, 0, 1000, 1000
	tr, err := c.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var vx, vy float64
	n := float64(len(tr.Final))
	for _, s := range tr.Final {
		vx += s.Vx * s.Vx / n
		vy += s.Vy * s.Vy / n
	}
	se := math.Sqrt(2 / n)
	near(t, "<vx²>", vx, KT/c.Mass, 5*se+0.008)
	near(t, "<vy²>", vy, KT/c.Mass, 5*se+0.008)
}

// Proposition 2: y at given x is distributed alike with and without the umbrella.
func TestProposition2(t *testing.T) {
	a, b := simulate(t, false), simulate(t, true)
	for _, x := range []float64{18, 22, 24, 26, 28, 30} {
		c, err := CompareConditional(a, b, x, x+0.2, 1)
		if err != nil {
			t.Fatal(err)
		}
		if c.MaxZ > 5 {
			t.Errorf("x in [%g, %g): deciles differ by %.1f standard errors: %v and %v", c.Lo, c.Hi, c.MaxZ, c.CDFA,
				c.CDFB)
		}
	}
	// The test has power: y in neighbouring windows differs.
	shifted := &Trajectories{X: b.X, Y: make([][]float32, len(b.Y))}
	for i, y := range b.Y {
		for _, v := range y {
			shifted.Y[i] = append(shifted.Y[i], v+0.2)
		}
	}
	c, err := CompareConditional(a, shifted, 24, 24.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.MaxZ < 5 {
		t.Errorf("y shifted by 0.2: only %.1f standard errors", c.MaxZ)
	}
	if _, err := CompareConditional(a, b, 200, 201, 1); err == nil {
		t.Error("empty window: no error")
	}
}

// The stored forces are -∇u at the stored positions, with and without the umbrella.
func TestForceLabelsAreUnbiased(t *testing.T) {
	for _, biased := range []bool{false, true} {
		tr := simulate(t, biased)
		for i := range 2000 {
			k := i * 7
			x, y := float64(tr.X[3][k]), float64(tr.Y[3][k])
			ux, uy := Gradient(x, y)
			// Positions are rounded to float32: 2e-6 in x, times second derivatives below 10.
			near(t, "Fx", float64(tr.Fx[3][k]), -ux, 1e-4*(1+math.Abs(ux)))
			near(t, "Fy", float64(tr.Fy[3][k]), -uy, 1e-4*(1+math.Abs(uy)))
		}
	}
}

// The same seed gives the same bits whatever the number of threads and of trajectories beside; another seed does not.
func TestReproducible(t *testing.T) {
	c := Default()
	c.Trajectories, c.BurnIn, c.Steps, c.Stride, c.Biased = 7, 1001, 2003, 7, true
	run := func(c Langevin) *Trajectories {
		tr, err := c.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	want := run(c)
	if n := want.Frames(); n != 7*286 {
		t.Errorf("frames: got %d, want %d", n, 7*286)
	}
	for _, threads := range []int{1, 2, 3, 7, 20} {
		c.Threads = threads
		got := run(c)
		for i := range want.Final {
			if got.Final[i] != want.Final[i] {
				t.Errorf("%d threads, trajectory %d: got %+v, want %+v", threads, i, got.Final[i], want.Final[i])
			}
		}
	}
	c.Trajectories = 2
	if got := run(c); got.Final[1] != want.Final[1] {
		t.Error("trajectory 1 depends on the number of trajectories")
	}
	c.Seed++
	if got := run(c); got.Final[1] == want.Final[1] {
		t.Error("another seed, same trajectory")
	}
}

// State of trajectory 0 of seed 7 after 20,000 steps, as bench/langevin.c prints it when built with -DOWN_EXP and
// -ffp-contract=off (gcc 12.2, arguments "1 20000 0 7").
func TestStateOfC(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("bits are compared on amd64 only: elsewhere the compiler may fuse multiply and add")
	}
	c := Default()
	c.Trajectories, c.BurnIn, c.Steps, c.Seed = 1, 0, 20_000, 7
	tr, err := c.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := tr.Final[0]
	got := [4]uint64{math.Float64bits(s.X), math.Float64bits(s.Y), math.Float64bits(s.Vx), math.Float64bits(s.Vy)}
	if want := [4]uint64{0x4043b063ccf9f0db, 0x4020ca048606a808, 0xbff4a2450c29948e, 0x3fd1f905d35400b5}; got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestRunErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Default().Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	c := Default()
	c.Dt, c.Trajectories, c.Steps, c.BurnIn = 0.8, 200, 1000, 0
	if _, err := c.Run(t.Context(), nil); !errors.Is(err, ErrRunaway) {
		t.Errorf("dt = 0.8: got %v, want ErrRunaway", err)
	}
	for name, change := range map[string]func(c *Langevin){
		"dt":     func(c *Langevin) { c.Dt = 0 },
		"NaN":    func(c *Langevin) { c.Mass = math.NaN() },
		"γ":      func(c *Langevin) { c.Gamma = -1 },
		"steps":  func(c *Langevin) { c.Steps = c.Stride - 1 },
		"none":   func(c *Langevin) { c.Trajectories = 0 },
		"burnin": func(c *Langevin) { c.BurnIn = -1 },
	} {
		c := Default()
		change(&c)
		if _, err := c.Run(t.Context(), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestProgressReachesTotal(t *testing.T) {
	c := Default()
	c.Trajectories, c.BurnIn, c.Steps = 5, 100, 1000
	last, calls := 0, 0
	_, err := c.Run(t.Context(), func(done, total int, _ string) {
		if done <= last || total != 5*1100 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
		calls++
	})
	if err != nil || last != 5*1100 || calls == 0 {
		t.Errorf("got %d steps in %d calls, error %v; want 5500", last, calls, err)
	}
}

// Moments of the normal generator and the mass beyond the last layer, within 5 standard errors.
func TestNormals(t *testing.T) {
	const n = 4_000_000
	tab, g := newTables(), newRNG(11, 3)
	z := make([]float64, n)
	tab.normals(&g, z)
	var m1, m2, m3, m4, lag, tail, inner float64
	for i, v := range z {
		m1 += v
		m2 += v * v
		m3 += v * v * v
		m4 += v * v * v * v
		if i > 0 {
			lag += v * z[i-1]
		}
		if math.Abs(v) > zigR {
			tail++
		}
		if math.Abs(v) < 0.25 {
			inner++
		}
	}
	near(t, "mean", m1/n, 0, 5/math.Sqrt(n))
	near(t, "second moment", m2/n, 1, 5*math.Sqrt(2.0/n))
	near(t, "third moment", m3/n, 0, 5*math.Sqrt(15.0/n))
	near(t, "fourth moment", m4/n, 3, 5*math.Sqrt(96.0/n))
	near(t, "correlation of neighbours", lag/n, 0, 5/math.Sqrt(n))
	p := math.Erfc(zigR / math.Sqrt2)
	near(t, "P(|z| > r)", tail/n, p, 5*math.Sqrt(p/n))
	p = math.Erf(0.25 / math.Sqrt2)
	near(t, "P(|z| < ¼)", inner/n, p, 5*math.Sqrt(p*(1-p)/n))
}
