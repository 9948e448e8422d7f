package pmf

import (
	"context"
	"errors"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/keep"
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
	e, err := m.evaluator(&m.energyForces, m.forces)
	if err != nil {
		return nil, nil, err
	}
	out, err := m.evaluate(ctx, e.exec, r, 1, m.Potential.Dim())
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// forces builds U and −∇U with the parameters of a store.
func (m *Model) forces(store *model.Store) (*model.Exec, error) {
	p, short := m.Potential.(fixedForce)
	if short = short && m.FastForces; short {
		if err := p.Fix(store); err != nil {
			return nil, err
		}
	}
	return model.NewExec(m.backend, store, func(_ *model.Scope, inputs []*graph.Node) (*graph.Node, *graph.Node) {
		if short {
			u, gradient := p.FixedEnergyGradient(store, inputs[0], optional(inputs))
			return u, graph.Neg(gradient)
		}
		u, gradient := energyGradient(m.Potential, store, inputs)
		return u, graph.Neg(gradient)
	})
}

// Energy evaluates U. r: frames, [n*dim]; result: [n].
func (m *Model) Energy(ctx context.Context, r []float64) ([]float64, error) {
	e, err := m.evaluator(&m.energies, m.energy)
	if err != nil {
		return nil, err
	}
	out, err := m.evaluate(ctx, e.exec, r, 1)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// energy builds U with the parameters of a store.
func (m *Model) energy(store *model.Store) (*model.Exec, error) {
	energy := func(store *model.Store, r, _ *graph.Node) *graph.Node { return m.Potential.Energy(store, r) }
	if p, ok := m.Potential.(fixed); ok {
		if err := p.Fix(store); err != nil {
			return nil, err
		}
		energy = p.FixedEnergy
	} else if p, ok := m.Potential.(listed); ok {
		energy = p.ListEnergy
	}
	return model.NewExec(m.backend, store, func(_ *model.Scope, inputs []*graph.Node) *graph.Node {
		return energy(store, inputs[0], optional(inputs))
	})
}

// evaluator is a compiled evaluation with its own copy of the parameters.
type evaluator struct {
	store *model.Store
	exec  *model.Exec
}

// evaluator is that of a slot of the model, which is filled on first use.
func (m *Model) evaluator(slot **evaluator, build func(*model.Store) (*model.Exec, error)) (*evaluator, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if *slot != nil {
		return *slot, nil
	}
	if m.Store == nil {
		return nil, errFinalized
	}
	store, err := m.parameters()
	if err != nil {
		return nil, fmt.Errorf("pmf: %w", err)
	}
	exec, err := build(store)
	if err != nil {
		store.Finalize()
		return nil, fmt.Errorf("pmf: %w", err)
	}
	exec.SetMaxCache(-1) // few: see slotSize
	*slot = &evaluator{store, exec}
	return *slot, nil
}

var errFinalized = errors.New("pmf: the model was finalized: open it again")

// Finalize frees what the model holds on its backend: compiled programs and parameters. No evaluation may be running;
// later ones are errors. A model that is dropped without it is freed by the garbage collector, which does not see a
// device's memory.
func (m *Model) Finalize() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range []*evaluator{m.energies, m.energyForces} {
		if e != nil {
			e.exec.Finalize()
			e.store.Finalize()
		}
	}
	m.energies, m.energyForces = nil, nil
	if m.Store != nil {
		m.Store.Finalize()
		m.Store = nil
	}
}

// Sum is the SHA-256 of the potential's form and parameters, in hexadecimal digits: the same for the same potential.
func (m *Model) Sum() (string, error) {
	if m.Store == nil {
		return "", errFinalized
	}
	sum, err := train.Sum(m.Store)
	if err != nil {
		return "", fmt.Errorf("pmf: %w", err)
	}
	return keep.Fingerprint(m.Potential, m.Single, sum), nil
}

// Graph builds U in graphs of others, with the parameters as constants, in float32: r: [batch, dim]; result: [batch].
// Error: a model that was finalized.
func (m *Model) Graph() (func(r *graph.Node) *graph.Node, error) {
	if m.Store == nil {
		return nil, errFinalized
	}
	store, err := train.Copy(m.Store)
	if err != nil {
		return nil, fmt.Errorf("pmf: %w", err)
	}
	store.WithVariableAsConst(true)
	return func(r *graph.Node) *graph.Node { return m.Potential.Energy(store, r) }, nil
}

// parameters is a copy of the parameters in the precision of evaluation.
func (m *Model) parameters() (*model.Store, error) {
	if m.Single {
		return train.Copy(m.Store)
	}
	return train.Float64(m.Store)
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
				return nil, fmt.Errorf("pmf: frames %d to %d: output %d has %d numbers, not %d", start, end-1, k,
					len(values), size*w)
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
