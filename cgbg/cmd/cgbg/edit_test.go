package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
)

// numbered makes a file of n frames of one bead, which carry their number and
// the weight of it.
func numbered(t *testing.T, path string, n int, logw func(i int) float64) {
	t.Helper()
	w, err := data.Create(path, data.Meta{System: "test", Beads: []string{"ALA2:CA"}, Temperature: 300, Stride: 2})
	if err != nil {
		t.Fatal(err)
	}
	f := &data.Frames{Beads: 1, Dim: 3}
	for i := range n {
		f.R = append(f.R, float32(i), 0, 0)
		f.F = append(f.F, 0, 0, float32(i))
		if logw != nil {
			f.LogW = append(f.LogW, logw(i))
		}
	}
	if err := errors.Join(w.Append(f), w.Close()); err != nil {
		t.Fatal(err)
	}
}

// numbers are the frames' numbers, from R; F must agree.
func numbers(t *testing.T, path string) []int {
	t.Helper()
	r, err := data.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := r.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for i := range f.Len() {
		if f.F[3*i+2] != f.R[3*i] {
			t.Fatalf("%s, frame %d: R and F are of different frames", path, i)
		}
		out = append(out, int(f.R[3*i]))
	}
	return out
}

func TestSplit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.arrow")
	numbered(t, path, 1003, nil)
	if _, err := call(t, "split", "-blocks", "20", "-validation", "0.15", path); err != nil {
		t.Fatal(err)
	}
	train, validation := numbers(t, filepath.Join(dir, "a_split_train.arrow")),
		numbers(t, filepath.Join(dir, "a_split_validation.arrow"))
	if !slices.IsSorted(train) || !slices.IsSorted(validation) {
		t.Error("the order of time is lost")
	}
	all := slices.Concat(train, validation)
	slices.Sort(all)
	for i, k := range all {
		if i != k {
			t.Fatalf("frame %d is missing or stands twice", i)
		}
	}
	edges := 0
	for i := 1; i < len(validation); i++ {
		if validation[i] != validation[i-1]+1 {
			edges++
		}
	}
	if n := len(validation); n < 150 || n > 153 || edges > 2 {
		t.Errorf("validation has %d frames with %d gaps; want 3 blocks of 50 or 51", n, edges)
	}
	if _, err := call(t, "split", "-seed", "2", "-blocks", "20", "-validation", "0.15", path); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(validation, numbers(t, filepath.Join(dir, "a_split_validation.arrow"))) {
		t.Error("another seed gave the same blocks")
	}
}

// Frames stand in the resampled set as often as their weights say, and never on
// both sides.
func TestResampleCommand(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.arrow")
	logw := func(i int) float64 { return 2 * math.Sin(float64(i)) }
	const n = 4000
	numbered(t, path, n, logw)
	out, err := call(t, "resample", path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "effective") {
		t.Errorf("said %q", out)
	}
	train, validation := numbers(t, filepath.Join(dir, "a_resample_train.arrow")),
		numbers(t, filepath.Join(dir, "a_resample_validation.arrow"))
	if len(train) != 3600 || len(validation) != 400 {
		t.Fatalf("got %d and %d frames", len(train), len(validation))
	}
	count := map[int]int{}
	for _, k := range train {
		count[k]++
	}
	sum := 0.0
	inValidation := func(i int) bool { return validation[0]/400 == i/400 }
	for i := range n {
		if !inValidation(i) {
			sum += math.Exp(logw(i))
		}
	}
	for i := range n {
		want := 3600 * math.Exp(logw(i)) / sum
		if inValidation(i) {
			want = 0
		}
		if got := float64(count[i]); math.Abs(got-want) > 1 {
			t.Fatalf("frame %d: drawn %g times, its weight says %g", i, got, want)
		}
	}
	for _, k := range validation {
		if count[k] > 0 {
			t.Fatalf("frame %d stands on both sides", k)
		}
	}
	if out, err = call(t, "resample", "-n", "50", path); err != nil {
		t.Fatal(err)
	}
	drawn := filepath.Join(dir, "a_resample_train.arrow")
	var said, effective int // 3600 frames, effective 1234: …
	if _, err := fmt.Sscanf(out, "%d frames, effective %d", &said, &effective); err != nil || said != 3600 ||
		effective < 500 || effective > 3000 {
		t.Fatalf("said %q: %v", out, err)
	}
	want := fmt.Sprintf("effective    %d frames", effective)
	if out, err = call(t, "info", drawn); err != nil || !strings.Contains(out, want) ||
		!strings.Contains(out, "resample -n 50") || !strings.Contains(out, "is not known") {
		t.Errorf("info: got %q, %v; want %q", out, err, want)
	}
	if _, err := call(t, "split", drawn); err != nil {
		t.Fatal(err)
	}
	if out, err = call(t, "info", filepath.Join(dir, "a_resample_train_split_train.arrow")); err != nil ||
		strings.Contains(out, "effective") {
		t.Errorf("info of a part: got %q, %v; its effective number is not that of the whole", out, err)
	}
	plain := filepath.Join(dir, "b.arrow")
	numbered(t, plain, 50, nil)
	if _, err := call(t, "resample", plain); err == nil || !strings.Contains(err.Error(), "cgbg import -h") {
		t.Errorf("without weights: got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b_resample_train.arrow")); err == nil {
		t.Error("a failure left a file")
	}
}

func TestMergeAndExport(t *testing.T) {
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a.arrow"), filepath.Join(dir, "b.arrow"), filepath.Join(dir, "c.arrow")
	numbered(t, a, 20, nil)
	numbered(t, b, 30, nil)
	numbered(t, c, 30, func(int) float64 { return 0 })
	out := filepath.Join(dir, "m.arrow")
	if _, err := call(t, "merge", "-o", out, a, b); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, out); len(got) != 50 || got[19] != 19 || got[20] != 0 {
		t.Errorf("got %v", got)
	}
	// Frames with weights and without are pooled without.
	if _, err := call(t, "merge", "-o", filepath.Join(dir, "n.arrow"), a, c); err != nil {
		t.Error(err)
	}
	if _, err := call(t, "merge", "-level", "-o", filepath.Join(dir, "o.arrow"), a, c); err == nil {
		t.Error("no weights to level: got no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "o.arrow")); err == nil {
		t.Error("a failure left a file")
	}
	for _, ext := range []string{"npz", "pdb", "xtc"} {
		path := filepath.Join(dir, "x."+ext)
		if _, err := call(t, "export", "-o", path, a); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", ext, err)
		}
	}
	for _, args := range [][]string{{"export", a}, {"export", "-o", "x.csv", a},
		{"export", "-n", "3", "-o", "x.npz", a},
		{"merge", "-o", "x", a}, {"split", "-blocks", "1", a}, {"resample", "-n", "-1", a}} {
		if _, err := call(t, args...); !errors.Is(err, errUsage) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}
