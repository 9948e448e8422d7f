package train

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// netScope holds the trainable parameters.
const netScope = "/net/"

// AddParam creates the trainable parameter "/net/<name>" with float32 values.
// It panics when the name is taken by another shape.
func AddParam(store *model.Store, name string, values []float32, dims ...int) {
	store.VariableWithValue(netScope+name, tensors.FromFlatDataAndDimensions(values, dims...))
}

// AddDense creates the weights [in, out] and biases [out] of an affine layer as
// "<name>/w" and "<name>/b": normal with variance 1/in (LeCun), and zero. The
// host draws them, so that every backend starts from the same values.
func AddDense(store *model.Store, rng *rand.Rand, name string, in, out int) {
	AddScaledDense(store, rng, name, in, out, 1)
}

// AddScaledDense is AddDense with weights that are scale times as large.
func AddScaledDense(store *model.Store, rng *rand.Rand, name string, in, out int, scale float64) {
	w := make([]float32, in*out)
	for i := range w {
		w[i] = float32(scale * rng.NormFloat64() / math.Sqrt(float64(in)))
	}
	AddParam(store, name+"/w", w, in, out)
	AddParam(store, name+"/b", make([]float32, out), out)
}

// Param returns the parameter "/net/<name>" as a node of the graph of at; it
// panics when there is none.
func Param(store *model.Store, at graph.GraphProvider, name string) *graph.Node {
	v := store.GetVariable(netScope + name)
	if v == nil {
		panic(fmt.Errorf("train: no parameter %q", name))
	}
	return v.NodeValue(at)
}

// NumParams counts the trainable numbers of a store.
func NumParams(store *model.Store) int {
	n := 0
	for v := range store.IterVariables() {
		if strings.HasPrefix(v.Path(), netScope) {
			n += v.Shape().Size()
		}
	}
	return n
}

// Float64 returns a copy of the trainable parameters in float64, for
// evaluations whose rounding must not show.
func Float64(store *model.Store) (*model.Store, error) {
	out := model.NewStore()
	for v := range store.IterVariables() {
		if !strings.HasPrefix(v.Path(), netScope) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("train: parameter %s: %w", v.Path(), err)
		}
		flat, err := toFloat64(value)
		if err != nil {
			return nil, fmt.Errorf("train: parameter %s: %w", v.Path(), err)
		}
		out.VariableWithValue(v.Path(), tensors.FromFlatDataAndDimensions(flat, v.Shape().Dimensions...))
	}
	return out, nil
}

// Copy returns a copy of the trainable parameters.
func Copy(store *model.Store) (*model.Store, error) {
	params, err := getParams(store)
	if err != nil {
		return nil, err
	}
	out := model.NewStore()
	for v := range store.IterVariables() { // in this order, which gradients are summed in
		if values, ok := params[v.Path()]; ok {
			out.VariableWithValue(v.Path(), tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...))
		}
	}
	return out, nil
}

// toFloat64 copies a float32 or float64 tensor to the host.
func toFloat64(t *tensors.Tensor) ([]float64, error) {
	if t.DType() == dtypes.Float64 {
		return tensors.CopyFlatData[float64](t)
	}
	flat, err := tensors.CopyFlatData[float32](t)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(flat))
	for i, v := range flat {
		out[i] = float64(v)
	}
	return out, nil
}

func getParams(store *model.Store) (map[string][]float32, error) {
	params := map[string][]float32{}
	for v := range store.IterVariables() {
		if !strings.HasPrefix(v.Path(), netScope) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("train: parameter %s: %w", v.Path(), err)
		}
		if params[v.Path()], err = tensors.CopyFlatData[float32](value); err != nil {
			return nil, fmt.Errorf("train: parameter %s: %w", v.Path(), err)
		}
	}
	return params, nil
}

// Sum is the SHA-256 of the trainable parameters with their names and shapes, in hexadecimal digits.
func Sum(store *model.Store) (string, error) {
	params, err := getParams(store)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(h, "%s %v\n", path, store.GetVariable(path).Shape())
		for _, v := range params[path] {
			var bits [4]byte
			binary.LittleEndian.PutUint32(bits[:], math.Float32bits(v))
			h.Write(bits[:])
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func setParams(store *model.Store, params map[string][]float32) error {
	for path, values := range params {
		v := store.GetVariable(path)
		if v == nil || v.Shape().Size() != len(values) {
			return fmt.Errorf("train: parameter %s of the checkpoint is not one of this model", path)
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
			return fmt.Errorf("train: parameter %s: %w", path, err)
		}
	}
	return nil
}
