package pmf

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/fixture"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// TestFixture holds MACE to the reference in JAX: coupling tables, energies,
// forces, gradients of the loss, and the losses of five training steps. It
// reads mace_*.npz from the folder CGBG_FIXTURES, or testdata where that is unset.
func TestFixture(t *testing.T) {
	for _, path := range fixture.Files(t, "mace_*.npz") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".npz"), func(t *testing.T) {
			for _, name := range backend.Installed() {
				t.Run(name, func(t *testing.T) {
					b := goBackend()
					if name != "go" {
						opened, err := backend.OpenNamed(name)
						if err != nil {
							t.Fatal(err)
						}
						b = opened.Backend
					}
					f := openFixture(t, b, path)
					t.Run("float64", f.double)
					if name == "go" { // XLA would compile for many seconds
						fast := *f
						fast.Model = &Model{Potential: f.Potential, Store: f.Store, FastForces: true, backend: b}
						t.Run("fast forces", fast.double)
					}
					t.Run("float32", f.single)
					t.Run("gradient", f.gradient)
					t.Run("training", f.training)
				})
			}
		})
	}
}

// reference is a file, and the model it holds.
type reference struct {
	*Model
	backend compute.Backend
	arrays  map[string]*tensors.Tensor
}

func openFixture(t *testing.T, b compute.Backend, path string) *reference {
	m, err := ImportMACE(b, path)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := train.ReadArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	return &reference{Model: m, backend: b, arrays: arrays}
}

func (f *reference) array(t *testing.T, name string) []float64 {
	t.Helper()
	v := numbers(f.arrays[name])
	if v == nil {
		t.Fatalf("no array %q", name)
	}
	return v
}

func rms(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(x)))
}

// worst is the largest difference of two lists.
func worst(t *testing.T, got, want []float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d numbers, want %d", len(got), len(want))
	}
	out := 0.0
	for i := range got {
		d := math.Abs(got[i] - want[i])
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		out = math.Max(out, d)
	}
	return out
}

func (f *reference) double(t *testing.T) {
	energy, force, err := f.EnergyForce(context.Background(), f.array(t, "R"))
	if err != nil {
		t.Fatal(err)
	}
	alone, err := f.Energy(context.Background(), f.array(t, "R"))
	if err != nil {
		t.Fatal(err)
	}
	unit := rms(f.array(t, "F64"))
	if d := worst(t, energy, f.array(t, "E64")); !(d <= 1e-9*unit) {
		t.Errorf("energies are off by %.2g of the rms force", d/unit)
	}
	if d := worst(t, alone, f.array(t, "E64")); !(d <= 1e-9*unit) {
		t.Errorf("energies without forces are off by %.2g of the rms force", d/unit)
	}
	if d := worst(t, force, f.array(t, "F64")); !(d <= 1e-9*unit) {
		t.Errorf("forces are off by %.2g of the rms force", d/unit)
	}
}

func (f *reference) single(t *testing.T) {
	f.Model = &Model{Potential: f.Potential, Store: f.Store, Single: true, backend: f.backend}
	energy, force, err := f.EnergyForce(context.Background(), f.array(t, "R"))
	if err != nil {
		t.Fatal(err)
	}
	alone, err := f.Energy(context.Background(), f.array(t, "R"))
	if err != nil {
		t.Fatal(err)
	}
	unit := rms(f.array(t, "F64"))
	if d := math.Max(worst(t, energy, f.array(t, "E64")), worst(t, alone, f.array(t, "E64"))); !(d <= 1e-3) {
		t.Errorf("energies are off by %.2g kJ/mol", d)
	}
	if d := worst(t, force, f.array(t, "F64")); !(d <= 1e-4*unit) {
		t.Errorf("forces are off by %.2g of the rms force", d/unit)
	}
}

// gradient compares ∂loss/∂parameter. The file has float32 numbers of float64
// results: half a unit in their last place is allowed beside 1e-8 of the norm.
func (f *reference) gradient(t *testing.T) {
	store, err := train.Float64(f.Store)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var vars []*model.Variable
	for v := range store.IterVariables() {
		names, vars = append(names, strings.TrimPrefix(v.Path(), "/net/")), append(vars, v)
	}
	r, target := f.inputs(t)
	exec, err := model.NewExec(f.backend, store, func(_ *model.Scope, nodes []*graph.Node) []*graph.Node {
		loss := residual(f.Potential, store, []*graph.Node{nodes[1], nodes[0]})
		var params []*graph.Node
		for _, v := range vars {
			params = append(params, v.NodeValue(loss))
		}
		return graph.Gradient(loss, params...)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Exec(r, target)
	if err != nil {
		t.Fatal(err)
	}
	norm := f.array(t, "train/grad_norm")[0]
	var sum float64
	for i, name := range names {
		got, want := numbers(out[i]), f.array(t, "grad/"+name)
		if len(got) != len(want) {
			t.Fatalf("gradient of %s: got %d numbers, want %d", name, len(got), len(want))
		}
		for j := range got {
			sum += got[j] * got[j]
			if d := math.Abs(got[j] - want[j]); !(d <= 1e-8*norm+math.Abs(want[j])*0x1p-24) {
				t.Errorf("gradient of %s, number %d: got %.12g, want %.9g (off by %.2g of the norm)", name, j, got[j],
					want[j], d/norm)
				break
			}
		}
	}
	if got := math.Sqrt(sum); !(math.Abs(got-norm) <= 1e-8*norm) {
		t.Errorf("norm of the gradient: got %.12g, want %.12g", got, norm)
	}
}

// inputs are positions and forces of the file in float64.
func (f *reference) inputs(t *testing.T) (r, target *tensors.Tensor) {
	dim := f.Potential.Dim()
	tensor := func(v []float64) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(v, len(v)/dim, dim) }
	return tensor(f.array(t, "R")), tensor(f.array(t, "F_target"))
}

func (f *reference) training(t *testing.T) {
	store, err := train.Float64(f.Store)
	if err != nil {
		t.Fatal(err)
	}
	r, target := f.inputs(t)
	// The reference's schedule is computed in float32, which shows: 0.001 is 5e-8 too large there.
	exact := train.Exponential(1e-3, 0.9, 1000)
	rate := func(step int) float64 { return float64(float32(exact(step))) }
	history, err := train.Run(context.Background(), f.backend, store,
		func(store *model.Store, inputs []*graph.Node) *graph.Node {
			return residual(f.Potential, store, []*graph.Node{inputs[1], inputs[0]})
		}, []*tensors.Tensor{r, target}, train.Config{Steps: 5, StepsPerCall: 1, Rate: rate, ClipNorm: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range f.array(t, "train/loss64") {
		if got := history.Loss[i]; !(math.Abs(got-want) <= 1e-8*want) {
			t.Errorf("loss before step %d: got %.12g, want %.12g (relative %.2g)", i+1, got, want, got/want-1)
		}
	}
}
