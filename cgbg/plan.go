package cgbg

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/trajectory"
)

// Plan is a run from frames to free energies, as a file of TOML has it: "cgbg run -h" explains every key.
type Plan struct {
	Out       string
	Seed      uint64
	Data      DataPlan
	Flow, PMF ModelPlan
	Sample    struct {
		N        int
		UntilESS float64 `toml:"until_ess"`
		Checks   int
	}
	Reference struct{ Frames, Title, Residue string }

	Variables []analysis.Definition `toml:"-"` // in the order of the file
	States    []analysis.Definition `toml:"-"`

	path string // of the file
}

// DataPlan is what the frames are, or what they are made from; see [trajectory.Options].
type DataPlan struct {
	Frames                                  string
	Trajectories                            []string
	Structure, Map                          string
	Forces, Constraints, System, Forcefield string
	Temperature, Dt, Start                  float64
	Every, Skip                             int

	// Weights are the keys that say how the bias is known, awh, bias, hills and so on: all of [trajectory.Kinds].
	Weights       trajectory.Weights `toml:"-"`
	Plumed        string
	BiasVariables string  `toml:"bias_variables"`
	BiasColumn    string  `toml:"bias_column"`
	BiasFactor    float64 `toml:"bias_factor"`
	Biased        string
	RBias         bool
}

// ModelPlan is a model that is there, or how to train it; see TrainOptions.
type ModelPlan struct {
	Model, Frames, Preset string
	From, Field           string
	Potential             string
	Epochs, Batch, Width  int
	Ensemble              int   // potentials that differ in their seeds, and weigh by their mean
	Refine                *bool // a flow that is exact in one pass on the potential; not said: yes
	Rate, Late, EMA       float64
	HeldOut               int `toml:"held_out"`
	Pairing               flow.Pairing
}

// texts are the tables of a plan whose keys are the user's own.
type texts struct {
	Variables, States map[string]string
}

// ReadPlan reads the file of a plan. Paths are relative to it. Errors name the line or the key.
func ReadPlan(path string) (*Plan, error) {
	p := &Plan{Seed: 1, path: path}
	p.Flow.Preset, p.PMF.Preset = "quick", "quick"
	p.Sample.N, p.Sample.Checks = 1000, 64
	both := struct {
		*Plan
		texts
	}{Plan: p}
	meta, err := toml.DecodeFile(path, &both)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s: %s", path, syntax.ErrorWithPosition())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := p.readWeights(meta.Undecoded()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, key := range meta.Keys() { // in the order of the file
		switch {
		case len(key) == 2 && key[0] == "variables":
			p.Variables = append(p.Variables, analysis.Definition{Name: key[1], Text: both.texts.Variables[key[1]]})
		case len(key) == 2 && key[0] == "states":
			p.States = append(p.States, analysis.Definition{Name: key[1], Text: both.texts.States[key[1]]})
		}
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.absolute()
	return p, nil
}

// readWeights reads the keys of [data] that are ways to know a bias, and refuses all others that a plan does not have.
func (p *Plan) readWeights(keys []toml.Key) error {
	var all struct{ Data map[string]any }
	if _, err := toml.DecodeFile(p.path, &all); err != nil {
		return err
	}
	for _, key := range keys {
		kind := strings.ReplaceAll(key[len(key)-1], "_", "-")
		known := slices.ContainsFunc(trajectory.Kinds(), func(k trajectory.Kind) bool { return k.Name == kind })
		if len(key) != 2 || key[0] != "data" || !known {
			return fmt.Errorf("there is no key %q (\"cgbg run -h\" lists them)", key.String())
		}
		file, ok := all.Data[key[1]].(string)
		if !ok {
			return fmt.Errorf("%s: want the name of a file", key)
		}
		p.Data.Weights = append(p.Data.Weights, trajectory.Weight{Kind: kind, File: file})
	}
	return nil
}

// check finds keys that are missing or do not go together.
func (p *Plan) check() error {
	d := &p.Data
	frames, trajectories := d.Frames != "", len(d.Trajectories) > 0 || d.Weights.File("umbrella") != ""
	alone := *d
	alone.Frames, alone.Temperature = "", 0
	switch {
	case !frames && (!trajectories || d.Structure == ""):
		return errors.New("[data] needs frames, or trajectories and structure")
	case frames && trajectories:
		return errors.New("[data] has frames and trajectories: one of them")
	case trajectories && !(d.Temperature > 0):
		return errors.New("[data] needs temperature, of the simulation in K: models and weights depend on it")
	case frames && !reflect.DeepEqual(alone, DataPlan{}) || frames && d.Temperature != 0:
		return errors.New("[data] has frames, which are mapped already: " +
			"structure, map, weights, temperature and the like go with trajectories")
	case p.PMF.Refine != nil:
		return errors.New("[pmf] refine: it is a flow that is refined, on the potential: a key of [flow]")
	case p.Flow.Refine != nil && p.Flow.Model != "":
		return errors.New("[flow] has a model, which stays as it is, and refine, which goes with training one")
	case p.Flow.Ensemble != 0:
		return errors.New("[flow] ensemble: it is a number of potentials, a key of [pmf]")
	case p.PMF.Ensemble < 0:
		return fmt.Errorf("[pmf] ensemble = %d: a number of potentials, at least 1 (without the key: one)",
			p.PMF.Ensemble)
	case p.PMF.Ensemble > 0 && p.PMF.Model != "":
		return errors.New("[pmf] has a model and an ensemble to train: one of them")
	}
	variables, err := analysis.ParseVariables("", p.Variables)
	if err != nil {
		return fmt.Errorf("[variables]: %w", err)
	}
	var states []observable.State
	if len(variables) == 0 { // states are of the default ones, which depend on the frames
		for _, s := range p.States {
			states = append(states, observable.State{Name: s.Name})
		}
	} else {
		states, err = analysis.ParseStates(p.States, variables)
	}
	if err == nil {
		_, err = analysis.NewQuestion(variables, states)
	}
	if err != nil {
		return fmt.Errorf("[states]: %w", err)
	}
	return nil
}

// absolute makes paths relative to the file's folder.
func (p *Plan) absolute() {
	if p.Out == "" {
		p.Out = strings.TrimSuffix(filepath.Base(p.path), ".toml")
	}
	d := &p.Data
	files := []*string{&p.Out, &d.Frames, &d.Structure, &d.Plumed, &p.Flow.Model, &p.Flow.Frames, &p.Flow.From,
		&p.PMF.From, &p.PMF.Model, &p.PMF.Frames, &p.Reference.Frames}
	for i := range d.Trajectories {
		files = append(files, &d.Trajectories[i])
	}
	for i := range d.Weights {
		files = append(files, &d.Weights[i].File)
	}
	if strings.ContainsAny(d.Map, "./\\") { // a file
		files = append(files, &d.Map)
	}
	for _, file := range files {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(filepath.Dir(p.path), *file)
		}
	}
}
