package cgbg

import (
	"context"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/flow"
)

// PairingReport compares flows that were trained alike but for the pairing of
// frames and noise.
type PairingReport struct {
	Pairing     flow.Pairing
	NLL         float64 // −ln q of held-out frames, nats per frame
	NLLError    float64
	Evaluations float64        // of the velocity, per frame
	Divergences float64        // per frame
	Report      *AlanineReport // of samples of this flow, weighted by the same potential
}

// ComparePairings trains a flow for each pairing, computes the exact
// likelihood of the same held-out frames, and weighs samples by the same potential.
func (a *Alanine) ComparePairings(ctx context.Context, progress Progress) ([]PairingReport, error) {
	var out []PairingReport
	_, held := holdOut(a.Frames.Len())
	for _, pairing := range []flow.Pairing{flow.Independent, flow.Aligned} {
		m, _, err := a.fitFlow(ctx, pairing, progress)
		if err != nil {
			return nil, err
		}
		l, err := m.NegLogLikelihood(ctx, positions(a.Frames, held), a.Settings.HeldOut, a.Settings.Seed, a.Settings.Accuracy, progress)
		if err != nil {
			return nil, err
		}
		r, err := a.report(ctx, pairing, progress)
		if err != nil {
			return nil, err
		}
		out = append(out, PairingReport{pairing, l.Mean, l.Error, l.Evaluations, l.Divergences, r})
	}
	return out, nil
}

// PairingName is the name of a pairing in tables and results.
func PairingName(p flow.Pairing) string {
	if p == "" {
		p = flow.Independent
	}
	return string(p)
}

// Results are the numbers of a pairing under the names of results.json.
func (r *PairingReport) Results() []Result {
	prefix := "cb/" + PairingName(r.Pairing) + "/"
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
