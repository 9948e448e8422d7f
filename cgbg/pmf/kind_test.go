package pmf

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// springs is a potential U = Σ k_c x_c² of all coordinates, to be added to the table.
type springs struct{ Beads int }

func (p springs) Dim() int { return 3 * p.Beads }

func (p springs) Init(store *model.Store, rng *rand.Rand) {
	k := make([]float32, p.Dim())
	for i := range k {
		k[i] = rng.Float32()
	}
	train.AddParam(store, "spring", k, p.Dim())
}

func (p springs) Energy(store *model.Store, r *graph.Node) *graph.Node {
	return graph.ReduceSum(graph.Mul(graph.Square(r), graph.InsertAxes(train.Param(store, r, "spring"), 0)), 1)
}

var springsKind = Kind{
	Name: "springs", About: "a spring on every coordinate", Molecule: true,
	Fit:   Config{Epochs: 2, Batch: 20, Rate: 1e-2, RateDecay: 1},
	Quick: Config{Epochs: 1, Batch: 20, Rate: 1e-2, RateDecay: 1},
	Small: Config{Epochs: 1, Batch: 20, Rate: 1e-2, RateDecay: 1},
	form: &form{mark: "param/spring", read: func(arrays map[string]*tensors.Tensor) (Potential, error) {
		return springs{arrays["param/spring"].Shape().Size() / 3}, nil
	}},
	is: isA[springs],
	build: func(_ []float32, beads int, _ []int, _ float64, _ Sizes) (Potential, error) {
		return springs{beads}, nil
	},
}

// added has a kind in the table until the test ends.
func added(t *testing.T, k Kind) {
	before := kinds
	kinds = append(slices.Clone(kinds), k)
	t.Cleanup(func() { kinds = before })
}

// framesFor are some frames with forces, of four beads or of one coordinate, and the beads' species.
func framesFor(k Kind, n int) (r, f []float32, species []int) {
	if k.Molecule {
		r, species = frames(n, 4), []int{6, 1, 6, 6}
	} else {
		for i := range n {
			r = append(r, float32(math.Sin(float64(i))))
		}
	}
	for _, x := range r {
		f = append(f, -x)
	}
	return r, f, species
}

// little are sizes of at most two, of those that the kind has.
func little(k Kind) Sizes {
	o := k.Sizes
	for _, s := range o.list() {
		*s.N = min(*s.N, 2)
	}
	return o
}

// Every kind, and one that the table alone knows of: a potential is made from frames, belongs to no other kind, learns
// with what it brings along, and is the same after a file.
func TestKinds(t *testing.T) {
	added(t, springsKind)
	ctx, seen := context.Background(), map[string]bool{}
	for _, k := range Potentials() {
		t.Run(k.Name, func(t *testing.T) {
			if k.Name == "" || seen[k.Name] || k.About == "" || strings.Contains(k.About, "\n") {
				t.Errorf("a name that is taken, or no line about it: %q, %q", k.Name, k.About)
			}
			seen[k.Name] = true
			if got, err := PotentialByName(k.Name); err != nil || got.Name != k.Name {
				t.Errorf("by its name: got %q, %v", got.Name, err)
			}
			r, f, species := framesFor(k, 40)
			pot, err := k.New(r, len(species), species, 2.5, little(k))
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range kinds {
				if other.is(pot) != (other.Name == k.Name) {
					t.Errorf("%T is of kind %s: %v", pot, other.Name, other.is(pot))
				}
			}
			if err := k.Check(k.SmallSizes); err != nil {
				t.Errorf("small: %v", err)
			}
			for _, cfg := range []Config{k.Fit, k.Quick, k.Small} {
				if err := check(pot, r, f, cfg); err != nil {
					t.Error(err)
				}
			}
			cfg := k.Quick
			cfg.Epochs, cfg.Batch, cfg.StepsPerCall = 1, 20, 1
			m, _, err := Fit(ctx, goBackend(), pot, r, f, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Finalize()
			fileOf(t, k, m, double(r[:3*pot.Dim()]))
		})
	}
}

// fileOf writes and reads a model, or is told that it has no file form.
func fileOf(t *testing.T, k Kind, m *Model, r []float64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pmf.npz")
	if err := Export(path, m); !k.Kept() {
		if err == nil || !strings.Contains(err.Error(), "no file form") {
			t.Errorf("a kind without files: got %v", err)
		}
		return
	} else if err != nil {
		t.Fatal(err)
	}
	arrays, err := train.ReadArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range kinds {
		if other.Kept() && (arrays[other.form.mark] != nil) != (other.Name == k.Name) {
			t.Errorf("its file has the mark of %s: %v", other.Name, arrays[other.form.mark] != nil)
		}
	}
	again, err := Import(goBackend(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Finalize()
	want, err := m.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Energy(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if d := worst(t, got, want); !(d <= 1e-12*(1+rms(want))) { // a MACE's basis is written, and found again to rounding
		t.Errorf("read again: energies %v, want %v", got, want)
	}
}

// says tells whether an error has a text; "": whether there is none.
func says(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

// What a kind cannot take is an error that says so.
func TestKindErrors(t *testing.T) {
	of := func(name string) Kind {
		k, err := PotentialByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if _, err := PotentialByName("amber"); !says(err, "mace, invariant, distances, rbf") {
		t.Errorf("an unknown name: got %v", err)
	}
	for _, c := range []struct {
		kind  string
		sizes Sizes
		want  string
	}{
		{"mace", Sizes{Width: 64}, "belong together, width 32, layers 2, embed 32, radial 8"},
		{"invariant", Sizes{Correlation: 3}, "invariant has no correlation: its sizes are width 256, layers 3"},
		{"rbf", Sizes{Centers: -1}, "centres -1"},
		{"mace", Sizes{Width: 4, Embed: 4, RadialWidth: 8, RadialDepth: 1, Readout: 4, LMax: 1, Correlation: 2}, ""},
		{"invariant", Sizes{Width: 32}, ""},
	} {
		if err := of(c.kind).Check(c.sizes); !says(err, c.want) {
			t.Errorf("%s, %+v: got %v, want %q", c.kind, c.sizes, err, c.want)
		}
	}
	r, one := frames(5, 4), []float32{1, 2, 3}
	for _, c := range []struct {
		kind    string
		frames  []float32
		beads   int
		species []int
		want    string
	}{
		{"mace", r, 4, nil, "species of every bead, here are 0 of 4"},
		{"mace", r[:7], 4, []int{1, 1, 1, 1}, "7 numbers are no frames of 4 beads"},
		{"invariant", r, 0, nil, "beads in space"},
		{"rbf", r, 4, nil, "one coordinate"},
		{"rbf", nil, 0, nil, "no frames"},
		{"rbf", one, 0, nil, ""},
	} {
		if _, err := of(c.kind).New(c.frames, c.beads, c.species, 2.5, Sizes{}); !says(err, c.want) {
			t.Errorf("%s: got %v, want %q", c.kind, err, c.want)
		}
	}
}

// A MACE of the table has the published sizes, rows of its species in the order of their codes, and as many
// neighbours as the frames.
func TestKindMACE(t *testing.T) {
	k, err := PotentialByName("mace")
	if err != nil {
		t.Fatal(err)
	}
	// Three beads in a row, 0.4 nm apart: the middle one has two within 0.5 nm, the others one. In every second frame
	// the last is far away.
	near, far := []float32{0, 0, 0, 0.4, 0, 0, 0.8, 0, 0}, []float32{0, 0, 0, 0.4, 0, 0, 2, 0, 0}
	got, err := k.New(slices.Concat(near, far), 3, []int{8, 6, 8}, 2.5, Sizes{})
	if err != nil {
		t.Fatal(err)
	}
	want := NewMACE([]int{1, 0, 1}, (4+2)/6.0)
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func ExamplePotentialByName() {
	for _, k := range Potentials() {
		fmt.Printf("%s: width %d, in files %v\n", k.Name, k.Sizes.Width, k.Kept())
	}
	k, err := PotentialByName("distances")
	if err != nil {
		fmt.Println(err)
		return
	}
	frames := []float32{0, 0, 0, 0.1, 0, 0, 0, 0, 0, 0.12, 0, 0} // two frames of two beads, nm
	pot, err := k.New(frames, 2, nil, 2.5, Sizes{})
	fmt.Println(pot.Dim(), err)
	// Output:
	// mace: width 32, in files true
	// invariant: width 256, in files true
	// distances: width 128, in files false
	// rbf: width 128, in files false
	// 6 <nil>
}
