package flow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// TestBatchVelocityGradient holds the gradient that training follows to that of
// the plain form, parameter by parameter, in float64. (testFolded holds the values.)
func TestBatchVelocityGradient(t *testing.T) {
	f := GraphTransformer{Beads: 4, Embed: 3, Hidden: 16, Layers: 3, Heads: 2, HeadDim: 4, FF: 24}
	store := rough(t, f, 5)
	var names []string
	for v := range store.IterVariables() {
		names = append(names, v.Path())
	}
	slices.Sort(names)
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(rows, columns int) *tensors.Tensor {
		v := make([]float64, rows*columns)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return tensors.FromFlatDataAndDimensions(v, rows, columns)
	}
	exec, err := model.NewExec(goBackend(), store, func(_ *model.Scope, t, x, u *graph.Node) []*graph.Node {
		var used, all []*graph.Node
		for _, name := range names {
			node := store.GetVariable(name).NodeValue(x)
			all = append(all, node)
			if !strings.HasSuffix(name, "/k/b") {
				used = append(used, node)
			}
		}
		loss := func(v *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Square(graph.Sub(v, u))) }
		want := graph.Gradient(loss(f.plain(params(store, x), t, x)), all...)
		return append(want, graph.Gradient(loss(f.batchVelocity(store, t, x)), used...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 5
	out, err := exec.Exec(random(batch, 1), random(batch, f.Dim()), random(batch, f.Dim()))
	if err != nil {
		t.Fatal(err)
	}
	next := len(names)
	for i, name := range names {
		want := tensors.MustCopyFlatData[float64](out[i])
		got := make([]float64, len(want)) // the bias of the keys has no effect
		if !strings.HasSuffix(name, "/k/b") {
			got = tensors.MustCopyFlatData[float64](out[next])
			next++
		}
		for k := range want {
			if math.Abs(got[k]-want[k]) > 1e-11*(1+math.Abs(want[k])) { // sums over batch and beads
				t.Errorf("%s %d: got gradient %.16g, want %.16g", name, k, got[k], want[k])
				break
			}
		}
	}
}

// TestSlices wants training in slices to be the same training: the losses of
// some steps agree up to rounding.
func TestSlices(t *testing.T) {
	f := GraphTransformer{Beads: 4, Embed: 3, Hidden: 16, Layers: 2, Heads: 2, HeadDim: 4, FF: 24}
	rng := rand.New(rand.NewPCG(1, 2))
	frames := make([]float32, 64*f.Dim())
	for i := range frames {
		frames[i] = float32(rng.NormFloat64())
	}
	var want []float64
	for _, parts := range []int{1, 3, 4} {
		_, history, err := Fit(context.Background(), goBackend(), f, frames, Config{
			Epochs: 4, Batch: 32, RateHigh: 1e-3, Seed: 1, Beads: f.Beads, Slices: parts, StepsPerCall: 1})
		if err != nil {
			t.Fatal(err)
		}
		if parts == 1 {
			want = history.Loss
			continue
		}
		for i := range want {
			// Adam makes steps of equal length out of gradients of any size, rounding among them.
			if got := history.Loss[i]; math.Abs(got-want[i]) > 1e-4*want[i] {
				t.Errorf("%d slices, step %d: got loss %g, want %g", parts, i+1, got, want[i])
			}
		}
	}
}

func TestDefaultSlices(t *testing.T) {
	for _, test := range []struct{ beads, batch, want int }{
		{10, 1024, 4}, {6, 1024, 4}, {22, 1024, 16}, {10, 256, 1}, {6000, 2, 2},
	} {
		got := Config{Batch: test.batch}.slices(goBackend(), NewGraphTransformer(test.beads))
		if got != test.want {
			t.Errorf("batch %d of %d beads: got %d slices, want %d", test.batch, test.beads, got, test.want)
		}
	}
	if got := (Config{Batch: 1024}).slices(goBackend(), publishedMLP); got != 1 {
		t.Errorf("perceptron: got %d slices, want 1", got)
	}
	if got := (Config{Batch: 1024, Slices: 2}).slices(goBackend(), NewGraphTransformer(10)); got != 2 {
		t.Errorf("2 slices asked for: got %d", got)
	}
}

// TestPeptides runs the graph transformer in the sizes of other mappings and
// longer peptides (facts: alanine dipeptide has 22 atoms; Ala3 has 12 Core Beta
// and 20 Heavy Atom beads, Ala6 24 Core Beta beads).
func TestPeptides(t *testing.T) {
	for _, beads := range []int{12, 20, 22, 24} {
		f := GraphTransformer{Beads: beads, Embed: 2, Hidden: 8, Layers: 2, Heads: 2, HeadDim: 3, FF: 8}
		t.Run(fmt.Sprint(beads), func(t *testing.T) {
			testFolded(t, f, 1)
			testStep(t, f)
		})
	}
}

// testStep wants a step of training to change every parameter that has an effect.
func testStep(t *testing.T, f GraphTransformer) {
	rng := rand.New(rand.NewPCG(1, 2))
	frames := make([]float32, 8*f.Dim())
	for i := range frames {
		frames[i] = float32(rng.NormFloat64())
	}
	const seed = 3
	cfg := Config{Epochs: 1, Batch: 8, RateHigh: 1e-3, Seed: seed, Beads: f.Beads, StepsPerCall: 1}
	m, history, err := Fit(context.Background(), goBackend(), f, frames, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(history.Loss) != 1 || !(history.Loss[0] > 0) || math.IsInf(history.Loss[0], 0) {
		t.Errorf("got losses %v, want one that is positive", history.Loss)
	}
	before := model.NewStore()
	f.Init(before, rand.New(rand.NewPCG(seed, 0x666c6f77)))
	for v := range before.IterVariables() {
		old := tensors.MustCopyFlatData[float32](v.MustValue())
		new := tensors.MustCopyFlatData[float32](m.Store.GetVariable(v.Path()).MustValue())
		if same := slices.Equal(old, new); same != strings.HasSuffix(v.Path(), "/k/b") {
			t.Errorf("%s: unchanged after a step: %v", v.Path(), same)
		}
	}
}

// TestAllAtom builds the published field for all 22 atoms of alanine dipeptide.
func TestAllAtom(t *testing.T) {
	f := NewGraphTransformer(22)
	store := model.NewStore()
	f.Init(store, rand.New(rand.NewPCG(1, 1)))
	exec, err := model.NewExec(goBackend(), store, func(_ *model.Scope, t, x *graph.Node) []*graph.Node {
		return []*graph.Node{f.Velocity(store, t, x), f.batchVelocity(store, t, x)}
	})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 2*f.Dim())
	for i := range x {
		x[i] = float32(math.Sin(float64(7 * i)))
	}
	out, err := exec.Exec(tensors.FromFlatDataAndDimensions([]float32{0.2, 0.8}, 2, 1),
		tensors.FromFlatDataAndDimensions(x, 2, f.Dim()))
	if err != nil {
		t.Fatal(err)
	}
	if dims := out[0].Shape().Dimensions; !slices.Equal(dims, []int{2, 66}) {
		t.Fatalf("got a velocity of %v, want [2 66]", dims)
	}
	want, got := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	for i := range want {
		// float32 through three layers with sums over up to 2,816 terms.
		if math.Abs(float64(got[i]-want[i])) > 2e-5*(1+math.Abs(float64(want[i]))) {
			t.Errorf("component %d: got %g for batches, want %g", i, got[i], want[i])
		}
	}
}

// TestBatchVelocityFixture holds the form of training, in float32 on every
// backend, to the velocities of trained flows in JAX (see TestFixture).
func TestBatchVelocityFixture(t *testing.T) {
	for _, path := range fixture.Files(t, "flow_*.npz") {
		for _, name := range backend.Installed() {
			t.Run(filepath.Base(path)+" "+name, func(t *testing.T) { testBatchVelocity(t, name, path) })
		}
	}
}

func testBatchVelocity(t *testing.T, name, path string) {
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
	f := m.Network.(GraphTransformer)
	exec, err := model.NewExec(b.Backend, m.Store,
		func(_ *model.Scope, t, x *graph.Node) *graph.Node { return f.batchVelocity(m.Store, t, x) })
	if err != nil {
		t.Fatal(err)
	}
	input := func(key string, columns int) *tensors.Tensor {
		var single []float32
		for _, v := range tensors.MustCopyFlatData[float64](arrays[key]) {
			single = append(single, float32(v))
		}
		return tensors.FromFlatDataAndDimensions(single, len(single)/columns, columns)
	}
	want := tensors.MustCopyFlatData[float64](arrays["velocity"])
	got := tensors.MustCopyFlatData[float32](exec.MustCall1(input("t", 1), input("x", f.Dim())))
	var square, worst float64
	for i := range want {
		square += want[i] * want[i] / float64(len(want))
		worst = math.Max(worst, math.Abs(float64(got[i])-want[i]))
	}
	if rms := math.Sqrt(square); !(worst <= 1e-5*rms) { // that of float32 in TestFixture
		t.Errorf("largest error %.2g of the rms velocity, want 1e-5", worst/rms)
	}
	t.Logf("largest error %.2g of the rms velocity", worst/math.Sqrt(square))
}
