package ode

import "math"

// controller is the proportional–integral step controller with the constants
// that Hairer, Nørsett & Wanner (Solving ODEs II, section IV.2) recommend for
// methods of order five: exponents 0.2−0.75·0.04 and 0.04, safety factor 0.9.
type controller struct {
	previous float64 // error of the last accepted step
	rejected bool    // the last step was rejected: do not grow at once
}

func newController() *controller { return &controller{previous: 1e-4} }

const (
	piBeta     = 0.04
	piAlpha    = 0.2 - 0.75*piBeta
	safety     = 0.9
	minFactor  = 0.2
	maxFactor  = 10
	errorFloor = 1e-10 // an exact step must not make the factor infinite
)

// next takes the error of a step in units of the tolerance, and returns the
// factor for the step size and whether the step is accepted.
func (c *controller) next(e float64) (factor float64, accept bool) {
	e = math.Max(e, errorFloor)
	if e > 1 {
		c.rejected = true
		return math.Max(minFactor, safety*math.Pow(e, -piAlpha)), false
	}
	factor = safety * math.Pow(e, -piAlpha) * math.Pow(c.previous, piBeta)
	factor = math.Min(maxFactor, math.Max(minFactor, factor))
	if c.rejected {
		factor = math.Min(factor, 1)
	}
	c.previous = math.Max(e, 1e-4)
	c.rejected = false
	return factor, true
}
