package langevin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// spring is −k·x in every component.
func spring(k []float64) Force {
	return func(_ context.Context, r []float64) ([]float64, error) {
		f := make([]float64, len(r))
		for i, x := range r {
			f[i] = -k[i%len(k)] * x
		}
		return f, nil
	}
}

// Positions in a harmonic well have the variance kT/k, velocities
// kT/m·(1−(Dt·ω)²/4), at steps from small to three quarters of the stable
// limit, within 5 standard errors over replicas.
func TestHarmonic(t *testing.T) {
	const kT, replicas = 2.5, 400
	k, mass := []float64{1, 40, 900}, []float64{1, 4, 4} // ω = 1, √10, 15
	for _, dt := range []float64{0.01, 0.1} {            // Dt·ω up to 1.5
		for _, gamma := range []float64{0.5, 5} {
			t.Run(fmt.Sprintf("dt %g γ %g", dt, gamma), func(t *testing.T) {
				c := Config{Dt: dt, Gamma: gamma, KT: kT, Mass: mass, Steps: int(60 / dt), Stride: int(1 / dt), Seed: 3}
				run, err := Run(t.Context(), spring(k), make([]float64, 3*replicas), c, nil)
				if err != nil {
					t.Fatal(err)
				}
				square := make([][]float64, len(k)) // by component: mean of x² over a replica's second half
				velocity := make([][]float64, len(k))
				for i := range replicas {
					for a := range k {
						sum, n := 0.0, 0.0
						for frame := run.Frames / 2; frame < run.Frames; frame++ {
							x := run.R[(frame*replicas+i)*len(k)+a]
							sum += x * x
							n++
						}
						square[a] = append(square[a], sum/n)
						v := run.V[i*len(k)+a]
						velocity[a] = append(velocity[a], v*v)
					}
				}
				for a := range k {
					near(t, fmt.Sprintf("<x²> of component %d", a), square[a], kT/k[a])
					h := dt * math.Sqrt(k[a]/mass[a])
					near(t, fmt.Sprintf("<v²> of component %d", a), velocity[a], kT/mass[a]*(1-h*h/4))
				}
			})
		}
	}
}

func near(t *testing.T, name string, got []float64, want float64) {
	t.Helper()
	n := float64(len(got))
	mean, square := 0.0, 0.0
	for _, v := range got {
		mean += v / n
	}
	for _, v := range got {
		square += (v - mean) * (v - mean)
	}
	if se := math.Sqrt(square / n / (n - 1)); math.Abs(mean-want) > 5*se {
		t.Errorf("%s: got %g ± %g, want %g", name, mean, se, want)
	}
}

// Two wells: the population of the upper one is exp(−ΔF/kT) of the lower,
// against the integral of the density, whichever well all replicas start from.
func TestDoubleWell(t *testing.T) {
	const kT, replicas = 1.0, 300
	u := func(x float64) float64 { return 2*(x*x-1)*(x*x-1) + 0.3*x }
	force := func(_ context.Context, r []float64) ([]float64, error) {
		f := make([]float64, len(r))
		for i, x := range r {
			f[i] = -8*x*(x*x-1) - 0.3
		}
		return f, nil
	}
	var up, all float64
	for x := -4.0; x < 4; x += 1e-3 {
		all += math.Exp(-u(x) / kT)
		if x > 0 {
			up += math.Exp(-u(x) / kT)
		}
	}
	for _, from := range []float64{-1, 1} {
		start := slices.Repeat([]float64{from}, replicas)
		run, err := Run(t.Context(), force, start,
			Config{Dt: 0.1, Gamma: 1, KT: kT, Mass: []float64{1}, Steps: 4000, Stride: 10, Seed: 8}, nil)
		if err != nil {
			t.Fatal(err)
		}
		part := make([]float64, replicas)
		for frame := run.Frames / 4; frame < run.Frames; frame++ { // the first quarter is burn-in
			for i := range replicas {
				if run.R[frame*replicas+i] > 0 {
					part[i] += 1 / float64(run.Frames-run.Frames/4)
				}
			}
		}
		near(t, fmt.Sprintf("P(x > 0) from %g", from), part, up/all)
	}
}

// Without friction the step is velocity Verlet, which keeps
// m v²/2 + k x²/2·(1−(Dt·ω)²/4) of a harmonic well exactly.
func TestNewton(t *testing.T) {
	c := Config{Dt: 0.3, KT: 1, Mass: []float64{2}, Steps: 1, Stride: 1, Seed: 1}
	const k = 10.0
	invariant := func(x, v float64) float64 { return v*v + k*x*x/2*(1-0.3*0.3*k/2/4) }
	first, err := Run(t.Context(), spring([]float64{k}), []float64{0.7}, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Steps = 1000
	last, err := Run(t.Context(), spring([]float64{k}), []float64{0.7}, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, want := invariant(last.X[0], last.V[0]), invariant(first.X[0], first.V[0])
	if math.Abs(got-want) > 1e-11*want {
		t.Errorf("invariant after 1000 steps: got %.15g, want %.15g", got, want)
	}
}

// A replica's path does not depend on those beside it; another seed gives another.
func TestReproducible(t *testing.T) {
	c := Config{Dt: 0.1, Gamma: 1, KT: 1, Mass: []float64{1, 2}, Steps: 50, Stride: 5, Seed: 4}
	run := func(start ...float64) *Trajectory {
		r, err := Run(t.Context(), spring([]float64{1, 3}), start, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	alone, both := run(0.1, 0.2), run(0.1, 0.2, -1, 1)
	if !slices.Equal(alone.X, both.X[:2]) || alone.Frames != 10 || len(both.R) != 40 {
		t.Errorf("with another replica beside: got %v, want %v; %d frames, %d numbers", both.X[:2], alone.X,
			alone.Frames, len(both.R))
	}
	c.Seed = 5
	if slices.Equal(run(0.1, 0.2).X, alone.X) {
		t.Error("another seed: the same path")
	}
}

func TestErrors(t *testing.T) {
	good := Config{Dt: 0.1, Gamma: 1, KT: 1, Mass: []float64{1}, Steps: 10_000, Stride: 1}
	for name, change := range map[string]func(*Config){
		"Dt": func(c *Config) { c.Dt = 0 }, "KT": func(c *Config) { c.KT = math.NaN() },
		"Gamma":  func(c *Config) { c.Gamma = -1 },
		"masses": func(c *Config) { c.Mass = []float64{0} }, "Stride": func(c *Config) { c.Stride = 0 },
		"configurations": func(c *Config) { c.Mass = []float64{1, 1} },
	} {
		c := good
		change(&c)
		if _, err := Run(t.Context(), spring([]float64{1}), []float64{1}, c, nil); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	unstable := good
	unstable.Dt = 3
	if _, err := Run(t.Context(), spring([]float64{1}), []float64{1}, unstable, nil); !errors.Is(err, ErrRunaway) {
		t.Errorf("an unstable step: got %v, want ErrRunaway", err)
	}
	broken := errors.New("broken")
	_, err := Run(t.Context(), func(context.Context, []float64) ([]float64, error) { return nil, broken }, []float64{1},
		good, nil)
	if !errors.Is(err, broken) {
		t.Errorf("a failing force: got %v", err)
	}
}

func ExampleRun() {
	c := Config{Dt: 0.1, Gamma: 1, KT: 1, Mass: []float64{1}, Steps: 1000, Stride: 100, Seed: 1}
	run, err := Run(context.Background(), spring([]float64{4}), make([]float64, 50), c, nil)
	fmt.Println(run.Frames, len(run.R), err)
	// Output: 10 500 <nil>
}

// A step of 64 replicas of 18 components with a force that costs nothing.
func BenchmarkRun(b *testing.B) {
	mass := slices.Repeat([]float64{12}, 18)
	free := make([]float64, 64*18)
	c := Config{Dt: 0.1, Gamma: 1, KT: 1, Mass: mass, Steps: b.N, Stride: b.N}
	_, err := Run(context.Background(), func(context.Context, []float64) ([]float64, error) { return free, nil }, free,
		c, nil)
	if err != nil {
		b.Fatal(err)
	}
}
