package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestShare(t *testing.T) {
	// Beta(2, 1) has the variance 1/18, Beta(3, 2) 1/25.
	for _, c := range []struct {
		k, n      int
		value, sd float64
	}{{1, 1, 1, math.Sqrt(1. / 18)}, {2, 3, 2. / 3, 0.2}, {0, 1, 0, math.Sqrt(1. / 18)}} {
		if v, sd := Share(c.k, c.n); math.Abs(v-c.value) > 1e-12 || math.Abs(sd-c.sd) > 1e-12 {
			t.Errorf("%d of %d: got %g ± %g, want %g ± %g", c.k, c.n, v, sd, c.value, c.sd)
		}
	}
}

// The root mean square of normal differences is their standard deviation s, and its error s/√(2n).
func TestDeviation(t *testing.T) {
	const n, s = 4000, 0.3
	rng := rand.New(rand.NewPCG(1, 1))
	got, want := make([]float64, n), make([]float64, n)
	for i := range got {
		want[i] = rng.NormFloat64()
		got[i] = want[i] + s*rng.NormFloat64()
	}
	got[7] = want[7] - 2
	rms, e, largest := Deviation(got, want)
	if math.Abs(rms-s) > 5*e || math.Abs(e-s/math.Sqrt(2*n)) > 0.3*s/math.Sqrt(2*n) || largest != 2 {
		t.Errorf("got %g ± %g, largest %g; want %g ± %g, 2", rms, e, largest, s, s/math.Sqrt(2*n))
	}
	if rms, e, largest = Deviation(want, want); rms != 0 || e != 0 || largest != 0 {
		t.Errorf("no differences: got %g ± %g, largest %g", rms, e, largest)
	}
}
