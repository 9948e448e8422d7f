package main

import (
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
)

// biasOptions are what the command says of the bias.
type biasOptions struct {
	awh, bias, hills, colvar, openmm, logw, umbrella string
	order                                            []string // in which the flags of weights were given

	plumed        string // input, for the variables
	biasVariables string // in the order of the file's
	biasColumn    string // of colvar
	biased        string // what was biased, where there are no weights
	biasFactor    float64
	rbias         bool
	start         float64 // time of the first frame where a trajectory keeps none, ps
}

// flags adds them to the command's.
func (o *biasOptions) flags(fs *flag.FlagSet) {
	weights := func(name string, into *string, usage string) {
		fs.Func(name, usage, func(text string) error {
			switch {
			case text == "":
				return nil
			case *into != "":
				return fmt.Errorf("it is given twice, and %s was the first", *into)
			}
			*into, o.order = text, append(o.order, name)
			return nil
		})
	}
	weights("awh", &o.awh, "`file` with AWH's final grid, for the weights of a biased simulation")
	weights("bias", &o.bias, "`file` with the final bias, a PLUMED grid in kJ/mol, for the weights")
	weights("hills", &o.hills, "`file` of metadynamics' hills (HILLS), whose sum at the end gives the weights")
	weights("colvar", &o.colvar, "`file` of PLUMED's values in time (COLVAR): the bias of every frame for the "+
		"weights, or the biased variables")
	weights("openmm-bias", &o.openmm, "`file.npy` with the bias of OpenMM's Metadynamics on its grid, kJ/mol, or "+
		"its getFreeEnergy() (-bias-factor)")
	weights("logw", &o.logw, "`file` of log-weights, text or .npy: one for every frame of the trajectories, or two "+
		"columns, time (ps) and log-weight")
	weights("umbrella", &o.umbrella, "`file` of umbrella windows and their trajectories (TOML), which are weighed "+
		"by MBAR")
	fs.StringVar(&o.plumed, "plumed", "", "input `file` of PLUMED, plumed.dat, which defines the biased variables; "+
		"also its units")
	fs.StringVar(&o.biasVariables, "bias-variables", "", "`names` of the biased variables in the order of the "+
		"file: phi:ALA2,psi:ALA2 (or phi2,psi2), or labels of -plumed; for -openmm-bias with ranges: "+
		"phi:ALA2:-pi:pi:periodic,d:0.3:1.2")
	fs.StringVar(&o.biasColumn, "bias-column", "", "`names` of the biases in -colvar, which are added: metad.bias, "+
		"metad.rbias, opes.bias, *.bias")
	fs.Float64Var(&o.biasFactor, "bias-factor", 0, "of Metadynamics, `γ`, where -openmm-bias is getFreeEnergy()")
	fs.BoolVar(&o.rbias, "rbias", false, "with -hills: weigh by the bias at each frame's time less what all places "+
		"share by then (METAD's rbias), in place of the final bias")
	fs.Float64Var(&o.start, "start", 0, "time of the first frame, `ps`, where a trajectory keeps none (NPZ), for "+
		"files that are read by times")
	fs.StringVar(&o.biased, "biased", "", "`words` on how a simulation was biased whose frames get no weights: its "+
		"forces count, flows are not trained on it")
}

// checkBias looks at the choices that do not go together.
func (o *biasOptions) checkBias(trajectories int) error {
	switch {
	case o.biasVariables != "" && o.awh == "" && o.bias == "" && o.hills == "" && o.openmm == "":
		return fmt.Errorf("%w: -bias-variables names the variables of -awh, -bias, -hills or -openmm-bias, and "+
			"there is none", errUsage)
	case o.biasColumn != "" && o.colvar == "":
		return fmt.Errorf("%w: -bias-column is of -colvar FILE", errUsage)
	case o.rbias && o.hills == "":
		return fmt.Errorf("%w: -rbias is of -hills FILE", errUsage)
	case o.biasFactor != 0 && o.openmm == "":
		return fmt.Errorf("%w: -bias-factor is of -openmm-bias FILE", errUsage)
	case o.biasFactor != 0 && !(o.biasFactor > 1) || math.IsInf(o.biasFactor, 0):
		return fmt.Errorf("%w: -bias-factor %g: more than 1", errUsage, o.biasFactor)
	case o.biased != "" && len(o.order) > 0:
		return fmt.Errorf("%w: -biased is for frames without weights, and -%s gives some", errUsage, o.order[0])
	case o.umbrella != "" && len(o.order) > 1:
		return fmt.Errorf("%w: -umbrella goes with no other weights, and -%s are given", errUsage,
			strings.Join(o.order, ", -"))
	case o.umbrella != "" && trajectories > 0:
		return fmt.Errorf("%w: -umbrella: the trajectories stand in its file, with their windows", errUsage)
	case math.IsNaN(o.start) || math.IsInf(o.start, 0):
		return fmt.Errorf("%w: -start %g: a time in ps", errUsage, o.start)
	}
	return nil
}

// biasCommand is what of the command line is about the bias, with names in place of paths.
func (im *importer) biasCommand() (text string) {
	order := im.order
	for _, name := range biasFlags { // where the command was not parsed
		if im.biasPath(name) != "" && !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	for _, name := range order {
		text += " -" + name + " " + filepath.Base(im.biasPath(name))
	}
	if im.plumed != "" {
		text += " -plumed " + filepath.Base(im.plumed)
	}
	for _, f := range []struct{ name, value string }{
		{"bias-variables", im.biasVariables}, {"bias-column", im.biasColumn}, {"biased", im.biased}} {
		if f.value != "" {
			text += fmt.Sprintf(" -%s %s", f.name, f.value)
		}
	}
	if im.biasFactor != 0 {
		text += fmt.Sprintf(" -bias-factor %g", im.biasFactor)
	}
	if im.rbias {
		text += " -rbias"
	}
	if im.start != 0 {
		text += fmt.Sprintf(" -start %g", im.start)
	}
	return text
}

// timeOf is the time of a frame, for files that are read by times, or why it is not known.
func (im *importer) timeOf(path string, t trajectory, f *gromacs.Frame) (float64, error) {
	if d, ok := t.(*dcd.Reader); ok {
		own, _ := d.Interval()
		switch {
		case own > 0 && im.dt > 0:
			return f.Time * im.dt / own, nil
		case own > 0:
			return f.Time, nil
		}
	} else if _, ok := t.(heads); ok && !im.timeless[path] {
		return f.Time, nil
	}
	if im.dt == 0 {
		return 0, fmt.Errorf("%s keeps no times: -dt gives the time between its frames, and -start that of the "+
			"first", path)
	}
	return im.start + im.dt*float64(im.number), nil
}
