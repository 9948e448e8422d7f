package ode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
)

// rotation is dx/dt = (−y, x): the exact solution turns by t.
func rotation(_ float64, x, dx []float64) error {
	for i := 0; i < len(x); i += 2 {
		dx[i], dx[i+1] = -x[i+1], x[i]
	}
	return nil
}

func TestSolveRotation(t *testing.T) {
	x0 := []float64{1, 0, 0, 2, -3, 0.5}
	for _, tol := range []float64{1e-4, 1e-6, 1e-8, 1e-10} {
		t.Run(fmt.Sprint(tol), func(t *testing.T) {
			sol, err := Solve(context.Background(), rotation, x0, 2, 0, 3, Options{RTol: tol, ATol: tol})
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float64, len(x0))
			for _, at := range []float64{0, 0.123, 1.5, 2.9, 3} {
				sol.At(at, out)
				for i := 0; i < len(x0); i += 2 {
					wantX := x0[i]*math.Cos(at) - x0[i+1]*math.Sin(at)
					wantY := x0[i]*math.Sin(at) + x0[i+1]*math.Cos(at)
					// Global errors add up over the steps, and the dense
					// output is of fourth order: 100 tolerances.
					if e := math.Hypot(out[i]-wantX, out[i+1]-wantY); e > 100*tol {
						t.Errorf("t = %g, state %d: error %g with tolerance %g", at, i/2, e, tol)
					}
				}
			}
			if want := 1 + 6*(sol.Steps+sol.Rejected); sol.Evaluations != want {
				t.Errorf("got %d evaluations, want %d", sol.Evaluations, want)
			}
		})
	}
}

func TestSolveThereAndBack(t *testing.T) {
	f := func(t float64, x, dx []float64) error {
		for i, v := range x {
			dx[i] = math.Sin(3*v) + math.Cos(5*t) // nonlinear, not autonomous
		}
		return nil
	}
	x0 := []float64{-1, -0.2, 0.1, 0.7, 2}
	opts := Options{RTol: 1e-10, ATol: 1e-10}
	forth, err := Solve(context.Background(), f, x0, 1, 0, 1, opts)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Solve(context.Background(), f, forth.X, 1, 1, 0, opts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x0 {
		if e := math.Abs(back.X[i] - x0[i]); e > 1e-8 {
			t.Errorf("state %d returns with error %g", i, e)
		}
	}
}

// TestOrder checks the order of the method: the error of fixed steps of a
// smooth problem falls as h⁵, that of the dense output as h⁴ or faster.
func TestOrder(t *testing.T) {
	solve := func(steps int) (end, middle float64) {
		h := 1 / float64(steps)
		s := newStepper(rotation, []float64{1, 0}, 2)
		if err := s.start(0); err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 2)
		for i := range steps {
			if err := s.try(float64(i)*h, h); err != nil {
				t.Fatal(err)
			}
			seg := s.accept(float64(i)*h, h)
			at := (float64(i) + 0.4) * h
			seg.at(at, out)
			middle = math.Max(middle, math.Hypot(out[0]-math.Cos(at), out[1]-math.Sin(at)))
		}
		return math.Hypot(s.x[0]-math.Cos(1), s.x[1]-math.Sin(1)), middle
	}
	end1, mid1 := solve(8)
	end2, mid2 := solve(16)
	if order := math.Log2(end1 / end2); order < 4.7 {
		t.Errorf("order of the steps: got %.2f, want 5", order)
	}
	if order := math.Log2(mid1 / mid2); order < 3.9 {
		t.Errorf("order of the dense output: got %.2f, want at least 4", order)
	}
}

func TestSolveErrors(t *testing.T) {
	ctx := context.Background()
	ones := func(_ float64, x, dx []float64) error { dx[0] = x[0] * x[0]; return nil }
	if _, err := Solve(ctx, ones, []float64{2}, 1, 0, 1, Options{MaxSteps: 200}); err == nil {
		t.Error("the blow-up of dx/dt = x² at t = 0.5 is not reported")
	}
	nan := func(_ float64, x, dx []float64) error { dx[0] = math.NaN(); return nil }
	if _, err := Solve(ctx, nan, []float64{2}, 1, 0, 1, Options{}); !errors.Is(err, ErrNonFinite) {
		t.Errorf("got %v, want ErrNonFinite", err)
	}
	if _, err := Solve(ctx, rotation, []float64{1, 0}, 2, 0, 100, Options{MaxSteps: 3}); !errors.Is(err, ErrMaxSteps) {
		t.Errorf("got %v, want ErrMaxSteps", err)
	}
	broken := errors.New("broken")
	fail := func(float64, []float64, []float64) error { return broken }
	if _, err := Solve(ctx, fail, []float64{1}, 1, 0, 1, Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the field's error", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Solve(cancelled, rotation, []float64{1, 0}, 2, 0, 1, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := Solve(ctx, rotation, []float64{1, 0, 0}, 2, 0, 1, Options{}); err == nil {
		t.Error("a batch that is no multiple of dim is accepted")
	}
}

func TestClenshawCurtis(t *testing.T) {
	for _, n := range []int{2, 4, 8, 16, 32, 64} {
		nodes, weights := ClenshawCurtis(n)
		// Exact for polynomials of degree n (n+1 nodes, symmetric: odd
		// degrees n+1 as well).
		for degree := 0; degree <= n; degree++ {
			var sum float64
			for i, x := range nodes {
				sum += weights[i] * math.Pow(x, float64(degree))
			}
			if want := 1 / float64(degree+1); math.Abs(sum-want) > 1e-14 {
				t.Errorf("n = %d, degree %d: got %.16g, want %.16g", n, degree, sum, want)
			}
		}
		fine, _ := ClenshawCurtis(2 * n)
		for i, x := range nodes {
			if math.Abs(x-fine[2*i]) > 1e-15 {
				t.Errorf("n = %d: node %d is not node %d of the finer rule", n, i, 2*i)
			}
		}
	}
	nodes, weights := ClenshawCurtis(32)
	var sum float64
	for i, x := range nodes {
		sum += weights[i] * math.Exp(-3*x)
	}
	if want := (1 - math.Exp(-3)) / 3; math.Abs(sum-want) > 1e-15 {
		t.Errorf("∫exp(−3x): got %.16g, want %.16g", sum, want)
	}
}

func ExampleSolve() {
	decay := func(_ float64, x, dx []float64) error {
		for i := range x {
			dx[i] = -x[i]
		}
		return nil
	}
	sol, err := Solve(context.Background(), decay, []float64{1, 2}, 1, 0, 1, Options{RTol: 1e-9, ATol: 1e-9})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.6f %.6f\n", sol.X[0], sol.X[1])
	// Output: 0.367879 0.735759
}

func BenchmarkSolve(b *testing.B) {
	x0 := make([]float64, 2000)
	for i := range x0 {
		x0[i] = float64(i)
	}
	for b.Loop() {
		if _, err := Solve(context.Background(), rotation, x0, 2, 0, 1, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
