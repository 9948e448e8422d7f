// Package plumed reads what PLUMED (Tribello et al., doi 10.1016/j.cpc.2013.09.018) writes of a bias: grids, which
// recipe/openmm writes, too ([Grid]); lists of hills ([Hills]); values in time ([Table]); and, of its input, the
// variables of atoms ([Input]). Lengths, energies and times are as the files have them, nm, kJ/mol and ps where the
// input does not say otherwise (UNITS).
//
// A grid has a header that names its variables and its value, and says for every
// variable NAME where it begins and ends (min_NAME, max_NAME), how many points it has
// (nbins_NAME) and whether it closes on itself (periodic_NAME). Source: Grid::writeToFile
// of PLUMED 2, tools/Grid.cpp.
package plumed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Errors that reading wraps.
var (
	ErrFormat = errors.New("not PLUMED's grid of a bias") // a file that is not what it should be
	ErrRange  = errors.New("outside of the grid")         // a place where the bias is not known
)

// What a header can ask for.
const (
	maxBins   = 1 << 16
	maxPoints = 1 << 24
)

// Grid is a bias on one or two variables.
type Grid struct {
	Names    []string  // of the variables, in the order of the columns
	Value    string    // name of the value: metad.bias
	Min, Max []float64 // rad, nm; a periodic variable has the point at Min alone
	Bins     []int     // points
	Periodic []bool
	Values   []float64 // [Bins[1], Bins[0]]: the first variable runs fastest; kJ/mol
	Stored   int       // grids in the file, of which this is the last

	dihedral []bool // [Grid.Dihedral] was told; nil: of none
}

// ReadGrid reads a grid file. Errors name file and line.
func ReadGrid(path string) (*Grid, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("plumed: %w", err)
	}
	defer f.Close()
	return ParseGrid(f, path)
}

// parser holds the header and the values of the grid that is being read.
type parser struct {
	fields []string
	set    map[string]string
	grid   *Grid // nil before its values
	rows   []row
	stored int // grids before
}

// row is a line of values.
type row struct {
	line int
	v    []float64 // the place, and the value
}

// ParseGrid reads a grid from r; name is for messages. The grid is of one or two variables, periodic
// or not, with a bias in kJ/mol; columns behind the bias (derivatives) are passed over, and
// of several grids (METAD's STORE_GRIDS) the last counts.
func ParseGrid(r io.Reader, name string) (*Grid, error) {
	p := parser{set: map[string]string{}}
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		if err := p.line(line, strings.Fields(scanner.Text())); err != nil {
			return nil, fmt.Errorf("plumed: %s: line %d: %w: %w", name, line, ErrFormat, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("plumed: %s: line %d: %w", name, line+1, err)
	}
	if p.grid == nil {
		return nil, fmt.Errorf("plumed: %s: %w: no values", name, ErrFormat)
	}
	if err := p.fill(); err != nil {
		return nil, fmt.Errorf("plumed: %s: %w: %w", name, ErrFormat, err)
	}
	p.grid.Stored = p.stored + 1
	return p.grid, nil
}

func (p *parser) line(n int, words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "#!" && len(words) > 1 && words[1] == "FIELDS":
		if p.grid != nil { // another grid follows
			p.grid, p.set = nil, map[string]string{}
			p.rows = p.rows[:0]
			p.stored++
		}
		p.fields = words[2:]
		return nil
	case words[0] == "#!" && len(words) == 4 && words[1] == "SET":
		p.set[words[2]] = words[3]
		return nil
	case strings.HasPrefix(words[0], "#"):
		return nil
	}
	if p.grid == nil {
		if err := p.header(); err != nil {
			return err
		}
	}
	return p.value(n, words)
}

// header makes the grid from what the lines #! said.
func (p *parser) header() error {
	if len(p.fields) == 0 {
		return errors.New("no line \"#! FIELDS phi psi metad.bias\" before the values; GRID_WFILE of METAD writes one")
	}
	if p.fields[0] == "time" {
		if slices.Contains(p.fields, "height") {
			if slices.Contains(p.fields, "logweight") {
				return errors.New("it is the list of kernels of OPES (KERNELS), not a grid of its bias: " +
					"have PRINT write opes.bias, and import that file (COLVAR) with -colvar")
			}
			return errors.New("it is a list of hills (HILLS), not their sum: import it with -hills")
		}
		return errors.New("it is a list of values in time (COLVAR), not a grid: import it with -colvar")
	}
	n := 0
	for n < len(p.fields) && p.set["nbins_"+p.fields[n]] != "" {
		n++
	}
	switch {
	case n == 0:
		return fmt.Errorf("the header says nothing of the variable %s: no line \"#! SET nbins_%[1]s\"", p.fields[0])
	case n == len(p.fields):
		return fmt.Errorf("the line FIELDS names the variables %s and no value", strings.Join(p.fields, ", "))
	case n > 2:
		return fmt.Errorf("it is a grid of %s, and what is read is a grid of one or two variables",
			strings.Join(p.fields[:n], ", "))
	}
	g := newGrid(p.fields[:n], p.fields[n])
	if err := checkValue(g.Value); err != nil {
		return err
	}
	for k := range g.Names {
		if err := p.axis(g, k); err != nil {
			return err
		}
	}
	if g.points() > maxPoints {
		return fmt.Errorf("the grid has %v points: at most %d", g.Bins, maxPoints)
	}
	p.grid = g
	return nil
}

func newGrid(names []string, value string) *Grid {
	n := len(names)
	return &Grid{Names: slices.Clone(names), Value: value, Min: make([]float64, n), Max: make([]float64, n),
		Bins: make([]int, n), Periodic: make([]bool, n)}
}

// points of all variables.
func (g *Grid) points() int {
	n := 1
	for _, b := range g.Bins {
		n *= b
	}
	return n
}

// checkValue refuses values that are no bias, by their names.
func checkValue(name string) error {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".free") || strings.Contains(lower, "negbias") || strings.Contains(lower, "negative"):
		return fmt.Errorf("its value is %s: \"plumed sum_hills\" writes a free energy, or by --negbias minus the "+
			"bias, and neither is the bias that was added; "+
			"GRID_WFILE of METAD writes that, as metad.bias", name)
	case !strings.Contains(lower, "bias"):
		return fmt.Errorf("its value is %s; a bias is called metad.bias, after the action that added it; "+
			"GRID_WFILE of METAD writes one", name)
	}
	return nil
}

// axis sets what the header says of variable k.
func (p *parser) axis(g *Grid, k int) (err error) {
	name := g.Names[k]
	for _, end := range []struct {
		key  string
		into *float64
	}{{"min_", &g.Min[k]}, {"max_", &g.Max[k]}} {
		if *end.into, err = number(p.set[end.key+name]); err != nil {
			return fmt.Errorf("%s%s is %q, not a number", end.key, name, p.set[end.key+name])
		}
	}
	switch p.set["periodic_"+name] {
	case "true":
		g.Periodic[k] = true
	case "false":
	default:
		return fmt.Errorf("periodic_%s is %q: true or false", name, p.set["periodic_"+name])
	}
	if err := checkRange(name, g.Min[k], g.Max[k]); err != nil {
		return err
	}
	n, err := strconv.Atoi(p.set["nbins_"+name])
	if err != nil || n < 4 || n > maxBins {
		return fmt.Errorf("nbins_%s is %q: want 4 to %d", name, p.set["nbins_"+name], maxBins)
	}
	g.Bins[k] = n
	return nil
}

func (p *parser) value(line int, words []string) error {
	if len(words) != len(p.fields) {
		return fmt.Errorf("%d columns, FIELDS names %d", len(words), len(p.fields))
	}
	dim := len(p.grid.Names)
	r := row{line: line, v: make([]float64, dim+1)}
	for k := range r.v {
		var err error
		if r.v[k], err = strconv.ParseFloat(words[k], 64); err != nil || !finite(r.v[k]) {
			return fmt.Errorf("%s is %.40q, not a finite number", p.fields[k], words[k])
		}
	}
	// Grids may follow each other without a header of their own.
	if len(p.rows) > 1 && slices.Equal(r.v[:dim], p.rows[0].v[:dim]) {
		p.rows = p.rows[:0]
		p.stored++
	}
	most := 1
	for _, b := range p.grid.Bins {
		most *= b + 1
	}
	if len(p.rows) == most {
		return fmt.Errorf("more values than the %s that the header says", p.grid.size())
	}
	p.rows = append(p.rows, r)
	return nil
}
