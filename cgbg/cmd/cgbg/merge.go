package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
)

const mergeUsage = `usage: go run ./cgbg/cmd/cgbg merge -o FILE.arrow FILE.arrow...

Puts the frames of several files into one, in the order given. The files must be of the
same system, map, temperature and columns.

Weights of simulations with different biases are each known up to a factor: -level scales
those of every file to a mean of one, so that each file counts by its number of frames. It
is done without asking where the files are of different biases (umbrella windows overlap
better by MBAR: import -umbrella). Weights of files that do not say of which bias they are
(no key bias) are taken to be of different ones, unless the files were made from the same.

Frames of different biases that have no weights, or of which some have none, are pooled
without any, and the file says so: their forces count, as mean forces are the same under
any bias on the beads, but they are of no one ensemble, which flows and references need.

The time between frames may differ from file to file: it is not known then in the merged
one, where correlation times and blocks count frames.

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
	p, err := readParts(ctx, rest, *level)
	if err != nil {
		return err
	}
	w, err := data.Create(*out, p.meta)
	if err != nil {
		return err
	}
	defer w.Abort() // does nothing after Close
	for _, path := range rest {
		shift := 0.0
		if p.level {
			if shift, err = meanLogWeight(ctx, path); err != nil {
				return err
			}
		}
		if err := eachBatch(ctx, path, func(_ int, f *data.Frames) error {
			for i := range f.LogW {
				f.LogW[i] -= shift
			}
			if !p.weighted {
				f.LogW = nil
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
	if p.uneven {
		fmt.Fprintln(stdout, "the time between frames differs from file to file: it is not known in the merged one, "+
			"where correlation times and blocks count frames")
	}
	switch {
	case p.meta.Extra[data.KeyPooled] != "" && p.weighted:
		fmt.Fprintln(stdout, "the files are of different biases: the weights of each were scaled to a mean of one")
	case p.meta.Extra[data.KeyPooled] != "":
		fmt.Fprintln(stdout, "the files are of different biases, and not all have weights: there are none in the "+
			"merged one, whose forces count and whose ensemble is none")
	}
	return nil
}

// parts are what files that are merged have in common.
type parts struct {
	meta     data.Meta
	weighted bool // whether all have weights
	level    bool // whether these are scaled
	uneven   bool // whether the time between frames differs
}

// readParts compares the files' descriptions.
func readParts(ctx context.Context, paths []string, level bool) (p parts, err error) {
	var names, biases, whose []string
	var weights []bool
	for i, path := range paths {
		m, columns, err := describe(ctx, path)
		if err != nil {
			return p, err
		}
		if i == 0 {
			p.meta = m.With(keyEffective, "") // it is not that of all of them
		}
		if what := differ(p.meta, m); what != "" {
			return p, fmt.Errorf("%s and %s: they differ in %s", paths[0], path, what)
		}
		p.uneven = p.uneven || m.Stride != p.meta.Stride
		names = append(names, filepath.Base(path))
		weights = append(weights, slices.Contains(columns, "logw"))
		bias, who := biasOf(path, m, weights[i])
		biases, whose = append(biases, bias), append(whose, who)
	}
	if p.uneven {
		p.meta.Stride = 0
	}
	p.weighted, p.level = !slices.Contains(weights, false), level
	if level && !p.weighted {
		return p, fmt.Errorf("%s: no weights to level", paths[slices.Index(weights, false)])
	}
	if len(slices.Compact(slices.Clone(whose))) > 1 {
		var text []string
		for i, name := range names {
			text = append(text, name+": "+biases[i])
		}
		p.meta = p.meta.With(data.KeyBias, "").With(data.KeyPooled, strings.Join(text, "; "))
		p.level = p.weighted
	}
	if p.meta.SourceSHA, err = data.Checksum(ctx, paths...); err != nil {
		return p, err
	}
	p.meta.Source = strings.Join(names, ", ")
	p.meta.Generator = "cgbg merge " + strings.Join(names, " ")
	if level {
		p.meta.Generator = "cgbg merge -level " + strings.Join(names, " ")
	}
	return p, nil
}

// biasOf is what a file says of its bias, and that with what tells it from others: weights of a bias that nobody named
// are of the one of another file where both were made from the same.
func biasOf(path string, m data.Meta, weighted bool) (bias, whose string) {
	switch named := cmp.Or(m.Extra[data.KeyPooled], m.Extra[data.KeyBias]); {
	case named != "":
		return named, named
	case !weighted:
		return "no bias is known", ""
	}
	return "weights of a bias that is not named", "that of " + cmp.Or(m.SourceSHA, path)
}

// describe is a file's description, and its columns.
func describe(ctx context.Context, path string) (data.Meta, []string, error) {
	r, err := data.OpenContext(ctx, path)
	if err != nil {
		return data.Meta{}, nil, err
	}
	return r.Meta(), r.Columns(), r.Close()
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
		"the system": a.System == b.System, "the map": a.Mapping == b.Mapping &&
			a.Extra[trajectory.KeyMap] == b.Extra[trajectory.KeyMap], "the beads": fmt.Sprint(a.Beads, a.Species,
			a.Dim) == fmt.Sprint(b.Beads, b.Species, b.Dim),
		"the temperature": a.Temperature == b.Temperature, "the force field": a.ForceField == b.ForceField,
		"the units": a.Units == b.Units,
	} {
		if !same {
			return name
		}
	}
	return ""
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
