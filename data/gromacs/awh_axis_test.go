package gromacs

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// xvgOf writes an AWH file of these points, degrees, with this header.
func xvgOf(header string, xs, ys []float64, f func(x, y float64) float64) string {
	var b strings.Builder
	b.WriteString(header)
	for _, x := range xs {
		for _, y := range ys {
			fmt.Fprintf(&b, "  %8.4f  %8.4f  0  %.9g\n", x, y, f(x, y))
		}
	}
	return b.String()
}

func evenly(from, step float64, n int) (at []float64) {
	for i := range n {
		at = append(at, from+step*float64(i))
	}
	return at
}

const (
	inKT    = "@    title \"AWH\"\n@    yaxis  label \"(k\\sB\\NT), (nm\\S-2\\N or rad\\S-2\\N), (-)\"\n"
	legends = "@ s0 legend \"dim1\"\n@ s1 legend \"PMF\"\n@ s2 legend \"Coord bias\"\n"
	inKJ    = "@    title \"AWH\"\n@    yaxis  label \"(kJ/mol), (nm\\S-2\\N or rad\\S-2\\N), (-)\"\n"
	plainKT = "@    yaxis  label \"(kT)\"\n"
)

func first(x, _ float64) float64 { return x }

func slope(x, y float64) float64 { return math.Cos(x*math.Pi/180) + 2*math.Sin((y-x)*math.Pi/180) }

// Where a grid goes once round it has no ends, wherever it begins; where it does not, nothing is known in the gap.
func TestAWHReach(t *testing.T) {
	round := evenly(-180, 5, 72)
	across := append(evenly(100, 5, 16), evenly(-180, 5, 17)...) // 100 to 180 and on to -100
	for _, c := range []struct {
		name     string
		xs       []float64
		periodic bool
		in, out  []float64 // degrees
		ends     string
	}{
		{"round", round, true, []float64{-180, -179.9, 179.9, 180, 177.6, 541}, nil, ""},
		{"from 0", evenly(0, 5, 72), true, []float64{0, -0.1, 359.9, 180}, nil, ""},
		{"odd step", evenly(-180, 360.0/53, 53), true, []float64{-180, 179, 176.5}, nil, ""},
		{"off centre", evenly(-177.5, 5, 72), true, []float64{-179.9, 179.9, 180}, nil, ""},
		{"closed", evenly(-180, 5, 73), true, []float64{-180, 179.9, 178, 180}, nil, ""},
		{"part", evenly(-120, 5, 17), false, []float64{-120, -40, -77.7, 320}, []float64{-121, -39.9, 0, 180, -141.2},
			"from -120 to -40"},
		{"across", across, false, []float64{100, -100, 180, -180, 178.1, 260}, []float64{99.9, -99.9, 0},
			"from 100 to 260"},
		{"all but one", evenly(-175, 5, 71), false, []float64{-175, 175, 0}, []float64{180, -177, 176},
			"from -175 to 175"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseAWH(strings.NewReader(xvgOf(inKT+legends, c.xs, round, slope)), "awh.xvg")
			if err != nil {
				t.Fatal(err)
			}
			if a.Axis[0].Periodic != c.periodic || !a.Axis[1].Periodic {
				t.Errorf("periodic: got %v and %v, want %v and true", a.Axis[0].Periodic, a.Axis[1].Periodic,
					c.periodic)
			}
			for _, x := range c.in {
				for _, y := range []float64{-180, 12.3, 179.5} {
					// h²/8 times the curvatures, 3 and 2, with h of 0.12.
					if got, err := a.CoordBias(x*math.Pi/180, y*math.Pi/180); err != nil ||
						math.Abs(got-slope(x, y)) > 0.01 {
						t.Errorf("at %g, %g: got %g, %v, want %g", x, y, got, err, slope(x, y))
					}
				}
			}
			for _, x := range c.out {
				if got, err := a.CoordBias(x*math.Pi/180, 0); !errors.Is(err, ErrOutside) ||
					!strings.Contains(err.Error(), c.ends) {
					t.Errorf("at %g: got %g, %v, want %q", x, got, err, c.ends)
				}
			}
		})
	}
}

// The header says what the numbers are.
func TestAWHHeader(t *testing.T) {
	round := evenly(-180, 30, 12)
	for _, c := range []struct {
		name, text string
		kT         bool
	}{
		{"kT", xvgOf(inKT+legends, round, round, slope), true},
		{"kJ/mol", xvgOf(inKJ+legends, round, round, slope), false},
		{"kJ/mol alone", xvgOf("@ yaxis label \"(kJ/mol)\"\n"+legends, round, round, slope), false},
		{"kT, plain", xvgOf(plainKT+legends, round, round, slope), true},
		{"CRLF", strings.ReplaceAll(xvgOf(inKJ+legends, round, round, slope), "\n", "\r\n"), false},
		{"xmgr", xvgOf(inKJ+"@ legend string 0 \"dim1\"\n@ legend string 1 \"PMF\"\n@ legend string 2 \"Coord "+
			"bias\"\n", round, round, slope), false},
		{"files one behind the other", xvgOf(inKT+legends, round, round, math.Atan2) + xvgOf(inKJ+legends, round,
			round, slope), false},
		{"sets", xvgOf(inKT+legends, round, round, math.Atan2) + "&\n" + xvgOf("", round, round, slope) + "&\n", true},
	} {
		a, err := ParseAWH(strings.NewReader(c.text), "awh.xvg")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, err := a.CoordBias(-math.Pi/2, math.Pi/3); a.KT != c.kT || err != nil ||
			math.Abs(got-slope(-90, 60)) > 1e-6 {
			t.Errorf("%s: kT %v, got %g, %v, want %v, %g", c.name, a.KT, got, err, c.kT, slope(-90, 60))
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"no label", xvgOf(legends, round, round, slope), "no y label"},
		{"another unit", xvgOf("@ yaxis label \"(kcal/mol)\"\n"+legends, round, round, slope), "(kcal/mol)"},
		{"unit of the second column", xvgOf("@ yaxis label \"(-), (kJ/mol)\"\n"+legends, round, round, slope),
			"(-), (kJ/mol)"},
		{"friction", "@ yaxis label \"friction/k\\sB\\NT (nm\\S-2\\Nps or rad\\S-2\\Nps)\"\n@ s0 legend " +
			"\"dim1\"\n@ s1 legend \"0,0\"\n0 0 1\n", "friction tensor"},
		{"one dimension", inKT + "@ s0 legend \"PMF\"\n@ s1 legend \"Coord bias\"\n-180 0 1\n", "1-dimensional"},
		{"three dimensions", inKT + "@ s0 legend \"dim1\"\n@ s1 legend \"dim2\"\n@ s2 legend \"PMF\"\n-180 0 1 1\n",
			"3-dimensional"},
		{"one of two biases", xvgOf(strings.Replace(inKT, "AWH", "AWH 2", 1)+legends, round, round, slope),
			"several biases"},
		{"no header", xvgOf("", round, round, slope), "-xvg none"},
		{"distance", xvgOf(inKT+legends, evenly(0.2, 0.02, 60), round, slope), "distance"},
		{"two turns", xvgOf(inKT+legends, evenly(-360, 30, 24), round, slope), "farther than once round"},
		{"uneven", xvgOf(inKT+legends, []float64{-120, -110, -100, -70, -60, -20, 0}, round, slope), "even distances"},
		{"closed otherwise", xvgOf(inKT+legends, evenly(-180, 30, 13), round, first), "twice"},
	} {
		if _, err := ParseAWH(strings.NewReader(c.text), "awh.xvg"); !errors.Is(err, ErrFormat) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// Coordinates of other kinds: one or two, with ends.
func TestAWHKinds(t *testing.T) {
	one := strings.Replace(inKT+legends, "@ s0 legend \"dim1\"\n@ s1 legend \"PMF\"\n@ s2",
		"@ s0 legend \"PMF\"\n@ s1", 1)
	for i := range 76 {
		x := 0.25 + 0.01*float64(i)
		one += fmt.Sprintf("  %8.4f  0  %.9g\n", x, math.Cos(4*x))
	}
	a, err := ParseAWH(strings.NewReader(one), "awh.xvg", Length)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{0.25, 0.2517, 0.777, 1} {
		if got, err := a.CoordBias(x); err != nil || math.Abs(got-math.Cos(4*x)) > 2.1e-4 { // h²/8 times 16
			t.Errorf("at %g nm: got %g, %v, want %g", x, got, err, math.Cos(4*x))
		}
	}
	for _, x := range []float64{0.24, 1.01} {
		if got, err := a.CoordBias(x); !errors.Is(err, ErrOutside) {
			t.Errorf("at %g nm: got %g, %v", x, got, err)
		}
	}
	var b strings.Builder
	b.WriteString(inKJ + legends)
	for _, x := range evenly(-180, 5, 72) {
		for y := 60.0; y <= 180; y += 2 {
			fmt.Fprintf(&b, "  %8.4f  %8.4f  0  %.9g\n", x, y, slope(x, y))
		}
	}
	if a, err = ParseAWH(strings.NewReader(b.String()), "awh.xvg", Dihedral, Angle); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]float64{{179, 61}, {-540, 179.9}, {12, 100}} {
		if got, err := a.CoordBias(p[0]*math.Pi/180, p[1]*math.Pi/180); err != nil ||
			math.Abs(got-slope(p[0], p[1])) > 0.01 {
			t.Errorf("at %v degrees: got %g, %v, want %g", p, got, err, slope(p[0], p[1]))
		}
	}
	if got, err := a.CoordBias(1, 1); !errors.Is(err, ErrOutside) {
		t.Errorf("57 degrees: got %g, %v", got, err)
	}
	for name, c := range map[string]struct {
		text  string
		kinds []Kind
		want  string
	}{
		"one is two":    {one, nil, "1-dimensional"},
		"two is one":    {b.String(), []Kind{Length}, "2-dimensional"},
		"degrees":       {b.String(), []Kind{Dihedral, Length}, "no length in nm"},
		"no angle":      {b.String(), []Kind{Angle, Angle}, "no angle"},
		"nm":            {one, []Kind{Dihedral}, "distance"},
		"three at once": {one, []Kind{Length, Length, Length}, "one or two"},
	} {
		if _, err := ParseAWH(strings.NewReader(c.text), "awh.xvg", c.kinds...); !errors.Is(err, ErrFormat) ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
