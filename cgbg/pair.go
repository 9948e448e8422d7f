package cgbg

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
)

// ErrPair reports models, or samples and models, that do not belong together.
var ErrPair = errors.New("a flow's samples can be weighed by a potential of the same beads, map, temperature and " +
	"units alone: train both on such frames")

// ErrTemperature reports frames or models of an unknown temperature, where kT is needed.
var ErrTemperature = errors.New("the temperature is not known, which weights and potentials need")

// Keys of the free-form part of a data file's schema, and of a card.
const (
	keyMap    = "map"        // text of a map that came from a file
	keyMapSHA = "map_sha256" // SHA-256 of what it says, see mapSHA
)

// Belong tells whether two things, each named by its file and described as frames are, may
// meet in log-weights: flow, potential, samples. What only one of them tells (species, the
// text of a map) is not held against the other; names of systems and force fields are free.
//
// Errors: ErrTemperature; ErrPair with all that differs.
func Belong(aName string, a data.Meta, bName string, b data.Meta) error {
	var differ []string
	add := func(what string, x, y any) { differ = append(differ, fmt.Sprintf("%s %v and %v", what, x, y)) }
	if len(a.Beads) != len(b.Beads) {
		add("numbers of beads,", len(a.Beads), len(b.Beads))
	} else if k := firstDifference(a.Beads, b.Beads); k >= 0 {
		add(fmt.Sprintf("beads, of which number %d is", k+1), a.Beads[k], b.Beads[k])
	} else if k := firstDifference(a.Species, b.Species); k >= 0 {
		add(fmt.Sprintf("species, which of bead %s are", a.Beads[k]), a.Species[k], b.Species[k])
	}
	if x, y := mapSHA(a), mapSHA(b); x != "" && y != "" {
		if x != y {
			add("maps", mapName(a), mapName(b)) // a file may be renamed, its text decides
		}
	} else if a.Mapping != b.Mapping || x != y && slices.Contains(cgmap.Names, a.Mapping) {
		add("maps", mapName(a), mapName(b))
	}
	if a.Units != b.Units {
		add("units", a.Units, b.Units)
	}
	for _, one := range []struct {
		name string
		meta data.Meta
	}{{aName, a}, {bName, b}} {
		if err := needTemperature(one.name, one.meta); err != nil && len(differ) == 0 {
			return err
		}
	}
	if !sameKelvin(a.Temperature, b.Temperature) {
		add("temperatures", fmt.Sprint(a.Temperature, " K"), fmt.Sprint(b.Temperature, " K"))
	}
	if len(differ) > 0 {
		return fmt.Errorf("cgbg: %s and %s do not belong together, they differ in %s: %w", aName, bName,
			strings.Join(differ, "; "), ErrPair)
	}
	return nil
}

// firstDifference is the first place where two lists of one length differ; -1: none, or one of them is empty.
func firstDifference[T comparable](a, b []T) int {
	if len(a) == len(b) {
		for k := range a {
			if a[k] != b[k] {
				return k
			}
		}
	}
	return -1
}

// sameTemperature is how far, relatively, temperatures may be apart through rounding in files.
const sameTemperature = 1e-6

func sameKelvin(a, b float64) bool { return math.Abs(a-b) <= sameTemperature*math.Abs(a) }

// warm tells whether the temperature of a file's frames is known, as log-weights need it.
func needTemperature(file string, m data.Meta) error {
	if m.Temperature > 0 && !math.IsInf(m.Temperature, 0) {
		return nil
	}
	return fmt.Errorf("cgbg: %s: %w: import the frames again with -temperature KELVIN, or, for a flow that is "+
		"trained, "+
		"write it into its card as \"temperature_K\"", file, ErrTemperature)
}

// mapSHA identifies a map that came from a file by what it says, comments and blanks aside; "" for named maps, and
// for models made before cards knew of it.
func mapSHA(m data.Meta) string {
	text, ok := m.Extra[keyMap]
	if !ok {
		return m.Extra[keyMapSHA]
	}
	var says strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.FieldsFunc(line,
			func(r rune) bool { return strings.ContainsRune(" \t\r\n,;", r) }); len(words) > 0 {
			fmt.Fprintln(&says, strings.Join(words, " "))
		}
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(says.String())))
}

// mapName is a map as messages name it.
func mapName(m data.Meta) string {
	if sha := mapSHA(m); sha != "" {
		return fmt.Sprintf("%q (of a file with SHA-256 %.8s…)", m.Mapping, sha)
	}
	return fmt.Sprintf("%q", m.Mapping)
}

// CheckKind tells whether a model is a flow or a potential, by its card.
func (c *Card) CheckKind(file, kind string) error {
	if c.Kind == kind {
		return nil
	}
	name := map[string]string{"flow": "a flow", "pmf": "a potential of mean force"}
	return fmt.Errorf("cgbg: %s is no %s but %s, by its card", file, strings.TrimPrefix(name[kind], "a "),
		cmp.Or(name[c.Kind], fmt.Sprintf("of kind %q", c.Kind)))
}
