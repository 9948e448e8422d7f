package analysis

import (
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// WeightResults are the numbers that grade weights and samples, and the verdict.
func WeightResults(w reweight.Summary) []result.Result {
	return append(weightNumbers(w), result.Words("verdict", w.Verdict))
}

func weightNumbers(w reweight.Summary) []result.Result {
	list := []result.Result{
		result.New("ess", w.ESS, w.ESSError, result.None, "", w.N),
		result.New("ess_clipped", w.ESSClipped, w.ESSClippedError, result.None, "", w.N),
		result.New("khat", w.KHat, w.KHatError, result.None, "", w.N),
		result.New("max_weight", w.MaxWeight, result.None, result.None, "", w.N),
	}
	if c := w.Coverage; c.Frames > 0 {
		list = append(list, result.New("missed", c.Missed.Value, c.Missed.Error, result.None, "", c.Frames),
			result.New("missed_bound", c.Bound, result.None, result.None, "", c.Frames))
	}
	return append(list, fidelityResults(w.Fidelity)...)
}

// fidelityResults are the numbers of how much samples look like frames; none where nothing is known.
func fidelityResults(f reweight.Fidelity) (list []result.Result) {
	add := func(name string, e reweight.Estimate) {
		list = append(list, result.New(name, e.Value, e.Error, result.None, "", f.N))
	}
	if f.Centres > 0 {
		add("wrong_handedness", f.WrongHand)
	}
	if f.N > 0 {
		add("no_weight", f.NoWeight)
	}
	for _, w := range []struct {
		name          string
		count         int
		before, after reweight.Estimate
	}{{"bond_width", f.Bonds, f.BondWidthBefore, f.BondWidth},
		{"angle_width", f.Angles, f.AngleWidthBefore, f.AngleWidth}} {
		if w.count > 0 {
			add(w.name+"_before", w.before)
		}
		if w.count > 0 && w.after.Value > 0 {
			add(w.name, w.after)
		}
	}
	return list
}
