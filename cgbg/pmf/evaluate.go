package pmf

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// chunk is the number of frames evaluated at once, for potentials that do not say.
const chunk = 2048

// A potential may have its own number of frames to evaluate at once, so that
// what is between stays in the cache.
type chunked interface{ Chunk() int }

// A potential may have a shorter way to energies at fixed parameters: Fix adds
// to a copy of the parameters what FixedEnergy needs. list: nil for a potential
// that takes none.
type fixed interface {
	Fix(store *model.Store) error
	FixedEnergy(store *model.Store, r, list *graph.Node) *graph.Node
}

// fixedForce is the like for energies with gradients, see Model.FastForces.
type fixedForce interface {
	Fix(store *model.Store) error
	FixedEnergyGradient(store *model.Store, r, list *graph.Node) (energy, gradient *graph.Node)
}

// optional is the second input, a neighbour list, or nil.
func optional(inputs []*graph.Node) *graph.Node {
	if len(inputs) < 2 {
		return nil
	}
	return inputs[1]
}

// EnergyForce evaluates U, [n], and −∇U, [n*dim].
//
// r: frames, [n*dim].
func (m *Model) EnergyForce(ctx context.Context, r []float64) (energy, force []float64, err error) {
	if m.energyForces == nil {
		store, err := m.parameters()
		if err != nil {
			return nil, nil, fmt.Errorf("pmf: %w", err)
		}
		p, short := m.Potential.(fixedForce)
		if short = short && m.FastForces; short {
			if err := p.Fix(store); err != nil {
				return nil, nil, err
			}
		}
		m.energyForces, err = model.NewExec(m.backend, store, func(_ *model.Scope, inputs []*graph.Node) (*graph.Node, *graph.Node) {
			if short {
				u, gradient := p.FixedEnergyGradient(store, inputs[0], optional(inputs))
				return u, graph.Neg(gradient)
			}
			u, gradient := energyGradient(m.Potential, store, inputs)
			return u, graph.Neg(gradient)
		})
		if err != nil {
			return nil, nil, fmt.Errorf("pmf: %w", err)
		}
		m.energyForces.SetMaxCache(-1) // few: see slotSize
	}
	out, err := m.evaluate(ctx, m.energyForces, r, 1, m.Potential.Dim())
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Energy evaluates U. r: frames, [n*dim]; result: [n].
func (m *Model) Energy(ctx context.Context, r []float64) ([]float64, error) {
	if m.energies == nil {
		store, err := m.parameters()
		if err != nil {
			return nil, fmt.Errorf("pmf: %w", err)
		}
		energy := func(store *model.Store, r, _ *graph.Node) *graph.Node { return m.Potential.Energy(store, r) }
		if p, ok := m.Potential.(fixed); ok {
			if err := p.Fix(store); err != nil {
				return nil, err
			}
			energy = p.FixedEnergy
		} else if p, ok := m.Potential.(listed); ok {
			energy = p.ListEnergy
		}
		m.energies, err = model.NewExec(m.backend, store, func(_ *model.Scope, inputs []*graph.Node) *graph.Node {
			return energy(store, inputs[0], optional(inputs))
		})
		if err != nil {
			return nil, fmt.Errorf("pmf: %w", err)
		}
		m.energies.SetMaxCache(-1) // few: see slotSize
	}
	out, err := m.evaluate(ctx, m.energies, r, 1)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// parameters is a copy of the parameters in the precision of evaluation.
func (m *Model) parameters() (*model.Store, error) {
	double, err := train.Float64(m.Store)
	if err != nil || !m.Single {
		return double, err
	}
	single := model.NewStore()
	for v := range double.IterVariables() {
		value, err := m.Store.GetVariable(v.Path()).Value()
		if err != nil {
			return nil, err
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, err
		}
		single.VariableWithValue(v.Path(), tensors.FromFlatDataAndDimensions(flat, v.Shape().Dimensions...))
	}
	return single, nil
}

// evaluate runs a graph on frames, a chunk at a time. Output k has widths[k] numbers a frame.
func (m *Model) evaluate(ctx context.Context, exec *model.Exec, r []float64, widths ...int) ([][]float64, error) {
	dim := m.Potential.Dim()
	if len(r)%dim != 0 {
		return nil, fmt.Errorf("pmf: %d numbers are no frames of %d components", len(r), dim)
	}
	n, size := len(r)/dim, chunk
	if p, ok := m.Potential.(chunked); ok {
		size = p.Chunk()
	}
	for size > 1 && size/2 >= n { // few shapes are compiled
		size /= 2
	}
	out := make([][]float64, len(widths))
	for k, w := range widths {
		out[k] = make([]float64, n*w)
	}
	in := make([]float64, size*dim)
	for start := 0; start < n; start += size {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("pmf: interrupted at frame %d of %d: %w", start, n, err)
		}
		end := min(start+size, n)
		copy(in, r[start*dim:end*dim])
		for i := end - start; i < size; i++ { // pad the rest
			copy(in[i*dim:], r[:dim])
		}
		var frames *tensors.Tensor
		if m.Single {
			frames = tensors.FromFlatDataAndDimensions(narrow(in), size, dim)
		} else {
			frames = tensors.FromFlatDataAndDimensions(in, size, dim)
		}
		args := []any{frames}
		if list := listTensor(m.Potential, in); list != nil {
			args = append(args, list)
		}
		result, err := exec.Exec(args...)
		if err != nil {
			return nil, fmt.Errorf("pmf: frames %d to %d: %w", start, end-1, err)
		}
		for k, w := range widths {
			values := numbers(result[k])
			if len(values) != size*w {
				return nil, fmt.Errorf("pmf: frames %d to %d: output %d has %d numbers, not %d", start, end-1, k, len(values), size*w)
			}
			copy(out[k][start*w:end*w], values)
			result[k].FinalizeAll()
		}
		for _, a := range args {
			a.(*tensors.Tensor).FinalizeAll()
		}
	}
	return out, nil
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
