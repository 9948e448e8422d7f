package cgbg

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/data"
)

// A frame far from all others, held out, makes the likelihood fail; the model is there all the same, its card
// says so, and samples can be drawn.
func TestLikelihoodFails(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	in := toyFile(t, toy(), 240, func(f *data.Frames) { f.R[len(f.R)-1] = 1e30 })
	out := filepath.Join(t.TempDir(), "flow.npz")
	o := TrainOptions{Preset: "small", Field: Equivariant, Epochs: 1, Batch: 64, Seed: 1}
	made, fresh, err := Train(ctx, b, Flow, in, out, o)
	if err != nil || !fresh {
		t.Fatalf("got %v, fresh %v", err, fresh)
	}
	card, err := ReadCard(out)
	if err != nil {
		t.Fatal(err)
	}
	nll, there := card.Results[resultNLL]
	why, _ := card.Results[resultNLLFailed].(string)
	if nll != nil || !there || !strings.Contains(why, "finite") || !strings.Contains(made.Score(), "not known") {
		t.Errorf("got results %v, score %q", card.Results, made.Score())
	}
	if w := card.Warnings(); len(w) != 1 || !strings.Contains(w[0], why) {
		t.Errorf("warnings: got %q", w)
	}
	d, err := Draw(ctx, b, out, filepath.Join(t.TempDir(), "s.arrow"), DrawOptions{N: 20, Seed: 1, Checks: -1})
	if err != nil || d.N != 20 {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, fresh, err := Train(ctx, b, Flow, in, out, o); err != nil || fresh {
		t.Errorf("again: got %v, fresh %v", err, fresh)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Train(cancelled, b, Flow, in, filepath.Join(t.TempDir(), "x.npz"), o); err == nil {
		t.Error("an interrupted training: got no error")
	}
}

// The card tells the best step, and a final error a tenth above it is overfitting.
func TestOverfits(t *testing.T) {
	for _, c := range []struct {
		name       string
		validation []float64
		best       int // index
		want       string
	}{
		{"falls", []float64{9, 5, 4}, 2, ""},
		{"noise", []float64{9, 4, 4.3}, 1, ""},
		{"rises", []float64{9e4, 2.9e4, 5.7e4}, 1,
			"least at step 20 of 30, 2.9e+04 (kJ/mol/nm)², and 5.7e+04 at the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := []int{10, 20, 30}
			card := &Card{Kind: "pmf", Steps: 30, Results: map[string]any{}}
			card.judge(&train.History{ValidationStep: steps, Validation: c.validation, BestStep: steps[c.best]})
			if v, _ := card.number(resultValidation); v != c.validation[c.best] ||
				!strings.Contains(card.Score(), "the best") {
				t.Errorf("got %v, %q", v, card.Score())
			}
			got := strings.Join(card.Warnings(), "\n")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Forces without any law behind them are learned by heart: the parameters of the best step are those of the file.
func TestPotentialKeepsBestStep(t *testing.T) {
	b, ctx := openGo(t), context.Background()
	in := toyFile(t, toy(), 60, nil)
	out := filepath.Join(t.TempDir(), "pmf.npz")
	card, _, err := Train(ctx, b, PMF, in, out,
		TrainOptions{Preset: "small", Epochs: 150, Batch: 54, Rate: 0.03, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	best, _ := card.number(resultValidation)
	final, _ := card.number(resultValidationFinal)
	step, _ := card.number(resultBestStep)
	if !(step > 0 && step < 150) || !(final > best) {
		t.Errorf("got %g at step %g, %g at the end", best, step, final)
	}
	frames, meta, err := data.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	u, err := ReadPMF(b, out, in, meta)
	if err != nil {
		t.Fatal(err)
	}
	held := frames.Slice(54, 60)
	_, force, err := u.EnergyForce(ctx, data.Widened(held.R))
	if err != nil {
		t.Fatal(err)
	}
	got := 0.0
	for i, v := range force {
		d := float64(held.F[i]) - v
		got += d * d / float64(len(force))
	}
	if d := got/best - 1; d > 1e-3 || d < -1e-3 {
		t.Errorf("the file's error on the frames held out is %g, the best was %g", got, best)
	}
}
