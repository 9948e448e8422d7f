// Package alanine puts together what generators of alanine dipeptide are made
// from: the simulations, the reference and the trained models that come with this module.
//
// A target is what the molecule is in: "obc2", implicit water, a test-bed that is simulated for long, or
// "explicit", TIP3P, the paper's system, with little data. A map is "ha", Heavy Atom, or "cb", Core Beta.
package alanine

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/data/ala2/explicit"
	"github.com/cgbg-go/lab/data/ala2/models"
	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// Targets and Maps are those there are, in the order of tables.
var (
	Targets = []string{"obc2", "explicit"}
	Maps    = []string{"ha", "cb"}
)

type load = cgbg.Simulation

// set is the simulations of a target: that flows of unbiased and biased frames learn from, and potentials.
type set struct{ flowUnbiased, flowBiased, forcesUnbiased, forcesBiased load }

var sets = map[string]set{
	"obc2/ha":     {obc2.UnbiasedHeavyAtom, obc2.Metad15HeavyAtom, obc2.UnbiasedHeavyAtom, obc2.Metad9HeavyAtom},
	"obc2/cb":     {obc2.UnbiasedCoreBeta, obc2.Metad15CoreBeta, obc2.UnbiasedCoreBeta, obc2.Metad9CoreBeta},
	"explicit/ha": {explicit.AWH9ResampledHeavyAtom, explicit.AWH15HeavyAtom, explicit.UnbiasedHeavyAtom, explicit.AWH9HeavyAtom},
	"explicit/cb": {explicit.AWH9ResampledCoreBeta, explicit.AWH15CoreBeta, explicit.UnbiasedCoreBeta, explicit.AWH9CoreBeta},
}

// Ingredients are those of generators at a target and a map, with their reference. preset "small" thins the reference.
//
// Flows of unbiased frames learn from 100 ns of plain dynamics (obc2), or from frames of γ = 9 drawn with their weights (explicit);
// those of biased ones from γ = 1.5. Potentials learn from plain dynamics (the paper's PMF_U) and from γ = 9 (PMF_B).
// Errors: a target or a map that is not there; those of [Reference].
func Ingredients(preset string, seed int, target, m string) (cgbg.Ingredients, error) {
	return ingredients("", preset, seed, target, m)
}

func ingredients(dir, preset string, seed int, target, m string) (cgbg.Ingredients, error) {
	s, ok := sets[target+"/"+m]
	if !ok {
		return cgbg.Ingredients{}, fmt.Errorf("alanine: no models of %s/%s: targets %q, maps %q", target, m, Targets, Maps)
	}
	reference, err := openReference(dir, preset, seed, target)
	return cgbg.Ingredients{Name: target + "/" + m, Prefix: target + "_" + m, Models: models.FS(), Reference: reference,
		FlowFrames:  map[string]load{cgbg.Unbiased: s.flowUnbiased, cgbg.Biased: s.flowBiased},
		ForceFrames: map[string]load{cgbg.Unbiased: s.forcesUnbiased, cgbg.Biased: s.forcesBiased}}, err
}

// Reference pools the dihedrals of all simulations of a target: those with γ = 9 decide how much is at φ > 0, the others add to φ < 0.
// A process studies them once; the sets that it gives share their dihedrals, which are not to be changed.
// Errors: a target that is not there; those of the sets.
func Reference(preset string, seed int, target string) (*cgbg.Dataset, error) {
	return openReference("", preset, seed, target)
}

// references are those that this process has studied: preset, seed and target decide what they are.
var references struct {
	sync.Mutex
	sets map[string]*cgbg.Dataset
}

// openReference is Reference; what takes long is kept in the folder dir, or nowhere.
func openReference(dir, preset string, seed int, target string) (*cgbg.Dataset, error) {
	references.Lock()
	defer references.Unlock()
	key := fmt.Sprint(preset, " ", seed, " ", target)
	d := references.sets[key]
	if d == nil {
		var err error
		if d, err = study(dir, preset, seed, target); err != nil {
			return nil, err
		}
		if references.sets == nil {
			references.sets = map[string]*cgbg.Dataset{}
		}
		references.sets[key] = d
	}
	one := *d // titles and names are the caller's
	return &one, nil
}

func study(dir, preset string, seed int, target string) (*cgbg.Dataset, error) {
	var crossing, others []load
	switch target {
	case "obc2":
		crossing, others = []load{obc2.Metad9Dihedrals}, []load{obc2.UnbiasedDihedralsA, obc2.UnbiasedDihedralsB}
	case "explicit":
		crossing, others = []load{explicit.AWH9DihedralsA, explicit.AWH9DihedralsB}, []load{explicit.AWH15Dihedrals, explicit.UnbiasedDihedrals}
	default:
		return nil, fmt.Errorf("alanine: no target %q: there are %q", target, Targets)
	}
	d, err := cgbg.OpenReference(dir, preset, seed, "reference", "MD", crossing, others)
	if err != nil {
		return nil, fmt.Errorf("alanine: the reference of %s: %w", target, err)
	}
	return d, nil
}

// Open opens the workflow of a target and a map; the arguments are those of [cgbg.NewGenerator]. What it takes long to know of the
// reference is kept in the run's folder.
func Open(preset string, seed int, dir string, train bool, target, m string) (*cgbg.Generator, error) {
	state := ""
	if dir != "" {
		state = filepath.Join(dir, "state")
	}
	in, err := ingredients(state, preset, seed, target, m)
	if err != nil {
		return nil, err
	}
	return cgbg.NewGenerator(preset, seed, dir, train, in)
}
