package topology

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// A sample in which one chiral centre has another hand than in the frames gets no weight. With one centre the
// potential, invariant under reflection, cannot tell it from its mirror image; with more of them it is another
// molecule, which forces on these frames say nothing about.

// Discard takes the weight of samples r, [n, beads, 3], that have another hand than the frames; g may be nil.
func (g *Geometry) Discard(logw, r []float64) {
	if g == nil || len(g.Centres) == 0 || len(logw) == 0 {
		return
	}
	dim := len(r) / len(logw)
	for i := range logw {
		if !g.Right(r[i*dim : (i+1)*dim]) {
			logw[i] = math.Inf(-1)
		}
	}
}

// leastSpread is how many effective samples have a width at least.
const leastSpread = 2

// Fidelity is how much samples r, [n, beads, 3], look like the frames. logw: log-weights, [n]; nil: there are none.
func (g *Geometry) Fidelity(r []float64, beads int, logw []float64) reweight.Fidelity {
	n := len(r) / (3 * beads)
	out := reweight.Fidelity{N: n, Centres: len(g.Centres), Bonds: len(g.Bonds), Angles: len(g.Angles)}
	wrong, none := 0, 0
	weight, err := reweight.Normalize(logw)
	for i, w := range g.WrongHand(r, beads) {
		switch {
		case w:
			wrong++
			if err == nil {
				out.WrongWeight += weight[i]
			}
		case logw != nil && math.IsInf(logw[i], -1):
			none++
		}
	}
	out.WrongHand, out.NoWeight = reweight.Share(wrong, n), reweight.Share(none, n)
	if before, angles, err := g.widths(r, beads, nil); err == nil {
		out.BondWidthBefore, out.AngleWidthBefore = before, angles
	}
	// Weights that are none, or of one sample, have a verdict of their own.
	if ess, e := reweight.ESS(logw); e == nil && ess*float64(n) >= leastSpread {
		if after, angles, err := g.widths(r, beads, logw); err == nil {
			out.BondWidth, out.AngleWidth = after, angles
		}
	}
	return out
}

// FidelityOf is how much samples look like the frames that m tells of; zero where it tells nothing.
// Error: that of Described.
func FidelityOf(f *data.Frames, m data.Meta) (reweight.Fidelity, error) {
	g, err := Described(m)
	if g == nil || err != nil || f.Dim != 3 {
		return reweight.Fidelity{}, err
	}
	return g.Fidelity(data.Widened(f.R), f.Beads, f.LogW), nil
}
