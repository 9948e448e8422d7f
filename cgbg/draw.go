package cgbg

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
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
	Fidelity  reweight.Fidelity // beside the frames of the flow; zero where its card tells nothing of them
	Weights   *reweight.Summary // nil without a potential
}

// Draw draws samples of a flow's file, with its card, into the Arrow file out,
// and weighs them where there is a potential. Samples that are there already, of
// the same models, number and seed, are left as they are.
//
// Errors: those of the files; ErrPair and ErrTemperature of a potential that does not belong to the flow; those of [SampleFile].
func Draw(ctx context.Context, b *backend.Backend, file, out string, o DrawOptions) (*Drawn, error) {
	if err := makeOut(out); err != nil {
		return nil, err
	}
	m, card, err := openFlow(b, file)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	sum, err := data.Checksum(ctx, file)
	if err != nil {
		return nil, err
	}
	sums, err := data.Checksum(ctx, file, CardPath(file)) // the card settles temperature, names and handedness
	if err != nil {
		return nil, err
	}
	s := SampleOptions{N: o.N, UntilESS: o.UntilESS, Part: o.Part, Seed: o.Seed, Accuracy: flow.SamplingAccuracy(b.Name, m.Field),
		Meta: topology.Describe(card.Meta(), card.Geometry()), Progress: o.Progress}
	if s.Accuracy.Checks = o.Checks; o.Checks == 0 {
		s.Accuracy.Checks = -1
	}
	s.Meta.Source, s.Meta.SourceSHA = filepath.Base(file), sum
	if o.PMF != "" {
		u, pmfSum, err := openPMF(ctx, b, o.PMF, file, card)
		if err != nil {
			return nil, err
		}
		defer u.Finalize()
		s.Energy, s.KT, s.Geometry = u.Energy, units.KT(card.Temperature), card.Geometry()
		sums += pmfSum
	}
	s.Fingerprint = keep.Fingerprint(sums, s.Accuracy, b.Name)
	frames, meta, err := ReadKept(out, s.Fingerprint)
	fresh := err != nil || meta.Extra[keyAsked] != s.asked()
	if fresh {
		if err := SampleFile(ctx, out, m, s); err != nil {
			if why, ok := card.Results[resultNLLFailed]; ok && ctx.Err() == nil {
				return nil, fmt.Errorf("%w (%s: its card says that the likelihood of held-out frames failed, too: %v; train it anew, longer or with a lower rate)", err, file, why)
			}
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
	if d.Fidelity, err = topology.FidelityOf(frames, meta); err != nil {
		return nil, err
	}
	if frames.LogW != nil {
		w := reweight.Summarize(frames.LogW).With(d.Fidelity)
		d.Weights = &w
	}
	return d, nil
}

// Reweigh weighs samples that a flow gave, with the card beside its file, by a
// potential's file, into the file out.
//
// Errors: those of the files; ErrPair and ErrTemperature where samples, flow and potential do not belong together; samples without log-densities.
func Reweigh(ctx context.Context, b *backend.Backend, in, flowFile, pmfFile, out string) (*reweight.Summary, error) {
	if err := makeOut(out); err != nil {
		return nil, err
	}
	m, card, err := openFlow(b, flowFile)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	if err := CheckSamples(ctx, in, flowFile, card); err != nil {
		return nil, err
	}
	u, _, err := openPMF(ctx, b, pmfFile, flowFile, card)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	frames, meta, err := data.ReadFile(in)
	if err != nil {
		return nil, err
	}
	r := data.Widened(frames.R)
	if frames.U, err = u.Energy(ctx, r); err != nil {
		return nil, err
	}
	frames.LogW = reweight.LogWeights(frames.U, frames.LogQ, units.KT(card.Temperature), m.LogCOM(r))
	card.Geometry().Discard(frames.LogW, r)
	meta = topology.Describe(meta, card.Geometry())
	meta.Generator = "cgbg reweight -pmf " + filepath.Base(pmfFile)
	if err := data.WriteFile(out, meta, frames); err != nil {
		return nil, err
	}
	like, err := topology.FidelityOf(frames, meta)
	w := reweight.Summarize(frames.LogW).With(like)
	return &w, err
}

// openFlow reads a flow and its card.
func openFlow(b *backend.Backend, file string) (*flow.Model, *Card, error) {
	card, err := ReadCard(file)
	if err == nil {
		err = card.CheckKind(file, Flow)
	}
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

// openPMF reads a potential that belongs to a flow, by both cards, and the checksum of its file.
func openPMF(ctx context.Context, b *backend.Backend, file, flowFile string, flowCard *Card) (*pmf.Model, string, error) {
	u, err := ReadPMF(b, file, flowFile, flowCard.Meta())
	if err != nil {
		return nil, "", err
	}
	sum, err := data.Checksum(ctx, file)
	return u, sum, err
}

// ReadPMF reads a potential, to be computed in float32, with its card, for what is named and described: a flow, its samples, or frames.
// Errors: those of the files; ErrPair and ErrTemperature, where the two do not belong together.
func ReadPMF(b *backend.Backend, file, name string, meta data.Meta) (*pmf.Model, error) {
	card, err := ReadCard(file)
	if err == nil {
		err = card.CheckKind(file, PMF)
	}
	if err == nil {
		err = Belong(name, meta, file, card.Meta())
	}
	if err != nil {
		return nil, err
	}
	u, err := pmf.Import(b.Backend, file)
	if err != nil {
		return nil, err
	}
	if u.Potential.Dim() != 3*len(card.Beads) {
		return nil, fmt.Errorf("cgbg: %s is a potential of %d coordinates, but its card names %d beads", file, u.Potential.Dim(), len(card.Beads))
	}
	u.Single = true
	return u, nil
}
