package trajectory

import (
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
)

// flags adds those of the bias to a command's.
func (o *Options) flags(fs *flag.FlagSet) {
	for _, k := range kindTable {
		fs.Func(k.Name, k.About, func(text string) error {
			switch {
			case text == "":
				return nil
			case o.Weights.File(k.Name) != "":
				return fmt.Errorf("it is given twice, and %s was the first", o.Weights.File(k.Name))
			}
			o.Weights = append(o.Weights, Weight{k.Name, text})
			return nil
		})
	}
	fs.StringVar(&o.Plumed, "plumed", "", "input `file` of PLUMED, plumed.dat, which defines the biased variables; "+
		"also its units")
	fs.StringVar(&o.BiasVariables, "bias-variables", "", "`names` of the biased variables in the order of the "+
		"file: phi:ALA2,psi:ALA2 (or phi2,psi2), or labels of -plumed; for -openmm-bias with ranges: "+
		"phi:ALA2:-pi:pi:periodic,d:0.3:1.2")
	fs.StringVar(&o.BiasColumn, "bias-column", "", "`names` of the biases in -colvar, which are added: metad.bias, "+
		"metad.rbias, opes.bias, *.bias")
	fs.Float64Var(&o.BiasFactor, "bias-factor", 0, "of Metadynamics, `γ`, where -openmm-bias is getFreeEnergy()")
	fs.BoolVar(&o.RBias, "rbias", false, "with -hills: weigh by the bias at each frame's time less what all places "+
		"share by then (METAD's rbias), in place of the final bias")
	fs.Float64Var(&o.Start, "start", 0, "time of the first frame, `ps`, where a trajectory keeps none (NPZ), for "+
		"files that are read by times")
	fs.StringVar(&o.Biased, "biased", "", "`words` on how a simulation was biased whose frames get no weights: its "+
		"forces count, flows are not trained on it")
}

// checkBias looks at the choices that do not go together.
func (o *Options) checkBias(trajectories int) error {
	switch {
	case o.BiasVariables != "" && o.Weights.File("awh") == "" && o.Weights.File("bias") == "" &&
		o.Weights.File("hills") == "" && o.Weights.File("openmm-bias") == "":
		return fmt.Errorf("%w: -bias-variables names the variables of -awh, -bias, -hills or -openmm-bias, and "+
			"there is none", cli.ErrUsage)
	case o.BiasColumn != "" && o.Weights.File("colvar") == "":
		return fmt.Errorf("%w: -bias-column is of -colvar FILE", cli.ErrUsage)
	case o.RBias && o.Weights.File("hills") == "":
		return fmt.Errorf("%w: -rbias is of -hills FILE", cli.ErrUsage)
	case o.BiasFactor != 0 && o.Weights.File("openmm-bias") == "":
		return fmt.Errorf("%w: -bias-factor is of -openmm-bias FILE", cli.ErrUsage)
	case o.BiasFactor != 0 && !(o.BiasFactor > 1) || math.IsInf(o.BiasFactor, 0):
		return fmt.Errorf("%w: -bias-factor %g: more than 1", cli.ErrUsage, o.BiasFactor)
	case o.Biased != "" && len(o.Weights) > 0:
		return fmt.Errorf("%w: -biased is for frames without weights, and -%s gives some", cli.ErrUsage,
			o.Weights[0].Kind)
	case o.Weights.File("umbrella") != "" && len(o.Weights) > 1:
		return fmt.Errorf("%w: -umbrella goes with no other weights, and -%s are given", cli.ErrUsage,
			strings.Join(o.Weights.kinds(), ", -"))
	case o.Weights.File("umbrella") != "" && trajectories > 0:
		return fmt.Errorf("%w: -umbrella: the trajectories stand in its file, with their windows", cli.ErrUsage)
	case math.IsNaN(o.Start) || math.IsInf(o.Start, 0):
		return fmt.Errorf("%w: -start %g: a time in ps", cli.ErrUsage, o.Start)
	}
	return nil
}

// biasCommand is what of the command line is about the bias, with names in place of paths.
func (im *importer) biasCommand() (text string) {
	for _, w := range im.Weights {
		text += " -" + w.Kind + " " + filepath.Base(w.File)
	}
	if im.Plumed != "" {
		text += " -plumed " + filepath.Base(im.Plumed)
	}
	for _, f := range []struct{ name, value string }{
		{"bias-variables", im.BiasVariables}, {"bias-column", im.BiasColumn}, {"biased", im.Biased}} {
		if f.value != "" {
			text += fmt.Sprintf(" -%s %s", f.name, f.value)
		}
	}
	if im.BiasFactor != 0 {
		text += fmt.Sprintf(" -bias-factor %g", im.BiasFactor)
	}
	if im.RBias {
		text += " -rbias"
	}
	if im.Start != 0 {
		text += fmt.Sprintf(" -start %g", im.Start)
	}
	return text
}

// timeOf is the time of a frame, for files that are read by times, or why it is not known.
func (im *importer) timeOf(path string, t trajectory, f *gromacs.Frame) (float64, error) {
	if d, ok := t.(*dcd.Reader); ok {
		own, _ := d.Interval()
		switch {
		case own > 0 && im.Dt > 0:
			return f.Time * im.Dt / own, nil
		case own > 0:
			return f.Time, nil
		}
	} else if _, ok := t.(heads); ok && !im.timeless[path] {
		return f.Time, nil
	}
	if im.Dt == 0 {
		return 0, fmt.Errorf("%s keeps no times: -dt gives the time between its frames, and -start that of the "+
			"first", path)
	}
	return im.Start + im.Dt*float64(im.number), nil
}
