package cgbg

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// Frames of several biases teach a potential, and no flow; without weights frames of a bias are no reference.
func TestPooledFrames(t *testing.T) {
	weights := func(f *data.Frames) { f.LogW = make([]float64, f.Len()) }
	pooled, biased := toy().With(data.KeyPooled, "two biases"), toy().With(data.KeyBias, "metadynamics")
	o, out := TrainOptions{Preset: "small", Seed: 1}, filepath.Join(t.TempDir(), "m.npz")
	for _, c := range []struct {
		name string
		meta data.Meta
		edit func(f *data.Frames)
		// what a flow, a potential and a reference say to them; "": nothing
		flow, reference string
	}{
		{"pooled", pooled, nil, "two biases", "pooled from"},
		{"pooled and weighed", pooled, weights, "two biases", ""},
		{"biased", biased, nil, "", "of a biased simulation (metadynamics)"},
		{"biased and weighed", biased, weights, "", ""},
		{"plain", toy(), nil, "", ""},
	} {
		file := toyFile(t, c.meta, 240, c.edit)
		if _, err := CheckTraining(PMF, file, out, o); err != nil {
			t.Errorf("%s: a potential: got %v", c.name, err)
		}
		_, err := CheckTraining(Flow, file, out, o)
		if (err == nil) != (c.flow == "") || err != nil && !strings.Contains(err.Error(), c.flow) {
			t.Errorf("%s: a flow: got %v, want %q", c.name, err, c.flow)
		}
		err = checkReference("s", toy(), file, c.meta, c.edit != nil)
		if (err == nil) != (c.reference == "") || err != nil && !strings.Contains(err.Error(), c.reference) {
			t.Errorf("%s: a reference: got %v, want %q", c.name, err, c.reference)
		}
	}
}

// A plan whose own frames are of a bias without weights reports without a reference.
func TestPlanOfBiasedFrames(t *testing.T) {
	biased := toyFile(t, toy().With(data.KeyBias, "metadynamics"), 240, nil)
	plain := toyFile(t, toy(), 240, nil)
	for file, want := range map[string]string{biased: "", plain: plain} {
		o, err := (&Plan{Out: t.TempDir()}).report(file)
		if err != nil || o.Reference != want {
			t.Errorf("got the reference %q, %v, want %q", o.Reference, err, want)
		}
	}
}
