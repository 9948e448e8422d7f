package flow

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// likelihoodOf is maximum likelihood on frames: the mean of −ln q of the couplings' coordinates, nats, which differs
// from that of the beads' positions by what the frames alone decide.
func likelihoodOf(f Spline, frames []float32, cfg Config) (*objective, error) {
	x, err := f.coordinates(frames)
	if err != nil {
		return nil, err
	}
	kept, held := HoldOut(len(frames)/f.Dim(), cfg.Validation)
	o := &objective{frames: len(kept), inputs: []*tensors.Tensor{rowsOf(x, len(f.Circle), kept)}}
	o.loss = func(store *model.Store, inputs []*graph.Node) *graph.Node {
		index := store.RandomIntN(inputs[0].Graph(), int32(len(kept)), shapes.Make(dtypes.Int32, cfg.Batch, 1))
		return f.negLogLikelihood(params(store, inputs[0]), graph.StopGradient(graph.Gather(inputs[0], index)))
	}
	if len(held) > 0 {
		held = thinned(held, validated)
		o.validationInputs = []*tensors.Tensor{rowsOf(x, len(f.Circle), held)}
		o.validation = func(store *model.Store, inputs []*graph.Node) *graph.Node {
			return f.negLogLikelihood(params(store, inputs[0]), inputs[0])
		}
	}
	return o, nil
}

// validated is how many frames held out are looked at, at most.
const validated = 4096

// thinned takes n of a list, evenly spaced, or all.
func thinned(list []int, n int) []int {
	if len(list) <= n {
		return list
	}
	out := make([]int, n)
	for k := range out {
		out[k] = list[k*len(list)/n]
	}
	return out
}

// negLogLikelihood builds the mean of −ln q. x: coordinates of the splines, [batch, coordinates].
func (f Spline) negLogLikelihood(w weights, x *graph.Node) *graph.Node {
	return graph.Neg(graph.ReduceAllMean(f.logQ(w, graph.Transpose(x, 0, 1))))
}

// logQ builds ln q of the coordinates of the splines, [batch]. x: [coordinates, batch].
func (f Spline) logQ(w weights, x *graph.Node) *graph.Node {
	base, slopes := f.couplings.toBase(w, x)
	return graph.Add(total(f.logBase(base), false), total(slopes, false))
}

// coordinates are those of the splines for frames, [n, coordinates]. Error: a frame that has none, by number.
func (f Spline) coordinates(frames []float32) ([]float32, error) {
	dim, k := f.Dim(), len(f.Circle)
	n := len(frames) / dim
	out := make([]float32, n*k)
	r, q, x := make([]float64, dim), make([]float64, k), make([]float64, k)
	for i := range n {
		widen(frames[i*dim:(i+1)*dim], r)
		f.Matrix.Internal(r, q)
		f.standard(q, x)
		for c, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("flow: frame %d: the coordinate of beads %s has no value: beads in one place or on a line; "+
					"remove the frame", i, f.Matrix.Name(c, numbered(f.Matrix.Beads)))
			}
			out[i*k+c] = float32(v)
		}
	}
	return out, nil
}

func rowsOf(x []float32, k int, index []int) *tensors.Tensor {
	out := make([]float32, 0, len(index)*k)
	for _, i := range index {
		out = append(out, x[i*k:(i+1)*k]...)
	}
	return tensors.FromFlatDataAndDimensions(out, len(index), k)
}

// holdOutBlocks of time have frames held out at their ends, so that copies of a state hardly stand on both sides.
const holdOutBlocks = 10

// HoldOut splits n frames into those to train on and those held out: one in so many, at the ends of ten blocks of time;
// of 0 none.
func HoldOut(n, part int) (kept, held []int) {
	for b := range holdOutBlocks {
		lo, hi := b*n/holdOutBlocks, (b+1)*n/holdOutBlocks
		cut := hi
		if part > 0 {
			cut -= (hi - lo) / part
		}
		for i := lo; i < hi; i++ {
			if i < cut {
				kept = append(kept, i)
			} else {
				held = append(held, i)
			}
		}
	}
	return kept, held
}
