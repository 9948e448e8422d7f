package reweight

import (
	"fmt"
	"math"
	"strings"
)

// Status grades a set of weights.
type Status int

// The grades, from worst to best.
const (
	// Unreliable weights give no trustworthy estimate, and no trustworthy error either.
	Unreliable Status = iota
	// Noisy weights give an estimate whose error is large or underestimated.
	Noisy
	// Good weights support the estimate and its error.
	Good
)

// String returns "not reliable", "usable but noisy" or "reliable".
func (s Status) String() string {
	switch s {
	case Good:
		return "reliable"
	case Noisy:
		return "usable but noisy"
	}
	return "not reliable"
}

// Limits of the grades. k̂ has its own (KThreshold). The others are judgements: at 20 effective samples a probability
// is known to 20 %, at 200 to 7 %; one sample that carries a fifth or a fiftieth of all weight moves results by as
// much.
const (
	minEffective, fewEffective = 20.0, 200.0
	maxShare, largeShare       = 0.2, 0.02
	noisyK                     = 0.5 // above it the weights have no finite variance
	noisyESS                   = 0.01
)

// Summary says how far a set of weights can be trusted.
type Summary struct {
	// N is the number of samples, dropped ones included.
	N int
	// ESS is Kish's effective sample size as a fraction of N, and ESSError its delta-method error.
	ESS, ESSError float64
	// ESSClipped is the same after the paper's drop of the top 1 %, still as a fraction of N.
	ESSClipped, ESSClippedError float64
	// KHat is the Pareto shape of the largest weights (see Pareto), KHatError its standard error, and KThreshold the
	// value above which N samples are not reliable.
	KHat, KHatError, KThreshold float64
	// maxWeight is the largest normalised weight, between 1/N and 1.
	MaxWeight float64
	// Status is the grade.
	Status Status
	// Reliable is whether the grade is better than Unreliable.
	Reliable bool
	// Verdict is the grade in words with its reasons and, unless it is the best, the cure.
	Verdict string
	// Fidelity is how much the samples look like frames; see With.
	Fidelity Fidelity
	// Coverage is how much of a simulation lies where the samples are; see WithCoverage.
	Coverage Coverage
	// Err is what made the weights unusable: ErrNoWeight, ErrNotFinite or one sample only. Numbers are NaN then.
	Err error
}

// Summarize computes the diagnostics of logw, [n], nats, and a verdict from k̂, ESS and the largest weight. It does not
// fail: unusable weights give Err and a verdict that names the cure.
// Source: Vehtari et al. (2024), §3.2, for the thresholds of k̂.
func Summarize(logw []float64) Summary {
	s := Summary{N: len(logw), KThreshold: KThreshold(len(logw))}
	if err := s.measure(logw); err != nil {
		nan := math.NaN()
		s.ESS, s.ESSError, s.ESSClipped, s.ESSClippedError = nan, nan, nan, nan
		s.KHat, s.KHatError, s.MaxWeight = nan, nan, nan
		s.Err = err
		s.Verdict = fmt.Sprintf("%s: %v", Unreliable, err)
		return s
	}
	s.grade()
	return s
}

func (s *Summary) measure(logw []float64) error {
	if len(logw) == 1 {
		return fmt.Errorf("reweight: summarising weights: one sample has no spread; draw more samples")
	}
	ess, err := ESSDelta(logw)
	if err != nil {
		return err
	}
	clipped, err := Clip(logw, PaperClip)
	if err != nil {
		return err
	}
	essClipped, err := ESSDelta(clipped)
	if err != nil {
		return err
	}
	p, err := Smooth(logw)
	if err != nil {
		return err
	}
	s.ESS, s.ESSError = ess.Value, ess.Error
	s.ESSClipped, s.ESSClippedError = essClipped.Value, essClipped.Error
	s.KHat, s.KHatError = p.KHat, p.KHatError
	s.MaxWeight, err = maxWeight(logw)
	return err
}

// grade sets Status, Reliable and Verdict from the numbers.
func (s *Summary) grade() {
	effective := s.ESS * float64(s.N)
	bad, weak, cure := s.Fidelity.reasons()
	missed, some, help := s.Coverage.reasons()
	bad, weak, cure = append(bad, missed...), append(weak, some...), append(cure, help...)
	switch {
	case math.IsInf(s.KHat, 1):
		bad = append(bad, "the tail of the weights is too short for a fit of k̂")
		cure = append(cure, "draw more samples (1,000 or more)")
	case s.KHat > s.KThreshold:
		bad = append(bad, fmt.Sprintf("k̂ = %.2f is above %.2f, the limit for %s samples", s.KHat, s.KThreshold,
			count(float64(s.N))))
		cure = append(cure, s.kCure()...)
	case s.KHat > noisyK:
		weak = append(weak, fmt.Sprintf("k̂ = %.2f is below %.2f but above %.1f, so the weights have no finite "+
			"variance",
			s.KHat, s.KThreshold, noisyK))
		cure = append(cure, "use the smoothed weights", "train the flow longer")
	}
	if effective < minEffective {
		bad = append(bad, fmt.Sprintf("only %s effective samples of %s", count(effective), count(float64(s.N))))
	} else if effective < fewEffective || s.ESS < noisyESS {
		weak = append(weak, fmt.Sprintf("%s effective samples of %s", count(effective), count(float64(s.N))))
	}
	if s.MaxWeight > maxShare {
		bad = append(bad, fmt.Sprintf("one sample carries %.0f %% of the weight", 100*s.MaxWeight))
	} else if s.MaxWeight > largeShare {
		weak = append(weak, fmt.Sprintf("one sample carries %.1f %% of the weight", 100*s.MaxWeight))
	}
	switch {
	case len(bad) > 0:
		s.Status = Unreliable
		if len(cure) == 0 {
			cure = append(cure, "draw more samples", "train the flow longer")
		}
		cure = append(cure, s.outlierCure()...)
		s.Verdict = verdict(s.Status, append(bad, weak...), cure)
	case len(weak) > 0:
		s.Status = Noisy
		if len(cure) == 0 {
			cure = append(cure, "draw more samples")
		}
		s.Verdict = verdict(s.Status, weak, cure)
	default:
		s.Status = Good
		s.Verdict = fmt.Sprintf("%s: %s, %s effective samples of %s, largest weight %s",
			s.Status, s.kWords(), count(effective), count(float64(s.N)), Percent(s.MaxWeight))
	}
	s.Reliable = s.Status != Unreliable
}

func (s *Summary) kWords() string {
	if math.IsInf(s.KHat, -1) {
		return "the weights are constant in the tail (as for an exact flow)"
	}
	return fmt.Sprintf("k̂ = %.2f is below %.2f", s.KHat, s.KThreshold)
}

// kCure says what helps against a heavy tail: more samples only where a feasible number would do.
func (s *Summary) kCure() []string {
	const feasible = 1e8
	need := minSamples(s.KHat)
	if s.KHat <= 0.7 && need > float64(s.N) && need < feasible {
		return []string{fmt.Sprintf("draw at least %s samples", count(need))}
	}
	return []string{"train the flow longer or on data that covers more"}
}

// outlierCure points at the potential when a few samples hold most of the weight.
func (s *Summary) outlierCure() []string {
	const ratio = 5
	c := []string{"until then quote the clipped or smoothed weights, which are biased"}
	if s.ESSClipped > ratio*s.ESS {
		c = append([]string{fmt.Sprintf("a few outliers dominate (ESS %s, clipped %s): look where they "+
			"lie, and improve the PMF there "+
			"if it is outside its training data", Percent(s.ESS), Percent(s.ESSClipped))}, c...)
	}
	return c
}

func verdict(s Status, reasons, cures []string) string {
	return fmt.Sprintf("%s: %s. What helps: %s", s, strings.Join(reasons, "; "), strings.Join(cures, "; "))
}

// count writes a number of samples with separated thousands, and one decimal below ten.
func count(v float64) string {
	if v < 9.95 {
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", math.Ceil(v-0.5))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
