package flow

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// plainCouplings are the couplings of a spline flow in loops over float64, to be read beside the papers.
type plainCouplings struct {
	couplings
	param map[string][]float64
	shape map[string][]int
}

func plainOf(t testing.TB, m *Model) plainCouplings {
	t.Helper()
	p := plainCouplings{m.Network.(Spline).couplings, map[string][]float64{}, map[string][]int{}}
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range arrays {
		for _, v := range tensors.MustCopyFlatData[float32](a) {
			p.param[name] = append(p.param[name], float64(v))
		}
		p.shape[name] = a.Shape().Dimensions
	}
	return p
}

// affine is x·w + b.
func (p plainCouplings) affine(x []float64, name string) []float64 {
	w, out := p.param[name+"/w"], slices.Clone(p.param[name+"/b"])
	for i, v := range x {
		for k := range out {
			out[k] += v * w[i*len(out)+k]
		}
	}
	return out
}

// toBase carries one point to the base, and is ln q of it.
func (p plainCouplings) toBase(x []float64) (base []float64, logQ float64) {
	x = slices.Clone(x)
	for l := range p.Moved {
		var seen []float64
		for i, v := range x {
			if p.Circle[i] {
				x[i] = turned(v + p.Shifts[l][i])
			}
		}
		for i, v := range x {
			if !p.Moved[l][i] && !p.Circle[i] {
				seen = append(seen, v*lineScale)
			}
		}
		for k := 1.0; k <= waves; k++ {
			for _, wave := range []func(float64) float64{math.Cos, math.Sin} {
				for i, v := range x {
					if !p.Moved[l][i] && p.Circle[i] {
						seen = append(seen, wave(k*v))
					}
				}
			}
		}
		if len(seen) == 0 {
			seen = []float64{0}
		}
		name := func(part string) string { return "param/layers/" + string(rune('0'+l)) + "/" + part }
		silu := func(v float64) float64 { return v / (1 + math.Exp(-v)) }
		h := p.affine(seen, name("in"))
		for k, v := range h {
			h[k] = silu(v)
		}
		for _, part := range []string{"0", "1"} {
			for k, v := range p.affine(h, name(part)) {
				h[k] += silu(v)
			}
		}
		knots := p.affine(h, name("out")) // of all splines the first number, then of all the second, …
		at, n := 0, len(p.affine(h, name("out")))/(3*p.Bins)
		mine := func() (of []float64) {
			for k := range 3 * p.Bins {
				of = append(of, knots[k*n+at])
			}
			at++
			return of
		}
		for i := range x {
			if !p.Moved[l][i] {
				continue
			}
			y, slope := plainSpline(x[i], mine(), p.Bins, p.Circle[i])
			x[i] = y
			logQ += math.Log(slope)
		}
	}
	for i, v := range x {
		if p.Circle[i] {
			logQ -= math.Log(2 * math.Pi)
		} else {
			logQ += -v*v/2 - math.Log(2*math.Pi)/2
		}
	}
	return x, logQ
}

// plainSpline is Durkan's Eqs. 4 and 5.
func plainSpline(v float64, p []float64, bins int, circle bool) (y, slope float64) {
	low, length := -reach, 2*reach
	if circle {
		low, length = -math.Pi, 2*math.Pi
	}
	if v <= low || v >= low+length {
		return v, 1
	}
	parts := func(p []float64) (ends []float64) {
		var sum float64
		for _, v := range p {
			sum += math.Exp(v)
		}
		ends = []float64{low}
		for k, v := range p {
			ends = append(ends, ends[k]+length*(leastBin+(1-leastBin*float64(bins))*math.Exp(v)/sum))
		}
		return ends
	}
	xs, ys := parts(p[:bins]), parts(p[bins:2*bins])
	slopes := make([]float64, bins+1)
	for k := range slopes {
		slopes[k] = leastSlope + math.Log1p(math.Exp(p[2*bins+k%bins]+math.Log(math.Expm1(1-leastSlope))))
	}
	if !circle {
		slopes[0], slopes[bins] = 1, 1
	}
	k := 0
	for k < bins-1 && v >= xs[k+1] {
		k++
	}
	dx, dy := xs[k+1]-xs[k], ys[k+1]-ys[k]
	s, t := dy/dx, (v-xs[k])/dx
	under := s + (slopes[k]+slopes[k+1]-2*s)*t*(1-t)
	y = ys[k] + dy*(s*t*t+slopes[k]*t*(1-t))/under
	slope = s * s * (slopes[k+1]*t*t + 2*s*t*(1-t) + slopes[k]*(1-t)*(1-t)) / (under * under)
	return y, slope
}

// Couplings in graphs are those in plain loops: to 1e-9 nat in float64, and in float32 to the 1e-4 that weights do not
// notice, there and back.
func TestSplinePlain(t *testing.T) {
	frames := heavyAtoms(t)
	m := splineFor(t, frames.R[:300*30], frames.Beads, Sizes{Width: 16, Layers: 6, Bins: 8}, 2)
	f, plain := m.Network.(Spline), plainOf(t, m)
	x, err := f.coordinates(frames.R[:100*30])
	if err != nil {
		t.Fatal(err)
	}
	wide := make([]float64, len(x))
	widen(x, wide)
	k := len(f.Circle)
	for _, single := range []bool{false, true} {
		tolerance := 1e-9
		if single {
			tolerance = 1e-4
		}
		p, err := m.passes(f, single)
		if err != nil {
			t.Fatal(err)
		}
		base, slopes, err := p.run(p.toBase, wide)
		if err != nil {
			t.Fatal(err)
		}
		back, backSlopes, err := p.run(p.fromB, base)
		if err != nil {
			t.Fatal(err)
		}
		for i := range slopes {
			want, logQ := plain.toBase(wide[i*k : (i+1)*k])
			got := slopes[i]
			for c, v := range base[i*k : (i+1)*k] {
				if f.Circle[c] {
					got -= math.Log(2 * math.Pi)
				} else {
					got += logNormal([]float64{v})
				}
				if math.Abs(v-want[c]) > 10*tolerance {
					t.Errorf("single %v, frame %d, coordinate %d: got %.10g, want %.10g", single, i, c, v, want[c])
				}
				if math.Abs(back[i*k+c]-wide[i*k+c]) > 100*tolerance {
					t.Errorf("single %v, frame %d, coordinate %d: back %.10g, want %.10g", single, i, c, back[i*k+c],
						wide[i*k+c])
				}
			}
			if math.Abs(got-logQ) > tolerance {
				t.Errorf("single %v, frame %d: ln q = %.10f, plain %.10f", single, i, got, logQ)
			}
			if math.Abs(backSlopes[i]+slopes[i]) > 10*tolerance {
				t.Errorf("single %v, frame %d: slopes there %.10f, back %.10f", single, i, slopes[i], backSlopes[i])
			}
		}
	}
}

// Couplings have the log-densities of a reference in JAX with the same parameters: four lines and two circles, points
// in the splines' reach and beyond, in float64. testdata/couplings.npz: x, logq [40, …]; circle, moved, shift;
// parameters.
func TestCouplingsFixture(t *testing.T) {
	arrays, err := train.ReadArrays("testdata/couplings.npz")
	if err != nil {
		t.Fatal(err)
	}
	numbers := func(name string) []float64 { return tensors.MustCopyFlatData[float64](arrays[name]) }
	flags := func(list []float64) (out []bool) {
		for _, v := range list {
			out = append(out, v != 0)
		}
		return out
	}
	c := couplings{Circle: flags(numbers("circle")), Width: 8, Bins: 12}
	n := len(c.Circle)
	moved, shift := numbers("moved"), numbers("shift")
	for l := range len(moved) / n {
		c.Moved = append(c.Moved, flags(moved[l*n:(l+1)*n]))
		c.Shifts = append(c.Shifts, shift[l*n:(l+1)*n])
	}
	m := &Model{Network: Spline{couplings: c}, Store: model.NewStore(), backend: goBackend()}
	c.init(m.Store, rand.New(rand.NewPCG(1, 1)))
	params := map[string]*tensors.Tensor{}
	for name, a := range arrays {
		if strings.HasPrefix(name, "param/") {
			params[name] = a
		}
	}
	if err := train.ImportParams(m.Store, params); err != nil {
		t.Fatal(err)
	}
	p, err := m.passes(m.Network.(Spline), false)
	if err != nil {
		t.Fatal(err)
	}
	base, slopes, err := p.run(p.toBase, numbers("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range numbers("logq") {
		got := slopes[i]
		for k, v := range base[i*n : (i+1)*n] {
			if c.Circle[k] {
				got -= math.Log(2 * math.Pi)
			} else {
				got += logNormal([]float64{v})
			}
		}
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("point %d: ln q = %.9f, reference %.9f", i, got, want)
		}
	}
}
