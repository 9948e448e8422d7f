package alanine

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/ala2"
	"github.com/cgbg-go/lab/data/ala2/baseline"
	"github.com/cgbg-go/lab/data/ala2/explicit"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Rows of the paper's Table 3: method, length, time step, constraints.
const (
	longExplicit = "none, 500 ns, 0.5 fs, none"
	gamma15      = "WT-MetaD γ = 1.5, 10 ns, 0.5 fs, none"
	gamma9       = "WT-MetaD γ = 9, 10 ns, 0.5 fs, none"
	longImplicit = "none, 500 ns, 2 fs, H-bonds"
)

// shipped are all sets of alanine dipeptide that come with this module, by their files below data/ala2, each with the
// paper's set in whose place it stands.
var shipped = []struct {
	file      string
	load      analysis.Source
	published string
}{
	{"core_beta_awh_gamma9", ala2.CoreBeta, gamma9},
	{"explicit/awh9_a_dihedrals", explicit.AWH9DihedralsA, gamma9},
	{"explicit/awh9_b_dihedrals", explicit.AWH9DihedralsB, gamma9},
	{"explicit/awh9_heavy-atom", explicit.AWH9HeavyAtom, gamma9},
	{"explicit/awh9_core-beta", explicit.AWH9CoreBeta, gamma9},
	{"explicit/awh1.5_dihedrals", explicit.AWH15Dihedrals, gamma15},
	{"explicit/awh1.5_heavy-atom", explicit.AWH15HeavyAtom, gamma15},
	{"explicit/awh1.5_core-beta", explicit.AWH15CoreBeta, gamma15},
	{"explicit/unbiased_dihedrals", explicit.UnbiasedDihedrals, longExplicit},
	{"explicit/unbiased_heavy-atom", explicit.UnbiasedHeavyAtom, longExplicit},
	{"explicit/unbiased_core-beta", explicit.UnbiasedCoreBeta, longExplicit},
	{"explicit/awh9-resampled_heavy-atom", explicit.AWH9ResampledHeavyAtom, longExplicit},
	{"explicit/awh9-resampled_core-beta", explicit.AWH9ResampledCoreBeta, longExplicit},
	{"baseline/obc1_dihedrals", baseline.OBC1, longImplicit},
	{"baseline/obc2_dihedrals", baseline.OBC2, longImplicit},
	{"obc2/unbiased_a_dihedrals", obc2.UnbiasedDihedralsA, ""},
	{"obc2/unbiased_b_dihedrals", obc2.UnbiasedDihedralsB, ""},
	{"obc2/unbiased_all-atom", obc2.UnbiasedAllAtom, ""},
	{"obc2/unbiased_heavy-atom", obc2.UnbiasedHeavyAtom, ""},
	{"obc2/unbiased_core-beta", obc2.UnbiasedCoreBeta, ""},
	{"obc2/metad9_dihedrals", obc2.Metad9Dihedrals, ""},
	{"obc2/metad9_heavy-atom", obc2.Metad9HeavyAtom, ""},
	{"obc2/metad9_core-beta", obc2.Metad9CoreBeta, ""},
	{"obc2/metad1.5_dihedrals", obc2.Metad15Dihedrals, ""},
	{"obc2/metad1.5_heavy-atom", obc2.Metad15HeavyAtom, ""},
	{"obc2/metad1.5_core-beta", obc2.Metad15CoreBeta, ""},
}

// Provenance is where the sets of alanine dipeptide come from, as their files say.
type Provenance struct{ sets []origin }

// origin is a set and what its file says of it.
type origin struct {
	file, published string
	meta            data.Meta
	frames          int
	weights         bool
}

// ReadProvenance reads the descriptions of all sets of alanine dipeptide that come with this module. Errors: those of
// the sets.
func ReadProvenance() (*Provenance, error) {
	p := &Provenance{}
	for _, s := range shipped {
		f, m, err := s.load()
		if err != nil {
			return nil, err
		}
		p.sets = append(p.sets, origin{s.file, s.published, m, f.Len(), f.LogW != nil})
	}
	return p, nil
}

// ns is the time that the frames cover, without what was left out at the beginning; [result.None] where their distance
// in time is not known.
func (o origin) ns() float64 {
	if !(o.meta.Stride > 0) {
		return result.None
	}
	return float64(o.frames) * o.meta.Stride / 1000
}

// bias is what the file says of the simulation's bias: in words, or by the flags of the command that made it.
func (o origin) bias() string {
	awh, grid := flagOf(o.meta.Generator, "-awh"), flagOf(o.meta.Generator, "-bias")
	switch words := cmp.Or(o.meta.Extra[data.KeyPooled], o.meta.Extra[data.KeyBias]); {
	case words != "":
		return words
	case awh != "":
		return "AWH, " + awh
	case grid != "":
		return "metadynamics, " + grid
	case o.weights:
		return "that of " + o.meta.Source
	case strings.Contains(o.meta.Generator, "_resample_"):
		return "undone, frames drawn by weight"
	}
	return "none"
}

// flagOf is the value of a flag in a command, "" where it is not there.
func flagOf(command, flag string) string {
	_, rest, ok := strings.Cut(command, " "+flag+" ")
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}

// Table is a row for each set, and the paper's Table 3 beside it: method, length, time step, constraints.
func (p *Provenance) Table() result.Table {
	t := result.Table{Head: []string{"set", "system", "force field", "water", "map", "bias", "length, ns", "frames",
		"apart, ps", "K", "constraints", "made from", "‖", "published"}}
	for _, o := range p.sets {
		m := o.meta
		field, water, _ := strings.Cut(m.ForceField, ", ")
		from := m.Source
		if first, rest, many := strings.Cut(from, ", "); many {
			from = fmt.Sprintf("%s and %d more", first, 1+strings.Count(rest, ", "))
		}
		t.Row(o.file, m.System, field, water, m.Mapping, o.bias(), o.ns(), o.frames, m.Stride, m.Temperature,
			cmp.Or(flagOf(m.Generator, "-constraints"), "none"), from, "‖", o.published)
	}
	return t
}

// Results are the lengths and the numbers of frames, under the names of results.json.
func (p *Provenance) Results() (list []result.Result) {
	for _, o := range p.sets {
		list = append(list, result.Behind("sets/"+o.file, []result.Result{
			result.New("length", o.ns(), result.None, result.None, "ns", 0),
			result.New("frames", float64(o.frames), result.None, result.None, "", 0),
		})...)
	}
	return list
}
