package cgmap

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Two atoms on springs: x1 and x2 with energy (k1·x1² + k2·(x1−x2)²)/2 in kT. The
// bead is x1, or the mean of both. The mean force on it is known, and the least
// noisy map must find it with no noise at all where the force is linear.
func TestForceMapsAgreeInTheMean(t *testing.T) {
	const k1, k2, n = 3.0, 40.0, 200000
	rng := rand.New(rand.NewPCG(5, 6))
	type sample struct{ r, f [2]float64 }
	samples := make([]sample, n)
	var g Gram
	for i := range samples {
		x1 := rng.NormFloat64() / math.Sqrt(k1)
		x2 := x1 + rng.NormFloat64()/math.Sqrt(k2)
		f := [2]float64{-k1*x1 - k2*(x1-x2), -k2 * (x2 - x1)}
		samples[i] = sample{[2]float64{x1, x2}, f}
		if err := g.Add([]float32{float32(f[0]), 0, 0, float32(f[1]), 0, 0}); err != nil {
			t.Fatal(err)
		}
	}
	v1 := 1 / k1
	for name, c := range map[string]struct {
		c    []float64
		mean float64 // mean force = mean·R
	}{
		"slice":  {[]float64{1, 0}, -k1},
		"centre": {[]float64{0.5, 0.5}, -1 / (v1 + 0.25/k2)},
	} {
		m := mat.NewDense(1, 2, c.c)
		basic, err := Basic(m, nil)
		if err != nil {
			t.Fatal(err)
		}
		least, err := g.LeastNoise(m, nil)
		if err != nil {
			t.Fatal(err)
		}
		var rms [2]float64
		for k, b := range []*mat.Dense{basic, least} {
			if d := b.At(0, 0)*c.c[0] + b.At(0, 1)*c.c[1]; math.Abs(d-1) > 1e-12 {
				t.Errorf("%s: B·Cᵀ = %g, want 1", name, d)
			}
			var fr, rr float64 // slope of the force on R
			for _, s := range samples {
				r := c.c[0]*s.r[0] + c.c[1]*s.r[1]
				f := b.At(0, 0)*s.f[0] + b.At(0, 1)*s.f[1]
				fr, rr = fr+f*r, rr+r*r
			}
			if math.Abs(fr/rr-c.mean) > 0.03*math.Abs(c.mean) {
				t.Errorf("%s, map %d: mean force %.4f·R, want %.4f·R", name, k, fr/rr, c.mean)
			}
			rms[k] = g.RMS(b)[0]
		}
		signal := math.Abs(c.mean) * math.Sqrt(1/math.Abs(c.mean)/3) // a third: y and z are zero
		if noisy := name == "slice"; rms[1] > 1.02*signal || rms[1] > rms[0] || (rms[0] > 1.5*signal) != noisy {
			t.Errorf("%s: rms %.3f basic, %.3f least; the mean force alone has %.3f", name, rms[0], rms[1], signal)
		}
	}
}

// Rigid atoms share a coefficient; a bead that is one end of a rigid bond whose
// other end is a bead too has no unbiased map.
func TestRigidForceMap(t *testing.T) {
	c := mat.NewDense(1, 3, []float64{1, 0, 0})
	b, err := Basic(c, [][]int{{0, 2}})
	if err != nil || b.At(0, 0) != 1 || b.At(0, 2) != 1 || b.At(0, 1) != 0 {
		t.Errorf("got %v, %v", mat.Formatted(b), err)
	}
	if _, err := Basic(mat.NewDense(2, 3, []float64{1, 0, 0, 0, 0, 1}), [][]int{{0, 2}}); !errors.Is(err, ErrForceMap) {
		t.Errorf("both ends of a rigid bond: got %v", err)
	}
	if _, err := Basic(c, [][]int{{0, 5}}); err == nil {
		t.Error("an atom that is not there: got no error")
	}
	f, err := projectForces(nil, b, []float32{1, 2, 3, 10, 20, 30, 100, 200, 300})
	if err != nil || f[0] != 101 || f[2] != 303 {
		t.Errorf("got %v, %v", f, err)
	}
}

// projectForces appends B·f to dst. b: [beads, atoms]; f: [atoms, 3].
func projectForces(dst []float32, b *mat.Dense, f []float32) ([]float32, error) {
	return sparse(b).Apply(dst, f)
}

// sparse is a matrix without its zeros.
func sparse(b *mat.Dense) *Sparse {
	beads, atoms := b.Dims()
	out := &Sparse{rows: make([][]Weight, beads), atoms: atoms}
	for k := range beads {
		out.rows[k] = weights(b.RawRowView(k))
	}
	return out
}
