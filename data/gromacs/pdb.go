package gromacs

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadStructure reads a GRO or PDB file, by the ending of its name.
func ReadStructure(path string) (*Structure, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gro":
		return ReadGRO(path)
	case ".pdb":
		return ReadPDB(path)
	}
	return nil, fmt.Errorf("gromacs: %s: a structure is a .gro or a .pdb file", path)
}

// ReadPDB reads the first model of a PDB file. Errors name file and line.
func ReadPDB(path string) (*Structure, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	defer f.Close()
	return ParsePDB(f, path)
}

// ParsePDB reads a PDB file from r, up to the end of the first model; name is for
// messages. Of alternate locations a residue takes the first. A line CRYST1 of
// zeros, or of 1 Å, says that there is no box; one that is cut short is left out,
// with a note. Positions become nm.
// Source: wwPDB, Atomic Coordinate Entry Format 3.30.
func ParsePDB(r io.Reader, name string) (*Structure, error) {
	s := &Structure{}
	p := pdbParser{s: s}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var err error
		line := lines.Text()
		if strings.HasPrefix(line, "MODEL") && len(s.Atoms) > 0 { // some programs write no ENDMDL
			break
		}
		switch {
		case strings.HasPrefix(line, "TITLE") && s.Title == "" && len(line) > 10:
			s.Title = strings.TrimSpace(line[10:])
		case strings.HasPrefix(line, "CRYST1"):
			err = s.pdbBox(line)
		case isAtom(line):
			err = p.atom(line)
		}
		if err != nil {
			return nil, fmt.Errorf("gromacs: %s: line %d: %w: %w", name, n, ErrFormat, err)
		}
		if strings.HasPrefix(line, "ENDMDL") || strings.TrimSpace(line) == "END" && len(s.Atoms) > 0 {
			break
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("gromacs: %s: %w: %w", name, ErrFormat, err)
	}
	if len(s.Atoms) == 0 {
		return nil, fmt.Errorf("gromacs: %s: %w: no line ATOM or HETATM", name, ErrFormat)
	}
	return s, nil
}

// pdbNumber reads columns from to to, counted from 1 as the format does.
func pdbNumber(line string, from, to int) (float64, error) {
	if len(line) < to {
		return 0, fmt.Errorf("%d columns, at least %d are needed", len(line), to)
	}
	text := strings.TrimSpace(line[from-1 : to])
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("columns %d to %d hold %q, not a number", from, to, text)
	}
	return v, nil
}

// pdbParser reads the atoms of a PDB file.
type pdbParser struct {
	s      *Structure
	number int // of the residue before
	locations
}

func (p *pdbParser) atom(line string) error {
	if k := shifted(line); k > 0 { // what stands behind the serial number
		line = line[:6] + line[6+k:]
	}
	var r [3]float32
	for k := range r {
		v, err := pdbNumber(line, 31+8*k, 38+8*k)
		if err != nil {
			return err
		}
		r[k] = float32(v / 10)
	}
	columns, insertion := line[22:26], strings.TrimSpace(line[26:27])
	if insertion >= "0" && insertion <= "9" && line[22] != ' ' { // five digits
		columns, insertion = line[22:27], ""
	}
	number, err := residueNumber(columns, p.number)
	if err != nil {
		return err
	}
	p.number = number
	// Column 21 belongs to residue names of four letters.
	atom := Atom{Name: strings.TrimSpace(line[12:16]), Residue: strings.TrimSpace(line[17:21]), ResidueNumber: number,
		Chain: strings.TrimSpace(line[21:22]), Insertion: insertion}
	if len(line) >= 78 {
		atom.Element = strings.TrimSpace(line[76:78])
	}
	switch at := p.place(atom, line[16], len(p.s.Atoms)); {
	case at == len(p.s.Atoms):
		p.s.Atoms, p.s.R = append(p.s.Atoms, atom), append(p.s.R, r[:]...)
	case at >= 0:
		p.s.Atoms[at] = atom
		copy(p.s.R[3*at:], r[:])
	}
	return nil
}

// pdbBox turns lengths (Å) and angles (degrees) into box vectors, the first along x, the second in the xy plane.
func (s *Structure) pdbBox(line string) error {
	var v [6]float64
	for k, from := range []int{7, 16, 25, 34, 41, 48} {
		var err error
		if v[k], err = pdbNumber(line, from, from+[]int{8, 6}[k/3]); err != nil {
			s.Notes = append(s.Notes, fmt.Sprintf("the line %q is no whole box (%v): the structure is taken to have "+
				"none", strings.TrimSpace(line), err))
			return nil
		}
	}
	// the format's way to say that there is none, and that of others
	if v[0] == v[1] && v[1] == v[2] && (v[0] == 0 || v[0] == 1) {
		return nil
	}
	var err error
	if s.Box, err = Cell(v[0]/10, v[1]/10, v[2]/10, cosDegrees(v[3]), cosDegrees(v[4]), cosDegrees(v[5])); err != nil {
		err = fmt.Errorf("%w: correct the line CRYST1, or delete it", err)
	}
	return err
}

// Cell returns box vectors, row by row, from their lengths and the cosines of
// the angles between the second and third, first and third, first and second.
// The first lies along x, the second in the xy plane. A length of zero leaves its
// vector zero: there is no periodicity along it, as in slabs.
func Cell(a, b, c, cosAlpha, cosBeta, cosGamma float64) ([9]float64, error) {
	if a == 0 || b == 0 { // an angle with a vector that is none means nothing
		cosGamma = 0
	}
	if a == 0 || c == 0 {
		cosBeta = 0
	}
	if b == 0 || c == 0 {
		cosAlpha = 0
	}
	sinGamma := math.Sqrt(1 - cosGamma*cosGamma)
	x, y := c*cosBeta, c*(cosAlpha-cosBeta*cosGamma)/sinGamma
	box := [9]float64{a, 0, 0, b * cosGamma, b * sinGamma, 0, x, y, math.Sqrt(c*c - x*x - y*y)}
	for _, e := range box {
		if math.IsNaN(e) || math.IsInf(e, 0) || !(a >= 0 && b >= 0 && c >= 0) {
			return [9]float64{}, fmt.Errorf("lengths %g, %g, %g nm and cosines %g, %g, %g of the angles make no box", a,
				b, c, cosAlpha, cosBeta, cosGamma)
		}
	}
	return box, nil
}

// cosDegrees is exact for right angles.
func cosDegrees(x float64) float64 {
	if x == 90 {
		return 0
	}
	return math.Cos(x * math.Pi / 180)
}

// PDBWriter writes frames as models of a PDB file, for viewers.
type PDBWriter struct {
	out    *bufio.Writer
	atoms  []Atom
	models int
}

// NewPDBWriter writes to w frames of atoms with these names, numbers, chains and elements.
func NewPDBWriter(w io.Writer, atoms []Atom) *PDBWriter {
	return &PDBWriter{out: bufio.NewWriterSize(w, bufferSize), atoms: atoms}
}

// Append writes a frame. Errors: another number of atoms, positions that do not
// fit in the format's columns, those of the system.
func (p *PDBWriter) Append(f *Frame) error {
	if len(f.R) != 3*len(p.atoms) {
		return fmt.Errorf("gromacs: %d numbers in a frame of %d atoms", len(f.R), len(p.atoms))
	}
	p.models++
	if p.models == 1 && f.Box != [9]float64{} {
		fmt.Fprint(p.out, pdbCell(f.Box))
	}
	fmt.Fprintf(p.out, "MODEL %8d\n", p.models)
	for i, a := range p.atoms {
		name := a.Name
		if len(name) < 4 && len(a.Element) < 2 { // the element stands in columns 13 and 14
			name = " " + name
		}
		// Serial and residue numbers go on from 0 where they have no more columns, as GROMACS and OpenMM have it.
		line := fmt.Sprintf("ATOM  %5d %-4.4s %-4.4s%1.1s%4d%1.1s   %8.3f%8.3f%8.3f  1.00  0.00          %2.2s\n",
			(i+1)%100000, name, a.Residue, a.Chain, a.ResidueNumber%10000, a.Insertion,
			10*f.R[3*i], 10*f.R[3*i+1], 10*f.R[3*i+2], strings.ToUpper(a.Element))
		if len(line) != 79 {
			return fmt.Errorf("gromacs: atom %d (from 0), %s of residue %d, at %v nm is beyond the columns of a PDB "+
				"file; write XTC", i, a.Name, a.ResidueNumber, f.R[3*i:3*i+3])
		}
		p.out.WriteString(line)
	}
	_, err := p.out.WriteString("ENDMDL\n")
	return err
}

// Close ends the file, and does not close it.
func (p *PDBWriter) Close() error {
	p.out.WriteString("END\n")
	return p.out.Flush()
}

// pdbCell is the line of the box.
func pdbCell(box [9]float64) string {
	var length [3]float64
	for k := range length {
		length[k] = math.Hypot(math.Hypot(box[3*k], box[3*k+1]), box[3*k+2])
	}
	angle := func(i, j int) float64 {
		dot := 0.0
		for k := range 3 {
			dot += box[3*i+k] * box[3*j+k]
		}
		if length[i]*length[j] == 0 { // a slab
			return 90
		}
		return math.Acos(dot/(length[i]*length[j])) * 180 / math.Pi
	}
	return fmt.Sprintf("CRYST1%9.3f%9.3f%9.3f%7.2f%7.2f%7.2f P 1           1\n", 10*length[0], 10*length[1],
		10*length[2], angle(1, 2), angle(0, 2), angle(0, 1))
}
