package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// In a pipe a task's first line comes at once, the next after seconds, the last at its end, once; nothing overwrites
// anything.
func TestProgressInPipe(t *testing.T) {
	var out strings.Builder
	clock := time.Unix(1e9, 0)
	p := &progress{w: &out, now: func() time.Time { return clock }}
	for _, c := range []struct {
		after       time.Duration
		done, total int
	}{{0, 0, 100}, {1, 1, 100}, {1, 2, 100}, {4, 6, 100}, {2, 8, 100}, {42, 50, 100}, {1, 51, 100}, {9, 100, 100},
		{0, 100, 100}, {0, 0, 7}, {1, 7, 7}} {
		clock = clock.Add(c.after * time.Second)
		p.tell(c.done, c.total, "")
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := []string{"0 of 100 (0 %)", "6 of 100 (6 %), 1m34s left", "50 of 100 (50 %), 50s left", "100 of 100 (100 %)",
		"0 of 7 (0 %)", "7 of 7 (100 %)"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A file is no terminal.
func TestProgressInFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines(f)(3, 10, "loss 2")
	if got, err := os.ReadFile(path); err != nil || string(got) != "3 of 10 (30 %), loss 2\n" {
		t.Errorf("got %q, %v", got, err)
	}
}
