package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// Levelled weights have a mean of one in each part and keep their ratios; those of one bias stay without -level.
func TestMergeLevel(t *testing.T) {
	dir := t.TempDir()
	a, b, out := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow"), filepath.Join(dir, "m.arrow")
	weight := func(i int) float64 { return 1 + float64(i%7) }
	numbered(t, a, 40, func(i int) float64 { return 12 + math.Log(weight(i)) })
	numbered(t, b, 60, func(i int) float64 { return -800 + math.Log(weight(i)) })
	for _, path := range []string{a, b} {
		describedAs(t, path, func(m *data.Meta) { *m = m.With(data.KeyBias, "hills") })
	}
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

// describedAs changes a file's description.
func describedAs(t *testing.T, path string, edit func(m *data.Meta)) {
	t.Helper()
	f, m, err := data.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit(&m)
	if err := data.WriteFile(path, m, f); err != nil {
		t.Fatal(err)
	}
}

// Files of different biases are marked, and their weights kept only where all have them.
func TestMergePooled(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, weight func(i int) float64, key, value string) string {
		path := filepath.Join(dir, name)
		numbered(t, path, 20, weight)
		describedAs(t, path, func(m *data.Meta) {
			if *m = m.With(key, value); key == "" {
				m.SourceSHA = value
			}
		})
		return path
	}
	rising := func(i int) float64 { return 100 + 0.1*float64(i) }
	one, two := file("one.arrow", rising, data.KeyBias, "hills of one"), file("two.arrow", rising, data.KeyBias,
		"hills of two")
	walls, plain := file("walls.arrow", nil, data.KeyBias, "walls"), file("plain.arrow", nil, data.KeyBias, "")
	same := file("same.arrow", rising, data.KeyBias, "hills of one")
	unnamed, other, half := file("u.arrow", rising, "", "ab"), file("v.arrow", rising, "", "cd"),
		file("w.arrow", rising, "", "ab")
	const not = "weights of a bias that is not named"
	for _, c := range []struct {
		name     string
		parts    []string
		pooled   string // what the mark has; "": there is none
		weighted bool
		level    float64 // the mean log-weight's shift
	}{
		{"one bias", []string{one, same}, "", true, 0},
		{"two biases", []string{one, two}, "one.arrow: hills of one; two.arrow: hills of two", true, 1},
		{"some without weights", []string{one, plain}, "plain.arrow: no bias is known", false, 0},
		{"biased and not", []string{walls, plain}, "walls.arrow: walls", false, 0},
		{"none", []string{plain, plain}, "", false, 0},
		{"biases that are not named", []string{unnamed, other}, "u.arrow: " + not + "; v.arrow: " + not, true, 1},
		{"parts of one file", []string{unnamed, half}, "", true, 0},
		{"named and not", []string{one, unnamed}, "u.arrow: " + not, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "m.arrow")
			said, err := call(t, append([]string{"merge", "-o", out}, c.parts...)...)
			if err != nil {
				t.Fatal(err)
			}
			f, m, err := data.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			mark := m.Extra[data.KeyPooled]
			if !strings.Contains(mark, c.pooled) || (mark == "") != (c.pooled == "") ||
				(f.LogW != nil) != c.weighted || f.Len() != 40 {
				t.Errorf("got the mark %q, weights %v, %d frames", mark, f.LogW != nil, f.Len())
			}
			if (mark != "") != strings.Contains(said, "different biases") || mark != "" && m.Extra[data.KeyBias] != "" {
				t.Errorf("said %q; bias %q", said, m.Extra[data.KeyBias])
			}
			if c.weighted {
				sum := 0.0
				for _, v := range f.LogW[20:] {
					sum += math.Exp(v) / 20
				}
				if levelled := math.Abs(sum-1) < 1e-9; levelled != (c.level > 0) {
					t.Errorf("mean weight of the second file: %g", sum)
				}
			}
		})
	}
	// Pooled files that are merged on keep what they are of; what is drawn by weights is of no bias.
	out, again := filepath.Join(dir, "m.arrow"), filepath.Join(dir, "again.arrow")
	if _, err := call(t, "merge", "-o", out, one, two); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, "merge", "-o", again, out, one); err != nil {
		t.Fatal(err)
	}
	if _, m, err := data.ReadFile(again); err != nil || !strings.Contains(m.Extra[data.KeyPooled], "hills of two") {
		t.Errorf("merged again: got %q, %v", m.Extra, err)
	}
	if _, err := call(t, "resample", out); err != nil {
		t.Fatal(err)
	}
	if _, m, err := data.ReadFile(filepath.Join(dir, "m_resample_train.arrow")); err != nil ||
		m.Extra[data.KeyPooled]+m.Extra[data.KeyBias] != "" {
		t.Errorf("resampled: got %q, %v", m.Extra, err)
	}
}

// Files with other times between frames are merged: it is known of none then.
func TestMergeUneven(t *testing.T) {
	dir := t.TempDir()
	a, b, out := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow"), filepath.Join(dir, "m.arrow")
	numbered(t, a, 20, nil)
	numbered(t, b, 30, nil)
	for stride, want := range map[float64]float64{2: 2, 5: 0, 0: 0} {
		describedAs(t, b, func(m *data.Meta) { m.Stride = stride })
		said, err := call(t, "merge", "-o", out, a, b)
		if err != nil {
			t.Fatal(err)
		}
		f, m, err := data.ReadFile(out)
		if err != nil || f.Len() != 50 || m.Stride != want ||
			strings.Contains(said, "time between frames differs") != (want == 0) {
			t.Errorf("2 and %g ps: got %g ps, %d frames, %v; said %q", stride, m.Stride, f.Len(), err, said)
		}
	}
}

// Shipped sets of two biases, which do not name them, count by their frames.
func TestMergeShipped(t *testing.T) {
	const dir = "../../../data/ala2/obc2/"
	out := filepath.Join(t.TempDir(), "m.arrow")
	said, err := call(t, "merge", "-o", out, dir+"metad1.5_core-beta.arrow", dir+"metad9_core-beta.arrow")
	if err != nil || !strings.Contains(said, "different biases") {
		t.Fatalf("said %q, %v", said, err)
	}
	f, m, err := data.ReadFile(out)
	if err != nil || !strings.Contains(m.Extra[data.KeyPooled], "metad9") {
		t.Fatalf("got %q, %v", m.Extra, err)
	}
	first, sum := 0.0, 0.0
	for i, v := range f.LogW {
		if sum += math.Exp(v); i < 18000 {
			first += math.Exp(v)
		}
	}
	if got, want := first/sum, 18000.0/float64(f.Len()); math.Abs(got-want) > 1e-9 {
		t.Errorf("weight of the first: got %g, want %g", got, want)
	}
}
