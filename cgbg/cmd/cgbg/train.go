package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/flow"
)

var trainUsage = `usage: go run ./cgbg/cmd/cgbg train flow|pmf [flags] -o MODEL.npz FRAMES.arrow

Trains a model on frames.

  flow   what samples are drawn from, by flow matching, or by likelihood and, with
         -refine PMF.npz, on the potential
  pmf    a potential of mean force, by force matching; frames may be biased. Import them
         with -forces internal (implicit solvent) or least-noise: forces on beads have ten to
         a hundred times the noise else

A flow is of one of the kinds (-field)

` + about(fieldKinds()) + `
and a pmf one of the potentials (-potential)

` + about(potentialKinds()) + `
The model goes to the file of -o, and a card beside it (MODEL.npz.json) says how it was
made: settings, data, backend, version, and how well it does on held-out frames. A potential
keeps the step that does best on them, and the command says so when the last step is a tenth
worse: it overfits. (Populations may still improve where that error stands still: "cgbg curve".)
A flow whose likelihood cannot be computed is kept, with the reason in its card.
Potentials, and weights later, need the temperature of the frames (import -temperature). Ctrl-C keeps
what was done: the same command goes on from there. A model that is made already from the
same settings and data is left as it is.

-refine trains a flow of the kind "spline" on frames and then on the potential, which never runs
out of data: fresh samples in every step, and the frames against lost basins. The refined flow
is kept if its weights are better and frames held out as likely; the card has the numbers.
-rate and -epochs are those of the training on frames.

-ensemble trains several potentials; "cgbg reweight" weighs by their mean and tells how far they are apart.

Presets: "quick" takes minutes on two cores, "paper" is the published training (for a
GPU), "small" a toy for tests.

`

// trainCommand is `cgbg train`.
func trainCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("train", flag.ContinueOnError)
	var o cgbg.TrainOptions
	fs.StringVar(&o.Preset, "preset", "quick", "`name` of the settings: "+strings.Join(cgbg.Presets, ", "))
	fs.Uint64Var(&o.Seed, "seed", 1, "of parameters, batches and noise")
	fs.IntVar(&o.Epochs, "epochs", 0, "`passes` over the frames; 0: the preset's")
	fs.IntVar(&o.Batch, "batch", 0, "`frames` of a step; 0: the preset's")
	fs.Float64Var(&o.Rate, "rate", 0, "highest learning `rate`; 0: the preset's")
	fs.IntVar(&o.Width, "width", 0, "`units` of the layers, of "+widened(fieldKinds(), potentialKinds())+
		"; 0: the preset's; wide ones need a lower -rate")
	fs.IntVar(&o.HeldOut, "held-out", 0, "`frames` for the likelihood; 0: the preset's")
	fs.StringVar(&o.Potential, "potential", "", "`kind` of a pmf: "+names(potentialKinds())+"; the preset's without it")
	fs.StringVar(&o.Field, "field", "", "`kind` of a flow: "+names(fieldKinds())+"; the preset's without it")
	pairing := fs.String("pairing", "",
		"`how` noise meets frames: independent, aligned or transported; the preset's without it")
	fs.Float64Var(&o.Late, "late", 0, "`power` that draws flow times near the data, 1: uniform; 0: the preset's")
	fs.Float64Var(&o.EMA, "ema", 0, "`decay` of the average of the flow's parameters; 0: the preset's")
	fs.StringVar(&o.Start, "from", "",
		"`file` of a trained model to go on from, of the same beads and sizes; random parameters without it")
	fs.Var((*files)(&o.Refine), "refine",
		"`file` of a potential that a spline flow is refined on; several count by their mean")
	ensemble := fs.Int("ensemble", 1, "`number` of models that differ in their seeds alone, MODEL.1.npz and so on")
	out := fs.String("o", "", "`file` of the model, .npz")
	rest, stop, err := parse(fs, trainUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 2 || rest[0] != "flow" && rest[0] != "pmf":
		return fmt.Errorf("%w: train takes what to train (flow or pmf) and one file of frames (-h explains)", errUsage)
	case *out == "":
		return fmt.Errorf("%w: train: -o, the file of the model, is missing", errUsage)
	case *ensemble < 1:
		return fmt.Errorf("%w: train: -ensemble %d: one model at least", errUsage, *ensemble)
	case o.Epochs < 0 || o.Batch < 0 || o.Rate < 0 || o.HeldOut < 0 || o.Late < 0 || o.EMA < 0 || o.Width < 0:
		return fmt.Errorf("%w: train: -epochs, -batch, -rate, -width, -late, -ema and -held-out cannot be negative",
			errUsage)
	}
	o.Pairing = flow.Pairing(*pairing)
	if !slices.Contains([]flow.Pairing{"", flow.Independent, flow.Aligned, flow.Transported}, o.Pairing) {
		return fmt.Errorf("%w: train: -pairing %s: independent, aligned or transported", errUsage, *pairing)
	}
	if err := cli.CheckPaths(besideAll(cgbg.Members(*out, *ensemble)),
		append(withCards(append(o.Refine, o.Start)...), rest[1])); err != nil {
		return err
	}
	b, err := backend.Open()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, b)
	o.Progress = lines(os.Stderr)
	for k, model := range cgbg.Members(*out, *ensemble) {
		one := o
		one.Seed += uint64(k)
		card, fresh, err := cgbg.Train(ctx, b, rest[0], rest[1], model, one)
		if err != nil {
			return err
		}
		verb := "made"
		if !fresh {
			verb = "is there already, of the same settings and data, made"
		}
		fmt.Fprintf(stdout, "%s %s %s: %d frames, %d steps; held out: %s\n", model, verb,
			card.Made.Format(time.DateOnly), card.Frames, card.Steps, card.Score())
		if r := card.Refinement; r != nil {
			fmt.Fprintf(stdout, "  %s\n", r)
		}
		warn(stdout, model, card)
	}
	return nil
}

// warn prints what whoever uses a model should know of its training.
func warn(w io.Writer, model string, card *cgbg.Card) {
	for _, text := range card.Warnings() {
		fmt.Fprintf(w, "warning: %s: %s\n", model, text)
	}
}

// besideAll are outputs and what may be replaced beside them, see [cli.Beside].
func besideAll(outputs []string) (files []string) {
	for _, out := range outputs {
		files = append(files, cli.Beside(out)...)
	}
	return files
}
