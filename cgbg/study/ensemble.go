package cgbg

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"gonum.org/v1/gonum/stat"
)

// EnsembleReport is what a potential's seed, of its first parameters and of its
// batches, does to free energies: samples of one flow weighed by potentials that differ in nothing else.
type EnsembleReport struct {
	Members   []*Dataset        // samples weighed by each potential
	Mean      *Dataset          // weighed by the mean energy
	Weights   reweight.Summary  // of the mean energy
	ESS       []float64         // of each member
	Positive  reweight.Estimate // P(φ > 0), mean of the members, and their standard deviation
	Spread    float64           // of energies, rms over the weighted samples, kT
	Beyond    float64           // weight of samples where potentials differ by more than 2 kT: extrapolation
	Reference *Dataset
	seed      int
}

// farApart is the spread of energies, kT, from which a sample counts as one that the potentials know nothing of.
const farApart = 2

// Ensemble trains potentials of a kind of forces with different seeds, by the preset, and
// weighs the samples of a flow by each and by their mean. Potentials that are there are taken up.
func (g *Generator) Ensemble(ctx context.Context, flowOf, pmfOf string, members int, progress Progress) (*EnsembleReport, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return nil, err
	}
	frames, err := g.frames("pmf", pmfOf)
	if err != nil {
		return nil, err
	}
	r, kT := widened(f.R), units.KT(meta.Temperature)
	var energies [][]float64
	report := &EnsembleReport{Reference: g.Reference, seed: int(g.Settings.Seed)}
	weigh := func(u []float64, title string) (*Dataset, []float64, error) {
		s := *f
		s.LogW = make([]float64, len(u))
		for i, old := range f.LogW { // of samples without weight, −∞
			s.LogW[i] = old + (f.U[i]-u[i])/kT
		}
		d, err := NewDataset("", report.seed, g.Name, &s, meta)
		if err != nil {
			return nil, nil, err
		}
		d.Title, d.Dihedrals.Block = title, 1
		return d, s.LogW, nil
	}
	var positive []float64
	for k := range members {
		out := g.path(fmt.Sprintf("ensemble_%s_%d.npz", pmfOf, k+1))
		if _, _, err := TrainPMF(ctx, g.Backend, frames, out, TrainOptions{Preset: g.Settings.Preset, Seed: g.Settings.Seed + uint64(100+k), Potential: Invariant, Progress: progress}); err != nil {
			return nil, fmt.Errorf("potential %d of %d: %w", k+1, members, err)
		}
		m, err := readPMF(g.Backend, out, g.Name+": samples of the flow", meta)
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
		energies, report.Members, report.ESS = append(energies, u), append(report.Members, d), append(report.ESS, ess)
		positive = append(positive, d.Positive.Value)
	}
	mean, spread := pmf.MeanEnergy(energies...)
	var logw []float64
	if report.Mean, logw, err = weigh(mean, "mean of potentials"); err != nil {
		return nil, err
	}
	report.Weights = reweight.Summarize(logw)
	for i, w := range report.Mean.Dihedrals.Weight {
		report.Spread += w * spread[i] * spread[i] / (kT * kT)
		if spread[i] > farApart*kT {
			report.Beyond += w
		}
	}
	report.Spread = math.Sqrt(report.Spread)
	report.Positive.Value, report.Positive.Error = stat.MeanStdDev(positive, nil)
	return report, nil
}

// frames is the file of the frames that a model, "flow" or "pmf", of a kind of simulation learns from.
func (g *Generator) frames(what, of string) (string, error) {
	load := g.FlowFrames[of]
	if what == "pmf" {
		load = g.ForceFrames[of]
	}
	f, meta, err := load()
	if err != nil {
		return "", err
	}
	return g.keptFrames(of+"_"+what+".arrow", f, meta)
}

// Profiles draws free energies along φ and ψ: the reference, and those of the
// potentials, with a band of their standard deviation and of the samples' standard error.
func (r *EnsembleReport) Profiles() (figure.Picture, error) {
	rng := rand.New(rand.NewPCG(uint64(r.seed), streamEvaluate+9))
	var pair [2][]figure.Series
	for k := range pair {
		profile := func(d *Dataset) (observable.Profile, error) { return dihedralProfile(d.Dihedrals, k, d.KT, rng) }
		reference, err := profile(r.Reference)
		if err != nil {
			return figure.Picture{}, err
		}
		mean, err := profile(r.Mean)
		if err != nil {
			return figure.Picture{}, err
		}
		variance := make([]float64, len(mean.F))
		for _, d := range r.Members {
			p, err := profile(d)
			if err != nil {
				return figure.Picture{}, err
			}
			for i := range variance {
				variance[i] += (p.F[i] - mean.F[i]) * (p.F[i] - mean.F[i]) / float64(len(r.Members)-1)
			}
		}
		for i := range variance {
			mean.FError[i] = math.Hypot(mean.FError[i], math.Sqrt(variance[i]))
			if !(mean.FError[i] <= knownWithin*r.Mean.KT) {
				mean.F[i] = math.NaN()
			}
			if !(reference.FError[i] <= knownWithin*r.Mean.KT) {
				reference.F[i] = math.NaN()
			}
		}
		pair[k] = []figure.Series{{Name: r.Reference.Title, Role: figure.Exact, X: reference.X, Y: reference.F, Error: reference.FError},
			{Name: fmt.Sprintf("mean of %d potentials", len(r.Members)), Role: figure.After, X: mean.X, Y: mean.F, Error: mean.FError}}
	}
	return dihedralPair(pair)
}
