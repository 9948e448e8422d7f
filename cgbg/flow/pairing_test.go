package flow

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
)

// kabsch is the least sum of squares to which a rotation brings a onto b, both
// [beads, 3] and centred: W. Kabsch, Acta Cryst. A 32 (1976) 922.
func kabsch(a, b []float64) float64 {
	n := len(a) / 3
	x, y := mat.NewDense(n, 3, a), mat.NewDense(n, 3, b)
	var s mat.Dense
	s.Mul(x.T(), y)
	var svd mat.SVD
	svd.Factorize(&s, mat.SVDNone)
	v := svd.Values(nil)
	if mat.Det(&s) < 0 {
		v[2] = -v[2]
	}
	total := -2 * (v[0] + v[1] + v[2])
	for i := range a {
		total += a[i]*a[i] + b[i]*b[i]
	}
	return total
}

func centre(x []float64) []float64 {
	out := append([]float64{}, x...)
	var c [3]float64
	for i, v := range x {
		c[i%3] += 3 * v / float64(len(x))
	}
	for i := range out {
		out[i] -= c[i%3]
	}
	return out
}

// TestAlign: frames are turned as well as Kabsch's rotation turns them, by proper
// rotations, and share the centre of their noise.
func TestAlign(t *testing.T) {
	const batch, beads = 500, 6
	rng := rand.New(rand.NewPCG(1, 2))
	x0, x1 := make([]float64, batch*3*beads), []float64{}
	for i := range x0 {
		x0[i] = rng.NormFloat64()
	}
	for range batch {
		frame := make([]float64, 3*beads)
		for i := range frame {
			frame[i] = rng.NormFloat64()
		}
		x1 = append(x1, centre(frame)...)
	}
	store := model.NewStore()
	if err := store.SetRNGStateFromSeed(3); err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(goBackend(), store,
		func(_ *model.Scope, x1, x0 *graph.Node) *graph.Node { return align(store, x1, x0, beads) })
	if err != nil {
		t.Fatal(err)
	}
	y := tensors.MustCopyFlatData[float64](exec.MustCall1(tensors.FromFlatDataAndDimensions(x1, batch, 3*beads),
		tensors.FromFlatDataAndDimensions(x0, batch, 3*beads)))
	for k := range batch {
		part := func(x []float64) []float64 { return x[k*3*beads : (k+1)*3*beads] }
		var got float64
		for i, v := range part(y) {
			got += (v - part(x0)[i]) * (v - part(x0)[i])
		}
		if want := kabsch(part(x1), centre(part(x0))); math.Abs(got-want) > 1e-6*want {
			t.Errorf("frame %d: squares of %.9g, want %.9g", k, got, want)
		}
		// A proper rotation keeps the volume that four beads span.
		if v, w := volume(part(x1)), volume(part(y)); math.Abs(v-w) > 1e-9*(1+math.Abs(v)) {
			t.Errorf("frame %d: volume %g became %g", k, v, w)
		}
	}
}

// volume that beads 1 to 3 span with bead 0, with its sign.
func volume(x []float64) float64 {
	e := mat.NewDense(3, 3, nil)
	for i := range 3 {
		for k := range 3 {
			e.Set(i, k, x[3*(i+1)+k]-x[k])
		}
	}
	return mat.Det(e)
}

// TestTransported: every noise gets a frame of the batch, near ones more often,
// and frames are used about equally often.
func TestTransported(t *testing.T) {
	const batch = 400
	rng := rand.New(rand.NewPCG(5, 6))
	x0, x1 := make([]float64, batch), make([]float64, batch)
	for i := range x0 {
		x0[i], x1[i] = rng.NormFloat64(), 3+2*rng.NormFloat64()
	}
	store := model.NewStore()
	if err := store.SetRNGStateFromSeed(4); err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(goBackend(), store,
		func(_ *model.Scope, x1, x0 *graph.Node) *graph.Node { return optimal(store, x1, x0) })
	if err != nil {
		t.Fatal(err)
	}
	y := tensors.MustCopyFlatData[float64](exec.MustCall1(tensors.FromFlatDataAndDimensions(x1, batch, 1),
		tensors.FromFlatDataAndDimensions(x0, batch, 1)))
	used := map[float64]int{}
	for _, v := range x1 {
		used[v] = 0
	}
	var mean, want, xx, xy, yy float64
	for i, v := range y {
		if _, ok := used[v]; !ok {
			t.Fatalf("%g is no frame", v)
		}
		used[v]++
		mean, want = mean+v/batch, want+x1[i]/batch
		xx, xy, yy = xx+x0[i]*x0[i], xy+x0[i]*(v-3), yy+(v-3)*(v-3)
	}
	if math.Abs(mean-want) > 0.3 { // the mean of 400 draws has an error of 0.1
		t.Errorf("mean of the paired frames %g, of the frames %g", mean, want)
	}
	if r := xy / math.Sqrt(xx*yy); r < 0.9 { // the optimal map in one dimension is monotonic
		t.Errorf("correlation of noise and frame %g, want above 0.9", r)
	}
}
