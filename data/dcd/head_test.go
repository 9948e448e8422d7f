package dcd

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// file is a DCD file to write: what differs between programs.
type file struct {
	order      binary.AppendByteOrder
	mark       int // bytes of marks
	delta      float32
	xplor      float64 // time step of X-PLOR's form
	start, nsv int32
	titleMark  int // of the title's record; 0: the right one
	lines      int // that the title says it has; 0: the right number
	title      string
	flags      [2]int32 // cell and fourth dimension, as the head has them
	cell       []float64
	fixed      []int // atoms, from 0
	frames     [][]float32
}

func (f *file) bytes() []byte {
	var p []byte
	mark := func(n int) {
		if f.mark == 8 {
			p = f.order.AppendUint64(p, uint64(n))
		} else {
			p = f.order.AppendUint32(p, uint32(n))
		}
	}
	record := func(b []byte) { mark(len(b)); p = append(p, b...); mark(len(b)) }
	words := func(v ...int32) (b []byte) {
		for _, w := range v {
			b = f.order.AppendUint32(b, uint32(w))
		}
		return b
	}
	atoms := len(f.frames[0]) / 3
	control := make([]int32, 20)
	control[0], control[1], control[2], control[8] = int32(len(f.frames)), f.start, f.nsv, int32(len(f.fixed))
	control[10], control[11], control[19] = f.flags[0], f.flags[1], 24
	control[9] = int32(math.Float32bits(f.delta))
	head := append([]byte("CORD"), words(control...)...)
	if f.xplor != 0 {
		head = append(f.order.AppendUint64(head[:4+36:4+36], math.Float64bits(f.xplor)), words(make([]int32, 9)...)...)
	}
	record(head)
	lines := (len(f.title) + 79) / 80
	text := append(words(int32(max(lines, f.lines))), f.title+strings.Repeat(" ", 80*lines-len(f.title))...)
	if f.titleMark == 0 {
		record(text)
	} else {
		mark(f.titleMark)
		p = append(p, text...)
		mark(f.titleMark)
	}
	record(words(int32(atoms)))
	var free []int
	for i := range atoms {
		if !slices.Contains(f.fixed, i) {
			free = append(free, i)
		}
	}
	if f.fixed != nil {
		var b []byte
		for _, i := range free {
			b = append(b, words(int32(i+1))...)
		}
		record(b)
	}
	for n, r := range f.frames {
		if f.cell != nil {
			var b []byte
			for _, v := range f.cell {
				b = f.order.AppendUint64(b, math.Float64bits(v))
			}
			record(b)
		}
		for k := range 3 {
			var b []byte
			for i := range atoms {
				if n == 0 || !slices.Contains(f.fixed, i) {
					b = f.order.AppendUint32(b, math.Float32bits(10*r[3*i+k]))
				}
			}
			record(b)
		}
	}
	return p
}

// example has two frames of four atoms; atom 2 does not move.
func example() file {
	f := file{order: binary.LittleEndian, mark: 4, delta: 0.02045482706, nsv: 500, start: 500,
		title: "REMARKS made by a test"}
	for n := range 2 {
		var r []float32
		for i := range 4 {
			x := float32(n) / 8
			if i == 2 {
				x = 0
			}
			r = append(r, float32(i)+x, 0.25*float32(i)-x, 0.5)
		}
		f.frames = append(f.frames, r)
	}
	return f
}

// Forms of different programs hold the same frames.
func TestForms(t *testing.T) {
	cell := []float64{30, 90, 40, 90, 90, 50}
	slab := []float64{30, 90, 40, 90, 90, 0}
	for _, c := range []struct {
		name string
		edit func(f *file)
		box  [9]float64
	}{
		{"plain", func(f *file) {}, [9]float64{}},
		{"big-endian", func(f *file) { f.order = binary.BigEndian }, [9]float64{}},
		{"64-bit marks", func(f *file) { f.mark, f.cell, f.flags[0] = 8, cell, 1 },
			[9]float64{3, 0, 0, 0, 4, 0, 0, 0, 5}},
		{"64-bit marks, big-endian", func(f *file) { f.mark, f.order = 8, binary.BigEndian }, [9]float64{}},
		{"X-PLOR", func(f *file) { f.xplor = 0.02045482706 }, [9]float64{}},
		{"a title of three lines in a record said to be of two",
			func(f *file) { f.title, f.titleMark = strings.Repeat("x", 240), 164 }, [9]float64{}},
		{"a title of one line that says three", func(f *file) { f.lines = 3 }, [9]float64{}},
		{"a title without lines", func(f *file) { f.title = "" }, [9]float64{}},
		{"a title of one line, of three by mark and number", func(f *file) { f.lines, f.titleMark = 3, 244 },
			[9]float64{}},
		{"a cell that the head does not know of", func(f *file) { f.cell = cell },
			[9]float64{3, 0, 0, 0, 4, 0, 0, 0, 5}},
		{"no cell where the head has one", func(f *file) { f.flags[0] = 1 }, [9]float64{}},
		{"a slab", func(f *file) { f.cell, f.flags[0] = slab, 1 }, [9]float64{3, 0, 0, 0, 4, 0, 0, 0, 0}},
		{"a cell of zeros", func(f *file) { f.cell, f.flags[0] = make([]float64, 6), 1 }, [9]float64{}},
		{"fixed atoms", func(f *file) { f.fixed, f.cell, f.flags[0] = []int{2}, cell, 1 },
			[9]float64{3, 0, 0, 0, 4, 0, 0, 0, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := example()
			c.edit(&f)
			got := readAll(t, bytes.NewReader(f.bytes()))
			if len(got) != len(f.frames) {
				t.Fatalf("got %d frames, want %d", len(got), len(f.frames))
			}
			for n, frame := range got {
				if math.Abs(frame.Time-0.5*float64(n+1)) > 1e-6 {
					t.Errorf("frame %d: got time %g, want %g", n, frame.Time, 0.5*float64(n+1))
				}
				for i, v := range frame.R {
					if math.Abs(float64(v-f.frames[n][i])) > 1e-6 {
						t.Errorf("frame %d, R[%d]: got %v, want %v", n, i, v, f.frames[n][i])
					}
				}
				for i, v := range frame.Box {
					if math.Abs(v-c.box[i]) > 1e-12 {
						t.Errorf("frame %d: got box %v, want %v", n, frame.Box, c.box)
					}
				}
			}
		})
	}
}

// Frames that are read into one another keep the atoms that do not move.
func TestFixedAtomsInPlace(t *testing.T) {
	f := example()
	f.fixed = []int{2}
	r, err := NewReader(bytes.NewReader(f.bytes()), "test.dcd")
	if err != nil {
		t.Fatal(err)
	}
	var frame gromacs.Frame
	for n := range f.frames {
		if err := r.Next(&frame); err != nil {
			t.Fatal(err)
		}
		for i := range frame.R { // what a caller does to a frame stays in it
			if math.Abs(float64(frame.R[i]-f.frames[n][i])) > 1e-6 {
				t.Errorf("frame %d, R[%d]: got %v, want %v", n, i, frame.R[i], f.frames[n][i])
			}
			frame.R[i] = -1
		}
	}
}

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		name, title string
		delta       float32
		every       int32
		want        float64
		doubt       string
	}{
		{"CHARMM, 2 fs", "REMARKS by a test", 0.04090965, 50, 0.1, ""},
		{"LAMMPS, real", "Written by LAMMPS", 2, 1000, 2, "in fs (units real)"},
		{"LAMMPS, metal", "Written by LAMMPS", 0.001, 100, 0, "units of the simulation's"},
		{"VMD, mdtraj", "Created by DCD plugin", 1, 1, 0, "VMD and mdtraj"},
		{"cpptraj", "Cpptraj generated dcd file.", 0.001, 1, 0, "cpptraj"},
		{"HOOMD", "Created by HOOMD-Blue", 0, 1, 0, "no time step"},
		{"not a number", "", float32(math.NaN()), 1, 0, "no time step"},
		{"no interval", "", 0.04, 0, 0, "no time step"},
	} {
		f := example()
		f.title, f.delta, f.nsv = c.title, c.delta, c.every
		r, err := NewReader(bytes.NewReader(f.bytes()), "test.dcd")
		if err != nil {
			t.Fatal(err)
		}
		got, doubt := r.Interval()
		if math.Abs(got-c.want) > 1e-6 || !strings.Contains(doubt, c.doubt) || c.doubt == "" && doubt != "" ||
			c.want == 0 && !strings.Contains(doubt, "-dt") {
			t.Errorf("%s: got %g, %q, want %g, %q", c.name, got, doubt, c.want, c.doubt)
		}
	}
}
