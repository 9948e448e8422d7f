package cgbg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Workflow is what leads from frames to free energies: a potential and a flow, trained or there already, samples with
// their weights, and scores.
type Workflow struct {
	Frames    string // file of the simulation's frames
	Flow, PMF WorkflowModel
	Draw      DrawOptions // without its potential
	Reference string      // file of the frames that samples are scored against; "": Frames, if their beads have φ and ψ
	Dir       string      // folder of the results
}

// WorkflowModel is a model of a workflow.
type WorkflowModel struct {
	Model string // file of one that is there; "": it is trained

	Frames  string // file of the frames to train on; "": those of the workflow
	Out     string // file of the model
	Options TrainOptions
}

// Check tells, before anything is trained, whether every step can be done. scored: samples can be
// held against the reference; without φ and ψ, and where no reference was asked for, their weights alone are reported.
//
// Errors: what would stop a training (as [CheckTraining]); models without a card; ErrPair and ErrTemperature; wrong
// numbers of samples; a reference without φ and ψ, or of another temperature; a folder that cannot be written to.
func (w *Workflow) Check() (scored bool, err error) {
	if w.Draw.N < 1 || w.Draw.UntilESS < 0 || w.Draw.UntilESS > float64(w.Draw.N) {
		return false, fmt.Errorf("cgbg: %d samples, until %g effective ones: at least one, and no more effective ones than samples", w.Draw.N, w.Draw.UntilESS)
	}
	if err := checkOut(filepath.Join(w.Dir, "results.json")); err != nil {
		return false, err
	}
	flowName, flow, err := w.Flow.describe("flow", w.Frames)
	if err != nil {
		return false, err
	}
	pmfName, pmf, err := w.PMF.describe("pmf", w.Frames)
	if err == nil {
		err = Belong(flowName, flow, pmfName, pmf)
	}
	if err != nil {
		return false, err
	}
	reference := w.Reference
	if reference == "" {
		if !dihedral(flow) {
			return false, nil
		}
		reference = w.Frames
	}
	of, _, _, err := describe(reference, "logw")
	if err != nil {
		return false, fmt.Errorf("the reference: %w", err)
	}
	return true, checkReference(flowName, flow, reference, of)
}

// describe names the file that tells what a model is of, its own or that of its frames, and describes these.
func (m *WorkflowModel) describe(kind, frames string) (name string, meta data.Meta, err error) {
	if m.Model == "" {
		if m.Frames != "" {
			frames = m.Frames
		}
		meta, err = CheckTraining(kind, frames, m.Out, m.Options)
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

// WeightReport is what weights alone tell of samples.
type WeightReport struct {
	Name    string // before the names of results
	Weights reweight.Summary
}

// Results are the numbers under the names of results.json.
func (r *WeightReport) Results() []Result {
	list := append(weightResults(r.Weights), fidelityResults(r.Weights.Fidelity)...)
	for i := range list {
		list[i].Name = r.Name + "/" + list[i].Name
	}
	return list
}

// ReportWeights is [Report] for samples whose beads have no φ and ψ, without a reference: results.json has what the
// weights tell, and what shares were lost and how wide bonds and angles are, and the weights are drawn. Errors: those of the files, samples without weights.
func ReportWeights(ctx context.Context, samples, dir, name string) (*WeightReport, error) {
	frames, meta, err := data.ReadFile(samples)
	if err != nil {
		return nil, err
	}
	if frames.LogW == nil {
		return nil, fmt.Errorf("cgbg: %s: samples without log-weights (column logw): draw them with a potential (\"cgbg sample -pmf\"), or weigh them (\"cgbg reweight\")", samples)
	}
	meta.Source = samples
	like, err := fidelity(frames, meta)
	if err != nil {
		return nil, err
	}
	r := &WeightReport{Name: name, Weights: reweight.Summarize(frames.LogW).With(like)}
	sum, err := data.Checksum(ctx, samples)
	if err != nil {
		return nil, err
	}
	p, err := figure.WeightHistogram(frames.LogW, quality(r.Weights))
	if err == nil {
		err = errors.Join(keep.WriteFile(filepath.Join(dir, "weights.png"), p.PNG), keep.WriteFile(filepath.Join(dir, "weights.svg"), p.SVG))
	}
	if err != nil {
		return nil, fmt.Errorf("cgbg: report: weights: %w", err)
	}
	if err := writeJSON(filepath.Join(dir, "results.json"), resultRows(r.Results())); err != nil {
		return nil, err
	}
	return r, writeJSON(filepath.Join(dir, "report.json"), map[string]any{"version": Version(), "made": time.Now().UTC().Truncate(time.Second),
		"samples": filepath.Base(samples), "samples_sha256": sum})
}
