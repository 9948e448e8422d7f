package topology

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"gonum.org/v1/gonum/stat"
)

// Geometry is what frames have in common.
type Geometry struct {
	Bonds   []Coordinate `json:"bonds,omitempty"`
	Angles  []Coordinate `json:"angles,omitempty"`
	Centres []Centre     `json:"chiral_centres"`
}

// Coordinate is the length of a bond, nm, or the angle at the middle one of three beads, rad.
type Coordinate struct {
	Beads []int   `json:"beads"` // two or three
	Mean  float64 `json:"mean"`
	SD    float64 `json:"sd"` // standard deviation
	// WeightedSD is that of weighted frames, of a biased simulation; zero where they have no weights.
	WeightedSD float64 `json:"weighted_sd,omitempty"`
}

// minFrames is the least number of frames that tell what does not change.
const minFrames = 10

// Limits of the coordinates that are kept: constraints have no width that another one could be held to, and angles
// softer than the second (11 degrees) tell of the conformers.
const (
	constrained = 0.003 // relative to the mean
	softAngle   = 0.2   // rad
)

// Find finds bonds, angles and chiral centres in frames, [n, beads, 3]; weight: those of frames of a biased simulation,
// [n], of any scale; nil for one each. Bonds and angles are those that fluctuate a little: what is constrained or soft
// is left out. Of fewer than ten frames there are none.
func Find(r []float32, beads int, weight []float64) *Geometry {
	g := &Geometry{Centres: []Centre{}}
	if beads < 2 || len(r) < minFrames*3*beads {
		return g
	}
	pairs := bonds(r, beads)
	for _, p := range pairs {
		c := coordinate(r, beads, p[:], weight)
		if c.SD >= constrained*c.Mean {
			g.Bonds = append(g.Bonds, c)
		}
	}
	for bead, around := range neighbours(pairs, beads) {
		for i := range around {
			for _, other := range around[i+1:] {
				c := coordinate(r, beads, []int{around[i], bead, other}, weight)
				if c.SD >= constrained*c.Mean && c.SD <= softAngle {
					g.Angles = append(g.Angles, c)
				}
			}
		}
		if c, ok := centre(r, beads, bead, around); ok {
			g.Centres = append(g.Centres, c)
		}
	}
	return g
}

// coordinate measures the bond or the angle of some beads.
func coordinate(r []float32, beads int, of []int, weight []float64) Coordinate {
	c := Coordinate{Beads: of}
	x := values(r, beads, of)
	c.Mean, c.SD = stat.PopMeanStdDev(x, nil)
	if weight != nil {
		_, c.WeightedSD = stat.PopMeanStdDev(x, weight)
	}
	return c
}

// values are the lengths or angles in every frame.
func values[T float32 | float64](r []T, beads int, of []int) []float64 {
	if len(of) == 2 {
		return observable.BondLengths(r, beads, [2]int(of))
	}
	return observable.Angles(r, beads, [3]int(of))
}

// WrongHand says of every frame, [n, beads, 3], whether one of its centres at least has another hand.
func (g *Geometry) WrongHand(r []float64, beads int) []bool {
	out := make([]bool, len(r)/(3*beads))
	for i := range out {
		out[i] = !g.Right(r[i*3*beads : (i+1)*3*beads])
	}
	return out
}

// Right tells whether all centres of a frame, [beads, 3], have their hands.
func (g *Geometry) Right(frame []float64) bool {
	for _, c := range g.Centres {
		if !c.Right(frame) {
			return false
		}
	}
	return true
}

// widths are how wide bonds and angles of other frames are: √⟨s²/σ²⟩, the root mean square over the bonds (or the
// angles) of their standard deviation s over σ, that of the frames that were looked at; 1 for frames alike. Errors are
// those of independent frames, of r alone. r: [n, beads, 3]; logw: log-weights, [n], held to weighted frames where
// these have weights; nil for one each. Zero where there are no bonds (or angles). Errors: log-weights that cannot be
// used.
func (g *Geometry) widths(r []float64, beads int, logw []float64) (bonds, angles reweight.Estimate, err error) {
	weighted := logw != nil
	if !weighted {
		logw = make([]float64, len(r)/(3*beads))
	}
	if bonds, err = width(g.Bonds, r, beads, logw, weighted); err == nil {
		angles, err = width(g.Angles, r, beads, logw, weighted)
	}
	return bonds, angles, err
}

func width(list []Coordinate, r []float64, beads int, logw []float64, weighted bool) (reweight.Estimate, error) {
	if len(list) == 0 {
		return reweight.Estimate{}, nil
	}
	square := make([]float64, len(logw)) // of a frame's deviations from the mean of these frames, over σ²
	for _, c := range list {
		sd := c.SD
		if weighted && c.WeightedSD > 0 {
			sd = c.WeightedSD
		}
		x := values(r, beads, c.Beads)
		mean, err := reweight.Average(logw, x)
		if err != nil {
			return mean, err
		}
		for i, v := range x {
			square[i] += (v - mean.Value) * (v - mean.Value) / (sd * sd * float64(len(list)))
		}
	}
	e, err := reweight.Average(logw, square)
	root := math.Sqrt(e.Value)
	return reweight.Estimate{Value: root, Error: e.Error / (2 * root)}, err
}

// Check returns an error unless all is of frames of so many beads, with widths and signs: of a geometry that was read
// from a file.
func (g *Geometry) Check(beads int) error {
	there := func(list []int) bool {
		for i, b := range list {
			if b < 0 || b >= beads || slices.Contains(list[:i], b) {
				return false
			}
		}
		return true
	}
	for _, c := range slices.Concat(g.Bonds, g.Angles) {
		if n := len(c.Beads); n < 2 || n > 3 || !there(c.Beads) || !(c.SD > 0) || !(c.WeightedSD >= 0) {
			return fmt.Errorf("topology: %+v is no bond or angle of %d beads", c, beads)
		}
	}
	for _, c := range g.Centres {
		if !there(c.Beads[:]) || c.Sign != 1 && c.Sign != -1 {
			return fmt.Errorf("topology: %+v is no chiral centre of %d beads", c, beads)
		}
	}
	return nil
}
