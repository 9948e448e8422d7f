package study

import (
	"context"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
)

// PotentialsReport compares the potentials of unbiased and of biased forces
// without a simulation: by the samples of one flow, weighted by one and by the other.
type PotentialsReport struct {
	Name       string // before the names of results
	U, B       *analysis.Evaluation
	Difference observable.Scores // of U less B, with the errors of a paired bootstrap
}

// ComparePotentials weighs the samples of a flow by both potentials (paper, Fig. 5).
func ComparePotentials(ctx context.Context, g *cgbg.Generator, flowOf string,
	progress cgbg.Progress) (*PotentialsReport, error) {
	r := &PotentialsReport{Name: g.Name + "/" + flowOf}
	var err error
	if r.U, err = g.Evaluate(ctx, flowOf, cgbg.Unbiased, progress); err == nil {
		r.B, err = g.Evaluate(ctx, flowOf, cgbg.Biased, progress)
	}
	if err != nil {
		return nil, err
	}
	r.U.Samples.Title, r.B.Samples.Title = "reweighted by PMF_U", "reweighted by PMF_B"
	rng := analysis.Rng(g.Seed, analysis.StreamDifference)
	r.Difference, err = observable.ScoreDifference(g.Reference.Main(r.U.Samples), g.Reference.Main(r.B.Samples),
		g.Reference.Main(g.Reference),
		observable.Resampling{Resamples: analysis.Bootstraps, Rng: rng})
	return r, err
}

// Profiles draws free energies along φ and ψ: reference, flow, and the flow weighted by either potential
// (paper, Fig. 5b).
func (r *PotentialsReport) Profiles() (figure.Picture, error) {
	return analysis.Profiles(r.U.Seed, r.U.Reference, r.B.Samples, r.B.Proposal, r.U.Samples)
}

// Densities draws the probability densities of the same (paper, Fig. 5a).
func (r *PotentialsReport) Densities() (figure.Picture, error) {
	return analysis.Densities(r.U.Seed, r.U.Reference, r.B.Samples, r.B.Proposal, r.U.Samples)
}

// Maps draws free energies over (φ, ψ): reference, and the flow weighted by either potential (paper, Fig. 9).
func (r *PotentialsReport) Maps() (figure.Picture, error) {
	return analysis.Maps(r.U.Reference, r.B.Samples, r.U.Samples)
}

// Results are the numbers of the comparison under the names of results.json.
func (r *PotentialsReport) Results() []result.Result {
	name := r.Name
	return []result.Result{
		result.New(name+"/js_u_minus_b", r.Difference.JS.Value, r.Difference.JS.Error, result.None, "nat",
			r.B.Weights.N),
		result.New(name+"/pmf_error_u_minus_b", r.Difference.PMFError.Value, r.Difference.PMFError.Error, result.None,
			"(kT)²", r.B.Weights.N),
	}
}
