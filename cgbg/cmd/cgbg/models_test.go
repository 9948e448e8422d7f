package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/data"
)

// From frames to weighted samples: a flow is trained, its samples are drawn and
// weighed, and what is done is not done again.
func TestModels(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	const frames = "../../../data/ala2/core_beta_awh_gamma9.arrow"
	dir := t.TempDir()
	mace := filepath.Join(dir, "pmf.npz")
	flow, samples, weighted := filepath.Join(dir, "flow.npz"), filepath.Join(dir, "samples.arrow"),
		filepath.Join(dir, "weighted.arrow")
	train := []string{"train", "flow", "-preset", "small", "-epochs", "1", "-held-out", "20", "-o", flow, frames}
	if text, err := call(t, train...); err != nil || !strings.Contains(text, "flow.npz made") {
		t.Fatalf("got %q, %v", text, err)
	}
	card, err := os.ReadFile(flow + ".json")
	if err != nil || !strings.Contains(string(card), `"preset": "small"`) ||
		!strings.Contains(string(card), "core_beta_awh_gamma9.arrow") {
		t.Errorf("card: %s, %v", card, err)
	}
	if text, err := call(t, train...); err != nil || !strings.Contains(text, "there already") {
		t.Errorf("again: got %q, %v", text, err)
	}
	if left, _ := filepath.Glob(flow + ".checkpoint*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	train = []string{"train", "pmf", "-preset", "small", "-batch", "512", "-o", mace, frames}
	if text, err := call(t, train...); err != nil || !strings.Contains(text, "pmf.npz made") {
		t.Fatalf("got %q, %v", text, err)
	}
	if text, err := call(t, train...); err != nil || !strings.Contains(text, "there already") {
		t.Errorf("again: got %q, %v", text, err)
	}
	// A training that starts from the model is about as good from its first steps; one at this rate from random numbers
	// is far from it.
	further := filepath.Join(dir, "further.npz")
	if text, err := call(t, "train", "flow", "-preset", "small", "-epochs", "1", "-held-out", "20", "-rate", "1e-4",
		"-from", flow, "-o", further, frames); err != nil {
		t.Fatalf("got %q, %v", text, err)
	}
	nll := func(model string) float64 {
		card, err := cgbg.ReadCard(model)
		if err != nil {
			t.Fatal(err)
		}
		return card.Results["nll"].(float64)
	}
	if was, is := nll(flow), nll(further); !(math.Abs(is-was) < 1) {
		t.Errorf("-ln q was %.2f, and is %.2f after a little more training", was, is)
	}
	if _, err := call(t, "train", "flow", "-preset", "small", "-from", mace, "-o", further, frames); err == nil ||
		!strings.Contains(err.Error(), "pmf.npz") {
		t.Errorf("a flow from a potential: %v", err)
	}
	if text, err := call(t, "sample", "-n", "30", "-checks", "4", "-pmf", mace, "-o", samples, flow); err != nil ||
		!strings.Contains(text, "30 samples") || !strings.Contains(text, "Pareto") ||
		!strings.Contains(text, "have a wrong hand (chiral centres: 1)") ||
		!strings.Contains(text, "widths over those of the frames: bonds") {
		t.Fatalf("got %q, %v", text, err)
	}
	want, meta, err := data.ReadFile(samples)
	if err != nil {
		t.Fatal(err)
	}
	if want.Len() != 30 || want.Beads != 6 || len(want.U) != 30 || len(want.LogW) != 30 || meta.Temperature != 300 ||
		meta.SourceSHA == "" {
		t.Errorf("got %d samples of %d beads, %d energies, %+v", want.Len(), want.Beads, len(want.U), meta)
	}
	// The same potential gives the same weights.
	if text, err := call(t, "reweight", "-flow", flow, "-pmf", mace, "-o", weighted, samples); err != nil ||
		!strings.Contains(text, "Pareto") || !strings.Contains(text, "widths over") {
		t.Fatalf("got %q, %v", text, err)
	}
	got, _, err := data.ReadFile(weighted)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.LogW {
		if d := got.LogW[i] - want.LogW[i]; d > 1e-4 || d < -1e-4 {
			t.Errorf("log-weight of sample %d: %g, drawn with %g", i, got.LogW[i], want.LogW[i])
		}
	}
}

func TestModelErrors(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	dir := t.TempDir()
	bare := filepath.Join(dir, "bare.npz")
	if err := os.WriteFile(bare, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"train", "flow", "x.arrow"}, "-o"},
		{[]string{"train", "gibbs", "-o", "x", "x.arrow"}, "what to train"},
		{[]string{"train", "flow", "-preset", "huge", "-o", bare, "x.arrow"}, "huge"},
		{[]string{"train", "flow", "-pairing", "sorted", "-o", bare, "x.arrow"}, "sorted"},
		{[]string{"train", "flow", "-o", bare, filepath.Join(dir, "none.arrow")}, "none.arrow"},
		{[]string{"sample", "-o", "x.arrow", bare}, "card"},
		{[]string{"sample", bare}, "-o"},
		{[]string{"reweight", "x.arrow"}, "-flow"},
	} {
		if text, err := call(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.args, text, err, c.want)
		}
	}
}
