package analysis

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Correction is one way to weigh the same samples.
type Correction struct {
	Name       string
	COM, Tails string // density of the centre: vector or radial; large weights: as they are, clipped, smoothed
	Errors     string // of the scores: published, from samples drawn by weight and frames as if independent, or blocks
	ESS        reweight.Estimate
	Scores     observable.Scores
}

// Corrections shows what each departure from the published procedure changes, on
// the same samples: the density of the centre of mass as a vector in place of its
// length, large weights as they are or smoothed (Pareto) in place of dropped, and errors
// of the scores from blocks of time. The first row is the published procedure.
// gain is the effective sample size with the vector density over that with the
// radial one, 1/0.60 where weights and centres are independent, with the error of
// a paired bootstrap.
//
// samples: with U and LogQ of a flow whose standard deviation is std, nm, and
// LogW, whose −Inf stay. Errors: columns that are missing; those of NewSet.
func Corrections(seed int, samples *data.Frames, meta data.Meta, std float64,
	reference *Set) (rows []Correction, gain reweight.Estimate, err error) {
	n := samples.Len()
	if len(samples.U) != n || len(samples.LogQ) != n || len(samples.LogW) != n {
		return nil, gain, fmt.Errorf("analysis: %s: corrections need the columns u, logq and logw", meta.Source)
	}
	centre := make([]float64, 3*n)
	for i := range n {
		for k, v := range samples.R[i*samples.Width() : (i+1)*samples.Width()] {
			centre[3*i+k%3] += float64(v) / (float64(samples.Beads) * std)
		}
	}
	weigh := func(com []float64) []float64 {
		w := reweight.LogWeights(samples.U, samples.LogQ, units.KT(meta.Temperature), com)
		for i := range w {
			if math.IsInf(samples.LogW[i], -1) {
				w[i] = math.Inf(-1)
			}
		}
		return w
	}
	vector, radial := weigh(reweight.LogCOM(centre, samples.Beads)),
		weigh(reweight.LogCOMPublishedRadial(centre, samples.Beads))
	rng := Rng(seed, streamCorrections)
	clip := func(w []float64) ([]float64, error) { return reweight.Clip(w, reweight.PaperClip) }
	smooth := func(w []float64) ([]float64, error) { s, err := reweight.Smooth(w); return s.LogW, err }
	for _, c := range []struct {
		com, tails string
		logw       []float64
		change     func(logw []float64) ([]float64, error)
		score      func(model, reference observable.Points, r observable.Resampling) (observable.Scores, error)
		errors     string
	}{
		{"radial", "clipped", radial, clip, observable.ScorePublished, "published"},
		{"radial", "clipped", radial, clip, observable.Score, "blocks"},
		{"radial", "as they are", radial, nil, observable.Score, "blocks"},
		{"vector", "clipped", vector, clip, observable.Score, "blocks"},
		{"vector", "smoothed", vector, smooth, observable.Score, "blocks"},
		{"vector", "as they are", vector, nil, observable.Score, "blocks"},
	} {
		logw := c.logw
		if c.change != nil {
			if logw, err = c.change(logw); err != nil {
				return nil, gain, err
			}
		}
		row := Correction{Name: c.com + "/" + c.tails + "/" + c.errors, COM: c.com, Tails: c.tails, Errors: c.errors}
		if row.ESS, err = reweight.ESSDelta(logw); err != nil {
			return nil, gain, err
		}
		set, err := newSet(reference.Question, Options{Name: row.Name}, samples, logw, meta)
		if err != nil {
			return nil, gain, err
		}
		set.Block = 1
		group := reference.Question.Scored[0].Variables
		if row.Scores, err = c.score(set.Points(reference.Axes, group...), reference.Main(reference),
			observable.Resampling{Resamples: Bootstraps, Rng: rng}); err != nil {
			return nil, gain, err
		}
		rows = append(rows, row)
	}
	gain, err = essRatio(vector, radial, rng)
	return rows, gain, err
}

// essRatio is the ratio of two effective sample sizes of the same samples.
func essRatio(a, b []float64, rng random) (reweight.Estimate, error) {
	wa, err := reweight.Normalize(a)
	if err != nil {
		return reweight.Estimate{}, err
	}
	wb, err := reweight.Normalize(b)
	if err != nil {
		return reweight.Estimate{}, err
	}
	return estimate(len(a), 1, rng, func(idx []int) float64 {
		var a1, a2, b1, b2 float64
		for _, i := range idx {
			a1, a2 = a1+wa[i], a2+wa[i]*wa[i]
			b1, b2 = b1+wb[i], b2+wb[i]*wb[i]
		}
		return a1 * a1 / a2 / (b1 * b1 / b2)
	})
}
