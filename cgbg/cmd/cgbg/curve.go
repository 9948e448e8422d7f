package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/study"
	"github.com/cgbg-go/lab/data"
)

const curveUsage = `usage: go run ./cgbg/cmd/cgbg curve flow -pmf PMF.npz [flags] -o CURVE.json FRAMES.arrow
       go run ./cgbg/cmd/cgbg curve pmf -flow FLOW.npz -samples SAMPLES.arrow [flags] -o CURVE.json FRAMES.arrow

Would more training help, or more data? Trains models with more and more steps on more and
more frames, evenly spaced in time, and tells what the weights are worth with each: of
samples of every flow under one potential, or of the samples of one flow under every
potential. It prints all steps on all frames, and for every number of frames the steps that do
best on held-out frames. Steps are rounded to whole passes over the frames, one at least; numbers of
frames that the file does not have are left out. The other model must be of the same beads, map and
temperature as the frames. Points go to the file as they are done; the same command goes on after Ctrl-C.

-state adds what the weighted samples say of the population of a state, see "cgbg report -h":

  cgbg curve pmf ... -variable "phi=phi(ALA2)" -state "left: phi > 0"

`

// curveCommand is `cgbg curve`.
func curveCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("curve", flag.ContinueOnError)
	var o study.CurveOptions
	steps := fs.String("steps", "100,400,1600,6400", "`numbers` of steps, each tried on every number of frames")
	frames := fs.String("frames", "500,2000,8000", "`numbers` of frames, beside all of them")
	fs.IntVar(&o.N, "n", 2000, "`samples` of every flow")
	fs.StringVar(&o.PMF, "pmf", "", "`file` of the potential that weighs samples of flows")
	fs.StringVar(&o.Flow, "flow", "", "`file` of the flow whose samples potentials weigh")
	fs.StringVar(&o.Samples, "samples", "", "`file` of its samples")
	fs.StringVar(&o.Train.Preset, "preset", "quick", "`name` of the settings: "+strings.Join(cgbg.Presets, ", "))
	fs.Uint64Var(&o.Train.Seed, "seed", 1, "of parameters, batches and noise")
	fs.IntVar(&o.Train.Batch, "batch", 0, "`frames` of a step; 0: the preset's")
	fs.IntVar(&o.Train.Width, "width", 0, "`units` of the layers, as \"cgbg train\" takes them; 0: the preset's")
	fs.StringVar(&o.Train.Potential, "potential", "", "`kind` of a pmf; the preset's without it")
	fs.StringVar(&o.Train.Field, "field", "", "`kind` of a flow; the preset's without it")
	variables, states := &definitions{separator: "="}, &definitions{separator: ":"}
	fs.Var(variables, "variable", "`NAME=TEXT` of a variable that states are of")
	fs.Var(states, "state", "`NAME:TEXT` of a state to count")
	out := fs.String("o", "", "`file` of the curve, .json")
	rest, stop, err := parse(fs, curveUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 2:
		return fmt.Errorf("%w: curve takes what to train (flow or pmf) and one file of frames (-h explains)", errUsage)
	case *out == "":
		return fmt.Errorf("%w: curve: -o, the file of the curve, is missing", errUsage)
	}
	if o.Steps, err = integers("steps", *steps); err != nil {
		return err
	}
	if o.Frames, err = integers("frames", *frames); err != nil {
		return err
	}
	if err := cli.CheckPaths(cli.Beside(*out), append(withCards(o.PMF, o.Flow), rest[1], o.Samples)); err != nil {
		return err
	}
	if o.Question, err = populations(variables.list, states.list, rest[1]); err != nil {
		return err
	}
	b, err := backend.Open()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, b)
	o.Train.Progress = lines(os.Stderr)
	c, err := study.LearningCurve(ctx, b, rest[0], rest[1], *out, o)
	if err != nil {
		return err
	}
	return printCurve(stdout, c, states.list)
}

// populations asks for states of frames in a file; nil: there are none. Errors: text that is none, and variables that
// the frames cannot tell.
func populations(variables, states []analysis.Definition, file string) (*analysis.Question, error) {
	if len(states) == 0 {
		return nil, nil
	}
	list, err := analysis.ParseVariables(".", variables)
	var of []observable.State
	if err == nil {
		of, err = analysis.ParseStates(states, list)
	}
	var q *analysis.Question
	if err == nil {
		q, err = analysis.NewQuestion(list, of)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: curve: %w", errUsage, err)
	}
	frames, meta, err := data.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if _, err := v.Of(frames.Slice(0, min(1, frames.Len())), meta); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return q, nil
}

// printCurve writes a line for each training on all frames, and for the best one on every number of frames.
func printCurve(w io.Writer, c *study.Curve, states []analysis.Definition) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	score := map[string]string{"flow": "−ln q held out, nat", "pmf": "force error², (kJ/mol/nm)²"}[c.Kind]
	fmt.Fprintf(t, "frames\tsteps\t%s\tESS, %%\tk̂", score)
	for _, s := range states {
		fmt.Fprintf(t, "\t%s", s.Name)
	}
	fmt.Fprintln(t)
	by, some := c.BySteps(), c.ByFrames()
	for _, list := range [][]study.CurvePoint{by, some[:len(some)-1]} { // the last is among those by steps
		for _, p := range list {
			khat := "none"
			if p.KHat != nil {
				khat = fmt.Sprintf("%.2f", *p.KHat)
			}
			fmt.Fprintf(t, "%d\t%d\t%.5g\t%.1f ± %.1f\t%s",
				p.Frames, p.Steps, p.Score.Value, 100*p.ESS.Value, 100*p.ESS.Error, khat)
			for _, s := range states {
				fmt.Fprintf(t, "\t%.4f ± %.4f", p.Populations[s.Name].Value, p.Populations[s.Name].Error)
			}
			fmt.Fprintln(t)
		}
	}
	return t.Flush()
}

// integers are the numbers of a list such as 100,400; none of "".
func integers(flag, list string) (out []int, err error) {
	for _, field := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%w: curve: -%s %s: %q is no number above zero", errUsage, flag, list, field)
		}
		out = append(out, n)
	}
	return out, nil
}
