package gromacs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
)

// synthetic is a frame to be encoded.
type synthetic struct {
	Frame
	atoms     int
	box, more bool // whether there is a box; a virial and a pressure
}

// encode writes frames as libgromacs does: XDR, big-endian.
func encode(double bool, frames ...synthetic) []byte {
	var b bytes.Buffer
	word := int32(4)
	if double {
		word = 8
	}
	number := func(v float64) {
		if double {
			binary.Write(&b, binary.BigEndian, v)
		} else {
			binary.Write(&b, binary.BigEndian, float32(v))
		}
	}
	for _, f := range frames {
		binary.Write(&b, binary.BigEndian, []int32{trrMagic, int32(len(trrVersion)) + 1, int32(len(trrVersion))})
		b.WriteString(trrVersion)
		h := trrHeader{Atoms: int32(f.atoms), Step: int32(f.Step), X: int32(len(f.R)) * word, V: int32(len(f.V)) * word,
			F: int32(len(f.F)) * word}
		if f.box {
			h.Box = 9 * word
		}
		if f.more {
			h.Vir, h.Pres = 9*word, 9*word
		}
		binary.Write(&b, binary.BigEndian, h)
		number(f.Time)
		number(f.Lambda)
		for i := range 9 {
			if f.box {
				number(f.Box[i])
			}
		}
		for range 18 {
			if f.more {
				number(7)
			}
		}
		for _, block := range [][]float32{f.R, f.V, f.F} {
			for _, v := range block {
				number(float64(v))
			}
		}
	}
	return b.Bytes()
}

func ramp(n int, start float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = start + float32(i)/8
	}
	return x
}

func example(step int64) synthetic {
	return synthetic{atoms: 3, box: true,
		Frame: Frame{Step: step, Time: float64(step) / 4, Lambda: 0.5, Box: [9]float64{2, 0, 0, 0, 2, 0, 0, 0, 2},
			R: ramp(9, float32(step)), V: ramp(9, -1), F: ramp(9, 100)}}
}

// The first frames of a real trajectory, against MDAnalysis 2.4.2.
func TestAgainstMDAnalysis(t *testing.T) {
	file, err := npz.Open("testdata/ala2_mdanalysis.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := map[string][]float64{}
	for _, name := range []string{"R", "F", "time"} {
		var single []float32
		var double []float64
		if err := file.Read(name+".npy", &double); err != nil {
			if err := file.Read(name+".npy", &single); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range single {
			double = append(double, float64(v))
		}
		want[name] = double
	}
	r, err := OpenTRR("testdata/ala2.trr")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var f Frame
	n := 0
	for ; ; n++ {
		if err := r.Next(&f); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		// MDAnalysis keeps positions in Å, in single precision: one rounding more.
		for i := range f.R {
			if w := want["R"][n*len(f.R)+i]; math.Abs(float64(f.R[i])-w) > 1e-6 {
				t.Fatalf("frame %d, R[%d]: got %g, want %g", n, i, f.R[i], w)
			}
			if w := want["F"][n*len(f.F)+i]; math.Abs(float64(f.F[i])-w) > 1e-6*(1+math.Abs(w)) {
				t.Fatalf("frame %d, F[%d]: got %g, want %g", n, i, f.F[i], w)
			}
		}
		if math.Abs(f.Time-want["time"][n]) > 1e-4 {
			t.Errorf("frame %d: got %g ps, want %g", n, f.Time, want["time"][n])
		}
	}
	if n != 8 || len(f.R) != 66 || f.V != nil {
		t.Errorf("got %d frames of %d coordinates, velocities %v", n, len(f.R), f.V)
	}
}

// What is encoded comes back, in both precisions, whatever parts there are.
func TestRoundTrip(t *testing.T) {
	for _, double := range []bool{false, true} {
		for parts := range 32 {
			s := example(12)
			s.box, s.more = parts&1 != 0, parts&2 != 0
			for bit, block := range map[int]*[]float32{4: &s.R, 8: &s.V, 16: &s.F} {
				if parts&bit == 0 {
					*block = nil
				}
			}
			if !s.box {
				s.Box = [9]float64{}
			}
			if !s.box && !s.more && s.R == nil && s.V == nil && s.F == nil && double {
				continue // no block tells the precision
			}
			r := NewTRR(bytes.NewReader(encode(double, s, s)), "synthetic")
			var f Frame
			for range 2 {
				if err := r.Next(&f); err != nil {
					t.Fatalf("double %v, parts %b: %v", double, parts, err)
				}
				if f.Step != s.Step || f.Time != s.Time || f.Lambda != s.Lambda || f.Box != s.Box {
					t.Errorf("double %v, parts %b: got %+v", double, parts, f)
				}
				for k, pair := range [][2][]float32{{f.R, s.R}, {f.V, s.V}, {f.F, s.F}} {
					if len(pair[0]) != len(pair[1]) {
						t.Fatalf("double %v, parts %b, block %d: got %d numbers, want %d", double, parts, k,
							len(pair[0]), len(pair[1]))
					}
					for i := range pair[0] {
						if pair[0][i] != pair[1][i] {
							t.Errorf("double %v, parts %b, block %d: got %v, want %v", double, parts, k, pair[0],
								pair[1])
							break
						}
					}
				}
			}
			if err := r.Next(&f); err != io.EOF {
				t.Errorf("double %v, parts %b: got %v at the end", double, parts, err)
			}
		}
	}
}

// A file cut anywhere but between frames is an error that says where, and the
// whole frames before it are read.
func TestTruncation(t *testing.T) {
	for _, double := range []bool{false, true} {
		one, two := encode(double, example(1)), encode(double, example(1), example(2))
		for cut := range two {
			r := NewTRR(bytes.NewReader(two[:cut]), "cut.trr")
			var f Frame
			n := 0
			var err error
			for ; err == nil; n++ {
				err = r.Next(&f)
			}
			n--
			if want := cut / len(one); n != want {
				t.Fatalf("cut at %d: got %d frames, want %d", cut, n, want)
			}
			if cut%len(one) == 0 {
				if err != io.EOF {
					t.Fatalf("cut at %d, between frames: got %v", cut, err)
				}
				continue
			}
			if !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), "cut.trr: frame") ||
				!strings.Contains(err.Error(), "offset") {
				t.Fatalf("cut at %d: got %v", cut, err)
			}
		}
	}
}

// put overwrites the header's word at index i (IR is 0) of an encoded file.
func put(data []byte, i int, v int32) []byte {
	data = bytes.Clone(data)
	binary.BigEndian.PutUint32(data[12+len(trrVersion)+4*i:], uint32(v))
	return data
}

// Bad files are errors that say what is wrong, and never a huge allocation.
func TestBadFiles(t *testing.T) {
	good := encode(false, example(1))
	blown := example(1)
	blown.F = append([]float32(nil), blown.F...)
	blown.F[4] = float32(math.NaN())
	infinite := example(1)
	infinite.R = append([]float32(nil), infinite.R...)
	infinite.R[8] = float32(math.Inf(1))
	other := example(2)
	other.atoms, other.R, other.V, other.F = 2, other.R[:6], other.V[:6], other.F[:6]
	const x, atoms = 7, 10
	manyAtoms := put(put(put(put(good, atoms, maxAtoms), x, maxAtoms*12), x+1, 0), x+2, 0)
	little := bytes.Clone(good)
	binary.LittleEndian.PutUint32(little, trrMagic)
	version := bytes.Clone(good)
	version[14] = 'x'
	for _, c := range []struct {
		name string
		data []byte
		kind error
		want string
	}{
		{"not TRR", []byte("\x89PNG\r\n\x1a\n0000"), ErrFormat, "no TRR file"},
		{"little-endian", little, ErrFormat, "little-endian"},
		{"version", version, ErrFormat, "version"},
		{"negative atoms", put(good, atoms, -3), ErrFormat, "-3 atoms"},
		{"too many atoms", put(good, atoms, math.MaxInt32), ErrFormat, "atoms"},
		{"huge frame", manyAtoms, ErrTruncated, "frame 0"},
		{"negative size", put(good, x, -36), ErrFormat, "positions"},
		{"odd size", put(good, x, 35), ErrFormat, "positions"},
		{"two precisions", put(good, x, 72), ErrFormat, "bytes"},
		{"energy record", put(good, 1, 8), ErrFormat, "energy"},
		{"NaN", encode(false, blown), ErrNonFinite, "force of atom 1"},
		{"infinity", encode(true, infinite), ErrNonFinite, "position of atom 2"},
		{"other atoms", encode(false, example(1), other), ErrFormat, "frame 1"},
		{"garbage behind", append(bytes.Clone(good), "garbage"...), ErrFormat, "1 frames before it are whole"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := NewTRR(bytes.NewReader(c.data), "bad.trr")
			var f Frame
			var err error
			for err == nil {
				err = r.Next(&f)
			}
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), "bad.trr") {
				t.Errorf("got %v; want %v with %q", err, c.kind, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
				t.Errorf("took %d bytes", used)
			}
		})
	}
	if err := NewTRR(bytes.NewReader(nil), "empty").Next(new(Frame)); err != io.EOF {
		t.Errorf("empty file: got %v", err)
	}
	if _, err := OpenTRR("testdata/none.trr"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func FuzzTRR(f *testing.F) {
	f.Add(encode(false, example(1), example(2)))
	f.Add(encode(true, example(1)))
	f.Add(encode(false, synthetic{atoms: 0}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewTRR(bytes.NewReader(data), "fuzz")
		var frame Frame
		for n := 0; r.Next(&frame) == nil; n++ {
			if n > len(data) {
				t.Fatal("more frames than bytes")
			}
			if len(frame.R)*4 > len(data) {
				t.Fatalf("%d coordinates out of %d bytes", len(frame.R), len(data))
			}
		}
	})
}

// Two files of positions and forces, of many small frames and of few large ones: "read" decodes them, "swap" only reads
// the same file from the page cache and turns its bytes around, which is the least that a reader can do.
func BenchmarkTRR(b *testing.B) {
	for _, c := range []struct{ atoms, frames int }{{22, 20000}, {20000, 24}} {
		s := synthetic{atoms: c.atoms, box: true, Frame: Frame{R: ramp(3*c.atoms, 0), F: ramp(3*c.atoms, 1)}}
		data := bytes.Repeat(encode(false, s), c.frames)
		path := filepath.Join(b.TempDir(), "bench.trr")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("read/%d", c.atoms), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			var f Frame
			for b.Loop() {
				r, err := OpenTRR(path)
				n := 0
				for ; err == nil; n++ {
					err = r.Next(&f)
				}
				if err != io.EOF || n-1 != c.frames {
					b.Fatalf("%d frames: %v", n-1, err)
				}
				r.Close()
			}
		})
		b.Run(fmt.Sprintf("swap/%d", c.atoms), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			in, out := make([]byte, 64<<10), make([]float32, 16<<10)
			for b.Loop() {
				file, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					var n int
					n, err = io.ReadFull(file, in)
					for i := range n / 4 {
						out[i] = math.Float32frombits(binary.BigEndian.Uint32(in[4*i:]))
					}
				}
				file.Close()
			}
		})
	}
}
