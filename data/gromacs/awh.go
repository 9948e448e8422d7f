package gromacs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// AWH is the grid of an adaptive bias on two dihedrals, as `gmx awh -more` writes it. The file
// does not say which coordinates they are, nor of what kind: degrees are read, and what
// cannot be a dihedral's range is refused.
type AWH struct {
	Axis   [2]Axis
	Column map[string][]float64 // by the legend of the file: "PMF", "Coord bias", …; [axis 0, axis 1]
	KT     bool                 // whether PMF and Coord bias are in kT (gmx awh -kt), else in kJ/mol
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

// Legends, for Xmgrace and for its forerunner (-xvg xmgr), and labels. A coordinate but the first has the legend dim1, dim2, …;
// PMF and Coord bias are in the first unit of the y label. Source: gmx_awh.cpp of GROMACS.
var (
	xvgLegend = regexp.MustCompile(`^@\s*(?:s(\d+)\s+legend|legend\s+string\s+(\d+))\s+"(.*)"`)
	xvgYLabel = regexp.MustCompile(`^@\s*yaxis\s+label\s+"(.*)"`)
	xvgTitle  = regexp.MustCompile(`^@\s*title\s+"(.*)"`)
	awhTitle  = regexp.MustCompile(`^AWH \d+$`)
)

// xvg is a set of an .xvg file.
type xvg struct {
	title, label string
	legends      []string // of the columns behind the first
	rows         [][]float64
	ended        bool
}

// header takes a line that begins with @. A header after numbers is another set's.
func (x *xvg) header(text string) {
	if len(x.rows) > 0 {
		*x = xvg{}
	}
	if m := xvgTitle.FindStringSubmatch(text); m != nil {
		x.title = m[1]
	}
	if m := xvgYLabel.FindStringSubmatch(text); m != nil {
		x.label = m[1]
	}
	if m := xvgLegend.FindStringSubmatch(text); m != nil {
		if k, _ := strconv.Atoi(m[1] + m[2]); k == len(x.legends) {
			x.legends = append(x.legends, m[3])
		}
	}
}

// ParseAWH reads an .xvg file from r; name is for messages.
func ParseAWH(r io.Reader, name string) (*AWH, error) {
	var set xvg
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		text := strings.TrimSpace(scanner.Text())
		switch {
		case text == "" || text[0] == '#':
		case text[0] == '&':
			set.ended = true // the last set counts
		case text[0] == '@':
			set.header(text)
		default:
			row, err := numbers(text)
			if err != nil {
				return nil, fmt.Errorf("gromacs: %s: line %d: %w: %w", name, line, ErrFormat, err)
			}
			if set.ended {
				set.rows, set.ended = set.rows[:0], false
			}
			set.rows = append(set.rows, row)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("gromacs: %s: line %d: %w: %w", name, line, ErrFormat, err)
	}
	a, err := set.awh()
	if err != nil {
		return nil, fmt.Errorf("gromacs: %s: %w: %w", name, ErrFormat, err)
	}
	return a, nil
}

// awh checks what the header says of the set, and makes the grid.
func (x *xvg) awh() (*AWH, error) {
	const cure = "make the file with: gmx awh -more -kt"
	dims := 1
	for dims-1 < len(x.legends) && x.legends[dims-1] == fmt.Sprintf("dim%d", dims) {
		dims++
	}
	legends := x.legends[dims-1:]
	label := strings.ToLower(x.label)
	switch {
	case strings.Contains(label, "friction"):
		return nil, errors.New("it is the friction tensor (gmx awh -fric), not the bias; " + cure)
	case len(legends) == 0 || legends[0] != "PMF":
		return nil, errors.New("it has no legends of AWH; " + cure + ", without -xvg none")
	case dims != 2:
		return nil, fmt.Errorf("it is a %d-dimensional bias, and what is read is a bias on two dihedrals", dims)
	case awhTitle.MatchString(x.title):
		return nil, fmt.Errorf("its title is %q: the simulation had several biases of AWH, and this is one of them, where the weights need all", x.title)
	case x.label == "":
		return nil, errors.New("it has no y label, which says whether the bias is in kT or kJ/mol; " + cure)
	}
	unit, _, _ := strings.Cut(strings.Trim(label, " ("), ")")
	a := &AWH{KT: slices.Contains([]string{`k\sb\nt`, "k_bt", "kbt", "kt"}, unit)}
	if !a.KT && unit != "kj/mol" {
		return nil, fmt.Errorf("its y label is %q, and what is read is (k\\sB\\NT) and (kJ/mol); "+cure, x.label)
	}
	return a, a.fill(legends, x.rows)
}

func numbers(text string) ([]float64, error) {
	var row []float64
	for _, field := range strings.Fields(text) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%.40q is not a finite number", field)
		}
		row = append(row, v)
	}
	return row, nil
}

// fill sorts rows of two coordinates in degrees and the named columns into the grid.
func (a *AWH) fill(columns []string, rows [][]float64) (err error) {
	for i, row := range rows {
		if len(row) != 2+len(columns) {
			return fmt.Errorf("grid point %d: %d columns, the legends name %d", i, len(row), 2+len(columns))
		}
	}
	for k := range a.Axis {
		var at []float64
		for _, row := range rows {
			at = append(at, row[k])
		}
		if a.Axis[k], err = newAxis(at); err != nil {
			return fmt.Errorf("coordinate %d: %w", k+1, err)
		}
	}
	n, m := len(a.Axis[0].Points), len(a.Axis[1].Points)
	from := make([]int, n*m) // row + 1
	for r, row := range rows {
		i, j := a.Axis[0].index(row[0]), a.Axis[1].index(row[1])
		// A closed grid has its first points once more, a turn later.
		if was := from[i*m+j]; was != 0 && (!turnLater(rows[was-1][0], row[0]) && !turnLater(rows[was-1][1], row[1]) || !slices.EqualFunc(rows[was-1][2:], row[2:], alike)) {
			return fmt.Errorf("the grid point %g, %g is there twice", row[0], row[1])
		}
		from[i*m+j] = r + 1
	}
	if slices.Contains(from, 0) {
		return fmt.Errorf("%d grid points are no grid of %d by %d", len(rows), n, m)
	}
	a.Column = map[string][]float64{}
	for k, column := range columns {
		values := make([]float64, n*m)
		for p, r := range from {
			values[p] = rows[r-1][2+k]
		}
		a.Column[column] = values
	}
	return nil
}

// turnLater tells whether two places, degrees, are a turn apart.
func turnLater(x, y float64) bool { return math.Abs(math.Abs(x-y)-360) < 2*placeError }

// alike compares numbers that are written with six digits.
func alike(x, y float64) bool { return math.Abs(x-y) <= 1e-5*max(1, math.Abs(x)) }

// CoordBias returns the bias on the coordinates at two dihedrals (rad, any turn; in the order of Axis), in the
// file's unit. GROMACS writes the logarithm of the biasing weight under this
// name: frames count with exp(−CoordBias/kT).
func (a *AWH) CoordBias(x, y float64) (float64, error) { return a.At("Coord bias", x, y) }

// At interpolates a column at two dihedrals (rad, any turn), bilinear. Errors: there is no such column; ErrOutside, where the grid does not reach.
func (a *AWH) At(column string, x, y float64) (float64, error) {
	values, ok := a.Column[column]
	if !ok {
		return 0, fmt.Errorf("gromacs: the AWH file has no column %q; make it with: gmx awh -more -kt", column)
	}
	if math.IsNaN(x+y) || math.IsInf(x+y, 0) {
		return 0, fmt.Errorf("gromacs: AWH at %v, %v: %w", x, y, ErrNonFinite)
	}
	i0, i1, u, err := a.Axis[0].bracket(x)
	if err != nil {
		return 0, fmt.Errorf("gromacs: coordinate 1 of AWH: %w", err)
	}
	j0, j1, v, err := a.Axis[1].bracket(y)
	if err != nil {
		return 0, fmt.Errorf("gromacs: coordinate 2 of AWH: %w", err)
	}
	m := len(a.Axis[1].Points)
	return (1-u)*((1-v)*values[i0*m+j0]+v*values[i0*m+j1]) + u*((1-v)*values[i1*m+j0]+v*values[i1*m+j1]), nil
}
