package data

import (
	"slices"
	"testing"
)

// Frames of the same content have one sum wherever they come from; a change of any number, or of what they are, makes
// another.
func TestSum(t *testing.T) {
	frames := func() *Frames {
		return &Frames{Beads: 2, Dim: 1, R: []float32{1, 2, 3, 4}, F: []float32{0, 0, 0, 0}, LogW: []float64{0, 1}}
	}
	meta := Meta{System: "a", Beads: []string{"x", "y"}, Species: []int32{6, 7}, Dim: 1, Temperature: 300, Stride: 1}
	want := Sum(frames(), meta)
	elsewhere := meta
	elsewhere.Source, elsewhere.SourceSHA, elsewhere.Generator = "file", "1", "program"
	elsewhere.Extra = map[string]string{"a": "b"}
	if got := Sum(frames(), elsewhere); got != want {
		t.Errorf("the same from elsewhere: got %s, want %s", got, want)
	}
	seen := []string{want}
	for name, change := range map[string]func(f *Frames, m *Meta){
		"a position":        func(f *Frames, _ *Meta) { f.R[3] = 5 },
		"a force":           func(f *Frames, _ *Meta) { f.F[0] = 1 },
		"a weight":          func(f *Frames, _ *Meta) { f.LogW[1] = 2 },
		"no weights":        func(f *Frames, _ *Meta) { f.LogW = nil },
		"weights as biases": func(f *Frames, _ *Meta) { f.LogW, f.Bias = nil, f.LogW },
		"fewer frames":      func(f *Frames, _ *Meta) { *f = *f.Slice(0, 1) },
		"frames of one":     func(f *Frames, _ *Meta) { f.Beads = 1 },
		"the temperature":   func(_ *Frames, m *Meta) { m.Temperature = 310 },
		"the species":       func(_ *Frames, m *Meta) { m.Species = []int32{7, 6} },
		"the names":         func(_ *Frames, m *Meta) { m.Beads = []string{"x", "z"} },
		"the mapping":       func(_ *Frames, m *Meta) { m.Mapping = "b" },
		"the stride":        func(_ *Frames, m *Meta) { m.Stride = 2 },
	} {
		f, m := frames(), meta
		change(f, &m)
		got := Sum(f, m)
		if slices.Contains(seen, got) {
			t.Errorf("%s changed: the sum is one that was", name)
		}
		seen = append(seen, got)
	}
}
