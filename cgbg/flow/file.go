package flow

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// stdArray is the standard deviation in a file, nm.
const stdArray = "std"

// Export writes the parameters and the standard deviation as an NPZ file,
// atomically: a graph transformer's under the names of the published parameters
// ("param/embed", "param/layers/0/q/w", [in, out]; "std", nm), those of other kinds
// under their own. Error: a field without a file form, see [Kind.Kept].
func (m *Model) Export(path string) error {
	k, ok := kindOf(m.Network)
	if !ok || !k.Kept() {
		return fmt.Errorf("flow: %s: a %T has no file form", path, m.Network)
	}
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	arrays[stdArray] = tensors.FromScalar(m.Std)
	if k.form.write != nil {
		k.form.write(m.Network, arrays)
	}
	return train.WriteArrays(path, arrays)
}

// Import reads what Export wrote, with the sizes that the arrays have.
// Errors: no such file, arrays that are missing or do not fit, by name.
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
	form, err := formOf(arrays)
	if err != nil {
		return nil, err
	}
	field, beads, err := form.read(arrays)
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
	m := &Model{Network: field, Mean: make([]float64, field.Dim()), Std: std[0], Beads: beads, Store: model.NewStore(),
		backend: backend}
	field.Init(m.Store, rand.New(rand.NewPCG(0, 0)))
	if err := train.ImportParams(m.Store, arrays); err != nil {
		return nil, err
	}
	return m, nil
}

// formOf is the form that the arrays have, by its mark.
func formOf(arrays map[string]*tensors.Tensor) (*form, error) {
	var marks []string
	for _, k := range kinds {
		if !k.Kept() {
			continue
		}
		if arrays[k.form.mark] != nil {
			return k.form, nil
		}
		marks = append(marks, fmt.Sprintf("%q (%s)", k.form.mark, k.Name))
	}
	return nil, fmt.Errorf("%w: no vector field: none of the arrays %s", train.ErrParams, strings.Join(marks, ", "))
}

// rank2 are rows and columns of an array; zeros where it is missing, or of another rank.
func rank2(arrays map[string]*tensors.Tensor, name string) (rows, columns int) {
	if a := arrays[name]; a != nil && a.Shape().Rank() == 2 {
		return a.Shape().Dim(0), a.Shape().Dim(1)
	}
	return 0, 0
}

// layersOf counts the arrays of a name with %d for 0, 1, …
func layersOf(arrays map[string]*tensors.Tensor, format string) (n int) {
	for arrays[fmt.Sprintf(format, n)] != nil {
		n++
	}
	return n
}
