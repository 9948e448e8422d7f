package flow

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// reread writes a new model of the field, and reads it again: numbers, deviation and beads are the same.
func reread(t *testing.T, f Field, beads int) (got *Model, path string) {
	t.Helper()
	m := &Model{Network: f, Mean: make([]float64, f.Dim()), Std: 0.123, Beads: beads, Store: model.NewStore(),
		backend: goBackend()}
	f.Init(m.Store, rand.New(rand.NewPCG(1, 1)))
	path = filepath.Join(t.TempDir(), "flow.npz")
	if err := m.Export(path); err != nil {
		t.Fatal(err)
	}
	got, err := Import(goBackend(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Std != m.Std || got.Beads != beads {
		t.Errorf("got %d beads with std %g, want %d with %g", got.Beads, got.Std, beads, m.Std)
	}
	want, err := train.ExportParams(m.Store)
	if err != nil {
		t.Fatal(err)
	}
	have, err := train.ExportParams(got.Store)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range want {
		if h := have[name]; h == nil || !slices.Equal(tensors.MustCopyFlatData[float32](a),
			tensors.MustCopyFlatData[float32](h)) {
			t.Errorf("%s differs", name)
		}
	}
	return got, path
}

// A model that is written and read has the same sizes and numbers; files that are
// none of a flow say what is wrong.
func TestFile(t *testing.T) {
	f := GraphTransformer{Beads: 3, Embed: 2, Hidden: 8, Layers: 2, Heads: 2, HeadDim: headDim, FF: 12}
	got, path := reread(t, f, 3)
	if got.Network != Field(f) {
		t.Errorf("got %+v, want %+v", got.Network, f)
	}
	for name, change := range map[string]func(map[string]*tensors.Tensor){
		"std":                func(a map[string]*tensors.Tensor) { delete(a, "std") },
		"param/layers/1/o/b": func(a map[string]*tensors.Tensor) { delete(a, "param/layers/1/o/b") },
		"param/decoder/w": func(a map[string]*tensors.Tensor) {
			a["param/decoder/w"] = tensors.FromValue([][]float32{{1}})
		},
		"param/embed": func(a map[string]*tensors.Tensor) { delete(a, "param/embed") },
		"param/layers/7/extra": func(a map[string]*tensors.Tensor) {
			a["param/layers/7/extra"] = tensors.FromValue([]float32{1})
		},
	} {
		arrays, err := train.ReadArrays(path)
		if err != nil {
			t.Fatal(err)
		}
		change(arrays)
		bad := filepath.Join(t.TempDir(), "bad.npz")
		if err := train.WriteArrays(bad, arrays); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(goBackend(), bad); !errors.Is(err, train.ErrParams) ||
			!strings.Contains(err.Error(), strings.TrimPrefix(name, "param/")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Import(goBackend(), filepath.Join(t.TempDir(), "none.npz")); err == nil {
		t.Error("no file: no error")
	}
}
