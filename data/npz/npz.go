// Package npz reads and writes frames in NumPy's NPZ files with the keys of the
// published sets: R and F [n, beads, 3] in nm and kJ/mol/nm, box [n, 3, 3] in
// nm, species [n, beads], mask [n, beads], U [n] in kJ/mol.
//
// Arrays are streamed side by side, so that memory does not grow with the file.
// Source of the format: NumPy Enhancement Proposal 1.
package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Errors that reading wraps; branch on them with errors.Is.
var (
	ErrFormat    = errors.New("not an NPZ file of frames")
	ErrTruncated = errors.New("the file is truncated: copy or make it again")
	ErrNonFinite = errors.New("not a finite number")
)

// Reader reads frames one by one.
type Reader struct {
	close   func() error
	name    string
	frames  int
	atoms   int
	frame   int // number of the frame that is read, from 0
	r, f    *array
	box, u  *array
	species *array
	mask    *array
	kind    []int32   // of the atoms, once read
	energy  float64   // of the last frame
	numbers []float64 // of one array of a frame
}

// array is one array of the file, read row by row.
type array struct {
	key   string
	in    io.ReadCloser
	shape []int
	width int    // numbers in a row
	kind  string // as in NumPy: f4, f8, i4, i8, b1, …
	order binary.ByteOrder
	buf   []byte
}

// Open opens a file.
func Open(path string) (*Reader, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) {
			err = fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return nil, fmt.Errorf("npz: %s: %w", path, err)
	}
	r, err := newReader(&z.Reader, path)
	if err != nil {
		z.Close()
		return nil, err
	}
	inner := r.close
	r.close = func() error { return errors.Join(inner(), z.Close()) }
	return r, nil
}

// NewReader reads a file of so many bytes; name is for messages.
func NewReader(at io.ReaderAt, size int64, name string) (*Reader, error) {
	z, err := zip.NewReader(at, size)
	if err != nil {
		return nil, fmt.Errorf("npz: %s: %w: %w", name, ErrFormat, err)
	}
	return newReader(z, name)
}

func newReader(z *zip.Reader, name string) (_ *Reader, err error) {
	r := &Reader{name: name}
	var open []*array
	r.close = func() error {
		var errs []error
		for _, a := range open {
			errs = append(errs, a.in.Close())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			r.close()
			err = fmt.Errorf("npz: %s: %w", name, err)
		}
	}()
	var keys []string
	fields := map[string]**array{"R": &r.r, "F": &r.f, "box": &r.box, "U": &r.u, "species": &r.species, "mask": &r.mask}
	for _, file := range z.File {
		key := strings.TrimSuffix(file.Name, ".npy")
		keys = append(keys, key)
		field := fields[key]
		if field == nil {
			continue
		}
		if *field != nil {
			return nil, fmt.Errorf("%w: two arrays %s", ErrFormat, key)
		}
		in, err := file.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", key, ErrFormat, err)
		}
		a := &array{key: key, in: in}
		open = append(open, a)
		if err := a.header(); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		*field = a
	}
	if r.r == nil || len(r.r.shape) != 3 || r.r.shape[2] != 3 || r.r.shape[0] < 1 || r.r.shape[1] < 1 {
		return nil, fmt.Errorf("%w: an array R of shape (frames, atoms, 3) is needed; it has the keys %q", ErrFormat, keys)
	}
	r.frames, r.atoms = r.r.shape[0], r.r.shape[1]
	for key, want := range map[string][]int{"F": {r.frames, r.atoms, 3}, "box": {r.frames, 3, 3}, "U": {r.frames}, "species": {r.frames, r.atoms}, "mask": {r.frames, r.atoms}} {
		a := *fields[key]
		switch {
		case a == nil:
		case key == "box" && slices.Equal(a.shape, []int{r.frames, 3}): // edges
		case key == "U" && slices.Equal(a.shape, []int{r.frames, 1}):
		case !slices.Equal(a.shape, want):
			return nil, fmt.Errorf("%w: %s has the shape %v; with R of %v it is %v", ErrFormat, key, a.shape, r.r.shape, want)
		}
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.close() }

// Len is the number of frames.
func (r *Reader) Len() int { return r.frames }

// Atoms is the number of atoms or beads of a frame.
func (r *Reader) Atoms() int { return r.atoms }

// HasForces and HasEnergies tell which arrays the file has.
func (r *Reader) HasForces() bool   { return r.f != nil }
func (r *Reader) HasEnergies() bool { return r.u != nil }

// Energy is U of the frame read last, kJ/mol.
func (r *Reader) Energy() float64 { return r.energy }

// Species are the species of the frames read so far, the same in all; nil
// where the file has none.
func (r *Reader) Species() []int32 { return r.kind }

// Next reads the next frame into f, whose slices it uses again. It returns
// io.EOF after the last frame, once the checksums of the arrays are right.
// Errors name file, array and frame.
func (r *Reader) Next(f *gromacs.Frame) error {
	if r.frame == r.frames {
		for _, a := range []*array{r.r, r.f, r.box, r.u, r.species, r.mask} {
			if err := a.end(); err != nil {
				return fmt.Errorf("npz: %s: after frame %d: %w", r.name, r.frame-1, err)
			}
		}
		return io.EOF
	}
	if err := r.next(f); err != nil {
		return fmt.Errorf("npz: %s: frame %d: %w", r.name, r.frame, err)
	}
	r.frame++
	return nil
}

func (r *Reader) next(f *gromacs.Frame) (err error) {
	f.Step, f.Time, f.Lambda, f.V, f.Box = int64(r.frame), 0, 0, nil, [9]float64{}
	if f.R, err = r.positions(r.r, f.R); err != nil {
		return err
	}
	if r.f == nil {
		f.F = nil
	} else if f.F, err = r.positions(r.f, f.F); err != nil {
		return err
	}
	if r.box != nil {
		if r.numbers, err = r.box.row(r.numbers); err != nil {
			return err
		}
		if len(r.numbers) == 3 {
			f.Box[0], f.Box[4], f.Box[8] = r.numbers[0], r.numbers[1], r.numbers[2]
		} else {
			copy(f.Box[:], r.numbers)
		}
	}
	if r.u != nil {
		if r.numbers, err = r.u.row(r.numbers); err != nil {
			return err
		}
		r.energy = r.numbers[0]
	}
	if r.mask != nil {
		if r.numbers, err = r.mask.row(r.numbers); err != nil {
			return err
		}
		if i := slices.Index(r.numbers, 0); i >= 0 {
			return fmt.Errorf("%w: mask hides atom %d (from 0): sets of molecules of different sizes are not read; write the frames of one of them", ErrFormat, i)
		}
	}
	if r.species == nil {
		return nil
	}
	if r.numbers, err = r.species.row(r.numbers); err != nil {
		return err
	}
	for i, v := range r.numbers {
		switch {
		case v != math.Trunc(v) || math.Abs(v) > 1<<30:
			return fmt.Errorf("%w: the species of atom %d (from 0) is %v", ErrFormat, i, v)
		case r.frame == 0:
			r.kind = append(r.kind, int32(v))
		case r.kind[i] != int32(v):
			return fmt.Errorf("%w: the species of atom %d (from 0) is %v, in the frames before it %d", ErrFormat, i, v, r.kind[i])
		}
	}
	return nil
}

func (r *Reader) positions(a *array, dst []float32) (_ []float32, err error) {
	if r.numbers, err = a.row(r.numbers); err != nil {
		return dst, err
	}
	dst = dst[:0]
	for i, v := range r.numbers {
		x := float32(v)
		if x-x != 0 {
			return dst, fmt.Errorf("%w: %s of atom %d (from 0) is %v; the simulation blew up, or the file is damaged", ErrNonFinite, a.key, i/3, v)
		}
		dst = append(dst, x)
	}
	return dst, nil
}

var (
	descr   = regexp.MustCompile(`'descr'\s*:\s*'([<>|=])([a-z]\d+)'`)
	fortran = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shape   = regexp.MustCompile(`'shape'\s*:\s*\(([\d,\s]*)\)`)
)

// maxRow bounds the bytes of a row: 100,000 atoms and more.
const maxRow = 64 << 20

// header reads the head of an array.
func (a *array) header() error {
	var magic [8]byte
	if _, err := io.ReadFull(a.in, magic[:]); err != nil || string(magic[:6]) != "\x93NUMPY" || magic[6] < 1 || magic[6] > 3 {
		return fmt.Errorf("%w: it begins with %q, which is no array of NumPy", ErrFormat, magic)
	}
	length := make([]byte, 4)
	if magic[6] == 1 {
		length = length[:2]
	}
	if _, err := io.ReadFull(a.in, length); err != nil {
		return fmt.Errorf("%w: its head: %w", ErrTruncated, err)
	}
	n := binary.LittleEndian.Uint32(append(length[:len(length):len(length)], 0, 0)[:4])
	if n > 1<<16 {
		return fmt.Errorf("%w: a head of %d bytes", ErrFormat, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(a.in, text); err != nil {
		return fmt.Errorf("%w: its head: %w", ErrTruncated, err)
	}
	d, order, size := descr.FindSubmatch(text), fortran.FindSubmatch(text), shape.FindSubmatch(text)
	if d == nil || order == nil || size == nil {
		return fmt.Errorf("%w: the head %q; numbers are needed", ErrFormat, text)
	}
	if string(order[1]) == "True" {
		return fmt.Errorf("%w: it is in Fortran's order; save np.ascontiguousarray of it", ErrFormat)
	}
	a.kind, a.order = string(d[2]), binary.LittleEndian
	if string(d[1]) == ">" {
		a.order = binary.BigEndian
	}
	if !slices.Contains([]string{"f4", "f8", "i4", "i8", "u1", "b1"}, a.kind) {
		return fmt.Errorf("%w: numbers of type %s; save them as float32, float64, int32, int64 or bool", ErrFormat, a.kind)
	}
	a.width = 1
	for s := range strings.SplitSeq(string(size[1]), ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		v, err := strconv.Atoi(s)
		if err != nil || v < 0 || v > 1<<40 {
			return fmt.Errorf("%w: shape (%s)", ErrFormat, size[1])
		}
		if len(a.shape) > 0 {
			if v > maxRow || a.width*v > maxRow/8 {
				return fmt.Errorf("%w: shape (%s): too many numbers for a frame", ErrFormat, size[1])
			}
			a.width *= v
		}
		a.shape = append(a.shape, v)
	}
	if len(a.shape) == 0 {
		return fmt.Errorf("%w: a single number, where there is one for every frame", ErrFormat)
	}
	return nil
}

// chunk is what is read of a row at once, so that a false shape ends with the file and not with a huge allocation: a
// multiple of all sizes of numbers.
const chunk = 64 << 10

// row reads the numbers of the next frame.
func (a *array) row(dst []float64) ([]float64, error) {
	word := int(a.kind[1] - '0')
	size := a.width * word
	if a.buf == nil {
		a.buf = make([]byte, min(size, chunk))
	}
	dst = dst[:0]
	for done := 0; done < size; {
		p := a.buf[:min(size-done, chunk)]
		n, err := io.ReadFull(a.in, p)
		done += n
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return dst, fmt.Errorf("%w: %s ends after %d of %d bytes of the frame", ErrTruncated, a.key, done, size)
		case err != nil:
			return dst, fmt.Errorf("%w: %s: %w", ErrFormat, a.key, err)
		}
		dst = a.decode(dst, p, word)
	}
	return dst, nil
}

// end reads on to the end of the array: archive/zip compares the checksum there.
func (a *array) end() error {
	if a == nil {
		return nil
	}
	var more [1]byte
	switch n, err := io.ReadFull(a.in, more[:]); {
	case n > 0:
		return fmt.Errorf("%w: %s goes on behind the numbers of its shape", ErrFormat, a.key)
	case errors.Is(err, zip.ErrChecksum):
		return fmt.Errorf("%w: %s: its checksum is wrong: some of its numbers are damaged; copy or make the file again", ErrFormat, a.key)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %s: %w", ErrFormat, a.key, err)
	}
	return nil
}

// decode appends numbers of so many bytes.
func (a *array) decode(dst []float64, p []byte, word int) []float64 {
	for ; len(p) > 0; p = p[word:] {
		switch a.kind {
		case "f4":
			dst = append(dst, float64(math.Float32frombits(a.order.Uint32(p))))
		case "f8":
			dst = append(dst, math.Float64frombits(a.order.Uint64(p)))
		case "i4":
			dst = append(dst, float64(int32(a.order.Uint32(p))))
		case "i8":
			dst = append(dst, float64(int64(a.order.Uint64(p))))
		default:
			dst = append(dst, float64(p[0]))
		}
	}
	return dst
}
