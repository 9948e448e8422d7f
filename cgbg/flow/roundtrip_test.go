package flow

import (
	"context"
	"math"
	"slices"
	"testing"
)

// logGaussian is ln N(x; 0, s²I).
func logGaussian(x []float64, s float64) float64 {
	out := -float64(len(x)) * math.Log(s*math.Sqrt(2*math.Pi))
	for _, v := range x {
		out -= v * v / (2 * s * s)
	}
	return out
}

// TestRoundTrip: frames come back to where they were, with the density of a flow
// whose density is known both ways; a loose path shows.
func TestRoundTrip(t *testing.T) {
	ctx, f := context.Background(), gaussian{dim: 3, s: 0.2}
	m := gaussianModel(t, f)
	m.Std, m.Mean = 2, []float64{1, -1, 0.5}
	s, err := m.Sample(ctx, 40, 5, Accuracy{Checks: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	worst := func(tol float64) (moved float64) {
		trip, err := m.RoundTrip(ctx, s.R, Accuracy{PathTol: tol, LogQTol: 1e-8})
		if err != nil {
			t.Fatal(err)
		}
		x := m.standardise(s.R)
		for i := range s.LogQ {
			want := logGaussian(x[3*i:3*i+3], f.s)
			// A path off by 1e-8 relative moves log q by up to |x|²/s²·1e-8, and adds up over steps.
			if tol < 1e-6 && (math.Abs(trip.LogQBack[i]-want) > 1e-5 || math.Abs(trip.LogQForth[i]-want) > 1e-5) {
				t.Errorf("frame %d: log q %.7f back, %.7f forth, want %.7f", i, trip.LogQBack[i], trip.LogQForth[i], want)
			}
		}
		for i, v := range trip.R {
			moved = math.Max(moved, math.Abs(v-s.R[i]))
			if z := x[i] / f.s; tol < 1e-6 && math.Abs(trip.Z[i]-z) > 1e-5 {
				t.Errorf("component %d: %.7f in the prior, want %.7f", i, trip.Z[i], z)
			}
		}
		return moved
	}
	if tight, loose := worst(1e-8), worst(1e-3); tight > 1e-6 || loose < 10*tight {
		t.Errorf("frames moved by %.2g at 1e-8, %.2g at 1e-3", tight, loose)
	}
	if _, err := m.RoundTrip(ctx, s.R[:4], Accuracy{}); err == nil {
		t.Error("four numbers passed as frames of three components")
	}
}

// TestJointSample: the published procedure begins where Sample does, has the
// known density at a tight tolerance, errs more at a loose one, and takes a
// divergence for every velocity.
func TestJointSample(t *testing.T) {
	ctx, f := context.Background(), gaussian{dim: 3, s: 0.05}
	m := gaussianModel(t, f)
	failure := func(n int, tol float64) (worst float64, s *Samples) {
		s, err := m.JointSample(ctx, n, 9, tol)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range s.LogQ {
			worst = math.Max(worst, math.Abs(v-logGaussian(s.R[3*i:3*i+3], f.s)))
		}
		if s.Divergences != s.Evaluations || len(s.LogCOM) != n {
			t.Errorf("%g divergences, %g velocities, %d densities of the centre", s.Divergences, s.Evaluations, len(s.LogCOM))
		}
		return worst, s
	}
	tight, s := failure(publishedBatch+20, 1e-9)
	loose, l := failure(publishedBatch+20, 1e-4)
	if tight > 1e-5 || loose < 10*tight || !(l.Evaluations < s.Evaluations) {
		t.Errorf("errors of log q %.2g with %g evaluations at 1e-9, %.2g with %g at 1e-4", tight, s.Evaluations, loose, l.Evaluations)
	}
	want, err := m.Sample(ctx, publishedBatch+20, 9, Accuracy{PathTol: 1e-9, Checks: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(s.R, func(v float64) bool { return math.IsNaN(v) }); i >= 0 {
		t.Fatalf("component %d is not a number", i)
	}
	for i, v := range s.R {
		if math.Abs(v-want.R[i]) > 1e-6 {
			t.Fatalf("component %d: got %.9f, want %.9f as Sample has it", i, v, want.R[i])
		}
	}
	if _, err := m.JointSample(ctx, 0, 1, 1e-5); err == nil {
		t.Error("no samples passed")
	}
}
