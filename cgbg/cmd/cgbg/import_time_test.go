package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

// trrFrame is the head of a frame of TRR to write, and what it has: x, v, f.
type trrFrame struct {
	step int32
	time float32
	has  string
}

// writeTRR writes frames of the test's molecule, with its first frame's positions and forces in all.
func writeTRR(t *testing.T, frames []trrFrame) string {
	t.Helper()
	in, err := gromacs.OpenTRR(trr)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var f gromacs.Frame
	if err := in.Next(&f); err != nil {
		t.Fatal(err)
	}
	var p []byte
	word := func(v int) { p = binary.BigEndian.AppendUint32(p, uint32(int32(v))) }
	real := func(v float32) { p = binary.BigEndian.AppendUint32(p, math.Float32bits(v)) }
	for _, frame := range frames {
		word(1993)
		word(13)
		word(12)
		p = append(p, "GMX_trn_file"...)
		size := func(name string) int { return 4 * len(f.R) * strings.Count(frame.has, name) }
		for _, v := range []int{0, 0, 36, 0, 0, 0, 0, size("x"), size("v"), size("f"), len(f.R) / 3, int(frame.step),
			0} {
			word(v)
		}
		real(frame.time)
		real(0)
		for _, v := range f.Box {
			real(float32(v))
		}
		for _, block := range []struct {
			name   string
			values []float32
		}{{"x", f.R}, {"v", f.R}, {"f", f.F}} {
			for _, v := range block.values[:size(block.name)/4] {
				real(v)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "made.trr")
	if err := os.WriteFile(path, p, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// evenFrames are n frames from a time on, of a step every `by`; has(i): what frame i has.
func evenFrames(n int, start, dt float64, by int, has func(i int) string) (frames []trrFrame) {
	for i := range n {
		frames = append(frames, trrFrame{int32(uint32(i * by)), float32(start + float64(i)*dt), has(i)})
	}
	return frames
}

func both(int) string { return "xf" }

// Times in single precision of runs of any length are neither missing nor twice, and what is shows.
func TestImportTimes(t *testing.T) {
	without := func(frames []trrFrame, at int) []trrFrame { return append(frames[:at:at], frames[at+1:]...) }
	twice := func(frames []trrFrame, at int) []trrFrame { return append(frames[:at+1:at+1], frames[at:]...) }
	last := func(frames []trrFrame, time float32) []trrFrame { frames[len(frames)-1].time = time; return frames }
	numbered := func(frames []trrFrame) []trrFrame {
		for i := range frames {
			frames[i].step = int32(i)
		}
		return frames
	}
	const missing = "frames are missing or stand twice"
	for _, c := range []struct {
		name   string
		frames []trrFrame
		args   string
		stride float64
		want   string // in the error or, with a stride, in what is printed
	}{
		{"from zero", evenFrames(50, 0, 0.1, 1, both), "", 0.1, ""},
		{"4 ns", evenFrames(300, 4000, 0.1, 200, both), "", 0.1, ""},
		{"100 ns", evenFrames(150, 1e5, 0.1, 1, both), "", 0.1, ""},
		{"100 ns, two frames", evenFrames(2, 1e5, 0.1, 1, both), "", 0.1, "known to"},
		{"500 ns", evenFrames(300, 5e5, 0.1, 50, both), "", 0.1, ""},
		{"1 µs", evenFrames(300, 1e6, 0.1, 50, both), "", 0.1, ""},
		{"1 µs, every third", evenFrames(300, 1e6, 0.1, 50, both), "-every 3", 0.3, ""},
		{"1 µs, no steps", evenFrames(300, 1e6, 0.1, 0, both), "", 0.1,
			"whether single frames are missing does not show"},
		{"steps beyond 32 bits", evenFrames(50, 1e6, 0.5, 1<<27, both), "", 0.5, ""},
		{"0.25 ps across a power of two", evenFrames(400, 131072-50, 0.25, 1, both), "", 0.25, ""},
		{"a third", evenFrames(100, 0, 1.0/3, 1, both), "", 0.333333, ""},
		{"before zero", evenFrames(100, -5, 0.1, 1, both), "", 0.1, ""},
		{"no times", evenFrames(10, 0, 0, 1, both), "", 0, "not known"},
		{"no times, -dt", evenFrames(10, 0, 0, 1, both), "-dt 0.2 -every 2", 0.4, ""},
		{"-dt agrees", evenFrames(10, 1e6, 0.1, 1, both), "-dt 0.1", 0.1, ""},
		{"-dt differs", evenFrames(10, 0, 0.1, 1, both), "-dt 0.2", 0,
			"0.1 ps apart by their own times, -dt says 0.2 ps"},
		{"-dt with -every", evenFrames(10, 0, 0.1, 1, both), "-dt 0.1 -every 2", 0.2, ""},
		{"one kept", evenFrames(10, 0, 0.1, 1, both), "-every 20", 2, ""},
		{"a gap", without(evenFrames(50, 0, 0.1, 1, both), 30), "", 0, "frame 30: its time is 3.0999999 ps where 3"},
		{"a gap at 100 ns", without(evenFrames(150, 1e5, 0.1, 1, both), 70), "", 0, missing},
		{"a gap at 1 µs", without(evenFrames(150, 1e6, 0.1, 5, both), 70), "", 0, missing},
		{"a gap at 1 µs, by its steps", without(evenFrames(150, 1e6, 0.05, 5, both), 70), "", 0,
			"frame 70: its step is not 5 after"},
		{"a gap at 500 ns, steps that number the frames", numbered(without(evenFrames(40, 5e5, 0.1, 1, both), 20)), "",
			0, missing},
		{"1 µs, steps that number the frames", evenFrames(50, 1e6, 0.1, 1, both), "", 0.1,
			"whether single frames are missing does not show"},
		{"a gap between the frames kept", without(evenFrames(50, 0, 0.1, 1, both), 31), "-every 2", 0, missing},
		{"twice", twice(evenFrames(50, 0, 0.1, 1, both), 20), "", 0, missing},
		{"the last as the first", last(evenFrames(50, 0, 0.1, 1, both), 0), "", 0,
			"frame 49: its time is 0 ps where 4.9"},
		{"the last as the first, at 100 ns", last(evenFrames(50, 1e5, 0.1, 1, both), 1e5), "", 0, missing},
		{"back", last(evenFrames(2, 5, 0.1, 1, both), 4), "", 0, "is before that of the frame before it"},
		{"two runs", append(evenFrames(20, 0, 0.1, 1, both), evenFrames(20, 0, 0.1, 1, both)...), "", 0, missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkImport(t, writeTRR(t, c.frames), c.args, c.stride, -1, c.want)
		})
	}
}

// checkImport imports a trajectory, and compares the time between frames and their number (−1: any); with
// neither, want is in the error.
func checkImport(t *testing.T, trajectory, args string, stride float64, frames int, want string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.arrow")
	text, err := call(t, append(append([]string{"import", "-temperature", "300", "-structure", gro, "-o", out},
		strings.Fields(args)...), trajectory)...)
	switch fails := stride == 0 && !strings.Contains(text, want); {
	case fails && (err == nil || !strings.Contains(err.Error(), want)):
		t.Fatalf("got %q, %v, want the error %q", text, err, want)
	case fails:
		return
	case err != nil || !strings.Contains(text, want) || want == "" && strings.Count(text, "\n") > 1:
		t.Fatalf("got %q, %v, want %q", text, err, want)
	}
	f, meta, err := data.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if meta.Stride != stride || frames >= 0 && f.Len() != frames {
		t.Errorf("got %d frames %g ps apart, want %d and %g", f.Len(), meta.Stride, frames, stride)
	}
}

// Trajectories follow each other, and no frame stands twice between them.
func TestImportParts(t *testing.T) {
	part := func(start float64) string { return writeTRR(t, evenFrames(5, start, 0.1, 1, both)) }
	first, next, overlap, within := part(0), part(0.5), part(0.4), part(0.2)
	link := filepath.Join(t.TempDir(), "link.trr")
	if err := os.Symlink(first, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, more, want string }{
		{"parts", next, ""},
		{"runs from the same time on", part(0), ""},
		{"a frame twice", overlap, "begins at 0.400000006 ps, where"},
		{"the same file", first, "is given twice"},
		{"the same file by a link", link, "is given twice"},
		{"nothing left", part(0) + " -skip 5", "no frame is left"},
	} {
		out := filepath.Join(t.TempDir(), "out.arrow")
		_, err := call(t, append([]string{"import", "-structure", gro, "-o", out, first}, strings.Fields(c.more)...)...)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	text, err := call(t, "import", "-structure", gro, "-o", filepath.Join(t.TempDir(), "out.arrow"), first, within)
	if want := "begins at 0.200000003 ps, before " + first + " ends (0.400000006 ps)"; err != nil ||
		!strings.Contains(text, want) {
		t.Errorf("parts that overlap: got %q, %v, want %q", text, err, want)
	}
}

// Positions, velocities and forces may be written at different intervals: frames that have what is needed are taken.
func TestImportIntervals(t *testing.T) {
	every := func(x, v, f int) func(i int) string {
		return func(i int) (has string) {
			for _, b := range []struct {
				name  string
				every int
			}{{"x", x}, {"v", v}, {"f", f}} {
				if i%b.every == 0 {
					has += b.name
				}
			}
			return has
		}
	}
	const never = 1 << 30
	for _, c := range []struct {
		name   string
		has    func(i int) string
		args   string
		stride float64
		frames int
		want   string
	}{
		{"forces every second", every(1, never, 2), "", 0.2, 6,
			"6 of 12 frames have forces: these are taken, 0.2 ps apart"},
		{"forces every second, taken so", every(1, never, 2), "-every 2", 0.2, 6, ""},
		{"forces every second, taken by threes", every(1, never, 2), "-every 3", 0.6, 2, "2 of 4 frames"},
		{"forces missed", every(1, never, 2), "-every 2 -skip 1", 0, 0,
			"none of the frames kept (-skip 1 -every 2) has forces"},
		{"positions every second", every(2, never, 1), "", 0.2, 6, "6 of 12 frames have positions"},
		{"positions every second, forces every third", every(2, never, 3), "", 0.6, 2, "have forces"},
		{"velocities between", every(2, 1, 2), "", 0.2, 6, "6 of 12 frames have positions"},
		{"forces once", every(1, never, 100), "", 0.1, 12, "1 of 12 frames has forces, which are left out"},
		{"no positions", func(int) string { return "vf" }, "", 0, 0, "its frames have no positions"},
		{"dihedrals need no forces", every(1, never, 2), "-map dihedrals", 0.1, 12, ""},
		{"forces where positions are not", func(i int) string { return []string{"x", "f"}[i%2] }, "", 0.2, 6,
			"6 of 12 frames have forces but no positions"},
		{"uneven", func(i int) string { return []string{"x", "xf"}[min(1, i*i%5/4)] }, "", 0, 0,
			"of the frames with forces, which are 4 of 12: frame 7: its time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkImport(t, writeTRR(t, evenFrames(12, 0, 0.1, 1, c.has)), c.args, c.stride, c.frames, c.want)
		})
	}
}

// The heads are those of the frames themselves, read or passed over.
func TestHeads(t *testing.T) {
	path := writeTRR(t, evenFrames(9, 3, 0.5, 7, func(i int) string { return []string{"xvf", "x", "f"}[i%3] }))
	in, err := gromacs.OpenTRR(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	got := ""
	var h gromacs.Head
	for in.NextHead(&h) == nil {
		got += fmt.Sprint(h)
	}
	want := "{0 3 true true}{7 3.5 true false}{14 4 false true}{21 4.5 true true}{28 5 true false}{35 5.5 false " +
		"true}{42 6 true true}{49 6.5 true false}{56 7 false true}"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
