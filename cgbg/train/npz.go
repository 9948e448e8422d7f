package train

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// paramPrefix precedes the parameters' names in NPZ files: "param/edge/w".
const paramPrefix = "param/"

// ErrParams reports arrays that are not the parameters of a model.
var ErrParams = errors.New("not the parameters of this model")

// ReadArrays reads all arrays of an NPZ file of numpy by their names. Numbers
// are float32, float64, int32, int64 or uint64.
// Errors: no file, no NPZ file, another kind of number; with the array's name.
func ReadArrays(path string) (map[string]*tensors.Tensor, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	defer z.Close()
	out := map[string]*tensors.Tensor{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		data, err := readEntry(&z.Reader, f.Name)
		if err == nil {
			out[name], err = readTensor(data)
		}
		if err != nil {
			return nil, fmt.Errorf("train: %s: array %q: %w", path, name, err)
		}
	}
	return out, nil
}

// WriteArrays writes arrays as an NPZ file, atomically.
func WriteArrays(path string, arrays map[string]*tensors.Tensor) error {
	var names []string
	for name := range arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range names {
		if err := writeTensor(z, name, arrays[name]); err != nil {
			return fmt.Errorf("train: %s: array %q: %w", path, name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	if err := keep.WriteFile(path, buf.Bytes()); err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	return nil
}

// ImportParams gives the store's parameters the values of the arrays
// "param/<name>". All of them must be there, none may be left over.
// Errors: ErrParams, wrapped, with the first name that does not fit.
func ImportParams(store *model.Store, arrays map[string]*tensors.Tensor) error {
	left := map[string]bool{}
	for name := range arrays {
		if strings.HasPrefix(name, paramPrefix) {
			left[name] = true
		}
	}
	values := map[string][]float32{}
	for v := range store.IterVariables() {
		name, ok := strings.CutPrefix(v.Path(), netScope)
		if !ok {
			continue
		}
		array := arrays[paramPrefix+name]
		switch {
		case array == nil:
			return fmt.Errorf("train: %w: no array %q", ErrParams, paramPrefix+name)
		case !slices.Equal(array.Shape().Dimensions, v.Shape().Dimensions):
			return fmt.Errorf("train: %w: array %q has the shape %v, the model %v", ErrParams, paramPrefix+name,
				array.Shape().Dimensions, v.Shape().Dimensions)
		case array.DType() != dtypes.Float32 && array.DType() != dtypes.Float64:
			return fmt.Errorf("train: %w: array %q holds numbers of type %s", ErrParams, paramPrefix+name,
				array.DType())
		}
		flat, err := toFloat64(array)
		if err != nil {
			return fmt.Errorf("train: array %q: %w", paramPrefix+name, err)
		}
		small := make([]float32, len(flat))
		for i, x := range flat {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("train: %w: array %q holds %g", ErrParams, paramPrefix+name, x)
			}
			small[i] = float32(x)
		}
		values[v.Path()] = small
		delete(left, paramPrefix+name)
	}
	for name := range left {
		return fmt.Errorf("train: %w: array %q is none of its parameters", ErrParams, name)
	}
	return setParams(store, values)
}

// Start gives the store's parameters the values in an NPZ file of a trained
// model. Errors: those of the file, and of ImportParams.
func Start(store *model.Store, path string) error {
	arrays, err := ReadArrays(path)
	if err != nil {
		return err
	}
	if err := ImportParams(store, arrays); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// ExportParams are the store's parameters as arrays "param/<name>", float32.
func ExportParams(store *model.Store) (map[string]*tensors.Tensor, error) {
	params, err := getParams(store)
	if err != nil {
		return nil, err
	}
	out := map[string]*tensors.Tensor{}
	for path, values := range params {
		dims := store.GetVariable(path).Shape().Dimensions
		out[paramPrefix+strings.TrimPrefix(path, netScope)] = tensors.FromFlatDataAndDimensions(values, dims...)
	}
	return out, nil
}
