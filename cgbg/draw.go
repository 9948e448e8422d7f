package cgbg

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// DrawOptions of [Draw].
type DrawOptions struct {
	N        int
	UntilESS float64 // see SampleOptions
	Part     int     // see SampleOptions
	Seed     uint64
	Checks   int    // samples whose log-density is checked
	PMF      string // file of a potential of mean force; "": none
	Progress Progress
}

// Drawn tells of samples.
type Drawn struct {
	N         int
	Fresh     bool              // drawn now; otherwise they were there, from the same models and seed
	LogQBound float64           // of the errors of 99 of 100 log-densities, nats
	Weights   *reweight.Summary // nil without a potential
}

// Draw draws samples of a flow's file, with its card, into the Arrow file out,
// and weighs them where there is a potential. Samples that are there already, of
// the same models, number and seed, are left as they are.
//
// Errors: those of the files, a potential of other beads, those of [SampleFile].
func Draw(ctx context.Context, b *backend.Backend, file, out string, o DrawOptions) (*Drawn, error) {
	m, card, err := openFlow(b, file)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	sum, err := data.Checksum(ctx, file)
	if err != nil {
		return nil, err
	}
	sums, err := data.Checksum(ctx, file, cardPath(file)) // the card settles temperature, names and handedness
	if err != nil {
		return nil, err
	}
	s := SampleOptions{N: o.N, UntilESS: o.UntilESS, Part: o.Part, Seed: o.Seed, Accuracy: flow.SamplingAccuracy(b.Name, m.Field), Meta: card.meta(), Progress: o.Progress}
	if s.Accuracy.Checks = o.Checks; o.Checks == 0 {
		s.Accuracy.Checks = -1
	}
	s.Meta.Source, s.Meta.SourceSHA = filepath.Base(file), sum
	if o.PMF != "" {
		u, pmfSum, err := openPMF(ctx, b, o.PMF, m)
		if err != nil {
			return nil, err
		}
		defer u.Finalize()
		s.Energy, s.KT, s.Keep = u.Energy, units.KT(card.Temperature), card.keep()
		sums += pmfSum
	}
	s.Fingerprint = keep.Fingerprint(sums, s.Accuracy, b.Name)
	frames, meta, err := readFrames(out, s.Fingerprint)
	fresh := err != nil || meta.Extra[keyAsked] != s.asked()
	if fresh {
		if err := SampleFile(ctx, out, m, s); err != nil {
			return nil, err
		}
		if frames, meta, err = data.ReadFile(out); err != nil {
			return nil, err
		}
	}
	d := &Drawn{N: frames.Len(), Fresh: fresh}
	if d.LogQBound, err = strconv.ParseFloat(meta.Extra[keyLogQErr], 64); err != nil {
		return nil, fmt.Errorf("cgbg: %s: key %s: %w", out, keyLogQErr, err)
	}
	if frames.LogW != nil {
		w := reweight.Summarize(frames.LogW)
		d.Weights = &w
	}
	return d, nil
}

// Reweigh weighs samples that a flow gave, with the card beside its file, by a
// potential's file, into the file out.
//
// Errors: those of the files; samples of other beads, or without log-densities.
func Reweigh(ctx context.Context, b *backend.Backend, in, flowFile, pmfFile, out string) (*reweight.Summary, error) {
	m, card, err := openFlow(b, flowFile)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	u, _, err := openPMF(ctx, b, pmfFile, m)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	frames, meta, err := data.ReadFile(in)
	switch {
	case err != nil:
		return nil, err
	case frames.LogQ == nil:
		return nil, fmt.Errorf("cgbg: %s: no column logq: these are no samples of a flow; draw some with \"cgbg sample\"", in)
	case !slices.Equal(meta.Beads, card.Beads):
		return nil, fmt.Errorf("cgbg: %s: beads %q, but %s is a flow of %q", in, meta.Beads, flowFile, card.Beads)
	}
	sum, err := data.Checksum(ctx, flowFile)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cgbg: %w", err)
	case sum != meta.SourceSHA:
		return nil, fmt.Errorf("cgbg: %s was drawn from %s, not from this %s: their SHA-256 differ; name the flow that drew the samples", in, meta.Source, flowFile)
	}
	r := widened(frames.R)
	if frames.U, err = u.Energy(ctx, r); err != nil {
		return nil, err
	}
	frames.LogW = reweight.LogWeights(frames.U, frames.LogQ, units.KT(card.Temperature), m.LogCOM(r))
	card.discard(frames.LogW, r)
	meta.Generator = "cgbg reweight -pmf " + filepath.Base(pmfFile)
	if err := data.WriteFile(out, meta, frames); err != nil {
		return nil, err
	}
	w := reweight.Summarize(frames.LogW)
	return &w, nil
}

// openFlow reads a flow and its card.
func openFlow(b *backend.Backend, file string) (*flow.Model, *Card, error) {
	card, err := ReadCard(file)
	if err != nil {
		return nil, nil, err
	}
	m, err := flow.Import(b.Backend, file)
	if err != nil {
		return nil, nil, err
	}
	if 3*len(card.Beads) != m.Field.Dim() {
		return nil, nil, fmt.Errorf("cgbg: %s is a flow of %d coordinates, but its card names %d beads", file, m.Field.Dim(), len(card.Beads))
	}
	return m, card, nil
}

// openPMF reads a potential for the beads of a flow, and the checksum of its file.
func openPMF(ctx context.Context, b *backend.Backend, file string, m *flow.Model) (*pmf.Model, string, error) {
	u, err := readPMF(b, file)
	if err != nil {
		return nil, "", err
	}
	if u.Potential.Dim() != m.Field.Dim() {
		return nil, "", fmt.Errorf("cgbg: %s is a potential of %d coordinates, the flow has %d: were they trained on the same beads?", file, u.Potential.Dim(), m.Field.Dim())
	}
	sum, err := data.Checksum(ctx, file)
	return u, sum, err
}

// readPMF reads a potential, to be computed in float32.
func readPMF(b *backend.Backend, file string) (*pmf.Model, error) {
	u, err := pmf.Import(b.Backend, file)
	if err == nil {
		u.Single = true
	}
	return u, err
}

// discard takes the weight of samples r, [n*dim], that have another handedness than the frames.
func (c *Card) discard(logw, r []float64) {
	keep, dim := c.keep(), len(r)/max(1, len(logw))
	for i := range logw {
		if keep != nil && !keep(r[i*dim:(i+1)*dim]) {
			logw[i] = math.Inf(-1)
		}
	}
}

// keep tells which samples have the handedness of the frames; nil: there is none.
func (c *Card) keep() func(r []float64) bool {
	residues, err := cgmap.Backbone(c.Beads)
	if err != nil || c.Handedness == 0 {
		return nil
	}
	return func(r []float64) bool { return handedness(residues[0], r) == c.Handedness }
}
