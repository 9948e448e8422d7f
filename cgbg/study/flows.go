package cgbg

import (
	"context"
	"math"
	"slices"
)

// FlowReport is how well a kind of flow does beside others.
type FlowReport struct {
	Kind        FlowKind
	Steps       int     // of its training
	NLL         float64 // −ln q of held-out frames, nats per frame
	NLLError    float64
	Evaluations float64        // of the velocity, per frame
	Divergences float64        // per frame
	Report      *AlanineReport // of samples of this flow, weighted by the same potential
}

// CompareFlows trains a flow of each kind, computes the exact likelihood of the
// same held-out frames, and weighs samples by the same potential.
func (a *Alanine) CompareFlows(ctx context.Context, progress Progress) ([]FlowReport, error) {
	var out []FlowReport
	kept, held := holdOut(a.Frames.Len())
	for _, kind := range FlowKinds {
		m, _, err := a.fitFlow(ctx, kind, progress)
		if err != nil {
			return nil, err
		}
		defer m.Finalize()
		l, err := m.NegLogLikelihood(ctx, positions(a.Frames, held), a.Settings.HeldOut, a.Settings.Seed, a.accuracy(m), progress)
		if err != nil {
			return nil, err
		}
		r, err := a.report(ctx, kind, progress)
		if err != nil {
			return nil, err
		}
		cfg := a.Settings.of(kind).FlowFit
		out = append(out, FlowReport{kind, cfg.Epochs * max(1, len(kept)/cfg.Batch), l.Mean, l.Error, l.Evaluations, l.Divergences, r})
	}
	return out, nil
}

// Results are the numbers of a kind of flow under the names of results.json.
func (r *FlowReport) Results() []Result {
	prefix := "cb/" + r.Kind.String() + "/"
	w, none := r.Report.Weights, math.NaN()
	out := []Result{
		{"nll", r.NLL, r.NLLError, none, "nat", 0},
		scoreResult("js", r.Report.After.JS, r.Report.Floor.JS, "nats", w.N),
		scoreResult("pmf_error", r.Report.After.PMFError, r.Report.Floor.PMFError, "", w.N),
	}
	out = append(out, weightResults(w)...)
	for i := range out {
		out[i].Name = prefix + out[i].Name
	}
	return out
}

// centred moves the geometric centre of every configuration to the origin.
func (a *Alanine) centred(r []float64) []float64 {
	for frame := range slices.Chunk(r, a.Frames.Width()) {
		var centre [3]float64
		for i, v := range frame {
			centre[i%3] += v / float64(a.Frames.Beads)
		}
		for i := range frame {
			frame[i] -= centre[i%3]
		}
	}
	return r
}
