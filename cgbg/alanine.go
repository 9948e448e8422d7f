package cgbg

import (
	"context"
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/topology"
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
	shape    *topology.Geometry // of the frames
	sum      string             // of frames and meta
}

// NewAlanine opens the workflow with the named preset on frames of package
// data; dir is the run's folder, where steps keep what they make, "" for a
// temporary one. Errors: frames without forces, beads without
// both dihedrals or without species, reduced units.
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
	a.residue, a.shape = residues[0], shapeOf(frames)
	if err := a.Settings.forBeads(frames, meta); err != nil {
		return nil, err
	}
	a.Settings.Langevin.KT, a.Settings.Langevin.Mass = a.KT, slices.Repeat([]float64{beadMass}, frames.Width())
	a.sum = data.Sum(frames, meta)
	a.workspace, err = openWorkspace(dir, fmt.Sprintf("ala-%s-%.16s", preset, keep.Fingerprint(a.Settings, a.sum)))
	if err != nil {
		return nil, err
	}
	return a, nil
}

// fingerprint is that of a step with the given inputs beside frames and settings.
func (a *Alanine) fingerprint(step ...any) string {
	return keep.Fingerprint(append([]any{a.sum, a.Settings, a.Backend.Name}, step...)...)
}

// accuracy is that of samples of a flow.
func (a *Alanine) accuracy(m *flow.Model) flow.Accuracy {
	acc := flow.SamplingAccuracy(a.Backend.Name, m.Field)
	acc.Checks = a.Settings.Checks
	if a.Settings.Preset == "small" {
		acc.PathTol, acc.LogQTol = 1e-6, 1e-3
	}
	return acc
}

// FitPMF learns U(R) by enhanced-sampling force matching on all frames.
// Error: an unknown potential; those of training.
func (a *Alanine) FitPMF(ctx context.Context, progress Progress) (*pmf.Model, *train.History, error) {
	cfg := a.Settings.PMFFit
	cfg.Checkpoint, cfg.Progress = a.path("pmf-"+a.Settings.Potential+".npz"), progress
	potential, err := a.Settings.potential(a.Frames.R, a.Frames.Beads, a.KT)
	if err != nil {
		return nil, nil, err
	}
	return pmf.Fit(ctx, a.Backend.Backend, potential, a.Frames.R, a.Frames.F, cfg)
}

// FitFlow learns the flow on the frames as they are, biased if the simulation
// was, but for those that are held out.
func (a *Alanine) FitFlow(ctx context.Context, progress Progress) (*flow.Model, *train.History, error) {
	return a.fitFlow(ctx, a.Settings.kind(), progress)
}

// fitFlow learns a flow of any kind, whose name stands in the files.
func (a *Alanine) fitFlow(ctx context.Context, kind FlowKind, progress Progress) (*flow.Model, *train.History, error) {
	return a.trainFlow(ctx, a.Settings.of(kind), "flow-"+kind.String(), progress)
}

// Frames are held out in blocks of time, so that copies of a state hardly stand
// on both sides.
const (
	heldOutBlocks = 10
	HeldOutPart   = 10 // one in so many of a block, at its end
)

// holdOut splits n frames into those to train flows on and those held out.
func holdOut(n int) (kept, held []int) {
	for b := range heldOutBlocks {
		lo, hi := b*n/heldOutBlocks, (b+1)*n/heldOutBlocks
		cut := hi - (hi-lo)/HeldOutPart
		for i := lo; i < cut; i++ {
			kept = append(kept, i)
		}
		for i := cut; i < hi; i++ {
			held = append(held, i)
		}
	}
	return kept, held
}

// positions are those of some frames.
func positions(f *data.Frames, frames []int) []float32 {
	width := f.Width()
	out := make([]float32, 0, len(frames)*width)
	for _, i := range frames {
		out = append(out, f.R[i*width:(i+1)*width]...)
	}
	return out
}

// Propose draws samples from the flow and weighs them by the learned potential.
// A sample whose Cα, or another chiral centre, has the other handedness than the frames gets no weight:
// the potential, invariant under reflection, cannot tell it from its mirror image.
func (a *Alanine) Propose(ctx context.Context, progress Progress) (*Proposal, error) {
	return a.proposeFrom(ctx, a.Settings.kind(), progress)
}

func (a *Alanine) proposeFrom(ctx context.Context, kind FlowKind, progress Progress) (*Proposal, error) {
	f, _, err := a.fitFlow(ctx, kind, nil)
	if err != nil {
		return nil, err
	}
	defer f.Finalize()
	u, _, err := a.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	fingerprint, err := a.proposal(kind, f, u)
	if err != nil {
		return nil, err
	}
	return a.propose(ctx, "samples-"+kind.String()+".arrow", f, SampleOptions{N: a.Settings.Samples, Seed: a.Settings.Seed,
		Accuracy: a.accuracy(f), Energy: u.Energy, KT: a.KT, Fingerprint: fingerprint, Progress: progress,
		Meta: data.Meta{System: a.Meta.System, Mapping: a.Meta.Mapping, Beads: a.Meta.Beads, Species: a.Meta.Species, Dim: 3, Temperature: a.Meta.Temperature, Source: "a flow of " + a.Meta.Source},
		Keep: a.shape.Right})
}

// proposal is the fingerprint of samples of a flow, weighed by a potential.
func (a *Alanine) proposal(kind FlowKind, f *flow.Model, u *pmf.Model) (string, error) {
	flowSum, err := f.Sum()
	if err != nil {
		return "", err
	}
	pmfSum, err := u.Sum()
	return a.fingerprint(a.Settings.of(kind), a.accuracy(f), flowSum, pmfSum, a.shape.Centres), err
}
