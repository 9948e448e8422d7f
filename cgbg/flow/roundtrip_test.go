package flow

import (
	"context"
	"math"
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
		if !(trip.Divergences >= 33) || !(trip.Evaluations >= 7) {
			t.Errorf("%g velocities and %g divergences", trip.Evaluations, trip.Divergences)
		}
		x := m.Standardise(s.R)
		for i := range s.LogQ {
			want := logGaussian(x[3*i:3*i+3], f.s)
			// A path off by 1e-8 relative moves log q by up to |x|²/s²·1e-8, and adds up over steps.
			if tol < 1e-6 && (math.Abs(trip.LogQBack[i]-want) > 1e-5 || math.Abs(trip.LogQForth[i]-want) > 1e-5) {
				t.Errorf("frame %d: log q %.7f back, %.7f forth, want %.7f", i, trip.LogQBack[i], trip.LogQForth[i],
					want)
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

// TestPublishedLogQ: the published procedure has the known density at a tight
// tolerance, in full batches and beyond, and errs more at a loose one, where it takes fewer steps.
func TestPublishedLogQ(t *testing.T) {
	ctx, f := context.Background(), gaussian{dim: 3, s: 0.05}
	m := gaussianModel(t, f)
	m.Std = 2
	s, err := m.Sample(ctx, publishedBatch+20, 9, Accuracy{Checks: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	failure := func(tol float64) (worst, evaluations float64) {
		logq, evaluations, err := m.PublishedLogQ(ctx, s.R, tol)
		if err != nil || len(logq) != publishedBatch+20 {
			t.Fatal(len(logq), err)
		}
		x := m.Standardise(s.R)
		for i, v := range logq {
			worst = math.Max(worst, math.Abs(v-logGaussian(x[3*i:3*i+3], f.s)))
		}
		return worst, evaluations
	}
	tight, slow := failure(1e-9)
	loose, fast := failure(1e-4)
	if tight > 1e-5 || !(loose > 10*tight) || !(fast < slow) || fast < 7 {
		t.Errorf("errors of log q %.2g with %g evaluations at 1e-9, %.2g with %g at 1e-4", tight, slow, loose, fast)
	}
	if _, _, err := m.PublishedLogQ(ctx, s.R[:4], 1e-5); err == nil {
		t.Error("four numbers passed as frames of three components")
	}
}
