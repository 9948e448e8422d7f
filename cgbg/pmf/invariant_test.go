package pmf

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
)

// invariantModel has random parameters of all kinds, so that none hides behind a zero.
func invariantModel(t testing.TB) (*Model, Invariant, []float64) {
	r := frames(60, 4)
	p, err := NewInvariant(r, 4, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	p.Hidden, p.Blocks = 8, 2
	m := fresh(t, p)
	rng := rand.New(rand.NewPCG(9, 9))
	for _, name := range []string{"in/b", "blocks/0/0/b", "blocks/1/1/b", "out/b", "squares"} {
		v := m.Store.GetVariable("/net/" + name)
		values := make([]float32, v.Shape().Size())
		for i := range values {
			values[i] = float32(0.3 * rng.NormFloat64())
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
	}
	return m, p, double(r[:36])
}

// TestInvariantAgainstLoop holds the graph to a plain float64 loop.
func TestInvariantAgainstLoop(t *testing.T) {
	m, p, r := invariantModel(t)
	store, err := train.Float64(m.Store)
	if err != nil {
		t.Fatal(err)
	}
	param := func(name string) []float64 { return numbers(store.GetVariable("/net/" + name).MustValue()) }
	dense := func(x []float64, name string) []float64 {
		w, out := param(name+"/w"), append([]float64(nil), param(name+"/b")...)
		for j := range out {
			for i := range x {
				out[j] += x[i] * w[i*len(out)+j]
			}
		}
		return out
	}
	got, err := m.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	mean, white, squares := param("pair/mean"), param("pair/white"), param("squares")
	for frame, u := range got {
		x := r[12*frame : 12*frame+12]
		var d []float64
		for i := range 4 {
			for j := i + 1; j < 4; j++ {
				d = append(d, math.Sqrt(math.Pow(x[3*i]-x[3*j], 2)+math.Pow(x[3*i+1]-x[3*j+1],
					2)+math.Pow(x[3*i+2]-x[3*j+2], 2)))
			}
		}
		w := make([]float64, 6)
		want := 0.0
		for k := range w {
			for pair := range d {
				w[k] += (d[pair] - mean[pair]) * white[6*pair+k]
			}
			want += squares[k] * squares[k] * w[k] * w[k] / 2
		}
		h := dense(w, "in")
		for l := range p.Blocks {
			name := []string{"blocks/0", "blocks/1"}[l]
			y := dense(h, name+"/0")
			for i, v := range y {
				y[i] = v / (1 + math.Exp(-v))
			}
			for i, v := range dense(y, name+"/1") {
				h[i] += v
			}
		}
		want = 2.5 * (want + dense(h, "out")[0])
		if math.Abs(u-want) > 1e-10*(1+math.Abs(want)) {
			t.Errorf("frame %d: U = %.14g, want %.14g", frame, u, want)
		}
	}
}

// The features of the frames that they were made from have mean 0 and variance 1, or less where
// they vary less than leastSpread allows, and no correlation.
func TestInvariantWhitens(t *testing.T) {
	const n = 400
	r := frames(n, 5)
	p, err := NewInvariant(r, 5, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	first, second := Pairs(5)
	k := len(first)
	sum, product := make([]float64, k), make([]float64, k*k)
	for frame := range n {
		w := make([]float64, k)
		for pair := range k {
			i, j := 15*frame+3*int(first[pair]), 15*frame+3*int(second[pair])
			d := math.Sqrt(math.Pow(float64(r[i]-r[j]), 2)+math.Pow(float64(r[i+1]-r[j+1]),
				2)+math.Pow(float64(r[i+2]-r[j+2]), 2)) - float64(p.Mean[pair])
			for c := range k {
				w[c] += d * float64(p.White[pair*k+c])
			}
		}
		for a := range k {
			sum[a] += w[a] / n
			for b := range k {
				product[a*k+b] += w[a] * w[b] / n
			}
		}
	}
	ones := 0
	for a := range k {
		if math.Abs(sum[a]) > 1e-3 {
			t.Errorf("component %d has mean %g", a, sum[a])
		}
		for b := range k {
			v := product[a*k+b]
			if a != b && math.Abs(v) > 1e-2 || a == b && !(v <= 1.01) {
				t.Errorf("components %d and %d: %.4f", a, b, v)
			}
		}
		if product[a*k+a] > 0.99 {
			ones++
		}
	}
	if ones < k/2 {
		t.Errorf("%d of %d components have variance 1", ones, k)
	}
	if _, err := NewInvariant(r[:7], 5, 2.5); err == nil {
		t.Error("half a frame: no error")
	}
}

// What is written is read again as the same function; files that do not fit are errors.
func TestInvariantFiles(t *testing.T) {
	m, p, r := invariantModel(t)
	path := filepath.Join(t.TempDir(), "pmf.npz")
	if err := Export(path, m); err != nil {
		t.Fatal(err)
	}
	again, err := Import(goBackend(), path)
	if err != nil {
		t.Fatal(err)
	}
	if q := again.Potential.(Invariant); q.Beads != p.Beads || q.Hidden != p.Hidden || q.Blocks != p.Blocks ||
		q.KT != p.KT {
		t.Errorf("sizes %+v, want %+v", q, p)
	}
	want, err := m.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if d := worst(t, got, want); d > 1e-12*(1+rms(want)) {
		t.Errorf("energies change by %g", d)
	}
	arrays, err := train.ReadArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"const/kt", "param/pair/white", "param/out/w", "param/blocks/1/0/w"} {
		kept := arrays[name]
		delete(arrays, name)
		if err := train.WriteArrays(path, arrays); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(goBackend(), path); err == nil || !strings.Contains(err.Error(), "pmf.npz") {
			t.Errorf("without %s: got %v", name, err)
		}
		arrays[name] = kept
	}
	mace, err := ImportMACE(goBackend(), "testdata/mace_cb.npz")
	if err != nil {
		t.Fatal(err)
	}
	if err := Export(path, mace); err != nil {
		t.Fatal(err)
	}
	if again, err = Import(goBackend(), path); err != nil {
		t.Fatal(err)
	} else if _, ok := again.Potential.(MACE); !ok {
		t.Errorf("a MACE is read as a %T", again.Potential)
	}
	pair, _ := pairModel(t)
	if err := Export(path, pair); err == nil {
		t.Error("a potential without a file form: no error")
	}
}

// TestInvariantFindsKnownPotential is TestMACEFindsKnownPotential for three beads and far fewer steps:
// forces are off by a small part of the noise, and wells by less than 0.1 kT.
func TestInvariantFindsKnownPotential(t *testing.T) {
	frames, u, exact, r, f := noisyKnown()
	p, err := NewInvariant(r, 3, knownKT)
	if err != nil {
		t.Fatal(err)
	}
	p.Hidden, p.Blocks = 32, 2
	m, _, err := Fit(context.Background(), goBackend(), p, r, f,
		Config{Epochs: 12, Batch: 64, Rate: 5e-3, RateDecay: 1e-2, Cosine: true, ClipNorm: 1, Seed: 1, Validation: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	learned, force, err := m.EnergyForce(context.Background(), frames)
	if err != nil {
		t.Fatal(err)
	}
	for i := range force {
		force[i] -= exact[i]
	}
	if rms(force) > 0.3*knownNoise {
		t.Errorf("forces are off by %.2f of the noise", rms(force)/knownNoise)
	}
	if d := wellsOff(frames, u, learned); math.Abs(d) > 0.1 {
		t.Errorf("the free energy between the wells is off by %.3f kT", d)
	} else {
		t.Logf("forces off by %.2f of the noise, wells by %.3f kT", rms(force)/knownNoise, d)
	}
}
