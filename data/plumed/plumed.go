// Package plumed reads the bias of metadynamics from grids in the format of PLUMED
// (Tribello et al., doi 10.1016/j.cpc.2013.09.018), which recipe/openmm writes, too.
package plumed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// ErrFormat is a file that is not what it should be.
var ErrFormat = errors.New("not a PLUMED grid of two periodic dihedrals")

// maxBins bounds what a header can ask for.
const maxBins = 4096

// Grid is a function of two dihedrals on a periodic grid.
type Grid struct {
	Names  [2]string // of the dihedrals, in the order of the columns
	Bins   [2]int
	Values []float64 // [Bins[1], Bins[0]]: the first dihedral runs fastest; kJ/mol
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

// parser holds what the header said.
type parser struct {
	fields []string
	set    map[string]string
	grid   *Grid
}

// ParseGrid reads a grid from r; name is for messages. The grid is of two
// periodic variables on [−π, π) with one value in kJ/mol; columns behind the value (derivatives) are passed over.
func ParseGrid(r io.Reader, name string) (*Grid, error) {
	p := parser{set: map[string]string{}}
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		if err := p.line(strings.Fields(scanner.Text())); err != nil {
			return nil, fmt.Errorf("plumed: %s: line %d: %w: %w", name, line, ErrFormat, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("plumed: %s: line %d: %w", name, line+1, err)
	}
	if p.grid == nil {
		return nil, fmt.Errorf("plumed: %s: %w: no values", name, ErrFormat)
	}
	if len(p.grid.Values) != p.grid.Bins[0]*p.grid.Bins[1] {
		return nil, fmt.Errorf("plumed: %s: %w: %d values, the header says %d by %d; the file is cut short, write it again", name, ErrFormat,
			len(p.grid.Values), p.grid.Bins[0], p.grid.Bins[1])
	}
	return p.grid, nil
}

func (p *parser) line(words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "#!" && len(words) > 1 && words[1] == "FIELDS":
		if p.fields == nil {
			p.fields = words[2:]
		}
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
	return p.value(words)
}

// header makes the grid from what the lines #! said.
func (p *parser) header() error {
	if len(p.fields) < 3 {
		return errors.New("no line \"#! FIELDS phi psi value\" before the values")
	}
	g := &Grid{Names: [2]string{p.fields[0], p.fields[1]}}
	for k, name := range g.Names {
		if lo, hi := p.set["min_"+name], p.set["max_"+name]; !isPi(lo, -1) || !isPi(hi, 1) || p.set["periodic_"+name] != "true" {
			return fmt.Errorf("%s runs from %q to %q (periodic: %q), not once round from -pi to pi", name, lo, hi, p.set["periodic_"+name])
		}
		n, err := strconv.Atoi(p.set["nbins_"+name])
		if err != nil || n < 4 || n > maxBins {
			return fmt.Errorf("nbins_%s is %q: want 4 to %d", name, p.set["nbins_"+name], maxBins)
		}
		g.Bins[k] = n
	}
	p.grid = g
	return nil
}

func isPi(text string, sign float64) bool {
	if text == "pi" || text == "-pi" {
		return (text == "pi") == (sign > 0)
	}
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && math.Abs(v-sign*math.Pi) < 1e-4
}

func (p *parser) value(words []string) error {
	g := p.grid
	next := len(g.Values)
	if next == g.Bins[0]*g.Bins[1] {
		return fmt.Errorf("more values than the %d by %d that the header says", g.Bins[0], g.Bins[1])
	}
	if len(words) != len(p.fields) {
		return fmt.Errorf("%d columns, FIELDS names %d", len(words), len(p.fields))
	}
	var v [3]float64
	for k := range v {
		var err error
		if v[k], err = strconv.ParseFloat(words[k], 64); err != nil || math.IsNaN(v[k]) || math.IsInf(v[k], 0) {
			return fmt.Errorf("%s is %q, not a finite number", p.fields[k], words[k])
		}
	}
	for k, i := range [2]int{next % g.Bins[0], next / g.Bins[0]} {
		if want := -math.Pi + 2*math.Pi*float64(i)/float64(g.Bins[k]); math.Abs(v[k]-want) > 1e-3*2*math.Pi/float64(g.Bins[k])+1e-5 {
			return fmt.Errorf("%s is %g where the grid has %.6f", g.Names[k], v[k], want)
		}
	}
	g.Values = append(g.Values, v[2])
	return nil
}

// At returns the value at phi and psi (rad, any turn), kJ/mol, by cubic convolution, which is exact at the points and of third order
// between them. Source: Keys, doi 10.1109/TASSP.1981.1163711.
func (g *Grid) At(phi, psi float64) (float64, error) {
	if s := phi + psi; math.IsNaN(s) || math.IsInf(s, 0) {
		return 0, fmt.Errorf("plumed: the bias at %v, %v: not finite", phi, psi)
	}
	i, a := cubic(phi, g.Bins[0])
	j, b := cubic(psi, g.Bins[1])
	var sum float64
	for m, bm := range b {
		row := g.Values[(j+m)%g.Bins[1]*g.Bins[0]:][:g.Bins[0]]
		for k, ak := range a {
			sum += bm * ak * row[(i+k)%g.Bins[0]]
		}
	}
	return sum, nil
}

// cubic returns the first of the four grid points around x, n to the turn, and their weights.
func cubic(x float64, n int) (first int, w [4]float64) {
	u := (x + math.Pi) / (2 * math.Pi)
	u = (u - math.Floor(u)) * float64(n)
	k := math.Floor(u)
	t := u - k
	w = [4]float64{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
	return (int(k) - 1 + n) % n, w
}
