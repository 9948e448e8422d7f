package pmf

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/cgbg/e3"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
)

// plainMACE is the energy of one frame by loops in float64, term by term as published.
type plainMACE struct {
	MACE
	param func(name string) []float64
}

func (p plainMACE) at(layer int, format string, args ...any) []float64 {
	return p.param(fmt.Sprintf("%d/", layer) + fmt.Sprintf(format, args...))
}

// features are h[node][l][channel][m].
type features [][][][]float64

func (p plainMACE) zeros(lmax, channels int) features {
	h := make(features, len(p.Species))
	for i := range h {
		h[i] = make([][][]float64, lmax+1)
		for l := range h[i] {
			h[i][l] = make([][]float64, channels)
			for c := range h[i][l] {
				h[i][l][c] = make([]float64, 2*l+1)
			}
		}
	}
	return h
}

// linear is y_w = Σ_u W[u,w] x_u/√rows.
func linear(w []float64, x [][]float64, columns int) [][]float64 {
	y := make([][]float64, columns)
	for v := range y {
		y[v] = make([]float64, len(x[0]))
		for u := range x {
			for m := range y[v] {
				y[v][m] += w[u*columns+v] * x[u][m] / math.Sqrt(float64(len(x)))
			}
		}
	}
	return y
}

func plainSilu(x float64) float64 { return x / (1 + math.Exp(-x)) / siluNorm }

func (p plainMACE) energy(r []float64) float64 {
	c, n := p.Channels, len(p.Species)
	h := p.zeros(0, c)
	for i, s := range p.Species {
		for k := range c {
			for e := range p.Embed {
				h[i][0][k][0] += p.param("embed/table")[s*p.Embed+e] * p.param("embed/linear")[e*c+k]
			}
		}
	}
	for layer := range p.Layers {
		h = p.layer(layer, h, r)
	}
	var u float64
	for i := range n {
		hidden := linear(p.param("readout/hidden"), h[i][0], p.Readout)
		for k := range hidden {
			hidden[k][0] = plainSilu(hidden[k][0])
		}
		o := linear(p.param("readout/out"), hidden, 1)[0][0]
		u += p.param("atomic")[p.Species[i]] + p.param("scale")[0]*o + p.param("shift")[0]
	}
	return u + plainPrior(p.Prior, r, p.Box)
}

// mix is the radial network at distance d, in cutoffs.
func (p plainMACE) mix(layer int, d float64) []float64 {
	u := 0.0
	if d < 1 {
		u = 1 - 28*math.Pow(d, 6) + 48*math.Pow(d, 7) - 21*math.Pow(d, 8)
	}
	var x [][]float64
	for _, f := range p.param("frequencies") {
		x = append(x, []float64{u * math.Sqrt2 * math.Sin(f*d) / d})
	}
	for k, width := range p.widths(layer)[1:] {
		if k > 0 {
			for i := range x {
				x[i][0] = plainSilu(x[i][0])
			}
		}
		x = linear(p.at(layer, "radial_%d", k), x, width)
	}
	var out []float64
	for _, v := range x {
		out = append(out, v[0])
	}
	return out
}

func (p plainMACE) layer(layer int, h features, r []float64) features {
	c, n := p.Channels, len(p.Species)
	g := p.param("neighbours")[0]
	epsilon := 1 / math.Sqrt(1+g*g)
	next := p.zeros(len(p.out(layer))-1, c)
	for i := range n {
		var x [][][]float64 // [l][channel][m]
		index := 0
		for l := range p.LMax + 1 {
			var sum [][]float64
			for _, path := range e3.Paths(p.in(layer), p.LMax, l) {
				part := make([][]float64, c)
				for k := range part {
					part[k] = make([]float64, 2*l+1)
				}
				for j := range n {
					if j == i {
						continue
					}
					var v [3]float64
					for axis := range v {
						v[axis] = r[3*j+axis] - r[3*i+axis]
						if p.Box != nil {
							v[axis] -= p.Box[axis] * math.Floor(v[axis]/p.Box[axis]+0.5)
						}
					}
					length := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
					y := e3.Harmonics(path.B, [3]float64{v[0] / length, v[1] / length, v[2] / length})
					mix := p.mix(layer, length/p.Cutoff)[index*c:]
					up := linear(p.at(layer, "up_l%d", path.A), h[j][path.A], c)
					cg := e3.Wigner3j(path.A, path.B, l)
					for k := range c {
						for a := range up[k] {
							for b := range y {
								for m := range 2*l + 1 {
									part[k][m] += mix[k] * math.Sqrt(float64(2*l+1)) *
										cg[(a*len(y)+b)*(2*l+1)+m] * up[k][a] * y[b]
								}
							}
						}
					}
				}
				for k := range part {
					for m := range part[k] {
						part[k][m] *= epsilon / float64(c*len(h[i]))
					}
				}
				sum = append(sum, part...)
				index++
			}
			v := linear(p.at(layer, "down_l%d", l), sum, c)
			for k := range v {
				for m := range v[k] {
					v[k][m] *= epsilon
				}
			}
			if layer == 0 {
				v = linear(p.at(0, "species_l%d", l)[p.Species[i]*c*c:], v, c)
			}
			x = append(x, v)
		}
		for _, l := range p.out(layer) {
			next[i][l] = linear(p.at(layer, "out_l%d", l), p.product(layer, l, p.Species[i], x), c)
			if layer == 0 {
				continue
			}
			for k, old := range linear(p.at(layer, "skip_l%d", l)[p.Species[i]*c*c:], h[i][l], c) {
				for m := range old {
					next[i][l][k][m] += old[m]
				}
			}
		}
	}
	return next
}

// product is the symmetric contraction with the full tensors' polynomials.
func (p plainMACE) product(layer, l, species int, x [][][]float64) [][]float64 {
	out := make([][]float64, p.Channels)
	for k := range out {
		out[k] = make([]float64, 2*l+1)
		var components []float64
		for _, v := range x {
			components = append(components, v[k]...)
		}
		for nu := 1; nu <= p.Correlation; nu++ {
			basis := symmetric(p.LMax, nu, l)
			w := p.at(layer, "w%d_l%d", nu, l)
			for j, b := range basis.Evaluate(components) {
				out[k][j%(2*l+1)] += w[(species*basis.K+j/(2*l+1))*p.Channels+k] * b
			}
		}
	}
	return out
}

// small are potentials with few channels and various settings.
var small = map[string]MACE{
	"published degrees": {Species: []int{1, 0, 1, 1}, Rows: 2, Cutoff: 0.5, Neighbours: 2.5, Channels: 3, Embed: 4,
		Radial: 4, Hidden: []int{5, 6}, Readout: 3, Layers: 2, LMax: 3, LHidden: 1, Correlation: 3},
	"three layers": {Species: []int{0, 0, 1, 2}, Rows: 4, Cutoff: 0.4, Neighbours: 3, Channels: 2, Embed: 2,
		Radial: 3, Hidden: []int{4}, Readout: 2, Layers: 3, LMax: 2, LHidden: 2, Correlation: 2},
	"no coupling": {Species: []int{0, 1, 0, 1}, Rows: 2, Cutoff: 0.6, Neighbours: 3, Channels: 2, Embed: 2,
		Radial: 3, Readout: 2, Layers: 1, LMax: 1, LHidden: 0, Correlation: 1},
	"degree 4": {Species: []int{0, 0, 1, 0}, Rows: 2, Cutoff: 0.5, Neighbours: 3, Channels: 2, Embed: 2,
		Radial: 3, Hidden: []int{3}, Readout: 2, Layers: 2, LMax: 4, LHidden: 1, Correlation: 2},
	"prior": {Species: []int{1, 0, 1, 1}, Rows: 2, Cutoff: 0.5, Neighbours: 2.5,
		Box: []float64{1, 1.1, 1.2}, Channels: 2, Embed: 4, Radial: 4, Readout: 3, Layers: 1, LMax: 1, LHidden: 0,
		Correlation: 2, Prior: everyTerm},
	"periodic": {Species: []int{1, 0, 1, 1}, Rows: 2, Cutoff: 0.5, Neighbours: 2.5,
		Box: []float64{1, 1.1, 1.2}, Channels: 2, Embed: 4, Radial: 4, Hidden: []int{5}, Readout: 3, Layers: 2, LMax: 2,
		LHidden: 1, Correlation: 2},
}

// lively makes every term count: fresh parameters leave high orders invisible.
func lively(t testing.TB, p MACE) (*Model, plainMACE) {
	m := fresh(t, p)
	rng := rand.New(rand.NewPCG(8, 8))
	params, err := train.ExportParams(m.Store)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(params)) { // so that the numbers are the same in every call
		a := params[name]
		values := narrow(numbers(a))
		for i := range values {
			switch name[len("param/"):] {
			case "scale":
				values[i] = 3
			case "shift", "atomic":
				values[i] = float32(rng.NormFloat64())
			}
			if len(name) > 14 && name[8:12] == "down" {
				values[i] *= 6
			}
		}
		params[name] = tensors.FromFlatDataAndDimensions(values, a.Shape().Dimensions...)
	}
	if err := train.ImportParams(m.Store, params); err != nil {
		t.Fatal(err)
	}
	return m, plainMACE{p, func(name string) []float64 { return numbers(params["param/"+name]) }}
}

// conformations of four beads within 0.3 nm or so, [n*12].
func conformations(n int) []float64 {
	rng := rand.New(rand.NewPCG(9, 9))
	out := make([]float64, 0, 12*n)
	for range n {
		for bead := range 4 {
			for axis := range 3 {
				out = append(out, 0.13*float64((bead>>min(axis, 1))%2)+0.2*rng.Float64()+0.05*float64(bead))
			}
		}
	}
	return out
}

// TestMACEAgainstLoops holds both graphs, with and without forces, of all pairs
// and of a neighbour list, to the plain form.
func TestMACEAgainstLoops(t *testing.T) {
	tests := map[string]MACE{}
	for name, p := range small {
		tests[name] = p
		p.ListFrom = 1
		tests[name+", list"] = p
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			m, plain := lively(t, p)
			r := conformations(3)
			if p.Box != nil {
				for i := range r {
					r[i] += p.Box[i%3] * float64(i%5-2) // an image
				}
			}
			alone, err := m.Energy(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			energy, _, err := m.EnergyForce(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			for i := range energy {
				want := plain.energy(r[12*i : 12*i+12])
				if d := math.Max(math.Abs(energy[i]-want), math.Abs(alone[i]-want)); !(d <= 1e-11*(1+math.Abs(want))) {
					t.Errorf("frame %d: got %.15g and %.15g, want %.15g", i, energy[i], alone[i], want)
				}
			}
		})
	}
}

// TestMACEForces: force = −gradient, by finite differences in float64; forces at
// fixed parameters are the same.
func TestMACEForces(t *testing.T) {
	for name, p := range small {
		t.Run(name, func(t *testing.T) {
			m, _ := lively(t, p)
			r := conformations(1)
			_, force, err := m.EnergyForce(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			const h = 1e-4
			unit := rms(force)
			if !(unit > 1e-3) {
				t.Fatalf("the rms force is %g: nothing to test", unit)
			}
			for _, from := range []int{0, 1} { // pairs, list
				p.ListFrom = from
				fast, _ := lively(t, p)
				fast.FastForces = true
				_, got, err := fast.EnergyForce(context.Background(), r)
				if err != nil {
					t.Fatal(err)
				}
				if d := worst(t, got, force); !(d <= 1e-11*unit) {
					t.Errorf("fast forces are off by %.2g of %.2g", d, unit)
				}
			}
			for i := range r {
				var moved []float64
				for _, k := range []float64{-2, -1, 1, 2} {
					s := slices.Clone(r)
					s[i] += k * h
					moved = append(moved, s...)
				}
				u, err := m.Energy(context.Background(), moved)
				if err != nil {
					t.Fatal(err)
				}
				if want := -(u[0] - 8*u[1] + 8*u[2] - u[3]) / (12 * h); !(math.Abs(force[i]-want) <= 1e-6*unit) {
					t.Errorf("component %d: got force %.9g, want %.9g", i, force[i], want)
				}
			}
		})
	}
}
