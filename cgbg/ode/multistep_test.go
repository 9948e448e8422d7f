package ode

import (
	"context"
	"errors"
	"math"
	"testing"
)

// graded is a mesh of n steps on [0, 3] that grow by a factor of two along it.
func graded(n int) []float64 {
	mesh := make([]float64, n+1)
	for k := range mesh {
		s := float64(k) / float64(n)
		mesh[k] = 3 * s * (2 + s) / 3
	}
	return mesh
}

// TestMeshOrder: the global error falls with the fourth to fifth power of the step, forth
// and back, with and without slopes taken anew.
func TestMeshOrder(t *testing.T) {
	x0 := []float64{1, 0, 0, 2, -3, 0.5}
	failure := func(n int, back, anew bool) float64 {
		mesh := graded(n)
		if back {
			for i, j := 0, n; i < j; i, j = i+1, j-1 {
				mesh[i], mesh[j] = mesh[j], mesh[i]
			}
		}
		visited := 0
		visit := func(k int, at float64, x, dx []float64) error {
			if visited++; at != mesh[k] {
				t.Errorf("visit to %d at t = %g", k, at)
			}
			if anew && k%3 == 0 {
				return rotation(at, x, dx)
			}
			return nil
		}
		sol, err := SolveMesh(context.Background(), rotation, x0, 2, mesh, visit)
		if err != nil {
			t.Fatal(err)
		}
		if visited != n+1 || sol.Evaluations != n+1+startup {
			t.Errorf("%d evaluations and %d visits in %d steps", sol.Evaluations, visited, n)
		}
		turn := mesh[n] - mesh[0]
		var worst float64
		for i := 0; i < len(x0); i += 2 {
			wantX, wantY := x0[i]*math.Cos(turn)-x0[i+1]*math.Sin(turn), x0[i]*math.Sin(turn)+x0[i+1]*math.Cos(turn)
			worst = math.Max(worst, math.Hypot(sol.X[i]-wantX, sol.X[i+1]-wantY))
		}
		return worst
	}
	for _, back := range []bool{false, true} {
		for _, anew := range []bool{false, true} {
			coarse, fine := failure(80, back, anew), failure(160, back, anew)
			// Start-up steps are of lower order: where they are the longest, that shows.
			if order := math.Log2(coarse / fine); order < 3.5 || fine > 1e-6 {
				t.Errorf("back %v, slopes anew %v: errors %.2g and %.2g, order %.2f", back, anew, coarse, fine, order)
			}
		}
	}
}

func TestMeshErrors(t *testing.T) {
	ctx := context.Background()
	explode := func(_ float64, x, dx []float64) error {
		for i, v := range x {
			dx[i] = math.Exp(1e3 * v)
		}
		return nil
	}
	if _, err := SolveMesh(ctx, explode, []float64{1}, 1, []float64{0, 1}, nil); !errors.Is(err, ErrNonFinite) {
		t.Errorf("got %v, want ErrNonFinite", err)
	}
	if _, err := SolveMesh(ctx, rotation, []float64{1, 0}, 2, []float64{0}, nil); err == nil {
		t.Error("a mesh without steps passed")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := SolveMesh(stopped, rotation, []float64{1, 0}, 2, graded(4), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestAdamsWeights: five times integrate polynomials of degree four exactly.
func TestAdamsWeights(t *testing.T) {
	times := []float64{0.1, 0.15, 0.3, 0.32, 0.5}
	w := adams(times, 0.32, 0.5)
	for degree := range 5 {
		var got float64
		for i, at := range times {
			got += w[i] * math.Pow(at, float64(degree))
		}
		n := float64(degree + 1)
		if want := (math.Pow(0.5, n) - math.Pow(0.32, n)) / n; math.Abs(got-want) > 1e-14 {
			t.Errorf("degree %d: got %.16g, want %.16g", degree, got, want)
		}
	}
}
