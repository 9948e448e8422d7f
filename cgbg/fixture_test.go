package cgbg

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/data"
)

func openGo(t *testing.T) *backend.Backend {
	t.Helper()
	t.Setenv(backend.ConfigEnv, "go")
	b, err := backend.Open()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// toy describes three beads of a map from a file.
func toy() data.Meta {
	return data.Meta{System: "toy", Mapping: "my.map", Beads: []string{"A", "B", "C"}, Species: []int32{1, 2, 3},
		Dim:         3,
		Temperature: 300, Stride: 1, Units: data.Molecular,
		Extra: map[string]string{keyMap: "A C @1\nB O @2\nC N com @3 @4\n"}}
}

// toyFile writes n frames of beads that tremble about a triangle, with forces; edit may spoil them.
func toyFile(t *testing.T, meta data.Meta, n int, edit func(f *data.Frames)) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	f := &data.Frames{Beads: len(meta.Beads), Dim: 3}
	for range n {
		for b := range meta.Beads {
			for k := range 3 {
				d := 0.01 * rng.NormFloat64()
				place := 0.0
				if k == b%3 {
					place = 0.1 + 0.03*float64(b)
				}
				f.R, f.F = append(f.R, float32(place+d)), append(f.F, float32(-25000*d))
			}
		}
	}
	if edit != nil {
		edit(f)
	}
	path := filepath.Join(t.TempDir(), "frames.arrow")
	if err := data.WriteFile(path, meta, f); err != nil {
		t.Fatal(err)
	}
	return path
}

// toyModel trains a small model on frames so described.
func toyModel(t *testing.T, b *backend.Backend, kind string, meta data.Meta) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), kind+".npz")
	o := TrainOptions{Preset: "small", Epochs: 1, Batch: 64, Seed: 1}
	if _, _, err := Train(context.Background(), b, kind, toyFile(t, meta, 240, nil), out, o); err != nil {
		t.Fatal(err)
	}
	return out
}

// tinyModels trains two flows and two potentials of three beads for a moment: flow1.npz, flow2.npz, pmf1.npz and
// pmf2.npz, with their cards, in a folder.
func tinyModels(t *testing.T, b *backend.Backend) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ctx, rng := context.Background(), rand.New(rand.NewPCG(1, 1))
	r, f := make([]float32, 40*9), make([]float32, 40*9)
	for i := range r {
		r[i], f[i] = float32(i%9)/9+0.02*float32(rng.NormFloat64()), float32(rng.NormFloat64())
	}
	meta := data.Meta{System: "three beads", Beads: []string{"A", "B", "C"}, Dim: 3, Temperature: 300,
		Species: []int32{6, 6, 6}}
	export := func(name, kind string, err error, export func(path string) error) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err == nil {
			err = export(path)
		}
		if err == nil {
			err = newCard(kind, "small", 1, meta, b).write(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	field, err := flow.NewEquivariant(r, 3)
	if err != nil {
		t.Fatal(err)
	}
	field.Hidden = 8
	potential, err := pmf.NewInvariant(r, 3, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	potential.Hidden = 8
	for k := range 2 {
		m, _, err := flow.Fit(ctx, b.Backend, field, r,
			flow.Config{Epochs: 1, Batch: 20, RateHigh: 1e-3, Seed: uint64(k), Beads: 3})
		export(fmt.Sprintf("flow%d.npz", k+1), Flow, err, func(path string) error { return m.Export(path) })
		u, _, err := pmf.Fit(ctx, b.Backend, potential, r, f,
			pmf.Config{Epochs: 1, Batch: 20, Rate: 1e-3, RateDecay: 1, Seed: uint64(k)})
		export(fmt.Sprintf("pmf%d.npz", k+1), PMF, err, func(path string) error { return pmf.Export(path, u) })
	}
	return dir
}
