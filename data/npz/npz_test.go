package npz

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/sbinet/npyio/npz"
)

// Files written by NumPy 2.4 from a trajectory that GROMACS wrote: the keys and
// types of the published sets, and big-endian doubles, compressed.
func TestAgainstTRR(t *testing.T) {
	heavy := []int{0, 4, 5, 6, 8, 10, 14, 15, 16, 18}
	all := make([]int, 22)
	for i := range all {
		all[i] = i
	}
	for name, atoms := range map[string][]int{"published.npz": heavy, "doubles.npz": all} {
		r, err := Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		published := name == "published.npz"
		if r.Len() != 8 || r.Atoms() != len(atoms) || r.f == nil || r.HasEnergies() != published {
			t.Fatalf("%s: got %d frames of %d atoms", name, r.Len(), r.Atoms())
		}
		trr, err := gromacs.OpenTRR("../gromacs/testdata/ala2.trr")
		if err != nil {
			t.Fatal(err)
		}
		defer trr.Close()
		var f, want gromacs.Frame
		for n := range 8 {
			if err := errors.Join(r.Next(&f), trr.Next(&want)); err != nil {
				t.Fatal(err)
			}
			for i, a := range atoms {
				for k := range 3 {
					// Two roundings more: Å, and back.
					if d := math.Abs(float64(f.R[3*i+k] - want.R[3*a+k])); d > 5e-7 {
						t.Fatalf("%s, frame %d, atom %d: R differs by %g", name, n, a, d)
					}
					if d := math.Abs(float64(f.F[3*i+k] - want.F[3*a+k])); d > 3e-7*math.Abs(float64(want.F[3*a+k])) {
						t.Fatalf("%s, frame %d, atom %d: F differs by %g", name, n, a, d)
					}
				}
			}
			if published && (r.Energy() != float64(n) || f.Box[4] != 2.3 || f.Box[1] != 0) {
				t.Errorf("frame %d: got U %g, box %v", n, r.Energy(), f.Box)
			}
		}
		if err := r.Next(&f); err != io.EOF {
			t.Errorf("after the last frame: got %v", err)
		}
		if want := []int32{1, 1, 2, 3, 1, 1, 1, 2, 3, 1}; published && !slices.Equal(r.Species(), want) {
			t.Errorf("species: got %v, want %v", r.Species(), want)
		}
	}
}

// What Write wrote, as npyio and as we read it.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	frames := &data.Frames{Beads: 2, Dim: 3, R: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		F:   []float32{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4},
		Box: make([]float32, 18), LogW: []float64{0.5, -0.5}, U: []float64{7, 8}}
	w, err := data.Create(filepath.Join(dir, "a.arrow"),
		data.Meta{Beads: []string{"ALA2:CA", "ALA2:C"}, Species: []int32{1, 2}, Temperature: 300})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Append(frames), w.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.npz")
	if err := Write(t.Context(), path, filepath.Join(dir, "a.arrow")); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var f gromacs.Frame
	for n := range 2 {
		if err := r.Next(&f); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.R, frames.R[6*n:6*n+6]) || !slices.Equal(f.F, frames.F[6*n:6*n+6]) ||
			r.Energy() != frames.U[n] || !slices.Equal(r.Species(), []int32{1, 2}) {
			t.Errorf("frame %d: got %+v, U %g, species %v", n, f, r.Energy(), r.Species())
		}
	}
	other, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var forces []float32
	var logw []float64
	if err := errors.Join(other.Read("F.npy", &forces), other.Read("logw.npy", &logw)); err != nil ||
		!slices.Equal(forces, frames.F) || !slices.Equal(logw, frames.LogW) {
		t.Errorf("by npyio: got %v, %v, %v", forces, logw, err)
	}
	if err := Write(t.Context(), filepath.Join(dir, "no", "a.npz"), filepath.Join(dir, "a.arrow")); err == nil {
		t.Error("a folder that is not there: got no error")
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// archive is an NPZ file of arrays given as head and body.
func archive(t testing.TB, arrays ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, a := range arrays {
		name, head, _ := strings.Cut(a[0], " ")
		kind, shape, _ := strings.Cut(head, " ")
		w, err := begin(z, name, kind, shape)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, a[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDamage(t *testing.T) {
	zeros := strings.Repeat("\x00", 4096)
	nan := "\x00\x00\xc0\x7f"
	published, err := os.ReadFile("testdata/published.npz")
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(published) // a number of R, stored as it is
	flipped[bytes.Index(flipped, []byte("\x93NUMPY"))+128+500] ^= 1
	packed := archive(t, [2]string{"R <f4 2,1,3", zeros[:24]})
	packed[bytes.Index(packed, []byte("PK\x07\x08"))+4] ^= 1
	packed[bytes.Index(packed, []byte("PK\x01\x02"))+16] ^= 1
	for _, c := range []struct {
		name string
		file []byte
		err  error
		want string
	}{
		{"flipped bit", flipped, ErrFormat, "R: its checksum is wrong"},
		{"checksum of compressed numbers", packed, ErrFormat, "R: its checksum is wrong"},
		{"long", archive(t, [2]string{"R <f4 2,1,3", zeros}), ErrFormat, "R goes on"},
		{"text", []byte("hello"), ErrFormat, "test.npz"},
		{"cut", published[:len(published)/2], ErrFormat, "test.npz"},
		{"no R", archive(t, [2]string{"F <f4 2,1,3", zeros}), ErrFormat, "array R"},
		{"shape", archive(t, [2]string{"R <f4 2,3", zeros}), ErrFormat, "array R"},
		{"huge", archive(t, [2]string{"R <f8 2,900000000,3", zeros}), ErrFormat, "too many"},
		{"forces", archive(t, [2]string{"R <f4 2,1,3", zeros}, [2]string{"F <f4 2,2,3", zeros}), ErrFormat,
			"F has the shape"},
		{"type", archive(t, [2]string{"R <c8 2,1,3", zeros}), ErrFormat, "c8"},
		{"short", archive(t, [2]string{"R <f4 900,2,3", zeros}), ErrTruncated, "frame 170"},
		{"nan", archive(t, [2]string{"R <f4 2,2,3", zeros[:24] + zeros[:12] + nan + zeros}), ErrNonFinite,
			"frame 1: not a finite number: R of atom 1"},
		{"mask", archive(t, [2]string{"R <f4 2,2,3", zeros}, [2]string{"mask |b1 2,2", "\x01\x01\x01\x00"}), ErrFormat,
			"frame 1: not an NPZ file of frames: mask hides atom 1"},
		{"species", archive(t, [2]string{"R <f4 2,1,3", zeros},
			[2]string{"species <i4 2,1", "\x01\x00\x00\x00\x02\x00\x00\x00"}), ErrFormat, "in the frames before it 1"},
	} {
		r, err := NewReader(bytes.NewReader(c.file), int64(len(c.file)), "test.npz")
		var f gromacs.Frame
		for err == nil {
			err = r.Next(&f)
		}
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// FuzzNPZ changes the archive, FuzzArray what is in it: behind a checksum, changes seldom reach it.
func FuzzNPZ(f *testing.F) {
	f.Add(archive(f, [2]string{"R <f4 2,1,3", strings.Repeat("\x00", 24)},
		[2]string{"box <f8 2,3", strings.Repeat("\x00", 48)}))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file), int64(len(file)), "fuzz")
		if err != nil {
			return
		}
		defer r.Close()
		var frame gromacs.Frame
		for n := 0; n < 1000 && r.Next(&frame) == nil; n++ {
		}
	})
}

func FuzzArray(f *testing.F) {
	const head = "\x93NUMPY\x01\x00\x46\x00{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"
	array := func(kind, shape string, bytes int) []byte {
		text := fmt.Sprintf(head, kind, shape)
		return []byte(text + strings.Repeat(" ", 10+0x46-len(text)) + strings.Repeat("\x00", bytes))
	}
	f.Add(array("<f4", "2, 1, 3", 24), array("<f8", "2, 1, 3", 48), array("<i8", "2, 1", 16), array("|b1", "2, 1", 2),
		array(">f8", "2,", 16))
	f.Add(array("<f4", "2, 1, 3", 20), array("<f8", "2, 1, 3", 48), array("<i4", "2, 1", 16), array("|u1", "2, 1", 2),
		array("<f4", "2, 1", 8))
	f.Fuzz(func(t *testing.T, r, force, species, mask, u []byte) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range map[string][]byte{"R": r, "F": force, "species": species, "mask": mask, "U": u} {
			if len(text) == 0 {
				continue
			}
			w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			w.Write(text)
		}
		z.Close()
		in, err := NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()), "fuzz")
		if err != nil {
			return
		}
		defer in.Close()
		var frame gromacs.Frame
		for n := 0; in.Next(&frame) == nil; n++ {
			if n > len(r) || len(frame.R) > len(r) {
				t.Fatalf("frame %d with %d numbers out of %d bytes", n, len(frame.R), len(r))
			}
		}
	})
}
