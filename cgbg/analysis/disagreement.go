package analysis

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Disagreement is how far potentials that differ in nothing but their seeds are apart on weighted samples.
type Disagreement struct {
	Members int
	Spread  float64 // of energies, rms over the weighted samples, kT
	Beyond  float64 // weight of samples where they differ by more than 2 kT: extrapolation
}

// farApart is the spread of energies, kT, from which a sample counts as one that the potentials know nothing of.
const farApart = 2

// Disagree compares the energies of two or more potentials, [members][n], kJ/mol, each up to a constant, on samples
// with log-weights by their mean. Errors: those of [reweight.Normalize].
func Disagree(energies [][]float64, logw []float64, kT float64) (d Disagreement, err error) {
	d.Members = len(energies)
	weight, err := reweight.Normalize(logw)
	if err != nil {
		return d, err
	}
	_, spread := pmf.MeanEnergy(energies...)
	for i, w := range weight {
		d.Spread += w * spread[i] * spread[i] / (kT * kT)
		if spread[i] > farApart*kT {
			d.Beyond += w
		}
	}
	d.Spread = math.Sqrt(d.Spread)
	return d, nil
}
