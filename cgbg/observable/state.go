package observable

import (
	"fmt"
	"math"
	"slices"
)

// StateFormat explains the text of states.
const StateFormat = `A state is one or more conditions on variables, joined by "and" and "or" ("and" binds first) and
grouped by parentheses:
  phi4 > 0 and phi4 < 120
  0 < torsion <= 120
  d < 0.5 or (d < 1 and rg > 0.6)
Numbers are in the unit that the variable is shown in (degrees, nm). On a circle two bounds may go
across its end: 150 < psi < 210.
`

// State is a named region of variables.
type State struct {
	Name string
	Text string // as it was read
	root condition
}

// condition is bounds of one variable, or several conditions of which all hold, or one at least.
type condition struct {
	of   *bounds
	all  bool
	list []condition
}

// bounds of a variable, internal units.
type bounds struct {
	variable   string
	lo, hi     float64 // −Inf, +Inf: none
	loIn, hiIn bool    // the bound itself belongs to it
	period     float64 // of variables on a circle with two bounds; else 0
}

// Variables are the names of those that the state is of, in order.
func (s State) Variables() []string {
	var names []string
	s.root.each(func(b *bounds) {
		if !slices.Contains(names, b.variable) {
			names = append(names, b.variable)
		}
	})
	return names
}

func (c *condition) each(do func(*bounds)) {
	if c.of != nil {
		do(c.of)
	}
	for i := range c.list {
		c.list[i].each(do)
	}
}

// In tells of every frame whether it is in the state, [n]. values: those of each variable, [n], internal units. A NaN
// is in no bounds. Errors: a variable that has no values, or another number of them.
func (s State) In(values map[string][]float64) ([]bool, error) {
	names := s.Variables()
	if len(names) == 0 {
		return nil, fmt.Errorf("observable: state %q has no conditions; make it with ParseState", s.Name)
	}
	n := len(values[names[0]])
	for _, name := range names {
		x, ok := values[name]
		if !ok {
			return nil, fmt.Errorf("observable: state %s: no values of variable %s", s.Name, name)
		}
		if len(x) != n {
			return nil, fmt.Errorf("observable: state %s: %d values of %s, %d of %s", s.Name, n, names[0], len(x), name)
		}
	}
	return s.root.in(values, n), nil
}

func (c *condition) in(values map[string][]float64, n int) []bool {
	out := make([]bool, n)
	if c.of != nil {
		for i, x := range values[c.of.variable] {
			out[i] = c.of.in(x)
		}
		return out
	}
	for k := range c.list {
		for i, in := range c.list[k].in(values, n) {
			switch {
			case k == 0:
				out[i] = in
			case c.all:
				out[i] = out[i] && in
			default:
				out[i] = out[i] || in
			}
		}
	}
	return out
}

func (b *bounds) in(x float64) bool {
	if b.period == 0 {
		return b.between(x)
	}
	// Turns that bring x to the lower bound or beyond it; one more each way, since the bounds decide.
	turns := math.Floor((b.lo - x) / b.period)
	for k := range 3 {
		if b.between(x + (turns+float64(k))*b.period) {
			return true
		}
	}
	return false
}

func (b *bounds) between(x float64) bool {
	return (x > b.lo || b.loIn && x == b.lo) && (x < b.hi || b.hiIn && x == b.hi)
}

// rounding is by how much a circle may be exceeded: 180 degrees are π only to the last digits.
const rounding = 1e-9

// check returns an error where no value, or every one, is in the bounds by mistake; lo and hi are shown as they were
// written. On a circle it sets the period of two bounds.
func (b *bounds) check(v *Variable, lo, hi float64) error {
	two := !math.IsInf(lo, 0) && !math.IsInf(hi, 0)
	if two && !(lo < hi || lo == hi && b.loIn && b.hiIn) {
		cure := "want the smaller one first"
		if v.Period > 0 {
			cure = fmt.Sprintf("across the end of the circle it is %g < %s < %g", lo, v.Name, hi+v.Period*v.scale())
		}
		return fmt.Errorf("nothing is between %g and %g; %s", lo, hi, cure)
	}
	if v.Period == 0 {
		return nil
	}
	half := v.Period / 2 * v.scale()
	if two {
		b.period = v.Period
		if hi-lo > 2*half*(1+rounding) {
			return fmt.Errorf("from %g to %g is more than once round the circle, %g", lo, hi, 2*half)
		}
		return nil
	}
	for _, bound := range []float64{lo, hi} { // one of them is infinite
		if !math.IsInf(bound, 0) && math.Abs(bound) > half*(1+rounding) {
			return fmt.Errorf("%g is not on the circle, -%g to %g; two bounds may go across its end", bound, half, half)
		}
	}
	return nil
}

// scale is the shown units of an internal one; 1 where nobody set it.
func (v *Variable) scale() float64 {
	if v.Scale == 0 {
		return 1
	}
	return v.Scale
}
