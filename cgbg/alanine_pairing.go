package cgbg

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
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
	if p == flow.Independent {
		return "independent"
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

// LimitReport says what limits the weights: standard deviations of the errors
// of ln q of two flows and of −U/kT, on frames that no flow was trained on.
type LimitReport struct {
	Independent, Aligned, Potential reweight.Estimate // kT; NaN where their estimated square is below zero
	Frames                          int
}

// Limits compares three estimates of the density that the frames were drawn
// from, up to a constant: ln q of the flow of either pairing, and −U/kT − ln w,
// with w the weights that undo the bias. No truth is needed: where the three errors are
// independent, the variances of their differences determine the variance of each
// (the "three-cornered hat" of J. E. Gray and D. W. Allan, doi:10.1109/FREQ.1974.200027).
// Errors that both flows share, since they learned from the same frames, are counted with the potential's.
func (a *Alanine) Limits(ctx context.Context, progress Progress) (*LimitReport, error) {
	_, held := holdOut(a.Frames.Len())
	n := min(a.Settings.HeldOut, len(held))
	frames := make([]int, n)
	for k := range frames {
		frames[k] = held[k*len(held)/n]
	}
	r := a.centred(widened(positions(a.Frames, frames)))
	var estimate [3][]float64
	for k, pairing := range []flow.Pairing{flow.Independent, flow.Aligned} {
		m, _, err := a.fitFlow(ctx, pairing, nil)
		if err != nil {
			return nil, err
		}
		if estimate[k], _, err = m.LogQ(ctx, r, a.Settings.Accuracy, progress); err != nil {
			return nil, err
		}
	}
	u, _, err := a.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	energy, err := u.Energy(ctx, r)
	if err != nil {
		return nil, err
	}
	for i, v := range energy {
		bias := 0.0
		if a.Frames.LogW != nil {
			bias = a.Frames.LogW[frames[i]]
		}
		estimate[2] = append(estimate[2], -v/a.KT-bias)
	}
	stat := func(idx []int, out []float64) {
		square := hat(estimate, idx)
		for k, v := range square {
			out[k] = math.Sqrt(v)
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	var value [3]float64
	stat(all, value[:])
	sd, err := observable.Bootstrap(n, 3, observable.Resampling{Resamples: bootstraps, Block: max(1, n/heldOutBlocks), Rng: a.rng(4)}, stat)
	if err != nil {
		return nil, fmt.Errorf("cgbg: %w", err)
	}
	at := func(k int) reweight.Estimate { return reweight.Estimate{Value: value[k], Error: sd[k]} }
	return &LimitReport{Independent: at(0), Aligned: at(1), Potential: at(2), Frames: n}, nil
}

// hat is the variance of the error of each of three estimates of the same
// numbers, from those of their differences, over some of the numbers.
func hat(estimate [3][]float64, idx []int) (variance [3]float64) {
	of := func(a, b int) float64 {
		var sum, square float64
		for _, i := range idx {
			d := estimate[a][i] - estimate[b][i]
			sum += d
			square += d * d
		}
		n := float64(len(idx))
		return (square - sum*sum/n) / (n - 1)
	}
	for k := range variance {
		i, j := (k+1)%3, (k+2)%3
		variance[k] = (of(k, i) + of(k, j) - of(i, j)) / 2
	}
	return variance
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

// Results are the numbers under the names of results.json.
func (l *LimitReport) Results() []Result {
	none := math.NaN()
	return []Result{
		{"cb/error_flow_independent", l.Independent.Value, l.Independent.Error, none, "kT", l.Frames},
		{"cb/error_flow_aligned", l.Aligned.Value, l.Aligned.Error, none, "kT", l.Frames},
		{"cb/error_potential", l.Potential.Value, l.Potential.Error, none, "kT", l.Frames},
	}
}
