package flow

import (
	"fmt"
	"math"
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

// Export writes the parameters and the standard deviation as an NPZ file,
// atomically: a graph transformer's under the names of the published parameters
// ("param/embed", "param/layers/0/q/w", [in, out]; "std", nm), an equivariant
// field's under its own. Error: a field of another kind.
func (m *Model) Export(path string) error {
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	arrays[stdArray] = tensors.FromScalar(m.Std)
	switch f := m.Field.(type) {
	case Equivariant:
	case GraphTransformer:
		if f.HeadDim != headDim {
			arrays[headDimArray] = tensors.FromScalar(int64(f.HeadDim))
		}
	default:
		return fmt.Errorf("flow: %s: a %T has no file form", path, f)
	}
	return train.WriteArrays(path, arrays)
}

// Import reads a graph transformer or an equivariant field from an NPZ file, with
// the sizes that its arrays have. Errors: no such file, arrays that are missing or do not fit, by name.
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
	field, beads, err := fieldOf(arrays)
	if err != nil {
		return nil, err
	}
	var std []float64
	if a := arrays[stdArray]; a != nil {
		std, _ = tensors.CopyFlatData[float64](a) // of another type: none
	}
	if len(std) != 1 || !(std[0] > 0) {
		return nil, fmt.Errorf("%w: %q must be one positive float64, nm", train.ErrParams, stdArray)
	}
	m := &Model{Field: field, Mean: make([]float64, field.Dim()), Std: std[0], Beads: beads, Store: model.NewStore(), backend: backend}
	field.Init(m.Store, rand.New(rand.NewPCG(0, 0)))
	if err := train.ImportParams(m.Store, arrays); err != nil {
		return nil, err
	}
	return m, nil
}

// fieldOf is the field whose parameters the arrays are.
func fieldOf(arrays map[string]*tensors.Tensor) (Field, int, error) {
	rank2 := func(name string) (rows, columns int) {
		if a := arrays[name]; a != nil && a.Shape().Rank() == 2 {
			return a.Shape().Dim(0), a.Shape().Dim(1)
		}
		return 0, 0
	}
	if mean := arrays["param/pair/mean"]; mean != nil {
		pairs := mean.Shape().Size()
		beads := int(math.Round((1 + math.Sqrt(1+8*float64(pairs))) / 2))
		hidden, _ := rank2("param/out/w")
		if pairs == 0 || beads*(beads-1)/2 != pairs || hidden == 0 {
			return nil, 0, fmt.Errorf("%w: pair/mean of %d numbers and out/w are not those of an equivariant field", train.ErrParams, pairs)
		}
		f := Equivariant{Beads: beads, Hidden: hidden, Mean: make([]float32, pairs), Spread: make([]float32, pairs)}
		for ; arrays[fmt.Sprintf("param/blocks/%d/0/w", f.Blocks)] != nil; f.Blocks++ {
		}
		return f, beads, nil
	}
	beads, embed := rank2("param/embed")
	_, hidden := rank2("param/node/w")
	_, ff := rank2("param/layers/0/ff1/w")
	_, inner := rank2("param/layers/0/q/w")
	width := headDim
	if a := arrays[headDimArray]; a != nil {
		one, _ := tensors.CopyFlatData[int64](a)
		if len(one) != 1 || one[0] < 1 {
			return nil, 0, fmt.Errorf("%w: %q must be one positive int64", train.ErrParams, headDimArray)
		}
		width = int(one[0])
	}
	if beads == 0 || hidden == 0 || ff == 0 || inner%width != 0 || inner == 0 {
		return nil, 0, fmt.Errorf("%w: no embed, node/w, layers/0/ff1/w or layers/0/q/w of a graph transformer", train.ErrParams)
	}
	f := GraphTransformer{Beads: beads, Embed: embed, Hidden: hidden, Heads: inner / width, HeadDim: width, FF: ff}
	for ; arrays[fmt.Sprintf("param/layers/%d/q/w", f.Layers)] != nil; f.Layers++ {
	}
	return f, beads, nil
}
