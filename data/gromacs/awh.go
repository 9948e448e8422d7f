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

// AWH is the grid of an adaptive bias on one or two coordinates, as `gmx awh -more` writes it. The file
// does not say which they are, nor of what kind.
type AWH struct {
	Axis   []Axis
	Column map[string][]float64 // by the legend of the file: "PMF", "Coord bias", …; [axis 0, axis 1]
	KT     bool                 // whether PMF and Coord bias are in kT (gmx awh -kt), else in kJ/mol
}

// ReadAWH reads the last set of an .xvg file, whose coordinates are of these kinds, in its order; of none: two
// dihedrals. What cannot be the range of a kind is refused. Errors name file and line.
func ReadAWH(path string, kinds ...Kind) (*AWH, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	defer f.Close()
	return ParseAWH(f, path, kinds...)
}

// Legends, for Xmgrace and for its forerunner (-xvg xmgr), and labels. A coordinate but the first has the legend dim1,
// dim2, …; PMF and Coord bias are in the first unit of the y label. Source: gmx_awh.cpp of GROMACS.
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

// ParseAWH reads an .xvg file from r, as [ReadAWH] does; name is for messages.
func ParseAWH(r io.Reader, name string, kinds ...Kind) (*AWH, error) {
	if len(kinds) == 0 {
		kinds = []Kind{Dihedral, Dihedral}
	}
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
	a, err := set.awh(kinds)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %s: %w: %w", name, ErrFormat, err)
	}
	return a, nil
}

// awh checks what the header says of the set, and makes the grid.
func (x *xvg) awh(kinds []Kind) (*AWH, error) {
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
	case dims > 2 || dims != len(kinds):
		return nil, fmt.Errorf("it is a %d-dimensional bias, and what is read is a bias on %d coordinates, as many "+
			"as are named (two dihedrals where none are): one or two", dims, len(kinds))
	case awhTitle.MatchString(x.title):
		return nil, fmt.Errorf("its title is %q: the simulation had several biases of AWH, and this is one of "+
			"them, where the weights need all", x.title)
	case x.label == "":
		return nil, errors.New("it has no y label, which says whether the bias is in kT or kJ/mol; " + cure)
	}
	unit, _, _ := strings.Cut(strings.Trim(label, " ("), ")")
	a := &AWH{KT: slices.Contains([]string{`k\sb\nt`, "k_bt", "kbt", "kt"}, unit)}
	if !a.KT && unit != "kj/mol" {
		return nil, fmt.Errorf("its y label is %q, and what is read is (k\\sB\\NT) and (kJ/mol); "+cure, x.label)
	}
	return a, a.fill(kinds, legends, x.rows)
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

// fill sorts rows of coordinates, degrees or nm, and the named columns into the grid.
func (a *AWH) fill(kinds []Kind, columns []string, rows [][]float64) (err error) {
	dims, points := len(kinds), 1
	for i, row := range rows {
		if len(row) != dims+len(columns) {
			return fmt.Errorf("grid point %d: %d columns, the legends name %d", i, len(row), dims+len(columns))
		}
	}
	for k, kind := range kinds {
		var at []float64
		for _, row := range rows {
			at = append(at, row[k])
		}
		axis, err := newAxis(at, kind)
		if err != nil {
			return fmt.Errorf("coordinate %d: %w", k+1, err)
		}
		a.Axis = append(a.Axis, axis)
		points *= len(axis.Points)
	}
	if points > 4*len(rows) { // and no huge grid of a file with holes
		return fmt.Errorf("%d grid points are no grid of %s", len(rows), a.size())
	}
	from := make([]int, points) // row + 1
	for r, row := range rows {
		at := 0
		for k := range a.Axis {
			at = at*len(a.Axis[k].Points) + a.Axis[k].index(row[k])
		}
		// A closed grid has its first points once more, a turn later.
		if was := from[at]; was != 0 && (!slices.ContainsFunc(a.across(rows[was-1], row),
			func(x bool) bool { return x }) ||
			!slices.EqualFunc(rows[was-1][dims:], row[dims:], alike)) {
			return fmt.Errorf("the grid point %v is there twice", row[:dims])
		}
		from[at] = r + 1
	}
	if slices.Contains(from, 0) {
		return fmt.Errorf("%d grid points are no grid of %s", len(rows), a.size())
	}
	a.Column = map[string][]float64{}
	for k, column := range columns {
		values := make([]float64, points)
		for p, r := range from {
			values[p] = rows[r-1][dims+k]
		}
		a.Column[column] = values
	}
	return nil
}

// size is the numbers of points, for messages.
func (a *AWH) size() string {
	var words []string
	for _, axis := range a.Axis {
		words = append(words, strconv.Itoa(len(axis.Points)))
	}
	return strings.Join(words, " by ")
}

// across tells along which coordinates two rows are a turn apart.
func (a *AWH) across(x, y []float64) (out []bool) {
	for k, axis := range a.Axis {
		out = append(out, axis.Kind == Dihedral && turnLater(x[k], y[k]))
	}
	return out
}

// turnLater tells whether two places, degrees, are a turn apart.
func turnLater(x, y float64) bool { return math.Abs(math.Abs(x-y)-360) < 2*placeError }

// alike compares numbers that are written with six digits.
func alike(x, y float64) bool { return math.Abs(x-y) <= 1e-5*max(1, math.Abs(x)) }

// CoordBias returns the bias on the coordinates at a place (rad, nm; of dihedrals any turn; in the order of Axis), in
// the file's unit. GROMACS writes the logarithm of the biasing weight under this
// name: frames count with exp(−CoordBias/kT).
func (a *AWH) CoordBias(x ...float64) (float64, error) { return a.At("Coord bias", x...) }

// At interpolates a column at a place (rad, nm; of dihedrals any turn), linear along each coordinate. Errors: there is
// no such column; ErrOutside, where the grid does not reach.
func (a *AWH) At(column string, x ...float64) (float64, error) {
	values, ok := a.Column[column]
	if !ok {
		return 0, fmt.Errorf("gromacs: the AWH file has no column %q; make it with: gmx awh -more -kt", column)
	}
	if len(x) != len(a.Axis) {
		return 0, fmt.Errorf("gromacs: a place of %d coordinates on an AWH grid of %d", len(x), len(a.Axis))
	}
	at, weight := []int{0}, []float64{1} // corners of the cell
	for k, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("gromacs: AWH at %v: %w", x, ErrNonFinite)
		}
		lo, hi, u, err := a.Axis[k].bracket(v)
		if err != nil {
			return 0, fmt.Errorf("gromacs: coordinate %d of AWH: %w", k+1, err)
		}
		n := len(a.Axis[k].Points)
		for c := range len(at) {
			at, weight = append(at, at[c]*n+hi), append(weight, weight[c]*u)
			at[c], weight[c] = at[c]*n+lo, weight[c]*(1-u)
		}
	}
	sum := 0.0
	for c, w := range weight {
		sum += w * values[at[c]]
	}
	return sum, nil
}
