package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

const exportUsage = `usage: go run ./cgbg/cmd/cgbg export -o FILE.{npz,pdb,xtc} FILE.arrow

Writes frames for other programs, by the ending of the name:

  .npz   NumPy, with the keys of the published sets: R, F, box, species, mask, U
  .pdb   beads as atoms, every frame a model, for viewers
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
			w = gromacs.NewPDBWriter(file, beadAtoms(m.Beads))
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

// beadAtoms names beads as atoms: ALA2:CA is CA of residue ALA 2.
func beadAtoms(beads []string) []gromacs.Atom {
	atoms := make([]gromacs.Atom, len(beads))
	for i, b := range beads {
		residue, name, ok := strings.Cut(b, ":")
		if !ok {
			residue, name = "CG", b
		}
		letters := strings.TrimRight(residue, "0123456789")
		atoms[i] = gromacs.Atom{Name: name, Residue: letters, ResidueNumber: 1}
		fmt.Sscan(residue[len(letters):], &atoms[i].ResidueNumber) // 1 where there is none
	}
	return atoms
}

// writeFile writes a file that appears when it is whole.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // does nothing after the rename
	defer file.Close()
	if err := write(file); err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
