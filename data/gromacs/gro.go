package gromacs

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// Atom is an atom of a structure. What a file does not tell is empty.
type Atom struct {
	Name, Residue string
	ResidueNumber int
	Chain         string // identifier of the chain; GRO files have none
	Insertion     string // insertion code of the residue: 52A comes after 52
	Element       string // symbol, as the file gives it; GRO files have none
}

// Structure is the content of a GRO file: names, and one set of positions.
type Structure struct {
	Title string
	Atoms []Atom
	R     []float32  // [atoms, 3], nm
	Box   [9]float64 // box vectors, row by row, nm; zero where there is none
	Notes []string   // what was left out of the file, for the user
}

// ReadGRO reads the first frame of a GRO file. Errors name file and line.
func ReadGRO(path string) (*Structure, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	defer f.Close()
	return ParseGRO(f, path)
}

// ParseGRO reads a GRO file from r; name is for messages.
func ParseGRO(r io.Reader, name string) (*Structure, error) {
	p := &groParser{lines: bufio.NewScanner(r), name: name}
	s := &Structure{}
	var err error
	if s.Title, err = p.next("title"); err != nil {
		return nil, err
	}
	text, err := p.next("number of atoms")
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return nil, p.fail(ErrFormat, "the number of atoms is %q", text)
	}
	for i := range n {
		line, err := p.next(fmt.Sprintf("atom %d of %d", i+1, n))
		if err != nil {
			return nil, err
		}
		if err := p.atom(s, line); err != nil {
			return nil, err
		}
	}
	box, err := p.next("box")
	if err != nil {
		return nil, err
	}
	return s, p.box(s, box)
}

type groParser struct {
	lines *bufio.Scanner
	name  string
	line  int
}

func (p *groParser) fail(kind error, format string, args ...any) error {
	return fmt.Errorf("gromacs: %s: line %d: %w: %s", p.name, p.line, kind, fmt.Sprintf(format, args...))
}

func (p *groParser) next(what string) (string, error) {
	p.line++
	if p.lines.Scan() {
		return p.lines.Text(), nil
	}
	if err := p.lines.Err(); err != nil {
		return "", p.fail(ErrFormat, "%v", err)
	}
	return "", p.fail(ErrTruncated, "the %s is missing", what)
}

// atom reads a line of fixed columns: residue number and name, atom name and
// number, 5 each, then positions as wide as the distance of their points.
func (p *groParser) atom(s *Structure, line string) error {
	if len(line) < 25 {
		return p.fail(ErrFormat, "%d columns are too few for an atom", len(line))
	}
	number, err := strconv.Atoi(strings.TrimSpace(line[:5]))
	if err != nil {
		return p.fail(ErrFormat, "the residue number is %q", line[:5])
	}
	rest := line[20:]
	first := strings.IndexByte(rest, '.')
	width := strings.IndexByte(rest[first+1:], '.') + 1
	if first < 0 || width < 5 || len(rest) < 3*width {
		return p.fail(ErrFormat, "%q holds no three positions", rest)
	}
	s.Atoms = append(s.Atoms, Atom{Name: strings.TrimSpace(line[10:15]), Residue: strings.TrimSpace(line[5:10]),
		ResidueNumber: number})
	for k := range 3 {
		text := strings.TrimSpace(rest[k*width : (k+1)*width])
		v, err := strconv.ParseFloat(text, 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return p.fail(ErrFormat, "the position %q is not a number", text)
		}
		s.R = append(s.R, float32(v))
	}
	return nil
}

// box reads 3 or 9 numbers: the diagonal first, then xy xz yx yz zx zy.
func (p *groParser) box(s *Structure, line string) error {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		s.Notes = append(s.Notes, "the line of the box is empty: the structure is taken to have none")
		return nil
	}
	if len(fields) != 3 && len(fields) != 9 {
		return p.fail(ErrFormat, "the box has %d numbers; want 3 or 9", len(fields))
	}
	for i, at := range []int{0, 4, 8, 1, 2, 3, 5, 6, 7}[:len(fields)] {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return p.fail(ErrFormat, "%q in the box is not a number", fields[i])
		}
		s.Box[at] = v
	}
	return nil
}
