package cgbg

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// PotentialsReport compares the potentials of unbiased and of biased forces
// without a simulation: by the samples of one flow, weighted by one and by the other.
type PotentialsReport struct {
	U, B       *Evaluation
	Difference observable.Scores // of U less B, with the errors of a paired bootstrap
}

// ComparePotentials weighs the samples of a flow by both potentials (paper, Fig. 5).
func (g *Generator) ComparePotentials(ctx context.Context, flowOf string, progress Progress) (*PotentialsReport, error) {
	r := &PotentialsReport{}
	var err error
	if r.U, err = g.Evaluate(ctx, flowOf, Unbiased, progress); err == nil {
		r.B, err = g.Evaluate(ctx, flowOf, Biased, progress)
	}
	if err != nil {
		return nil, err
	}
	r.U.Samples.Title, r.B.Samples.Title = "reweighted by PMF_U", "reweighted by PMF_B"
	rng := rand.New(rand.NewPCG(g.Settings.Seed, streamEvaluate+7))
	r.Difference, err = observable.ScoreDifference(r.U.Samples.Dihedrals, r.B.Samples.Dihedrals, g.Reference.Dihedrals, observable.Resampling{Resamples: bootstraps, Rng: rng})
	return r, err
}

// Profiles draws free energies along φ and ψ: reference, flow, and the flow weighted by either potential.
func (r *PotentialsReport) Profiles() (figure.Picture, error) {
	return DihedralFigure(r.U.seed, r.U.Reference, r.B.Samples, r.B.Proposal, r.U.Samples)
}

// Maps draws free energies over (φ, ψ): reference, and the flow weighted by either potential (paper, Fig. 9).
func (r *PotentialsReport) Maps() (figure.Picture, error) {
	return RamachandranFigure(r.U.Reference, r.B.Samples, r.U.Samples)
}

// ForceError is how well potentials predict the forces of one set of frames.
type ForceError struct {
	Set         string            // of frames
	U, B        reweight.Estimate // mean squared error of a force component, (kJ/mol/nm)², noise included
	Noise       reweight.Estimate // upper bound of the noise in it, see pmf.NoiseBoundOf
	Left, Right [2]float64        // the errors of U and B for frames at φ < 0 and at φ > 0; NaN where there are none
	N           int
}

// ForceErrors holds both potentials to the forces of sets of frames, at most n of each, evenly spaced.
func (g *Generator) ForceErrors(ctx context.Context, n int, sets map[string]func() (*data.Frames, data.Meta, error), order []string) ([]ForceError, error) {
	var models [2]*pmf.Model
	var first data.Meta
	if g.Settings.Preset == "small" {
		n = 200
	}
	var out []ForceError
	for _, name := range order {
		f, meta, err := sets[name]()
		if err != nil {
			return nil, err
		}
		if models[0] == nil {
			first = meta
			for k, of := range []string{Unbiased, Biased} {
				if models[k], err = g.potential(ctx, of, name, meta); err != nil {
					return nil, err
				}
				defer models[k].Finalize()
			}
		} else if err := belong(order[0], first, name, meta); err != nil {
			return nil, err
		}
		f = pick(f, evenly(f.Len(), n))
		f.LogW = nil
		set, err := NewDataset("", int(g.Settings.Seed), name, f, meta)
		if err != nil {
			return nil, err
		}
		e := ForceError{Set: name, N: f.Len()}
		var forces [2][]float64
		for k, error := range []*reweight.Estimate{&e.U, &e.B} {
			if _, forces[k], err = models[k].EnergyForce(ctx, widened(f.R)); err != nil {
				return nil, err
			}
			if error.Value, error.Error, err = pmf.NoiseFloor(f.F, forces[k]); err != nil {
				return nil, err
			}
			e.Left[k], e.Right[k] = sideErrors(set.Dihedrals.Phi, f.F, forces[k])
		}
		if e.Noise.Value, e.Noise.Error, err = pmf.NoiseBoundOf(f.F, forces[:]...); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// sideErrors are mean squared errors of forces over frames at φ < 0 and at φ > 0.
func sideErrors(phi []float64, f []float32, force []float64) (left, right float64) {
	var sum, n [2]float64
	dim := len(f) / len(phi)
	for i, angle := range phi {
		side := sideOf(angle)
		for k := range dim {
			d := float64(f[i*dim+k]) - force[i*dim+k]
			sum[side] += d * d
			n[side]++
		}
	}
	return sum[0] / n[0], sum[1] / n[1]
}

// Clipped is what dropping the largest weights does.
type Clipped struct {
	Fraction float64 // of the samples, dropped
	ESS      reweight.Estimate
	Scores   observable.Scores
	Positive reweight.Estimate // P(φ > 0)
}

// clipFractions are those of the paper's Table 6 and Figure 12, and more.
var clipFractions = []float64{0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1}

// Clipping drops growing fractions of the largest weights of an evaluation's samples (paper, Tab. 6, Fig. 12).
func (e *Evaluation) Clipping() ([]Clipped, error) {
	rng := rand.New(rand.NewPCG(uint64(e.seed), streamEvaluate+8))
	right := make([]float64, len(e.LogW))
	for i, phi := range e.Samples.Dihedrals.Phi {
		right[i] = float64(sideOf(phi))
	}
	var out []Clipped
	for _, fraction := range clipFractions {
		logw := e.LogW
		var err error
		if fraction > 0 {
			if logw, err = reweight.Clip(e.LogW, fraction); err != nil {
				return nil, err
			}
		}
		c := Clipped{Fraction: fraction}
		if c.ESS, err = reweight.ESSDelta(logw); err != nil {
			return nil, err
		}
		t := e.Samples.Dihedrals
		if t.Weight, err = reweight.Normalize(logw); err != nil {
			return nil, err
		}
		if c.Scores, err = observable.ScoreTorus(t, e.Reference.Dihedrals, observable.Resampling{Resamples: bootstraps, Rng: rng}); err != nil {
			return nil, err
		}
		if c.Positive, err = reweight.Average(logw, right); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// lineRoles colour curves of equal standing.
var lineRoles = []figure.Role{figure.After, figure.Biased, figure.Learned, figure.Other}

// ClippingFigure draws JS divergence, PMF error and effective sample size against the fraction of weights that is dropped.
func ClippingFigure(names []string, sets [][]Clipped) (figure.Picture, error) {
	if len(sets) == 0 || len(sets) > len(lineRoles) || len(names) != len(sets) {
		return figure.Picture{}, errors.New("cgbg: a figure of clipping takes one to four sets, each with its name")
	}
	var panels [3][]figure.Series
	for k, set := range sets {
		for p := range panels {
			s := figure.Series{Name: names[k], Role: lineRoles[k]}
			for _, c := range set {
				y := []reweight.Estimate{{Value: c.Scores.JS.Value, Error: c.Scores.JS.Error}, {Value: c.Scores.PMFError.Value, Error: c.Scores.PMFError.Error},
					{Value: 100 * c.ESS.Value, Error: 100 * c.ESS.Error}}[p]
				s.X, s.Y, s.Error = append(s.X, 100*c.Fraction), append(s.Y, y.Value), append(s.Error, y.Error)
			}
			panels[p] = append(panels[p], s)
		}
	}
	var options []figure.LinesOptions
	for _, label := range []string{"JS divergence, nat", "PMF error, (kT)²", "effective sample size, %"} {
		options = append(options, figure.LinesOptions{XLabel: "largest weights dropped, %", YLabel: label, Points: true})
	}
	return figure.LinesRow(panels[:], options)
}

// Results are the numbers of the comparison under the names of results.json.
func (r *PotentialsReport) Results(name string) []Result {
	return []Result{
		{name + "/js_u_minus_b", r.Difference.JS.Value, r.Difference.JS.Error, none, "nat", r.B.Weights.N},
		{name + "/pmf_error_u_minus_b", r.Difference.PMFError.Value, r.Difference.PMFError.Error, none, "(kT)²", r.B.Weights.N},
	}
}
