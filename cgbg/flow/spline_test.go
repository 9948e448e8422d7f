package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
)

// splineFor is an untrained spline flow of frames, with parameters so large that its splines bend.
func splineFor(t testing.TB, frames []float32, beads int, o Sizes, bend float64) *Model {
	t.Helper()
	f, err := NewSpline(frames, beads, o)
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Network: f, Mean: make([]float64, f.Dim()), Std: 0.2, Beads: beads, Store: model.NewStore(),
		backend: goBackend()}
	f.Init(m.Store, rand.New(rand.NewPCG(3, 1)))
	for v := range m.Store.IterVariables() {
		value := v.MustValue()
		value.MutableFlatData(func(flat any) {
			x := flat.([]float32)
			for i := range x {
				x[i] *= float32(bend)
			}
		})
	}
	return m
}

// chains are random walks with stiff bonds, of so many beads.
func chains(n, beads int) (frames []float32) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range n {
		var at, step [3]float64
		for b := range beads {
			for k := range at {
				step[k] = rng.NormFloat64()
				if b%2 == 1 {
					step[k] = math.Abs(step[k])
				}
			}
			norm := math.Sqrt(step[0]*step[0] + step[1]*step[1] + step[2]*step[2])
			for k := range at {
				at[k] += step[k] / norm * (0.15 + 0.01*rng.NormFloat64())
				frames = append(frames, float32(at[k]))
			}
		}
	}
	return frames
}

// The log-density is that of the map from the prior: its Jacobian by differences, in all coordinates of the beads. Back
// from there the noise is what it was.
func TestSplineJacobian(t *testing.T) {
	ctx := context.Background()
	for _, beads := range []int{3, 4, 5} {
		m := splineFor(t, chains(200, beads), beads, Sizes{Width: 8, Layers: 3, Bins: 4}, 2)
		acc := Accuracy{}
		dim := 3 * beads
		rng := rand.New(rand.NewPCG(1, uint64(beads)))
		for range 5 {
			z := make([]float64, dim)
			for i := range z {
				z[i] = rng.NormFloat64()
			}
			const h = 1e-5
			points := append([]float64(nil), z...)
			for i := range dim {
				for _, s := range []float64{-h, h} {
					next := append([]float64(nil), z...)
					next[i] += s
					points = append(points, next...)
				}
			}
			out, err := m.transport(ctx, points, 0, 1, acc, nil)
			if err != nil {
				t.Fatal(err)
			}
			jacobian := mat.NewDense(dim, dim, nil)
			for i := range dim {
				low, high := out.x[(1+2*i)*dim:], out.x[(2+2*i)*dim:]
				for k := range dim {
					jacobian.Set(k, i, (high[k]-low[k])/(2*h))
				}
			}
			want, _ := mat.LogDet(jacobian)
			if math.Abs(out.integral[0]-want) > 1e-4 {
				t.Errorf("%d beads: ln |∂x/∂z| = %.8f, by differences %.8f", beads, out.integral[0], want)
			}
			back, err := m.transport(ctx, out.x, 1, 0, acc, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range points {
				if math.Abs(back.x[i]-v) > 1e-6 {
					t.Fatalf("%d beads: point %d, component %d: back %g, want %g", beads, i/dim, i%dim, back.x[i], v)
				}
			}
			for i, v := range out.integral {
				if math.Abs(back.integral[i]-v) > 1e-7 {
					t.Fatalf("%d beads: point %d: ln |∂x/∂z| back %.10f, forth %.10f", beads, i, back.integral[i], v)
				}
			}
		}
	}
}

// heavyAtoms are frames of alanine dipeptide.
func heavyAtoms(t testing.TB) (frames *data.Frames) {
	t.Helper()
	frames, _, err := data.ReadFile("../../data/ala2/obc2/unbiased_heavy-atom.arrow")
	if err != nil {
		t.Fatal(err)
	}
	return frames
}
