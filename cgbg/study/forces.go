package study

import (
	"context"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// ForceError is how well potentials predict the forces of one set of frames.
type ForceError struct {
	Set     string            // of frames
	U, B    reweight.Estimate // mean squared error of a force component, (kJ/mol/nm)², noise included
	Noise   reweight.Estimate // upper bound of the noise in it, see pmf.NoiseBoundOf
	Out, In [2]float64        // errors of U and B for frames out of the split state and in it; NaN: there are none
	N       int
}

// forceErrors holds both potentials to the forces of sets of frames, at most n of each, evenly spaced.
func forceErrors(ctx context.Context, g *cgbg.Generator, n int, sets map[string]analysis.Source,
	order []string) ([]ForceError, error) {
	var models [2]*pmf.Model
	var first data.Meta
	n = min(n, limits(g).frames)
	var out []ForceError
	for _, name := range order {
		f, meta, err := sets[name]()
		if err != nil {
			return nil, err
		}
		if models[0] == nil {
			first = meta
			for k, of := range []string{cgbg.Unbiased, cgbg.Biased} {
				if models[k], err = g.OpenPMF(ctx, of, name, meta); err != nil {
					return nil, err
				}
				defer models[k].Finalize()
			}
		} else if err := cgbg.Belong(order[0], first, name, meta); err != nil {
			return nil, err
		}
		f = f.Pick(data.Evenly(f.Len(), n))
		f.LogW = nil
		set, err := analysis.NewSet(g.Reference.Question, analysis.Options{Name: name, Seed: g.Seed}, f, meta)
		if err != nil {
			return nil, err
		}
		e := ForceError{Set: name, N: f.Len()}
		var forces [2][]float64
		for k, error := range []*reweight.Estimate{&e.U, &e.B} {
			if _, forces[k], err = models[k].EnergyForce(ctx, data.Widened(f.R)); err != nil {
				return nil, err
			}
			if error.Value, error.Error, err = pmf.NoiseFloor(f.F, forces[k]); err != nil {
				return nil, err
			}
			e.Out[k], e.In[k] = sideErrors(set.In[set.Question.Split.State], f.F, forces[k])
		}
		if e.Noise.Value, e.Noise.Error, err = pmf.NoiseBoundOf(f.F, forces[:]...); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// sideErrors are mean squared errors of forces over frames out of a state and in it.
func sideErrors(inside []bool, f []float32, force []float64) (out, in float64) {
	var sum, n [2]float64
	dim := len(f) / len(inside)
	for i, in := range inside {
		side := 0
		if in {
			side = 1
		}
		for k := range dim {
			d := float64(f[i*dim+k]) - force[i*dim+k]
			sum[side] += d * d
			n[side]++
		}
	}
	return sum[0] / n[0], sum[1] / n[1]
}
