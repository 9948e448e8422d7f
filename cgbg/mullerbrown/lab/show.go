package lab

import (
	"context"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
)

// LossFigure draws the training loss with its noise floor.
func (r *PMFReport) LossFigure() (figure.Picture, error) {
	loss := figure.Series{Name: "training loss", Role: figure.Learned, X: r.LossSteps, Y: r.Losses}
	return figure.LossCurve(loss, figure.Series{}, figure.LossOptions{YLabel: "force-matching loss, (kT/length)²",
		Floor: r.Floor})
}

// Figure draws the learned potential over the exact one, and their difference.
func (r *PMFReport) Figure() (figure.Picture, error) {
	u := []figure.Series{{Name: "exact", Role: figure.Exact, X: r.X, Y: r.ExactU},
		{Name: "learned", Role: figure.Learned, X: r.X, Y: r.U}}
	return figure.Lines(u, figure.LinesOptions{XLabel: "x", YLabel: "U(x), kT", YMax: 12, Difference: true,
		DifferenceLabel: "error, kT", DifferenceMax: 0.5})
}

// Results are the numbers under the names of results.json.
func (r *PMFReport) Results() []result.Result {
	return []result.Result{result.New("pmf_rmse_kt", r.RMSE, result.None, result.None, "kT", 0)}
}

// Figure draws the mean forces over the exact one, and their differences.
func (p *Proposition3) Figure() (figure.Picture, error) {
	forces := []figure.Series{
		{Name: "exact", Role: figure.Exact, X: p.X, Y: p.Exact},
		{Name: "unbiased frames", Role: figure.Simulation, X: p.X, Y: p.Unbiased, Error: p.UnbiasedError},
		{Name: "biased frames", Role: figure.Biased, X: p.X, Y: p.Biased, Error: p.BiasedError},
	}
	return figure.Lines(forces, figure.LinesOptions{XLabel: "x", YLabel: "mean force, kT/length", Difference: true,
		DifferenceLabel: "minus exact", DifferenceMax: 0.2})
}

// DensityReport is how well the log-density of a flow's samples is known.
type DensityReport struct {
	Name     string  // of the set that the flow was trained on
	N        int     // samples
	LogQErr  float64 // largest known error of ln q, nats
	Integral float64 // of the density, see densityIntegral
}

// Density draws the samples of the flow trained on the named set, and integrates its density. Errors: those of Propose.
func (m *Lab) Density(ctx context.Context, biased bool, progress cgbg.Progress) (*DensityReport, error) {
	p, err := m.propose(ctx, biased, progress)
	if err != nil {
		return nil, err
	}
	integral, err := m.densityIntegral(ctx, biased)
	return &DensityReport{Name: setName(biased), N: len(p.LogQ), LogQErr: p.LogQErr, Integral: integral}, err
}

// Results are the numbers under the names of results.json.
func (r *DensityReport) Results() []result.Result {
	return result.Behind(r.Name, []result.Result{
		result.New("logq_error_max", r.LogQErr, result.None, result.None, "nats", r.N),
		result.New("density_integral", r.Integral, result.None, result.None, "", 0),
	})
}

// Figures draw the histogram of the log-weights.
func (r *Report) Figures() ([]result.Figure, error) {
	p, err := figure.WeightHistogram(r.LogW, nil)
	return []result.Figure{p.Named("weights_"+r.Name,
		"histogram of the log-weights of the flow trained on "+r.Name+" frames")}, err
}

// Words are the verdict on the weights.
func (r *Report) Words() string { return r.Name + ": " + r.Weights.Verdict }
