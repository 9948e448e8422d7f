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

// ParsePDB reads a PDB file from r; name is for messages. Of alternate
// locations the first counts. Positions become nm.
// Source: wwPDB, Atomic Coordinate Entry Format 3.30.
func ParsePDB(r io.Reader, name string) (*Structure, error) {
	s := &Structure{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var err error
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "TITLE") && s.Title == "" && len(line) > 10:
			s.Title = strings.TrimSpace(line[10:])
		case strings.HasPrefix(line, "CRYST1"):
			err = s.pdbBox(line)
		case strings.HasPrefix(line, "ATOM  ") || strings.HasPrefix(line, "HETATM"):
			err = s.pdbAtom(line)
		}
		if err != nil {
			return nil, fmt.Errorf("gromacs: %s: line %d: %w: %w", name, n, ErrFormat, err)
		}
		if strings.HasPrefix(line, "ENDMDL") {
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

func (s *Structure) pdbAtom(line string) error {
	var r [3]float32
	for k := range r {
		v, err := pdbNumber(line, 31+8*k, 38+8*k)
		if err != nil {
			return err
		}
		r[k] = float32(v / 10)
	}
	number, err := strconv.Atoi(strings.TrimSpace(line[22:26]))
	if err != nil {
		return fmt.Errorf("the residue number is %q", line[22:26])
	}
	if alternate := line[16]; alternate != ' ' && alternate != 'A' && alternate != '1' {
		return nil
	}
	// Column 21 belongs to residue names of four letters.
	s.Atoms = append(s.Atoms, Atom{Name: strings.TrimSpace(line[12:16]), Residue: strings.TrimSpace(line[17:21]), ResidueNumber: number})
	s.R = append(s.R, r[:]...)
	return nil
}

// pdbBox turns lengths (Å) and angles (degrees) into box vectors, the first along x, the second in the xy plane.
func (s *Structure) pdbBox(line string) error {
	var v [6]float64
	for k, from := range []int{7, 16, 25, 34, 41, 48} {
		var err error
		if v[k], err = pdbNumber(line, from, from+[]int{8, 6}[k/3]); err != nil {
			return err
		}
	}
	a, b, c := v[0]/10, v[1]/10, v[2]/10
	ca, cb, cg := cosDegrees(v[3]), cosDegrees(v[4]), cosDegrees(v[5])
	sg := math.Sqrt(1 - cg*cg)
	x, y := c*cb, c*(ca-cb*cg)/sg
	box := [9]float64{a, 0, 0, b * cg, b * sg, 0, x, y, math.Sqrt(c*c - x*x - y*y)}
	for _, e := range box {
		if math.IsNaN(e) || math.IsInf(e, 0) {
			return fmt.Errorf("lengths %g and angles %g make no box", v[:3], v[3:])
		}
	}
	if a == 0.1 && b == 0.1 && c == 0.1 { // the format's way to say that there is none
		return nil
	}
	s.Box = box
	return nil
}

// cosDegrees is exact for right angles.
func cosDegrees(x float64) float64 {
	if x == 90 {
		return 0
	}
	return math.Cos(x * math.Pi / 180)
}
