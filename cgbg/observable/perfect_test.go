package observable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Independent angles of density ∝ exp(κ(cos φ + cos ψ)): the floor estimated from a sample alone is what FloorExact, which knows the density,
// gives for as many samples; frames that come in fours of the same count as one.
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
	mid := Centers(Edges(-math.Pi, math.Pi, TorusBins))
	exact := make([]float64, 0, TorusBins*TorusBins)
	for _, phi := range mid {
		for _, psi := range mid {
			exact = append(exact, math.Exp(kappa*(math.Cos(phi)+math.Cos(psi))))
		}
	}
	for name, c := range map[string]struct {
		set Torus
		n   int
	}{"independent": {independent, n}, "sticky": {sticky, n / copies}} {
		got, err := FloorPerfect(c.set, 20, Resampling{Rng: rng})
		if err != nil {
			t.Fatal(err)
		}
		want, err := FloorExact(c.n, 20, exact, rng)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: got %.4f %.3f, want %.4f %.3f", name, got.JS.Value, got.PMFError.Value, want.JS.Value, want.PMFError.Value)
		near(t, name+", JS", got.JS.Value, want.JS.Value, 0.2*want.JS.Value)
		near(t, name+", PMF error", got.PMFError.Value, want.PMFError.Value, 0.2*want.PMFError.Value)
	}
	independent.Block = n/3 + 1
	if _, err := FloorPerfect(independent, 20, Resampling{Rng: rng}); err == nil {
		t.Error("three blocks: got no error")
	}
	if _, err := FloorPerfect(sticky, 20, Resampling{}); err == nil {
		t.Error("no random state: got no error")
	}
}
