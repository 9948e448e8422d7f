package observable_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/cgbg/observable"
)

// The free energy of a double well, from samples of one well and of the other.
func ExampleNewProfile() {
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]float64, 20_000)
	for i := range x {
		x[i] = 0.3*rng.NormFloat64() + 1
		if i%4 == 0 { // a quarter of them on the left
			x[i] -= 2
		}
	}
	p, err := observable.NewProfile(x, nil, observable.ProfileOptions{
		Grid:       []float64{-1.5, -1, -0.5, 0, 0.5, 1, 1.5},
		Smoother:   observable.Corrected,
		Bandwidth:  0.2,
		Resampling: observable.Resampling{Resamples: 100, Rng: rng},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("left well: %.1f kT above the right (ln 3 = %.1f)\n", p.F[1]-p.F[5], math.Log(3))
	// Output: left well: 1.1 kT above the right (ln 3 = 1.1)
}

func benchTorus(n int) observable.Torus {
	rng := rand.New(rand.NewPCG(2, 2))
	t := observable.Torus{Phi: make([]float64, n), Psi: make([]float64, n)}
	for i := range n {
		t.Phi[i], t.Psi[i] = 2*math.Pi*(rng.Float64()-0.5), math.Remainder(rng.NormFloat64(), 2*math.Pi)
	}
	return t
}

func BenchmarkTorusHistogram(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		t := benchTorus(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := observable.TorusHistogram(t.Phi, t.Psi, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScoreTorus(b *testing.B) {
	t := benchTorus(10_000)
	for b.Loop() {
		r := observable.Resampling{Resamples: 100, Rng: rand.New(rand.NewPCG(1, 1))}
		if _, err := observable.ScoreTorus(t, t, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewProfile(b *testing.B) {
	t := benchTorus(10_000)
	for b.Loop() {
		o := observable.ProfileOptions{
			Grid: observable.Centers(observable.Edges(-3, 3, 200)), Smoother: observable.Corrected,
			Resampling: observable.Resampling{Resamples: 200, Rng: rand.New(rand.NewPCG(1, 1))},
		}
		if _, err := observable.NewProfile(t.Psi, nil, o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInefficiency(b *testing.B) {
	x := benchTorus(50_000).Phi
	for i := 1; i < len(x); i++ {
		x[i] += 0.99 * x[i-1]
	}
	for b.Loop() {
		observable.Inefficiency(x)
	}
}
