package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// vonMises draws angles of density ∝ exp(κ cos x), by rejection.
func vonMises(kappa float64, rng *rand.Rand) float64 {
	for {
		x := math.Pi * (2*rng.Float64() - 1)
		if rng.Float64() < math.Exp(kappa*(math.Cos(x)-1)) {
			return x
		}
	}
}

// Independent angles of density ∝ exp(cos φ + 2 cos ψ) have the free energy
// 3 − cos φ − 2 cos ψ in kT, across the seam as well; a weight of exp(−cos φ)
// takes the first term away.
func TestTorusFreeEnergy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n = 400000
	set := Torus{}
	w := make([]float64, n)
	for i := range n {
		set.Phi, set.Psi = append(set.Phi, vonMises(1, rng)), append(set.Psi, vonMises(2, rng))
		w[i] = math.Exp(-math.Cos(set.Phi[i]))
	}
	for _, weighted := range []bool{false, true} {
		set.Weight = nil
		exact := func(phi, psi float64) float64 { return 3 - math.Cos(phi) - 2*math.Cos(psi) }
		if weighted {
			set.Weight = w
			exact = func(_, psi float64) float64 { return 2 - 2*math.Cos(psi) }
		}
		f, err := torusMap(set, 72, 0.12, 2.5)
		if err != nil {
			t.Fatal(err)
		}
		var sum, shift float64
		for k := range 2 {
			points := 0.0
			sum = 0
			for i, phi := range f.X {
				for j, psi := range f.X {
					d := f.F[i*72+j]/2.5 - exact(phi, psi) - shift
					if k == 0 {
						sum += d
					} else {
						sum += d * d
					}
					points++
				}
			}
			sum /= points
			if k == 0 {
				shift = sum
			}
		}
		if rms := math.Sqrt(sum); rms > 0.08 {
			t.Errorf("weighted %v: rms error %.3f kT", weighted, rms)
		}
		for _, x := range []float64{-math.Pi, math.Pi, 3 * math.Pi} { // the seam, and a turn further
			if a, b := f.At(x, 0.3), f.At(-math.Pi+1e-9, 0.3); math.Abs(a-b) > 1e-6 {
				t.Errorf("at %g: %g, across the seam %g", x, a, b)
			}
		}
		mass := 0.0
		for _, p := range f.P {
			mass += p * math.Pow(2*math.Pi/72, 2)
		}
		if math.Abs(mass-1) > 1e-9 {
			t.Errorf("the density integrates to %g", mass)
		}
	}
	if _, err := torusMap(Torus{}, 72, 0.1, 1); err == nil {
		t.Error("no samples: got no error")
	}
}

// Halves of independent samples score what two samples of half the size do; of
// a trajectory that changes basin once, dealt in long blocks, much more.
func TestFloorHalves(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const n = 20000
	set := Torus{Block: 1}
	for range n {
		set.Phi, set.Psi = append(set.Phi, vonMises(4, rng)), append(set.Psi, vonMises(4, rng))
	}
	half, err := FloorHalves(set.Points(), 20, Resampling{Rng: rng})
	if err != nil {
		t.Fatal(err)
	}
	a := Torus{Phi: set.Phi[:n/2], Psi: set.Psi[:n/2]}
	b := Torus{Phi: set.Phi[n/2:], Psi: set.Psi[n/2:]}
	direct, err := ScoreTorus(a, b, Resampling{})
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(half.JS.Value - direct.JS.Value); d > 5*half.JS.Error {
		t.Errorf("JS of halves %.5f ± %.5f, directly %.5f", half.JS.Value, half.JS.Error, direct.JS.Value)
	}
	for i := range n / 10 {
		set.Phi[i] = math.Mod(set.Phi[i]+2*math.Pi, 2*math.Pi) - math.Pi
	}
	set.Block = n / 10
	rare, err := FloorHalves(set.Points(), 20, Resampling{Rng: rng})
	if err != nil {
		t.Fatal(err)
	}
	if rare.JS.Value < half.JS.Value+0.02 {
		t.Errorf("JS of halves with a rare visit %.5f, without %.5f", rare.JS.Value, half.JS.Value)
	}
	if _, err := FloorHalves(set.Points(), 20, Resampling{}); err == nil {
		t.Error("no random state: got no error")
	}
}

func TestBondsAndAngles(t *testing.T) {
	r := []float64{1, 0, 0, 0, 0, 0, 0, 2, 0 /**/, 1, 0, 0, 0, 0, 0, 3, 0, 0}
	if b := BondLengths(r, 3, [2]int{1, 2}); len(b) != 2 || b[0] != 2 || b[1] != 3 {
		t.Errorf("bonds: got %v", b)
	}
	if a := Angles(r, 3, [3]int{0, 1, 2}); len(a) != 2 || math.Abs(a[0]-math.Pi/2) > 1e-15 || a[1] != 0 {
		t.Errorf("angles: got %v", a)
	}
}

// Error bars cover: over many correlated series with a known answer, the block
// bootstrap's one standard error holds it in 68 ± 10 % of them.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	const series, n, memory = 300, 4000, 0.95 // inefficiency 39
	hit := 0
	for range series {
		x := make([]float64, n)
		v := rng.NormFloat64()
		for i := range x {
			v = memory*v + math.Sqrt(1-memory*memory)*rng.NormFloat64()
			x[i] = v
		}
		block := int(2 * Inefficiency(x))
		stat := func(idx []int, out []float64) {
			up := 0.0
			for _, i := range idx {
				if x[i] > 0 {
					up++
				}
			}
			out[0] = math.Log(up / (float64(len(idx)) - up)) // a free-energy difference in kT; exactly zero
		}
		var value [1]float64
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		stat(all, value[:])
		sd, err := Bootstrap(n, 1, Resampling{Resamples: 100, Block: block, Rng: rng}, stat)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(value[0]) < sd[0] {
			hit++
		}
	}
	if c := float64(hit) / series; c < 0.58 || c > 0.78 {
		t.Errorf("one standard error covers the answer in %.0f %% of the series, want 68 ± 10", 100*c)
	} else {
		t.Logf("covers %.0f %%", 100*c)
	}
}
