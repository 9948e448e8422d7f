package observable

import (
	"errors"
	"math"
	"testing"
)

// Law: standard normal samples have F = x²/2 kT; within 5 standard errors plus the bias of smoothing, for every
// smoother, also when the samples are drawn from N(0, 1.3²) and weighted.
func TestProfileOfGaussian(t *testing.T) {
	const n, kT = 40_000, 2.5
	grid := Centers(Edges(-2.5, 2.5, 51))
	wide := normals(n, 1)
	w := make([]float64, n)
	for i, z := range wide {
		wide[i] = 1.3 * z
		w[i] = math.Exp(z*z/2 - wide[i]*wide[i]/2)
	}
	exact := make([]float64, len(grid))
	density := make([]float64, len(grid))
	for i, x := range grid {
		exact[i], density[i] = kT*x*x/2, math.Exp(-x*x/2)
	}
	for _, c := range []struct {
		name string
		x, w []float64
		o    ProfileOptions
		bias float64 // kT; a Gaussian kernel of width h flattens F by h²(x² − 1)/2
	}{
		{"bins", normals(n, 2), nil, ProfileOptions{}, 0.005},
		{"kernel", normals(n, 2), nil, ProfileOptions{Smoother: Kernel, Bandwidth: 0.1}, 0.03},
		{"corrected", normals(n, 2), nil, ProfileOptions{Smoother: Corrected}, 0.02},
		{"corrected, weighted", wide, w, ProfileOptions{Smoother: Corrected}, 0.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Grid, c.o.KT = grid, kT
			c.o.Resampling = Resampling{Resamples: 100, Rng: newRNG(3)}
			p, err := NewProfile(c.x, c.w, c.o)
			if err != nil {
				t.Fatal(err)
			}
			AlignTo(p.F, exact, density)
			for i, f := range p.F {
				near(t, "F", f, exact[i], 5*p.FError[i]+c.bias*kT)
				if !(p.FError[i] > 0 && p.PError[i] > 0) {
					t.Errorf("point %d has no error", i)
				}
			}
			near(t, "outside", p.Outside, 0.0124, 5*math.Sqrt(0.0124/n)*1.5) // 2(1 − Φ(2.5)); grid cells end at ±2.5
		})
	}
}

// Law: on the circle a shift of all angles shifts the profile, and nothing happens at ±π.
func TestProfilePeriodic(t *testing.T) {
	const points, shift = 72, 36 // half a turn
	grid := Centers(Edges(-math.Pi, math.Pi, points))
	x := normals(5000, 4)
	y := make([]float64, len(x))
	for i := range x {
		x[i] *= 0.5
		y[i] = math.Remainder(x[i]+math.Pi, 2*math.Pi)
	}
	for _, s := range []Smoother{Kernel, Corrected} {
		o := ProfileOptions{Grid: grid, Periodic: true, Smoother: s, Bandwidth: 0.15}
		a, err := NewProfile(x, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewProfile(y, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		var total float64
		for i := range points {
			near(t, "P", b.P[(i+shift)%points], a.P[i], 1e-3) // rounding moves samples between fine bins
			total += a.P[i] * 2 * math.Pi / points
		}
		near(t, "integral", total, 1, 0.02)
	}
	if _, err := NewProfile(x, nil, ProfileOptions{Grid: grid, Periodic: true, Smoother: Kernel}); err == nil {
		t.Error("no bandwidth passes on the circle")
	}
}

func TestProfileErrors(t *testing.T) {
	x := []float64{1, 2, 3}
	if _, err := NewProfile(x, nil, ProfileOptions{Grid: []float64{0, 1, 3}}); err == nil {
		t.Error("an uneven grid passes")
	}
	if _, err := NewProfile(x, []float64{0, 0, 0}, ProfileOptions{Grid: []float64{0, 1, 2}}); !errors.Is(err,
		ErrNoMass) {
		t.Errorf("got %v, want ErrNoMass", err)
	}
	if _, err := NewProfile([]float64{1, 1}, nil,
		ProfileOptions{Grid: []float64{0, 1, 2}, Smoother: Kernel}); err == nil {
		t.Error("no spread and no bandwidth passes")
	}
	r := Resampling{Resamples: 20, Rng: newRNG(1)}
	p, err := NewProfile(x, nil, ProfileOptions{Grid: []float64{1, 2, 3, 4}, Resampling: r})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(p.F[3], 1) || !math.IsNaN(p.FError[3]) {
		t.Errorf("an empty cell: got F %g ± %g", p.F[3], p.FError[3])
	}
}

func TestAlignAndCompare(t *testing.T) {
	ref := []float64{0, 1, 2, 9}
	f := []float64{5, 6.2, 7, math.Inf(1)}
	shift := AlignTo(f, ref, []float64{2, 1, 1, 0.5})
	near(t, "shift", shift, -(5*2+5.2+5)/4, algebra)
	m, k := MeanAbsError(f, ref, 6)
	near(t, "mean", m, (0.05+0.15+0.05)/3, algebra)
	if k != 3 {
		t.Errorf("got %d points, want 3", k)
	}
	r, _ := RMSError(f, ref, 6)
	near(t, "rms", r, math.Sqrt((2*0.05*0.05+0.15*0.15)/3), algebra)
	if m, _ := MeanAbsError(f, ref, 10); !math.IsInf(m, 1) {
		t.Errorf("an empty cell: got %g, want +Inf", m)
	}
}

// Literal: Scott's rule, σ n^(−1/5); half of equal weights zero is half the samples.
func TestBandwidth(t *testing.T) {
	x := []float64{-1, 1, -1, 1, -1, 1, -1, 1}
	near(t, "equal", bandwidth(x, nil), math.Pow(8, -0.2), algebra)
	near(t, "half dropped", bandwidth(x, []float64{1, 1, 1, 1, 0, 0, 0, 0}), math.Pow(4, -0.2), algebra)
}
