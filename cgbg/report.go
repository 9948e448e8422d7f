package cgbg

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
)

// ReportOptions of [Report].
type ReportOptions struct {
	Name      string // before the names of results
	Title     string // of the reference in figures ["MD"]
	Reference string // file of frames; "": none, and there are no scores
	Seed      int    // of the bootstrap

	// Variables are what is looked at; nil: the defaults of the molecule, see [analysis.DefaultVariables].
	Variables []observable.Variable
	States    []analysis.Definition // of these
	// Residue is that of a peptide without Variables whose φ and ψ are scored together, SAMPLES=REFERENCE where it has
	// two names; "": the middle one.
	Residue string
}

// ReportFiles are the files that [Report] writes into a folder.
func ReportFiles(dir string) (files []string) {
	for _, name := range []string{result.FileName, "report.json", "profiles.png", "profiles.svg", "maps.png",
		"maps.svg",
		"weights.png", "weights.svg"} {
		files = append(files, filepath.Join(dir, name))
	}
	return files
}

// Report says what a file of weighted samples tells of equilibrium, scored against a file of frames where there is one,
// and writes into dir: results.json (see package result), profiles, maps and weights as PNG and SVG, and report.json,
// which says what was scored with which version, by checksums.
//
// Errors: those of the files, of variables that samples or reference cannot tell, and of [analysis.Evaluate].
func Report(ctx context.Context, samples, dir string, o ReportOptions) (*analysis.Evaluation, error) {
	provenance := map[string]any{"version": Version(), "seed": o.Seed, "made": time.Now().UTC().Truncate(time.Second)}
	frames, meta, err := o.read(ctx, "samples", samples, provenance)
	if err != nil {
		return nil, err
	}
	if frames.LogW == nil {
		return nil, fmt.Errorf("cgbg: %s: %w", samples, analysis.ErrNoWeights)
	}
	var reference *data.Frames
	var refMeta data.Meta
	if o.Reference != "" {
		if reference, refMeta, err = o.read(ctx, "reference", o.Reference, provenance); err != nil {
			return nil, err
		}
	}
	e, err := o.evaluate(frames, meta, reference, refMeta)
	if err != nil {
		return nil, err
	}
	pictures, err := e.Draw()
	if err != nil {
		return nil, err
	}
	for _, p := range pictures {
		for ext, content := range map[string][]byte{".png": p.PNG, ".svg": p.SVG} {
			if err := keep.WriteFile(filepath.Join(dir, p.Name+ext), content); err != nil {
				return nil, fmt.Errorf("cgbg: report: %w", err)
			}
		}
	}
	if err := result.Write(filepath.Join(dir, result.FileName), result.Entries(e.Results())); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(provenance, "", "  ")
	if err == nil {
		err = keep.WriteFile(filepath.Join(dir, "report.json"), append(text, '\n'))
	}
	return e, err
}

// read reads a file of frames, and puts its name and checksum down.
func (o *ReportOptions) read(ctx context.Context, what, file string,
	provenance map[string]any) (*data.Frames, data.Meta, error) {
	f, meta, err := data.ReadFile(file)
	if err != nil {
		return nil, meta, err
	}
	meta.Source = file
	if err := needTemperature(file, meta); err != nil {
		return nil, meta, err
	}
	sum, err := data.Checksum(ctx, file)
	provenance[what], provenance[what+"_sha256"] = filepath.Base(file), sum
	return f, meta, err
}

// evaluate asks samples and reference, which may be nil. Samples whose file does not tell how the frames of their flow
// look are held to the reference, if that has the same beads.
func (o *ReportOptions) evaluate(samples *data.Frames, meta data.Meta, reference *data.Frames,
	refMeta data.Meta) (*analysis.Evaluation, error) {
	a, err := o.ask(samples, meta, reference, refMeta)
	if err != nil {
		return nil, err
	}
	var set *analysis.Set
	if reference != nil && len(a.reference.Variables) > 0 {
		if err := checkReference(meta.Source, meta, o.Reference, refMeta, reference.LogW != nil); err != nil {
			return nil, err
		}
		set, err = analysis.NewSet(a.reference, analysis.Options{Name: filepath.Base(o.Reference), Seed: o.Seed},
			reference,
			refMeta)
		if err != nil {
			return nil, withMolecule(err, meta, refMeta)
		}
		if set.Title = o.Title; o.Title == "" {
			set.Title = "MD"
		}
		g, err := topology.Described(meta)
		if err != nil {
			return nil, err
		}
		if (g == nil || len(g.Bonds) == 0) && reference.Dim == 3 && slices.Equal(meta.Beads, refMeta.Beads) {
			meta = topology.Describe(meta, topology.Of(reference))
		}
	}
	e, err := analysis.Evaluate(o.Name, o.Seed, a.samples, samples, meta, set)
	if err == nil {
		e.Notes = append(a.notes, e.Notes...)
		if note := otherMolecule(meta, refMeta); reference != nil && note != "" {
			e.Notes = append(e.Notes, "DOUBTFUL: "+note)
		}
	}
	return e, err
}

// asked is a question in the words of samples and of their reference, whose residues may have other names.
type asked struct {
	samples, reference *analysis.Question
	notes              []string
}

// ask finds out what samples, and the reference if it is not nil, are asked.
func (o *ReportOptions) ask(samples *data.Frames, meta data.Meta, reference *data.Frames,
	refMeta data.Meta) (asked, error) {
	if len(o.Variables) > 0 {
		if o.Residue != "" {
			return asked{}, fmt.Errorf("cgbg: the residue %s is scored where there are no variables: "+
				"name its phi and psi first among these, or leave it out", o.Residue)
		}
		return o.askVariables(reference)
	}
	if names, err := observable.Residues(samples, meta); err == nil && len(names) > 0 {
		a, err := o.askPeptide(names, reference, refMeta)
		if reference != nil {
			err = withMolecule(err, meta, refMeta)
		}
		return a, err
	}
	if o.Residue != "" {
		return asked{}, fmt.Errorf("cgbg: no residue %s: the samples have no φ and ψ", o.Residue)
	}
	f, m := samples, meta
	if reference != nil && reference.Dim == 3 && slices.Equal(meta.Beads, refMeta.Beads) {
		f, m = reference, refMeta // samples of a poor flow are a poor guide
	}
	d, err := analysis.DefaultVariables(f, m)
	if err != nil {
		return asked{}, err
	}
	q, err := o.question(d.Variables, d.Scored)
	return asked{samples: q, reference: q}, err
}

// askVariables asks for the options' variables; for columns that the reference lacks, and states of them, only the
// samples, at the end.
func (o *ReportOptions) askVariables(reference *data.Frames) (a asked, err error) {
	var shared, rest []observable.Variable
	for _, v := range o.Variables {
		if reference != nil && v.Missing(reference) {
			rest = append(rest, v)
			a.notes = append(a.notes, fmt.Sprintf("%s has no scores: the reference has no such column", v.Name))
		} else {
			shared = append(shared, v)
		}
	}
	var scored []string
	for _, v := range shared[:min(2, len(shared))] {
		scored = append(scored, v.Name)
	}
	all := slices.Concat(shared, rest)
	var of, only []observable.State // states of what is shared
	for _, d := range o.States {
		s, err := observable.ParseState(d.Name, d.Text, shared)
		if err == nil {
			of = append(of, s)
			continue
		}
		if s, err = observable.ParseState(d.Name, d.Text, all); err != nil {
			return a, err
		}
		only = append(only, s)
	}
	if a.reference, err = analysis.NewQuestion(shared, of, scored...); err == nil {
		a.samples, err = analysis.NewQuestion(all, slices.Concat(of, only), scored...)
	}
	return a, err
}

// question asks for variables and the options' states of them.
func (o *ReportOptions) question(variables []observable.Variable, scored []string) (*analysis.Question, error) {
	states, err := analysis.ParseStates(o.States, variables)
	if err != nil {
		return nil, err
	}
	return analysis.NewQuestion(variables, states, scored...)
}
