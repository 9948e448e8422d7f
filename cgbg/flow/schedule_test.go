package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/cgbg/ode"
	"gonum.org/v1/gonum/integrate/quad"
)

// TestSchedule draws from a flow with a known density by a schedule, and
// integrates the samples back by it.
func TestSchedule(t *testing.T) {
	ctx := context.Background()
	f := gaussian{dim: 3, s: 0.2}
	m := gaussianModel(t, f)
	acc := Accuracy{PathTol: 1e-7, LogQTol: 1e-3, Batch: 32, Checks: -1}
	var err error
	if acc.Schedule, err = m.Schedule(ctx, 1, acc); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "schedule.json")
	if err := acc.Schedule.Save(path); err != nil {
		t.Fatal(err)
	}
	if acc.Schedule, err = LoadSchedule(path); err != nil {
		t.Fatal(err)
	}
	s, err := m.Sample(ctx, 100, 2, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := m.LogQ(ctx, s.R, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range s.LogQ {
		r := s.R[i*f.dim : (i+1)*f.dim]
		want := -float64(f.dim) * math.Log(f.s*math.Sqrt(2*math.Pi))
		for _, v := range r {
			want -= v * v / (2 * f.s * f.s)
		}
		if math.Abs(got-want) > 1e-3 || math.Abs(back[i]-want) > 1e-3 {
			t.Errorf("log q of sample %d: got %.6f forth, %.6f back, want %.6f", i, got, back[i], want)
		}
	}
	if steps := float64(len(acc.Schedule.Mesh)); s.Evaluations > 2*steps ||
		s.Divergences > 1.2*float64(len(acc.Schedule.Nodes)) {
		t.Errorf("%g velocities and %g divergences for %g steps and %d nodes", s.Evaluations, s.Divergences, steps,
			len(acc.Schedule.Nodes))
	}
	// Rough paths get the finer rule.
	fine := *acc.Schedule
	fine.Defect /= 5 // on the finer mesh a fifth is not rough
	acc.Schedule = &fine
	refined, err := m.Sample(ctx, 100, 2, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range s.LogQ {
		if math.Abs(refined.LogQ[i]-want) > 1e-3 {
			t.Errorf("log q of sample %d: %.6f by the finer rule, %.6f by the other", i, refined.LogQ[i], want)
		}
	}
	if refined.Divergences < s.Divergences+1 {
		t.Errorf("%g divergences by the finer rule, %g by the other", refined.Divergences, s.Divergences)
	}
	// A state unlike the pilots goes the adaptive way.
	odd := fine
	odd.Precision = append([]float64(nil), odd.Precision...)
	for i := range odd.Precision {
		odd.Precision[i] *= 1e12
	}
	acc.Schedule = &odd
	adapted, err := m.Sample(ctx, 10, 2, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	acc.Schedule, acc.PathTol, acc.LogQTol, acc.Intervals = nil, acc.PathTol/10, acc.LogQTol/10, 32
	want, err := m.Sample(ctx, 10, 2, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.LogQ {
		if adapted.LogQ[i] != want.LogQ[i] {
			t.Errorf("odd sample %d: log q %.9f, adaptive %.9f", i, adapted.LogQ[i], want.LogQ[i])
		}
	}
}

func TestLoadScheduleErrors(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":    "mesh",
		"no nodes":    `{"mesh":[0,1],"nodes":[],"weights":[],"precision":[],"fine":[],"fine_weights":[]}`,
		"node beyond": `{"mesh":[0,1],"nodes":[2],"weights":[1],"precision":[1],"fine":[2],"fine_weights":[1]}`,
		"descending":  `{"mesh":[0,0.7,0.5,1],"nodes":[1],"weights":[1],"precision":[1],"fine":[1],"fine_weights":[1]}`,
		"short mesh":  `{"mesh":[0,0.5],"nodes":[1],"weights":[1],"precision":[1],"fine":[1],"fine_weights":[1]}`,
	} {
		path := filepath.Join(t.TempDir(), "s.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if s, err := LoadSchedule(path); err == nil {
			t.Errorf("%s passed: %v", name, s)
		}
	}
}

// TestFitQuadrature: for random smooth functions the fitted rule is better than
// Gauss–Legendre's of as many nodes, on functions that it has not seen, and its
// held-out error is what these show.
func TestFitQuadrature(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	times, weights := ode.ClenshawCurtis(pilotIntervals)
	draw := func(n int) []float64 {
		out := make([]float64, 0, n*len(times))
		for range n {
			a, b, phase := rng.NormFloat64(), 1+0.2*rng.NormFloat64(), 2*math.Pi*rng.Float64()
			for _, s := range times {
				out = append(out, a*math.Sin(30*s+phase)-20*b/(1.05-s)) // steep towards t = 1
			}
		}
		return out
	}
	const tol = 0.02
	r, err := fitQuadrature(draw(96), tol)
	if err != nil {
		t.Fatal(err)
	}
	fresh := draw(400)
	got := math.Sqrt(r.meanSquare(chebyshev(fresh)))
	if r.heldOut > tol || got > 2*r.heldOut {
		t.Errorf("%d nodes: error %.2g, held out %.2g, tolerance %g", len(r.nodes), got, r.heldOut, tol)
	}
	var sum float64
	for _, w := range r.weights {
		sum += w
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("constants integrate to %g", sum)
	}
	// meanSquare against integrals by the pilots' own rule.
	var direct float64
	for i := 0; i < len(fresh); i += len(times) {
		var exact, ours float64
		for k, w := range weights {
			exact += w * fresh[i+k]
		}
		for k, s := range r.nodes {
			var at float64 // barycentric interpolation at s
			var den float64
			for j, x := range times {
				c := 1.0
				if j%2 == 1 {
					c = -1
				}
				if j == 0 || j == len(times)-1 {
					c /= 2
				}
				c /= s - x
				at += c * fresh[i+j]
				den += c
			}
			ours += r.weights[k] * at / den
		}
		direct += (ours - exact) * (ours - exact) / 400
	}
	if direct = math.Sqrt(direct); math.Abs(direct-got) > 1e-6+0.01*got {
		t.Errorf("error %.4g, by interpolation %.4g", got, direct)
	}
	if legendre := math.Sqrt(gaussLegendre(len(r.nodes)).meanSquare(chebyshev(fresh))); got > legendre {
		t.Errorf("error %.3g, by Gauss–Legendre %.3g", got, legendre)
	}
}

func gaussLegendre(n int) *rule {
	r := &rule{nodes: make([]float64, n), weights: make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.nodes, r.weights, 0, 1)
	return r
}
