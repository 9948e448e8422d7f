package pmf

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/train"
)

// gas is frames of beads at random places, none closer than 0.1 nm, in a cube of
// the given edge, nm: [n*beads*3]. Where periodic, images count, and beads leave the cube.
func gas(n, beads int, edge float64, periodic bool) []float64 {
	rng := rand.New(rand.NewPCG(3, uint64(beads)))
	var out []float64
	for range n {
		var frame []float64
		for len(frame) < 3*beads {
			x := []float64{edge * rng.Float64(), edge * rng.Float64(), edge * rng.Float64()}
			near := false
			for k := 0; k < len(frame); k += 3 {
				var square float64
				for axis := range x {
					d := frame[k+axis] - x[axis]
					if periodic {
						d -= edge * math.Round(d/edge)
					}
					square += d * d
				}
				near = near || square < 0.01
			}
			if near {
				continue
			}
			if periodic {
				for axis := range x {
					x[axis] += edge * float64(rng.IntN(5)-2)
				}
			}
			frame = append(frame, x...)
		}
		out = append(out, frame...)
	}
	return out
}

func cube(edge float64) []float64 { return []float64{edge, edge, edge} }

// TestNeighbourList: every bead's row has the beads within the cutoff, in any
// image, and is filled up with the bead itself.
func TestNeighbourList(t *testing.T) {
	const beads, cutoff, edge = 30, 0.4, 1.0
	for name, box := range map[string][]float64{"open": nil, "periodic": cube(edge)} {
		r := gas(3, beads, edge, box != nil)
		list, slots := neighbourList(r, beads, cutoff, box)
		if len(list) != 3*beads*slots {
			t.Fatalf("%s: %d numbers for %d slots", name, len(list), slots)
		}
		most := 0
		for frame := range 3 {
			for i := range beads {
				var want []int32
				for j := range beads {
					least := math.Inf(1) // of all images
					for image := range 11 * 11 * 11 {
						var square float64
						for axis, k := range []int{image % 11, image / 11 % 11, image / 121} {
							d := r[(frame*beads+j)*3+axis] - r[(frame*beads+i)*3+axis]
							if box != nil {
								d += edge * float64(k-5)
							}
							square += d * d
						}
						least = math.Min(least, square)
					}
					if j != i && least < cutoff*cutoff {
						want = append(want, int32(j))
					}
				}
				most = max(most, len(want))
				got := slices.DeleteFunc(slices.Clone(list[(frame*beads+i)*slots:][:slots]),
					func(j int32) bool { return int(j) == i })
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s: frame %d: neighbours of bead %d: got %v, want %v", name, frame, i, got, want)
				}
			}
		}
		if most < 4 || most > slots || slots > 2*most {
			t.Errorf("%s: %d slots for at most %d neighbours", name, slots, most)
		}
	}
	if list, slots := neighbourList([]float64{0, 0, 0, 9, 0, 0}, 2, 0.5, nil); slots != 1 ||
		!slices.Equal(list, []int32{0, 1}) {
		t.Errorf("two beads apart: got %v with %d slots, want one empty slot each", list, slots)
	}
}

// TestSlotSize: enough, few sizes, and never more than the other beads.
func TestSlotSize(t *testing.T) {
	sizes := map[int]bool{}
	for n := range 101 {
		size := slotSize(n, 1000)
		if size < n || float64(size) > 1.5*float64(n)+4 {
			t.Errorf("%d slots for %d neighbours", size, n)
		}
		sizes[size] = true
	}
	if len(sizes) > 10 {
		t.Errorf("%d sizes up to 100", len(sizes))
	}
	if got := slotSize(5, 7); got != 6 {
		t.Errorf("got %d slots for 7 beads, want 6", got)
	}
}

// TestMACEListIsDense: with a neighbour list, energies and forces are those of
// all pairs, in dense and thin gases, open and periodic.
func TestMACEListIsDense(t *testing.T) {
	for _, test := range []struct {
		beads int
		edge  float64
		box   []float64
	}{{40, 0.9, nil}, {60, 1.6, nil}, {45, 1.1, cube(1.1)}, {40, 3, cube(3)}} {
		t.Run(fmt.Sprintf("%d beads in %g nm, periodic %v", test.beads, test.edge, test.box != nil),
			func(t *testing.T) {
				p := MACE{Rows: 3, Cutoff: 0.5, Neighbours: 6, Box: test.box, Channels: 2, Embed: 2, Radial: 3,
					Hidden: []int{4}, Readout: 2, Layers: 2, LMax: 2, LHidden: 1, Correlation: 2}
				for i := range test.beads {
					p.Species = append(p.Species, i%3)
				}
				r := gas(2, test.beads, test.edge, test.box != nil)
				var all [2][]float64 // by form: energies, energies with forces, forces
				for form, from := range []int{1000, 1} {
					p.ListFrom = from
					m, _ := lively(t, p)
					alone, err := m.Energy(context.Background(), r)
					if err != nil {
						t.Fatal(err)
					}
					energy, force, err := m.EnergyForce(context.Background(), r)
					if err != nil {
						t.Fatal(err)
					}
					all[form] = slices.Concat(alone, energy, force)
				}
				unit := rms(all[0][4:])
				if !(unit > 1e-3) {
					t.Fatalf("the rms force is %g: nothing to test", unit)
				}
				if d := worst(t, all[1], all[0]); !(d <= 1e-11*math.Max(unit, rms(all[0][:4]))) {
					t.Errorf("off by %.2g; rms force %.2g, energy %.2g", d, unit, rms(all[0][:4]))
				}
			})
	}
}

// TestMACEListTrains: losses of training steps, which take second derivatives,
// are those of all pairs, but for float32.
func TestMACEListTrains(t *testing.T) {
	p := small["published degrees"]
	p.Species = []int{0, 1, 1, 0, 1, 0}
	r := narrow(gas(24, 6, 0.6, false))
	f := make([]float32, len(r))
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range f {
		f[i] = float32(rng.NormFloat64())
	}
	var histories [2]*train.History
	for form, from := range []int{1000, 1} {
		p.ListFrom = from
		_, h, err := Fit(context.Background(), goBackend(), p, r, f,
			Config{Epochs: 3, Batch: 5, Rate: 1e-2, RateDecay: 1, Seed: 1, Validation: 0.25, StepsPerCall: 1})
		if err != nil {
			t.Fatal(err)
		}
		histories[form] = h
	}
	dense, list := histories[0], histories[1]
	if d := math.Max(worst(t, list.Loss, dense.Loss),
		worst(t, list.Validation, dense.Validation)); !(d <= 1e-4*dense.Loss[0]) {
		t.Errorf("losses differ by %.2g:\n%v\n%v", d, list.Loss, dense.Loss)
	}
	if last := dense.Loss[len(dense.Loss)-1]; !(math.Abs(last-dense.Loss[0]) > 1e-3*last) {
		t.Errorf("the loss does not move from %g: nothing to test", last)
	}
}

// BenchmarkNeighbours times energies and forces of beads in a gas of ten
// neighbours each, with all pairs and with a list.
func BenchmarkNeighbours(b *testing.B) {
	const frames = 8
	for _, name := range backend.Installed() {
		opened, err := backend.OpenNamed(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, beads := range []int{12, 16, 24, 32, 48} {
			edge := math.Cbrt(float64(beads) / 10 * 4 / 3 * math.Pi * 0.125) // 10 beads in a sphere of 0.5 nm
			r := gas(frames, beads, edge, false)
			p := NewMACE(make([]int, beads), 10)
			for _, form := range []struct {
				name string
				from int
			}{{"pairs", 1000}, {"list", 1}} {
				p.ListFrom = form.from
				m := fresh(b, p)
				m.backend, m.Single = opened.Backend, true
				run := func(name string, evaluate func() error) {
					b.Run(fmt.Sprintf("%s/%s/%d/%s", opened.Name, name, beads, form.name), func(b *testing.B) {
						if err := evaluate(); err != nil { // compiles
							b.Fatal(err)
						}
						for b.Loop() {
							if err := evaluate(); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
				run("energy", func() error { _, err := m.Energy(context.Background(), r); return err })
				run("force", func() error { _, _, err := m.EnergyForce(context.Background(), r); return err })
			}
		}
	}
}
