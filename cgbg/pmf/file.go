package pmf

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Export writes a potential as an NPZ file, atomically. Errors: one without a
// file form, see [Kind.Kept]; those of the file.
func Export(path string, m *Model) error {
	k, ok := kindOf(m.Potential)
	if !ok || !k.Kept() {
		return fmt.Errorf("pmf: %s: a %T has no file form", path, m.Potential)
	}
	arrays, err := train.ExportParams(m.Store)
	if err != nil {
		return fmt.Errorf("pmf: %s: %w", path, err)
	}
	if k.form.write != nil {
		k.form.write(m.Potential, arrays)
	}
	if err := train.WriteArrays(path, arrays); err != nil {
		return fmt.Errorf("pmf: %w", err)
	}
	return nil
}

// Import reads what Export wrote, with the sizes that its arrays have, and what
// ImportMACE reads. Errors: no such file; arrays that are missing or do not fit, by name.
func Import(backend compute.Backend, path string) (*Model, error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, fmt.Errorf("pmf: %w", err)
	}
	form, err := formOf(arrays)
	if err != nil {
		return nil, fmt.Errorf("pmf: %s: %w", path, err)
	}
	return form.model(backend, path, arrays)
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
	return nil, fmt.Errorf("%w: no potential: none of the arrays %s", train.ErrParams, strings.Join(marks, ", "))
}

// model is that of the arrays of a file.
func (f *form) model(backend compute.Backend, path string, arrays map[string]*tensors.Tensor) (*Model, error) {
	p, err := f.read(arrays)
	if err != nil {
		return nil, fmt.Errorf("pmf: %s: %w", path, err)
	}
	m := &Model{Potential: p, Store: model.NewStore(), backend: backend}
	p.Init(m.Store, rand.New(rand.NewPCG(0, 0)))
	if err := train.ImportParams(m.Store, arrays); err != nil {
		return nil, fmt.Errorf("pmf: %s: %w", path, err)
	}
	return m, nil
}
