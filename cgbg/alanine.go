package cgbg

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Alanine is the workflow on frames of a capped alanine peptide at a
// coarse-grained resolution: coordinates in nm, energies in kJ/mol, angles in
// rad. Frames of a biased simulation carry their log-weights in LogW and their
// unbiased forces in F.
type Alanine struct {
	workspace
	Settings AlanineSettings
	Frames   *data.Frames
	Meta     data.Meta
	KT       float64 // kJ/mol
	residue  cgmap.Residue
}

// AlanineSettings are the numbers behind a preset.
type AlanineSettings struct {
	Preset               string
	Seed                 uint64
	PMFHidden, PMFLayers int // of the potential, an MLP on pair distances
	PMFFit               pmf.Config
	Flow                 flow.GraphTransformer // Beads are those of the frames
	FlowFit              flow.Config
	Samples              int
	HeldOut              int           // frames that the flow's likelihood is computed on
	Accuracy             flow.Accuracy // of the samples; follows the backend
}

// NewAlanineSettings returns a preset's settings. The flow is the published graph
// transformer, with the published training for "paper" (its revision: batches of
// 1024), and with averaged parameters for the others. The potential is a simple one, a multilayer perceptron on pair distances.
func NewAlanineSettings(preset string, seed uint64) (AlanineSettings, error) {
	s := AlanineSettings{
		Preset: preset, Seed: seed, PMFHidden: 128, PMFLayers: 3,
		PMFFit:  pmf.Config{Epochs: 200, Batch: 256, Rate: 1e-3, RateDecay: 1e-3, Cosine: true, ClipNorm: 10, Validation: 0.1},
		Flow:    flow.NewGraphTransformer(0),
		FlowFit: flow.Config{Epochs: 5000, Batch: 1024, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000, StepsPerCall: 1},
		Samples: 1_000_000, HeldOut: 2000,
	}
	switch preset {
	case "paper":
	case "quick":
		s.PMFHidden, s.PMFLayers = 64, 3
		s.PMFFit.Epochs, s.PMFFit.Rate = 8, 3e-3
		s.FlowFit.Epochs, s.FlowFit.Batch, s.FlowFit.RateHigh = 43, 256, 1e-3 // 3,000 steps: after 560 half of the samples have the wrong hand
		s.FlowFit.EMA = 0.995
		s.Samples, s.HeldOut = 800, 100
	case "small":
		s.PMFHidden, s.PMFLayers = 16, 2
		s.PMFFit.Epochs, s.PMFFit.Rate = 1, 1e-2
		s.Flow = flow.GraphTransformer{Embed: 4, Hidden: 16, Layers: 2, Heads: 2, HeadDim: 8, FF: 32}
		s.FlowFit.Epochs, s.FlowFit.Batch, s.FlowFit.RateHigh = 2, 256, 1e-2
		s.FlowFit.EMA = 0.99
		s.Samples, s.HeldOut = 200, 40
	default:
		return s, checkPreset(preset)
	}
	s.PMFFit.Seed, s.FlowFit.Seed = seed, seed
	s.PMFFit.CheckpointEvery, s.FlowFit.CheckpointEvery = 5*time.Second, 5*time.Second
	return s, nil
}

// NewAlanine opens the workflow with the named preset on frames of package
// data; dir is the run's folder, where steps keep what they make, "" for a
// temporary one. Errors: frames without forces, beads without
// both dihedrals, reduced units.
func NewAlanine(preset string, seed int, dir string, frames *data.Frames, meta data.Meta) (*Alanine, error) {
	settings, err := NewAlanineSettings(preset, uint64(seed))
	if err != nil {
		return nil, err
	}
	a := &Alanine{Settings: settings, Frames: frames, Meta: meta, KT: units.KT(meta.Temperature)}
	switch {
	case frames.Len() == 0 || len(frames.F) != len(frames.R):
		return nil, fmt.Errorf("cgbg: %s: frames without forces: force matching needs both", meta.Source)
	case !(meta.Temperature > 0):
		return nil, fmt.Errorf("cgbg: %s: no temperature", meta.Source)
	}
	residues, err := cgmap.Backbone(meta.Beads)
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s: %w", meta.Source, err)
	}
	if len(residues) != 1 {
		return nil, fmt.Errorf("cgbg: %s: %d residues; this workflow is for one", meta.Source, len(residues))
	}
	a.residue = residues[0]
	a.Settings.Flow.Beads, a.Settings.FlowFit.Beads = frames.Beads, frames.Beads
	a.workspace, err = openWorkspace(dir, "ala-"+preset+"-"+hash(a.Settings, meta.SourceSHA, frames.Len(), frames.Beads))
	if err != nil {
		return nil, err
	}
	a.Settings.Accuracy = flow.SamplingAccuracy(a.Backend.Name)
	switch preset {
	case "small":
		a.Settings.Accuracy.PathTol, a.Settings.Accuracy.LogQTol, a.Settings.Accuracy.Checks = 1e-6, 1e-3, 16
	case "quick":
		a.Settings.Accuracy.Checks = 24
	}
	return a, nil
}

// FitPMF learns U(R) by enhanced-sampling force matching on all frames.
func (a *Alanine) FitPMF(ctx context.Context, progress Progress) (*pmf.Model, *train.History, error) {
	cfg := a.Settings.PMFFit
	cfg.Checkpoint, cfg.Progress = a.path("pmf.npz"), progress
	potential, err := pmf.NewPairMLP(a.Frames.R, a.Frames.Beads, a.Settings.PMFHidden, a.Settings.PMFLayers, a.KT)
	if err != nil {
		return nil, nil, err
	}
	return pmf.Fit(ctx, a.Backend.Backend, potential, a.Frames.R, a.Frames.F, cfg)
}

// FitFlow learns the flow on the frames as they are, biased if the simulation
// was, but for those that are held out.
func (a *Alanine) FitFlow(ctx context.Context, progress Progress) (*flow.Model, *train.History, error) {
	return a.fitFlow(ctx, a.Settings.FlowFit, "flow.npz", progress)
}

func (a *Alanine) fitFlow(ctx context.Context, cfg flow.Config, file string, progress Progress) (*flow.Model, *train.History, error) {
	cfg.Checkpoint, cfg.Progress = a.path(file), progress
	kept, _ := a.holdOut()
	return flow.Fit(ctx, a.Backend.Backend, a.Settings.Flow, kept, cfg)
}

// Frames are held out in blocks of time, so that copies of a state hardly stand
// on both sides.
const (
	heldOutBlocks = 10
	heldOutPart   = 10 // one in so many of a block, at its end
)

// holdOut splits the positions into those to train on and those held out.
func (a *Alanine) holdOut() (kept, held []float32) {
	n, width := a.Frames.Len(), a.Frames.Width()
	for b := range heldOutBlocks {
		lo, hi := b*n/heldOutBlocks, (b+1)*n/heldOutBlocks
		cut := hi - (hi-lo)/heldOutPart
		kept = append(kept, a.Frames.R[lo*width:cut*width]...)
		held = append(held, a.Frames.R[cut*width:hi*width]...)
	}
	return kept, held
}

// PairingReport compares flows that were trained alike but for the pairing of
// frames and noise.
type PairingReport struct {
	Pairing     flow.Pairing
	NLL         float64 // −ln q of held-out frames, nats per frame
	NLLError    float64
	Evaluations float64 // of the velocity, per frame
	Divergences float64 // per frame
}

// ComparePairings trains a flow for each pairing and computes the exact
// likelihood of the same held-out frames.
func (a *Alanine) ComparePairings(ctx context.Context, progress Progress) ([]PairingReport, error) {
	var out []PairingReport
	_, held := a.holdOut()
	for _, pairing := range []flow.Pairing{flow.Independent, flow.Aligned} {
		cfg, file := a.Settings.FlowFit, "flow.npz"
		if pairing != cfg.Pairing {
			cfg.Pairing = pairing
			file = "flow-" + string(pairing) + ".npz"
		}
		m, _, err := a.fitFlow(ctx, cfg, file, progress)
		if err != nil {
			return nil, err
		}
		l, err := m.NegLogLikelihood(ctx, held, a.Settings.HeldOut, a.Settings.Seed, a.Settings.Accuracy, progress)
		if err != nil {
			return nil, err
		}
		out = append(out, PairingReport{pairing, l.Mean, l.Error, l.Evaluations, l.Divergences})
	}
	return out, nil
}

// Propose draws samples from the flow and weighs them by the learned potential.
// A sample whose Cα has the other handedness than the frames gets no weight:
// the potential, a function of distances, cannot tell it from its mirror image.
func (a *Alanine) Propose(ctx context.Context, progress Progress) (*Proposal, error) {
	f, _, err := a.FitFlow(ctx, nil)
	if err != nil {
		return nil, err
	}
	u, _, err := a.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	p, err := a.propose(ctx, "samples.arrow", f, SampleOptions{N: a.Settings.Samples, Seed: a.Settings.Seed, Accuracy: a.Settings.Accuracy,
		Energy: u.Energy, KT: a.KT, Fingerprint: hash(a.Settings), Progress: progress})
	if err != nil {
		return nil, err
	}
	want := a.handedness(widened(a.Frames.R[:a.Frames.Width()]))
	for i := range p.LogW {
		if a.handedness(p.R[i*a.Frames.Width():]) != want {
			p.LogW[i] = math.Inf(-1)
		}
	}
	return p, nil
}

// handedness is the sign of the volume that Cα's neighbours span.
func (a *Alanine) handedness(r []float64) float64 {
	edge := func(k int) (d [3]float64) {
		for axis := range d {
			d[axis] = r[3*a.residue.Center[k]+axis] - r[3*a.residue.Center[0]+axis]
		}
		return d
	}
	x, y, z := edge(1), edge(2), edge(3)
	volume := x[0]*(y[1]*z[2]-y[2]*z[1]) + x[1]*(y[2]*z[0]-y[0]*z[2]) + x[2]*(y[0]*z[1]-y[1]*z[0])
	return math.Copysign(1, volume)
}
