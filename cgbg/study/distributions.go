package study

import (
	"context"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// referenceFrames are frames of the unbiased simulation, evenly spaced, at most n.
func referenceFrames(g *cgbg.Generator, n int) (*data.Frames, data.Meta, error) {
	f, meta, err := g.ForceFrames[cgbg.Unbiased]()
	if err != nil {
		return nil, meta, err
	}
	return f.Pick(data.Evenly(f.Len(), min(n, limits(g).reference))), meta, nil
}

// drawEnergies draws the distribution of the potential's energies in the samples as
// they came and weighted, and in frames of the unbiased simulation (paper, Fig. 3b, 4b).
func drawEnergies(ctx context.Context, g *cgbg.Generator, flowOf, pmfOf string) (figure.Picture, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return figure.Picture{}, err
	}
	u, err := g.OpenPMF(ctx, pmfOf, g.Name+": samples of the flow", meta)
	if err != nil {
		return figure.Picture{}, err
	}
	defer u.Finalize()
	frames, frameMeta, err := referenceFrames(g, 4000)
	if err == nil {
		err = cgbg.Belong(g.Name+": samples of the flow", meta, g.Name+": frames of the simulation", frameMeta)
	}
	if err != nil {
		return figure.Picture{}, err
	}
	e, err := u.Energy(ctx, data.Widened(frames.R))
	if err != nil {
		return figure.Picture{}, err
	}
	w, err := reweight.Normalize(f.LogW)
	if err != nil {
		return figure.Picture{}, err
	}
	zero := stat.Mean(e, nil) // of the potential, which is arbitrary
	shift := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = v - zero
		}
		return out
	}
	summary := reweight.Summarize(f.LogW)
	return analysis.EnergyFigure(g.Seed, &summary,
		analysis.Sample{Name: "MD", Role: figure.Simulation, X: shift(e),
			Block: analysis.BlockLength(observable.Inefficiency(e), len(e))},
		analysis.Sample{Name: cgbg.Flow, Role: figure.Before, X: shift(f.U)},
		analysis.Sample{Name: "flow, reweighted", Role: figure.After, X: shift(f.U), Weight: w})
}

// drawBonds draws the lengths of the peptide bonds in frames of the unbiased
// simulation and in the samples as they came and weighted (paper, Fig. 14).
func drawBonds(ctx context.Context, g *cgbg.Generator, flowOf, pmfOf string) (figure.Picture, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return figure.Picture{}, err
	}
	frames, frameMeta, err := referenceFrames(g, 10000)
	if err != nil {
		return figure.Picture{}, err
	}
	plain := *f
	plain.LogW = nil
	var sets []*analysis.BondSet
	for _, s := range []struct {
		title string
		role  figure.Role
		f     *data.Frames
		meta  data.Meta
	}{{"MD", figure.Simulation, frames, frameMeta}, {cgbg.Flow, figure.Before, &plain, meta},
		{"flow, reweighted", figure.After, f, meta}} {
		set, err := analysis.NewBondSet(g.Name, s.title, s.role, s.f, s.meta)
		if err != nil {
			return figure.Picture{}, err
		}
		sets = append(sets, set)
	}
	return analysis.BondFigure(g.Seed, sets...)
}
