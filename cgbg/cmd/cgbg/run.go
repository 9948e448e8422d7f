package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/data"
)

const runUsage = `usage: go run ./cgbg/cmd/cgbg run FILE.toml

Goes from trajectories to free energies: maps the trajectories to beads, trains a potential
of mean force and a flow, draws weighted samples, and scores them against the simulation.
What is there already and unchanged is not done again; a run that was stopped goes on where
it stood. What a step will need is looked at before anything is trained: forces, the
temperature, species, flow and potential of the same beads and map, a reference at the same
temperature. Beads without phi and psi (of a map of your own) end with what the weights are
worth, without scores. Paths are relative to the file. Everything but [data] may be left out:

  out  = "ala2"                        # folder of all results; the file's name without .toml
  seed = 1                             # of everything random

  [data]                               # frames = "file.arrow", or what "cgbg import" takes
  trajectories = ["awh.trr"]
  structure    = "ala2.gro"
  map          = "core-beta"
  temperature  = 300                   # of the simulation, K
  awh          = "awh.xvg"             # weights; or bias = "bias.dat"
  # bias_variables, every, skip, forces, constraints, dt, system, forcefield

  [flow]                               # model = "flow.npz", or how to train it:
  preset  = "quick"                    # small, quick or paper
  field   = "equivariant"              # or graph-transformer; pairing, frames (of other data), from, width, epochs, batch, rate,
                                       # late, ema, held_out

  [pmf]                                # model = "pmf.npz", or
  preset = "quick"                     # potential (invariant or mace), frames, from, width, epochs, batch, rate

  [sample]
  n         = 10000                    # at most
  until_ess = 1000                     # effective ones to stop at
  checks    = 64

  [reference]                          # else the frames of [data], with their weights; phi and psi, or beads that have them
  frames = "long_dihedrals.arrow"
  title  = "MD, explicit water"

The folder gets frames.arrow, pmf.npz and flow.npz with their cards, samples.arrow, and what
"cgbg report" writes.

`

// plan is the file of a run.
type plan struct {
	Out       string
	Seed      uint64
	Data      dataPlan
	Flow, PMF modelPlan
	Sample    struct {
		N        int
		UntilESS float64 `toml:"until_ess"`
		Checks   int
	}
	Reference struct{ Frames, Title string }

	dir string // of the file
}

type dataPlan struct {
	Frames                                  string
	Trajectories                            []string
	Structure, Map, AWH, Bias               string
	Forces, Constraints, System, Forcefield string
	BiasVariables                           string `toml:"bias_variables"`
	Temperature, Dt                         float64
	Every, Skip                             int
}

type modelPlan struct {
	Model, Frames, Preset string
	From, Field           string
	Potential             string
	Epochs, Batch, Width  int
	Rate, Late, EMA       float64
	HeldOut               int `toml:"held_out"`
	Pairing               flow.Pairing
}

// readPlan reads the file of a run. Errors name the line or the key.
func readPlan(path string) (*plan, error) {
	p := &plan{Seed: 1, dir: filepath.Dir(path)}
	p.Flow.Preset, p.PMF.Preset = "quick", "quick"
	p.Sample.N, p.Sample.Checks = 1000, 64
	meta, err := toml.DecodeFile(path, p)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s: %s", path, syntax.ErrorWithPosition())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: there is no key %q (\"cgbg run -h\" lists them)", path, unknown[0].String())
	}
	d := &p.Data
	switch {
	case d.Frames == "" && (len(d.Trajectories) == 0 || d.Structure == ""):
		return nil, fmt.Errorf("%s: [data] needs frames, or trajectories and structure", path)
	case d.Frames != "" && len(d.Trajectories) > 0:
		return nil, fmt.Errorf("%s: [data] has frames and trajectories: one of them", path)
	case len(d.Trajectories) > 0 && !(d.Temperature > 0):
		return nil, fmt.Errorf("%s: [data] needs temperature, of the simulation in K: models and weights depend on it", path)
	case d.Frames != "" && !reflect.DeepEqual(*d, dataPlan{Frames: d.Frames}):
		return nil, fmt.Errorf("%s: [data] has frames, which are mapped already: structure, map, weights, temperature and the like go with trajectories", path)
	}
	if p.Out == "" {
		p.Out = strings.TrimSuffix(filepath.Base(path), ".toml")
	}
	for _, file := range []*string{&p.Out, &d.Frames, &d.Structure, &d.AWH, &d.Bias, &p.Flow.Model, &p.Flow.Frames, &p.Flow.From, &p.PMF.From, &p.PMF.Model, &p.PMF.Frames, &p.Reference.Frames} {
		p.at(file)
	}
	for i := range d.Trajectories {
		p.at(&d.Trajectories[i])
	}
	if d.Map != "" && strings.ContainsAny(d.Map, "./\\") { // a file
		p.at(&d.Map)
	}
	return p, nil
}

// at makes a path relative to the file's folder.
func (p *plan) at(path *string) {
	if *path != "" && !filepath.IsAbs(*path) {
		*path = filepath.Join(p.dir, *path)
	}
}

// runCommand is `cgbg run`.
func runCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	rest, stop, err := parse(fs, runUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: run takes one file, .toml (-h explains)", errUsage)
	}
	if err := cli.CheckPaths(nil, rest); err != nil {
		return err
	}
	p, err := readPlan(rest[0])
	if err != nil {
		return err
	}
	if err := p.checkPaths(rest[0]); err != nil {
		return err
	}
	return p.run(ctx, stdout)
}

// run does the steps, the checks of all of them first.
func (p *plan) run(ctx context.Context, stdout io.Writer) error {
	w := p.workflow()
	if err := p.early(w); err != nil {
		return err
	}
	b, err := backend.Open()
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, b)
	if w.Frames, err = p.frames(ctx, stdout); err != nil {
		return err
	}
	scored, err := w.Check()
	if err != nil {
		return err
	}
	if !scored {
		fmt.Fprintln(stdout, "the beads have no phi and psi: weights are reported, without scores against the simulation")
	}
	pmf, err := p.model(ctx, b, stdout, "pmf", w.PMF, w.Frames, cgbg.TrainPMF)
	if err != nil {
		return err
	}
	flow, err := p.model(ctx, b, stdout, "flow", w.Flow, w.Frames, cgbg.TrainFlow)
	if err != nil {
		return err
	}
	samples := filepath.Join(p.Out, "samples.arrow")
	fmt.Fprintln(stdout, "samples:", samples)
	w.Draw.PMF, w.Draw.Progress = pmf, lines(os.Stderr)
	d, err := cgbg.Draw(ctx, b, flow, samples, w.Draw)
	if err != nil {
		return err
	}
	note := "drawn"
	if !d.Fresh {
		note = "there already"
	}
	fmt.Fprintf(stdout, "  %d, %s\n", d.N, note)
	return p.report(ctx, stdout, w, samples, scored)
}

// workflow is the plan as the library knows it, before its frames are there.
func (p *plan) workflow() *cgbg.Workflow {
	model := func(kind string, m modelPlan) cgbg.WorkflowModel {
		return cgbg.WorkflowModel{Model: m.Model, Frames: m.Frames, Out: filepath.Join(p.Out, kind+".npz"), Options: cgbg.TrainOptions{Preset: m.Preset, Seed: p.Seed, Epochs: m.Epochs,
			Batch: m.Batch, Rate: m.Rate, Width: m.Width, Potential: m.Potential, Field: m.Field, Pairing: m.Pairing, Late: m.Late, EMA: m.EMA, HeldOut: m.HeldOut, Start: m.From}}
	}
	return &cgbg.Workflow{Frames: p.Data.Frames, Flow: model("flow", p.Flow), PMF: model("pmf", p.PMF), Reference: p.Reference.Frames, Dir: p.Out,
		Draw: cgbg.DrawOptions{N: p.Sample.N, UntilESS: p.Sample.UntilESS, Seed: p.Seed, Checks: p.Sample.Checks}}
}

// report scores the samples, or tells what their weights are worth where they cannot be scored.
func (p *plan) report(ctx context.Context, stdout io.Writer, w *cgbg.Workflow, samples string, scored bool) error {
	name := filepath.Base(p.Out)
	if !scored {
		r, err := cgbg.ReportWeights(ctx, samples, p.Out, name)
		if err != nil {
			return err
		}
		tellResults(stdout, r.Results())
		tellFidelity(stdout, r.Weights.Fidelity)
		fmt.Fprintf(stdout, "%s\nweights and results.json are in %s\n", r.Weights.Verdict, p.Out)
		return nil
	}
	reference := w.Reference
	if reference == "" {
		reference = w.Frames
	}
	e, err := cgbg.Report(ctx, samples, p.Out, cgbg.ReportOptions{Name: name, Title: p.Reference.Title, Reference: reference, Seed: int(p.Seed)})
	if err != nil {
		return err
	}
	tell(stdout, e, p.Out)
	return nil
}

// importVersion is raised when an import of the same files gives other frames than before.
const importVersion = 2

// frames are imported unless the same trajectories were imported the same way.
func (p *plan) frames(ctx context.Context, stdout io.Writer) (string, error) {
	d := &p.Data
	if d.Frames != "" {
		fmt.Fprintln(stdout, "frames:", d.Frames)
		return d.Frames, nil
	}
	out := filepath.Join(p.Out, "frames.arrow")
	args := []string{"-o", out}
	h := sha256.New()
	fmt.Fprintln(h, "import", importVersion)
	add := func(name, value string) {
		if value != "" {
			args = append(args, "-"+name, value)
			fmt.Fprintln(h, name, value)
		}
	}
	number := func(name string, v float64) {
		if v != 0 {
			add(name, fmt.Sprint(v))
		}
	}
	add("structure", d.Structure)
	add("map", d.Map)
	add("awh", d.AWH)
	add("bias", d.Bias)
	add("bias-variables", d.BiasVariables)
	add("forces", d.Forces)
	add("constraints", d.Constraints)
	add("system", d.System)
	add("forcefield", d.Forcefield)
	number("temperature", d.Temperature)
	number("dt", d.Dt)
	number("every", float64(d.Every))
	number("skip", float64(d.Skip))
	for _, file := range append([]string{d.Structure, d.AWH, d.Bias, d.Map}, d.Trajectories...) {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue // import says what is missing
		}
		sum, err := data.Checksum(ctx, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, file, sum)
	}
	stamp := out + ".import"
	mark := func() (string, error) { // of what frames are made from, and of the frames
		sum, err := data.Checksum(ctx, out)
		return fmt.Sprintf("%x %s\n", h.Sum(nil), sum), err
	}
	if was, err := os.ReadFile(stamp); err == nil {
		now, err := mark()
		switch {
		case err == nil && now == string(was):
			fmt.Fprintf(stdout, "frames: %s, there already\n", out)
			return out, nil
		case ctx.Err() != nil:
			return "", err
		}
	}
	fmt.Fprintln(stdout, "frames:", out)
	if err := os.MkdirAll(p.Out, 0o755); err != nil {
		return "", err
	}
	if err := importCommand(ctx, append(args, d.Trajectories...), stdout); err != nil {
		return "", err
	}
	text, err := mark()
	if err != nil {
		return "", err
	}
	return out, keep.WriteFile(stamp, []byte(text))
}

// model is the file of a model, trained where none is given.
func (p *plan) model(ctx context.Context, b *backend.Backend, stdout io.Writer, kind string, m cgbg.WorkflowModel, frames string,
	make func(context.Context, *backend.Backend, string, string, cgbg.TrainOptions) (*cgbg.Card, bool, error)) (string, error) {
	if m.Model != "" {
		fmt.Fprintf(stdout, "%s: %s\n", kind, m.Model)
		return m.Model, nil
	}
	fmt.Fprintf(stdout, "%s: %s\n", kind, m.Out)
	if m.Frames != "" {
		frames = m.Frames
	}
	m.Options.Progress = lines(os.Stderr)
	card, fresh, err := make(ctx, b, frames, m.Out, m.Options)
	if err != nil {
		return "", err
	}
	verb := "trained"
	if !fresh {
		verb = "there already, of " + card.Made.Format(time.DateOnly)
	}
	fmt.Fprintf(stdout, "  %d frames, %d steps, %s; held out: %s\n", card.Frames, card.Steps, verb, card.Score())
	warn(stdout, m.Out, card)
	return m.Out, nil
}
