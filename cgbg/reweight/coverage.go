package reweight

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Coverage is how much of a simulation lies where samples are. Weights cannot tell: a flow that never saw a basin has
// the best of them. Frames of another simulation can, by the weights that they would have as samples.
type Coverage struct {
	Frames int // looked at; zero where there were none
	// Missed is the part of the frames' own weight that is of frames whose weight, as samples, would be above that of
	// every sample: places that the samples stand for by none of them.
	Missed Estimate
	// Bound is above the missed part in 95 of 100 cases.
	Bound float64
}

// Cover holds frames to samples by their log-weights, −U/kT − ln q and the like, nats, of both with the same constant.
//
// frames: [n], those of frames as if they were samples; own: [n], log-weights of the frames in their simulation, that
// undo its bias, or nil; samples: [m]. Error: nothing to hold to; frames without weights of their own.
func Cover(frames, own, samples []float64) (c Coverage, err error) {
	if len(frames) == 0 || own != nil && len(own) != len(frames) {
		return c, errors.New("reweight: coverage: no frames, or not as many weights")
	}
	if own == nil {
		own = make([]float64, len(frames))
	}
	if len(samples) == 0 {
		return c, fmt.Errorf("reweight: coverage: %w", ErrNoWeight)
	}
	top := slices.Max(samples)
	if math.IsInf(top, -1) || math.IsNaN(top) {
		return c, fmt.Errorf("reweight: coverage: %w", ErrNoWeight)
	}
	weights, err := Normalize(own)
	if err != nil {
		return c, fmt.Errorf("reweight: coverage: the frames' own weights: %w", err)
	}
	var p, squares float64 // the part that is missed
	for i, w := range weights {
		squares += w * w
		if !(frames[i] <= top) { // one without a number is missed, too
			p += w
		}
	}
	effective := 1 / squares
	c = Coverage{Frames: len(frames), Missed: Estimate{Value: p, Error: math.Sqrt(p * (1 - p) / effective)}}
	// Wilson's upper limit, at one side; of none missed about 2.7 over the number of frames.
	const z = 1.645
	c.Bound = (p + z*z/(2*effective) + z*math.Sqrt(p*(1-p)/effective+z*z/(4*effective*effective))) / (1 + z*z/effective)
	return c, nil
}

// Limits of the grades: a basin of a hundredth is what such free energies are asked for.
const someMissed, muchMissed = 0.01, 0.05

// reasons are what speaks against the samples, and what helps.
func (c Coverage) reasons() (bad, weak, cure []string) {
	sure := c.Missed.Value - 2*c.Missed.Error
	if c.Frames == 0 || sure < someMissed {
		return nil, nil, nil
	}
	reason := fmt.Sprintf("the flow makes no samples where %s of the weight of other frames lies", Percent(c.Missed.Value))
	cure = []string{"train the flow on frames that have seen all basins (of a bias, of higher temperature)"}
	if sure >= muchMissed {
		return []string{reason}, nil, cure
	}
	return nil, []string{reason}, cure
}

// String says it in words.
func (c Coverage) String() string {
	if c.Frames == 0 {
		return "no other frames were looked at, so that a basin that the flow never saw would not be noticed"
	}
	return fmt.Sprintf("of %s other frames %s of the weight lies where the flow makes no samples; at most %s (95 %%)",
		count(float64(c.Frames)), Percent(c.Missed.Value), Percent(c.Bound))
}

// Text is the form in descriptions of samples.
func (c Coverage) Text() string {
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return string(text)
}

// CoverageOf reads what Text wrote; nothing of "".
func CoverageOf(text string) (c Coverage, err error) {
	if text == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, fmt.Errorf("reweight: coverage: %w", err)
	}
	return c, nil
}

// WithCoverage is the summary with a grade and a verdict that mind what the flow misses.
func (s Summary) WithCoverage(c Coverage) Summary {
	s.Coverage = c
	if s.Err == nil {
		s.grade()
	}
	return s
}
