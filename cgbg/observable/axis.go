package observable

import (
	"fmt"
	"math"
)

// Axis is the range of a variable and how many bins it is cut into: an interval, or once round a circle.
type Axis struct {
	// Lo and Hi are the ends, in the unit of the variable; those of a circle are one point.
	Lo, Hi float64
	// Bins is the number of equal bins.
	Bins int
	// Periodic closes the range to a circle: values beyond it count at their place on it.
	Periodic bool
}

// Circle is the axis of an angle, [−π, π), rad.
func Circle(bins int) Axis { return Axis{Lo: -math.Pi, Hi: math.Pi, Bins: bins, Periodic: true} }

// Centers are the middles of the bins, [Bins]: the grid of a profile along the axis.
func (a Axis) Centers() []float64 { return Centers(Edges(a.Lo, a.Hi, a.Bins)) }

// check returns an error unless the axis has a range and bins.
func (a Axis) check() error {
	if a.Bins < 1 || !(a.Hi > a.Lo) || math.IsInf(a.Hi-a.Lo, 0) {
		return fmt.Errorf("an axis of %d bins from %g to %g; want a bin or more, from low to high", a.Bins, a.Lo, a.Hi)
	}
	return nil
}

// wrap puts a value on the circle. What is within the range, both ends included, stays as it is.
func (a Axis) wrap(v float64) float64 {
	if !a.Periodic || v >= a.Lo && v <= a.Hi {
		return v
	}
	turn := a.Hi - a.Lo
	return min(max(v-turn*math.Floor((v-a.Lo)/turn), a.Lo), a.Hi) // rounding may put it beyond
}

// inefficiency is that of a series along the axis; on a circle the larger one of cosine and sine.
func (a Axis) inefficiency(x []float64) float64 {
	if !a.Periodic {
		return Inefficiency(x)
	}
	g, wave := 1.0, make([]float64, len(x))
	for _, f := range []func(float64) float64{math.Cos, math.Sin} {
		for i, v := range x {
			wave[i] = f(2 * math.Pi / (a.Hi - a.Lo) * v)
		}
		g = max(g, Inefficiency(wave))
	}
	return g
}
