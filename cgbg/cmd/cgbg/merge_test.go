package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// Levelled weights have a mean of one in each part and keep their ratios; without -level they stay as they are.
func TestMergeLevel(t *testing.T) {
	dir := t.TempDir()
	a, b, out := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow"), filepath.Join(dir, "m.arrow")
	weight := func(i int) float64 { return 1 + float64(i%7) }
	numbered(t, a, 40, func(i int) float64 { return 12 + math.Log(weight(i)) })
	numbered(t, b, 60, func(i int) float64 { return -800 + math.Log(weight(i)) })
	for _, c := range []struct {
		args  []string
		level bool
	}{{[]string{"merge", "-level", "-o", out, a, b}, true}, {[]string{"merge", "-o", out, a, b}, false}} {
		if _, err := call(t, c.args...); err != nil {
			t.Fatal(err)
		}
		f, _, err := data.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []struct {
			from, to int
			shift    float64
		}{{0, 40, 12}, {40, 100, -800}} {
			logw, mean := f.LogW[part.from:part.to], 0.0
			for i, v := range logw {
				mean += math.Exp(v) / float64(len(logw))
				if want := math.Log(weight(i)) + part.shift; !c.level && math.Abs(v-want) > 1e-12 {
					t.Fatalf("without -level: got %g, want %g", v, want)
				}
				if got, want := math.Exp(v-logw[0]), weight(i)/weight(0); math.Abs(got-want) > 1e-10 {
					t.Errorf("ratio of frame %d to the first: got %g, want %g", i, got, want)
				}
			}
			if c.level && math.Abs(mean-1) > 1e-10 {
				t.Errorf("frames %d to %d: got a mean weight of %g, want 1", part.from, part.to, mean)
			}
		}
	}
	plain := filepath.Join(dir, "plain.arrow")
	numbered(t, plain, 10, nil)
	if _, err := call(t, "merge", "-level", "-o", out, plain, plain); err == nil {
		t.Error("no weights: got no error")
	}
}
