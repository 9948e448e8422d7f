package topology

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

// geometryKey is where the description of samples has the geometry of their flow's frames.
const geometryKey = "geometry"

// Of is what frames have in common. Weights that cannot be used count as none: who needs them says so.
func Of(f *data.Frames) *Geometry {
	w, err := reweight.Normalize(f.LogW)
	if err != nil {
		w = nil
	}
	return Find(f.R, f.Beads, w)
}

// Describe is the description of samples with what the frames of their flow have in common; nil: nothing is known.
func Describe(m data.Meta, g *Geometry) data.Meta {
	m.Extra = maps.Clone(m.Extra)
	delete(m.Extra, geometryKey)
	if g == nil {
		return m
	}
	text, err := json.Marshal(g)
	if err != nil {
		panic(fmt.Sprintf("topology: %+v: %v", g, err)) // its numbers are finite
	}
	if m.Extra == nil {
		m.Extra = map[string]string{}
	}
	m.Extra[geometryKey] = string(text)
	return m
}

// Described is what the description of samples tells of the frames of their flow; nil: nothing.
// Errors: no such text, beads that are not there.
func Described(m data.Meta) (*Geometry, error) {
	text := m.Extra[geometryKey]
	if text == "" {
		return nil, nil
	}
	g := &Geometry{}
	err := json.Unmarshal([]byte(text), g)
	if err == nil {
		err = g.Check(len(m.Beads))
	}
	if err != nil {
		return nil, fmt.Errorf("topology: %s: key %s: %w", m.Source, geometryKey, err)
	}
	return g, nil
}
