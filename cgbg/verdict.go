package cgbg

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/data"
)

// Keys of a card's results.
const (
	resultNLL       = "nll"        // flows: −ln q of held-out frames, nats a frame; null where it failed
	resultNLLError  = "nll_error"  // its standard error
	resultNLLFrames = "nll_frames" // frames that it is of
	resultNLLFailed = "nll_failed" // why there is none
	// Potentials: squared force error on held-out frames, (kJ/mol/nm)², of the parameters that were kept.
	resultValidation      = "validation"
	resultValidationFinal = "validation_final" // the same after the last step
	resultBestStep        = "best_step"        // whose parameters were kept
)

// overfits is how much larger the final error on held-out frames is than the least one, from which a training counts as
// overfitting.
const overfits = 1.1

// Losses are a training's, at some of its steps; Validation is of frames held out.
type Losses struct {
	Step           []int     `json:"step"`
	Loss           []float64 `json:"loss"`
	ValidationStep []int     `json:"validation_step,omitempty"`
	Validation     []float64 `json:"validation,omitempty"`
}

// mostLosses is how many of a training's losses a card has.
const mostLosses = 200

// losses are those of a training, thinned evenly, its last ones among them.
func losses(h *train.History) *Losses {
	thin := func(steps []int, values []float64) (s []int, v []float64) {
		for _, k := range data.Evenly(len(steps), mostLosses) {
			k = len(steps) - 1 - k
			if !math.IsNaN(values[k]) && !math.IsInf(values[k], 0) {
				s, v = append(s, steps[k]), append(v, values[k])
			}
		}
		slices.Reverse(s)
		slices.Reverse(v)
		return s, v
	}
	l := &Losses{}
	l.Step, l.Loss = thin(h.Step, h.Loss)
	l.ValidationStep, l.Validation = thin(h.ValidationStep, h.Validation)
	return l
}

// Series are the losses as curves; validation has no points where no frames were held out.
func (l *Losses) Series() (training, validation figure.Series) {
	curve := func(steps []int, y []float64) (s figure.Series) {
		for _, step := range steps {
			s.X = append(s.X, float64(step))
		}
		s.Y = y
		return s
	}
	return curve(l.Step, l.Loss), curve(l.ValidationStep, l.Validation)
}

// judge writes down what a training's validations say.
func (c *Card) judge(h *train.History) {
	k := slices.Index(h.ValidationStep, h.BestStep)
	if k < 0 { // none was a number
		return
	}
	c.Results[resultValidation], c.Results[resultBestStep] = h.Validation[k], h.BestStep
	c.Results[resultValidationFinal] = h.Validation[len(h.Validation)-1]
}

// likely writes down a likelihood, or why there is none.
func (c *Card) likely(l *flow.Likelihood, err error) {
	if err == nil && (math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0)) {
		err = fmt.Errorf("the mean of -ln q is %g", l.Mean)
	}
	if err != nil {
		c.Results[resultNLL], c.Results[resultNLLError], c.Results[resultNLLFailed] = nil, nil, err.Error()
		return
	}
	c.Results[resultNLL], c.Results[resultNLLError], c.Results[resultNLLFrames] = l.Mean, l.Error, l.Frames
}

// number is a result, whether made now or read from a file; ok: it is there and a number.
func (c *Card) number(key string) (x float64, ok bool) {
	switch v := c.Results[key].(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// HeldOut is how well the model does on frames held out: −ln q of a flow, nats a frame, the squared force error of a
// potential, (kJ/mol/nm)²; ok: it is known.
func (c *Card) HeldOut() (e reweight.Estimate, ok bool) {
	if e.Value, ok = c.number(map[string]string{Flow: resultNLL, PMF: resultValidation}[c.Kind]); ok {
		e.Error, _ = c.number(resultNLLError)
	}
	return e, ok
}

// Score says how well the model does on held-out frames.
func (c *Card) Score() string {
	e, ok := c.HeldOut()
	switch {
	case !ok:
		return "not known"
	case c.Kind == Flow:
		return fmt.Sprintf("-ln q = %.2f ± %.2f nats a frame", e.Value, e.Error)
	}
	best := ""
	if step, ok := c.number(resultBestStep); ok {
		best = fmt.Sprintf(", at step %.0f of %d, the best", step, c.Steps)
	}
	return fmt.Sprintf("mean squared error of a force component %.4g (kJ/mol/nm)², the forces' noise included%s",
		e.Value,
		best)
}

// Warnings are what whoever uses the model should know of its training: a flow without a likelihood, a potential that
// overfits.
func (c *Card) Warnings() (list []string) {
	if why, ok := c.Results[resultNLLFailed].(string); ok {
		list = append(list, fmt.Sprintf("the likelihood of held-out frames failed, which a good flow's does not: %s. "+
			"Samples may fail as well: train longer, with a lower -rate, or on more frames, "+
			"and look for frames unlike all others", why))
	}
	best, ok := c.number(resultValidation)
	final, ok2 := c.number(resultValidationFinal)
	if step, _ := c.number(resultBestStep); ok && ok2 && !(final <= overfits*best) {
		list = append(list, fmt.Sprintf("it overfits: on held-out frames its error was least at step %.0f of %d, "+
			"%.4g (kJ/mol/nm)², and %.4g at the end. The parameters of step %.0f are kept; "+
			"more frames help, or fewer -epochs", step, c.Steps, best, final, step))
	}
	return list
}
