package gromacs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
)

// readXTC reads all frames.
func readXTC(t testing.TB, r io.Reader) []Frame {
	t.Helper()
	x := NewXTC(r, "test.xtc")
	var frames []Frame
	for {
		var f Frame
		if err := x.Next(&f); err == io.EOF {
			return frames
		} else if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A box of water (runs of small differences) and a peptide, written by GROMACS,
// against MDAnalysis 2.11, which keeps Å in single precision.
func TestXTCAgainstMDAnalysis(t *testing.T) {
	for path, frames := range map[string]int{"water": 1, "ala2_xtc": 8} {
		file, err := npz.Open("testdata/" + path + "_mdanalysis.npz")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		var want []float32
		if err := file.Read("R.npy", &want); err != nil {
			t.Fatal(err)
		}
		got := readXTC(t, bytes.NewReader(readFile(t, "testdata/"+strings.TrimSuffix(path, "_xtc")+".xtc")))
		if len(got) != frames {
			t.Fatalf("%s: got %d frames, want %d", path, len(got), frames)
		}
		for n, f := range got {
			if f.Box[0] != float64(float32(2.3)) || math.Abs(f.Time-0.1*float64(n)) > 1e-6 {
				t.Errorf("%s, frame %d: got box %v, time %v", path, n, f.Box, f.Time)
			}
			for i, v := range f.R {
				if w := want[n*len(f.R)+i]; math.Abs(float64(v-w)) > 3e-7 {
					t.Fatalf("%s, frame %d, R[%d]: got %v, want %v", path, n, i, v, w)
				}
			}
		}
	}
}

// A precision so high that the numbers of a position are written one by one.
func TestXTCWide(t *testing.T) {
	got := readXTC(t, bytes.NewReader(readFile(t, "testdata/wide.xtc")))
	r := NewTRR(bytes.NewReader(readFile(t, "testdata/ala2.trr")), "ala2.trr")
	var want Frame
	for n, f := range got {
		if err := r.Next(&want); err != nil {
			t.Fatal(err)
		}
		for i, v := range f.R {
			if math.Abs(float64(v-want.R[i])) > 2e-7 {
				t.Fatalf("frame %d, R[%d]: got %v, want %v", n, i, v, want.R[i])
			}
		}
	}
	if len(got) != 8 {
		t.Errorf("got %d frames, want 8", len(got))
	}
}

func TestXTCRoundTrip(t *testing.T) {
	water := readXTC(t, bytes.NewReader(readFile(t, "testdata/water.xtc")))[0]
	few := Frame{Step: 7, Time: 1.5, R: ramp(9, -1)}
	far := Frame{R: append(ramp(30, 0), 9000, -7000, 8000)} // 64 bits and more for a position
	for name, f := range map[string]Frame{"water": water, "few atoms": few, "far": far} {
		precision := 1000.0
		var b bytes.Buffer
		w := NewXTCWriter(&b, precision)
		for range 2 {
			if err := w.Append(&f); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := readXTC(t, &b)
		if len(got) != 2 {
			t.Fatalf("%s: got %d frames, want 2", name, len(got))
		}
		g := got[1]
		if g.Step != f.Step || g.Time != f.Time || g.Box != f.Box {
			t.Errorf("%s: got step %d, time %g, box %v", name, g.Step, g.Time, g.Box)
		}
		for i, v := range f.R {
			if d := math.Abs(float64(g.R[i]) - float64(v)); d > 0.5/precision+1e-6*math.Abs(float64(v)) {
				t.Fatalf("%s, R[%d]: got %v, want %v", name, i, g.R[i], v)
			}
		}
	}
	w := NewXTCWriter(io.Discard, 1e6)
	if err := w.Append(&Frame{R: append(ramp(30, 0), 90, 0, 0)}); !errors.Is(err, ErrRange) {
		t.Errorf("too far: got %v", err)
	}
	if err := w.Append(&Frame{R: append(ramp(30, 0), 1e6, 0, 0)}); !errors.Is(err, ErrRange) {
		t.Errorf("much too far: got %v", err)
	}
}

// Damage is reported with file, frame and offset.
func TestXTCDamage(t *testing.T) {
	whole := readFile(t, "testdata/ala2.xtc")
	size := len(whole) / 8
	at := func(offset int, v uint32) []byte {
		b := bytes.Clone(whole)
		binary.BigEndian.PutUint32(b[offset:], v)
		return b
	}
	const head = 3*4 + 4 + 36 // to the second count of atoms
	for _, c := range []struct {
		name string
		file []byte
		err  error
		want string
	}{
		{"cut", whole[:3*size+40], ErrTruncated, "frame 3"},
		{"cut in a head", whole[:10], ErrTruncated, "frame 0"},
		{"magic", at(0, 1993), ErrFormat, "1993"},
		{"atoms", at(4, 23), ErrFormat, "23 atoms, and then 22"},
		{"huge", func() []byte { b := at(4, 80e6); binary.BigEndian.PutUint32(b[head:], 80e6); return b }(), ErrFormat,
			"frame 0"},
		{"box", at(16, math.Float32bits(float32(math.NaN()))), ErrNonFinite, "box"},
		{"precision", at(head+4, 0), ErrFormat, "precision"},
		{"bytes", at(head+4+4+28, 1<<30), ErrFormat, "bytes"},
		{"few bytes", at(head+4+4+28, 4), ErrFormat, "end at atom"},
		{"range", at(head+4+4+24, 200), ErrFormat, "range 200"},
	} {
		x := NewXTC(bytes.NewReader(c.file), "test.xtc")
		var f Frame
		var err error
		for err == nil {
			err = x.Next(&f)
		}
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "test.xtc: frame") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func FuzzXTC(f *testing.F) {
	for _, name := range []string{"ala2", "water", "wide"} {
		f.Add(readFile(f, "testdata/"+name+".xtc"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := NewXTC(bytes.NewReader(data), "fuzz")
		var frame Frame
		for n := 0; x.Next(&frame) == nil; n++ {
			if n > len(data) || len(frame.R) > 12*len(data)+3*xtcPlain {
				t.Fatalf("frame %d with %d numbers out of %d bytes", n, len(frame.R), len(data))
			}
		}
	})
}

// Speed is that of decoded coordinates.
func BenchmarkXTC(b *testing.B) {
	data := bytes.Repeat(readFile(b, "testdata/water.xtc"), 16)
	b.SetBytes(16 * 1174 * 12)
	var f Frame
	for b.Loop() {
		x := NewXTC(bytes.NewReader(data), "bench")
		for x.Next(&f) == nil {
		}
	}
}

func TestPDBWriter(t *testing.T) {
	s, err := ReadGRO("testdata/ala2.gro")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := NewPDBWriter(&b, s.Atoms)
	for range 2 {
		if err := w.Append(&Frame{R: s.R, Box: s.Box}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "ENDMDL"); n != 2 {
		t.Errorf("got %d models, want 2", n)
	}
	got, err := ParsePDB(&b, "test.pdb")
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range s.Atoms {
		a.Element = got.Atoms[i].Element // GRO files have none
		if got.Atoms[i] != a {
			t.Errorf("atom %d: got %+v, want %+v", i, got.Atoms[i], a)
		}
	}
	for i, v := range s.R {
		if math.Abs(float64(got.R[i]-v)) > 6e-5 {
			t.Errorf("R[%d]: got %v, want %v", i, got.R[i], v)
		}
	}
	for i, v := range s.Box {
		if math.Abs(got.Box[i]-v) > 1e-4 {
			t.Errorf("box[%d]: got %v, want %v", i, got.Box[i], v)
		}
	}
	if err := w.Append(&Frame{R: append([]float32{2000}, s.R[1:]...)}); err == nil {
		t.Error("a position beyond the columns: got no error")
	}
}
