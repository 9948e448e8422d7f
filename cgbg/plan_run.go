package cgbg

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data"
)

// options are those of the training of a model.
func (p *Plan) options(m ModelPlan) TrainOptions {
	return TrainOptions{Preset: m.Preset, Seed: p.Seed, Epochs: m.Epochs, Batch: m.Batch, Rate: m.Rate, Width: m.Width,
		Potential: m.Potential, Field: m.Field, Pairing: m.Pairing, Late: m.Late, EMA: m.EMA, HeldOut: m.HeldOut,
		Start: m.From}
}

// out is the file of a model that the plan trains.
func (p *Plan) out(kind string) string { return filepath.Join(p.Out, kind+".npz") }

// Run goes from trajectories to free energies: it maps them to beads, trains a potential of mean force and a flow,
// draws weighted samples, and reports what they say. What is there already and unchanged is not done again; a run that
// was stopped goes on where it stood. What a step will need is looked at before anything is trained. w is told what
// is done; progress may be nil.
//
// Errors: those of every step, all that can be found early first; ctx.Err(), wrapped.
func (p *Plan) Run(ctx context.Context, w io.Writer, progress Progress) (*analysis.Evaluation, error) {
	if err := p.early(); err != nil {
		return nil, err
	}
	b, err := backend.Open()
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(w, b)
	frames, err := p.frames(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := p.late(frames); err != nil {
		return nil, err
	}
	pmf, err := p.model(ctx, b, w, PMF, p.PMF, frames, progress)
	if err != nil {
		return nil, err
	}
	flow, err := p.model(ctx, b, w, Flow, p.Flow, frames, progress, pmf...)
	if err != nil {
		return nil, err
	}
	samples := filepath.Join(p.Out, "samples.arrow")
	fmt.Fprintln(w, "samples:", samples)
	d, err := Draw(ctx, b, flow[0], samples, DrawOptions{N: p.Sample.N, UntilESS: p.Sample.UntilESS, Seed: p.Seed,
		Checks: p.Sample.Checks, PMF: pmf, Frames: p.otherFrames(flow[0]), Progress: progress})
	if err != nil {
		return nil, err
	}
	note := "drawn"
	if !d.Fresh {
		note = "there already"
	}
	fmt.Fprintf(w, "  %d, %s\n", d.N, note)
	o, err := p.report(frames)
	if err != nil {
		return nil, err
	}
	e, err := Report(ctx, samples, p.Out, o)
	if err != nil {
		return nil, err
	}
	e.Print(w)
	fmt.Fprintf(w, "figures and results.json are in %s\n", p.Out)
	return e, nil
}

// otherFrames is the file of the reference, if it has the beads of the flow: "" else.
func (p *Plan) otherFrames(flow string) string {
	card, err := ReadCard(flow)
	if err != nil || p.Reference.Frames == "" || checkOther(p.Reference.Frames, flow, card) != nil {
		return ""
	}
	return p.Reference.Frames
}

// report is what is asked of the samples, held to the reference or else to the frames.
func (p *Plan) report(frames string) (o ReportOptions, err error) {
	o = ReportOptions{Name: filepath.Base(p.Out), Title: p.Reference.Title, Reference: p.Reference.Frames,
		Residue: p.Reference.Residue, Seed: int(p.Seed), States: p.States}
	if o.Reference == "" {
		meta, _, weighed, err := describe(frames, "logw")
		if err != nil {
			return o, err
		}
		if reason(meta, weighed) == "" { // frames of a bias without weights are none
			o.Reference = frames
		}
	}
	if len(p.Variables) > 0 {
		o.Variables, err = analysis.ParseVariables(filepath.Dir(p.path), p.Variables)
	}
	return o, err
}

// early finds what would stop the run before trajectories, which may be long, are imported.
func (p *Plan) early() error {
	if err := p.checkPaths(); err != nil {
		return err
	}
	if err := p.filesThere(); err != nil {
		return err
	}
	for _, model := range []struct {
		kind string
		ModelPlan
	}{{PMF, p.PMF}, {Flow, p.Flow}} {
		var err error
		switch {
		case model.Model != "":
			_, err = ReadCard(model.Model)
		case model.Frames != "":
			_, err = CheckTraining(model.kind, model.Frames, p.out(model.kind), p.options(model.ModelPlan))
		default:
			err = p.options(model.ModelPlan).Check(model.kind)
		}
		if err != nil {
			return fmt.Errorf("%s: [%s]: %w", p.path, model.kind, err)
		}
	}
	if p.Flow.Refine != nil && *p.Flow.Refine && p.Flow.Model == "" {
		o := p.options(p.Flow)
		o.Refine = []string{p.out(PMF)}
		if err := o.Check(Flow); err != nil {
			return fmt.Errorf("%s: [flow] refine: %w", p.path, err)
		}
	}
	if p.Sample.N < 1 || p.Sample.UntilESS < 0 || p.Sample.UntilESS > float64(p.Sample.N) {
		return fmt.Errorf("%s: [sample] %d samples, until %g effective ones: "+
			"at least one, and no more effective ones than samples", p.path, p.Sample.N, p.Sample.UntilESS)
	}
	return nil
}

// filesThere tells, by their keys, which files of frames are missing.
func (p *Plan) filesThere() error {
	type given struct{ key, file string }
	list := []given{{"[data] frames", p.Data.Frames}, {"[data] structure", p.Data.Structure},
		{"[pmf] frames", p.PMF.Frames}, {"[flow] frames", p.Flow.Frames}, {"[reference] frames", p.Reference.Frames}}
	for _, file := range p.Data.Trajectories {
		list = append(list, given{"[data] trajectories", file})
	}
	for _, g := range list {
		if g.file == "" {
			continue
		}
		if _, err := os.Stat(g.file); err != nil {
			return fmt.Errorf("%s: %s: %w", p.path, g.key, err)
		}
	}
	return nil
}

// checkPaths verifies that no result replaces what is read.
func (p *Plan) checkPaths() error {
	d := &p.Data
	inputs := []string{p.path, d.Frames, p.Flow.Frames, p.PMF.Frames, p.Reference.Frames}
	for _, model := range []string{p.Flow.Model, p.PMF.Model, p.Flow.From, p.PMF.From} {
		if model != "" {
			inputs = append(inputs, model, CardPath(model))
		}
	}
	if d.Frames == "" {
		o := d.options("")
		inputs = append(inputs, o.Files()...)
	}
	outputs := append(ReportFiles(p.Out), cli.Beside(filepath.Join(p.Out, "samples.arrow"))...)
	made := map[string]string{filepath.Join(p.Out, "frames.arrow"): d.Frames, p.out(Flow): p.Flow.Model}
	for _, file := range Members(p.out(PMF), p.PMF.Ensemble) {
		made[file] = p.PMF.Model
	}
	for file, given := range made {
		if given == "" {
			outputs = append(outputs, cli.Beside(file)...)
		}
	}
	if err := cli.CheckFolder(p.Out); err != nil {
		return err
	}
	return cli.CheckPaths(outputs, inputs)
}

// late finds, with the frames at hand and before anything is trained, whether every step can be done.
//
// Errors: what would stop a training (as [CheckTraining]); models without a card; ErrPair and ErrTemperature; a
// reference at another temperature; variables that frames or reference cannot tell; a folder that cannot be written to.
func (p *Plan) late(frames string) error {
	if err := checkOut(filepath.Join(p.Out, "results.json")); err != nil {
		return err
	}
	flowName, flow, err := p.describe(Flow, p.Flow, frames)
	if err != nil {
		return err
	}
	flow.Source = flowName
	pmfName, pmf, err := p.describe(PMF, p.PMF, frames)
	if err == nil {
		err = Belong(flowName, flow, pmfName, pmf)
	}
	if err != nil {
		return err
	}
	o, err := p.report(frames)
	if err != nil {
		return err
	}
	var reference *data.Frames
	var meta data.Meta
	if o.Reference != "" {
		if reference, meta, err = data.ReadFile(o.Reference); err != nil {
			return fmt.Errorf("the reference: %w", err)
		}
		meta.Source = o.Reference
		if err := checkReference(flowName, flow, o.Reference, meta, reference.LogW != nil); err != nil {
			return err
		}
	}
	if p.Flow.Model == "" {
		frames = flowName
	}
	like, err := likeSamples(frames, flow)
	if err != nil {
		return err
	}
	if len(o.Variables) == 0 && like.Len() == 0 {
		if names, err := observable.Residues(like, flow); err != nil || len(names) == 0 {
			return nil // what is looked at is chosen from the samples
		}
	}
	a, err := o.ask(like, flow, reference, meta)
	if err == nil {
		err = tells(a.samples, like, flow)
	}
	if err == nil && reference != nil {
		err = tells(a.reference, reference, meta)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	return nil
}

// likeSamples are frames with the beads and the columns that samples of a flow will have: those of a file, or none
// where that has other beads.
func likeSamples(file string, flow data.Meta) (*data.Frames, error) {
	f, meta, err := data.ReadFile(file)
	if err != nil {
		return nil, err
	}
	like := &data.Frames{Beads: len(flow.Beads), Dim: 3}
	if f.Dim == 3 && slices.Equal(meta.Beads, flow.Beads) {
		like.R = f.R
	}
	column := make([]float64, like.Len())
	like.U, like.LogQ, like.LogW = column, column, column
	return like, nil
}

// tells returns an error unless frames can answer a question.
func tells(q *analysis.Question, f *data.Frames, m data.Meta) error {
	first := f.Slice(0, min(1, f.Len()))
	for _, v := range q.Variables {
		if _, err := v.Of(first, m); err != nil {
			return fmt.Errorf("cgbg: %s: %w", m.Source, err)
		}
	}
	return nil
}

// describe names the file that tells what a model is of, its own or that of its frames, and describes these.
func (p *Plan) describe(kind string, m ModelPlan, frames string) (name string, meta data.Meta, err error) {
	if m.Model == "" {
		if m.Frames != "" {
			frames = m.Frames
		}
		meta, err = CheckTraining(kind, frames, p.out(kind), p.options(m))
		return frames, meta, err
	}
	card, err := ReadCard(m.Model)
	if err == nil {
		err = card.CheckKind(m.Model, kind)
	}
	if err != nil {
		return m.Model, meta, err
	}
	if _, err := os.Stat(m.Model); err != nil {
		return m.Model, meta, fmt.Errorf("cgbg: %w", err)
	}
	return m.Model, card.Meta(), nil
}

// model is the files of a model, or of an ensemble, trained where none is given.
func (p *Plan) model(ctx context.Context, b *backend.Backend, w io.Writer, kind string, m ModelPlan, frames string,
	progress Progress, refine ...string) ([]string, error) {
	if m.Model != "" {
		fmt.Fprintf(w, "%s: %s\n", kind, m.Model)
		return []string{m.Model}, nil
	}
	if m.Frames != "" {
		frames = m.Frames
	}
	files := Members(p.out(kind), m.Ensemble)
	for k, out := range files {
		fmt.Fprintf(w, "%s: %s\n", kind, out)
		o := p.options(m)
		o.Seed, o.Progress = o.Seed+uint64(k), progress
		if len(refine) > 0 && p.refines(refine) {
			o.Refine = refine
		}
		card, fresh, err := Train(ctx, b, kind, frames, out, o)
		if err != nil {
			return nil, err
		}
		verb := "trained"
		if !fresh {
			verb = "there already, of " + card.Made.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "  %d frames, %d steps, %s; held out: %s\n", card.Frames, card.Steps, verb, card.Score())
		if r := card.Refinement; r != nil {
			fmt.Fprintf(w, "  %s\n", r)
		}
		for _, text := range card.Warnings() {
			fmt.Fprintf(w, "warning: %s: %s\n", out, text)
		}
	}
	return files, nil
}

// refines tells whether the flow is refined on potentials: as the plan says, or else a flow that can be, on potentials
// whose energies cost little.
func (p *Plan) refines(potentials []string) bool {
	if p.Flow.Refine != nil {
		return *p.Flow.Refine
	}
	s, err := NewSettings(p.Flow.Preset, p.Seed)
	if err != nil || cmp.Or(p.Flow.Field, s.Field) != Spline {
		return false
	}
	for _, file := range potentials {
		card, err := ReadCard(file)
		if err != nil {
			return false
		}
		if settings, ok := card.Settings.(map[string]any); !ok || settings["potential"] != Invariant {
			return false
		}
	}
	return true
}

// importVersion is raised when an import of the same files gives other frames than before.
const importVersion = 2

// options are those of the import.
func (d *DataPlan) options(out string) trajectory.Options {
	o := trajectory.NewOptions()
	o.Out, o.Trajectories, o.Structure, o.System, o.ForceField = out, d.Trajectories, d.Structure, d.System, d.Forcefield
	o.Temperature, o.Dt, o.Start, o.Skip = d.Temperature, d.Dt, d.Start, d.Skip
	o.Weights, o.Plumed, o.BiasVariables, o.BiasColumn = d.Weights, d.Plumed, d.BiasVariables, d.BiasColumn
	o.BiasFactor, o.Biased, o.RBias = d.BiasFactor, d.Biased, d.RBias
	replace(&o.Map, d.Map)
	replace(&o.Forces, d.Forces)
	replace(&o.Constraints, d.Constraints)
	replace(&o.Every, d.Every)
	return o
}

// frames are imported unless the same trajectories were imported the same way.
func (p *Plan) frames(ctx context.Context, w io.Writer) (string, error) {
	d := &p.Data
	if d.Frames != "" {
		fmt.Fprintln(w, "frames:", d.Frames)
		return d.Frames, nil
	}
	out := filepath.Join(p.Out, "frames.arrow")
	o := d.options(out)
	inputs := []any{"import", importVersion, o}
	for _, file := range o.Files() {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue // import says what is missing
		}
		sum, err := data.Checksum(ctx, file)
		if err != nil {
			return "", err
		}
		inputs = append(inputs, file, sum)
	}
	made := keep.Fingerprint(inputs...)
	stamp := out + ".import"
	mark := func() (string, error) { // of what frames are made from, and of the frames
		sum, err := data.Checksum(ctx, out)
		return made + " " + sum + "\n", err
	}
	if was, err := os.ReadFile(stamp); err == nil {
		now, err := mark()
		switch {
		case err == nil && now == string(was):
			fmt.Fprintf(w, "frames: %s, there already\n", out)
			return out, nil
		case ctx.Err() != nil:
			return "", err
		}
	}
	fmt.Fprintln(w, "frames:", out)
	if err := os.MkdirAll(p.Out, 0o755); err != nil {
		return "", err
	}
	r, err := trajectory.Import(ctx, o)
	if err != nil {
		return "", err
	}
	r.Print(w)
	text, err := mark()
	if err != nil {
		return "", err
	}
	return out, keep.WriteFile(stamp, []byte(text))
}
