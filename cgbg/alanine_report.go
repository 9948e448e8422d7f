package cgbg

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Conventions of the scores of dihedrals.
const (
	anglePoints    = 180 // points of a profile round the circle
	angleBandwidth = 0.1 // rad, of the kernel that smooths profiles
	minBlocks      = 8   // blocks that a trajectory is cut into at least, for errors
	clipFraction   = 0.01
)

// AlanineReport says how well the reweighted flow agrees with the reweighted
// simulation, on the histogram of (φ, ψ).
type AlanineReport struct {
	Before, After, Clipped observable.Scores // proposal; reweighted; the same without the largest 1 % of the weights, as published
	Floor                  observable.Scores // of two halves of the simulation, one thinned to the effective samples
	Weights                reweight.Summary
	Ceiling                float64           // ESS of the frames' own weights: that of perfect models
	Positive               reweight.Estimate // probability of φ > 0 by the reweighted flow
	SimulationPositive     reweight.Estimate // and by the reweighted simulation
	Block                  int               // frames of a block of the simulation
	LogQErr                float64           // nats
}

// torus is the dihedrals of configurations with their weights.
func (a *Alanine) torus(r, w []float64, block int) observable.Torus {
	return observable.Torus{Phi: observable.Dihedrals(r, a.Frames.Beads, a.residue.Phi),
		Psi: observable.Dihedrals(r, a.Frames.Beads, a.residue.Psi), Weight: w, Block: block}
}

// Simulation is the reference: the frames' dihedrals with the weights that undo
// the bias, in blocks of twice their statistical inefficiency.
func (a *Alanine) Simulation() (observable.Torus, error) {
	var w []float64
	if a.Frames.LogW != nil {
		var err error
		if w, err = reweight.Normalize(a.Frames.LogW); err != nil {
			return observable.Torus{}, err
		}
	}
	t := a.torus(widened(a.Frames.R), w, 1)
	g := 1.0
	for _, angle := range [][]float64{t.Phi, t.Psi} {
		for _, f := range []func(float64) float64{math.Cos, math.Sin} {
			x := make([]float64, len(angle))
			for i, v := range angle {
				x[i] = f(v)
			}
			g = math.Max(g, observable.Inefficiency(x))
		}
	}
	t.Block = max(1, min(int(2*g), a.Frames.Len()/minBlocks))
	return t, nil
}

func (a *Alanine) rng(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(a.Settings.Seed, streamEvaluate+stream))
}

// Report scores the samples.
func (a *Alanine) Report(ctx context.Context, progress Progress) (*AlanineReport, error) {
	return a.report(ctx, a.Settings.kind(), progress)
}

func (a *Alanine) report(ctx context.Context, kind FlowKind, progress Progress) (*AlanineReport, error) {
	p, err := a.proposeFrom(ctx, kind, progress)
	if err != nil {
		return nil, err
	}
	simulation, err := a.Simulation()
	if err != nil {
		return nil, err
	}
	r := &AlanineReport{Weights: p.Summary().With(faithful(a.shape, p.R, a.Frames.Beads, p.LogW)), Ceiling: 1, Block: simulation.Block, LogQErr: p.LogQErr}
	if a.Frames.LogW != nil {
		if r.Ceiling, err = reweight.ESS(a.Frames.LogW); err != nil {
			return nil, err
		}
	}
	clipped, err := reweight.Clip(p.LogW, clipFraction)
	if err != nil {
		return nil, err
	}
	rng := a.rng(1)
	for _, c := range []struct {
		logw []float64
		dst  *observable.Scores
	}{{nil, &r.Before}, {p.LogW, &r.After}, {clipped, &r.Clipped}} {
		var w []float64
		if c.logw != nil {
			if w, err = reweight.Normalize(c.logw); err != nil {
				return nil, err
			}
		}
		model := a.torus(p.R, w, 1)
		if *c.dst, err = observable.ScoreTorus(model, simulation, observable.Resampling{Resamples: bootstraps, Rng: rng}); err != nil {
			return nil, err
		}
	}
	effective := max(1, int(math.Round(float64(r.Weights.N)*r.Weights.ESS)))
	if r.Floor, err = observable.FloorReference(simulation, effective, floorRepeats, rng); err != nil {
		return nil, err
	}
	weights, err := reweight.Normalize(p.LogW)
	if err != nil {
		return nil, err
	}
	if r.Positive, err = positive(a.torus(p.R, weights, 1), rng); err != nil {
		return nil, err
	}
	r.SimulationPositive, err = positive(simulation, rng)
	return r, err
}

// positive is the probability of φ > 0, with its error from blocks.
func positive(t observable.Torus, rng *rand.Rand) (reweight.Estimate, error) {
	stat := func(idx []int, out []float64) {
		var up, all float64
		for _, i := range idx {
			w := 1.0
			if t.Weight != nil {
				w = t.Weight[i]
			}
			all += w
			if t.Phi[i] > 0 {
				up += w
			}
		}
		out[0] = up / all
	}
	all := make([]int, len(t.Phi))
	for i := range all {
		all[i] = i
	}
	var value [1]float64
	stat(all, value[:])
	sd, err := observable.Bootstrap(len(all), 1, observable.Resampling{Resamples: bootstraps, Block: t.Block, Rng: rng}, stat)
	if err != nil {
		return reweight.Estimate{}, err
	}
	return reweight.Estimate{Value: value[0], Error: sd[0]}, nil
}

// Results are the report's numbers under the names of results.json; the
// verdict, which is words, is Weights.Verdict.
func (r *AlanineReport) Results() []Result {
	w := r.Weights
	list := []Result{
		scoreResult("js_before", r.Before.JS, r.Floor.JS, "nats", w.N),
		scoreResult("js", r.After.JS, r.Floor.JS, "nats", w.N),
		scoreResult("js_clipped", r.Clipped.JS, r.Floor.JS, "nats", w.N),
		scoreResult("pmf_error_before", r.Before.PMFError, r.Floor.PMFError, "", w.N),
		scoreResult("pmf_error", r.After.PMFError, r.Floor.PMFError, "", w.N),
		scoreResult("pmf_error_clipped", r.Clipped.PMFError, r.Floor.PMFError, "", w.N),
		{"p_phi_positive", r.Positive.Value, r.Positive.Error, none, "", w.N},
		{"p_phi_positive_simulation", r.SimulationPositive.Value, r.SimulationPositive.Error, none, "", 0},
		{"ess_ceiling", r.Ceiling, none, none, "", w.N},
		{"logq_error_max", r.LogQErr, none, none, "nats", w.N},
	}
	list = append(list, weightResults(w)...)
	list = append(list, fidelityResults(w.Fidelity)...)
	for i := range list {
		list[i].Name = "cb/" + list[i].Name
	}
	return list
}

// Figure draws the free energies along φ and ψ: simulation with and without its
// weights, flow with and without its own.
func (a *Alanine) Figure(ctx context.Context) (figure.Picture, error) {
	biased, simulation, samples, q, err := a.curves(ctx)
	if err != nil {
		return figure.Picture{}, err
	}
	before := samples
	before.Weight = nil
	return profiles(a.KT, q, a.rng(2), []angles{
		{"MD, biased", figure.Biased, biased},
		{"MD, reweighted", figure.Simulation, simulation},
		{"flow", figure.Before, before},
		{"flow, reweighted", figure.After, samples},
	})
}

// curves are the dihedrals of the simulation, biased and reweighted, and those of
// the flow's weighted samples, with what their weights are worth.
func (a *Alanine) curves(ctx context.Context) (biased, simulation, samples observable.Torus, q *figure.Quality, err error) {
	p, err := a.Propose(ctx, nil)
	if err != nil {
		return biased, simulation, samples, nil, err
	}
	if simulation, err = a.Simulation(); err != nil {
		return biased, simulation, samples, nil, err
	}
	biased = simulation
	biased.Weight = nil
	weights, err := reweight.Normalize(p.LogW)
	return biased, simulation, a.torus(p.R, weights, 1), quality(p.Summary()), err
}

// angles is a set of dihedrals as a curve.
type angles struct {
	name string
	role figure.Role
	set  observable.Torus
}

// profiles draws the free energies of sets along φ and ψ. A set without weight,
// such as few weighted samples where a basin is left out, has no line, and the key says so;
// nor has one whose error is above knownWithin.
func profiles(kT float64, q *figure.Quality, rng *rand.Rand, sets []angles) (figure.Picture, error) {
	var pair [2][]figure.Series
	for _, s := range sets {
		for k := range pair {
			profile, err := dihedralProfile(s.set, k, kT, rng)
			curve := figure.Series{Name: s.name, Role: s.role}
			switch {
			case errors.Is(err, observable.ErrNoMass):
				curve.Name += ": no weight"
				curve.X, curve.Y = circle(), slices.Repeat([]float64{math.NaN()}, anglePoints)
			case err != nil:
				return figure.Picture{}, err
			default:
				curve.X, curve.Y, curve.Error = profile.X, profile.F, profile.FError
				for i, e := range curve.Error { // a few visits: no value
					if !(e <= knownWithin*kT) {
						curve.Y[i] = math.NaN()
					}
				}
			}
			pair[k] = append(pair[k], curve)
		}
	}
	options := func(label, letter string) figure.ProfileOptions {
		return figure.ProfileOptions{XLabel: label, YLabel: "free energy, kJ/mol", YMax: 30, Circle: true, Letter: letter, Quality: q}
	}
	return figure.FreeEnergyPair(pair[0], pair[1], options("φ, degrees", "a"), options("ψ, degrees", "b"))
}

// circle is the grid of the angles' profiles, rad.
func circle() []float64 {
	x := make([]float64, anglePoints)
	for i := range x {
		x[i] = -math.Pi + 2*math.Pi*(float64(i)+0.5)/anglePoints
	}
	return slices.Clip(x)
}
