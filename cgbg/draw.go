package cgbg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg/analysis"
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
	Checks   int      // samples whose log-density is checked
	PMF      []string // files of potentials of mean force, which weigh by their mean; none: no weights
	Frames   string   // file of frames of another simulation, which tell what the flow misses; needs PMF; "": none
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

// onePassPart is how many samples of a flow that is exact in one pass are drawn at a time: a second's work.
const onePassPart = 16384

// Draw draws samples of a flow's file, with its card, into the Arrow file out,
// and weighs them where there is a potential. Samples that are there already, of
// the same models, number and seed, are left as they are.
//
// Errors: those of the files; ErrPair and ErrTemperature of a potential that does not belong to the flow; those of
// [Propose].
func Draw(ctx context.Context, b *backend.Backend, file, out string, o DrawOptions) (*Drawn, error) {
	if o.Frames != "" && len(o.PMF) == 0 {
		return nil, errors.New("cgbg: what a flow misses is told by weights, which need a potential")
	}
	if err := makeOut(out); err != nil {
		return nil, err
	}
	m, card, err := openFlow(b, file)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	if o.Frames != "" {
		if err := checkOther(o.Frames, file, card); err != nil {
			return nil, err
		}
	}
	sum, err := data.Checksum(ctx, file)
	if err != nil {
		return nil, err
	}
	sums, err := data.Checksum(ctx, file, CardPath(file)) // the card settles temperature, names and handedness
	if err != nil {
		return nil, err
	}
	s := SampleOptions{N: o.N, UntilESS: o.UntilESS, Part: o.Part, Seed: o.Seed, Progress: o.Progress,
		Accuracy: flow.SamplingAccuracy(b.Name, m.Network), Meta: topology.Describe(card.Meta(), card.Geometry())}
	if s.Part == 0 && m.OnePass() {
		if s.Part = onePassPart; len(o.PMF) > 0 { // whose energies take longer
			s.Part /= 4
		}
	}
	if s.Accuracy.Checks = o.Checks; o.Checks == 0 {
		s.Accuracy.Checks = -1
	}
	s.Meta.Source, s.Meta.SourceSHA = filepath.Base(file), sum
	if r := card.Refinement; r != nil && r.Kept {
		s.Meta = withExtra(s.Meta, keyRefined, strings.Join(r.Potentials, ",")+" "+r.SHA)
	}
	var u *potentials
	if len(o.PMF) > 0 {
		if u, err = openPotentials(ctx, b, o.PMF, file, card); err != nil {
			return nil, err
		}
		defer u.finalize()
		s.Energy, s.KT, s.Geometry = u.energy, units.KT(card.Temperature), card.Geometry()
		sums += u.sum
	}
	s.Fingerprint = keep.Fingerprint(sums, s.Accuracy, b.Name)
	frames, meta, err := ReadKept(out, s.Fingerprint)
	fresh := err != nil || meta.Extra[keyAsked] != s.asked()
	if fresh {
		if err := sampleFile(ctx, out, m, s); err != nil {
			if why, ok := card.Results[resultNLLFailed]; ok && ctx.Err() == nil {
				return nil, fmt.Errorf("%w (%s: its card says that the likelihood of held-out frames failed, too: %v; "+
					"train it anew, longer or with a lower rate)", err, file, why)
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
	if o.Frames == "" {
		return d, nil
	}
	return d, d.cover(ctx, b, m, card, u, o.Frames, out, frames, meta, o)
}

// Weighed tells of samples that were weighed.
type Weighed struct {
	reweight.Summary
	Disagreement *analysis.Disagreement // of several potentials; nil: of one
}

// Reweigh weighs samples that a flow gave, with the card beside its file, by the file of a potential, or by the mean of
// several, into the file out.
//
// Errors: those of the files; ErrPair and ErrTemperature where samples, flow and potentials do not belong together;
// samples without log-densities.
func Reweigh(ctx context.Context, b *backend.Backend, in, flowFile string, pmfFiles []string,
	out string) (*Weighed, error) {
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
	u, err := openPotentials(ctx, b, pmfFiles, flowFile, card)
	if err != nil {
		return nil, err
	}
	defer u.finalize()
	frames, meta, err := data.ReadFile(in)
	if err != nil {
		return nil, err
	}
	r, kT := data.Widened(frames.R), units.KT(card.Temperature)
	energies, err := u.energies(ctx, r)
	if err != nil {
		return nil, err
	}
	frames.U = meanOf(energies)
	frames.LogW = reweight.LogWeights(frames.U, frames.LogQ, kT, m.LogCOM(r))
	card.Geometry().Discard(frames.LogW, r)
	meta = topology.Describe(meta, card.Geometry())
	delete(meta.Extra, analysis.KeyCoverage) // of other weights
	meta.Generator = "cgbg reweight"
	for _, file := range pmfFiles {
		meta.Generator += " -pmf " + filepath.Base(file)
	}
	if err := data.WriteFile(out, meta, frames); err != nil {
		return nil, err
	}
	like, err := topology.FidelityOf(frames, meta)
	if err != nil {
		return nil, err
	}
	w := &Weighed{Summary: reweight.Summarize(frames.LogW).With(like)}
	if len(energies) > 1 && w.Err == nil {
		d, err := analysis.Disagree(energies, frames.LogW, kT)
		if err != nil {
			return nil, err
		}
		w.Disagreement = &d
	}
	return w, nil
}

// withExtra is a description with one more key.
func withExtra(m data.Meta, key, value string) data.Meta {
	m.Extra = maps.Clone(m.Extra)
	if m.Extra == nil {
		m.Extra = map[string]string{}
	}
	m.Extra[key] = value
	return m
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
	if 3*len(card.Beads) != m.Network.Dim() {
		return nil, nil, fmt.Errorf("cgbg: %s is a flow of %d coordinates, but its card names %d beads", file,
			m.Network.Dim(),
			len(card.Beads))
	}
	return m, card, nil
}

// ReadPMF reads a potential, to be computed in float32, with its card, for what is named and described: a flow, its
// samples, or frames. Errors: those of the files; ErrPair and ErrTemperature, where the two do not belong together.
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
		return nil, fmt.Errorf("cgbg: %s is a potential of %d coordinates, but its card names %d beads", file,
			u.Potential.Dim(), len(card.Beads))
	}
	u.Single = true
	return u, nil
}
