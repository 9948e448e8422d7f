package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
)

const infoUsage = `usage: go run ./cgbg/cmd/cgbg info FILE.arrow...

Tells what is in a file of frames: system, map, beads, units, where it came from, and
how much the frames' weights leave of them.

`

// infoCommand is `cgbg info`.
func infoCommand(ctx context.Context, args []string, stdout io.Writer) error {
	rest, done, err := parse(flag.NewFlagSet("info", flag.ContinueOnError), infoUsage, args, stdout)
	if err != nil || done {
		return err
	}
	if len(rest) == 0 {
		return fmt.Errorf("%w: info takes the files (-h explains)", errUsage)
	}
	if err := cli.CheckPaths(nil, rest); err != nil {
		return err
	}
	for _, path := range rest {
		if err := info(ctx, path, stdout); err != nil {
			return err
		}
	}
	return nil
}

func info(ctx context.Context, path string, stdout io.Writer) error {
	r, err := data.OpenContext(ctx, path)
	if err != nil {
		return err
	}
	defer r.Close()
	m := r.Meta()
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("file", "%s", path)
	known := func(text string) string {
		if text == "" {
			return "not known"
		}
		return text
	}
	line("system", "%s", known(m.System))
	line("map", "%s", m.Mapping)
	line("beads", "%s", strings.Join(m.Beads, " "))
	if m.Stride > 0 {
		line("frames", "%d, %g %s apart", r.Len(), m.Stride, m.Units.Time)
	} else {
		line("frames", "%d; the time between them is not known, or not the same", r.Len())
	}
	line("columns", "%s", strings.Join(r.Columns(), " "))
	line("units", "%s, %s, %s", m.Units.Length, m.Units.Energy, m.Units.Time)
	if m.Temperature > 0 {
		line("temperature", "%g K", m.Temperature)
	} else if m.Units == data.Molecular {
		line("temperature", "not known; models and weights need it: import -temperature K")
	}
	line("force field", "%s", known(m.ForceField))
	line("made by", "%s", m.Generator)
	line("from", "%s", m.Source)
	line("its SHA-256", "%s", m.SourceSHA)
	for _, key := range []string{data.KeyBias, data.KeyPooled} {
		if text := m.Extra[key]; text != "" {
			line(key, "%s", text)
		}
	}
	if n := m.Extra[keyEffective]; n != "" {
		line("effective", "%s frames, as if those it was drawn from were independent", n)
	}
	if err := survey(ctx, r, line); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return out.Flush()
}

// survey reads all frames and reports on dihedrals and weights.
func survey(ctx context.Context, r *data.Reader, line func(name, format string, args ...any)) error {
	m := r.Meta()
	residues, err := cgmap.Backbone(m.Beads)
	if m.Mapping == trajectory.Dihedrals {
		residues = make([]cgmap.Residue, len(m.Beads))
		for k, name := range m.Beads {
			residues[k].Name, _, _ = strings.Cut(name, ":")
		}
	} else if err != nil {
		residues = nil
	}
	var logw []float64
	positive := make([][]float64, len(residues))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		logw = append(logw, f.LogW...)
		for k, residue := range residues {
			phi := make([]float64, f.Len())
			if m.Mapping == trajectory.Dihedrals {
				for i := range phi {
					phi[i] = float64(f.R[i*f.Width()+2*k])
				}
			} else {
				phi = observable.Dihedrals(f.R, f.Beads, residue.Phi)
			}
			for _, phi := range phi {
				positive[k] = append(positive[k], math.Max(0, math.Copysign(1, phi)))
			}
		}
	}
	weigh := func(x []float64) (mean float64) {
		if logw == nil {
			logw = make([]float64, len(x))
		}
		e, err := reweight.Average(logw, x)
		if err != nil {
			return math.NaN()
		}
		return e.Value
	}
	if logw != nil {
		ess, err := reweight.ESS(logw)
		if err != nil {
			return err
		}
		line("weights", "effective %.1f %% of the frames, as if they were independent", 100*ess)
	}
	for k, residue := range residues {
		var plain float64
		for _, v := range positive[k] {
			plain += v / float64(len(positive[k]))
		}
		line("P(phi > 0)", "%s: %.4g of the frames, %.4g weighted", residue.Name, plain, weigh(positive[k]))
	}
	return nil
}

const headUsage = `usage: go run ./cgbg/cmd/cgbg head [-n 3] FILE.arrow

Prints the first frames: positions, and forces and the other columns where there are any.

`

// headCommand is `cgbg head`.
func headCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("head", flag.ContinueOnError)
	n := fs.Int("n", 3, "`number` of frames")
	rest, done, err := parse(fs, headUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: head takes one file (-h explains)", errUsage)
	case *n < 1:
		return fmt.Errorf("%w: -n %d: at least 1", errUsage, *n)
	}
	if err := cli.CheckPaths(nil, rest); err != nil {
		return err
	}
	r, err := data.OpenContext(ctx, rest[0])
	if err != nil {
		return err
	}
	defer r.Close()
	for i := 0; i < min(*n, r.Len()); {
		f, err := r.Next()
		if err != nil {
			return err
		}
		for k := 0; k < f.Len() && i < *n; i, k = i+1, k+1 {
			if err := printFrame(stdout, r.Meta(), i, f.Slice(k, k+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

func printFrame(stdout io.Writer, m data.Meta, number int, f *data.Frames) error {
	fmt.Fprintf(stdout, "frame %d", number)
	for _, c := range []struct {
		name   string
		values []float64
	}{{"bias", f.Bias}, {"logw", f.LogW}, {"logq", f.LogQ}, {"u", f.U}} {
		if c.values != nil {
			fmt.Fprintf(stdout, "  %s %.5g", c.name, c.values[0])
		}
	}
	fmt.Fprintln(stdout)
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "bead\tR (%s)\t\t\t", m.Units.Length)
	if f.F != nil {
		fmt.Fprintf(out, "F (%s/%s)\t\t\t", m.Units.Energy, m.Units.Length)
	}
	fmt.Fprintln(out)
	for i, bead := range m.Beads {
		fmt.Fprintf(out, "%s\t", bead)
		for k := i * m.Dim; k < (i+1)*m.Dim; k++ {
			fmt.Fprintf(out, "%.4f\t", f.R[k])
		}
		if f.F != nil {
			for k := i * m.Dim; k < (i+1)*m.Dim; k++ {
				fmt.Fprintf(out, "%.2f\t", f.F[k])
			}
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}
