package study

import (
	"context"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Verification is what a second look at samples found.
type Verification struct {
	N, Fresh      int               // samples whose log-density was computed again; drawn anew
	RMS, Max      float64           // differences of log-densities, nats
	ESS, FreshESS reweight.Estimate // of the samples, and of those drawn anew
	LogZ          float64           // difference of ln ⟨w⟩ between the two, nats
	LogZError     float64
}

// verify computes the log-density of some samples again by reverse integration
// from their stored coordinates, draws others from another seed, and compares the weights of both.
func verify(ctx context.Context, g *cgbg.Generator, of string, progress cgbg.Progress) (*Verification, error) {
	f, _, err := g.Samples(ctx, of, cgbg.Biased, progress)
	if err != nil {
		return nil, err
	}
	m, file, err := g.OpenFlow(ctx, of, progress)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	potential, err := g.Model(ctx, cgbg.PMF, cgbg.Biased, progress)
	if err != nil {
		return nil, err
	}
	v := &Verification{N: min(g.Settings.Verified, f.Len()), Fresh: g.Settings.Fresh}
	acc := flow.SamplingAccuracy(g.Backend.Name, m.Network)
	logq, _, err := m.LogQ(ctx, data.Widened(f.R[:v.N*f.Width()]), acc, progress)
	if err != nil {
		return nil, err
	}
	v.RMS, _, v.Max = analysis.Deviation(logq, f.LogQ[:v.N])
	fresh := g.Path("fresh_" + of + ".arrow")
	o := cgbg.DrawOptions{N: v.Fresh, Seed: g.Settings.Seed + 1000, PMF: []string{potential}, Progress: progress}
	if _, err := cgbg.Draw(ctx, g.Backend, file, fresh, o); err != nil {
		return nil, err
	}
	other, _, err := data.ReadFile(fresh)
	if err != nil {
		return nil, err
	}
	if v.ESS, err = reweight.ESSDelta(f.LogW); err == nil {
		v.FreshESS, err = reweight.ESSDelta(other.LogW)
	}
	if err != nil {
		return nil, err
	}
	a, sa, err := logMean(f.LogW)
	if err != nil {
		return nil, err
	}
	b, sb, err := logMean(other.LogW)
	v.LogZ, v.LogZError = b-a, math.Hypot(sa, sb)
	return v, err
}

// until draws samples of a flow until their weights, by the potential of biased forces, are worth so many equal samples
// (preset small: 8), in parts of half as many. Errors: fifty times as many samples are not worth it; those of
// [cgbg.Draw].
func until(ctx context.Context, g *cgbg.Generator, of string, effective float64,
	progress cgbg.Progress) (*cgbg.Drawn, error) {
	file, err := g.Model(ctx, cgbg.Flow, of, progress)
	if err != nil {
		return nil, err
	}
	potential, err := g.Model(ctx, cgbg.PMF, cgbg.Biased, progress)
	if err != nil {
		return nil, err
	}
	effective = min(effective, limits(g).effective)
	const most = 50
	d, err := cgbg.Draw(ctx, g.Backend, file, g.Path(fmt.Sprintf("until_%g_%s.arrow", effective, of)),
		cgbg.DrawOptions{N: int(most * effective), UntilESS: effective,
			Part: max(1, int(effective/2)), Seed: g.Settings.Seed + 3000, Checks: -1, PMF: []string{potential},
			Progress: progress})
	if err == nil && d.Weights.ESS*float64(d.N) < effective {
		return nil, fmt.Errorf("study: %s: %d samples of the flow of %s frames are worth %.0f, not %g: "+
			"the flow or the potential is too poor", g.Name, d.N, of, d.Weights.ESS*float64(d.N), effective)
	}
	return d, err
}

// logMean is ln ⟨w⟩ with its standard error, √((1/ESS − 1)/n).
func logMean(logw []float64) (mean, stderr float64, err error) {
	if mean, err = reweight.LogZ(logw); err != nil {
		return 0, 0, err
	}
	ess, err := reweight.ESS(logw)
	return mean, math.Sqrt((1/ess - 1) / float64(len(logw))), err
}
