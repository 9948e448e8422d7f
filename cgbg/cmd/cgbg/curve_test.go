package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
)

// Every point of a curve is made once, with whole passes over the frames, and what is
// done is not done again.
func TestCurve(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	const frames = "../../../data/ala2/obc2/metad9_core-beta.arrow"
	const models = "../../../data/ala2/models/obc2_cb_"
	out := filepath.Join(t.TempDir(), "curve.json")
	command := []string{"curve", "pmf", "-preset", "small", "-flow", models + "flow_biased.npz", "-samples", models + "samples_biased.arrow",
		"-steps", "5,60", "-frames", "1000,999999", "-o", out, frames}
	text, err := call(t, command...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cgbg.ReadCurve(out)
	if err != nil || len(c.Points) != 3 {
		t.Fatalf("got %+v, %v", c, err)
	}
	by := c.BySteps()
	if few, many := by[0], by[1]; few.Steps != 77 || many.Steps != 77 { // one pass over all frames is 77 batches
		t.Errorf("steps: got %d and %d", few.Steps, many.Steps)
	}
	if some := c.ByFrames(); len(some) != 2 || some[0].Frames != 1000 || some[0].Steps != 60 || some[1].Frames != 22000 {
		t.Errorf("by frames: got %+v", some)
	}
	for _, p := range c.Points {
		if !(p.ESS.Value > 0 && p.ESS.Value < 1 && p.ESS.Error > 0) || !(p.Score.Value > 1e4) || !(p.Positive.Error > 0) || !(p.Seconds > 0) {
			t.Errorf("got %+v", p)
		}
	}
	was, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	again, err := call(t, command...)
	if now, _ := os.ReadFile(out); err != nil || again != text || string(now) != string(was) {
		t.Errorf("again: got %q, %v, want %q", again, err, text)
	}
	if left, _ := filepath.Glob(out + ".models*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	other := strings.Replace(strings.Join(command, " "), "-preset small", "-preset small -seed 2", 1)
	if _, err := call(t, strings.Fields(other)...); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("another seed into the same file: got %v", err)
	}
	for _, bad := range [][]string{{"curve", "flow", "-o", out, frames}, {"curve", "pmf", "-o", out, frames}, {"curve", "flow", "-steps", "1,x", "-o", out, frames}, {"curve", "flow", frames}} {
		if _, err := call(t, bad...); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}
