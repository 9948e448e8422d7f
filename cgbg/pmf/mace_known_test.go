package pmf

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/cgbg/fixture"
)

const knownKT = 2.5 // kJ/mol

// known is U of three beads in kJ/mol: two bonds and a distance with two wells
// of different depth, and −∇U.
func known(r []float64) (u float64, f []float64) {
	f = make([]float64, 9)
	for _, pair := range [][2]int{{0, 1}, {1, 2}, {0, 2}} {
		var d [3]float64
		length := 0.0
		for axis := range d {
			d[axis] = r[3*pair[1]+axis] - r[3*pair[0]+axis]
			length += d[axis] * d[axis]
		}
		length = math.Sqrt(length)
		var slope float64
		if pair == [2]int{0, 2} {
			x := (length - 0.26) / 0.04
			u += 5*(x*x-1)*(x*x-1) + 1.5*x
			slope = (20*x*(x*x-1) + 1.5) / 0.04
		} else {
			u += 500 * (length - 0.18) * (length - 0.18)
			slope = 1000 * (length - 0.18)
		}
		for axis := range d {
			f[3*pair[0]+axis] += slope * d[axis] / length
			f[3*pair[1]+axis] -= slope * d[axis] / length
		}
	}
	return u, f
}

// metropolis samples exp(−U/kT), one frame in 20 sweeps.
func metropolis(n int) []float64 {
	rng := rand.New(rand.NewPCG(5, 5))
	r := []float64{0, 0, 0, 0.18, 0, 0, 0.2, 0.18, 0}
	u, _ := known(r)
	var out []float64
	for step := range 60 * n {
		i := rng.IntN(9)
		old := r[i]
		r[i] += 0.06 * rng.NormFloat64()
		if next, _ := known(r); rng.Float64() < math.Exp((u-next)/knownKT) {
			u = next
		} else {
			r[i] = old
		}
		if step%60 == 59 {
			out = append(out, r...)
		}
	}
	return out
}

// TestMACEFindsKnownPotential matches noisy forces of a known potential: the
// loss on held-out frames reaches its floor, the noise of the forces; forces are
// off by a small part of the noise; and the free energies of both wells, by
// reweighting the frames to the learned potential, agree to 0.1 kT.
func TestMACEFindsKnownPotential(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // the invariant potential finds it, too
	const noise = knownNoise
	frames, u, exact, r, f := noisyKnown()
	p := MACE{Species: []int{0, 1, 0}, Rows: 2, Cutoff: 0.5, Neighbours: 2, Channels: 4, Embed: 4, Radial: 8,
		Hidden: []int{16}, Readout: 8, Layers: 2, LMax: 1, LHidden: 1, Correlation: 2}
	m, history, err := Fit(context.Background(), goBackend(), p, r, f,
		Config{Epochs: 12, Batch: 64, Rate: 1e-2, RateDecay: 1e-2, Cosine: true, ClipNorm: 100, Seed: 1,
			Validation: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(1)
	for _, v := range history.Validation {
		best = math.Min(best, v)
	}
	learned, force, err := m.EnergyForce(context.Background(), frames)
	if err != nil {
		t.Fatal(err)
	}
	for i := range force {
		force[i] -= exact[i]
	}
	difference := wellsOff(frames, u, learned)
	t.Logf("loss on held-out frames %.0f, floor %.0f; forces off by %.2f of the noise, rms %.0f kJ/mol/nm; wells "+
		"off by %.3f kT", best, noise*noise, rms(force)/noise, rms(exact), difference)
	// The floor of 512 held-out frames of 9 components is known to √(2/4608), 2 %.
	if best > 1.12*noise*noise {
		t.Errorf("loss on held-out frames %.0f, want the noise floor %.0f", best, noise*noise)
	}
	if rms(force) > 0.3*noise {
		t.Errorf("forces are off by %.2f of the noise", rms(force)/noise)
	}
	if math.Abs(difference) > 0.1 {
		t.Errorf("the free energy between the wells is off by %.3f kT", difference)
	}
}

const knownNoise = 30.0 // kJ/mol/nm

// noisyKnown are frames of the known potential with their energies, forces, and, as
// training takes them, the same frames with noisy forces.
func noisyKnown() (frames, u, exact []float64, r, f []float32) {
	rng := rand.New(rand.NewPCG(6, 6))
	frames = metropolis(6000)
	for x := range slices.Chunk(frames, 9) {
		energy, force := known(x)
		u, exact = append(u, energy), append(exact, force...)
		for k, v := range force {
			r, f = append(r, float32(x[k])), append(f, float32(v+knownNoise*rng.NormFloat64()))
		}
	}
	return frames, u, exact, r, f
}

// wellsOff is the error of the free energy between the two wells, x < 0 and x > 0,
// by reweighting frames of U to a learned potential, kT.
func wellsOff(frames, u, learned []float64) float64 {
	var weight, plain [2]float64
	shift := 0.0
	for i := range u {
		shift += (learned[i] - u[i]) / float64(len(u))
	}
	for i := range u {
		var d2 float64
		for axis := range 3 {
			d := frames[9*i+6+axis] - frames[9*i+axis]
			d2 += d * d
		}
		well := 0
		if math.Sqrt(d2) > 0.26 {
			well = 1
		}
		plain[well]++
		weight[well] += math.Exp((u[i] - learned[i] + shift) / knownKT)
	}
	return math.Log(weight[0]/weight[1]) - math.Log(plain[0]/plain[1])
}
