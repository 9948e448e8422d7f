package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestFixture holds trained flows to the published architecture in JAX, on every
// backend: velocity and divergence of given states, log q of given samples. It
// reads flow_*.npz from the folder CGBG_FIXTURES, or testdata where that is unset.
func TestFixture(t *testing.T) {
	for _, path := range fixture.Files(t, "flow_*.npz") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".npz"), func(t *testing.T) {
			for _, name := range backend.Installed() {
				t.Run(name, func(t *testing.T) { testFixture(t, name, path) })
			}
		})
	}
}

func testFixture(t *testing.T, name, path string) {
	b, err := backend.OpenNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Import(b.Backend, path)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := train.ReadArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	array := func(key string) []float64 {
		if arrays[key] == nil {
			t.Fatalf("no array %q", key)
		}
		if values, err := tensors.CopyFlatData[float64](arrays[key]); err == nil {
			return values
		}
		var out []float64
		for _, v := range tensors.MustCopyFlatData[float32](arrays[key]) {
			out = append(out, float64(v))
		}
		return out
	}
	x, times, velocity, divergence := array("x"), array("t"), array("velocity"), array("divergence")
	rms := 0.0
	for _, v := range velocity {
		rms += v * v / float64(len(velocity))
	}
	rms = math.Sqrt(rms)
	for _, c := range []struct {
		precision            string
		single               bool
		velocity, divergence float64 // tolerances: of the rms velocity, and relative
	}{{"float32", true, 1e-5, 1e-4}, {"float64", false, 1e-12, 1e-12}} {
		e, err := m.evaluator(c.single)
		if err != nil {
			t.Fatal(err)
		}
		v, folded, div := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(times))
		if err := e.run(e.velocity, times, x, v, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.run(e.divergence, times, x, folded, div); err != nil {
			t.Fatal(err)
		}
		for i := range v {
			if d := math.Max(math.Abs(v[i]-velocity[i]), math.Abs(folded[i]-velocity[i])); !(d <= c.velocity*rms) {
				t.Errorf("%s: velocity %d: got %.15g and %.15g, want %.15g (%.2g of the rms)", c.precision, i, v[i],
					folded[i], velocity[i], d/rms)
			}
		}
		for i := range div {
			if d := math.Abs(div[i] - divergence[i]); !(d <= c.divergence*math.Abs(divergence[i])) {
				t.Errorf("%s: divergence %d: got %.15g, want %.15g (%.2g relative)", c.precision, i, div[i],
					divergence[i], d/math.Abs(divergence[i]))
			}
		}
	}
	switch n := 64; {
	case name != "go":
		fixtureLogQ(t, m, n, array)
	case fixture.Heavy() || os.Getenv("CGBG_FIXTURES") != "":
		fixtureLogQ(t, m, 2, array) // many seconds a sample without SIMD
	}
	if name != "go" && !testing.Short() {
		fixtureAccuracy(t, m, array)
	}
}

// fixtureAccuracy draws as samples are drawn, by a schedule: from the fixture's
// points of the prior, errors of log q are no larger than those of the published
// joint solve from the same points at its tolerance 1e-5; and a certificate from
// other samples bounds 99 of 100 errors.
func fixtureAccuracy(t *testing.T, m *Model, array func(string) []float64) {
	dim, ctx := m.Network.Dim(), context.Background()
	acc := SamplingAccuracy("xla:cpu", nil)
	var err error
	if acc.Schedule, err = m.Schedule(ctx, 1, acc); err != nil {
		t.Fatal(err)
	}
	given, certified := array("prior"), 32
	n := len(given) / dim
	if os.Getenv("CGBG_FIXTURES") != "" { // minutes
		n, certified = 264, acc.Checks
	}
	z := append([]float64(nil), given...)
	for rng := rand.New(rand.NewPCG(1, 2)); len(z) < n*dim; {
		z = append(z, rng.NormFloat64())
	}
	out, err := m.transport(ctx, z, 0, 1, acc, nil)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := m.precise(ctx, out.x, acc)
	if err != nil {
		t.Fatal(err)
	}
	s := &Samples{Checked: certified}
	var rms, worst, all float64
	outside := 0
	for i := n - 1; i >= 0; i-- { // those of the fixture come last
		e := math.Abs(logNormal(z[i*dim:(i+1)*dim]) - out.integral[i] - truth[i])
		if i < len(given)/dim {
			rms += e * e / float64(len(given)/dim)
			worst = math.Max(worst, e)
		}
		all += e * e / float64(n)
		if i >= n-certified {
			s.CheckRMS = math.Hypot(s.CheckRMS, e/math.Sqrt(float64(certified)))
			s.CheckMax = math.Max(s.CheckMax, e)
		} else if e > s.LogQBound() {
			outside++
		}
	}
	rms = math.Sqrt(rms)
	published, want := array("published/logq"), array("published/true_logq")
	var theirs, theirWorst float64
	for i := range want {
		e := math.Abs(published[i] - want[i])
		theirs += e * e / float64(len(want))
		theirWorst = math.Max(theirWorst, e)
	}
	theirs = math.Sqrt(theirs)
	t.Logf("error of log q: rms %.4f, largest %.4f; published: rms %.4f, largest %.4f; of %d: rms %.4f, %d of %d "+
		"outside the certificate %.4f nat; schedule: %d steps, %d nodes, rms %.4f",
		rms, worst, theirs, theirWorst, n, math.Sqrt(all), outside, n-certified, s.LogQBound(),
		len(acc.Schedule.Mesh)-1,
		len(acc.Schedule.Nodes), acc.Schedule.LogQError)
	if rms > theirs || worst > theirWorst {
		t.Errorf("errors of log q: rms %.4f, largest %.4f; published %.4f, %.4f", rms, worst, theirs, theirWorst)
	}
	if 100*outside > n-certified {
		t.Errorf("%d of %d errors are outside the certificate %.4f", outside, n-certified, s.LogQBound())
	}
	// What the checks compare with is the truth: it agrees with the joint solve in float64 at 1e-8.
	few := 4
	sure, err := m.precise(ctx, array("published/x1")[:few*dim], acc)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range sure {
		if math.Abs(got-want[i]) > 1e-3 {
			t.Errorf("precise log q of sample %d: got %.6f, want %.6f", i, got, want[i])
		}
	}
}

// fixtureLogQ integrates given samples back to the prior: by this package's
// float32, to 0.01 nat of the truth.
func fixtureLogQ(t *testing.T, m *Model, n int, array func(string) []float64) {
	x, want := array("published/x1"), array("published/true_logq")
	if testing.Short() {
		n = min(n, 8)
	}
	n = min(n, len(want))
	x, want = x[:n*m.Network.Dim()], want[:n]
	r := make([]float64, len(x))
	for i, v := range x {
		r[i] = m.Std * v
	}
	got, _, err := m.LogQ(context.Background(), r,
		Accuracy{PathTol: 1e-6, LogQTol: 5e-3, Batch: 32, Chunk: 8, Single: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= 0.01) {
			t.Errorf("log q of sample %d: got %.6f, want %.6f", i, got[i], want[i])
		}
	}
	// Forward: the prior's points must end where a far tighter solve ends them, with its log-density.
	z, x1, logq := array("prior"), array("tight/x1"), array("tight/logq")
	n = min(n, len(logq))
	x1, logq = x1[:n*m.Network.Dim()], logq[:n]
	out, err := m.transport(context.Background(), z[:len(x1)], 0, 1,
		Accuracy{PathTol: 1e-6, LogQTol: 5e-3, Batch: 32, Chunk: 8, Single: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dim := m.Network.Dim()
	for i := range logq {
		if got := logNormal(z[i*dim:(i+1)*dim]) - out.integral[i]; !(math.Abs(got-logq[i]) <= 0.01) {
			t.Errorf("log q of prior point %d: got %.6f, want %.6f", i, got, logq[i])
		}
	}
	for i := range x1 {
		if !(math.Abs(out.x[i]-x1[i]) <= 1e-3) {
			t.Errorf("coordinate %d of the end: got %.6f, want %.6f", i, out.x[i], x1[i])
		}
	}
}
