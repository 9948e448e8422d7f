package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// EnsembleReport is what a potential's seed, of its first parameters and of its
// batches, does to free energies: samples of one flow weighed by potentials that differ in nothing else.
type EnsembleReport struct {
	Name       string            // before the names of results
	Sets       []*analysis.Set   // samples weighed by each potential
	Mean       *analysis.Set     // weighed by the mean energy
	Weights    reweight.Summary  // of the mean energy
	ESS        []float64         // of each member
	Population reweight.Estimate // of the split state, mean of the members, and their standard deviation
	analysis.Disagreement
	Reference *analysis.Set
	seed      int
}

// Ensemble trains potentials of a kind of forces with different seeds, by the preset, and
// weighs the samples of a flow by each and by their mean. Potentials that are there are taken up.
func Ensemble(ctx context.Context, g *cgbg.Generator, flowOf, pmfOf string, members int,
	progress cgbg.Progress) (*EnsembleReport, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return nil, err
	}
	frames, err := g.Frames(cgbg.PMF, pmfOf)
	if err != nil {
		return nil, err
	}
	r, kT := data.Widened(f.R), units.KT(meta.Temperature)
	var energies [][]float64
	report := &EnsembleReport{Name: g.Name + "/" + flowOf + "/ensemble", Reference: g.Reference, seed: g.Seed}
	weigh := func(u []float64, title string) (*analysis.Set, []float64, error) {
		s := *f
		s.LogW = make([]float64, len(u))
		for i, old := range f.LogW { // of samples without weight, −∞
			s.LogW[i] = old + (f.U[i]-u[i])/kT
		}
		d, err := analysis.NewSet(g.Reference.Question, analysis.Options{Name: g.Name, Seed: g.Seed}, &s, meta)
		if err != nil {
			return nil, nil, err
		}
		d.Title, d.Block = title, 1
		return d, s.LogW, nil
	}
	var positive []float64
	for k := range members {
		out := g.Path(fmt.Sprintf("ensemble_%s_%d.npz", pmfOf, k+1))
		o := cgbg.TrainOptions{Preset: g.Settings.Preset, Seed: g.Settings.Seed + uint64(100+k),
			Potential: cgbg.Invariant, Progress: progress}
		if _, _, err := cgbg.Train(ctx, g.Backend, cgbg.PMF, frames, out, o); err != nil {
			return nil, fmt.Errorf("potential %d of %d: %w", k+1, members, err)
		}
		m, err := cgbg.ReadPMF(g.Backend, out, g.Name+": samples of the flow", meta)
		if err != nil {
			return nil, err
		}
		u, err := m.Energy(ctx, r)
		m.Finalize()
		if err != nil {
			return nil, err
		}
		d, logw, err := weigh(u, fmt.Sprintf("potential %d", k+1))
		if err != nil {
			return nil, err
		}
		ess, err := reweight.ESS(logw)
		if err != nil {
			return nil, err
		}
		energies, report.Sets, report.ESS = append(energies, u), append(report.Sets, d), append(report.ESS, ess)
		positive = append(positive, d.Split().Value)
	}
	mean, _ := pmf.MeanEnergy(energies...)
	var logw []float64
	if report.Mean, logw, err = weigh(mean, "mean of potentials"); err != nil {
		return nil, err
	}
	report.Weights = reweight.Summarize(logw)
	if report.Disagreement, err = analysis.Disagree(energies, logw, kT); err != nil {
		return nil, err
	}
	report.Population.Value, report.Population.Error = stat.MeanStdDev(positive, nil)
	return report, nil
}

// Results are the numbers under the names of results.json.
func (r *EnsembleReport) Results() []result.Result {
	n, w := r.Weights.N, r.Weights
	return result.Behind(r.Name, []result.Result{
		result.New("ess", w.ESS, w.ESSError, result.None, "", n),
		result.New("positive", r.Population.Value, r.Population.Error, result.None, "", len(r.Sets)),
		result.New("energy_spread", r.Spread, result.None, result.None, "kT", n),
		result.New("weight_where_unknown", r.Beyond, result.None, result.None, "", n),
	})
}

// Profiles draws free energies along the question's variables: the reference, and the mean of the potentials, with a
// band of their standard deviation and of the samples' standard error.
func (r *EnsembleReport) Profiles() (figure.Picture, error) {
	rng := analysis.Rng(r.seed, analysis.StreamEnsemble)
	mean := *r.Mean
	mean.Title = fmt.Sprintf("mean of %d potentials", len(r.Sets))
	return analysis.ProfileFigure(nil, 32, rng, analysis.Curve{Set: r.Reference, Role: figure.Exact},
		analysis.Curve{Set: &mean, Role: figure.After, Members: r.Sets})
}
