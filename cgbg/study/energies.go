package cgbg

import (
	"context"
	"slices"

	"github.com/cgbg-go/lab/cgbg/observable"
	"gonum.org/v1/gonum/stat"
)

// Energies says where a set of configurations lies on the learned potential, and
// so what limits weights: samples far above the frames are the flow's fault,
// dynamics far from them the potential's.
type Energies struct {
	Name              string  // in results
	Low, Median, High float64 // quantiles 0.1, 0.5 and 0.9 of U, kT, relative to the mean of the frames
	Bond              float64 // standard deviation of the length of the bond N–CA, nm
	N                 int     // configurations
}

// Energies evaluates the potential on the frames that flows did not see, on its own
// dynamics, and on samples of every kind of flow but for those of the wrong handedness.
func (a *Alanine) Energies(ctx context.Context) ([]Energies, error) {
	_, held := holdOut(a.Frames.Len())
	d, err := a.Dynamics(ctx, nil)
	if err != nil {
		return nil, err
	}
	sets := []struct {
		name string
		r    []float64
	}{{"frames", widened(positions(a.Frames, held))}, {"langevin", d.R}}
	for _, kind := range FlowKinds {
		p, err := a.proposeFrom(ctx, kind, nil)
		if err != nil {
			return nil, err
		}
		var r []float64
		wrong := a.shape.WrongHand(p.R, a.Frames.Beads)
		for i, frame := range slices.Collect(slices.Chunk(p.R, a.Frames.Width())) {
			if !wrong[i] {
				r = append(r, frame...)
			}
		}
		sets = append(sets, struct {
			name string
			r    []float64
		}{kind.String(), r})
	}
	u, _, err := a.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	var out []Energies
	zero := 0.0
	for k, s := range sets {
		e, err := u.Energy(ctx, s.r)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			zero = stat.Mean(e, nil)
		}
		slices.Sort(e)
		at := func(q float64) float64 { return (stat.Quantile(q, stat.Empirical, e, nil) - zero) / a.KT }
		bond := stat.StdDev(observable.BondLengths(s.r, a.Frames.Beads, [2]int(a.residue.Center[:2])), nil)
		out = append(out, Energies{s.name, at(0.1), at(0.5), at(0.9), bond, len(e)})
	}
	return out, nil
}

// Results are the numbers under the names of results.json.
func (e Energies) Results() []Result {
	return []Result{
		{"cb/energy_median_" + e.Name, e.Median, none, none, "kT", e.N},
		{"cb/bond_sd_" + e.Name, e.Bond, none, none, "nm", e.N},
	}
}
