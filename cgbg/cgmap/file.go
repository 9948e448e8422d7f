package cgmap

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// FileFormat explains the files that ReadFile reads.
const FileFormat = `A file of a map has one bead a line, in one of two forms that may be mixed; "#" begins
a comment. A bead is named, has the symbol of an element (codes as above) or a code from
1 on as its species, and lies at a weighted mean of atoms, any of the structure:

  # name     species  atoms, equally weighted, by "*weight", or by mass after "com"
  ALA2:CA    C        ALA2:CA
  side       C        ALA2:CB ALA2:HB1*0.5 ALA2:HB2*0.5 ALA2:HB3*0.5
  cap        6        com NME3:N NME3:H NME3:CH3 @20 @21 @22

An atom is RESIDUE+NUMBER:ATOM, with CHAIN/ in front where that names several, or @number, from
1, in the structure; weights are divided by their sum. Or a bead is a row of a
matrix, a number for every atom of the structure, blanks or commas between them, with or without
name and species in front:

  side, C, 0, 0, 0.5, 0.5, 0

A row must sum to 1, or else the bead would not move with the molecule. Without a name a
bead is called after its only atom, or B1, B2, ...; its species is the element of the
atom with the largest weight. Dihedrals are found by the names ALA2:N, ALA2:CA, ...
`

// ErrFile reports a file that is no map of the structure's atoms.
var ErrFile = errors.New("no map of these atoms")

// Limits of a file, so that a wrong one ends with an error.
const (
	maxFile    = 64 << 20 // bytes
	maxSpecies = 1 << 16
)

// sumTolerance is how far from 1 a row of a matrix may sum, through rounding in
// the file: three digits in thirds.
const sumTolerance = 2e-3

// ReadFile reads a linear map in the form that FileFormat explains, for the
// atoms of s. Errors: those of the system; ErrFile with file, line and cure.
func ReadFile(path string, s *gromacs.Structure) (*Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cgmap: %w", err)
	}
	defer f.Close()
	return Parse(f, path, s)
}

// Parse reads a map from r; name is the map's, and for messages.
func Parse(r io.Reader, name string, s *gromacs.Structure) (*Map, error) {
	p := &parser{taken: map[string]bool{}, layout: layOut(s), m: &Map{Name: name, atoms: len(s.Atoms)}}
	lines := bufio.NewScanner(io.LimitReader(r, maxFile))
	lines.Buffer(nil, maxFile)
	line := 0
	for lines.Scan() {
		line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r,;", r) })
		if len(words) == 0 {
			continue
		}
		if err := p.bead(words); err != nil {
			return nil, fmt.Errorf("cgmap: %s: line %d: %w: %w", name, line, ErrFile, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cgmap: %s: line %d: %w: %w", name, line+1, ErrFile, err)
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("cgmap: %s: %w: %w", name, ErrFile, err)
	}
	return p.m, nil
}

// parser gathers the beads of a file.
type parser struct {
	layout *layout
	m      *Map
	rows   [][]Weight      // of the beads
	taken  map[string]bool // names of beads
	index  *index
}

// bead reads a line: the first word is a name, or the first number of a row.
func (p *parser) bead(words []string) (err error) {
	name, code, row := "", int32(0), []Weight(nil)
	if isNumber(words[0]) {
		row, err = p.matrixRow(words)
	} else {
		if len(words) < 3 {
			return fmt.Errorf("%q is no bead: name, species, and atoms or a row of numbers are needed",
				strings.Join(words, " "))
		}
		if code, err = speciesCode(words[1]); err != nil {
			return err
		}
		if name = words[0]; isNumber(words[2]) {
			row, err = p.matrixRow(words[2:])
		} else {
			row, err = p.selection(words[2:])
		}
	}
	if err != nil {
		return err
	}
	if name == "" {
		largest := slices.MaxFunc(row, func(a, b Weight) int { return cmp.Compare(a.Weight, b.Weight) })
		top := largest.Atom
		if name = fmt.Sprintf("B%d", len(p.rows)+1); largest.Weight == 1 {
			name = p.layout.fullName(top)
		}
		if code = speciesOf(p.layout.elements[top]); code == 0 {
			return fmt.Errorf("the element of atom %d, %s, does not follow from its name; write name and species in "+
				"front of the row", top+1, p.layout.fullName(top))
		}
	}
	if len(p.rows) == p.m.atoms {
		return fmt.Errorf("more beads than the %d atoms of the structure", p.m.atoms)
	}
	if p.taken[name] {
		return fmt.Errorf("a second bead %q; give it another name", name)
	}
	p.taken[name] = true
	p.m.Beads, p.m.Species, p.rows = append(p.m.Beads, name), append(p.m.Species, code), append(p.rows, row)
	return nil
}

// weights are the numbers of a row that are not zero.
func weights(row []float64) (out []Weight) {
	for i, w := range row {
		if w != 0 {
			out = append(out, Weight{i, w})
		}
	}
	return out
}

func isNumber(word string) bool {
	_, err := strconv.ParseFloat(word, 64)
	return err == nil && strings.IndexByte("0123456789+-.", word[0]) >= 0
}

func speciesCode(word string) (int32, error) {
	if code := speciesOf(word); code > 0 {
		return code, nil
	}
	code, err := strconv.Atoi(word)
	if err != nil || code < 1 || code > maxSpecies {
		return 0, fmt.Errorf("the species %q: the symbol of an element (C, Zn), or a whole number from 1 to %d", word,
			maxSpecies)
	}
	return int32(code), nil
}

// matrixRow reads one number for every atom, whose sum is 1.
func (p *parser) matrixRow(words []string) ([]Weight, error) {
	if len(words) != p.m.atoms {
		return nil, fmt.Errorf("%d numbers; the structure has %d atoms, and a row needs one for each", len(words),
			p.m.atoms)
	}
	row, sum := make([]float64, len(words)), 0.0
	for i, word := range words {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is not a finite number", word)
		}
		row[i] = v
		sum += v
	}
	if !(math.Abs(sum-1) <= sumTolerance) {
		return nil, fmt.Errorf("the row sums to %g, and the bead would not move with the molecule; divide the row "+
			"by its sum, or select atoms by name, which does that", sum)
	}
	return divide(weights(row), sum), nil
}

// divide makes a row sum to 1. It leaves that of a single atom exact.
func divide(row []Weight, sum float64) []Weight {
	for i := range row {
		row[i].Weight /= sum
	}
	return row
}

// selection reads atoms with weights: ALA2:CB, ALA2:HB1*0.5, @7; after "com" all by mass.
func (p *parser) selection(words []string) (row []Weight, err error) {
	com := words[0] == "com"
	if com {
		if words = words[1:]; len(words) == 0 {
			return nil, errors.New("no atoms after com")
		}
	}
	seen, sum := map[int]bool{}, 0.0
	for _, word := range words {
		name, factor, weighted := word, "", false
		if _, ok := p.find(word); !ok { // atoms of nucleic acids were called O5* once
			name, factor, weighted = cutLast(word, "*")
		}
		i, err := p.atom(name)
		if err != nil {
			return nil, err
		}
		w := 1.0
		switch {
		case weighted && com:
			return nil, fmt.Errorf("%s: com weights by mass; leave out either the weight or com", word)
		case weighted:
			if w, err = strconv.ParseFloat(factor, 64); err != nil || !(w > 0 && w < 1e9) {
				return nil, fmt.Errorf("%s: a weight is a positive number; negative ones need a row of numbers", word)
			}
		case com:
			if w = elements[p.layout.elements[i]].mass; w == 0 && p.layout.elements[i] != virtual {
				return nil, fmt.Errorf("%s: its element does not follow from its name, and its mass is not known; "+
					"leave out com and write weights", word)
			}
		}
		if seen[i] {
			return nil, fmt.Errorf("%s is named twice; give it one weight", name)
		}
		seen[i] = true
		if w != 0 { // of sites without a mass
			row = append(row, Weight{i, w})
		}
		sum += w
	}
	if sum == 0 {
		return nil, errors.New("com of sites without a mass")
	}
	slices.SortFunc(row, func(a, b Weight) int { return a.Atom - b.Atom })
	return divide(row, sum), nil
}

// finish turns the rows into a map: atoms where each bead is one, else a matrix.
func (p *parser) finish() error {
	if len(p.rows) == 0 {
		return errors.New("it has no beads; a line is: name, species, atoms")
	}
	m := p.m
	for _, row := range p.rows {
		if len(row) == 1 && row[0].Weight == 1 {
			m.Atoms = append(m.Atoms, row[0].Atom)
		}
	}
	c := &Sparse{rows: p.rows, atoms: m.atoms}
	if len(m.Atoms) != len(p.rows) {
		m.Atoms, m.linear = nil, c
	}
	if _, err := c.Basic(nil); err != nil {
		return errors.New("its beads are not independent: some bead is a weighted sum of others; leave it out")
	}
	return nil
}
