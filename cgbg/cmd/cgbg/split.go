package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data"
)

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
		return fmt.Errorf("%w: -blocks %d -validation %g: two blocks or more, and a fraction between 0 and 1", errUsage,
			o.blocks, o.validation)
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

// splitNames are the files for training and for validation.
func splitNames(path, verb string) (outs [2]string) {
	command, _, _ := strings.Cut(verb, " ")
	for side, name := range []string{"train", "validation"} {
		outs[side] = strings.TrimSuffix(path, filepath.Ext(path)) + "_" + command + "_" + name + ".arrow"
	}
	return outs
}

// splitFile writes the frames to a file for training and one for validation.
// pick gives the frames to take of those numbered (nil: all of them), in the
// file's order, and their effective number. verb goes into the description of the file.
func splitFile(ctx context.Context, path, verb string, o *splitOptions,
	pick func(frames []int, rng *rand.Rand) ([]int, float64, error), stdout io.Writer) error {
	outs := splitNames(path, verb)
	if err := cli.CheckPaths(outs[:], []string{path}); err != nil {
		return err
	}
	r, err := data.OpenContext(ctx, path)
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
	if meta.SourceSHA, err = data.Checksum(ctx, path); err != nil {
		return err
	}
	meta.Source = filepath.Base(path)
	if pick != nil {
		meta.Stride = 0 // copies of a frame follow each other
	}
	rng := rand.New(rand.NewPCG(o.seed, 0x3e5a))
	chosen := o.choose()
	var writers [2]*data.Writer
	var take [2][]int
	for side, name := range []string{"train", "validation"} {
		for i := range n {
			if chosen[i*o.blocks/n] == (side == 1) {
				take[side] = append(take[side], i)
			}
		}
		meta = meta.With(keyEffective, "")
		if pick != nil {
			var effective float64
			if take[side], effective, err = pick(take[side], rng); err != nil {
				return fmt.Errorf("%s: %s: %w", path, name, err)
			}
			meta = meta.With(keyEffective, fmt.Sprintf("%.0f", effective))
			meta = meta.With(data.KeyBias, "").With(data.KeyPooled, "") // undone by the draw
		}
		meta.Generator = fmt.Sprintf("cgbg %s -blocks %d -validation %g -seed %d (%s)", verb, o.blocks, o.validation,
			o.seed, name)
		if writers[side], err = data.Create(outs[side], meta); err != nil {
			return err
		}
		defer writers[side].Abort() // does nothing after Close
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
