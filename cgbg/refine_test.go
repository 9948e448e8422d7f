package cgbg

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// The refined flow is kept if its weights are better and frames held out as likely; what is no number keeps nothing.
func TestRefinementJudge(t *testing.T) {
	none := number(math.NaN())
	gain := func(value, err float64) *reweight.Estimate { return &reweight.Estimate{Value: value, Error: err} }
	for _, c := range []struct {
		name          string
		before, after number
		gain          *reweight.Estimate
		kept          bool
		why           string
	}{
		{"better", 0.3, 0.9, gain(0.1, 0.01), true, "rises by 0.10"},
		{"no better", 0.9, 0.3, gain(0.1, 0.01), false, "no better"},
		{"no number", 0.3, none, gain(0.1, 0.01), false, "no better"},
		{"none before", none, 0.3, gain(0.1, 0.01), true, "rises by"},
		{"frames lost", 0.3, 0.9, gain(-0.3, 0.1), false, "lost a basin"},
		{"within the error", 0.3, 0.9, gain(-0.1, 0.1), true, "rises by -0.10"},
		{"frames without density", 0.3, 0.9, gain(math.NaN(), 0), false, "no density"},
		{"frames of a bias", 0.3, 0.9, nil, true, "do not tell"},
	} {
		r := Refinement{Potentials: []string{"pmf.npz"}, Before: Fitness{ESS: c.before}, After: Fitness{ESS: c.after}}
		if r.judge(c.gain); r.Kept != c.kept || !strings.Contains(r.Why, c.why) {
			t.Errorf("%s: kept %v, %s", c.name, r.Kept, r.Why)
		}
	}
}

// The gain is a weighted mean, whose error is that of the mean of blocks where all weights are one.
func TestGainOf(t *testing.T) {
	const n = 100
	before, after, logw := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		after[i] = float64(i / 10) // 0 to 9, a block each
	}
	if g := gainOf(before, after, logw); math.Abs(g.Value-4.5) > 1e-12 || math.Abs(g.Error-math.Sqrt(8.25/9)) > 1e-12 {
		t.Errorf("equal weights: got %+v", g)
	}
	for i := range n {
		logw[i] = math.Inf(-1)
	}
	logw[35], logw[75] = math.Log(3), 0
	if g := gainOf(before, after, logw); math.Abs(g.Value-4) > 1e-12 {
		t.Errorf("two frames of weight 3 and 1: got %+v", g)
	}
}

// Numbers that are none go through a card's file.
func TestFitnessJSON(t *testing.T) {
	text, err := json.Marshal(Fitness{ESS: 0.5, KHat: number(math.Inf(1)), ESSError: number(math.NaN())})
	if err != nil {
		t.Fatal(err)
	}
	var f Fitness
	if err := json.Unmarshal(text, &f); err != nil || f.ESS != 0.5 || !math.IsNaN(float64(f.KHat)) ||
		!math.IsNaN(float64(f.ESSError)) {
		t.Errorf("%s: got %+v, %v", text, f, err)
	}
}
