package trajectory

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data/npz"
	"github.com/cgbg-go/lab/data/plumed"
)

// ranged is a variable with its range: phi:ALA2:-pi:pi, d:0.3:1.2.
var ranged = regexp.MustCompile(`^(.+):([^:]+):([^:]+)$`)

// end reads an end of a range, a number or a multiple of pi.
func end(text string) (float64, bool) {
	factor := 1.0
	if t, ok := strings.CutSuffix(text, "pi"); ok {
		factor = math.Pi
		if text = strings.TrimSuffix(t, "*"); text == "" || text == "-" || text == "+" {
			text += "1"
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	return factor * v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// variableRange takes a range off a variable of -bias-variables.
func variableRange(text string) (name string, low, high float64, periodic, ok bool) {
	text = strings.TrimSpace(text)
	part, periodic := strings.CutSuffix(text, ":periodic")
	m := ranged.FindStringSubmatch(part)
	if m == nil {
		return text, 0, 0, false, false
	}
	low, okLow := end(m[2])
	high, okHigh := end(m[3])
	if !okLow || !okHigh {
		return text, 0, 0, false, false
	}
	return m[1], low, high, periodic, true
}

// variableNames are those that -bias-variables gives, without ranges; nil where it is not given.
func (im *importer) variableNames() (names []string) {
	if im.BiasVariables == "" {
		return nil
	}
	for word := range strings.SplitSeq(im.BiasVariables, ",") {
		name, _, _, _, _ := variableRange(word)
		names = append(names, name)
	}
	return names
}

// readOpenMM reads the total bias of OpenMM's Metadynamics, an array whose last axis is the first variable. A periodic
// variable has its first point once more at the end. Values below zero are getFreeEnergy(), -γ/(γ-1) times the bias.
// Source: metadynamics.py of OpenMM, getFreeEnergy and _addGaussian.
func (im *importer) readOpenMM(f *finder) (func(*biasFrame) (float64, error), error) {
	array, shape, err := npz.ReadArray(im.Weights.File("openmm-bias"))
	if err != nil {
		return nil, err
	}
	words := strings.Split(im.BiasVariables, ",")
	const example = "phi:ALA2:-pi:pi:periodic,psi:ALA2:-pi:pi:periodic, or d:0.3:1.2"
	if im.BiasVariables == "" || len(words) != len(shape) || len(shape) > 2 {
		return nil, fmt.Errorf("%w: %s has the shape %v: -bias-variables gives its variables, one or two, with "+
			"their ranges in the order of Metadynamics' list: %s",
			cli.ErrUsage, im.Weights.File("openmm-bias"), shape, example)
	}
	slices.Reverse(shape) // the first variable runs fastest
	g := &plumed.Grid{Value: "bias", Bins: slices.Clone(shape)}
	for k, word := range words {
		name, low, high, periodic, ok := variableRange(word)
		if !ok || !(low < high) {
			return nil, fmt.Errorf("%w: -bias-variables %s: %s has no range NAME:MIN:MAX or NAME:MIN:MAX:periodic, "+
				"rad or nm, as BiasVariable has it: %s", cli.ErrUsage, im.BiasVariables, word, example)
		}
		if periodic {
			g.Bins[k]--
		}
		if g.Bins[k] < 4 {
			return nil, fmt.Errorf("%s has %d points along %s: at least 4", im.Weights.File("openmm-bias"), shape[k],
				name)
		}
		g.Names, g.Periodic = append(g.Names, name), append(g.Periodic, periodic)
		g.Min, g.Max = append(g.Min, low), append(g.Max, high)
	}
	scale, err := im.openMMScale(array)
	if err != nil {
		return nil, err
	}
	rows := 1
	if len(shape) == 2 {
		rows = g.Bins[1]
	}
	for j := range rows {
		for _, v := range array[j*shape[0] : j*shape[0]+g.Bins[0]] {
			g.Values = append(g.Values, v*scale)
		}
	}
	return im.ofGrid(f, g, im.Weights.File("openmm-bias"))
}

// openMMScale makes the bias of an array, which may be a free energy.
func (im *importer) openMMScale(array []float64) (float64, error) {
	for _, v := range array {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("%s: %g is no bias", im.Weights.File("openmm-bias"), v)
		}
	}
	low, high := slices.Min(array), slices.Max(array)
	off := 1e-6 * (high - low)
	switch factor := im.BiasFactor; {
	case low == high:
		return 0, fmt.Errorf("%s: it is %g everywhere: no bias", im.Weights.File("openmm-bias"), low)
	case low >= -off && factor == 0:
		return 1, nil
	case low >= -off:
		return 0, fmt.Errorf("%w: -bias-factor is for getFreeEnergy() of Metadynamics, which is nowhere above 0, "+
			"and %s is nowhere below: the bias itself needs none; a free energy whose minimum was made 0 is not "+
			"read: save what getFreeEnergy() returns", cli.ErrUsage, im.Weights.File("openmm-bias"))
	case high > off:
		return 0, fmt.Errorf("%s: it runs from %.4g to %.4g: a bias is nowhere below 0 and getFreeEnergy() nowhere "+
			"above; save one of them as it is, in kJ/mol", im.Weights.File("openmm-bias"), low, high)
	case !(factor > 1):
		return 0, fmt.Errorf("%w: %s is nowhere above 0: it is getFreeEnergy() of Metadynamics, and not the bias; "+
			"give -bias-factor, of Metadynamics (more than 1)", cli.ErrUsage, im.Weights.File("openmm-bias"))
	default:
		return -(factor - 1) / factor, nil
	}
}
