package gromacs

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// AWH is the grid of an adaptive bias on two dihedrals, as `gmx awh -more -kt`
// writes it. Energies are in kT.
type AWH struct {
	Axis   [2][]float64         // grid points, rad, increasing
	Column map[string][]float64 // by the legend of the file: "PMF", "Coord bias", …; [axis 0, axis 1], kT where energies
}

// ReadAWH reads the last set of an .xvg file. Errors name file and line.
func ReadAWH(path string) (*AWH, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	defer f.Close()
	return ParseAWH(f, path)
}

var xvgLegend = regexp.MustCompile(`^@\s*s(\d+)\s+legend\s+"(.*)"`)

// ParseAWH reads an .xvg file from r; name is for messages.
func ParseAWH(r io.Reader, name string) (*AWH, error) {
	var legends []string // of the columns behind the first
	var rows [][]float64
	scanner := bufio.NewScanner(r)
	line := 0
	fail := func(format string, args ...any) (*AWH, error) {
		return nil, fmt.Errorf("gromacs: %s: line %d: %w: %s", name, line, ErrFormat, fmt.Sprintf(format, args...))
	}
	for scanner.Scan() {
		line++
		text := strings.TrimSpace(scanner.Text())
		switch {
		case text == "" || text[0] == '#':
		case text[0] == '&':
			// Another set follows: the last one counts.
			if line++; scanner.Scan() {
				rows = rows[:0]
				if row, err := numbers(scanner.Text()); err == nil && len(row) > 0 {
					rows = append(rows, row)
				}
			}
		case text[0] == '@':
			if m := xvgLegend.FindStringSubmatch(text); m != nil {
				if k, _ := strconv.Atoi(m[1]); k == len(legends) {
					legends = append(legends, m[2])
				}
			}
		default:
			row, err := numbers(text)
			if err != nil {
				return fail("%v", err)
			}
			rows = append(rows, row)
		}
	}
	if err := scanner.Err(); err != nil {
		return fail("%v", err)
	}
	if len(legends) < 2 || legends[0] != "dim1" {
		return fail("no grid in two dimensions; make the file with: gmx awh -more -kt")
	}
	return newAWH(name, legends[1:], rows)
}

func numbers(text string) ([]float64, error) {
	var row []float64
	for _, field := range strings.Fields(text) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is not a finite number", field)
		}
		row = append(row, v)
	}
	return row, nil
}

// newAWH sorts rows of two coordinates in degrees and the named columns into a grid.
func newAWH(name string, columns []string, rows [][]float64) (*AWH, error) {
	a := &AWH{Column: map[string][]float64{}}
	for i, row := range rows {
		if len(row) != 2+len(columns) {
			return nil, fmt.Errorf("gromacs: %s: grid point %d: %w: %d columns, the legends name %d", name, i, ErrFormat, len(row), 2+len(columns))
		}
		for k := range a.Axis {
			a.Axis[k] = append(a.Axis[k], row[k]*math.Pi/180)
		}
	}
	for k := range a.Axis {
		slices.Sort(a.Axis[k])
		a.Axis[k] = slices.Compact(a.Axis[k])
		if len(a.Axis[k]) < 2 {
			return nil, fmt.Errorf("gromacs: %s: %w: fewer than two points along coordinate %d", name, ErrFormat, k)
		}
	}
	n, m := len(a.Axis[0]), len(a.Axis[1])
	if len(rows) != n*m {
		return nil, fmt.Errorf("gromacs: %s: %w: %d grid points are no grid of %d by %d", name, ErrFormat, len(rows), n, m)
	}
	filled := make([]bool, n*m)
	for _, column := range columns {
		a.Column[column] = make([]float64, n*m)
	}
	for _, row := range rows {
		i, _ := slices.BinarySearch(a.Axis[0], row[0]*math.Pi/180)
		j, _ := slices.BinarySearch(a.Axis[1], row[1]*math.Pi/180)
		if filled[i*m+j] {
			return nil, fmt.Errorf("gromacs: %s: %w: the grid point %g, %g is there twice", name, ErrFormat, row[0], row[1])
		}
		filled[i*m+j] = true
		for k, column := range columns {
			a.Column[column][i*m+j] = row[2+k]
		}
	}
	return a, nil
}

// CoordBias returns the bias on the coordinates at phi and psi (rad), in kT,
// bilinear between grid points and periodic. GROMACS writes the logarithm of
// the biasing weight under this name: frames count with exp(−CoordBias).
func (a *AWH) CoordBias(phi, psi float64) (float64, error) { return a.At("Coord bias", phi, psi) }

// At interpolates a column at phi and psi (rad), bilinear and periodic.
func (a *AWH) At(column string, phi, psi float64) (float64, error) {
	values, ok := a.Column[column]
	if !ok {
		return 0, fmt.Errorf("gromacs: the AWH file has no column %q; make it with: gmx awh -more -kt", column)
	}
	if math.IsNaN(phi+psi) || math.IsInf(phi+psi, 0) {
		return 0, fmt.Errorf("gromacs: AWH at %v, %v: %w", phi, psi, ErrNonFinite)
	}
	m := len(a.Axis[1])
	i0, i1, u := bracket(a.Axis[0], phi)
	j0, j1, v := bracket(a.Axis[1], psi)
	return (1-u)*((1-v)*values[i0*m+j0]+v*values[i0*m+j1]) + u*((1-v)*values[i1*m+j0]+v*values[i1*m+j1]), nil
}

// bracket finds the neighbours of x on a circle of grid points, and where
// between them it lies.
func bracket(axis []float64, x float64) (lo, hi int, fraction float64) {
	const turn = 2 * math.Pi
	n := len(axis)
	x = math.Mod(x-axis[0], turn)
	if x < 0 {
		x += turn
	}
	hi, found := slices.BinarySearch(axis, axis[0]+x)
	if found {
		return hi, hi, 0
	}
	lo = hi - 1
	if lo < 0 { // rounding just below the first point
		return 0, 0, 0
	}
	left, right := axis[lo], axis[0]+turn
	if hi < n {
		right = axis[hi]
	} else {
		hi = 0
	}
	if right <= left { // the grid repeats its first point a turn later
		return lo, hi, 0
	}
	return lo, hi, (axis[0] + x - left) / (right - left)
}
