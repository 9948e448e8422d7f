package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/apache/arrow-go/v18/arrow"
)

// Meta says what frames are. It travels in the metadata of the file's schema.
type Meta struct {
	System      string   // "Ac-Ala-NHMe", "Müller–Brown", …; "" where nobody said
	Mapping     string   // coarse-grained mapping, by name
	Beads       []string // names
	Species     []int32  // code of each bead; nil where it means nothing
	Dim         int      // coordinates per bead
	Temperature float64  // K; 0 in reduced units, and where it is not known
	ForceField  string
	Stride      float64 // time between frames, ps
	Generator   string  // command or program that made the frames
	Source      string  // name of the file they were made from
	SourceSHA   string  // its SHA-256
	Units       Units
	Extra       map[string]string // anything else
}

// Keys of Meta.Extra that say of which ensemble frames are. Frames without them are taken to be of equilibrium.
const (
	// KeyBias: the simulation was biased, in these words. A column logw undoes that; without one the frames are of no
	// known ensemble, and only mean forces, under a bias on the beads' own variables, can be learnt from them.
	KeyBias = "bias"
	// KeyPooled: the frames are of simulations with different biases, in these words. With a column logw, whose weights
	// have a mean of one in each part, they are of one ensemble when weighed; without one as under KeyBias.
	KeyPooled = "pooled"
)

// Units of the numbers in a file.
type Units struct{ Length, Energy, Time string }

// Molecular and Reduced are the units in use. A zero Units means Molecular
// where the temperature is set, and Reduced otherwise.
var (
	Molecular = Units{Length: "nm", Energy: "kJ/mol", Time: "ps"}
	Reduced   = Units{Length: "reduced", Energy: "reduced", Time: "reduced"}
)

// Errors that reading wraps; branch on them with errors.Is.
var (
	ErrDamaged = errors.New("the file is damaged: fetch or make it again")
	ErrFormat  = errors.New("not a frame file of this format")
	ErrUnits   = errors.New("unknown units")
	ErrEmpty   = errors.New("no frames")
)

const (
	formatVersion = "cgbg frames 1"
	keyFormat     = "format"
	keyMeta       = "meta"
	keyDigest     = "digest"
)

// complete fills in what follows from the rest, and checks it.
func (m Meta) complete(beads, dim int) (Meta, error) {
	if m.Units == (Units{}) {
		m.Units = Reduced
		if m.Temperature > 0 {
			m.Units = Molecular
		}
	}
	if m.Units != Molecular && m.Units != Reduced {
		return m, fmt.Errorf("%w %+v: convert to %+v", ErrUnits, m.Units, Molecular)
	}
	if m.Dim == 0 {
		m.Dim = 3
	}
	if len(m.Beads) != beads || m.Dim != dim {
		return m, fmt.Errorf("the description has %d beads in %d dimensions, the frames %d in %d", len(m.Beads), m.Dim,
			beads, dim)
	}
	if m.Species != nil && len(m.Species) != beads {
		return m, fmt.Errorf("the description has %d species for %d beads", len(m.Species), beads)
	}
	return m, nil
}

// schema describes the columns of f; the digest has the form of one, and is
// put in when the file is whole.
func schema(m Meta, f *Frames, names []string) (*arrow.Schema, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	for _, c := range f.columns() {
		for _, name := range names {
			if name != c.name {
				continue
			}
			var t arrow.DataType = arrow.PrimitiveTypes.Float64
			if c.width > 0 {
				t = arrow.FixedSizeListOfNonNullable(int32(c.width), arrow.PrimitiveTypes.Float32)
			}
			fields = append(fields, arrow.Field{Name: c.name, Type: t})
		}
	}
	meta := arrow.NewMetadata([]string{keyFormat, keyMeta, keyDigest}, []string{formatVersion, string(text), noDigest})
	return arrow.NewSchema(fields, &meta), nil
}

// parseSchema recovers Meta and the columns, and checks both.
func parseSchema(s *arrow.Schema) (Meta, []string, error) {
	var m Meta
	value := func(key string) string {
		meta := s.Metadata()
		if i := meta.FindKey(key); i >= 0 {
			return meta.Values()[i]
		}
		return ""
	}
	if got := value(keyFormat); got != formatVersion {
		return m, nil, fmt.Errorf("%w: its format is %q, not %q", ErrFormat, got, formatVersion)
	}
	if err := json.Unmarshal([]byte(value(keyMeta)), &m); err != nil {
		return m, nil, fmt.Errorf("%w: its description: %w", ErrFormat, err)
	}
	m, err := m.complete(len(m.Beads), m.Dim)
	if err != nil {
		return m, nil, err
	}
	like := Frames{Beads: len(m.Beads), Dim: m.Dim}
	var names []string
	for _, field := range s.Fields() {
		names = append(names, field.Name)
	}
	want, err := schema(m, &like, names)
	if err != nil {
		return m, nil, err
	}
	if len(names) == 0 || names[0] != "R" || len(want.Fields()) != len(names) {
		return m, nil, fmt.Errorf("%w: columns %q; R first, then any of F, box, bias, logw, logq, u", ErrFormat, names)
	}
	for i, field := range s.Fields() {
		if !arrow.TypeEqual(field.Type, want.Field(i).Type) || field.Name != want.Field(i).Name {
			return m, nil, fmt.Errorf("%w: column %s is %s where %d beads in %d dimensions need %s",
				ErrFormat, field.Name, field.Type, len(m.Beads), m.Dim, want.Field(i).Type)
		}
	}
	return m, names, nil
}

// With is the description with a value under a key of Extra, or without one where the value is empty.
func (m Meta) With(key, value string) Meta {
	m.Extra = maps.Clone(m.Extra)
	delete(m.Extra, key)
	if value == "" {
		return m
	}
	if m.Extra == nil {
		m.Extra = map[string]string{}
	}
	m.Extra[key] = value
	return m
}
