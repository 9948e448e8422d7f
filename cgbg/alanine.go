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
	Flow                 flow.MLP // Dims is that of the frames
	FlowFit              flow.Config
	Samples              int
	Accuracy             flow.Accuracy
}

// NewAlanineSettings returns a preset's settings. Potential and flow are simple
// ones, multilayer perceptrons on pair distances and on coordinates; "paper"
// only trains them as long and samples them as often as the paper does.
func NewAlanineSettings(preset string, seed uint64) (AlanineSettings, error) {
	s := AlanineSettings{
		Preset: preset, Seed: seed, PMFHidden: 128, PMFLayers: 3,
		PMFFit:   pmf.Config{Epochs: 200, Batch: 256, Rate: 1e-3, RateDecay: 1e-3, Cosine: true, ClipNorm: 10, Validation: 0.1},
		Flow:     flow.MLP{Hidden: 256, Layers: 4, TimeHidden: 32, TimeFeatures: 8},
		FlowFit:  flow.Config{Epochs: 1000, Batch: 512, RateHigh: 1e-3, RateLow: 1e-6, WeightDecay: 1e-5, ClipValue: 1000},
		Samples:  500_000,
		Accuracy: flow.Accuracy{PathTol: 1e-6, LogQTol: 1e-3, Batch: 500, Checks: 64},
	}
	switch preset {
	case "paper":
	case "quick":
		s.PMFHidden, s.PMFLayers = 64, 3
		s.PMFFit.Epochs, s.PMFFit.Rate = 8, 3e-3
		s.Flow.Hidden, s.Flow.Layers = 128, 4
		s.FlowFit.Epochs, s.FlowFit.RateHigh = 80, 4e-3
		s.Accuracy.PathTol, s.Accuracy.LogQTol = 1e-5, 3e-3
		s.Samples = 4000
	case "small":
		s.PMFHidden, s.PMFLayers = 16, 2
		s.PMFFit.Epochs, s.PMFFit.Rate = 1, 1e-2
		s.Flow.Hidden, s.Flow.Layers = 32, 2
		s.FlowFit.Epochs, s.FlowFit.RateHigh = 4, 1e-2
		s.Samples = 500
		s.Accuracy.Checks = 16
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
	a.Settings.Flow.Dims, a.Settings.FlowFit.Beads = frames.Width(), frames.Beads
	a.workspace, err = openWorkspace(dir, "ala-"+preset+"-"+hash(a.Settings, meta.SourceSHA, frames.Len(), frames.Beads))
	return a, err
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

// FitFlow learns the flow on all frames as they are, biased if the simulation was.
func (a *Alanine) FitFlow(ctx context.Context, progress Progress) (*flow.Model, *train.History, error) {
	cfg := a.Settings.FlowFit
	cfg.Checkpoint, cfg.Progress = a.path("flow.npz"), progress
	return flow.Fit(ctx, a.Backend.Backend, a.Settings.Flow, a.Frames.R, cfg)
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
	p, err := a.propose(ctx, "samples.arrow", hash(a.Settings), f, a.Settings.Samples, a.Settings.Seed, a.Settings.Accuracy, u.Energy, a.KT, progress)
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
