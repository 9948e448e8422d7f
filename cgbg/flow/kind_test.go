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

	"github.com/cgbg-go/lab/cgbg/forward"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// drift is a vector field v = x·W + t·b, to be added to the table.
type drift struct{ Beads int }

func (f drift) Dim() int { return axes * f.Beads }

func (f drift) Init(store *model.Store, rng *rand.Rand) {
	train.AddDense(store, rng, "drift", f.Dim(), f.Dim())
}

func (f drift) apply(store *model.Store, t *graph.Node, x forward.Value) forward.Value {
	push := graph.Mul(t, graph.InsertAxes(train.Param(store, t, "drift/b"), 0))
	return x.Affine(train.Param(store, t, "drift/w"), nil).Add(forward.Constant(push))
}

func (f drift) Velocity(store *model.Store, t, x *graph.Node) *graph.Node {
	return f.apply(store, t, forward.Constant(x)).X
}

func (f drift) Divergence(store *model.Store, t, x *graph.Node) (velocity, divergence *graph.Node) {
	v := f.apply(store, t, forward.Variable(x))
	return v.X, v.Trace()
}

var driftKind = Kind{
	Name: "drift", About: "linear in x and t", Molecule: true,
	Fit:   Config{Epochs: 2, Batch: 20, RateHigh: 1e-2, RateLow: 1e-3},
	Quick: Config{Epochs: 1, Batch: 20, RateHigh: 1e-2, RateLow: 1e-3},
	Small: Config{Epochs: 1, Batch: 20, RateHigh: 1e-2, RateLow: 1e-3},
	form: &form{mark: "param/drift/w", read: func(arrays map[string]*tensors.Tensor) (Network, int, error) {
		rows, _ := rank2(arrays, "param/drift/w")
		return drift{rows / axes}, rows / axes, nil
	}},
	is:    isA[drift],
	build: func(_ []float32, beads int, _ Sizes) (Network, error) { return drift{beads}, nil },
}

// added has a kind in the table until the test ends.
func added(t *testing.T, k Kind) {
	before := kinds
	kinds = append(slices.Clone(kinds), k)
	t.Cleanup(func() { kinds = before })
}

// framesFor are some of four beads, or of one coordinate, and the number of beads.
func framesFor(k Kind, n int) (frames []float32, beads int) {
	rng, width := rand.New(rand.NewPCG(9, 1)), 1
	if k.Molecule {
		beads, width = 4, 12
	}
	for i := range n * width {
		frames = append(frames, float32(i/3%max(1, beads))+0.3*float32(rng.NormFloat64()))
	}
	return frames, beads
}

// little are sizes of at most four, of those that the kind has.
func little(k Kind) Sizes {
	o := k.Sizes
	for _, s := range o.list() {
		*s.N = min(*s.N, 4)
	}
	return o
}

// Every kind, and one that the table alone knows of: a field is made from frames, belongs to no other kind, learns with
// what it brings along, has the divergence of its velocity, and is the same after a file.
func TestKinds(t *testing.T) {
	added(t, driftKind)
	ctx, seen := context.Background(), map[string]bool{}
	for _, k := range Fields() {
		t.Run(k.Name, func(t *testing.T) {
			if k.Name == "" || seen[k.Name] || k.About == "" || strings.Contains(k.About, "\n") {
				t.Errorf("a name that is taken, or no line about it: %q, %q", k.Name, k.About)
			}
			seen[k.Name] = true
			if got, err := FieldByName(k.Name); err != nil || got.Name != k.Name {
				t.Errorf("by its name: got %q, %v", got.Name, err)
			}
			frames, beads := framesFor(k, 40)
			field, err := k.New(frames, beads, little(k))
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range kinds {
				if other.is(field) != (other.Name == k.Name) {
					t.Errorf("%T is of kind %s: %v", field, other.Name, other.is(field))
				}
			}
			if acc := SamplingAccuracy("go", field); k.sampling != (Accuracy{}) && acc != k.sampling {
				t.Errorf("samples are drawn with %+v, want %+v", acc, k.sampling)
			}
			if err := k.Check(k.SmallSizes); err != nil {
				t.Errorf("small: %v", err)
			}
			for _, cfg := range []Config{k.Fit, k.Quick, k.Small} {
				cfg.Beads = beads
				if _, err := prepare(goBackend(), field, frames, cfg); err != nil {
					t.Error(err)
				}
			}
			cfg := k.Quick
			cfg.Beads, cfg.Epochs, cfg.Batch, cfg.StepsPerCall = beads, 1, 20, 1
			m, _, err := Fit(ctx, goBackend(), field, frames, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Finalize()
			if _, ok := field.(Field); ok {
				divergenceOf(t, m)
			}
			fileOf(t, k, m)
		})
	}
}

// divergenceOf holds the divergence to finite differences of the velocity.
func divergenceOf(t *testing.T, m *Model) {
	t.Helper()
	const at, h = 0.3, 1e-5
	ctx, x := context.Background(), make([]float64, m.Network.Dim())
	for i := range x {
		x[i] = math.Sin(float64(3*i) + 1)
	}
	got, err := m.DivergenceAt(ctx, at, x, Accuracy{})
	if err != nil {
		t.Fatal(err)
	}
	var want float64
	for i := range x {
		for _, sign := range []float64{1, -1} {
			moved := slices.Clone(x)
			moved[i] += sign * h
			v, err := m.VelocityAt(ctx, at, moved, Accuracy{})
			if err != nil {
				t.Fatal(err)
			}
			want += sign * v[i] / (2 * h)
		}
	}
	if d := math.Abs(got[0] - want); !(d <= 1e-6*(1+math.Abs(want))) {
		t.Errorf("divergence: got %.10g, want %.10g", got[0], want)
	}
}

// fileOf writes and reads a model, or is told that it has no file form.
func fileOf(t *testing.T, k Kind, m *Model) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flow.npz")
	if err := m.Export(path); !k.Kept() {
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
	want, got := valuesOf(t, m), valuesOf(t, again)
	if !slices.Equal(got, want) {
		t.Errorf("read again: %v, want %v", got, want)
	}
	if again.Std != m.Std || again.Beads != m.Beads {
		t.Errorf("read again: std %g of %d beads, want %g of %d", again.Std, again.Beads, m.Std, m.Beads)
	}
}

// says tells whether an error has a text; "": whether there is none.
func says(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

// What a kind cannot take is an error that says so, before frames are there.
func TestKindErrors(t *testing.T) {
	of := func(name string) Kind {
		k, err := FieldByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if _, err := FieldByName("gaussian"); !says(err, "graph-transformer, equivariant, perceptron") {
		t.Errorf("an unknown name: got %v", err)
	}
	for _, c := range []struct {
		kind  string
		sizes Sizes
		want  string
	}{
		{"graph-transformer", Sizes{Width: 64}, "layers 3, embed 16, heads 8, head width 64, inner 512"},
		{"equivariant", Sizes{Heads: 4}, "equivariant has no heads: its sizes are width 256, layers 3"},
		{"equivariant", Sizes{Width: -1}, "width -1"},
		{"graph-transformer", Sizes{Width: 16, Layers: 2, Embed: 4, Heads: 2, HeadWidth: 8, Inner: 32}, ""},
		{"equivariant", Sizes{Width: 32}, ""},
		{"perceptron", Sizes{}, ""},
	} {
		if err := of(c.kind).Check(c.sizes); !says(err, c.want) {
			t.Errorf("%s, %+v: got %v, want %q", c.kind, c.sizes, err, c.want)
		}
	}
	if _, err := of("perceptron").New([]float32{1, 2}, 4, Sizes{}); !says(err, "one coordinate") {
		t.Errorf("beads of a perceptron: got %v", err)
	}
	if _, err := of("equivariant").New([]float32{1, 2}, 0, Sizes{}); !says(err, "beads in space") {
		t.Errorf("no beads: got %v", err)
	}
}

// Defaults are the published sizes.
func TestKindDefaults(t *testing.T) {
	for name, want := range map[string]Field{"graph-transformer": NewGraphTransformer(6), "perceptron": publishedMLP} {
		k, err := FieldByName(name)
		if err != nil {
			t.Fatal(err)
		}
		beads := 0
		if k.Molecule {
			beads = 6
		}
		if got, err := k.New(nil, beads, Sizes{}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func ExampleFieldByName() {
	for _, k := range Fields() {
		fmt.Printf("%s: width %d, in files %v\n", k.Name, k.Sizes.Width, k.Kept())
	}
	k, err := FieldByName("equivariant")
	if err != nil {
		fmt.Println(err)
		return
	}
	frames := []float32{0, 0, 0, 0.1, 0, 0, 0, 0, 0, 0.12, 0, 0} // two frames of two beads, nm
	field, err := k.New(frames, 2, Sizes{Width: 32})
	fmt.Println(field.Dim(), err)
	// Output:
	// spline: width 128, in files true
	// graph-transformer: width 128, in files true
	// equivariant: width 256, in files true
	// perceptron: width 96, in files false
	// 6 <nil>
}

// valuesOf are velocities of a field, or log-densities of a flow that is exact in one pass.
func valuesOf(t *testing.T, m *Model) []float64 {
	t.Helper()
	x := make([]float64, 3*m.Network.Dim())
	for i := range x {
		x[i] = math.Cos(float64(2*i)) + float64(i/3)
	}
	var values []float64
	var err error
	if _, ok := m.Network.(Field); ok {
		values, err = m.VelocityAt(context.Background(), 0.7, x, Accuracy{})
	} else {
		values, err = m.logQOf(context.Background(), x, Accuracy{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}
