package mullerbrown

import (
	"errors"
	"math"
	"testing"
)

// Known constants: N(0, σ²) has ρ = 1/σ² (Gross 1975; on an interval ρ ≥ 1/σ² by Bakry–Émery and → 1/σ² as it widens);
// the uniform law on an interval of length L has ρ = π²/L² (the logarithmic Sobolev and Poincaré constants agree
// there).
func TestLogSobolevKnown(t *testing.T) {
	tests := []struct {
		name   string
		u      func(x float64) float64
		lo, hi float64
		rho    float64
	}{
		{"Gaussian σ=1", func(x float64) float64 { return x * x / 2 }, -8, 8, 1},
		{"Gaussian σ=3", func(x float64) float64 { return x * x / 18 }, -24, 24, 1.0 / 9},
		{"uniform L=2", func(float64) float64 { return 0 }, -1, 1, math.Pi * math.Pi / 4},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b, err := LogSobolev(tc.u, tc.lo, tc.hi)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v; true/lower %.2f, by the criterion alone %.2f", b, tc.rho/b.Rho, tc.rho/b.Muckenhoupt)
			const rounding = 1e-5 // quadrature; the interval truncates the Gaussian
			for name, low := range map[string]float64{"Rho": b.Rho, "Muckenhoupt": b.Muckenhoupt,
				"HolleyStroock": b.HolleyStroock} {
				if low > tc.rho*(1+rounding) || low <= 0 {
					t.Errorf("%s: got %g, want positive and at most %g", name, low, tc.rho)
				}
			}
			for name, up := range map[string]float64{"Upper": b.Upper, "Gap": b.Gap, "CriterionUpper": b.CriterionUpper,
				"TestFunctions": b.TestFunctions} {
				if up < tc.rho*(1-rounding) {
					t.Errorf("%s: got %g, want at least %g", name, up, tc.rho)
				}
			}
			near(t, "Gap (equal to ρ for these)", b.Gap/tc.rho, 1, 1e-4)
			if tc.rho/b.Muckenhoupt > 10 {
				t.Errorf("criterion is off by %.1f, want at most 10", tc.rho/b.Muckenhoupt)
			}
		})
	}
}

// Two wells: ρ is below the gap, and all bounds are ordered. ρ scales with the inverse square of length.
func TestLogSobolevDoubleWell(t *testing.T) {
	u := func(x float64) float64 { return 3*(x*x-1)*(x*x-1) + 0.5*x }
	a, err := LogSobolev(u, -2.5, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	b, err := LogSobolev(func(x float64) float64 { return u(x/10) + 7 }, -25, 25)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scaled lower bound", 100*b.Rho/a.Rho, 1, 1e-9)
	near(t, "scaled upper bound", 100*b.Upper/a.Upper, 1, 1e-9)
	if !(a.HolleyStroock <= a.Upper && a.Rho <= a.Upper && a.Upper <= a.Gap) {
		t.Errorf("bounds out of order: %+v", a)
	}
	if !(a.TestFunctions < a.Gap) {
		t.Errorf("test functions %g do not improve on the gap %g for unequal wells", a.TestFunctions, a.Gap)
	}
}

func TestLogSobolevRefuses(t *testing.T) {
	if _, err := LogSobolev(func(x float64) float64 { return 100 * math.Sin(300*x) }, 0, 10); !errors.Is(err,
		ErrUnresolved) {
		t.Errorf("fast potential: got %v, want ErrUnresolved", err)
	}
	for name, f := range map[string]func() (Bound, error){
		"NaN":      func() (Bound, error) { return LogSobolev(func(float64) float64 { return math.NaN() }, 0, 1) },
		"infinite": func() (Bound, error) { return LogSobolev(FreeEnergy, 0, math.Inf(1)) },
		"empty":    func() (Bound, error) { return LogSobolev(FreeEnergy, 3, 3) },
		"too high": func() (Bound, error) { return LogSobolev(func(x float64) float64 { return x }, 0, 700) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Eq. 14 holds for perturbed potentials, the Fisher information and KL of a Gaussian pair are the known ones, and a
// small perturbation gives KL → ½ Var.
func TestProp1(t *testing.T) {
	b, err := LogSobolev(FreeEnergy, DomainLo, DomainHi)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exact marginal on [10, 50]: %+v, looseness %.2f", b, b.Looseness())
	wide, err := LogSobolev(FreeEnergy, -10, 56)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "lower bound on a wider interval", wide.Rho/b.Rho, 1, 1e-3)
	near(t, "spectral gap on a wider interval", wide.Gap/b.Gap, 1, 1e-3)
	for _, eps := range []float64{0, 1e-6, 0.01, 0.3, -1, 2} {
		for _, k := range []float64{0.1, 0.5, 2} {
			d, err := Prop1Func(
				func(x float64) float64 { return FreeEnergy(x) + eps*math.Sin(k*x) + 11 },
				func(x float64) float64 { return MeanForce(x) - eps*k*math.Cos(k*x) }, DomainLo, DomainHi, b.Rho)
			if err != nil {
				t.Fatal(err)
			}
			if eps != 0 && !d.holds() || d.KL < 0 {
				t.Errorf("ε = %g, k = %g: KL %g above its bound %g", eps, k, d.KL, d.Bound)
			}
			if up := d.Fisher / (2 * b.Upper); math.Abs(eps) == 1e-6 && d.KL == 0 {
				t.Errorf("ε = %g: KL vanished by cancellation (bound %g)", eps, up)
			}
		}
	}
	// Small ε: KL = ε² Var(sin)/2.
	const eps = 1e-5
	d, err := Prop1Func(func(x float64) float64 { return FreeEnergy(x) + eps*math.Sin(x) },
		func(x float64) float64 { return MeanForce(x) - eps*math.Cos(x) }, DomainLo, DomainHi, b.Rho)
	if err != nil {
		t.Fatal(err)
	}
	var z, s, ss, cc float64
	r := legendre(DomainLo, DomainHi, 160, 8)
	for i, x := range r.X {
		p := r.W[i] * math.Exp(-FreeEnergy(x))
		z, s, ss, cc = z+p, s+p*math.Sin(x), ss+p*math.Sin(x)*math.Sin(x), cc+p*math.Cos(x)*math.Cos(x)
	}
	near(t, "KL/ε²", d.KL/(eps*eps), (ss/z-s*s/z/z)/2, 1e-4)
	near(t, "Fisher/ε²", d.Fisher/(eps*eps), cc/z, 1e-4)

	if _, err := Prop1Func(func(float64) float64 { return math.NaN() }, MeanForce, 10, 50, b.Rho); err == nil {
		t.Error("potential NaN: no error")
	}
	if _, err := Prop1Func(FreeEnergy, MeanForce, 10, 50, 0); err == nil {
		t.Error("ρ = 0: no error")
	}
}

func BenchmarkLogSobolev(b *testing.B) {
	for b.Loop() {
		if _, err := LogSobolev(FreeEnergy, DomainLo, DomainHi); err != nil {
			b.Fatal(err)
		}
	}
}
