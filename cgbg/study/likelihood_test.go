package study

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

func TestShare(t *testing.T) {
	// Beta(2, 1) has the variance 1/18, Beta(3, 2) 1/25.
	for _, c := range []struct {
		k, n      int
		value, sd float64
	}{{1, 1, 1, math.Sqrt(1. / 18)}, {2, 3, 2. / 3, 0.2}, {0, 1, 0, math.Sqrt(1. / 18)}} {
		if v, sd := share(c.k, c.n); math.Abs(v-c.value) > 1e-12 || math.Abs(sd-c.sd) > 1e-12 {
			t.Errorf("%d of %d: got %g ± %g, want %g ± %g", c.k, c.n, v, sd, c.value, c.sd)
		}
	}
}

// The root mean square of normal differences is their standard deviation s, and its error s/√(2n).
func TestDeviation(t *testing.T) {
	const n, s = 4000, 0.3
	rng := rand.New(rand.NewPCG(1, 1))
	got, want := make([]float64, n), make([]float64, n)
	for i := range got {
		want[i] = rng.NormFloat64()
		got[i] = want[i] + s*rng.NormFloat64()
	}
	got[7] = want[7] - 2
	rms, e, largest := deviation(got, want)
	if math.Abs(rms-s) > 5*e || math.Abs(e-s/math.Sqrt(2*n)) > 0.3*s/math.Sqrt(2*n) || largest != 2 {
		t.Errorf("got %g ± %g, largest %g; want %g ± %g, 2", rms, e, largest, s, s/math.Sqrt(2*n))
	}
	if rms, e, largest = deviation(want, want); rms != 0 || e != 0 || largest != 0 {
		t.Errorf("no differences: got %g ± %g, largest %g", rms, e, largest)
	}
}

// A stopwatch leaves out what went before the first report, and a report that repeats another.
func TestStopwatch(t *testing.T) {
	var w stopwatch
	w.tick(10)
	if w.steps() != 0 {
		t.Errorf("got %d steps after the first report", w.steps())
	}
	time.Sleep(20 * time.Millisecond)
	w.tick(30)
	took := time.Since(w.start).Seconds()
	time.Sleep(20 * time.Millisecond)
	w.tick(30)
	if got := w.training(); got.Steps != 30 || got.PerStep < 0.001 || got.PerStep > took/20 {
		t.Errorf("got %+v, want 30 steps of 0.001 to %g s", got, took/20)
	}
}

// The story of notebook 05 with small networks: likelihoods rise with training, errors of ln q
// fall with the tolerance, the certificate holds, and what was found is taken up again.
func TestLikelihoods(t *testing.T) {
	fixture.SkipUnlessHeavy(t) // notebook 05 asks the same
	t.Setenv(backend.ConfigEnv, "go")
	frames, meta, err := obc2.Metad15CoreBeta()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a, err := NewAlanine("small", 3, dir, frames, meta)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	fields, err := a.CompareFields(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := a.LearningCurve(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last := curve[0], curve[len(curve)-1]
	if !(first.Steps < last.Steps) {
		t.Errorf("%d steps, then %d", first.Steps, last.Steps)
	}
	if gain, e := last.NLL.Less(first.NLL); !(gain > 3*e) || math.Abs(gain-(first.NLL.Mean-last.NLL.Mean)) > 1e-9 || !(e < first.NLL.Error) {
		t.Errorf("−ln q: got %g ± %g after %d steps, %g less ± %g after %d", first.NLL.Mean, first.NLL.Error, first.Steps, gain, e, last.Steps)
	}
	if p := fields.Published; p.Kind.Field != GraphTransformer || !(p.Seconds > 0) || !(fields.Steps.NLL.Mean < p.NLL.Mean) || fields.Time != nil && fields.Time.Seconds > p.Seconds {
		t.Errorf("got %+v beside %+v and %+v", p, fields.Steps, fields.Time)
	}
	errors, err := a.LogQErrors(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Some 1e-5 nat are the field's rounding to float32.
	for i, e := range errors[:len(errors)-1] {
		if i > 0 && e.Way == errors[i-1].Way && !((e.RMS < errors[i-1].RMS || e.RMS < 1e-4) && e.Divergences > errors[i-1].Divergences) {
			t.Errorf("%s: got an error of %g with %g divergences; %s: %g with %g", e.Name, e.RMS, e.Divergences, errors[i-1].Name, errors[i-1].RMS, errors[i-1].Divergences)
		}
		if e.Way == PublishedWay && e.Divergences != e.Evaluations {
			t.Errorf("%s: got %g divergences for %g velocities", e.Name, e.Divergences, e.Evaluations)
		}
	}
	certificate, err := a.Certify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate
	// The bound is for 99 of 100, but here from 16 checks, which may miss the tail.
	if !(c.Share+3*c.ShareError >= 0.99) || !(c.Bound > 0 && c.Bound < 0.1) || !(c.TripR < 1e-3) || !(c.TripSelf < 0.05) {
		t.Errorf("got %+v", c)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	again, err := NewAlanine("small", 3, dir, frames, meta)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (any, any, error){
		"fields": func() (any, any, error) { v, err := again.CompareFields(stopped, nil); return v, fields, err },
		"errors": func() (any, any, error) { v, err := again.LogQErrors(stopped, nil); return v, errors, err },
		"certificate": func() (any, any, error) {
			v, err := again.Certify(stopped)
			return v, certificate, err
		},
	} {
		if got, want, err := f(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s again: got %+v, %v, want %+v", name, got, err, want)
		}
	}
	for _, results := range [][]result.Result{certificate.Results(), errors[0].Results(), first.Results("x")} {
		for _, r := range results {
			if math.IsNaN(r.Value) {
				t.Errorf("%s is not a number", r.Name)
			}
		}
	}
}
