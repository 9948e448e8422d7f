package cgbg

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/data"
)

// Potentials by name.
const (
	MACE      = "mace"      // the equivariant network of the publication
	Invariant = "invariant" // a perceptron on principal components of distances, ours
	Distances = "distances" // a plain perceptron on distances, to compare with
)

// Vector fields by name.
const (
	GraphTransformer = "graph-transformer" // as published
	Equivariant      = "equivariant"       // in terms of distances and volumes, ours
)

// Presets are the names of the settings.
var Presets = []string{"small", "quick", "paper"}

// CheckPreset tells whether there is such a preset.
func CheckPreset(name string) error {
	if !slices.Contains(Presets, name) {
		return fmt.Errorf("cgbg: no preset %q: choose one of %q", name, Presets)
	}
	return nil
}

// Settings are the numbers behind a preset.
type Settings struct {
	Preset               string
	Seed                 uint64
	Potential            string                // MACE, Invariant or Distances
	MACE                 pmf.MACE              // species and neighbours are those of the frames
	InvariantHidden      int                   // width of Invariant
	PMFHidden, PMFLayers int                   // of the perceptron on distances
	PMFFit               pmf.Config            // of Potential, as pmfFit gives it
	Field                string                // GraphTransformer or Equivariant
	Flow                 flow.GraphTransformer // of the former; Beads are those of the frames
	FieldHidden          int                   // width of the latter
	FlowFit              flow.Config           // of Field, as FlowFit gives it
	HeldOut              int                   // frames that the flow's likelihood is computed on
	Checks               int                   // samples whose log-density is checked

	// Of a generator.
	Samples  int // weighed, at most
	Fresh    int // drawn anew beside those that come along
	Verified int // samples whose log-density is computed again
	Every    int // frames of references: every so many
}

// NewSettings returns a preset's settings. For "paper", flow and potential are the published ones with the published
// training (the flow's in its revision: batches of 1024). "quick" has the invariant potential and the equivariant flow,
// which train in seconds; "small" has small networks and few samples, and shows only that all of it runs.
func NewSettings(preset string, seed uint64) (Settings, error) {
	s := Settings{
		Preset: preset, Seed: seed,
		Potential: MACE, MACE: pmf.NewMACE(nil, 0), InvariantHidden: 256, PMFHidden: 128, PMFLayers: 3,
		Field: GraphTransformer, Flow: flow.NewGraphTransformer(0), FieldHidden: 256,
		HeldOut: 2000, Checks: 64, Samples: 100_000, Fresh: 500, Verified: 200, Every: 1,
	}
	switch preset {
	case "paper":
	case "quick":
		s.PMFHidden, s.PMFLayers = 64, 3
		s.Potential, s.Field = Invariant, Equivariant
		s.HeldOut = 200
	case "small":
		s.MACE.Channels, s.MACE.Embed, s.MACE.Hidden, s.MACE.Readout = 4, 4, []int{8}, 4
		s.MACE.LMax, s.MACE.Correlation = 1, 2
		s.PMFHidden, s.PMFLayers = 16, 2
		s.Flow = flow.GraphTransformer{Embed: 4, Hidden: 16, Layers: 2, Heads: 2, HeadDim: 8, FF: 32}
		s.Potential, s.InvariantHidden = Invariant, 32
		s.Field, s.FieldHidden, s.Checks = Equivariant, 32, 16
		s.HeldOut = 40
		s.Samples, s.Fresh, s.Verified, s.Every = 300, 10, 4, 20
	default:
		return s, CheckPreset(preset)
	}
	s.FlowFit, s.PMFFit = FlowFit(preset, s.Field), pmfFit(preset, s.Potential)
	s.PMFFit.Seed, s.FlowFit.Seed = seed, seed
	s.PMFFit.CheckpointEvery, s.FlowFit.CheckpointEvery = 5*time.Second, 5*time.Second
	return s, nil
}

// FlowFit is a preset's training of a vector field. Published are the graph
// transformer's with "paper". The others draw flow times near the data (with
// uniform times the graph transformer is 15 nats less likely after 1,400 steps)
// and average the parameters.
func FlowFit(preset, field string) flow.Config {
	c := flow.Config{Epochs: 5000, Batch: 1024, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5, ClipValue: 1000, StepsPerCall: 1}
	switch field {
	case GraphTransformer:
		switch preset {
		case "quick":
			c.Epochs, c.Batch, c.RateHigh, c.EMA, c.Late = 6, 256, 1e-3, 0.995, 2.5
		case "small":
			c.Epochs, c.Batch, c.RateHigh, c.EMA = 2, 256, 1e-2, 0.99
		}
	case Equivariant:
		c.RateHigh, c.EMA, c.Late, c.Pairing, c.StepsPerCall = 3e-3, 0.999, 2, flow.Aligned, 10
		switch preset {
		case "quick":
			c.Epochs, c.Batch = 160, 256
		case "small":
			c.Epochs, c.Batch, c.EMA = 3, 256, 0.99
		}
	}
	return c
}

// pmfFit is a preset's training of a potential. Published is that of MACE with "paper".
func pmfFit(preset, potential string) pmf.Config {
	c := pmf.Config{Epochs: 250, Batch: 256, Rate: 1e-3, RateDecay: 0.9, ClipNorm: 1, Validation: 0.1}
	if potential == MACE {
		c.StepsPerCall = 1 // fused steps take long to compile
	}
	switch preset {
	case "quick":
		c.Epochs, c.Rate, c.RateDecay, c.Cosine = 7, 5e-3, 1e-2, true
		if potential == Invariant {
			c.Epochs, c.Rate = 40, 1e-3
		}
	case "small":
		c.Epochs, c.Rate = 1, 1e-2
	}
	return c
}

// WithPotential are the settings with another potential.
func (s Settings) WithPotential(potential string) Settings {
	if potential != s.Potential {
		seed, every := s.PMFFit.Seed, s.PMFFit.CheckpointEvery
		s.Potential, s.PMFFit = potential, pmfFit(s.Preset, potential)
		s.PMFFit.Seed, s.PMFFit.CheckpointEvery = seed, every
	}
	return s
}

// potential is that of the settings for frames of so many beads, nm; kT in kJ/mol.
func (s *Settings) potential(frames []float32, beads int, kT float64) (pmf.Potential, error) {
	switch s.Potential {
	case MACE:
		return s.MACE, nil
	case Invariant:
		p, err := pmf.NewInvariant(frames, beads, kT)
		p.Hidden = s.InvariantHidden
		return p, err
	case Distances:
		return pmf.NewPairMLP(frames, beads, s.PMFHidden, s.PMFLayers, kT)
	}
	return nil, fmt.Errorf("cgbg: no potential %q: choose %q, %q or %q", s.Potential, MACE, Invariant, Distances)
}

// FlowKind is a way to make a flow: a vector field with a pairing of frames and noise.
type FlowKind struct {
	Field   string
	Pairing flow.Pairing
}

// String is the kind's name in tables, files and results.
func (k FlowKind) String() string { return k.Field + "-" + string(k.Pairing) }

// Kind is that of the settings.
func (s *Settings) Kind() FlowKind {
	k := FlowKind{s.Field, s.FlowFit.Pairing}
	if k.Pairing == "" {
		k.Pairing = flow.Independent
	}
	return k
}

// Of are the settings with another kind of flow.
func (s Settings) Of(k FlowKind) Settings {
	if k != s.Kind() {
		seed, every, beads := s.FlowFit.Seed, s.FlowFit.CheckpointEvery, s.FlowFit.Beads
		s.Field, s.FlowFit = k.Field, FlowFit(s.Preset, k.Field)
		s.FlowFit.Seed, s.FlowFit.CheckpointEvery, s.FlowFit.Beads, s.FlowFit.Pairing = seed, every, beads, k.Pairing
	}
	return s
}

// ForBeads fits the networks to the frames' beads.
func (s *Settings) ForBeads(frames *data.Frames, meta data.Meta) (err error) {
	s.Flow.Beads, s.FlowFit.Beads = frames.Beads, frames.Beads
	if s.MACE.Species, err = rows(meta); err != nil {
		return err
	}
	s.MACE.Rows = slices.Max(s.MACE.Species) + 1
	s.MACE.Neighbours = neighbours(frames, s.MACE.Cutoff)
	return nil
}

// field is the vector field for frames of so many beads, nm.
func (s *Settings) field(frames []float32, beads int) (flow.Field, error) {
	switch s.Field {
	case GraphTransformer:
		f := s.Flow
		f.Beads = beads
		return f, nil
	case Equivariant:
		f, err := flow.NewEquivariant(frames, beads)
		f.Hidden = s.FieldHidden
		return f, err
	}
	return nil, fmt.Errorf("cgbg: no vector field %q: choose %q or %q", s.Field, GraphTransformer, Equivariant)
}

// FitFlow learns a flow with the settings' vector field.
func (s *Settings) FitFlow(ctx context.Context, b *backend.Backend, frames []float32, beads int, cfg flow.Config) (*flow.Model, *train.History, error) {
	field, err := s.field(frames, beads)
	if err != nil {
		return nil, nil, err
	}
	return flow.Fit(ctx, b.Backend, field, frames, cfg)
}

// rows numbers the species of beads from 0, in the order of their codes.
func rows(meta data.Meta) ([]int, error) {
	if len(meta.Species) == 0 {
		return nil, fmt.Errorf("cgbg: %s: beads without species, which the potential needs: import the frames again", meta.Source)
	}
	codes := slices.Compact(slices.Sorted(slices.Values(meta.Species)))
	var out []int
	for _, code := range meta.Species {
		out = append(out, slices.Index(codes, code))
	}
	return out, nil
}

// neighbours is the mean number of beads within the cutoff (nm) of a bead, over a hundred frames.
func neighbours(f *data.Frames, cutoff float64) float64 {
	pairs, frames := 0, 0
	for i := 0; i < f.Len(); i += max(1, f.Len()/100) {
		frames++
		for j := range f.Beads {
			for k := range j {
				d := observable.BondLengths(f.R[i*f.Width():(i+1)*f.Width()], f.Beads, [2]int{j, k})
				if d[0] < cutoff {
					pairs++
				}
			}
		}
	}
	return 2 * float64(pairs) / float64(frames*f.Beads)
}
