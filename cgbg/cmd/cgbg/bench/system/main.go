// Command system writes a peptide in water, torn by the boundary, as GRO, PDB
// and TRR files with forces, for timing the import of large systems.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/cgmap/waterbox"
	"github.com/cgbg-go/lab/data/gromacs"
)

// residues of the helix, 0.15 nm each, and a box long enough.
const (
	residues = 120
	long     = 19.5 // nm
)

func main() {
	atoms := flag.Int("atoms", 20000, "about so many `atoms`")
	frames := flag.Int("frames", 3, "`number` of frames")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: system [-atoms N] [-frames N] DIRECTORY, for system.gro, system.pdb and "+
			"system.trr")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *atoms, *frames); err != nil {
		fmt.Fprintln(os.Stderr, "system:", err)
		os.Exit(1)
	}
}

func run(dir string, atoms, frames int) error {
	width := 1.0
	for width*width*long*100 < float64(atoms) { // 100 atoms/nm³
		width += 0.01
	}
	s := waterbox.New(residues, [3]float64{width, width, long}, 1)
	waterbox.Torn(s.R, s.Box, [3]float64{width / 2, width / 2, long / 3})
	if err := os.WriteFile(filepath.Join(dir, "system.gro"), gro(s), 0o644); err != nil {
		return err
	}
	if err := writePDB(filepath.Join(dir, "system.pdb"), s); err != nil {
		return err
	}
	return writeTRR(filepath.Join(dir, "system.trr"), s, frames)
}

func gro(s *gromacs.Structure) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%d\n", s.Title, len(s.Atoms))
	for i, a := range s.Atoms {
		fmt.Fprintf(&b, "%5d%-5s%5s%5d%8.3f%8.3f%8.3f\n", a.ResidueNumber%100000, a.Residue, a.Name, (i+1)%100000,
			s.R[3*i], s.R[3*i+1], s.R[3*i+2])
	}
	fmt.Fprintf(&b, "%10.5f%10.5f%10.5f\n", s.Box[0], s.Box[4], s.Box[8])
	return b.Bytes()
}

func writePDB(path string, s *gromacs.Structure) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := gromacs.NewPDBWriter(f, s.Atoms)
	if err := w.Append(&gromacs.Frame{R: s.R, Box: s.Box}); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

// Thermal motion and forces of the frames, a component: nm, kJ/mol/nm.
const (
	motion = 0.004
	force  = 800
)

// writeTRR writes frames of atoms that move about the structure's places, with random forces.
func writeTRR(path string, s *gromacs.Structure, frames int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	put := func(v any) {
		if err == nil {
			err = binary.Write(w, binary.BigEndian, v)
		}
	}
	rng := rand.New(rand.NewPCG(2, 3))
	n := int32(len(s.Atoms))
	numbers := make([]float32, len(s.R))
	for k := range frames {
		put([]int32{1993, 13, 12})
		put([]byte("GMX_trn_file"))
		put([]int32{0, 0, 36, 0, 0, 0, 0, 12 * n, 0, 12 * n, n, int32(k), 0})
		put([]float32{float32(k), 0})
		for _, v := range s.Box {
			put(float32(v))
		}
		for i, v := range s.R {
			numbers[i] = v + float32(motion*rng.NormFloat64())
		}
		put(numbers)
		for i := range numbers {
			numbers[i] = float32(force * rng.NormFloat64())
		}
		put(numbers)
	}
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
