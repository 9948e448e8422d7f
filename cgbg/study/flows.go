package study

import (
	"context"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/result"
)

// equivariant is the kind of flow that the notebooks sample with.
var equivariant = cgbg.FlowKind{Field: cgbg.Equivariant, Pairing: flow.Aligned}

// FlowKinds are those that [CompareFlows] compares.
var FlowKinds = []cgbg.FlowKind{{Field: cgbg.GraphTransformer, Pairing: flow.Independent},
	{Field: cgbg.GraphTransformer, Pairing: flow.Aligned}, equivariant}

// FlowReport is how well a kind of flow does beside others.
type FlowReport struct {
	Kind       cgbg.FlowKind
	Flow       *TrainedFlow
	Evaluation *analysis.Evaluation // of samples of this flow, weighted by the same potential
}

// CompareFlows trains a flow of each kind on the frames of a simulation, computes the exact likelihood of the same
// held-out frames, and weighs samples by the same potential.
func CompareFlows(ctx context.Context, g *cgbg.Generator, of string, progress cgbg.Progress) ([]FlowReport, error) {
	var out []FlowReport
	for _, kind := range FlowKinds {
		t, err := trainedFor(ctx, g, of, kind, 0, progress)
		if err != nil {
			return nil, err
		}
		f, meta, err := g.With(kind.Options()).Samples(ctx, of, of, progress)
		if err != nil {
			return nil, err
		}
		e, err := g.Ask(g.Name+"/"+kind.String(), f, meta)
		if err != nil {
			return nil, err
		}
		out = append(out, FlowReport{kind, t, e})
	}
	return out, nil
}

// Results are the numbers of a kind of flow under the names of results.json.
func (r *FlowReport) Results() []result.Result {
	l := r.Flow.NLL
	return append(r.Evaluation.Results(), result.New(r.Evaluation.Name+"/nll", l.Mean, l.Error, result.None, "nat",
		l.Frames))
}
