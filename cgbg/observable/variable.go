package observable

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/cgbg-go/lab/data"
)

// Degree is one in rad: variables that are angles are shown in degrees.
const Degree = math.Pi / 180

// Variable is a named number of every frame: a function of its positions, or a column of its file.
type Variable struct {
	// Name is that of results; see ParseVariable for what it may hold. Label is that of figures: "φ, ALA2".
	Name, Label string
	// Unit is what text and figures show it in ("degrees", "nm", "", …), and Scale is that many shown units per
	// internal one (rad, nm, kJ/mol).
	Unit  string
	Scale float64
	// Period is that of an angle, internal units: values are in [−Period/2, Period/2]; 0: none.
	Period float64
	// Lo and Hi are the range that counts, internal units; both 0: that of the values. It does not limit a circle.
	Lo, Hi float64
	// Text is the definition that ParseVariable read, "" of a Go function.
	Text string
	// File is what rmsd is from; who has read the text makes it absolute.
	File string

	column string                                        // of the frames, instead of a function
	bind   func(v *Variable, in system) (measure, error) // finds the beads
}

// measure is a number of one frame, [beads*dim].
type measure func(frame []float64) float64

// system is what frames are of.
type system struct {
	beads      []string // names; nil where nobody gave any
	count, dim int
}

// NewVariable makes a variable of any function of one frame, r: [beads*3], nm (or [beads*dim] of frames in other
// dimensions), in internal units. unit is the one shown: of "degrees" the function gives rad. Set Period for an angle
// that goes round, Label, Lo and Hi as needed. The function is called for one frame after the other. What a name may
// hold says ParseVariable; Of reports one that cannot be.
func NewVariable(name, unit string, of func(r []float64) float64) Variable {
	bind := func(*Variable, system) (measure, error) { return of, nil }
	v := Variable{Name: name, Label: name, Unit: unit, Scale: 1, bind: bind}
	if unit == "degrees" {
		v.Scale = 1 / Degree
	}
	return v
}

// Of is the variable in every frame, [n], internal units; m: what the frames are. It is NaN where it is not defined
// (the torsion of beads in a line), which a score refuses unless the frame has weight zero.
// Errors: beads, residues or columns that are not there, with those that are; a file that cannot be read.
func (v Variable) Of(f *data.Frames, m data.Meta) ([]float64, error) {
	if v.column != "" {
		return v.ofColumn(f)
	}
	return values(&v, f.R, system{m.Beads, f.Beads, f.Dim})
}

// OfPositions is Of of positions alone, r: [n, beads, dim], nm.
// Errors: those of Of, a column, positions that are no whole frames.
func (v Variable) OfPositions(r []float64, m data.Meta) ([]float64, error) {
	if v.column != "" {
		return nil, fmt.Errorf("observable: variable %s: positions alone have no column %s", v.Name, v.column)
	}
	dim := m.Dim
	if dim == 0 {
		dim = 3
	}
	return values(&v, r, system{m.Beads, len(m.Beads), dim})
}

func values[T float32 | float64](v *Variable, r []T, in system) ([]float64, error) {
	if err := checkName(v.Name); err != nil {
		return nil, err
	}
	width := in.count * in.dim
	switch {
	case v.bind == nil:
		return nil, fmt.Errorf("observable: variable %q has no function; make it with NewVariable or ParseVariable",
			v.Name)
	case in.beads != nil && len(in.beads) != in.count:
		return nil, fmt.Errorf("observable: variable %s: %d names for %d beads", v.Name, len(in.beads), in.count)
	case width == 0 || len(r)%width != 0:
		return nil, fmt.Errorf("observable: variable %s: %d numbers are no frames of %d beads in %d dimensions",
			v.Name, len(r), in.count, in.dim)
	}
	of, err := v.bind(v, in)
	if err != nil {
		return nil, fmt.Errorf("observable: variable %s: %w", v.Name, err)
	}
	circle := v.circle()
	out, frame := make([]float64, len(r)/width), make([]float64, width)
	for i := range out {
		for k, x := range r[i*width : (i+1)*width] {
			frame[k] = float64(x)
		}
		out[i] = circle.wrap(of(frame))
	}
	return out, nil
}

// circle is the axis that wraps the variable; one without a period does nothing.
func (v *Variable) circle() Axis {
	return Axis{Lo: -v.Period / 2, Hi: v.Period / 2, Periodic: v.Period > 0}
}

// Missing tells whether the variable is a column that frames do not have.
func (v *Variable) Missing(f *data.Frames) bool {
	if v.column == "" {
		return false
	}
	_, err := v.ofColumn(f)
	return err != nil
}

func (v *Variable) ofColumn(f *data.Frames) ([]float64, error) {
	columns := []struct {
		name string
		x    []float64
	}{{"bias", f.Bias}, {"logw", f.LogW}, {"logq", f.LogQ}, {"u", f.U}}
	var there []string
	for _, c := range columns {
		if c.x != nil {
			there = append(there, c.name)
		}
		if c.name == v.column && c.x != nil {
			return append([]float64(nil), c.x...), nil
		}
	}
	has := "none"
	if len(there) > 0 {
		has = strings.Join(there, ", ")
	}
	return nil, fmt.Errorf("observable: variable %s: the frames have no column %s; "+
		"of those that can be one they have %s", v.Name, v.column, has)
}

// Axis is the range of the variable in bins: the circle, Lo to Hi, or else that of the values (of the reference, say)
// with a twentieth added at both ends, though not across zero.
// Errors: Hi not above Lo, no finite value to take the range from.
func (v Variable) Axis(bins int, values []float64) (Axis, error) {
	a := Axis{Lo: v.Lo, Hi: v.Hi, Bins: bins}
	switch {
	case v.Period > 0:
		a = v.circle()
		a.Bins = bins
	case v.Lo == 0 && v.Hi == 0:
		a.Lo, a.Hi = math.Inf(1), math.Inf(-1)
		for _, x := range values {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				a.Lo, a.Hi = min(a.Lo, x), max(a.Hi, x)
			}
		}
		if a.Lo > a.Hi {
			return a, fmt.Errorf("observable: variable %s: no value to take a range from; set one", v.Name)
		}
		margin := (a.Hi - a.Lo) / 20
		if margin == 0 { // a constant
			margin = max(0.5, math.Abs(a.Lo)/20)
		}
		least := math.Inf(-1)
		if a.Lo >= 0 { // a length, say
			least = 0
		}
		a.Lo, a.Hi = max(a.Lo-margin, least), a.Hi+margin
	}
	if err := a.check(); err != nil {
		return a, fmt.Errorf("observable: variable %s: %w", v.Name, err)
	}
	return a, nil
}

// checkName returns an error unless a name can stand in states, results and the names of files.
func checkName(name string) error {
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`<>=≤≥()/\,"`, r)
	}
	switch {
	case name == "":
		return fmt.Errorf("observable: a variable without a name")
	case strings.ContainsFunc(name, bad):
		return fmt.Errorf("observable: variable %q: a name has no spaces and none of <>=≤≥()/\\,\"", name)
	case name == "and" || name == "or":
		return fmt.Errorf("observable: variable %q: that word joins conditions; choose another name", name)
	}
	if _, ok := number(name); ok {
		return fmt.Errorf("observable: variable %q: a name is not a number", name)
	}
	return nil
}
