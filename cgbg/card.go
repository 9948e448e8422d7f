package cgbg

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
)

// Card tells how a model was made, and what its samples are of. It stands beside
// the model as FILE.json.
type Card struct {
	Kind        string     `json:"kind"` // "flow" or "pmf"
	Preset      string     `json:"preset"`
	Seed        uint64     `json:"seed"`
	Settings    any        `json:"settings"`
	Fingerprint string     `json:"fingerprint"` // of settings and data
	Data        string     `json:"data"`        // file of the frames
	DataSHA     string     `json:"data_sha256"`
	Frames      int        `json:"frames"`          // trained on
	Start       string     `json:"start,omitempty"` // model that the training went on from
	StartSHA    string     `json:"start_sha256,omitempty"`
	Beads       []string   `json:"beads"`
	Species     []int32    `json:"species,omitempty"`
	System      string     `json:"system"`
	Mapping     string     `json:"mapping"`
	MapSHA      string     `json:"map_sha256,omitempty"` // of what the map's file says; "" for a named map
	Units       data.Units `json:"units,omitzero"`       // those of the frames; none in old cards: nm, kJ/mol, ps
	Temperature float64    `json:"temperature_K"`
	// Handedness is that of the first residue's CA by the beads' names, +1 or −1; 0: none. It counts where there are no
	// chiral_centres.
	Handedness  float64        `json:"handedness"`
	Backend     string         `json:"backend"`
	Version     string         `json:"version"` // of this code
	Steps       int            `json:"steps"`
	Seconds     float64        `json:"seconds"`                // of the last run; one that went on counts from there
	StepSeconds float64        `json:"step_seconds,omitempty"` // of a step, without compilation
	Results     map[string]any `json:"results"`
	Refinement  *Refinement    `json:"refinement,omitempty"`
	History     *Losses        `json:"history,omitempty"` // of the last run
	Made        time.Time      `json:"made"`

	// What all the frames have in common. ChiralCentres is nil in cards of earlier versions, and empty where there are
	// none.
	ChiralCentres []topology.Centre     `json:"chiral_centres"`
	Bonds         []topology.Coordinate `json:"bonds,omitempty"`  // with their mean lengths and widths, nm
	Angles        []topology.Coordinate `json:"angles,omitempty"` // rad
}

// newCard is a card of a model of the frames that meta describes.
func newCard(kind, preset string, seed uint64, meta data.Meta, b *backend.Backend) *Card {
	return &Card{Kind: kind, Preset: preset, Seed: seed, Beads: meta.Beads, Species: meta.Species, System: meta.System,
		Mapping: meta.Mapping, MapSHA: mapSHA(meta), Units: meta.Units, Temperature: meta.Temperature,
		Backend: b.String(), Version: Version(), Results: map[string]any{}}
}

// Version is the commit that the program was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v, dirty := info.Main.Version, ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ", modified"
		}
	}
	return v + dirty
}

// CardPath is that of a model's card, beside it.
func CardPath(model string) string { return model + ".json" }

// ReadCard reads the card of a model's file.
func ReadCard(model string) (*Card, error) {
	text, err := os.ReadFile(CardPath(model))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(model); err != nil {
			return nil, fmt.Errorf("cgbg: the model: %w%s", err, instead(model))
		}
		return nil, fmt.Errorf("cgbg: %s has no card %s: train it with \"cgbg train\", or put its card beside it: %w",
			model,
			CardPath(model), err)
	}
	c := &Card{}
	if err == nil {
		err = json.Unmarshal(text, c)
	}
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s is no card of a model, or is damaged: train the model again with \"cgbg "+
			"train\", "+
			"or copy its card once more: %w", CardPath(model), err)
	}
	return c, nil
}

// write puts the card beside the model. Results that are no numbers become null.
func (c *Card) write(model string) error {
	for key, v := range c.Results {
		if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			c.Results[key] = nil
		}
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("cgbg: the card of %s: %w", model, err)
	}
	return keep.WriteFile(CardPath(model), append(text, '\n'))
}

// cardOfDone is the card of a model that is there; ok: it was made from the same settings and data.
func cardOfDone(model, fingerprint string) (c *Card, ok bool) {
	if _, err := os.Stat(model); err != nil {
		return nil, false
	}
	c, err := ReadCard(model)
	return c, err == nil && c.Fingerprint == fingerprint
}

// Meta describes frames of the model's system.
func (c *Card) Meta() data.Meta {
	m := data.Meta{System: c.System, Mapping: c.Mapping, Beads: c.Beads, Species: c.Species, Dim: 3,
		Temperature: c.Temperature, Units: c.Units}
	if m.Units == (data.Units{}) {
		m.Units = data.Molecular
	}
	if c.MapSHA != "" {
		m.Extra = map[string]string{keyMapSHA: c.MapSHA}
	}
	return m
}
