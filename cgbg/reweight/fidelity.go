package reweight

import (
	"fmt"
	"math"
	"slices"
)

// Fidelity is how much samples look like the frames that their flow learned from. Weights cannot tell: they may be fine
// among the few samples that look right.
type Fidelity struct {
	// N is the number of samples; zero where nothing of this is known.
	N int
	// Centres is the number of chiral centres that were looked at.
	Centres int
	// WrongHand is the share of the samples in which one of them has another hand than in the frames: they should have
	// no weight.
	WrongHand Estimate
	// WrongWeight is the share of the weight that they have all the same.
	WrongWeight float64
	// NoWeight is the share of samples without weight for another reason.
	NoWeight Estimate
	// Bonds and Angles are the numbers of those whose widths were compared.
	Bonds, Angles int
	// BondWidth and AngleWidth are standard deviations over those of the frames, root mean squares over all bonds and
	// angles, 1 where alike: of the samples as they came (Before), and weighted; weighted ones are zero where there are
	// no weights.
	BondWidthBefore, AngleWidthBefore, BondWidth, AngleWidth Estimate
}

// Limits of the grades; judgements, too. A flow that knows no hands makes half of its samples wrong, or more of several
// centres. Widths of 1.5 leave few samples in the frames' range of some twenty bonds and angles. Those that are
// weighted are the potential's own.
const (
	someWrong, manyWrong  = 0.1, 0.4
	wide, tooWide         = 1.5, 3.0
	offWidth, farOffWidth = 1.25, 2.0 // weighted, or their inverse
	wrongWeight           = 1e-3
)

// Share is a count of n as a share, with its standard error.
func Share(count, n int) Estimate {
	p := float64(count) / float64(n)
	return Estimate{Value: p, Error: math.Sqrt(p * (1 - p) / float64(n))}
}

// With is the summary with a grade and a verdict that mind how the samples look, too. Weights that are unusable stay
// so.
func (s Summary) With(f Fidelity) Summary {
	s.Fidelity = f
	if s.Err != nil {
		if f.WrongHand.Value >= manyWrong {
			s.Verdict += "; " + f.wrongWords() + ": the flow is undertrained"
		}
		return s
	}
	s.grade()
	return s
}

// reasons are what speaks against the samples, and what helps.
func (f Fidelity) reasons() (bad, weak, cure []string) {
	add := func(off, farOff bool, reason string) bool {
		if farOff {
			bad = append(bad, reason)
		} else if off {
			weak = append(weak, reason)
		}
		return off || farOff
	}
	undertrained := add(f.WrongHand.Value >= someWrong, f.WrongHand.Value >= manyWrong, f.wrongWords())
	for _, c := range []struct {
		what          string
		before, after Estimate
	}{{"bonds", f.BondWidthBefore, f.BondWidth}, {"angles", f.AngleWidthBefore, f.AngleWidth}} {
		sure := c.before.Value - 2*c.before.Error // a few outliers have a large error
		undertrained = add(sure >= wide, sure >= tooWide,
			fmt.Sprintf("the flow's %s are %.1f times as wide as the frames'", c.what, c.before.Value)) || undertrained
		if c.after.Value > 0 {
			off := max(c.after.Value-2*c.after.Error, 1/(c.after.Value+2*c.after.Error))
			const better = "improve the PMF, which decides the widths after reweighting"
			if add(off >= offWidth, off >= farOffWidth,
				fmt.Sprintf("reweighted %s are %.1f times as wide as the frames'", c.what, c.after.Value)) &&
				!slices.Contains(cure, better) {
				cure = append(cure, better)
			}
		}
	}
	if undertrained {
		cure = append([]string{"the flow is undertrained: train it longer, or with another field or pairing"}, cure...)
	}
	if f.WrongWeight >= wrongWeight {
		bad = append(bad, Percent(f.WrongWeight)+" of the weight is of samples with a wrong hand")
		cure = append(cure, `weigh the samples anew ("cgbg reweight"), with a flow that was trained on all hands`)
	}
	return bad, weak, cure
}

func (f Fidelity) wrongWords() string {
	return Percent(f.WrongHand.Value) + " of the samples have a wrong hand"
}

// Percent writes a share with two digits, or as many as it has before the point; never as a power of ten.
func Percent(share float64) string {
	const least = 0.001
	switch v := 100 * share; {
	case v > 0 && v < least:
		return fmt.Sprintf("below %g %%", least)
	case v < 9.95:
		return fmt.Sprintf("%.2g %%", v)
	default:
		return fmt.Sprintf("%.0f %%", v)
	}
}
