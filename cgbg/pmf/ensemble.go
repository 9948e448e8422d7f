package pmf

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
)

// Ensemble are potentials trained alike but for their seeds. Where they
// disagree they extrapolate: their spread guards a reweighting against wells
// that the data say nothing about.
type Ensemble struct {
	Models []*Model
}

// FitEnsemble trains members potentials, with the seeds cfg.Seed, cfg.Seed+1, …
// and a checkpoint file for each. Errors: those of Fit, with the member.
func FitEnsemble(ctx context.Context, backend compute.Backend, pot Potential, r, f []float32, members int,
	cfg Config) (*Ensemble, []*train.History, error) {
	if members < 2 {
		return nil, nil, fmt.Errorf("pmf: an ensemble of %d: a spread takes two or more", members)
	}
	e := &Ensemble{}
	var histories []*train.History
	for k := range members {
		c := cfg
		c.Seed = cfg.Seed + uint64(k)
		if cfg.Checkpoint != "" {
			ext := filepath.Ext(cfg.Checkpoint)
			c.Checkpoint = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(cfg.Checkpoint, ext), k, ext)
		}
		if cfg.Progress != nil {
			c.Progress = func(done, total int, note string) {
				cfg.Progress(k*total+done, members*total, fmt.Sprintf("potential %d/%d, %s", k+1, members, note))
			}
		}
		m, h, err := Fit(ctx, backend, pot, r, f, c)
		if err != nil {
			return nil, nil, fmt.Errorf("pmf: potential %d of %d: %w", k+1, members, err)
		}
		e.Models, histories = append(e.Models, m), append(histories, h)
	}
	return e, histories, nil
}

// Energy evaluates the mean of the members' U and their standard deviation
// (divisor members − 1). Every member is first shifted to mean 0 over the
// frames, since a potential of mean force has no zero of its own.
//
// r: frames, [n*dim]; results: [n].
func (e *Ensemble) Energy(ctx context.Context, r []float64) (mean, spread []float64, err error) {
	var all [][]float64
	for k, m := range e.Models {
		u, err := m.Energy(ctx, r)
		if err != nil {
			return nil, nil, fmt.Errorf("pmf: potential %d of %d: %w", k+1, len(e.Models), err)
		}
		all = append(all, u)
	}
	mean, spread = MeanEnergy(all...)
	return mean, spread, nil
}

// MeanEnergy is [Ensemble.Energy] of energies that two or more members gave already, each [n].
func MeanEnergy(members ...[]float64) (mean, spread []float64) {
	var all [][]float64
	for _, member := range members {
		u := slices.Clone(member)
		var shift float64
		for _, v := range u {
			shift += v / float64(len(u))
		}
		for i := range u {
			u[i] -= shift
		}
		all = append(all, u)
	}
	n := float64(len(all))
	mean, spread = make([]float64, len(all[0])), make([]float64, len(all[0]))
	for i := range mean {
		for _, u := range all {
			mean[i] += u[i] / n
		}
		for _, u := range all {
			spread[i] += (u[i] - mean[i]) * (u[i] - mean[i]) / (n - 1)
		}
		spread[i] = math.Sqrt(spread[i])
	}
	return mean, spread
}
