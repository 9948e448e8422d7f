package pmf

import (
	"context"
	"math"
	"testing"
)

// TestEnsemble: members of a double well agree where there are data, and not beyond.
func TestEnsemble(t *testing.T) {
	r, f := doubleWell(4000)
	pot := RBFMLP{Centers: 12, Lo: 1, Hi: 5, Sigma: 0.4, Hidden: 16, Layers: 2}
	cfg := Config{Epochs: 10, Batch: 128, Rate: 1e-2, RateDecay: 0.1, Seed: 1, Validation: 0.1, RandomSplit: true}
	var models []*Model
	for range 3 {
		m, _, err := Fit(context.Background(), goBackend(), pot, r, f, cfg)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
		cfg.Seed++
	}
	var x []float64
	for v := -1.2; v < 1.25; v += 0.1 {
		x = append(x, v+3)
	}
	inside := len(x)
	x = append(x, 5.5, 0.5)
	var energies [][]float64
	for _, m := range models {
		u, err := m.Energy(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		energies = append(energies, u)
	}
	mean, spread := MeanEnergy(energies...)
	if in, out := rms(spread[:inside]), rms(spread[inside:]); !(out > 3*in) {
		t.Errorf("spread %g where there are data, %g beyond", in, out)
	}
	// By hand: the mean and standard deviation of the shifted members.
	var sum, squares float64
	for _, u := range energies {
		shift := 0.0
		for _, v := range u {
			shift += v / float64(len(u))
		}
		sum += (u[0] - shift) / 3
		squares += (u[0] - shift) * (u[0] - shift) / 2
	}
	if want := math.Sqrt(squares - 1.5*sum*sum); math.Abs(mean[0]-sum) > 1e-12 || math.Abs(spread[0]-want) > 1e-6 {
		t.Errorf("got mean %g, spread %g, want %g, %g", mean[0], spread[0], sum, want)
	}
	// Other frames bound the noise of variance 4, more tightly than a member's loss.
	r, f = doubleWell(8000)
	r, f = r[4000:], f[4000:]
	var forces [][]float64
	for _, m := range models {
		_, force, err := m.EnergyForce(context.Background(), double(r))
		if err != nil {
			t.Fatal(err)
		}
		forces = append(forces, force)
	}
	bound, stderr, err := NoiseBoundOf(f, forces...)
	if err != nil {
		t.Fatal(err)
	}
	force := forces[0]
	for i := range force {
		force[i] -= float64(f[i])
	}
	if loss := rms(force) * rms(force); !(bound > 4-4*stderr && bound < 4.5 && bound < loss && stderr > 0.03 &&
		stderr < 0.3) {
		t.Errorf("noise bound %g ± %g, loss %g, want 4 and below the loss", bound, stderr, loss)
	}
	if _, _, err := NoiseBoundOf(f[1:], forces...); err == nil {
		t.Error("a force missing: no error")
	}
	if _, _, err := NoiseBoundOf(f, forces[0]); err == nil {
		t.Error("an ensemble of one: no error")
	}
}

// TestSplit: a block at the end, or frames drawn without repetition; pairs stay together.
func TestSplit(t *testing.T) {
	var r, f []float32
	for i := range 40 {
		r, f = append(r, float32(i)), append(f, float32(-i))
	}
	for _, random := range []bool{false, true} {
		gotR, gotF := split(r, f, 2, Config{RandomSplit: random, Validation: 0.25, Seed: 3})
		seen, same := map[float32]bool{}, true
		for i := range gotR {
			seen[gotR[i]] = true
			same = same && gotR[i] == r[i]
			if gotF[i] != -gotR[i] || gotR[i-i%2]+float32(i%2) != gotR[i] {
				t.Fatalf("random %v: frame %d is torn apart", random, i/2)
			}
		}
		if len(seen) != 40 || same == random {
			t.Errorf("random %v: %d numbers, in the old order: %v", random, len(seen), same)
		}
	}
}
