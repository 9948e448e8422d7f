package lab

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/mullerbrown"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Conventions of the Müller–Brown scores.
const (
	scoreBins     = 100 // bins of the histograms that are scored
	profilePoints = 200 // points of the free-energy profiles
	energyCut     = 6.0 // kT: profiles are compared where the exact one is below
	profileDomain = mullerbrown.DomainHi - mullerbrown.DomainLo
)

// Report says how well a flow of the Müller–Brown system does.
type Report struct {
	Name                    string            // of the set that the flow was trained on
	Before, After           observable.Scores // proposal and reweighted, against the exact bin masses
	FloorBefore, FloorAfter observable.Scores // the same of exact samples, as many as there are effective ones
	Weights                 reweight.Summary
	LogW                    []float64          // of the samples, unnormalised
	Effective               int                // round(N·ESS)
	ProfileBefore           observable.Profile // free energies on Line
	ProfileAfter            observable.Profile
	FreeEnergyMAE           float64 // mean |F − F_exact| where F_exact ≤ 6 kT above its minimum, kT
	FreeEnergyMAEFloor      float64 // the same of exact samples
}

// Line is the grid of the profiles, [200].
func (m *Lab) Line() []float64 {
	x := make([]float64, profilePoints)
	for i := range x {
		x[i] = mullerbrown.DomainLo + profileDomain*float64(i)/(profilePoints-1)
	}
	return x
}

func (m *Lab) rng(stream uint64) *rand.Rand {
	return analysis.Rng(int(m.Settings.Seed), stream)
}

// Report scores the samples of the flow trained on the named set.
func (m *Lab) Report(ctx context.Context, biased bool, progress cgbg.Progress) (*Report, error) {
	p, err := m.propose(ctx, biased, progress)
	if err != nil {
		return nil, err
	}
	weights, err := reweight.Normalize(p.LogW)
	if err != nil {
		return nil, err
	}
	r := &Report{Name: setName(biased), Weights: p.Summary(), LogW: p.LogW}
	r.Effective = max(1, int(math.Round(float64(r.Weights.N)*r.Weights.ESS)))
	rng := m.rng(1)
	if r.Before, r.FloorBefore, err = m.score(p.R, nil, len(p.R), rng); err != nil {
		return nil, err
	}
	if r.After, r.FloorAfter, err = m.score(p.R, weights, r.Effective, rng); err != nil {
		return nil, err
	}
	if r.ProfileBefore, err = m.profile(p.R, nil, 1, rng); err != nil {
		return nil, err
	}
	if r.ProfileAfter, err = m.profile(p.R, weights, 1, rng); err != nil {
		return nil, err
	}
	r.FreeEnergyMAE = m.meanAbsError(r.ProfileAfter.F)
	r.FreeEnergyMAEFloor, err = m.profileFloor(r.Effective)
	return r, err
}

// Results are the report's numbers under the names of results.json.
func (r *Report) Results() []result.Result {
	w := r.Weights
	list := []result.Result{
		result.New("js_before", r.Before.JS.Value, r.Before.JS.Error, r.FloorBefore.JS.Value, "nats", w.N),
		result.New("js", r.After.JS.Value, r.After.JS.Error, r.FloorAfter.JS.Value, "nats", w.N),
		result.New("pmf_error_before", r.Before.PMFError.Value, r.Before.PMFError.Error, r.FloorBefore.PMFError.Value,
			"",
			w.N),
		result.New("pmf_error", r.After.PMFError.Value, r.After.PMFError.Error, r.FloorAfter.PMFError.Value, "", w.N),
		{Name: "free_energy_mae_kt", Value: r.FreeEnergyMAE, Error: result.None, Floor: r.FreeEnergyMAEFloor,
			Unit: "kT",
			N:    w.N},
	}
	list = append(list, analysis.WeightResults(w)...)
	for i := range list {
		list[i].Name = r.Name + "/" + list[i].Name
	}
	return list
}

// score compares weighted samples with the exact distribution of x.
func (m *Lab) score(x, w []float64, effective int, rng *rand.Rand) (scores, floor observable.Scores, err error) {
	edges := observable.Edges(mullerbrown.DomainLo, mullerbrown.DomainHi, scoreBins)
	exact, err := m.Exact.BinMasses(edges)
	if err != nil {
		return scores, floor, err
	}
	if scores, err = observable.ScoreExact(x, w, edges, exact,
		observable.Resampling{Resamples: analysis.Bootstraps, Rng: rng}); err != nil {
		return scores, floor, err
	}
	floor, err = observable.FloorExact(effective, analysis.FloorRepeats, exact, rng)
	return scores, floor, err
}

// profile is a free energy on Line, aligned to the exact one.
func (m *Lab) profile(x, w []float64, block int, rng *rand.Rand) (observable.Profile, error) {
	line := m.Line()
	p, err := observable.NewProfile(x, w, observable.ProfileOptions{Grid: line, Smoother: observable.Corrected,
		Resampling: observable.Resampling{Resamples: analysis.Bootstraps, Block: block, Rng: rng}})
	if err == nil {
		p.F = m.align(p.F)
	}
	return p, err
}

// align shifts f on Line to the exact free energy by the density-weighted mean.
func (m *Lab) align(f []float64) []float64 {
	f = slices.Clone(f)
	observable.AlignTo(f, m.exactProfile(), m.Exact.Density(m.Line()))
	return f
}

// exactProfile is the exact free energy on Line, kT, with its minimum at zero.
func (m *Lab) exactProfile() []float64 {
	return observable.FreeEnergy(m.Exact.Density(m.Line()), mullerbrown.KT)
}

func (m *Lab) meanAbsError(f []float64) float64 {
	mae, _ := observable.MeanAbsError(f, m.exactProfile(), energyCut)
	return mae
}

// profileFloor is the mean error of the free energy from n exact samples.
func (m *Lab) profileFloor(n int) (float64, error) {
	const repeats = 10
	var sum float64
	for i := range repeats {
		p, err := observable.NewProfile(m.Exact.Sample(n, m.Settings.Seed+uint64(i)), nil,
			observable.ProfileOptions{Grid: m.Line(), Smoother: observable.Corrected})
		if err != nil {
			return 0, err
		}
		sum += m.meanAbsError(m.align(p.F)) / repeats
	}
	return sum, nil
}

// PMFReport compares the learned potential with the exact one.
type PMFReport struct {
	X, U, F           []float64 // learned, on Line; U aligned to the exact one
	ExactU, ExactF    []float64 // exact, on Line
	RMSE              float64   // of U where it is at most 6 kT, kT
	Loss, Floor       float64   // last force-matching loss, and the noise floor of its data
	LossSteps, Losses []float64 // history
}

// ReportPMF evaluates the learned potential.
func (m *Lab) ReportPMF(ctx context.Context) (*PMFReport, error) {
	_, history, err := m.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	t, err := m.Simulate(ctx, true, nil)
	if err != nil {
		return nil, err
	}
	frames, err := m.pmfFrames(t)
	if err != nil {
		return nil, err
	}
	r := &PMFReport{X: m.Line(), ExactU: m.exactProfile(), Floor: frames.NoiseFloor(),
		Losses: history.Loss, Loss: history.Loss[len(history.Loss)-1]}
	for _, step := range history.Step {
		r.LossSteps = append(r.LossSteps, float64(step))
	}
	if r.U, r.F, err = m.pmfOnLine(ctx, r.X); err != nil {
		return nil, err
	}
	r.U = m.align(r.U)
	for _, x := range r.X {
		r.ExactF = append(r.ExactF, mullerbrown.MeanForce(x))
	}
	r.RMSE, _ = observable.RMSError(r.U, r.ExactU, energyCut)
	return r, nil
}

// Figure2 draws the paper's Fig. 2 from what the workflow has made.
func (m *Lab) Figure2(ctx context.Context) (figure.Picture, error) {
	line := m.Line()
	fig := figure.MuellerBrown{Surface: figure.Surface{U: mullerbrown.Potential,
		XMin: mullerbrown.DomainLo, XMax: mullerbrown.DomainHi, YMin: 0, YMax: 50}}
	fig.Density = []figure.Series{{Name: "exact", Role: figure.Exact, X: line, Y: m.Exact.Density(line)}}
	var md observable.Profile
	for _, biased := range []bool{false, true} {
		t, err := m.Simulate(ctx, biased, nil)
		if err != nil {
			return figure.Picture{}, err
		}
		frames, err := t.Even(t.Frames())
		if err != nil {
			return figure.Picture{}, err
		}
		// One trajectory is one block: it is correlated over most of its length.
		p, err := m.profile(data.Widened(frames.X), nil, t.Frames()/len(t.X), m.rng(2))
		if err != nil {
			return figure.Picture{}, err
		}
		series := figure.Series{Name: "MD, unbiased", Role: figure.Simulation, X: line, Y: p.P, Error: p.PError}
		if biased {
			series.Name, series.Role = "MD, biased", figure.Biased
		} else {
			md = p
		}
		fig.Density = append(fig.Density, series)
	}
	for _, biased := range []bool{false, true} {
		r, err := m.Report(ctx, biased, nil)
		if err != nil {
			return figure.Picture{}, err
		}
		series := []figure.Series{
			{Name: "exact", Role: figure.Exact, X: line, Y: m.exactProfile()},
			{Name: "MD", Role: figure.Simulation, X: line, Y: md.F, Error: md.FError},
			{Name: "flow", Role: figure.Before, X: line, Y: r.ProfileBefore.F, Error: r.ProfileBefore.FError},
			{Name: "flow, reweighted", Role: figure.After, X: line, Y: r.ProfileAfter.F, Error: r.ProfileAfter.FError},
		}
		quality := analysis.Quality(r.Weights)
		if biased {
			fig.Biased, fig.BiasedQuality = series, quality
		} else {
			fig.Unbiased, fig.UnbiasedQuality = series, quality
		}
	}
	return fig.Combined()
}
