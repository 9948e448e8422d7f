// Package alanine puts together what generators of alanine dipeptide are made from: the simulations, the reference and
// the trained models that come with this module, and what is asked of it: φ, ψ, and the state φ > 0.
//
// A target is what the molecule is in: "obc2", implicit water, a test-bed that is simulated for long, or
// "explicit", TIP3P, the paper's system, with little data. A map is "ha", Heavy Atom, or "cb", Core Beta.
package alanine

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data/ala2/explicit"
	"github.com/cgbg-go/lab/data/ala2/models"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Targets and Maps are those there are, in the order of tables.
var (
	Targets = []string{"obc2", "explicit"}
	Maps    = []string{"ha", "cb"}
)

type load = analysis.Source

// set is the simulations of a target: that flows of unbiased and biased frames learn from, and potentials.
type set struct{ flowUnbiased, flowBiased, forcesUnbiased, forcesBiased load }

var sets = map[string]set{
	"obc2/ha": {obc2.UnbiasedHeavyAtom, obc2.Metad15HeavyAtom, obc2.UnbiasedHeavyAtom, obc2.Metad9HeavyAtom},
	"obc2/cb": {obc2.UnbiasedCoreBeta, obc2.Metad15CoreBeta, obc2.UnbiasedCoreBeta, obc2.Metad9CoreBeta},
	"explicit/ha": {explicit.AWH9ResampledHeavyAtom, explicit.AWH15HeavyAtom, explicit.UnbiasedHeavyAtom,
		explicit.AWH9HeavyAtom},
	"explicit/cb": {explicit.AWH9ResampledCoreBeta, explicit.AWH15CoreBeta, explicit.UnbiasedCoreBeta,
		explicit.AWH9CoreBeta},
}

// Question is what alanine dipeptide is asked: φ and ψ, scored together, and the state φ > 0, which short simulations
// seldom reach.
func Question() *analysis.Question {
	var variables []observable.Variable
	for _, v := range []struct{ name, label, text string }{{"phi", "φ", "phi(ALA2)"}, {"psi", "ψ", "psi(ALA2)"}} {
		variable, err := observable.ParseVariable(v.name, v.text)
		if err != nil {
			panic(err) // the text is ours
		}
		variable.Label = v.label
		variables = append(variables, variable)
	}
	positive, err := observable.ParseState("phi_gt_0", "phi > 0", variables)
	if err != nil {
		panic(err)
	}
	return &analysis.Question{Variables: variables, States: []observable.State{positive},
		Scored: []analysis.Group{{Variables: []int{0, 1}}},
		Split: &analysis.Split{State: 0, In: "phi_gt_0", Out: "phi_lt_0", Label: "P(φ > 0)", Rest: "φ < 0",
			Variable: 0, Lo: 0, Hi: basin}}
}

// basin is where that of φ > 0 ends, rad.
const basin = 2.0

// Study asks frames of alanine dipeptide [Question]. preset "small" takes every 20th of them.
// Errors: those of the frames and of [analysis.NewSet].
func Study(preset string, seed int, name, title string, load analysis.Source) (*analysis.Set, error) {
	settings, err := cgbg.NewSettings(preset, uint64(seed))
	if err != nil {
		return nil, err
	}
	f, m, err := load()
	if err != nil {
		return nil, err
	}
	s, err := analysis.NewSet(Question(), analysis.Options{Name: name, Seed: seed, Every: settings.Every}, f, m)
	if err == nil && title != "" {
		s.Title = title
	}
	return s, err
}

// Lengths studies what the first parts of a simulation know, ns; see [analysis.NewLengthStudy].
func Lengths(preset string, seed int, name string, load analysis.Source, reference *analysis.Set,
	lengths []float64) (*analysis.LengthStudy, error) {
	settings, err := cgbg.NewSettings(preset, uint64(seed))
	if err != nil {
		return nil, err
	}
	f, m, err := load()
	if err != nil {
		return nil, err
	}
	o := analysis.Options{Name: name, Seed: seed, Every: settings.Every}
	return analysis.NewLengthStudy(o, f, m, reference, lengths)
}

// options are those of generators at a target and a map, with their reference; dir is where the latter is kept.
//
// Flows of unbiased frames learn from 100 ns of plain dynamics (obc2), or from frames of γ = 9 drawn with their weights
// (explicit); those of biased ones from γ = 1.5. Potentials learn from plain dynamics (the paper's PMF_U) and
// from γ = 9 (PMF_B).
func options(dir, preset string, seed int, target, m string) (cgbg.Options, error) {
	s, ok := sets[target+"/"+m]
	if !ok {
		return cgbg.Options{}, fmt.Errorf("alanine: no models of %s/%s: targets %q, maps %q", target, m, Targets, Maps)
	}
	reference, err := openReference(dir, preset, seed, target)
	return cgbg.Options{Name: target + "/" + m, Prefix: target + "_" + m, Models: models.FS(), Reference: reference,
		Preset: preset, Seed: seed, Flow: cgbg.TrainOptions{Field: cgbg.VectorField(preset)},
		FlowFrames:  map[string]load{cgbg.Unbiased: s.flowUnbiased, cgbg.Biased: s.flowBiased},
		ForceFrames: map[string]load{cgbg.Unbiased: s.forcesUnbiased, cgbg.Biased: s.forcesBiased}}, err
}

// Reference pools the dihedrals of all simulations of a target: those with γ = 9 decide how much is at φ > 0, the
// others add to φ < 0. A process studies them once; the sets that it gives share their dihedrals, which are not to be
// changed.
// Errors: a target that is not there; those of the sets.
func Reference(preset string, seed int, target string) (*analysis.Set, error) {
	return openReference("", preset, seed, target)
}

// references are those that this process has studied: preset, seed and target decide what they are.
var references struct {
	sync.Mutex
	sets map[string]*analysis.Set
}

// openReference is Reference; what takes long is kept in the folder dir, or nowhere.
func openReference(dir, preset string, seed int, target string) (*analysis.Set, error) {
	references.Lock()
	defer references.Unlock()
	key := fmt.Sprint(preset, " ", seed, " ", target)
	d := references.sets[key]
	if d == nil {
		var err error
		if d, err = pooled(dir, preset, seed, target); err != nil {
			return nil, err
		}
		if references.sets == nil {
			references.sets = map[string]*analysis.Set{}
		}
		references.sets[key] = d
	}
	one := *d // titles and names are the caller's
	return &one, nil
}

func pooled(dir, preset string, seed int, target string) (*analysis.Set, error) {
	var crossing, others []load
	switch target {
	case "obc2":
		crossing, others = []load{obc2.Metad9Dihedrals}, []load{obc2.UnbiasedDihedralsA, obc2.UnbiasedDihedralsB}
	case "explicit":
		crossing, others = []load{explicit.AWH9DihedralsA, explicit.AWH9DihedralsB},
			[]load{explicit.AWH15Dihedrals, explicit.UnbiasedDihedrals}
	default:
		return nil, fmt.Errorf("alanine: no target %q: there are %q", target, Targets)
	}
	settings, err := cgbg.NewSettings(preset, uint64(seed))
	if err != nil {
		return nil, err
	}
	o := analysis.Options{Name: "reference", Seed: seed, Every: settings.Every}
	d, err := analysis.OpenReference(dir, Question(), o, "MD", crossing, others)
	if err != nil {
		return nil, fmt.Errorf("alanine: the reference of %s: %w", target, err)
	}
	return d, nil
}

// Open opens the generators of a target and a map with the models that come along, or, with train, models that are
// trained first; dir is the run's folder, "" for a temporary one. What it takes long to know of the reference is kept
// there.
// Errors: a target or a map that is not there; those of [cgbg.Open].
func Open(preset string, seed int, dir string, train bool, target, m string) (*cgbg.Generator, error) {
	state := ""
	if dir != "" {
		state = filepath.Join(dir, "state")
	}
	o, err := options(state, preset, seed, target, m)
	if err != nil {
		return nil, err
	}
	o.Dir, o.Train = dir, train
	return cgbg.Open(o)
}
