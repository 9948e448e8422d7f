package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

const exportUsage = `usage: go run ./cgbg/cmd/cgbg export -o FILE.{npz,pdb,xtc} FILE.arrow

Writes frames for other programs, by the ending of the name:

  .npz   NumPy, with the keys of the published sets: R, F, box, species, mask, U
  .pdb   beads as atoms, every frame a model, for viewers; residue, number and chain are those
         of the beads' names
  .xtc   positions to 1e-4 nm, for viewers; open it with a .pdb of one frame (-n 1)

`

// exportCommand is `cgbg export`.
func exportCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("export", flag.ContinueOnError)
	out := fs.String("o", "", "`file` to write")
	n := fs.Int("n", 0, "`number` of frames from the start, PDB and XTC; 0: all")
	rest, done, err := parse(fs, exportUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1 || *out == "":
		return fmt.Errorf("%w: export takes one file and -o (-h explains)", errUsage)
	case *n < 0:
		return fmt.Errorf("%w: -n %d: 0 (all) or more", errUsage, *n)
	}
	if err := cli.CheckPaths([]string{*out}, rest); err != nil {
		return err
	}
	switch ext := strings.ToLower(filepath.Ext(*out)); ext {
	case ".npz":
		if *n > 0 {
			return fmt.Errorf("%w: -n is for PDB and XTC; split the file first", errUsage)
		}
		return npz.Write(ctx, *out, rest[0])
	case ".pdb", ".xtc":
		return exportTrajectory(ctx, *out, ext, rest[0], *n)
	default:
		return fmt.Errorf("%w: -o %s: the name ends with .npz, .pdb or .xtc", errUsage, *out)
	}
}

// exportTrajectory writes up to n frames (0: all) as PDB or XTC.
func exportTrajectory(ctx context.Context, out, ext, in string, n int) error {
	r, err := data.OpenContext(ctx, in)
	if err != nil {
		return err
	}
	defer r.Close()
	m := r.Meta()
	if m.Dim != 3 {
		return fmt.Errorf("%s: %d coordinates a bead; %s holds positions in space", in, m.Dim, ext)
	}
	if n == 0 || n > r.Len() {
		n = r.Len()
	}
	return writeFile(out, func(file io.Writer) error {
		var w interface {
			Append(*gromacs.Frame) error
			Close() error
		}
		if ext == ".xtc" {
			w = gromacs.NewXTCWriter(file, 1e4)
		} else {
			w = gromacs.NewPDBWriter(file, beadAtoms(m.Beads, m.Species))
		}
		for i := 0; i < n; {
			if err := ctx.Err(); err != nil {
				return err
			}
			f, err := r.Next()
			if err != nil {
				return err
			}
			for k := 0; k < f.Len() && i < n; i, k = i+1, k+1 {
				one := f.Slice(k, k+1)
				frame := &gromacs.Frame{Step: int64(i), Time: float64(i) * m.Stride, R: one.R}
				for j, v := range one.Box {
					frame.Box[j] = float64(v)
				}
				if err := w.Append(frame); err != nil {
					return err
				}
			}
		}
		return w.Close()
	})
}

// beadAtoms names beads as atoms: A/SER52A:CA is CA of residue SER 52A of chain A. Beads under names of their own are
// of one residue CG.
func beadAtoms(beads []string, species []int32) []gromacs.Atom {
	atoms := make([]gromacs.Atom, len(beads))
	names := make([]cgmap.Name, len(beads))
	var labels []string
	for i, b := range beads {
		n, ok := cgmap.ParseName(b)
		if !ok {
			n = cgmap.Name{Residue: "CG", Number: 1, Atom: b}
		}
		names[i], labels = n, append(labels, n.Chain)
		switch {
		case len(species) == len(beads):
			atoms[i].Element = cgmap.ElementOf(species[i])
		case ok:
			atoms[i].Element = cgmap.ElementOf(letterSpecies(n.Atom))
		}
	}
	chains := chainLetters(labels)
	for i, n := range names {
		atoms[i].Name, atoms[i].Residue, atoms[i].ResidueNumber, atoms[i].Insertion, atoms[i].Chain = n.Atom, n.Residue, n.Number, n.Insertion, chains[n.Chain]
	}
	return atoms
}

// letterSpecies is the species that the first letter of a peptide's atom stands for, 0: for none.
func letterSpecies(atom string) int32 {
	atom = strings.TrimLeft(atom, "0123456789")
	if atom == "" {
		return 0
	}
	return int32(strings.IndexByte("CONHS", atom[0]) + 1)
}

// chainLetters gives the labels of chains one letter each, their own where it is one; none where there are more chains
// than letters.
func chainLetters(labels []string) map[string]string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	chains, taken := map[string]string{"": ""}, map[string]bool{}
	for _, label := range labels {
		if len(label) == 1 {
			chains[label], taken[label] = label, true
		}
	}
	for _, label := range labels {
		if _, ok := chains[label]; ok {
			continue
		}
		chains[label] = ""
		for _, letter := range strings.Split(letters, "") {
			if !taken[letter] {
				chains[label], taken[letter] = letter, true
				break
			}
		}
	}
	return chains
}

// writeFile writes a file that appears when it is whole.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := keep.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Cleanup() // does nothing after success
	if err := write(file); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}
