package gromacs

import (
	"fmt"
	"math"
	"slices"
)

const (
	turn = 2 * math.Pi

	// leastSpan is the least range of a dihedral that a simulation can be biased along, degrees: distances (nm) end
	// before.
	leastSpan = 20.0

	// placeError is how far from its place a point may be written, degrees: GROMACS writes four decimals.
	placeError = 2e-3

	// lengthError is the same, nm, where points may be 0.001 nm apart; longest: no simulated box is longer.
	lengthError, longest = 2e-4, 30.0
)

// Kind of a coordinate that was biased.
type Kind int

// Kinds of coordinates: dihedrals close on themselves; angles end at 0 and 180 degrees; lengths are in nm.
const (
	Dihedral Kind = iota
	Angle
	Length
)

// Axis is the points of a grid along a coordinate.
type Axis struct {
	Kind Kind
	// rad or nm, increasing; of a dihedral less than a turn, the first may follow on any other in the file
	Points   []float64
	Periodic bool // whether they go once round
}

// newAxis sorts the places of a grid's points, degrees or nm, at even distances. An interval of a dihedral that
// crosses ±180 degrees is written as two: it begins behind the largest gap.
func newAxis(places []float64, kind Kind) (Axis, error) {
	at := slices.Clone(places)
	slices.Sort(at)
	if kind != Dihedral {
		return openAxis(at, kind)
	}
	at = compact(at, placeError)
	if len(at) < 2 {
		return Axis{}, fmt.Errorf("fewer than two points")
	}
	low, high := at[0], at[len(at)-1]
	step := (high - low) / float64(len(at)-1)
	switch span := high - low; {
	case span > 360+placeError:
		return Axis{}, fmt.Errorf("it runs from %g to %g, farther than once round: that is no dihedral in degrees",
			low, high)
	case span > 360-placeError: // the first point once more, a turn later
		at = at[:len(at)-1]
	case span+step < leastSpan:
		return Axis{}, fmt.Errorf("it runs from %g to %g: that is no dihedral in degrees (a distance in nm?)", low,
			high)
	}
	n := len(at)
	wide, begin := 0.0, 0
	for i := range at {
		gap := at[(i+1)%n] - at[i]
		if i == n-1 {
			gap += 360
		}
		if gap > wide+placeError {
			wide, begin = gap, (i+1)%n
		}
	}
	a := Axis{Periodic: math.Abs(wide-360/float64(n)) < placeError}
	if a.Periodic {
		begin = 0
	}
	for k := range n {
		v := at[(begin+k)%n]
		if begin+k >= n {
			v += 360
		}
		a.Points = append(a.Points, v*math.Pi/180)
	}
	for i := range n - 1 {
		want := (a.Points[n-1] - a.Points[0]) / float64(n-1)
		if math.Abs(a.Points[i+1]-a.Points[i]-want) > 2*placeError*math.Pi/180 {
			return Axis{}, fmt.Errorf("its points are not at even distances: %g and %g", a.Points[i]*180/math.Pi,
				a.Points[i+1]*180/math.Pi)
		}
	}
	return a, nil
}

// openAxis is that of a coordinate with ends, whose places are sorted.
func openAxis(at []float64, kind Kind) (Axis, error) {
	unit, off := 1.0, lengthError
	if kind == Angle {
		unit, off = math.Pi/180, placeError
	}
	at = compact(at, off)
	n := len(at)
	if n < 2 {
		return Axis{}, fmt.Errorf("fewer than two points")
	}
	switch low, high := at[0], at[n-1]; {
	case kind == Angle && (low < -placeError || high > 180+placeError):
		return Axis{}, fmt.Errorf("it runs from %g to %g: that is no angle in degrees", low, high)
	case kind == Length && high-low > longest:
		return Axis{}, fmt.Errorf("it runs from %g to %g: that is no length in nm (degrees?)", low, high)
	}
	a := Axis{Kind: kind}
	for i, v := range at {
		if want := at[0] + (at[n-1]-at[0])*float64(i)/float64(n-1); math.Abs(v-want) > 2*off {
			return Axis{}, fmt.Errorf("its points are not at even distances: %g where %g is expected", v, want)
		}
		a.Points = append(a.Points, v*unit)
	}
	return a, nil
}

// compact leaves one of several places that differ by rounding alone.
func compact(at []float64, off float64) []float64 {
	return slices.CompactFunc(at, func(a, b float64) bool { return math.Abs(a-b) < off })
}

// index is the point nearest to a place, degrees or nm.
func (a Axis) index(degrees float64) int {
	n := len(a.Points)
	step := (a.Points[n-1] - a.Points[0]) / float64(n-1)
	switch a.Kind {
	case Angle:
		degrees *= math.Pi / 180
		fallthrough
	case Length:
		return max(0, min(n-1, int(math.Round((degrees-a.Points[0])/step))))
	}
	u := (degrees*math.Pi/180 - a.Points[0]) / turn
	u = (u - math.Floor(u)) * turn
	if i := int(math.Round(u / step)); i < n {
		return i
	}
	if a.Periodic || turn-u < step/2 {
		return 0
	}
	return n - 1
}

// open finds the neighbours of x on an axis with ends.
func (a Axis) open(x float64) (lo, hi int, fraction float64, err error) {
	n := len(a.Points)
	first, last := a.Points[0], a.Points[n-1]
	u := (x - first) / (last - first) * float64(n-1)
	const slack = 0.05 // the last digit of a short step
	if u < -slack || u > float64(n-1)+slack {
		return 0, 0, 0, fmt.Errorf("%w: %.4g, and the grid runs from %.4g to %.4g", ErrOutside, x, first, last)
	}
	u = max(0, min(float64(n-1), u))
	lo = min(int(u), n-2)
	return lo, lo + 1, u - float64(lo), nil
}

// bracket finds the neighbours of x, rad or nm, and where between them it lies.
func (a Axis) bracket(x float64) (lo, hi int, fraction float64, err error) {
	if a.Kind != Dihedral {
		return a.open(x)
	}
	n := len(a.Points)
	first, last := a.Points[0], a.Points[n-1]
	step := (last - first) / float64(n-1)
	if a.Periodic {
		step = turn / float64(n)
	}
	u := (x - first) / turn
	u = (u - math.Floor(u)) * turn / step // from the first, in steps
	const slack = placeError * math.Pi / 180
	switch {
	case a.Periodic || u <= float64(n-1):
	case u <= float64(n-1)+slack/step:
		u = float64(n - 1)
	case u >= (turn-slack)/step:
		u = 0
	default:
		degrees := 180 / math.Pi
		return 0, 0, 0, fmt.Errorf("%w: %.1f degrees, and the grid, which does not go round, runs from %g to %g",
			ErrOutside,
			x*degrees, math.Round(first*degrees*1e4)/1e4, math.Round(last*degrees*1e4)/1e4)
	}
	lo = min(int(u), n-1)
	hi = lo + 1
	if hi == n {
		if hi = 0; !a.Periodic {
			return lo, lo, 0, nil
		}
	}
	return lo, hi, u - float64(lo), nil
}
