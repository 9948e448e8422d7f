package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

const sampleUsage = `usage: go run ./cgbg/cmd/cgbg sample [flags] -o SAMPLES.arrow FLOW.npz

Draws samples of a flow with their exact log-density (R, logq). With -pmf, a potential of
mean force, they get energies and log-weights too (u, logw), and the weights a verdict. Flow
and potential must be of the same beads, species, map, temperature and units, as their cards
(FILE.npz.json) tell; without a known temperature nothing is weighed.
-frames, of another simulation (with weights if biased), tells what the flow misses: the part of
their weight that lies where the flow makes no samples. Weights cannot know: those of a flow that
never saw a basin are the best of all.
-until-ess draws until the weights are worth so many equal samples, at most -n.

The file is written part by part: Ctrl-C keeps the parts, and the same command goes on
from there. A sample in which any chiral centre has the other hand than the frames that the
flow was trained on has no weight: a potential of distances cannot tell it from its mirror
image. The flow's card has the centres (chiral_centres), found from all its frames; frames of
both hands have none, nor have N, CA, C and O without a side chain.

"lost" is the share of the samples that have a wrong hand, and of those without weight for
another reason. "widths" are the standard deviations of bonds and angles over those of the
flow's frames (1: alike; root mean square over all), as drawn and weighted. The verdict minds
both: wide bonds or many wrong hands are a flow that needs more training, wide bonds after
reweighting a potential that does. Flows of earlier versions, whose card tells less, have
fewer of these lines.

`

// sampleCommand is `cgbg sample`.
func sampleCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("sample", flag.ContinueOnError)
	var o cgbg.DrawOptions
	fs.IntVar(&o.N, "n", 1000, "`number` of samples")
	fs.Float64Var(&o.UntilESS, "until-ess", 0, "effective `samples` to stop at; needs -pmf")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the prior's draws")
	fs.IntVar(&o.Checks, "checks", 64, "`samples` whose log-density is checked in float64")
	fs.Var((*files)(&o.PMF), "pmf", "`file` of a potential of mean force, .npz; several weigh by their mean")
	fs.StringVar(&o.Frames, "frames", "",
		"`file` of frames of another simulation, which tell what the flow misses; needs -pmf")
	out := fs.String("o", "", "`file` of the samples, .arrow")
	rest, stop, err := parse(fs, sampleUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: sample takes one flow (-h explains)", errUsage)
	case *out == "":
		return fmt.Errorf("%w: sample: -o, the file of the samples, is missing", errUsage)
	}
	if err := cli.CheckPaths(cli.Beside(*out), append(withCards(append(o.PMF, rest[0])...), o.Frames)); err != nil {
		return err
	}
	b, err := backend.Open()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, b)
	o.Progress = lines(os.Stderr)
	d, err := cgbg.Draw(ctx, b, rest[0], *out, o)
	if err != nil {
		return err
	}
	errors := "the errors of ln q were not checked"
	if !math.IsNaN(d.LogQBound) {
		errors = fmt.Sprintf("99 of 100 errors of ln q are below %.2g nat", d.LogQBound)
	}
	fmt.Fprintf(stdout, "%s: %d samples; %s\n", *out, d.N, errors)
	analysis.PrintFidelity(stdout, d.Fidelity)
	if d.Weights != nil {
		w := d.Weights
		fmt.Fprintf(stdout, "effective: %.1f %% ± %.1f %% (%.0f samples); clipped %.1f %%; %s; largest weight "+
			"%.3f\n%s\n",
			100*w.ESS, 100*w.ESSError, w.ESS*float64(w.N), 100*w.ESSClipped, khat(w), w.MaxWeight, w.Verdict)
		fmt.Fprintf(stdout, "%s\n", w.Coverage)
	}
	return nil
}

// files is a flag that may be repeated.
type files []string

// String implements flag.Value.
func (f *files) String() string { return strings.Join(*f, ", ") }

// Set implements flag.Value; names may be joined by commas.
func (f *files) Set(text string) error {
	*f = append(*f, strings.Split(text, ",")...)
	return nil
}

// withCards are models' files and the cards beside them.
func withCards(models ...string) (files []string) {
	for _, m := range models {
		if m != "" {
			files = append(files, m, m+".json")
		}
	}
	return files
}

const reweightUsage = `usage: go run ./cgbg/cmd/cgbg reweight -flow FLOW.npz -pmf PMF.npz -o OUT.arrow SAMPLES.arrow

Weighs the samples that a flow gave by another potential of mean force: energies and
log-weights (u, logw) go to a new file, and the weights get a verdict, as by "cgbg sample". No
sample is drawn. Several potentials ("cgbg train pmf -ensemble 4") weigh by their mean, and it is told
how far they are apart. Samples, flow and potential must be of the same beads, species, map,
temperature and units; the samples must come from this very file of the flow.

`

// reweightCommand is `cgbg reweight`.
func reweightCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("reweight", flag.ContinueOnError)
	flowFile := fs.String("flow", "", "`file` of the flow that made the samples, .npz")
	var pmfFiles files
	fs.Var(&pmfFiles, "pmf", "`file` of a potential of mean force, .npz; several weigh by their mean")
	out := fs.String("o", "", "`file` of the weighted samples, .arrow")
	rest, stop, err := parse(fs, reweightUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1 || *flowFile == "" || len(pmfFiles) == 0 || *out == "":
		return fmt.Errorf("%w: reweight takes -flow, -pmf, -o and one file of samples (-h explains)", errUsage)
	}
	if err := cli.CheckPaths([]string{*out}, append(withCards(append(pmfFiles, *flowFile)...), rest[0])); err != nil {
		return err
	}
	b, err := backend.Open()
	if err != nil {
		return err
	}
	w, err := cgbg.Reweigh(ctx, b, rest[0], *flowFile, pmfFiles, *out)
	if err != nil {
		return err
	}
	analysis.PrintFidelity(stdout, w.Fidelity)
	fmt.Fprintf(stdout, "%s: effective %.1f %% ± %.1f %% of %d; clipped %.1f %%; %s\n%s\n",
		*out, 100*w.ESS, 100*w.ESSError, w.N, 100*w.ESSClipped, khat(&w.Summary), w.Verdict)
	if d := w.Disagreement; d != nil {
		fmt.Fprintf(stdout, "%d potentials: energies %.2f kT apart (rms), "+
			"%s of the weight where they differ by more than 2 kT\n",
			d.Members, d.Spread, reweight.Percent(d.Beyond))
	}
	return nil
}

// khat is the shape of the weights' tail as it is printed.
func khat(w *reweight.Summary) string {
	if math.IsInf(w.KHat, 0) || math.IsNaN(w.KHat) {
		return "no Pareto k̂, of so few or such even weights"
	}
	return fmt.Sprintf("Pareto k̂ %.2f ± %.2f (below %.2f is reliable)", w.KHat, w.KHatError, w.KThreshold)
}
