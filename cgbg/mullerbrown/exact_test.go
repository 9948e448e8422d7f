package mullerbrown

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/integrate/quad"
)

// The same integral by Gauss–Legendre panels over a wide range.
func TestFreeEnergyMatchesGaussLegendre(t *testing.T) {
	for _, x := range []float64{-5, 10, 16, 24, 31.7, 40, 48, 50, 58} {
		var z float64
		for lo := -60.0; lo < 110; lo++ {
			z += quad.Fixed(func(y float64) float64 { return math.Exp(-Potential(x, y)) }, lo, lo+1, 20,
				quad.Legendre{}, 0)
		}
		if got, want := FreeEnergy(x), -math.Log(z); math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
			t.Errorf("U(%g): got %.14g, want %.14g", x, got, want)
		}
	}
}

// F = -dU/dx, by differences, also in the far tails.
func TestMeanForceIsSlope(t *testing.T) {
	for _, x := range []float64{-30, -10, 12, 20, 28, 33, 44, 49, 55, 70, 80} {
		want := -fd.Derivative(FreeEnergy, x, &fd.Settings{Formula: fd.Central, Step: 1e-4})
		if got := MeanForce(x); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("F(%g): got %.10g, want %.10g", x, got, want)
		}
	}
}

// Var(f|x) = E[∂²u/∂x² | x] - U”(x): differentiate U' = E[∂u/∂x | x] once more.
func TestForceVarianceIdentity(t *testing.T) {
	const h = 1e-3
	for _, x := range []float64{15, 24, 30, 36, 48} {
		var w, uxx float64
		for y := -20.0; y <= 70; y += 0.01 {
			e := math.Exp(-Potential(x, y))
			up, _ := Gradient(x+h, y)
			down, _ := Gradient(x-h, y)
			w += e
			uxx += e * (up - down) / (2 * h)
		}
		want := uxx/w + (MeanForce(x+h)-MeanForce(x-h))/(2*h)
		if got := At(x).VarF; math.Abs(got-want) > 1e-5*(1+want) {
			t.Errorf("Var(f|%g): got %.9g, want %.9g", x, got, want)
		}
	}
}

func TestFarTailsAreFinite(t *testing.T) {
	for _, x := range []float64{-200, -80, 100, 250} {
		c := At(x)
		if math.IsNaN(c.U) || math.IsInf(c.U, 0) || c.F*(x-x4) >= 0 {
			t.Errorf("At(%g): got U = %g, F = %g; want finite U and a force towards the wells", x, c.U, c.F)
		}
	}
	// Where the narrow valley takes over, it agrees with the quadrature: sizes of the terms are 1e9 and 1e-7 of it.
	c := At(100)
	_, _, floor := yRange(100)
	v := valley(100, floor)
	if math.Abs(v.U-c.U) > 1e-5 || math.Abs(v.F/c.F-1) > 1e-5 || math.Abs(v.VarF/c.VarF-1) > 1e-4 ||
		math.Abs(v.MeanY-c.MeanY) > 1e-5 {
		t.Errorf("valley(100): got %+v, want %+v", v, c)
	}
	if c := At(2000); !math.IsInf(c.U, 1) || !math.IsInf(c.F, -1) {
		t.Errorf("At(2000): got %+v, want U = +Inf, F = -Inf", c)
	}
}

func BenchmarkAt(b *testing.B) {
	for b.Loop() {
		At(33.3)
	}
}
