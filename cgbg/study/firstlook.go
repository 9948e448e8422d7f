package study

import (
	"context"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// First is what a generator that was trained from nothing on one biased simulation says of equilibrium.
type First struct {
	*analysis.Evaluation
	Ceiling                  float64 // ESS of the frames' own weights: that of perfect models
	LogQErr                  float64 // worst known error of ln q of the samples, nats
	Evaluations, Divergences float64 // a sample, of the velocity and of its divergence

	draw []analysis.Curve
}

// FirstLook trains the models of biased frames, draws samples and scores them against the reweighted frames.
// Errors: those of [cgbg.Generator.Samples] and of scoring.
func FirstLook(ctx context.Context, g *cgbg.Generator, progress cgbg.Progress) (*First, error) {
	f, meta, err := g.Samples(ctx, cgbg.Biased, cgbg.Biased, progress)
	if err != nil {
		return nil, err
	}
	r := &First{Ceiling: 1}
	if r.Evaluation, err = g.Ask(g.Name, f, meta); err != nil {
		return nil, err
	}
	frames, _, err := g.FlowFrames[cgbg.Biased]()
	if err != nil {
		return nil, err
	}
	if frames.LogW != nil {
		if r.Ceiling, err = reweight.ESS(frames.LogW); err != nil {
			return nil, err
		}
	}
	for key, dst := range map[string]*float64{"logq_error_max": &r.LogQErr, "evaluations": &r.Evaluations,
		"divergences": &r.Divergences} {
		if *dst, err = strconv.ParseFloat(meta.Extra[key], 64); err != nil {
			return nil, err
		}
	}
	biased := *g.Reference
	biased.Weight, biased.Title = nil, "MD, biased"
	r.draw = []analysis.Curve{{Set: &biased, Role: figure.Biased}, {Set: g.Reference, Role: figure.Simulation},
		{Set: r.Proposal, Role: figure.Before}, {Set: r.Samples, Role: figure.After}}
	return r, nil
}

// Biased draws the free energies along the variables: the simulation as it ran and with its bias undone, the flow as it
// is and reweighted.
func (r *First) Biased() (figure.Picture, error) {
	return analysis.ProfileFigure(analysis.Quality(r.Weights), 30, analysis.Rng(r.Seed, analysis.StreamProfiles),
		r.draw...)
}

// Results are the evaluation's, and what is known of the samples.
func (r *First) Results() []result.Result {
	n := r.Weights.N
	return append(r.Evaluation.Results(), result.Behind(r.Name, []result.Result{
		result.New("ess_ceiling", r.Ceiling, result.None, result.None, "", n),
		result.New("logq_error_max", r.LogQErr, result.None, result.None, "nats", n),
		result.New("velocities", r.Evaluations, result.None, result.None, "", n),
		result.New("divergences", r.Divergences, result.None, result.None, "", n),
	})...)
}

// Distributions draws the energies under potentials, and the lengths of the peptide bonds, of several flows.
func Distributions(ctx context.Context, g *cgbg.Generator, rows ...Row) (list []result.Figure, err error) {
	const drawn = " in simulation, flow, and reweighted flow"
	for _, r := range rows {
		energies, err := drawEnergies(ctx, g, r.Flow, r.PMF)
		if err != nil {
			return nil, err
		}
		bonds, err := drawBonds(ctx, g, r.Flow, r.PMF)
		if err != nil {
			return nil, err
		}
		title := g.Name + ", flow of " + r.Flow + " frames"
		name := strings.ReplaceAll(g.Name, "/", "_") + "_" + r.Flow
		list = append(list, energies.Named(name+"_energies", title+": energies under the potential"+drawn),
			bonds.Named(name+"_bonds", title+": lengths of the peptide bonds"+drawn))
	}
	return list, nil
}
