package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/study"
)

// Every point of a curve is made once, with whole passes over the frames, and what is
// done is not done again.
func TestCurve(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "go")
	const frames = "../../../data/ala2/obc2/metad1.5_core-beta.arrow"
	const models = "../../../data/ala2/models/obc2_cb_"
	out := filepath.Join(t.TempDir(), "curve.json")
	command := []string{"curve", "pmf", "-preset", "small", "-flow", models + "flow_biased.npz",
		"-samples", models + "samples_biased.arrow", "-steps", "5,120", "-frames", "1000,999999",
		"-variable", "phi=phi(ALA2)", "-state", "left: phi > 0", "-o", out, frames}
	text, err := call(t, command...)
	if err != nil || !strings.Contains(text, "left") {
		t.Fatalf("got %q, %v", text, err)
	}
	c, err := study.ReadCurve(out)
	if err != nil || len(c.Points) != 4 {
		t.Fatalf("got %+v, %v", c, err)
	}
	by := c.BySteps()
	// One pass over all frames is 63 batches, and ten steps are one call.
	if few, many := by[0], by[1]; few.Steps != 70 || many.Steps != 130 || !(many.Score.Value < few.Score.Value) {
		t.Errorf("by steps: got %+v", by)
	}
	if some := c.ByFrames(); len(some) != 2 || some[0].Frames != 1000 || some[0].Steps != 120 ||
		!reflect.DeepEqual(some[1], by[1]) {
		t.Errorf("by frames: got %+v", some)
	}
	for _, p := range c.Points {
		if !(p.ESS.Value > 0 && p.ESS.Value < 1 && p.ESS.Error > 0) || !(p.Score.Value > 1e3) ||
			!(p.Populations["left"].Error > 0) || !(p.Seconds > 0) {
			t.Errorf("got %+v", p)
		}
	}
	// The same command makes what is missing, and nothing else.
	last := c.Points[3]
	c.Points = c.Points[:3]
	content, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(out, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := call(t, command...)
	if err != nil || again != text {
		t.Errorf("again: got %q, %v, want %q", again, err, text)
	}
	now, err := study.ReadCurve(out)
	if err != nil {
		t.Fatal(err)
	}
	if p := now.Points; p[3].ESS != last.ESS || p[3].Seconds == last.Seconds || p[0].Seconds != c.Points[0].Seconds {
		t.Errorf("again: got points %+v", p)
	}
	if left, _ := filepath.Glob(out + ".models*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	flow := filepath.Join(t.TempDir(), "flow.json")
	text, err = call(t, "curve", "flow", "-preset", "small", "-pmf", models+"pmf_biased.npz", "-steps", "1", "-frames",
		"",
		"-n", "100", "-o", flow, frames)
	if err != nil || !strings.Contains(text, "18000") || strings.Contains(text, "left") {
		t.Errorf("a curve of flows: got %q, %v", text, err)
	}
	if _, err := call(t, append(command, "-seed", "2")...); err == nil ||
		!strings.Contains(err.Error(), "something else") {
		t.Errorf("another seed into the same file: got %v", err)
	}
	for _, bad := range [][]string{
		{"curve", "flow", "-o", out, frames}, {"curve", "pmf", "-o", out, frames},
		{"curve", "flow", "-steps", "1,x", "-o", out, frames}, {"curve", "flow", frames},
		{"curve", "flow", "-pmf", "x", "-n", "5", "-o", flow + "2", frames},
		append(slices.Clone(command), "-state", "right: psi > 0"),
		append(slices.Clone(command), "-variable", "far=distance(a,b)"),
	} {
		if _, err := call(t, bad...); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}
