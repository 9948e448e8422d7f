package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
)

// splineFor is an untrained spline flow of frames, with parameters so large that its splines bend.
func splineFor(t testing.TB, frames []float32, beads int, o Sizes, bend float64) *Model {
	t.Helper()
	f, err := NewSpline(frames, beads, o)
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Network: f, Mean: make([]float64, f.Dim()), Std: 0.2, Beads: beads, Store: model.NewStore(),
		backend: goBackend()}
	f.Init(m.Store, rand.New(rand.NewPCG(3, 1)))
	for v := range m.Store.IterVariables() {
		value := v.MustValue()
		value.MutableFlatData(func(flat any) {
			x := flat.([]float32)
			for i := range x {
				x[i] *= float32(bend)
			}
		})
	}
	return m
}

// chains are random walks with stiff bonds, of so many beads.
func chains(n, beads int) (frames []float32) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range n {
		var at, step [3]float64
		for b := range beads {
			for k := range at {
				step[k] = rng.NormFloat64()
				if b%2 == 1 {
					step[k] = math.Abs(step[k])
				}
			}
			norm := math.Sqrt(step[0]*step[0] + step[1]*step[1] + step[2]*step[2])
			for k := range at {
				at[k] += step[k] / norm * (0.15 + 0.01*rng.NormFloat64())
				frames = append(frames, float32(at[k]))
			}
		}
	}
	return frames
}

// The log-density is that of the map from the prior: its Jacobian by differences, in all coordinates of the beads. Back
// from there the noise is what it was.
func TestSplineJacobian(t *testing.T) {
	ctx := context.Background()
	for _, beads := range []int{3, 4, 5} {
		m := splineFor(t, chains(200, beads), beads, Sizes{Width: 8, Layers: 3, Bins: 4}, 2)
		acc := Accuracy{}
		dim := 3 * beads
		rng := rand.New(rand.NewPCG(1, uint64(beads)))
		for range 5 {
			z := make([]float64, dim)
			for i := range z {
				z[i] = rng.NormFloat64()
			}
			const h = 1e-5
			points := append([]float64(nil), z...)
			for i := range dim {
				for _, s := range []float64{-h, h} {
					next := append([]float64(nil), z...)
					next[i] += s
					points = append(points, next...)
				}
			}
			out, err := m.transport(ctx, points, 0, 1, acc, nil)
			if err != nil {
				t.Fatal(err)
			}
			jacobian := mat.NewDense(dim, dim, nil)
			for i := range dim {
				low, high := out.x[(1+2*i)*dim:], out.x[(2+2*i)*dim:]
				for k := range dim {
					jacobian.Set(k, i, (high[k]-low[k])/(2*h))
				}
			}
			want, _ := mat.LogDet(jacobian)
			if math.Abs(out.integral[0]-want) > 1e-4 {
				t.Errorf("%d beads: ln |∂x/∂z| = %.8f, by differences %.8f", beads, out.integral[0], want)
			}
			back, err := m.transport(ctx, out.x, 1, 0, acc, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range points {
				if math.Abs(back.x[i]-v) > 1e-6 {
					t.Fatalf("%d beads: point %d, component %d: back %g, want %g", beads, i/dim, i%dim, back.x[i], v)
				}
			}
			for i, v := range out.integral {
				if math.Abs(back.integral[i]-v) > 1e-7 {
					t.Fatalf("%d beads: point %d: ln |∂x/∂z| back %.10f, forth %.10f", beads, i, back.integral[i], v)
				}
			}
		}
	}
}

// heavyAtoms are frames of alanine dipeptide.
func heavyAtoms(t testing.TB) (frames *data.Frames) {
	t.Helper()
	frames, _, err := data.ReadFile("../../data/ala2/obc2/unbiased_heavy-atom.arrow")
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// The density of three beads is normalised: by quadrature over its three coordinates, which become distances and an
// angle with the volume that belongs to them. In four, whose torsion is on a circle, the mean of q over a broad
// density is one.
func TestSplineNormalised(t *testing.T) {
	const bend = 2
	m := splineFor(t, chains(200, 3), 3, Sizes{Width: 8, Layers: 3, Bins: 4}, bend)
	f := m.Network.(Spline)
	p, err := m.passes(f, false)
	if err != nil {
		t.Fatal(err)
	}
	const points, edge = 56, 7.5
	h := 2 * edge / points
	var x []float64
	for i := range points * points * points {
		for _, k := range []int{i / (points * points), i / points % points, i % points} {
			x = append(x, -edge+h*(float64(k)+0.5))
		}
	}
	density := func(p *passes, x []float64) (q []float64) {
		k := len(p.f.Circle)
		base, slopes, err := p.run(p.toBase, x)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range slopes {
			for c, v := range base[i*k : (i+1)*k] {
				if p.f.Circle[c] {
					s -= math.Log(2 * math.Pi)
				} else {
					s += logNormal([]float64{v})
				}
			}
			q = append(q, math.Exp(s))
		}
		return q
	}
	var sum float64
	for _, q := range density(p, x) {
		sum += q * h * h * h
	}
	if math.Abs(sum-1) > 1e-3 {
		t.Errorf("three beads: the density's integral is %.6f", sum)
	}

	m = splineFor(t, chains(200, 4), 4, Sizes{Width: 8, Layers: 3, Bins: 4}, bend)
	f = m.Network.(Spline)
	if p, err = m.passes(f, false); err != nil {
		t.Fatal(err)
	}
	const n, width = 40_000, 1.5
	rng := rand.New(rand.NewPCG(8, 8))
	x = x[:0]
	weight := make([]float64, n)
	for i := range n {
		for _, on := range f.Circle {
			v := width * rng.NormFloat64()
			if on {
				v = math.Pi * (2*rng.Float64() - 1)
				weight[i] += math.Log(2 * math.Pi)
			} else {
				weight[i] -= logNormal([]float64{v / width}) - math.Log(width)
			}
			x = append(x, v)
		}
	}
	if !f.Circle[len(f.Circle)-1] {
		t.Fatal("the torsion does not turn")
	}
	var squares float64
	sum = 0
	for i, q := range density(p, x) {
		v := q * math.Exp(weight[i]) / n
		sum, squares = sum+v, squares+v*v
	}
	if e := math.Sqrt(squares - sum*sum/n); math.Abs(sum-1) > 4*e || e > 0.02 {
		t.Errorf("four beads: the density's integral is %.4f ± %.4f", sum, e)
	}
}

// Samples in float32 have the log-density that float64 finds at their positions, to 1e-4 nat, in every map that comes
// along and in two molecules side by side.
func TestSplineMolecules(t *testing.T) {
	read := func(path string) ([]float32, int) {
		f, _, err := data.ReadFile("../../data/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return f.R, f.Beads
	}
	var pair []float32 // two chains, one turning about the other at some distance
	rng := rand.New(rand.NewPCG(6, 6))
	one, other := chains(300, 3), chains(300, 4)
	for i := range 300 {
		pair = append(pair, one[9*i:9*i+9]...)
		x, y, z := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		far := (0.8 + 0.1*rng.Float64()) / math.Sqrt(x*x+y*y+z*z)
		for k, v := range other[12*i : 12*i+12] {
			pair = append(pair, v+float32(far*[3]float64{x, y, z}[k%3]))
		}
	}
	for _, c := range []struct {
		name   string
		frames []float32
		beads  int
	}{{"two molecules", pair, 7}, {"butane", nil, 0}, {"alanine", nil, 0}, {"tri-alanine", nil, 0}} {
		if path := map[string]string{"butane": "butane/unbiased.arrow", "alanine": "ala2/obc2/unbiased_heavy-atom.arrow",
			"tri-alanine": "ala3/metad5_core-beta.arrow"}[c.name]; path != "" {
			c.frames, c.beads = read(path)
		}
		dim := axes * c.beads
		frames := c.frames[:min(len(c.frames), 2000*dim)]
		m := splineFor(t, frames, c.beads, Sizes{Width: 16, Layers: 6, Bins: 8}, 1.5)
		s, err := m.Sample(context.Background(), 2000, 4, Accuracy{Single: true, Batch: 512, Checks: 500}, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s.CheckMax > 1e-4 || s.Checked != 500 || s.Evaluations != 1 {
			t.Errorf("%s: ln q is off by %.2g nat, of %d samples", c.name, s.CheckMax, s.Checked)
		}
		l, err := m.NegLogLikelihood(context.Background(), frames, 200, 1, Accuracy{Single: true, Batch: 512}, nil)
		if err != nil || math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0) {
			t.Errorf("%s: -ln q = %+v, %v", c.name, l, err)
		}
	}
}
