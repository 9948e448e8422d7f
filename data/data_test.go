package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/cgbg-go/lab/cgbg/keep"
)

func sample(n int) *Frames {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	f := &Frames{Beads: 2, Dim: 3}
	for range n {
		for range 6 {
			f.R = append(f.R, float32(rng.NormFloat64()))
			f.F = append(f.F, float32(1000*rng.NormFloat64()))
		}
		for range 9 {
			f.Box = append(f.Box, 2.3)
		}
		f.Bias = append(f.Bias, rng.Float64())
		f.LogW = append(f.LogW, -rng.Float64())
		f.LogQ = append(f.LogQ, rng.NormFloat64())
		f.U = append(f.U, rng.NormFloat64())
	}
	f.LogW[0] = math.Inf(-1) // a dropped sample
	return f
}

func describe() Meta {
	return Meta{System: "Ac-Ala-NHMe", Mapping: "test", Beads: []string{"C", "N"}, Species: []int32{1, 3}, Dim: 3,
		Temperature: 300,
		ForceField:  "amber99sb-ildn", Stride: 0.1, Generator: "go test", Source: "x.trr", SourceSHA: "00",
		Extra: map[string]string{"key": "value"}}
}

func write(t testing.TB, f *Frames) string {
	path := filepath.Join(t.TempDir(), "frames.arrow")
	if err := WriteFile(path, describe(), f); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	whole := sample(1000)
	bare := &Frames{Beads: 2, Dim: 3, R: whole.R}
	for name, want := range map[string]*Frames{"all parts": whole, "positions only": bare} {
		t.Run(name, func(t *testing.T) {
			got, meta, err := ReadFile(write(t, want))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Error("the frames read are not those written")
			}
			wantMeta := describe()
			wantMeta.Units = Molecular
			if !reflect.DeepEqual(meta, wantMeta) {
				t.Errorf("got %+v, want %+v", meta, wantMeta)
			}
		})
	}
}

func TestBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "frames.arrow")
	w, err := Create(path, describe())
	if err != nil {
		t.Fatal(err)
	}
	want := sample(500)
	for i := 0; i < 500; i += 100 {
		if err := w.Append(want.Slice(i, i+100)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before Close")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Len() != 500 {
		t.Errorf("got %d frames, want 500", r.Len())
	}
	var batches int
	all := &Frames{}
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		batches++
		all.Append(f)
	}
	if batches != 5 || !reflect.DeepEqual(all, want) {
		t.Errorf("%d batches of other frames, want 5 of those written", batches)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestFlippedBytes flips every 7th byte of a file: each is an error.
func TestFlippedBytes(t *testing.T) {
	good, err := os.ReadFile(write(t, sample(40)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 7 {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		_, err := OpenReaderAt(bytes.NewReader(bad), int64(len(bad)), "flipped")
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
			t.Fatalf("byte %d: got %v, want ErrDamaged or ErrFormat", i, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	good, err := os.ReadFile(write(t, sample(40)))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(good); n += 97 {
		if _, err := OpenReaderAt(bytes.NewReader(good[:n]), int64(n), "cut"); !errors.Is(err, ErrDamaged) &&
			!errors.Is(err, ErrFormat) {
			t.Fatalf("%d bytes of %d: got %v, want ErrDamaged or ErrFormat", n, len(good), err)
		}
	}
}

func TestWriterErrors(t *testing.T) {
	nan := float32(math.NaN())
	tests := []struct {
		name string
		f    *Frames
		want string
	}{
		{"no frames", &Frames{Beads: 2, Dim: 3}, "no frames"},
		{"cut frame", &Frames{Beads: 2, Dim: 3, R: make([]float32, 7)}, "7 numbers"},
		{"forces missing", &Frames{Beads: 2, Dim: 3, R: make([]float32, 12), F: make([]float32, 6)},
			"F has 6 numbers, not 12"},
		{"NaN", &Frames{Beads: 2, Dim: 3, R: []float32{0, 0, 0, 0, 0, 0, 0, nan, 0, 0, 0, 0}}, "frame 1, R[1]"},
		{"infinite energy", &Frames{Beads: 2, Dim: 3, R: make([]float32, 6), U: []float64{math.Inf(1)}},
			"frame 0, u[0]"},
		{"other beads", &Frames{Beads: 3, Dim: 3, R: make([]float32, 9)}, "2 beads"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "frames.arrow")
			err := WriteFile(path, describe(), test.f)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error naming %s and %q", err, path, test.want)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "frames.arrow")
	w, err := Create(path, describe())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, ErrEmpty) {
		t.Errorf("no frames: got %v, want ErrEmpty", err)
	}
	meta := describe()
	meta.Units = Units{Length: "Angstrom", Energy: "kcal/mol", Time: "fs"}
	if err := WriteFile(path, meta, sample(2)); !errors.Is(err, ErrUnits) {
		t.Errorf("other units: got %v, want ErrUnits", err)
	}
	if _, err := Create("/nowhere/at/all.arrow", describe()); err == nil {
		t.Error("a missing folder: no error")
	}
}

// foreign writes an Arrow file past the Writer's checks, with its digest.
func foreign(t *testing.T, format string, m Meta, fields []arrow.Field) string {
	s, err := schema(m, &Frames{Beads: 2, Dim: 3}, []string{"R"})
	if err != nil {
		t.Fatal(err)
	}
	meta := s.Metadata()
	values := slices.Clone(meta.Values())
	values[0] = format
	changed := arrow.NewMetadata(meta.Keys(), values)
	if fields == nil {
		fields = s.Fields()
	}
	path := filepath.Join(t.TempDir(), "foreign.arrow")
	f, err := keep.Create(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Cleanup()
	out, err := ipc.NewFileWriter(f, ipc.WithSchema(arrow.NewSchema(fields, &changed)))
	if err == nil {
		w := &Writer{path: path, file: f, out: out, n: 1}
		err = errors.Join(w.finish(), f.CloseAtomicallyReplace())
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSchemaErrors(t *testing.T) {
	good := describe()
	good.Units = Molecular
	other := good
	other.Units = Units{Length: "Angstrom", Energy: "kJ/mol", Time: "ps"}
	tests := []struct {
		name   string
		format string
		meta   Meta
		fields []arrow.Field
		want   error
	}{
		{"zero frames", formatVersion, good, nil, ErrEmpty},
		{"wrong unit", formatVersion, other, nil, ErrUnits},
		{"other version", "cgbg frames 99", good, nil, ErrFormat},
		{"wrong type", formatVersion, good, []arrow.Field{{Name: "R", Type: arrow.PrimitiveTypes.Float64}}, ErrFormat},
		{"wrong width", formatVersion, good,
			[]arrow.Field{{Name: "R", Type: arrow.FixedSizeListOfNonNullable(5, arrow.PrimitiveTypes.Float32)}},
			ErrFormat},
		{"no positions", formatVersion, good, []arrow.Field{{Name: "u", Type: arrow.PrimitiveTypes.Float64}},
			ErrFormat},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := foreign(t, test.format, test.meta, test.fields)
			if _, err := Open(path); !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("got %v, want %v with the file's name", err, test.want)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "text.arrow")
	if err := os.WriteFile(path, []byte("this is no Arrow file at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrFormat) {
		t.Errorf("text: got %v, want ErrFormat", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing.arrow")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v, want os.ErrNotExist", err)
	}
}

// TestBoundedMemory streams 2·10⁶ frames through a small heap.
func TestBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 2 million frames")
	}
	const batches, each = 200, 10_000
	path := filepath.Join(t.TempDir(), "long.arrow")
	w, err := Create(path, Meta{System: "test", Beads: []string{"x"}, Dim: 2})
	if err != nil {
		t.Fatal(err)
	}
	part := &Frames{Beads: 1, Dim: 2, R: make([]float32, 2*each), F: make([]float32, 2*each)}
	heap := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	for i := range batches {
		for k := range part.R {
			part.R[k], part.F[k] = float32(i), float32(k)
		}
		if err := w.Append(part); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 48 << 20 // the frames themselves take 32 MB twice; a batch 0.2 MB, zstd a few
	if now := heap(); now > before+limit {
		t.Errorf("writing holds %d MB", (now-before)>>20)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.R[0] != float32(n/each) {
			t.Fatalf("frame %d: got %g, want %d", n, f.R[0], n/each)
		}
		n += f.Len()
	}
	if now := heap(); n != batches*each || now > before+limit {
		t.Errorf("%d frames read, holding %d MB", n, int64(now-before)>>20)
	}
}

// TestKilledWriter kills a child while it writes: the old file stays.
func TestKilledWriter(t *testing.T) {
	if path := os.Getenv("CGBG_TEST_WRITE"); path != "" {
		w, err := Create(path, describe())
		if err != nil {
			panic(err)
		}
		fmt.Println("writing")
		for {
			if err := w.Append(sample(1000)); err != nil {
				panic(err)
			}
		}
	}
	path := write(t, sample(3))
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledWriter$")
	cmd.Env = append(os.Environ(), "CGBG_TEST_WRITE="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the old file changed (%v)", err)
	}
}

// TestPyArrow reads a file with the reference implementation.
func TestPyArrow(t *testing.T) {
	python := os.Getenv("CGBG_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pyarrow").CombinedOutput(); err != nil {
		t.Skipf("%s has no pyarrow (pip install pyarrow; CGBG_PYTHON names another Python): %s", python,
			bytes.TrimSpace(out))
	}
	f := sample(50)
	const script = `
import sys, pyarrow.ipc as ipc
t = ipc.open_file(sys.argv[1]).read_all()
print(t.num_rows, t.column_names, t.schema.metadata[b"format"].decode())
print(repr(t["R"][7].as_py()[3]), repr(t["u"][49].as_py()))`
	out, err := exec.Command(python, "-c", script, write(t, f)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := fmt.Sprintf("50 ['R', 'F', 'box', 'bias', 'logw', 'logq', 'u'] %s\n%v %v", formatVersion,
		float64(f.R[7*6+3]), f.U[49])
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A number in the footer or in a batch's head that promises 268 million of something, in a file with a right digest,
// takes no memory for them.
func TestFalseCounts(t *testing.T) {
	good, err := os.ReadFile(write(t, sample(3)))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for at := 8; at+10 < len(good); at += 4 {
		bad := bytes.Clone(good)
		binary.LittleEndian.PutUint32(bad[at:], 1<<28)
		redigest(t, bad)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := OpenReaderAt(bytes.NewReader(bad), int64(len(bad)), "counts")
		for err == nil {
			_, err = r.Next()
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
			t.Errorf("at byte %d of %d: took %d MB", at, len(bad), used>>20)
		}
		if errors.Is(err, errCounts) {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d counts were refused: the test found few", refused)
	}
}

// redigest gives changed bytes a right digest, so that Arrow sees them.
func redigest(t *testing.T, b []byte) {
	t.Helper()
	sum, _, at, err := scan(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range at {
		copy(b[offset:], sum)
	}
}

// FuzzOpen: no bytes make Open or Next panic.
func FuzzOpen(f *testing.F) {
	good, err := os.ReadFile(write(f, sample(3)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		redigest(t, b)
		r, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		for err == nil {
			_, err = r.Next()
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "data")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "dimer.arrow")
	frames := &Frames{Beads: 2, Dim: 3, R: []float32{0, 0, 0, 0.15, 0, 0, 0, 0, 0, 0.16, 0, 0}}
	if err := WriteFile(path, Meta{System: "dimer", Beads: []string{"C", "N"}, Temperature: 300}, frames); err != nil {
		fmt.Println(err)
		return
	}
	got, meta, err := ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(meta.System, got.Len(), "frames in", meta.Units.Length)
	// Output: dimer 2 frames in nm
}

func BenchmarkWrite(b *testing.B) {
	f := sample(100_000)
	b.SetBytes(int64(4 * (len(f.R) + len(f.F) + len(f.Box))))
	for b.Loop() {
		write(b, f)
	}
}

func BenchmarkRead(b *testing.B) {
	f := sample(100_000)
	path := write(b, f)
	b.SetBytes(int64(4 * (len(f.R) + len(f.F) + len(f.Box))))
	for b.Loop() {
		if _, _, err := ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
}

// late is a context that is done after so many looks at it.
type late struct {
	context.Context
	looks *int
}

func (l late) Err() error {
	if *l.looks--; *l.looks < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever in its reading a context is done, a file is not called damaged.
func TestReadInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.arrow")
	if err := WriteFile(path, Meta{Beads: []string{"a"}, Dim: 1},
		&Frames{Beads: 1, Dim: 1, R: []float32{1, 2}}); err != nil {
		t.Fatal(err)
	}
	interrupted := 0
	for k := range 50 {
		looks := k
		r, err := OpenContext(late{t.Context(), &looks}, path)
		if err == nil {
			_, err = r.Next()
			r.Close()
		}
		if err == nil {
			break
		}
		interrupted++
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
			t.Errorf("after %d looks: got %v, want %v", k, err, context.Canceled)
		}
	}
	if interrupted < 5 || interrupted == 50 {
		t.Errorf("got %d interruptions, want some", interrupted)
	}
}

// A file whose context is done is not called damaged.
func TestOpenContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.arrow")
	if err := WriteFile(path, Meta{Beads: []string{"a"}, Dim: 1},
		&Frames{Beads: 1, Dim: 1, R: []float32{1, 2}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := OpenContext(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	_, next := r.Next()
	_, open := OpenContext(ctx, path)
	for _, err := range []error{next, open} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
}
