package study

import (
	"context"
	"slices"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// EnergyRange says where a set of configurations lies on the learned potential, and so what limits weights: samples far
// above the frames are the flow's fault, dynamics far from them the potential's.
type EnergyRange struct {
	Name              string  // of the configurations, in results
	Low, Median, High float64 // quantiles 0.1, 0.5 and 0.9 of U, kT, relative to the mean of the frames
	Bond              float64 // standard deviation of the length of the bond named in Of, nm
	Of                string
	N                 int // configurations

	prefix string
}

// EnergyRanges evaluates the potential of a kind of simulation on the frames that its flow did not see, on the
// potential's own dynamics, and on samples of every kind of flow but for those of the wrong handedness.
// bond: two beads.
func EnergyRanges(ctx context.Context, g *cgbg.Generator, of string, bond [2]string,
	kinds []cgbg.FlowKind) ([]EnergyRange, error) {
	frames, meta, err := g.FlowFrames[of]()
	if err != nil {
		return nil, err
	}
	shape := topology.Of(frames)
	length, err := observable.ParseVariable("bond", "distance("+bond[0]+","+bond[1]+")")
	if err != nil {
		return nil, err
	}
	_, held := cgbg.HoldOut(frames.Len())
	d, err := runDynamics(ctx, g, of, nil)
	if err != nil {
		return nil, err
	}
	sets := []struct {
		name string
		r    []float64
	}{{"frames", data.Widened(frames.Positions(held))}, {"langevin", d.R}}
	for _, kind := range kinds {
		f, _, err := g.With(kind.Options()).Samples(ctx, of, of, nil)
		if err != nil {
			return nil, err
		}
		all := data.Widened(f.R)
		var r []float64
		wrong := shape.WrongHand(all, f.Beads)
		for i, frame := range slices.Collect(slices.Chunk(all, f.Width())) {
			if !wrong[i] {
				r = append(r, frame...)
			}
		}
		sets = append(sets, struct {
			name string
			r    []float64
		}{kind.String(), r})
	}
	u, err := g.OpenPMF(ctx, of, g.Name+": frames of the simulation", meta)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	var out []EnergyRange
	zero, kT := 0.0, units.KT(meta.Temperature)
	for k, s := range sets {
		e, err := u.Energy(ctx, s.r)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			zero = stat.Mean(e, nil)
		}
		slices.Sort(e)
		at := func(q float64) float64 { return (stat.Quantile(q, stat.Empirical, e, nil) - zero) / kT }
		x, err := length.OfPositions(s.r, meta)
		if err != nil {
			return nil, err
		}
		out = append(out, EnergyRange{Name: s.name, Low: at(0.1), Median: at(0.5), High: at(0.9),
			Bond: stat.StdDev(x, nil), Of: bond[0] + "–" + bond[1], N: len(e), prefix: g.Name})
	}
	return out, nil
}

// Results are the numbers under the names of results.json.
func (e EnergyRange) Results() []result.Result {
	return result.Behind(e.prefix, []result.Result{
		result.New("energy_median_"+e.Name, e.Median, result.None, result.None, "kT", e.N),
		result.New("bond_sd_"+e.Name, e.Bond, result.None, result.None, "nm", e.N),
	})
}
