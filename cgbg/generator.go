package cgbg

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// Kinds of simulation that a model was trained on.
const (
	Unbiased = "unbiased" // plain molecular dynamics, or frames drawn from a biased one with their weights
	Biased   = "biased"   // the simulation as its bias made it go
)

// Ingredients are what generators of a molecule at one resolution are made from.
type Ingredients struct {
	Name   string // before results, such as obc2/cb
	Prefix string // of the files in Models
	// Models has trained models with their cards, and samples: PREFIX_flow_biased.npz, PREFIX_pmf_biased.npz,
	// PREFIX_samples_biased.arrow (of the flow of biased frames, weighted by the potential of biased
	// forces), and the same with unbiased; nil: there are none.
	Models fs.FS
	// FlowFrames and ForceFrames are the simulations that flows and potentials learn from, by Unbiased and Biased. They
	// may differ: a flow should see equilibrium but for a weak bias, forces as much of the space as possible.
	FlowFrames, ForceFrames map[string]func() (*data.Frames, data.Meta, error)
	Reference               *Dataset // the dihedrals that results are held to
}

// Generator is the paper's workflow (Alg. 1 to 3) for one molecule at one
// resolution with flows and potentials of both kinds of simulation: those that
// come with the ingredients, or trained anew.
type Generator struct {
	workspace
	Ingredients
	Settings GeneratorSettings
}

// GeneratorSettings are the numbers behind a preset.
type GeneratorSettings struct {
	Preset   string
	Seed     uint64
	Train    bool // train, whatever models there are
	Samples  int  // weighed, at most
	Fresh    int  // drawn anew beside those that come with the ingredients
	Verified int  // of those, whose log-density is computed again
}

// NewGenerator opens the workflow; dir is the run's folder, "" for a temporary
// one. preset "small" takes few samples; "quick" and "paper" take them all, and differ in how models are
// trained if that is asked for. Errors: an unknown preset; those of the folder.
func NewGenerator(preset string, seed int, dir string, train bool, in Ingredients) (*Generator, error) {
	if err := checkPreset(preset); err != nil {
		return nil, err
	}
	g := &Generator{Ingredients: in, Settings: GeneratorSettings{Preset: preset, Seed: uint64(seed), Train: train || in.Models == nil, Samples: 100000, Fresh: 500, Verified: 200}}
	if preset == "small" {
		g.Settings.Samples, g.Settings.Fresh, g.Settings.Verified = 300, 10, 4
	}
	var err error
	g.workspace, err = openWorkspace(dir, in.Prefix+"-"+hash(g.Settings))
	return g, err
}

// shipped puts a file of the ingredients into the run's folder.
func (g *Generator) shipped(name string) (string, error) {
	path := g.path(name)
	content, err := fs.ReadFile(g.Models, name)
	if err != nil {
		return "", fmt.Errorf("cgbg: %s: %w", g.Name, err)
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return path, nil
	}
	return path, keep.WriteFile(path, content)
}

// shippedModel is the file of a model of the ingredients, with its card beside it.
func (g *Generator) shippedModel(name string) (string, error) {
	if _, err := g.shipped(cardPath(name)); err != nil {
		return "", err
	}
	return g.shipped(name)
}

// model is the file of a model, "flow" or "pmf", of a kind of simulation, with its card beside it.
func (g *Generator) model(ctx context.Context, what, of string, progress Progress) (string, error) {
	name := fmt.Sprintf("%s_%s_%s.npz", g.Prefix, what, of)
	if !g.Settings.Train {
		return g.shippedModel(name)
	}
	frames, err := g.frames(what, of)
	if err != nil {
		return "", err
	}
	make := TrainFlow
	if what == "pmf" {
		make = TrainPMF
	}
	_, _, err = make(ctx, g.Backend, frames, g.path(name), TrainOptions{Preset: g.Settings.Preset, Seed: g.Settings.Seed, Progress: progress})
	return g.path(name), err
}

// Cards are how the models were made: flows of unbiased and biased frames,
// potentials of unbiased and biased forces.
func (g *Generator) Cards(ctx context.Context, progress Progress) ([]*Card, error) {
	var out []*Card
	for _, what := range []string{"flow", "pmf"} {
		for _, of := range []string{Unbiased, Biased} {
			file, err := g.model(ctx, what, of, progress)
			if err != nil {
				return nil, err
			}
			card, err := ReadCard(file)
			if err != nil {
				return nil, err
			}
			out = append(out, card)
		}
	}
	return out, nil
}

// proposals is the file of samples of the flow of a kind of simulation, with their exact log-density.
func (g *Generator) proposals(ctx context.Context, of string, progress Progress) (string, error) {
	if !g.Settings.Train {
		return g.shipped(fmt.Sprintf("%s_samples_%s.arrow", g.Prefix, of))
	}
	file, err := g.model(ctx, "flow", of, progress)
	if err != nil {
		return "", err
	}
	out := g.path("proposals_" + of + ".arrow")
	_, err = Draw(ctx, g.Backend, file, out, DrawOptions{N: g.Settings.Samples, Seed: g.Settings.Seed, Checks: 64, Progress: progress})
	return out, err
}

// flow is the flow of a kind of simulation, with its file.
func (g *Generator) flow(ctx context.Context, of string, progress Progress) (*flow.Model, string, error) {
	file, err := g.model(ctx, "flow", of, progress)
	if err != nil {
		return nil, "", err
	}
	m, _, err := openFlow(g.Backend, file)
	return m, file, err
}

// potential is that of a kind of simulation, for what is named and described: it must belong to that.
func (g *Generator) potential(ctx context.Context, of, name string, meta data.Meta) (*pmf.Model, error) {
	file, err := g.model(ctx, "pmf", of, nil)
	if err != nil {
		return nil, err
	}
	return readPMF(g.Backend, file, name, meta)
}

// Samples are those of the flow of one kind of simulation, weighted by the
// potential of the other or the same. What was weighed once, with the same models, is taken up.
func (g *Generator) Samples(ctx context.Context, flowOf, pmfOf string, progress Progress) (*data.Frames, data.Meta, error) {
	potential, err := g.model(ctx, "pmf", pmfOf, progress)
	if err != nil {
		return nil, data.Meta{}, err
	}
	return g.weighed(ctx, flowOf, pmfOf, potential, progress)
}

// weighed are samples of a flow with the weights of a potential's file, whose name is behind samples_<flow>_.
func (g *Generator) weighed(ctx context.Context, flowOf, name, potential string, progress Progress) (*data.Frames, data.Meta, error) {
	fail := func(err error) (*data.Frames, data.Meta, error) { return nil, data.Meta{}, err }
	in, err := g.proposals(ctx, flowOf, progress)
	if err != nil {
		return fail(err)
	}
	file, err := g.model(ctx, "flow", flowOf, progress)
	if err != nil {
		return fail(err)
	}
	inputs := []any{g.Settings.Samples, g.Backend.Name}
	for _, path := range []string{in, file, cardPath(file), potential, cardPath(potential)} {
		sum, err := data.Checksum(ctx, path)
		if err != nil {
			return fail(err)
		}
		inputs = append(inputs, sum)
	}
	out := g.path(fmt.Sprintf("samples_%s_%s_%.16s.arrow", flowOf, name, keep.Fingerprint(inputs...)))
	if f, meta, err := data.ReadFile(out); err == nil {
		return f, meta, nil
	}
	f, meta, err := data.ReadFile(in)
	if err != nil {
		return fail(err)
	}
	if n := g.Settings.Samples; f.Len() > n { // of those that came along
		in = g.path(fmt.Sprintf("first_%s.arrow", flowOf))
		if err := data.WriteFile(in, meta, f.Slice(0, n)); err != nil {
			return fail(err)
		}
	}
	if _, err := Reweigh(ctx, g.Backend, in, file, potential, out); err != nil {
		return fail(err)
	}
	return data.ReadFile(out)
}

// Evaluate scores the samples of a flow under a potential, both named by the
// simulation they were trained on. Results are behind "<name>/<flow's>/<u or b>".
func (g *Generator) Evaluate(ctx context.Context, flowOf, pmfOf string, progress Progress) (*Evaluation, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, progress)
	if err != nil {
		return nil, err
	}
	return Evaluate(fmt.Sprintf("%s/%s/%s", g.Name, flowOf, pmfOf[:1]), int(g.Settings.Seed), f, meta, g.Reference)
}

// EvaluateMACE scores the samples of a flow under the published architecture, PREFIX_mace_biased.npz
// of the models that come along: trained on the same forces as the potential of biased ones.
func (g *Generator) EvaluateMACE(ctx context.Context, flowOf string, progress Progress) (*Evaluation, *Card, error) {
	if g.Models == nil {
		return nil, nil, fmt.Errorf("cgbg: %s: no models came along", g.Name)
	}
	file, err := g.shippedModel(g.Prefix + "_mace_biased.npz")
	if err != nil {
		return nil, nil, err
	}
	card, err := ReadCard(file)
	if err != nil {
		return nil, nil, err
	}
	f, meta, err := g.weighed(ctx, flowOf, "mace", file, progress)
	if err != nil {
		return nil, nil, err
	}
	e, err := Evaluate(fmt.Sprintf("%s/%s/mace", g.Name, flowOf), int(g.Settings.Seed), f, meta, g.Reference)
	return e, card, err
}

// Corrections compares ways to weigh the samples of a flow under a potential, see [Corrections].
func (g *Generator) Corrections(ctx context.Context, flowOf, pmfOf string) ([]Correction, reweight.Estimate, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return nil, reweight.Estimate{}, err
	}
	m, _, err := g.flow(ctx, flowOf, nil)
	if err != nil {
		return nil, reweight.Estimate{}, err
	}
	defer m.Finalize()
	return Corrections(int(g.Settings.Seed), f, meta, m.Std, g.Reference)
}

// Verification is what a second look at samples found.
type Verification struct {
	N, Fresh      int               // samples whose log-density was computed again; drawn anew
	RMS, Max      float64           // differences of log-densities, nats
	ESS, FreshESS reweight.Estimate // of the samples, and of those drawn anew
	LogZ          float64           // difference of ln ⟨w⟩ between the two, nats
	LogZError     float64
}

// Verify computes the log-density of some samples again by reverse integration
// from their stored coordinates, draws others from another seed, and compares the weights of both.
func (g *Generator) Verify(ctx context.Context, of string, progress Progress) (*Verification, error) {
	f, _, err := g.Samples(ctx, of, Biased, progress)
	if err != nil {
		return nil, err
	}
	m, file, err := g.flow(ctx, of, progress)
	if err != nil {
		return nil, err
	}
	defer m.Finalize()
	potential, err := g.model(ctx, "pmf", Biased, progress)
	if err != nil {
		return nil, err
	}
	v := &Verification{N: min(g.Settings.Verified, f.Len()), Fresh: g.Settings.Fresh}
	logq, _, err := m.LogQ(ctx, widened(f.R[:v.N*f.Width()]), flow.SamplingAccuracy(g.Backend.Name, m.Field), progress)
	if err != nil {
		return nil, err
	}
	v.RMS, _, v.Max = deviation(logq, f.LogQ[:v.N])
	fresh := g.path("fresh_" + of + ".arrow")
	if _, err := Draw(ctx, g.Backend, file, fresh, DrawOptions{N: v.Fresh, Seed: g.Settings.Seed + 1000, PMF: potential, Progress: progress}); err != nil {
		return nil, err
	}
	other, _, err := data.ReadFile(fresh)
	if err != nil {
		return nil, err
	}
	if v.ESS, err = reweight.ESSDelta(f.LogW); err == nil {
		v.FreshESS, err = reweight.ESSDelta(other.LogW)
	}
	if err != nil {
		return nil, err
	}
	a, sa, err := logMean(f.LogW)
	if err != nil {
		return nil, err
	}
	b, sb, err := logMean(other.LogW)
	v.LogZ, v.LogZError = b-a, math.Hypot(sa, sb)
	return v, err
}

// Until draws samples of a flow until their weights, by the potential of biased forces, are worth so many
// equal samples (preset small: 8), in parts of half as many. Errors: fifty times as many samples are not worth it; those of [Draw].
func (g *Generator) Until(ctx context.Context, of string, effective float64, progress Progress) (*Drawn, error) {
	file, err := g.model(ctx, "flow", of, progress)
	if err != nil {
		return nil, err
	}
	potential, err := g.model(ctx, "pmf", Biased, progress)
	if err != nil {
		return nil, err
	}
	if g.Settings.Preset == "small" {
		effective = min(effective, 8)
	}
	const most = 50
	d, err := Draw(ctx, g.Backend, file, g.path(fmt.Sprintf("until_%g_%s.arrow", effective, of)), DrawOptions{N: int(most * effective), UntilESS: effective,
		Part: max(1, int(effective/2)), Seed: g.Settings.Seed + 3000, Checks: -1, PMF: potential, Progress: progress})
	if err == nil && d.Weights.ESS*float64(d.N) < effective {
		return nil, fmt.Errorf("cgbg: %s: %d samples of the flow of %s frames are worth %.0f, not %g: the flow or the potential is too poor", g.Name, d.N, of, d.Weights.ESS*float64(d.N), effective)
	}
	return d, err
}

// Curve is a learning curve that comes along, of a kind (flow or pmf) on biased frames: PREFIX_curve_KIND.json. Error: there is none.
func (g *Generator) Curve(kind string) (*Curve, error) {
	if g.Models == nil {
		return nil, fmt.Errorf("cgbg: %s: no models came along", g.Name)
	}
	file, err := g.shipped(fmt.Sprintf("%s_curve_%s.json", g.Prefix, kind))
	if err != nil {
		return nil, err
	}
	return ReadCurve(file)
}

// logMean is ln ⟨w⟩ with its standard error, √((1/ESS − 1)/n).
func logMean(logw []float64) (mean, stderr float64, err error) {
	if mean, err = reweight.LogZ(logw); err != nil {
		return 0, 0, err
	}
	ess, err := reweight.ESS(logw)
	return mean, math.Sqrt((1/ess - 1) / float64(len(logw))), err
}

// referenceFrames are frames of the unbiased simulation, evenly spaced, at most n.
func (g *Generator) referenceFrames(n int) (*data.Frames, data.Meta, error) {
	f, meta, err := g.ForceFrames[Unbiased]()
	if err != nil {
		return nil, meta, err
	}
	if g.Settings.Preset == "small" {
		n = 200
	}
	return pick(f, evenly(f.Len(), n)), meta, nil
}

// Energies draws the distribution of the potential's energies in the samples as
// they came and weighted, and in frames of the unbiased simulation (paper, Fig. 3b, 4b).
func (g *Generator) Energies(ctx context.Context, flowOf, pmfOf string) (figure.Picture, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return figure.Picture{}, err
	}
	u, err := g.potential(ctx, pmfOf, g.Name+": samples of the flow", meta)
	if err != nil {
		return figure.Picture{}, err
	}
	defer u.Finalize()
	frames, frameMeta, err := g.referenceFrames(4000)
	if err == nil {
		err = belong(g.Name+": samples of the flow", meta, g.Name+": frames of the simulation", frameMeta)
	}
	if err != nil {
		return figure.Picture{}, err
	}
	e, err := u.Energy(ctx, widened(frames.R))
	if err != nil {
		return figure.Picture{}, err
	}
	w, err := reweight.Normalize(f.LogW)
	if err != nil {
		return figure.Picture{}, err
	}
	zero := stat.Mean(e, nil) // of the potential, which is arbitrary
	shift := func(x []float64) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = v - zero
		}
		return out
	}
	summary := reweight.Summarize(f.LogW)
	return EnergyFigure(int(g.Settings.Seed), &summary, Sample{Name: "MD", Role: figure.Simulation, X: shift(e), Block: blockLength(observable.Inefficiency(e), len(e))},
		Sample{Name: "flow", Role: figure.Before, X: shift(f.U)}, Sample{Name: "flow, reweighted", Role: figure.After, X: shift(f.U), Weight: w})
}

// Bonds draws the lengths of the peptide bonds in frames of the unbiased
// simulation and in the samples as they came and weighted (paper, Fig. 14).
func (g *Generator) Bonds(ctx context.Context, flowOf, pmfOf string) (figure.Picture, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return figure.Picture{}, err
	}
	frames, frameMeta, err := g.referenceFrames(10000)
	if err != nil {
		return figure.Picture{}, err
	}
	plain := *f
	plain.LogW = nil
	var sets []*BondSet
	for _, s := range []struct {
		title string
		role  figure.Role
		f     *data.Frames
		meta  data.Meta
	}{{"MD", figure.Simulation, frames, frameMeta}, {"flow", figure.Before, &plain, meta}, {"flow, reweighted", figure.After, f, meta}} {
		set, err := NewBondSet(g.Name, s.title, s.role, s.f, s.meta)
		if err != nil {
			return figure.Picture{}, err
		}
		sets = append(sets, set)
	}
	return BondFigure(int(g.Settings.Seed), sets...)
}
