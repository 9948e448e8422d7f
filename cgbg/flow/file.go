package flow

import (
	"fmt"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Names of arrays in a file that are no parameters.
const (
	stdArray     = "std"      // standard deviation, nm
	headDimArray = "head_dim" // features of a head, where they are not the published 64
)

// Export writes a graph transformer's parameters and its standard deviation as
// an NPZ file, under the names of the published parameters ("param/embed",
// "param/layers/0/q/w", [in, out]; "std", nm), atomically.
func (m *Model) Export(path string) error {
	f, ok := m.Field.(GraphTransformer)
	if !ok {
		return fmt.Errorf("flow: %s: only graph transformers have a file form", path)
	}
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	arrays[stdArray] = tensors.FromScalar(m.Std)
	if f.HeadDim != headDim {
		arrays[headDimArray] = tensors.FromScalar(int64(f.HeadDim))
	}
	return train.WriteArrays(path, arrays)
}

// Import reads a graph transformer from an NPZ file, with the sizes that its
// arrays have. Errors: no such file, arrays that are missing or do not fit, by name.
func Import(backend compute.Backend, path string) (*Model, error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	m, err := fromArrays(backend, arrays)
	if err != nil {
		return nil, fmt.Errorf("flow: %s: %w", path, err)
	}
	return m, nil
}

func fromArrays(backend compute.Backend, arrays map[string]*tensors.Tensor) (*Model, error) {
	rank2 := func(name string) (rows, columns int) {
		if a := arrays[name]; a != nil && a.Shape().Rank() == 2 {
			return a.Shape().Dim(0), a.Shape().Dim(1)
		}
		return 0, 0
	}
	beads, embed := rank2("param/embed")
	_, hidden := rank2("param/node/w")
	_, ff := rank2("param/layers/0/ff1/w")
	_, inner := rank2("param/layers/0/q/w")
	width := headDim
	if a := arrays[headDimArray]; a != nil {
		one, _ := tensors.CopyFlatData[int64](a)
		if len(one) != 1 || one[0] < 1 {
			return nil, fmt.Errorf("%w: %q must be one positive int64", train.ErrParams, headDimArray)
		}
		width = int(one[0])
	}
	if beads == 0 || hidden == 0 || ff == 0 || inner%width != 0 || inner == 0 {
		return nil, fmt.Errorf("%w: no embed, node/w, layers/0/ff1/w or layers/0/q/w of a graph transformer", train.ErrParams)
	}
	f := GraphTransformer{Beads: beads, Embed: embed, Hidden: hidden, Heads: inner / width, HeadDim: width, FF: ff}
	for ; arrays[fmt.Sprintf("param/layers/%d/q/w", f.Layers)] != nil; f.Layers++ {
	}
	var std []float64
	if a := arrays[stdArray]; a != nil {
		std, _ = tensors.CopyFlatData[float64](a) // of another type: none
	}
	if len(std) != 1 || !(std[0] > 0) {
		return nil, fmt.Errorf("%w: %q must be one positive float64, nm", train.ErrParams, stdArray)
	}
	m := &Model{Field: f, Mean: make([]float64, f.Dim()), Std: std[0], Beads: beads, Store: model.NewStore(), backend: backend}
	f.Init(m.Store, rand.New(rand.NewPCG(0, 0)))
	if err := train.ImportParams(m.Store, arrays); err != nil {
		return nil, err
	}
	return m, nil
}
