package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/reweight"
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
	switch ext := strings.ToLower(filepath.Ext(*out)); ext {
	case ".npz":
		if *n > 0 {
			return fmt.Errorf("%w: -n is for PDB and XTC; split the file first", errUsage)
		}
		return npz.Write(*out, rest[0])
	case ".pdb", ".xtc":
		return exportTrajectory(ctx, *out, ext, rest[0], *n)
	default:
		return fmt.Errorf("%w: -o %s: the name ends with .npz, .pdb or .xtc", errUsage, *out)
	}
}

// exportTrajectory writes up to n frames (0: all) as PDB or XTC.
func exportTrajectory(ctx context.Context, out, ext, in string, n int) error {
	r, err := data.Open(in)
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

const mergeUsage = `usage: go run ./cgbg/cmd/cgbg merge -o FILE.arrow FILE.arrow...

Puts the frames of several files into one, in the order given. The files must be of the
same system, map, temperature and columns.

Weights of simulations with different biases are each known up to a factor: -level scales
those of every file to a mean of one, so that each file counts by its number of frames.

`

// mergeCommand is `cgbg merge`.
func mergeCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("merge", flag.ContinueOnError)
	out := fs.String("o", "", "Arrow `file` to write")
	level := fs.Bool("level", false, "scale the weights of each file to a mean of one")
	rest, done, err := parse(fs, mergeUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) < 2 || *out == "":
		return fmt.Errorf("%w: merge takes two files or more and -o (-h explains)", errUsage)
	}
	first, err := metaOf(rest[0])
	if err != nil {
		return err
	}
	meta := withExtra(first, keyEffective, "") // it is not that of all of them
	var names []string
	for _, path := range rest {
		m, err := metaOf(path)
		if err != nil {
			return err
		}
		if what := differ(first, m); what != "" {
			return fmt.Errorf("%s and %s: they differ in %s", rest[0], path, what)
		}
		names = append(names, filepath.Base(path))
	}
	if meta.SourceSHA, err = hashFiles(ctx, rest); err != nil {
		return err
	}
	meta.Source = strings.Join(names, ", ")
	meta.Generator = "cgbg merge " + strings.Join(names, " ")
	if *level {
		meta.Generator = "cgbg merge -level " + strings.Join(names, " ")
	}
	w, err := data.Create(*out, meta)
	if err != nil {
		return err
	}
	defer w.Abort() // does nothing after Close
	for _, path := range rest {
		shift := 0.0
		if *level {
			if shift, err = meanLogWeight(ctx, path); err != nil {
				return err
			}
		}
		if err := eachBatch(ctx, path, func(_ int, f *data.Frames) error {
			for i := range f.LogW {
				f.LogW[i] -= shift
			}
			return w.Append(f)
		}); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d frames\n", *out, w.Len())
	return nil
}

// meanLogWeight is the logarithm of the mean weight of a file's frames.
func meanLogWeight(ctx context.Context, path string) (float64, error) {
	var logw []float64
	if err := eachBatch(ctx, path, func(_ int, f *data.Frames) error {
		logw = append(logw, f.LogW...)
		return nil
	}); err != nil {
		return 0, err
	}
	logz, err := reweight.LogZ(logw)
	if err != nil {
		return 0, fmt.Errorf("%s: no weights to level: %w", path, err)
	}
	return logz, nil
}

// differ names what two files cannot differ in if one is to follow the other.
func differ(a, b data.Meta) string {
	for name, same := range map[string]bool{
		"the system": a.System == b.System, "the map": a.Mapping == b.Mapping && a.Extra[keyMap] == b.Extra[keyMap], "the beads": fmt.Sprint(a.Beads, a.Species, a.Dim) == fmt.Sprint(b.Beads, b.Species, b.Dim),
		"the temperature": a.Temperature == b.Temperature, "the force field": a.ForceField == b.ForceField,
		"the time between frames": a.Stride == b.Stride, "the units": a.Units == b.Units,
	} {
		if !same {
			return name
		}
	}
	return ""
}

func metaOf(path string) (data.Meta, error) {
	r, err := data.Open(path)
	if err != nil {
		return data.Meta{}, err
	}
	return r.Meta(), r.Close()
}

func hashFiles(ctx context.Context, paths []string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		if err := hashFile(ctx, h, path); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// eachBatch calls do with the batches of a file and the number of their first frame.
func eachBatch(ctx context.Context, path string, do func(first int, f *data.Frames) error) error {
	r, err := data.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for first := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(first, f); err != nil {
			return err
		}
		first += f.Len()
	}
}

// keyEffective is where a resampled file's description keeps the effective number of the frames it was drawn from.
const keyEffective = "effective frames"

// withExtra is the description with a value under a key, or without one where the value is empty.
func withExtra(m data.Meta, key, value string) data.Meta {
	m.Extra = maps.Clone(m.Extra)
	delete(m.Extra, key)
	if value != "" {
		if m.Extra == nil {
			m.Extra = map[string]string{}
		}
		m.Extra[key] = value
	}
	return m
}

const splitUsage = `usage: go run ./cgbg/cmd/cgbg split [-validation 0.1] [-blocks 10] [-seed 1] FILE.arrow

Splits frames in time order into FILE_split_train.arrow and FILE_split_validation.arrow by
blocks of time: neighbouring frames are alike, and would make the validation too good if
they stood on both sides. The blocks for validation are drawn at random.

`

// splitCommand is `cgbg split`.
func splitCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("split", flag.ContinueOnError)
	var o splitOptions
	o.flags(fs)
	rest, done, err := parse(fs, splitUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: split takes one file (-h explains)", errUsage)
	}
	if err := o.check(); err != nil {
		return err
	}
	return splitFile(ctx, rest[0], "split", &o, nil, stdout)
}

type splitOptions struct {
	validation float64
	blocks     int
	seed       uint64
}

func (o *splitOptions) flags(fs *flag.FlagSet) {
	fs.Float64Var(&o.validation, "validation", 0.1, "`fraction` of the blocks for validation")
	fs.IntVar(&o.blocks, "blocks", 10, "`number` of blocks of time")
	fs.Uint64Var(&o.seed, "seed", 1, "of the random choice")
}

func (o *splitOptions) check() error {
	if o.blocks < 2 || !(o.validation > 0 && o.validation < 1) {
		return fmt.Errorf("%w: -blocks %d -validation %g: two blocks or more, and a fraction between 0 and 1", errUsage, o.blocks, o.validation)
	}
	return nil
}

// choose draws the blocks for validation.
func (o *splitOptions) choose() []bool {
	chosen := make([]bool, o.blocks)
	n := min(o.blocks-1, max(1, int(math.Round(o.validation*float64(o.blocks)))))
	for _, b := range rand.New(rand.NewPCG(o.seed, 0x5b117)).Perm(o.blocks)[:n] {
		chosen[b] = true
	}
	return chosen
}

// splitFile writes the frames to a file for training and one for validation.
// pick gives the frames to take of those numbered (nil: all of them), in the
// file's order, and their effective number. verb goes into the description of the file.
func splitFile(ctx context.Context, path, verb string, o *splitOptions, pick func(frames []int, rng *rand.Rand) ([]int, float64, error), stdout io.Writer) error {
	r, err := data.Open(path)
	if err != nil {
		return err
	}
	n, meta := r.Len(), r.Meta()
	if err := r.Close(); err != nil {
		return err
	}
	if n < o.blocks {
		return fmt.Errorf("%s: %d frames are too few for %d blocks", path, n, o.blocks)
	}
	if meta.SourceSHA, err = hashFiles(ctx, []string{path}); err != nil {
		return err
	}
	meta.Source = filepath.Base(path)
	if pick != nil {
		meta.Stride = 0 // copies of a frame follow each other
	}
	rng := rand.New(rand.NewPCG(o.seed, 0x3e5a))
	chosen := o.choose()
	base := strings.TrimSuffix(path, filepath.Ext(path))
	var writers [2]*data.Writer
	var take [2][]int
	var outs [2]string
	for side, name := range []string{"train", "validation"} {
		for i := range n {
			if chosen[i*o.blocks/n] == (side == 1) {
				take[side] = append(take[side], i)
			}
		}
		meta = withExtra(meta, keyEffective, "")
		if pick != nil {
			var effective float64
			if take[side], effective, err = pick(take[side], rng); err != nil {
				return fmt.Errorf("%s: %s: %w", path, name, err)
			}
			meta = withExtra(meta, keyEffective, fmt.Sprintf("%.0f", effective))
		}
		meta.Generator = fmt.Sprintf("cgbg %s -blocks %d -validation %g -seed %d (%s)", verb, o.blocks, o.validation, o.seed, name)
		command, _, _ := strings.Cut(verb, " ")
		out := base + "_" + command + "_" + name + ".arrow"
		if writers[side], err = data.Create(out, meta); err != nil {
			return err
		}
		defer writers[side].Abort() // does nothing after Close
		outs[side] = out
	}
	var at [2]int
	err = eachBatch(ctx, path, func(first int, f *data.Frames) error {
		for side, frames := range take {
			part := &data.Frames{}
			for ; at[side] < len(frames) && frames[at[side]] < first+f.Len(); at[side]++ {
				k := frames[at[side]] - first
				part.Append(f.Slice(k, k+1))
			}
			if pick != nil {
				part.LogW = nil // what the frames had is in their number now
			}
			if part.Len() == 0 {
				continue
			}
			if err := writers[side].Append(part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for side, w := range writers {
		if err := w.Close(); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s: %d frames\n", outs[side], w.Len())
	}
	return nil
}

const resampleUsage = `usage: go run ./cgbg/cmd/cgbg resample [-n N] [-validation 0.1] [-blocks 10] [-seed 1] FILE.arrow

Makes an unbiased set of a biased one: draws frames with their weights (column logw) into
FILE_resample_train.arrow and FILE_resample_validation.arrow. Blocks of time are split
first, so that copies of a frame never stand on both sides. The draw is systematic: a
frame of weight w is taken n·w times, rounded up or down. The effective number of frames
bounds what the set knows, however many are drawn; "cgbg info" shows it.

`

// resampleCommand is `cgbg resample`.
func resampleCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("resample", flag.ContinueOnError)
	var o splitOptions
	o.flags(fs)
	n := fs.Int("n", 0, "`number` of frames to draw in all; 0: as many as there are")
	rest, done, err := parse(fs, resampleUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: resample takes one file (-h explains)", errUsage)
	case *n < 0:
		return fmt.Errorf("%w: -n %d: 0 (as many as there are) or more", errUsage, *n)
	}
	if err := o.check(); err != nil {
		return err
	}
	var logw []float64
	if err := eachBatch(ctx, rest[0], func(_ int, f *data.Frames) error {
		if f.LogW == nil {
			return fmt.Errorf("%s: there are no weights (column logw); import it with -awh or -bias", rest[0])
		}
		logw = append(logw, f.LogW...)
		return nil
	}); err != nil {
		return err
	}
	verb := "resample"
	if *n > 0 {
		verb = fmt.Sprintf("resample -n %d", *n)
	}
	return splitFile(ctx, rest[0], verb, &o, func(frames []int, rng *rand.Rand) ([]int, float64, error) {
		w := make([]float64, len(frames))
		for i, k := range frames {
			w[i] = logw[k]
		}
		ess, err := reweight.ESS(w)
		if err != nil {
			return nil, 0, err
		}
		draw := len(frames)
		if *n > 0 {
			draw = max(1, int(math.Round(float64(*n)*float64(len(frames))/float64(len(logw)))))
		}
		counts, err := reweight.Resample(w, draw, reweight.Systematic, rng)
		if err != nil {
			return nil, 0, err
		}
		var out []int
		distinct := 0
		for i, c := range counts {
			if c > 0 {
				distinct++
			}
			for range c {
				out = append(out, frames[i])
			}
		}
		fmt.Fprintf(stdout, "%d frames, effective %.0f: drew %d, %d of them different\n", len(frames), ess*float64(len(frames)), len(out), distinct)
		return out, ess * float64(len(frames)), nil
	}, stdout)
}
