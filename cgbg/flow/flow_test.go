package flow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// goBackend is the one backend of these tests: tensors belong to a backend.
var goBackend = sync.OnceValue(func() compute.Backend {
	b, err := backend.OpenNamed("go")
	if err != nil {
		panic(err)
	}
	return b.Backend
})

// publishedMLP is the field of the Müller–Brown system (paper, C.1).
var publishedMLP = MLP{Dims: 1, Hidden: 96, Layers: 3, TimeHidden: 16, TimeFeatures: 3}

// gaussian is the exact marginal field from N(0, I) to N(0, s² I):
// v = x·(t s² − (1−t))/((1−t)² + t² s²).
type gaussian struct {
	dim int
	s   float64
}

func (f gaussian) Dim() int { return f.dim }

func (f gaussian) Init(store *model.Store, _ *rand.Rand) {
	train.AddParam(store, "unused", []float32{0}, 1)
}

func (f gaussian) rate(t *graph.Node) *graph.Node {
	rest := graph.OneMinus(t)
	up := graph.Sub(graph.MulScalar(t, f.s*f.s), rest)
	down := graph.Add(graph.Square(rest), graph.MulScalar(graph.Square(t), f.s*f.s))
	return graph.Div(up, down)
}

func (f gaussian) Velocity(_ *model.Store, t, x *graph.Node) *graph.Node {
	return graph.Mul(x, f.rate(t))
}

func (f gaussian) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	v := f.Velocity(store, t, x)
	ones := graph.OnesLike(graph.ReduceSum(x, 1))
	return v, graph.MulScalar(graph.Mul(ones, graph.Reshape(f.rate(t), -1)), float64(f.dim))
}

func gaussianModel(t testing.TB, f gaussian) *Model {
	m := &Model{Network: f, Mean: make([]float64, f.dim), Std: 1, Store: model.NewStore(), backend: goBackend()}
	f.Init(m.Store, nil)
	return m
}

// TestExactFlow draws from a flow with a known density: log q must be that
// density, forward and backward, by quadrature and by the joint solve.
func TestExactFlow(t *testing.T) {
	ctx := context.Background()
	f := gaussian{dim: 3, s: 0.2}
	m := gaussianModel(t, f)
	s, err := m.Sample(ctx, 600, 7, Accuracy{PathTol: 1e-8, LogQTol: 1e-6, Batch: 250, Checks: 50}, nil)
	if err != nil {
		t.Fatal(err)
	}
	exact := func(x []float64) float64 {
		var sum float64
		for _, v := range x {
			sum += v * v
		}
		return -0.5*sum/(f.s*f.s) - 1.5*math.Log(2*math.Pi*f.s*f.s)
	}
	back, _, err := m.LogQ(ctx, s.R, Accuracy{PathTol: 1e-8, LogQTol: 1e-6}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var variance float64
	for i := range s.LogQ {
		x := s.R[i*3 : i*3+3]
		// A path error of 1e-8 relative moves log q by up to |x|²/s²·1e-8,
		// and adds up over the steps.
		if e := math.Abs(s.LogQ[i] - exact(x)); e > 1e-5 {
			t.Errorf("sample %d: log q off by %g", i, e)
		}
		if e := math.Abs(back[i] - exact(x)); e > 1e-5 {
			t.Errorf("sample %d: log q by LogQ off by %g", i, e)
		}
		for _, v := range x {
			variance += v * v / (3 * float64(len(s.LogQ)))
		}
	}
	if s.CheckMax > 1e-5 || s.Checked != 50 {
		t.Errorf("the checks find %g on %d samples", s.CheckMax, s.Checked)
	}
	// 1800 numbers: the variance is known to s²·√(2/1800), times 5.
	if want := f.s * f.s; math.Abs(variance-want) > 5*want*math.Sqrt(2./1800) {
		t.Errorf("got variance %g, want %g", variance, want)
	}
}

// TestErrorEstimates wants the reported error to cover the true one at loose tolerances.
func TestErrorEstimates(t *testing.T) {
	m := gaussianModel(t, gaussian{dim: 2, s: 0.05})
	s, err := m.Sample(context.Background(), 200, 3, Accuracy{PathTol: 1e-4, LogQTol: 1e-2, Checks: 200}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s2 := 0.05 * 0.05
	var worst float64
	for i := range s.LogQ {
		x, y := s.R[2*i], s.R[2*i+1]
		worst = math.Max(worst, math.Abs(s.LogQ[i]-(-0.5*(x*x+y*y)/s2-math.Log(2*math.Pi*s2))))
	}
	if got := s.LogQErrorMax(); got < 0.99*worst || got > 10*worst+1e-2 {
		t.Errorf("reported error %g, true error %g", got, worst)
	}
}

func TestPublishedParameterCount(t *testing.T) {
	store := model.NewStore()
	publishedMLP.Init(store, rand.New(rand.NewPCG(1, 1)))
	if got := train.NumParams(store); got != 19380 { // facts: 19,380 parameters
		t.Errorf("got %d parameters, want 19380", got)
	}
}

// TestDivergenceAgainstFiniteDifferences checks the MLP's divergence in float64.
func TestDivergenceAgainstFiniteDifferences(t *testing.T) {
	f := MLP{Dims: 4, Hidden: 16, Layers: 2, TimeHidden: 8, TimeFeatures: 3}
	m := &Model{Network: f, Mean: make([]float64, 4), Std: 1, Store: model.NewStore(), backend: goBackend()}
	f.Init(m.Store, rand.New(rand.NewPCG(1, 1)))
	e, err := m.evaluator(false)
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{0.1, -1, 2, 0.3, 1, 1, -0.5, 0}
	v, div := make([]float64, 8), make([]float64, 2)
	if err := e.run(e.divergence, []float64{0.3}, x, v, div); err != nil {
		t.Fatal(err)
	}
	velocity := make([]float64, 8)
	if err := e.run(e.velocity, []float64{0.3}, x, velocity, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v, velocity) {
		t.Errorf("Divergence gives the velocity %v, Velocity %v", v, velocity)
	}
	const h = 1e-5
	for sample := range 2 {
		var want float64
		for k := range 4 {
			i := 4*sample + k
			plus, minus := make([]float64, 8), make([]float64, 8)
			shifted := slices.Clone(x)
			shifted[i] += h
			if err := e.run(e.velocity, []float64{0.3}, shifted, plus, nil); err != nil {
				t.Fatal(err)
			}
			shifted[i] -= 2 * h
			if err := e.run(e.velocity, []float64{0.3}, shifted, minus, nil); err != nil {
				t.Fatal(err)
			}
			want += (plus[i] - minus[i]) / (2 * h)
		}
		if math.Abs(div[sample]-want) > 1e-6 {
			t.Errorf("sample %d: got divergence %.10g, want %.10g", sample, div[sample], want)
		}
	}
}

func BenchmarkSample(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := &Model{Network: publishedMLP, Mean: []float64{0}, Std: 1, Store: model.NewStore(), backend: goBackend()}
			publishedMLP.Init(m.Store, rand.New(rand.NewPCG(1, 1)))
			for b.Loop() {
				if _, err := m.Sample(context.Background(), n, 1, Accuracy{Checks: -1}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
