package gromacs

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// The grid of a real run: 40 by 40 points, 9 degrees apart.
func TestRealGrid(t *testing.T) {
	a, err := ReadAWH("testdata/awh.xvg")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Axis[0].Points) != 40 || len(a.Axis[1].Points) != 40 {
		t.Fatalf("got a grid of %d by %d", len(a.Axis[0].Points), len(a.Axis[1].Points))
	}
	for _, column := range []string{"PMF", "Coord bias"} {
		if len(a.Column[column]) != 1600 {
			t.Errorf("%s: got %d points", column, len(a.Column[column]))
		}
	}
	// The first line of numbers, as it stands in the file.
	text, err := os.ReadFile("testdata/awh.xvg")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.ContainsAny(line[:1], "#@") {
			continue
		}
		var phi, psi, pmf float64
		if _, err := fmt.Sscan(line, &phi, &psi, &pmf); err != nil {
			t.Fatal(err)
		}
		if got, err := a.At("PMF", phi*math.Pi/180, psi*math.Pi/180); err != nil || math.Abs(got-pmf) > 1e-9 {
			t.Errorf("PMF at %g, %g: got %g, %v, want %g", phi, psi, got, err, pmf)
		}
		break
	}
	// The bias helps most where the free energy is highest: it is minus the larger part of it, up to a constant.
	var bias, high float64
	for i, f := range a.Column["PMF"] {
		if f > high {
			high, bias = f, a.Column["Coord bias"][i]
		}
	}
	if low, _ := a.CoordBias(-1.3, 2.6); !(bias > low) {
		t.Errorf("bias at the top: got %g, in a basin %g", bias, low)
	}
}

// grid writes an .xvg file of n by m points with one column.
func grid(n, m int, f func(x, y float64) float64) string {
	var b strings.Builder
	b.WriteString("# a comment\n@    title \"AWH\"\n@    yaxis  label \"(k\\sB\\NT), (-)\"\n@ s0 legend " +
		"\"dim1\"\n@ s1 legend \"PMF\"\n@ s2 legend \"Coord bias\"\n")
	for i := range n {
		for j := range m {
			x, y := -180+360*float64(i)/float64(n), -180+360*float64(j)/float64(m)
			fmt.Fprintf(&b, "%g %g %.12g %.12g\n", x, y, f(x, y), -f(x, y))
		}
	}
	return b.String()
}

func TestInterpolation(t *testing.T) {
	wave := func(x, y float64) float64 { return math.Cos(x*math.Pi/180) + 2*math.Sin(y*math.Pi/180) }
	a, err := ParseAWH(strings.NewReader(grid(72, 36, wave)), "wave")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]float64{{0, 0}, {17, -33}, {-179, 179}, {178.2, -178.7}, {-180, 180}} {
		phi, psi := p[0]*math.Pi/180, p[1]*math.Pi/180
		got, err := a.At("PMF", phi, psi)
		// A piecewise linear function is off by h²/8 times the curvature: 1e-3 and 2·4e-3.
		if want := wave(p[0], p[1]); err != nil || math.Abs(got-want) > 9e-3 {
			t.Errorf("at %v: got %g, %v, want %g", p, got, err, want)
		}
		for _, turn := range [][2]float64{{1, 0}, {0, -1}, {-2, 3}} {
			if again, err := a.At("PMF", phi+turn[0]*2*math.Pi, psi+turn[1]*2*math.Pi); err != nil ||
				math.Abs(again-got) > 1e-9 {
				t.Errorf("at %v, turned by %v: got %g, %v, want %g", p, turn, again, err, got)
			}
		}
		if bias, err := a.CoordBias(phi, psi); err != nil || math.Abs(bias+got) > 1e-9 {
			t.Errorf("bias at %v: got %g, %v, want %g", p, bias, err, -got)
		}
	}
	if _, err := a.At("Friction", 0, 0); err == nil || !strings.Contains(err.Error(), "-more") {
		t.Errorf("missing column: got %v", err)
	}
	if _, err := a.At("PMF", math.NaN(), 0); !errors.Is(err, ErrNonFinite) {
		t.Errorf("NaN: got %v", err)
	}
}

// Of several sets, the last counts.
func TestLastSet(t *testing.T) {
	one := func(x, y float64) float64 { return 1 }
	two := func(x, y float64) float64 { return 2 }
	second := grid(3, 3, two)
	a, err := ParseAWH(strings.NewReader(grid(4, 4, one)+"&\n"+second[strings.Index(second, "\n-180")+1:]), "sets")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := a.At("PMF", 0, 0); got != 2 || len(a.Axis[0].Points) != 3 {
		t.Errorf("got %g on %d points", got, len(a.Axis[0].Points))
	}
}

func TestBadAWH(t *testing.T) {
	good := grid(3, 3, func(x, y float64) float64 { return x })
	lines := strings.SplitAfter(good, "\n")
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "gmx awh -more"},
		{"no legends", "0 0 1\n", "gmx awh -more"},
		{"one dimension", strings.Replace(good, "dim1", "PMF", 1), "1-dimensional"},
		{"word", strings.Replace(good, "-180 -180", "-180 here", 1), "line 7"},
		{"NaN", strings.Replace(good, "-180 -180 -180", "-180 -180 nan", 1), "line 7"},
		{"missing point", good[:len(good)-len(lines[len(lines)-2])], "no grid"},
		{"ragged", strings.Replace(good, "-180 -180 -180 180", "-180 -180 -180", 1), "columns"},
		{"point twice", strings.Replace(good, "-180 -60 ", "-180 -180 ", 1), "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseAWH(strings.NewReader(c.text), "bad.xvg"); !errors.Is(err, ErrFormat) ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
	if _, err := ReadAWH("testdata/none.xvg"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func FuzzAWH(f *testing.F) {
	f.Add(grid(3, 2, func(x, y float64) float64 { return x * y }))
	f.Add(grid(2, 2, math.Atan2) + "&\n-180 -180 0 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAWH(strings.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		for column := range a.Column {
			if _, err := a.At(column, 1, -2); err != nil && !errors.Is(err, ErrOutside) {
				t.Errorf("%s: %v", column, err)
			}
		}
	})
}
