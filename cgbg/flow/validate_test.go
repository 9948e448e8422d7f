package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
)

// TestTurn: turning keeps lengths and handedness, and composes like rotations about an axis.
func TestTurn(t *testing.T) {
	half := math.Pi / 6
	q := [4]float64{math.Cos(half), 0, 0, math.Sin(half)} // 60° about z
	got := turn(q, [3]float64{1, 0, 2})
	want := [3]float64{0.5, math.Sqrt(3) / 2, 2}
	for k := range want {
		if math.Abs(got[k]-want[k]) > 1e-14 {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestNegLogLikelihood: on an exact flow the mean of −ln q is the entropy of the
// law within its error, and a rigid body's centre and orientation cost what they should.
func TestNegLogLikelihood(t *testing.T) {
	ctx := context.Background()
	f := gaussian{dim: 6, s: 0.5}
	m := gaussianModel(t, f)
	rng := rand.New(rand.NewPCG(1, 2))
	frames := make([]float32, 3000*f.dim)
	for i := range frames {
		frames[i] = float32(f.s * rng.NormFloat64())
	}
	l, err := m.NegLogLikelihood(ctx, frames, 2000, 1, Accuracy{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	entropy := float64(f.dim) / 2 * math.Log(2*math.Pi*math.E*f.s*f.s)
	if math.Abs(l.Mean-entropy) > 5*l.Error || !(l.Error < 0.1) || l.Frames != 2000 {
		t.Errorf("got %.4f ± %.4f of %d frames, want %.4f", l.Mean, l.Error, l.Frames, entropy)
	}
	// Two beads at distance 2 with the centre N(0, 1/2 per axis): |x|² = 2 + 2|c|², of mean 2 + 3.
	unit := gaussian{dim: 6, s: 1}
	m = &Model{Network: unit, Mean: make([]float64, 6), Std: 1, Beads: 2, Store: model.NewStore(), backend: goBackend()}
	unit.Init(m.Store, nil)
	body := make([]float32, 0, 2000*6)
	for range 2000 {
		body = append(body, 5, 1, 0, 5, 3, 0)
	}
	if l, err = m.NegLogLikelihood(ctx, body, 2000, 1, Accuracy{}, nil); err != nil {
		t.Fatal(err)
	}
	if want := 0.5*5 + 3*math.Log(2*math.Pi); math.Abs(l.Mean-want) > 5*l.Error {
		t.Errorf("a rigid body: got %.4f ± %.4f, want %.4f", l.Mean, l.Error, want)
	}
	if _, err := m.NegLogLikelihood(ctx, body[:60], 100, 1, Accuracy{}, nil); err == nil {
		t.Error("ten frames: no error")
	}
}
