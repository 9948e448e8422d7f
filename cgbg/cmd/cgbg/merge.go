package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

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
	if err := cli.CheckPaths([]string{*out}, rest); err != nil {
		return err
	}
	first, err := metaOf(ctx, rest[0])
	if err != nil {
		return err
	}
	meta := withExtra(first, keyEffective, "") // it is not that of all of them
	var names []string
	for _, path := range rest {
		m, err := metaOf(ctx, path)
		if err != nil {
			return err
		}
		if what := differ(first, m); what != "" {
			return fmt.Errorf("%s and %s: they differ in %s", rest[0], path, what)
		}
		names = append(names, filepath.Base(path))
	}
	if meta.SourceSHA, err = data.Checksum(ctx, rest...); err != nil {
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

func metaOf(ctx context.Context, path string) (data.Meta, error) {
	r, err := data.OpenContext(ctx, path)
	if err != nil {
		return data.Meta{}, err
	}
	return r.Meta(), r.Close()
}

// eachBatch calls do with the batches of a file and the number of their first frame.
func eachBatch(ctx context.Context, path string, do func(first int, f *data.Frames) error) error {
	r, err := data.OpenContext(ctx, path)
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
