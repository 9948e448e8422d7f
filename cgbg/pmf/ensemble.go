package pmf

import (
	"math"
	"slices"
)

// MeanEnergy is the mean of the energies of two or more potentials that were trained alike but for their seeds, and
// their standard deviation (divisor members − 1). Every member is first shifted to mean 0 over the frames, since a
// potential of mean force has no zero of its own. Where members disagree they extrapolate: their spread guards a
// reweighting against wells that the data say nothing about.
//
// members: [n] each; results: [n].
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
