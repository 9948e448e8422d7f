package flow

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// chain is an equivariant field of so many beads with parameters that all count.
func chain(t *testing.T, beads int) (Equivariant, *model.Store) {
	rng := rand.New(rand.NewPCG(3, uint64(beads)))
	frames := make([]float32, 50*3*beads)
	for i := range frames {
		frames[i] = float32(i/3%beads) + 0.3*float32(rng.NormFloat64())
	}
	f, err := NewEquivariant(frames, beads)
	if err != nil {
		t.Fatal(err)
	}
	f.Hidden, f.Blocks = 12, 2
	return f, roughened(t, f, rng, func(rng *rand.Rand) float64 { return 0.1 * rng.Float64() })
}

// plainly is v(t, x) of one configuration, written as the documentation has it.
func (f Equivariant) plainly(p map[string][]float64, t float64, x []float64) []float64 {
	bead := func(i int) [3]float64 { return [3]float64(x[3*i:]) }
	sub := func(a, b [3]float64) [3]float64 { return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
	dot := func(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
	length := func(a [3]float64) float64 { return math.Sqrt(dot(a, a) + 0.15*0.15) }
	affine := func(name string, in []float64) []float64 {
		out := append([]float64(nil), p[name+"/b"]...)
		for i, v := range in {
			for j := range out {
				out[j] += v * p[name+"/w"][i*len(out)+j]
			}
		}
		return out
	}
	var seen []float64
	pair := 0
	for i := range f.Beads {
		for j := i + 1; j < f.Beads; j++ {
			mean, spread := p["pair/mean"][pair], p["pair/spread"][pair]
			variance := 1.8*(1-t)*(1-t) + t*t*spread*spread + 1e-8
			m := math.Sqrt(max(1e-6, 6*(1-t)*(1-t)+t*t*(mean*mean+spread*spread)-variance))
			seen = append(seen, (length(sub(bead(i), bead(j)))-m)/math.Sqrt(variance))
			pair++
		}
	}
	for _, q := range f.quadruples() {
		a, b, c := sub(bead(q[1]), bead(q[0])), sub(bead(q[2]), bead(q[0])), sub(bead(q[3]), bead(q[0]))
		cross := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
		seen = append(seen, 3*dot(cross, c)/(length(a)*length(b)*length(c)))
	}
	s := 2*math.Log(1+(1-t)/3e-3)/math.Log(1+1/3e-3) - 1
	clock := []float64{t - 0.5, s}
	for k := 1; k <= 4; k++ {
		clock = append(clock, math.Sin(float64(k)*math.Pi*s), math.Cos(float64(k)*math.Pi*s))
	}
	h := affine("in", append(seen, clock...))
	for l := range f.Blocks {
		name := []string{"blocks/0/", "blocks/1/"}[l]
		gain := affine(name+"clock", clock)
		var mean, variance float64
		for _, v := range h {
			mean += v / float64(len(h))
		}
		for _, v := range h {
			variance += (v - mean) * (v - mean) / float64(len(h))
		}
		y := make([]float64, len(h))
		for i, v := range h {
			y[i] = (v-mean)/math.Sqrt(variance+1e-6)*(1+gain[i]) + gain[len(h)+i]
		}
		y = affine(name+"0", y)
		for i, v := range y {
			y[i] = v / (1 + math.Exp(-v))
		}
		for i, v := range affine(name+"1", y) {
			h[i] += v
		}
	}
	strength := affine("out", h)
	v := make([]float64, len(x))
	pair = 0
	for i := range f.Beads {
		for j := i + 1; j < f.Beads; j++ {
			d := sub(bead(i), bead(j))
			for k := range d {
				v[3*i+k] += strength[pair] * d[k] / length(d)
				v[3*j+k] -= strength[pair] * d[k] / length(d)
			}
			pair++
		}
	}
	return v
}

// TestEquivariantIsPlain holds velocity and divergence to the plain form and to
// the trace of its Jacobian by central differences, in float64.
func TestEquivariantIsPlain(t *testing.T) {
	for _, beads := range []int{2, 5, 8} {
		f, store := chain(t, beads)
		p := map[string][]float64{}
		for v := range store.IterVariables() {
			p[v.Path()[len("/net/"):]] = tensors.MustCopyFlatData[float64](v.MustValue())
		}
		exec, err := model.NewExec(goBackend(), store, func(_ *model.Scope, t, x *graph.Node) []*graph.Node {
			v, div := f.Divergence(store, t, x)
			return []*graph.Node{v, div, f.Velocity(store, t, x)}
		})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(9, 9))
		times := []float64{0, 0.3, 0.999}
		x := make([]float64, len(times)*f.Dim())
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		out, err := exec.Exec(tensors.FromFlatDataAndDimensions(times, 3, 1),
			tensors.FromFlatDataAndDimensions(x, 3, f.Dim()))
		if err != nil {
			t.Fatal(err)
		}
		velocity := tensors.MustCopyFlatData[float64](out[0])
		divergence, alone := tensors.MustCopyFlatData[float64](out[1]), tensors.MustCopyFlatData[float64](out[2])
		for b, time := range times {
			state := x[b*f.Dim() : (b+1)*f.Dim()]
			for k, want := range f.plainly(p, time, state) {
				if got := velocity[b*f.Dim()+k]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
					t.Errorf("%d beads, t = %g, component %d: got %.15g, want %.15g", beads, time, k, got, want)
				}
				if got := alone[b*f.Dim()+k]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
					t.Errorf("%d beads, t = %g, component %d alone: got %.15g, want %.15g", beads, time, k, got, want)
				}
			}
			var trace, h float64 = 0, 1e-5
			for k := range state {
				old := state[k]
				state[k] = old + h
				up := f.plainly(p, time, state)[k]
				state[k] = old - h
				trace += (up - f.plainly(p, time, state)[k]) / (2 * h)
				state[k] = old
			}
			if math.Abs(divergence[b]-trace) > 1e-6*(1+math.Abs(trace)) {
				t.Errorf("%d beads, t = %g: divergence %.10g, by differences %.10g", beads, time, divergence[b], trace)
			}
		}
	}
}

// TestEquivariantLaws: the field turns and shifts with the molecule and leaves its
// centre where it is, but does not take a molecule for its mirror image.
func TestEquivariantLaws(t *testing.T) {
	f, store := chain(t, 6)
	m := &Model{Network: f, Store: store}
	rng := rand.New(rand.NewPCG(4, 4))
	x := make([]float64, f.Dim())
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	at := func(x []float64) []float64 {
		exec, err := model.NewExec(goBackend(), m.Store, func(_ *model.Scope, x *graph.Node) *graph.Node {
			return f.Velocity(store, graph.Const(x.Graph(), [][]float64{{0.7}}), x)
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Exec(tensors.FromFlatDataAndDimensions(x, 1, f.Dim()))
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float64](out[0])
	}
	v := at(x)
	var centre [3]float64
	for k, c := range v {
		centre[k%3] += c
	}
	for k, c := range centre {
		if math.Abs(c) > 1e-12 {
			t.Errorf("axis %d: the centre moves by %g", k, c)
		}
	}
	q := [4]float64{0.5, 0.5, -0.5, 0.5}
	moved, want, mirrored := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	for b := range f.Beads {
		y, u := turn(q, [3]float64(x[3*b:])), turn(q, [3]float64(v[3*b:]))
		for k := range y {
			moved[3*b+k], want[3*b+k] = y[k]+float64(k)-0.4, u[k]
			mirrored[3*b+k] = x[3*b+k]
		}
		mirrored[3*b] = -mirrored[3*b]
	}
	for k, got := range at(moved) {
		if math.Abs(got-want[k]) > 1e-12 {
			t.Errorf("turned and shifted, component %d: got %.15g, want %.15g", k, got, want[k])
		}
	}
	var most float64
	for k, got := range at(mirrored) {
		if k%3 == 0 {
			got = -got
		}
		most = max(most, math.Abs(got-v[k]))
	}
	if most < 1e-3 {
		t.Errorf("the mirror image moves in the mirrored way within %g: handedness is not seen", most)
	}
}

func TestEquivariantFile(t *testing.T) {
	f, _ := chain(t, 5)
	got, _ := reread(t, f, 5)
	if g, ok := got.Network.(Equivariant); !ok || g.Beads != 5 || g.Hidden != f.Hidden || g.Blocks != f.Blocks {
		t.Errorf("got %T %+v", got.Network, got.Network)
	}
}
