package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// massOf is the exact masses of angles of density ∝ exp(κ(cos φ + cos ψ)).
func massOf(kappa float64) []float64 {
	mid := Centers(Edges(-math.Pi, math.Pi, TorusBins))
	exact := make([]float64, 0, TorusBins*TorusBins)
	for _, phi := range mid {
		for _, psi := range mid {
			exact = append(exact, math.Exp(kappa*(math.Cos(phi)+math.Cos(psi))))
		}
	}
	return exact
}

// The floor estimated from independent angles alone is what FloorExact, which knows the density, gives for as many
// samples; frames that come in fours of the same count as one.
func TestFloorPerfect(t *testing.T) {
	const n, kappa, copies = 40_000, 4, 4
	rng := rand.New(rand.NewPCG(21, 22))
	independent, sticky := Torus{Block: 1}, Torus{Block: 2 * copies}
	for i := range n {
		phi, psi := vonMises(kappa, rng), vonMises(kappa, rng)
		independent.Phi, independent.Psi = append(independent.Phi, phi), append(independent.Psi, psi)
		if i < n/copies {
			for range copies {
				sticky.Phi, sticky.Psi = append(sticky.Phi, phi), append(sticky.Psi, psi)
			}
		}
	}
	for name, c := range map[string]struct {
		set Torus
		n   int
	}{"independent": {independent, n}, "sticky": {sticky, n / copies}} {
		got, err := FloorPerfect(c.set.Points(), 20, Resampling{Rng: rng})
		if err != nil {
			t.Fatal(err)
		}
		want, err := FloorExact(c.n, 20, massOf(kappa), rng)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+", JS", got.JS.Value/want.JS.Value, 1, 0.2)
		near(t, name+", PMF error", got.PMFError.Value/want.PMFError.Value, 1.1, 0.2)
	}
	independent.Block = n/3 + 1
	if _, err := FloorPerfect(independent.Points(), 20, Resampling{Rng: rng}); err == nil {
		t.Error("three blocks: got no error")
	}
	if _, err := FloorPerfect(sticky.Points(), 20, Resampling{}); err == nil {
		t.Error("no random state: got no error")
	}
}

// Of samples of a wider density with weights, against what such samples score against the exact masses: JS as it is,
// the PMF error up to 4 times.
func TestFloorPerfectWeighted(t *testing.T) {
	const n, kappa, wide, repeats = 32_000, 4, 2, 10
	rng := rand.New(rand.NewPCG(23, 24))
	exact := massOf(kappa)
	var set Torus
	var js, pmf float64
	for range repeats {
		set = Torus{Block: 1}
		for range n {
			phi, psi := vonMises(wide, rng), vonMises(wide, rng)
			set.Phi, set.Psi = append(set.Phi, phi), append(set.Psi, psi)
			set.Weight = append(set.Weight, math.Exp((kappa-wide)*(math.Cos(phi)+math.Cos(psi)-2)))
		}
		h, err := TorusHistogram(set.Phi, set.Psi, set.Weight)
		if err != nil {
			t.Fatal(err)
		}
		js += JS(h.Mass, exact) / repeats
		pmf += pmfError(h.Mass, exact) / repeats
	}
	got, err := FloorPerfect(set.Points(), 20, Resampling{Rng: rng})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "JS", got.JS.Value/js, 1, 0.2)
	if q := got.PMFError.Value / pmf; q < 1 || q > 4 {
		t.Errorf("PMF error: got %g, %g of the exact one; want 1 to 4", got.PMFError.Value, q)
	}
}
