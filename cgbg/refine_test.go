package cgbg

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/flow"
)

// The refined flow is kept if its weights are better and frames held out as likely; what is no number keeps nothing.
func TestRefinementJudge(t *testing.T) {
	blocks := func(mean float64) *flow.Likelihood {
		l := &flow.Likelihood{}
		for k := range 10 {
			l.Blocks = append(l.Blocks, mean+0.1*float64(k%2))
		}
		return l
	}
	rising := func(mean float64) *flow.Likelihood {
		l := blocks(mean)
		for k := range l.Blocks {
			l.Blocks[k] += 0.3 * float64(k%3)
		}
		return l
	}
	for _, c := range []struct {
		name          string
		before, after number
		nll           *flow.Likelihood
		kept          bool
		why           string
	}{
		{"better", 0.3, 0.9, blocks(4.9), true, "falls by 0.10"},
		{"no better", 0.9, 0.3, blocks(4.9), false, "no better"},
		{"no number", 0.3, number(math.NaN()), blocks(4.9), false, "no better"},
		{"frames lost", 0.3, 0.9, rising(5.2), false, "lost a basin"},
		{"within the error", 0.3, 0.9, rising(4.8), true, "falls by"},
		{"frames impossible", 0.3, 0.9, blocks(math.Inf(1)), false, "lost a basin"},
	} {
		r := Refinement{Potentials: []string{"pmf.npz"}, Before: Fitness{ESS: c.before}, After: Fitness{ESS: c.after}}
		r.judge(blocks(5), c.nll)
		if r.Kept != c.kept || !strings.Contains(r.Why, c.why) {
			t.Errorf("%s: kept %v, %s", c.name, r.Kept, r.Why)
		}
	}
}

// Numbers that are none go through a card's file.
func TestFitnessJSON(t *testing.T) {
	text, err := json.Marshal(Fitness{ESS: 0.5, KHat: number(math.Inf(1)), NLL: number(math.NaN())})
	if err != nil {
		t.Fatal(err)
	}
	var f Fitness
	if err := json.Unmarshal(text, &f); err != nil || f.ESS != 0.5 || !math.IsNaN(float64(f.KHat)) ||
		!math.IsNaN(float64(f.NLL)) {
		t.Errorf("%s: got %+v, %v", text, f, err)
	}
}
