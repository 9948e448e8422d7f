package cgbg

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
)

// Networks that presets choose from by name; packages pmf and flow list all that there are.
const (
	MACE             = "mace"              // potential: the equivariant network of the publication
	Invariant        = "invariant"         // potential: a perceptron on principal components of distances, ours
	GraphTransformer = "graph-transformer" // vector field, as published
	Equivariant      = "equivariant"       // vector field in terms of distances and volumes, ours
	Spline           = "spline"            // flow that is exact in one pass, ours
)

// Progress is told how far a long step is; it may be nil.
type Progress = func(done, total int, note string)

// Presets are the names of the settings.
var Presets = []string{"small", "quick", "paper"}

// CheckPreset tells whether there is such a preset.
func CheckPreset(name string) error {
	if !slices.Contains(Presets, name) {
		return fmt.Errorf("cgbg: no preset %q: choose one of %q", name, Presets)
	}
	return nil
}

// VectorField is the vector field of a preset, for generators whose flow is a continuous one.
func VectorField(preset string) string {
	if preset == "paper" {
		return GraphTransformer
	}
	return Equivariant
}

// Settings are the numbers behind a preset.
type Settings struct {
	Preset     string
	Seed       uint64
	Potential  string            // of package pmf, by name
	PMFSizes   pmf.Sizes         // of Potential; zeros stand for its own
	PMFFit     pmf.Config        // of Potential
	Field      string            // vector field of package flow, by name
	FlowSizes  flow.Sizes        // of Field; zeros stand for its own
	FlowFit    flow.Config       // of Field
	FlowRefine flow.RefineConfig // of flows that are exact in one pass
	HeldOut    int               // frames that the flow's likelihood is computed on
	Checks     int               // samples whose log-density is checked

	// Of a generator.
	Samples  int // weighed, at most
	Fresh    int // drawn anew beside those that come along
	Verified int // samples whose log-density is computed again
	Every    int // frames of references: every so many
}

// NewSettings returns a preset's settings. For "paper", flow and potential are the published ones with the published
// training (the flow's in its revision: batches of 1024). "quick" has the invariant potential and the spline flow,
// which train in minutes; "small" has small networks and few samples, and shows only that all of it runs.
func NewSettings(preset string, seed uint64) (Settings, error) {
	s := Settings{Preset: preset, Seed: seed, Checks: 64, Samples: 100_000, Fresh: 500, Verified: 200,
		Every: 1}
	field, potential := Spline, Invariant
	switch preset {
	case "paper":
		field, potential = GraphTransformer, MACE
	case "quick":
	case "small":
		s.Checks = 16
		s.FlowRefine.Steps, s.FlowRefine.Batch = 20, 64
		s.Samples, s.Fresh, s.Verified, s.Every = 300, 10, 4, 20
	default:
		return s, CheckPreset(preset)
	}
	s, err := s.WithField(field)
	if err != nil {
		return s, err
	}
	return s.WithPotential(potential)
}

// WithField are the settings with another vector field; of "" the same. Error: there is none of that name.
func (s Settings) WithField(field string) (Settings, error) {
	if field == "" || field == s.Field {
		return s, nil
	}
	k, err := flow.FieldByName(field)
	if err != nil {
		return s, err
	}
	s.Field, s.FlowSizes, s.FlowFit, s.HeldOut = field, flow.Sizes{}, k.Fit, 2000
	switch s.Preset {
	case "quick":
		s.FlowFit, s.HeldOut = k.Quick, 200
	case "small":
		s.FlowSizes, s.FlowFit, s.HeldOut = k.SmallSizes, k.Small, 40
	}
	s.FlowFit.Seed, s.FlowFit.CheckpointEvery = s.Seed, checkpointEvery
	if field == Spline && s.Preset != "small" { // a frame costs it next to nothing
		s.HeldOut = 5000
	}
	return s, nil
}

// checkpointEvery is how much of a training a kill may lose.
const checkpointEvery = 5 * time.Second

// WithPotential are the settings with another potential; of "" the same. Error: there is none of that name.
func (s Settings) WithPotential(potential string) (Settings, error) {
	if potential == "" || potential == s.Potential {
		return s, nil
	}
	k, err := pmf.PotentialByName(potential)
	if err != nil {
		return s, err
	}
	s.Potential, s.PMFSizes, s.PMFFit = potential, pmf.Sizes{}, k.Fit
	switch s.Preset {
	case "quick":
		s.PMFFit = k.Quick
	case "small":
		s.PMFSizes, s.PMFFit = k.SmallSizes, k.Small
	}
	s.PMFFit.Seed, s.PMFFit.CheckpointEvery = s.Seed, checkpointEvery
	return s, nil
}

// FlowKind is a way to make a flow: a vector field with a pairing of frames and noise.
type FlowKind struct {
	Field   string
	Pairing flow.Pairing
}

// String is the kind's name in tables, files and results.
func (k FlowKind) String() string { return k.Field + "-" + string(k.Pairing) }

// Options are those of the training of such a flow, whose likelihood is left to whoever compares them.
func (k FlowKind) Options() TrainOptions {
	return TrainOptions{Field: k.Field, Pairing: k.Pairing, HeldOut: noLikelihood}
}

// newField is the settings' vector field for frames like these, [n, beads, 3], nm. Errors: those of [flow.Kind.New].
func (s *Settings) newField(frames []float32, beads int) (flow.Network, error) {
	k, err := flow.FieldByName(s.Field)
	if err != nil {
		return nil, err
	}
	return k.New(frames, beads, s.FlowSizes)
}

// FitFlow learns a flow with the settings' vector field. Errors: those of the field and [flow.Fit].
func (s *Settings) FitFlow(ctx context.Context, b *backend.Backend, frames []float32, beads int,
	cfg flow.Config) (*flow.Model, *train.History, error) {
	field, err := s.newField(frames, beads)
	if err != nil {
		return nil, nil, err
	}
	cfg.Beads = beads
	return flow.Fit(ctx, b.Backend, field, frames, cfg)
}

// NewPotential is the settings' potential for frames like these, [n, beads, 3], nm, with a code for each bead's
// species; kT in kJ/mol. Errors: those of [pmf.Kind.New].
func (s *Settings) NewPotential(frames []float32, beads int, species []int32, kT float64) (pmf.Potential, error) {
	k, err := pmf.PotentialByName(s.Potential)
	if err != nil {
		return nil, err
	}
	codes := make([]int, len(species))
	for i, code := range species {
		codes[i] = int(code)
	}
	return k.New(frames, beads, codes, kT, s.PMFSizes)
}

// flowTold is what a card tells of a field's sizes: the width where it may be given alone, or all.
func (s *Settings) flowTold(f flow.Network) any {
	if spline, ok := f.(flow.Spline); ok {
		return map[string]int{"width": spline.Width, "layers": len(spline.Moved), "bins": spline.Bins}
	}
	if k, err := flow.FieldByName(s.Field); err == nil && k.WidthAlone {
		return cmp.Or(s.FlowSizes.Width, k.Sizes.Width)
	}
	return f
}

// pmfTold is flowTold of a potential.
func (s *Settings) pmfTold(p pmf.Potential) any {
	if k, err := pmf.PotentialByName(s.Potential); err == nil && k.WidthAlone {
		return cmp.Or(s.PMFSizes.Width, k.Sizes.Width)
	}
	return p
}
