package cgbg

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/data"
)

// Kinds of simulation that a model was trained on.
const (
	Unbiased = "unbiased" // plain molecular dynamics, or frames drawn from a biased one with their weights
	Biased   = "biased"   // the simulation as its bias made it go
)

// Options of [Open]: what generators of a molecule at one resolution are made from, and how.
type Options struct {
	Name   string // before results, such as obc2/cb
	Prefix string // of the files in Models
	// Models has trained models with their cards, and samples: PREFIX_flow_biased.npz, PREFIX_pmf_biased.npz,
	// PREFIX_samples_biased.arrow (of the flow of biased frames, weighted by the potential of biased
	// forces), and the same with unbiased; nil: there are none.
	Models fs.FS
	// FlowFrames and ForceFrames are the simulations that flows and potentials learn from, by Unbiased and Biased. They
	// may differ: a flow should see equilibrium but for a weak bias, forces as much of the space as possible.
	FlowFrames, ForceFrames map[string]analysis.Source
	Reference               *analysis.Set // what results are held to; its question is asked of samples

	Preset  string
	Seed    int
	Dir     string       // the run's folder; "": a temporary one
	Train   bool         // train, whatever models there are
	Samples int          // weighed, at most; 0: as many as the preset says
	Flow    TrainOptions // of flows that are trained here; preset and seed are those above
	PMF     TrainOptions // of potentials, likewise
}

// Generator is the paper's workflow (Alg. 1 to 3) for one molecule at one resolution with flows and potentials of both
// kinds of simulation: those that come along, or trained anew. Its steps keep what they make in the run's folder: one
// that was interrupted goes on where it stood, and one that is done returns at once.
type Generator struct {
	keep.Folder
	Options
	Settings Settings
	Backend  *backend.Backend
	variant  string // behind the names of files of other flows, see With
}

// Open opens a generator. Errors: an unknown preset; those of the folder and the backend.
func Open(o Options) (*Generator, error) {
	settings, err := NewSettings(o.Preset, uint64(o.Seed))
	if err == nil {
		settings, err = settings.WithField(o.Flow.Field)
	}
	if err != nil {
		return nil, err
	}
	if o.Samples > 0 {
		settings.Samples = o.Samples
	}
	o.Train = o.Train || o.Models == nil
	folder, err := keep.OpenFolder(o.Dir,
		fmt.Sprintf("%s-%.16s", o.Prefix, keep.Fingerprint(o.Preset, o.Seed, o.Train)))
	if err != nil {
		return nil, err
	}
	b, err := backend.Open()
	if err != nil {
		return nil, fmt.Errorf("cgbg: %w", err)
	}
	return &Generator{Folder: folder, Options: o, Settings: settings, Backend: b}, nil
}

// With is the generator with flows trained by other options, beside those of this one: another field, say. Options that
// change nothing give the generator itself.
func (g *Generator) With(o TrainOptions) *Generator {
	o.Progress = nil // says nothing of the flow
	if g.trains(Flow) && g.resolve(o) == g.resolve(g.Flow) {
		return g
	}
	other := *g
	other.Flow, other.variant = o, fmt.Sprintf("-%.12s", keep.Fingerprint(o))
	return &other
}

// resolve stands for what options make of a flow.
func (g *Generator) resolve(o TrainOptions) string {
	s, err := g.Settings.WithField(cmp.Or(o.Field, g.Settings.Field))
	if err != nil {
		return err.Error() // training says so
	}
	o.Field, o.Pairing, o.HeldOut, o.Progress = s.Field, cmp.Or(o.Pairing, s.FlowFit.Pairing, flow.Independent), 0, nil
	return keep.Fingerprint(o)
}

// trains tells whether models of a kind are made here.
func (g *Generator) trains(kind string) bool { return g.Train || kind == Flow && g.variant != "" }

// Shipped puts a file of the models that come along into the run's folder. Errors: there is none; those of the folder.
func (g *Generator) Shipped(name string) (string, error) {
	if g.Models == nil {
		return "", fmt.Errorf("cgbg: %s: no models came along", g.Name)
	}
	path := g.Path(name)
	content, err := fs.ReadFile(g.Models, name)
	if err != nil {
		return "", fmt.Errorf("cgbg: %s: %w", g.Name, err)
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return path, nil
	}
	return path, keep.WriteFile(path, content)
}

// ShippedModel is the file of a model that comes along, with its card beside it. Errors: those of Shipped.
func (g *Generator) ShippedModel(name string) (string, error) {
	if _, err := g.Shipped(CardPath(name)); err != nil {
		return "", err
	}
	return g.Shipped(name)
}

// Model is the file of a model, a Flow or a PMF, of a kind of simulation, with its card beside it: one that came along,
// or one that is trained here, once. Errors: those of [Train].
func (g *Generator) Model(ctx context.Context, kind, of string, progress Progress) (string, error) {
	name := fmt.Sprintf("%s_%s_%s.npz", g.Prefix, kind, of)
	if !g.trains(kind) {
		return g.ShippedModel(name)
	}
	frames, err := g.Frames(kind, of)
	if err != nil {
		return "", err
	}
	o := g.PMF
	if kind == Flow {
		o, name = g.Flow, fmt.Sprintf("%s_%s_%s%s.npz", g.Prefix, kind, of, g.variant)
	}
	o.Preset, o.Seed, o.Progress = g.Settings.Preset, g.Settings.Seed, progress
	_, _, err = Train(ctx, g.Backend, kind, frames, g.Path(name), o)
	return g.Path(name), err
}

// Card is how a model was made. Errors: those of Model.
func (g *Generator) Card(ctx context.Context, kind, of string, progress Progress) (*Card, error) {
	file, err := g.Model(ctx, kind, of, progress)
	if err != nil {
		return nil, err
	}
	return ReadCard(file)
}

// Frames is the file of the frames that a model, a Flow or a PMF, of a kind of simulation learns from.
// Errors: those of the frames.
func (g *Generator) Frames(kind, of string) (string, error) {
	sources := g.FlowFrames
	if kind == PMF {
		sources = g.ForceFrames
	}
	load, ok := sources[of]
	if !ok {
		return "", fmt.Errorf("cgbg: %s: no frames of a %s simulation for a %s", g.Name, of, kind)
	}
	f, meta, err := load()
	if err != nil {
		return "", err
	}
	return keptFrames(g.Path(of+"_"+kind+".arrow"), f, meta)
}

// keptFrames writes frames to a file where it holds others, and returns its path.
func keptFrames(path string, f *data.Frames, meta data.Meta) (string, error) {
	sum := data.Sum(f, meta)
	if r, err := data.Open(path); err == nil {
		same := r.Meta().Extra[KeyFingerprint] == sum
		r.Close()
		if same {
			return path, nil
		}
	}
	meta.Extra = maps.Clone(meta.Extra)
	if meta.Extra == nil {
		meta.Extra = map[string]string{}
	}
	meta.Extra[KeyFingerprint] = sum
	return path, data.WriteFile(path, meta, f)
}

// Proposals is the file of samples of the flow of a kind of simulation, with their exact log-density.
// Errors: those of Model and [Draw].
func (g *Generator) Proposals(ctx context.Context, of string, progress Progress) (string, error) {
	if !g.trains(Flow) {
		return g.Shipped(fmt.Sprintf("%s_samples_%s.arrow", g.Prefix, of))
	}
	file, err := g.Model(ctx, Flow, of, progress)
	if err != nil {
		return "", err
	}
	out := g.Path("proposals_" + of + g.variant + ".arrow")
	o := DrawOptions{N: g.Settings.Samples, Seed: g.Settings.Seed, Checks: g.Settings.Checks, Progress: progress}
	_, err = Draw(ctx, g.Backend, file, out, o)
	return out, err
}

// OpenFlow opens the flow of a kind of simulation; the file is the model's. Errors: those of Model.
func (g *Generator) OpenFlow(ctx context.Context, of string, progress Progress) (*flow.Model, string, error) {
	file, err := g.Model(ctx, Flow, of, progress)
	if err != nil {
		return nil, "", err
	}
	m, _, err := openFlow(g.Backend, file)
	return m, file, err
}

// OpenPMF opens the potential of a kind of simulation for what is named and described: it must belong to that.
// Errors: those of Model; ErrPair and ErrTemperature.
func (g *Generator) OpenPMF(ctx context.Context, of, name string, meta data.Meta) (*pmf.Model, error) {
	file, err := g.Model(ctx, PMF, of, nil)
	if err != nil {
		return nil, err
	}
	return ReadPMF(g.Backend, file, name, meta)
}

// Samples are those of the flow of one kind of simulation, weighted by the potential of the other or the same. What was
// weighed once, with the same models, is taken up. Errors: those of Model, [Draw] and [Reweigh].
func (g *Generator) Samples(ctx context.Context, flowOf, pmfOf string,
	progress Progress) (*data.Frames, data.Meta, error) {
	potential, err := g.Model(ctx, PMF, pmfOf, progress)
	if err != nil {
		return nil, data.Meta{}, err
	}
	return g.Weighed(ctx, flowOf, pmfOf, potential, progress)
}

// Weighed are samples of a flow with the weights of a potential's file, whose name is behind samples_<flow>_.
// Errors: those of Samples.
func (g *Generator) Weighed(ctx context.Context, flowOf, name, potential string,
	progress Progress) (*data.Frames, data.Meta, error) {
	fail := func(err error) (*data.Frames, data.Meta, error) { return nil, data.Meta{}, err }
	in, err := g.Proposals(ctx, flowOf, progress)
	if err != nil {
		return fail(err)
	}
	file, err := g.Model(ctx, Flow, flowOf, progress)
	if err != nil {
		return fail(err)
	}
	inputs := []any{g.Settings.Samples, g.Backend.Name}
	for _, path := range []string{in, file, CardPath(file), potential, CardPath(potential)} {
		sum, err := data.Checksum(ctx, path)
		if err != nil {
			return fail(err)
		}
		inputs = append(inputs, sum)
	}
	out := g.Path(fmt.Sprintf("samples_%s_%s_%.16s.arrow", flowOf, name, keep.Fingerprint(inputs...)))
	if f, meta, err := data.ReadFile(out); err == nil {
		return f, meta, nil
	}
	f, meta, err := data.ReadFile(in)
	if err != nil {
		return fail(err)
	}
	if n := g.Settings.Samples; f.Len() > n { // of those that came along
		in = g.Path(fmt.Sprintf("first_%s.arrow", flowOf))
		if err := data.WriteFile(in, meta, f.Slice(0, n)); err != nil {
			return fail(err)
		}
	}
	if _, err := Reweigh(ctx, g.Backend, in, file, []string{potential}, out); err != nil {
		return fail(err)
	}
	return data.ReadFile(out)
}

// Evaluate scores the samples of a flow under a potential, both named by the simulation they were trained on. Results
// are behind "<name>/<flow's>/<u or b>". Errors: those of Samples and [analysis.Evaluate].
func (g *Generator) Evaluate(ctx context.Context, flowOf, pmfOf string,
	progress Progress) (*analysis.Evaluation, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, progress)
	if err != nil {
		return nil, err
	}
	return g.Ask(fmt.Sprintf("%s/%s/%s", g.Name, flowOf, pmfOf[:1]), f, meta)
}

// Ask holds samples to the reference, by its question. Errors: those of [analysis.Evaluate].
func (g *Generator) Ask(name string, f *data.Frames, meta data.Meta) (*analysis.Evaluation, error) {
	return analysis.Evaluate(name, g.Seed, g.Reference.Question, f, meta, g.Reference)
}
