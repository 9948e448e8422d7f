package dcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

func readAll(t testing.TB, in io.Reader) []gromacs.Frame {
	t.Helper()
	r, err := NewReader(in, "test.dcd")
	if err != nil {
		t.Fatal(err)
	}
	var frames []gromacs.Frame
	for {
		var f gromacs.Frame
		if err := r.Next(&f); err == io.EOF {
			return frames
		} else if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// swapped is the file with the bytes of every number in the other order; cell
// says that frames begin with six doubles.
func swapped(file []byte, cell bool) []byte {
	out := bytes.Clone(file)
	swap := func(at, size int) {
		for i := range size / 2 {
			out[at+i], out[at+size-1-i] = out[at+size-1-i], out[at+i]
		}
	}
	for at, n := 0, 0; at < len(file); n++ {
		size := int(binary.LittleEndian.Uint32(file[at:]))
		swap(at, 4)
		swap(at+4+size, 4)
		switch {
		case n == 0: // "CORD" and 20 numbers
			for i := 4; i < size; i += 4 {
				swap(at+4+i, 4)
			}
		case n == 1:
			swap(at+4, 4)
		default:
			word := 4
			if cell && size == 48 {
				word = 8
			}
			for i := 0; i < size; i += word {
				swap(at+4+i, word)
			}
		}
		at += size + 8
	}
	return out
}

// Files written by MDAnalysis 2.11 and mdtraj 1.11 from a trajectory that GROMACS
// wrote, in both orders of bytes.
func TestAgainstTRR(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames int
		step   float64
		box    [9]float64
	}{
		{"ala2_charmm.dcd", 8, 1, [9]float64{2.3, 0, 0, 0, 2.3, 0, 0, 0, 2.3}},
		{"ala2_nocell.dcd", 8, 0, [9]float64{}}, // of mdtraj, which writes no time step
		{"triclinic.dcd", 2, 1, [9]float64{2.3, 0, 0, -0.41675563, 2.3635386, 0, 0.43412046, 0.9447881, 2.2735249}},
	} {
		file := readFile(t, c.name)
		for _, order := range []string{"little", "big"} {
			if order == "big" {
				file = swapped(file, true)
			}
			got := readAll(t, bytes.NewReader(file))
			if len(got) != c.frames {
				t.Fatalf("%s: got %d frames, want %d", c.name, len(got), c.frames)
			}
			trr, err := gromacs.OpenTRR("../gromacs/testdata/ala2.trr")
			if err != nil {
				t.Fatal(err)
			}
			defer trr.Close()
			var want gromacs.Frame
			for n, f := range got {
				if err := trr.Next(&want); err != nil {
					t.Fatal(err)
				}
				if math.Abs(f.Time-c.step*float64(n)) > 1e-5 || f.F != nil {
					t.Errorf("%s, frame %d: got time %g, want %g", c.name, n, f.Time, c.step*float64(n))
				}
				for i := range f.Box {
					if math.Abs(f.Box[i]-c.box[i]) > 1e-6 {
						t.Errorf("%s, frame %d: got box %v, want %v", c.name, n, f.Box, c.box)
					}
				}
				for i, v := range f.R {
					if math.Abs(float64(v-want.R[i])) > 5e-7 {
						t.Fatalf("%s (%s), frame %d, R[%d]: got %v, want %v", c.name, order, n, i, v, want.R[i])
					}
				}
			}
		}
	}
}

func TestDamage(t *testing.T) {
	whole := readFile(t, "ala2_charmm.dcd")
	frame := (48 + 8) + 3*(22*4+8)
	start := len(whole) - 8*frame
	put := func(at int, v uint32) []byte {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name string
		file []byte
		err  error
		want string
	}{
		{"empty", nil, ErrTruncated, "offset 0"},
		{"text", []byte("ATOM  somewhere"), ErrFormat, "84 bytes"},
		{"velocities", put(4, 0x44434556), ErrFormat, "positions"},
		{"all atoms fixed", put(8+4*8, 22), ErrFormat, "22 of 22 atoms are fixed"},
		{"fixed atoms without their record", put(8+4*8, 3), ErrFormat, "a record of 48 bytes in place of one of 76"},
		{"no atoms", put(start-8, 0), ErrFormat, "0 atoms"},
		{"cut", whole[:start+2*frame+30], ErrTruncated, "frame 2"},
		{"cut between records", whole[:start+2*frame+56], ErrTruncated, "frame 2"},
		{"record", put(start+frame, 40), ErrFormat, "frame 1"},
		{"end mark", put(start+52, 40), ErrFormat, "ends with the mark"},
		{"nan", put(start+56+4, 0x7fc00000), ErrNonFinite, "atom 0"},
		{"cell", put(start+4+4, 0xbff00000), ErrFormat, "unit cell"},
	} {
		r, err := NewReader(bytes.NewReader(c.file), "test.dcd")
		var f gromacs.Frame
		for err == nil {
			err = r.Next(&f)
		}
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "test.dcd") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// Programs that are stopped, write on, or do not count leave another number of frames in the head than there are.
func TestUncounted(t *testing.T) {
	whole := readFile(t, "ala2_charmm.dcd")
	for _, c := range []struct {
		announced uint32
		note      string
	}{{0, ""}, {8, ""}, {3, "announces 3"}, {500, "it has 8 frames, its head announces 500"}, {1<<32 - 1, ""}} {
		binary.LittleEndian.PutUint32(whole[8:], c.announced)
		r, err := NewReader(bytes.NewReader(whole), "test.dcd")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; err == nil; n++ {
			if r.Note() != "" {
				t.Errorf("frame %d: the note %q before the end", n, r.Note())
			}
			err = r.Next(&gromacs.Frame{})
		}
		if err != io.EOF || n-1 != 8 || !strings.Contains(r.Note(), c.note) || c.note == "" && r.Note() != "" {
			t.Errorf("%d frames in the head: got %d, %v, %q, want 8 and %q", int32(c.announced), n-1, err, r.Note(),
				c.note)
		}
	}
}

func FuzzDCD(f *testing.F) {
	for _, name := range []string{"ala2_charmm.dcd", "ala2_nocell.dcd", "triclinic.dcd"} {
		f.Add(readFile(f, name))
		f.Add(swapped(readFile(f, name), true))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		var frame gromacs.Frame
		for n := 0; r.Next(&frame) == nil; n++ {
			if n > len(data) || len(frame.R)*4 > len(data) {
				t.Fatalf("frame %d with %d numbers out of %d bytes", n, len(frame.R), len(data))
			}
		}
	})
}

func BenchmarkDCD(b *testing.B) {
	data := readFile(b, "ala2_charmm.dcd")
	b.SetBytes(int64(len(data)))
	var f gromacs.Frame
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(data), "bench")
		for err == nil {
			err = r.Next(&f)
		}
	}
}
