package train

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// The exponential moving average of the parameters lives beside them, so that
// checkpoints hold it.
const (
	emaScope = "/ema/"
	emaSteps = "/emaSteps"
)

// startAverage makes the averages that are not there yet, equal to the parameters.
func startAverage(store *model.Store) error {
	params, err := getParams(store)
	if err != nil {
		return err
	}
	add := func(path string, value *tensors.Tensor) error {
		if store.GetVariable(path) != nil {
			return nil
		}
		v, err := store.CreateVariable(path, value)
		if err != nil {
			return fmt.Errorf("train: average %s: %w", path, err)
		}
		v.SetTrainable(false)
		return nil
	}
	for path, values := range params {
		dims := store.GetVariable(path).Shape().Dimensions
		if err := add(emaScope+strings.TrimPrefix(path, netScope),
			tensors.FromFlatDataAndDimensions(values, dims...)); err != nil {
			return err
		}
	}
	return add(emaSteps, tensors.FromScalar(float32(0)))
}

// average moves the averages towards the parameters of this step. The decay of
// step n is at most (1 + n)/(10 + n), so that the first parameters are soon forgotten.
func average(store *model.Store, at graph.GraphProvider, decay float64) {
	counter := store.GetVariable(emaSteps)
	n := counter.NodeValue(at)
	keep := graph.MinScalar(graph.Div(graph.OnePlus(n), graph.AddScalar(n, 10)), decay)
	counter.SetNodeValue(graph.OnePlus(n))
	for v := range store.IterVariables() {
		name, ok := strings.CutPrefix(v.Path(), netScope)
		if !ok {
			continue
		}
		mean := store.GetVariable(emaScope + name)
		now := v.NodeValue(at)
		mean.SetNodeValue(graph.Add(now, graph.Mul(keep, graph.Sub(mean.NodeValue(at), now))))
	}
}

// withAverages puts the averages in the place of the parameters in the graph of at; restore ends that.
func withAverages(store *model.Store, at graph.GraphProvider) (restore func()) {
	now := map[*model.Variable]*graph.Node{}
	for v := range store.IterVariables() {
		if name, ok := strings.CutPrefix(v.Path(), netScope); ok {
			now[v] = v.NodeValue(at)
			v.SetNodeValue(store.GetVariable(emaScope + name).NodeValue(at))
		}
	}
	return func() {
		for v, node := range now {
			v.SetNodeValue(node)
		}
	}
}

// averages are those of the parameters, by the parameters' paths.
func averages(store *model.Store) (map[string][]float32, error) {
	params, err := getParams(store)
	if err != nil {
		return nil, err
	}
	for path := range params {
		mean, err := store.GetVariable(emaScope + strings.TrimPrefix(path, netScope)).Value()
		if err != nil {
			return nil, fmt.Errorf("train: average of %s: %w", path, err)
		}
		if params[path], err = tensors.CopyFlatData[float32](mean); err != nil {
			return nil, fmt.Errorf("train: average of %s: %w", path, err)
		}
	}
	return params, nil
}

// takeAverage gives the parameters the values of their averages.
func takeAverage(store *model.Store) error {
	params, err := averages(store)
	if err != nil {
		return err
	}
	return setParams(store, params)
}
