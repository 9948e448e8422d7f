package cgbg

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// Evaluation holds weighted samples of a flow against a simulation, on the
// dihedrals of one residue.
type Evaluation struct {
	Name                      string   // before the names of results
	Residue                   string   // whose dihedrals were scored, by its name in the samples
	Residues                  []string // that samples and reference have, as far as it is known
	Alone                     []string // residues that either of them has and the other has not
	Reference                 *Dataset
	Proposal, Samples, Clip   *Dataset // samples as they came, weighted, and weighted without the largest 1 % of the weights, as published
	Before, After, AfterClips *Comparison
	Weights                   reweight.Summary
	LogW                      []float64 // [n], unnormalised
	seed                      int
}

// Evaluate scores samples with log-weights against the frames of a simulation,
// with weights where it was biased: beads that have the dihedrals, or dihedrals alone. The residue is that of the reference.
//
// Errors: samples without weights, without the residue or of another temperature; those of NewDataset and Compare.
func Evaluate(name string, seed int, samples *data.Frames, meta data.Meta, reference *Dataset) (*Evaluation, error) {
	return evaluate(name, seed, reference.Residue, samples, meta, reference)
}

// evaluate is Evaluate for the residue of the samples by its name; "": the first one.
func evaluate(name string, seed int, residue string, samples *data.Frames, meta data.Meta, reference *Dataset) (*Evaluation, error) {
	if samples.LogW == nil {
		return nil, fmt.Errorf("cgbg: %s: samples without log-weights (column logw): draw them with a potential (\"cgbg sample -pmf\"), or weigh them (\"cgbg reweight\")", meta.Source)
	}
	if err := warm(cmp.Or(meta.Source, name), meta); err != nil { // else kT would be 0, and so may be the reference's
		return nil, err
	}
	like, err := fidelity(samples, meta)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Name: name, Reference: reference, Weights: reweight.Summarize(samples.LogW).With(like), LogW: samples.LogW, seed: seed}
	clipped, err := reweight.Clip(samples.LogW, clipFraction)
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s: %w", name, err)
	}
	for _, c := range []struct {
		title string
		logw  []float64
		set   **Dataset
		score **Comparison
	}{{"flow", nil, &e.Proposal, &e.Before}, {"flow, reweighted", samples.LogW, &e.Samples, &e.After}, {"flow, clipped", clipped, &e.Clip, &e.AfterClips}} {
		f := *samples
		f.LogW = c.logw
		if *c.set, err = NewResidueDataset("", seed, name, residue, &f, meta); err != nil {
			return nil, err
		}
		(*c.set).Title, e.Residue = c.title, (*c.set).Residue
		(*c.set).Dihedrals.Block = 1 // samples are independent
		if math.Abs((*c.set).KT-reference.KT) > 1e-6*reference.KT {
			return nil, fmt.Errorf("cgbg: %s: samples at kT = %.4f kJ/mol, but %s is at %.4f", name, (*c.set).KT, reference.Name, reference.KT)
		}
		if *c.score, err = Compare(seed, *c.set, reference); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Results are the numbers under the names of results.json: js, pmf_error, ess,
// ess_clipped, khat and others, behind the evaluation's name.
func (e *Evaluation) Results() []Result {
	n, none := e.Weights.N, math.NaN()
	var list []Result
	for _, c := range []struct {
		suffix string
		score  *Comparison
	}{{"", e.After}, {"_before", e.Before}, {"_clipped", e.AfterClips}} {
		list = append(list, scoreResult("js"+c.suffix, c.score.All.Scores.JS, c.score.All.Floor.JS, "nat", n),
			scoreResult("pmf_error"+c.suffix, c.score.All.Scores.PMFError, c.score.All.Floor.PMFError, "(kT)²", n))
	}
	list = append(list, scoreResult("js_phi_lt_0", e.After.Left.Scores.JS, e.After.Left.Floor.JS, "nat", n),
		scoreResult("pmf_error_phi_lt_0", e.After.Left.Scores.PMFError, e.After.Left.Floor.PMFError, "(kT)²", n),
		Result{"phi_gt_0", e.Samples.Positive.Value, e.Samples.Positive.Error, none, "", n},
		Result{"phi_gt_0_reference", e.Reference.Positive.Value, e.Reference.Positive.Error, none, "", len(e.Reference.Dihedrals.Phi)})
	list = append(list, weightResults(e.Weights)...)
	list = append(list, fidelityResults(e.Weights.Fidelity)...)
	for i := range list {
		list[i].Name = e.Name + "/" + list[i].Name
	}
	return list
}

// Profiles draws the free energies along φ and ψ: reference, samples as they came and weighted.
func (e *Evaluation) Profiles() (figure.Picture, error) {
	rng := rand.New(rand.NewPCG(uint64(e.seed), streamEvaluate+5))
	var sets []angles
	for _, s := range []struct {
		role figure.Role
		set  *Dataset
	}{{figure.Simulation, e.Reference}, {figure.Before, e.Proposal}, {figure.After, e.Samples}} {
		sets = append(sets, angles{s.set.Title, s.role, s.set.Dihedrals})
	}
	return profiles(e.Reference.KT, quality(e.Weights), rng, sets)
}

// Maps draws the free energies over (φ, ψ): reference, samples as they came and weighted.
func (e *Evaluation) Maps() (figure.Picture, error) {
	return RamachandranFigure(e.Reference, e.Proposal, e.Samples)
}

// WeightFigure draws the histogram of the log-weights.
func (e *Evaluation) WeightFigure() (figure.Picture, error) {
	return figure.WeightHistogram(e.LogW, quality(e.Weights))
}

// ReportOptions of [Report].
type ReportOptions struct {
	Name      string // before the names of results
	Title     string // of the reference in figures ["MD"]
	Reference string // file of frames
	Residue   string // whose dihedrals are scored, SAMPLES=REFERENCE where it has two names ["": the first one that both have]
	Seed      int    // of the bootstrap
}

// Report scores a file of weighted samples against a file of frames, and writes
// into dir: results.json (an array of name, value, error, floor, unit, n; null where there is none),
// profiles, maps and weights as PNG and SVG, and report.json, which says what was
// scored with which version, by checksums.
//
// Errors: those of the files and of [Evaluate].
func Report(ctx context.Context, samples, dir string, o ReportOptions) (*Evaluation, error) {
	reference, refMeta, err := data.ReadFile(o.Reference)
	if err != nil {
		return nil, err
	}
	refMeta.Source = o.Reference
	if meta, _, _, err := describe(samples, "logw"); err != nil {
		return nil, err
	} else if err := checkReference(samples, meta, o.Reference, refMeta); err != nil {
		return nil, err
	}
	frames, meta, err := data.ReadFile(samples)
	if err != nil {
		return nil, err
	}
	meta.Source = samples
	e, err := o.evaluate(frames, meta, reference, refMeta)
	if err != nil {
		return nil, err
	}
	provenance := map[string]any{"version": version(), "seed": o.Seed, "residue": e.Residue, "made": time.Now().UTC().Truncate(time.Second)}
	for key, file := range map[string]string{"samples": samples, "reference": o.Reference} {
		sum, err := data.Checksum(ctx, file)
		if err != nil {
			return nil, err
		}
		provenance[key], provenance[key+"_sha256"] = filepath.Base(file), sum
	}
	pictures := map[string]func() (figure.Picture, error){"profiles": e.Profiles, "maps": e.Maps, "weights": e.WeightFigure}
	for _, name := range []string{"profiles", "maps", "weights"} {
		p, err := pictures[name]()
		if err == nil {
			err = errors.Join(keep.WriteFile(filepath.Join(dir, name+".png"), p.PNG), keep.WriteFile(filepath.Join(dir, name+".svg"), p.SVG))
		}
		if err != nil {
			return nil, fmt.Errorf("cgbg: report: %s: %w", name, err)
		}
	}
	if err := writeJSON(filepath.Join(dir, "results.json"), resultRows(e.Results())); err != nil {
		return nil, err
	}
	return e, writeJSON(filepath.Join(dir, "report.json"), provenance)
}

// evaluate scores samples against frames, on the residue of the options. Samples whose file does not tell how the frames of their flow
// look are held to the reference, if that has the same beads.
func (o *ReportOptions) evaluate(samples *data.Frames, meta data.Meta, reference *data.Frames, refMeta data.Meta) (*Evaluation, error) {
	var names [2][]string
	for k, f := range []*data.Frames{samples, reference} {
		m := []data.Meta{meta, refMeta}[k]
		var err error
		if names[k], err = residueNames(f, m); err != nil {
			return nil, fmt.Errorf("cgbg: %s: %w", m.Source, err)
		}
	}
	of, in, common, err := scoredResidue(o.Residue, names[0], names[1])
	if err != nil {
		return nil, err
	}
	ref, err := NewResidueDataset("", o.Seed, filepath.Base(o.Reference), in, reference, refMeta)
	if err != nil {
		return nil, err
	}
	if ref.Title = o.Title; o.Title == "" {
		ref.Title = "MD"
	}
	g, err := geometryOf(meta)
	if err != nil {
		return nil, err
	}
	if (g == nil || len(g.Bonds) == 0) && reference.Dim == 3 && slices.Equal(meta.Beads, refMeta.Beads) {
		meta = withGeometry(meta, shapeOf(reference))
	}
	e, err := evaluate(o.Name, o.Seed, of, samples, meta, ref)
	if err == nil {
		e.Residues, e.Alone = common, alone(names[0], names[1])
	}
	return e, err
}

// resultRows are results as they stand in results.json.
func resultRows(results []Result) []map[string]any {
	number := func(v float64) any {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	}
	var rows []map[string]any
	for _, r := range results {
		row := map[string]any{"name": r.Name, "value": number(r.Value), "error": number(r.Error), "floor": number(r.Floor), "unit": nil, "n": nil}
		if r.Unit != "" {
			row["unit"] = r.Unit
		}
		if r.N > 0 {
			row["n"] = r.N
		}
		rows = append(rows, row)
	}
	return rows
}

// writeJSON writes a value as indented JSON, atomically.
func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		err = keep.WriteFile(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cgbg: %w", err)
	}
	return nil
}
