package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cgbg-go/lab/data"
)

// longTRR repeats the test's trajectory n times with times that go on.
func longTRR(t *testing.T, n int) string {
	t.Helper()
	frames, err := os.ReadFile(trr)
	if err != nil {
		t.Fatal(err)
	}
	const count, timeAt = 8, 24 + 13*4 // frames in the file; magic number and version, sizes
	size := len(frames) / count
	long := bytes.Repeat(frames, n)
	for i := range count * n {
		binary.BigEndian.PutUint32(long[i*size+timeAt:], math.Float32bits(0.1*float32(i)))
	}
	path := filepath.Join(t.TempDir(), "long.trr")
	if err := os.WriteFile(path, long, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const importArgs = "CGBG_TEST_IMPORT"

// An import that is killed at any moment leaves the old file, or none where there was none, or the whole new one; what
// it leaves behind beside it does not open as a shorter file.
func TestKilledImport(t *testing.T) {
	if args := os.Getenv(importArgs); args != "" {
		os.Exit(exitCode(dispatch(context.Background(), strings.Split(args, "\n"), os.Stderr)))
	}
	const repeats = 1500
	dir, trajectory := t.TempDir(), longTRR(t, repeats)
	out := filepath.Join(dir, "out.arrow")
	args := []string{"import", "-structure", gro, "-map", "all-atom", "-o", out, trajectory}
	if _, err := call(t, args...); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if f, _, err := data.ReadFile(out); err != nil || f.Len() != 8*repeats {
		t.Fatalf("%v", err)
	}
	small := filepath.Join(dir, "small.arrow")
	if _, err := call(t, "import", "-structure", gro, "-o", small, trr); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	midway := 0
	for moment := range 12 {
		before := [][]byte{nil, old}[moment%2] // nil: no file
		os.Remove(out)
		if before != nil {
			if err := os.WriteFile(out, before, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		killImport(t, args, out, int64(len(whole))*int64(moment)/10) // the last ones at the end, or too late
		got, err := os.ReadFile(out)
		switch {
		case err == nil && bytes.Equal(got, whole):
		case before == nil && errors.Is(err, fs.ErrNotExist), before != nil && bytes.Equal(got, before):
			midway++
		default:
			t.Errorf("killed at moment %d: a file of %d bytes, whole ones have %d, the old one %d (%v)", moment,
				len(got),
				len(whole), len(before), err)
		}
		left, err := filepath.Glob(filepath.Join(dir, ".out.arrow*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			if f, _, err := data.ReadFile(path); err == nil && f.Len() != 8*repeats {
				t.Errorf("killed at moment %d: what it left opens with %d frames of %d", moment, f.Len(), 8*repeats)
			}
			os.Remove(path)
		}
	}
	if midway < 5 {
		t.Errorf("%d of 12 imports were killed before their end: the test shows little", midway)
	}
}

// killImport starts an import in another process and kills it when it has written so many bytes.
func killImport(t *testing.T, args []string, out string, written int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledImport$")
	cmd.Env = append(os.Environ(), importArgs+"="+strings.Join(args, "\n"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Microsecond) {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the import failed by itself: %v", err)
			}
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Error("the import does not end")
			written = 0
		}
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+"*"))
		if len(left) == 0 {
			continue
		}
		if info, err := os.Stat(left[0]); err == nil && info.Size() >= written {
			cmd.Process.Kill() // SIGKILL
			<-ended
			return
		}
	}
}
