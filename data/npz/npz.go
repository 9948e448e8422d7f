// Package npz reads and writes frames in NumPy's NPZ files with the keys of the
// published sets: R and F [n, beads, 3] in nm and kJ/mol/nm, box [n, 3, 3] in
// nm, species [n, beads], mask [n, beads], U [n] in kJ/mol; and with those of
// our own files of frames: logw and logq [n], bias [n] in kJ/mol. A box [3, 3] or of
// edges, [n, 3] or [3], and species or a mask [beads] stand for all frames.
//
// Arrays are streamed side by side, so that memory does not grow with the file.
// Source of the format: NumPy Enhancement Proposal 1.
package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
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
	box     *array
	species *array
	mask    *array
	scalars []*array           // of scalarKeys
	values  map[string]float64 // of scalars, in the last frame
	kind    []int32            // of the atoms, once read
	names   []string           // of the beads, or nil
	unread  []string           // keys of other arrays
	numbers []float64          // of one array of a frame
}

// Keys of arrays with a number for each frame.
const (
	KeyU    = "U"    // energy, kJ/mol
	KeyBias = "bias" // energy of a bias that acted, kJ/mol
	KeyLogW = "logw" // log-weight
	KeyLogQ = "logq" // log-density of the flow that made the frame
)

var scalarKeys = []string{KeyU, KeyBias, KeyLogW, KeyLogQ}

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
	r := &Reader{name: name, values: map[string]float64{}}
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
	var names *zip.File
	fields := map[string]**array{"R": &r.r, "F": &r.f, "box": &r.box, "species": &r.species, "mask": &r.mask}
	r.scalars = make([]*array, len(scalarKeys))
	for i, key := range scalarKeys {
		fields[key] = &r.scalars[i]
	}
	for _, file := range z.File {
		key := strings.TrimSuffix(file.Name, ".npy")
		keys = append(keys, key)
		field := fields[key]
		switch {
		case key == keyBeads:
			names = file
			continue
		case field == nil:
			r.unread = append(r.unread, key)
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
		return nil, fmt.Errorf("%w: an array R of shape (frames, atoms, 3) is needed; it has the keys %q", ErrFormat,
			keys)
	}
	r.frames, r.atoms = r.r.shape[0], r.r.shape[1]
	for _, field := range fields {
		if err := r.shape(*field); err != nil {
			return nil, err
		}
	}
	if names != nil {
		if r.names, err = readNames(names, r.atoms); err != nil {
			return nil, fmt.Errorf("%s: %w", keyBeads, err)
		}
	}
	return r, nil
}

// shape verifies the shape of an array, and reads one that stands for all frames.
func (r *Reader) shape(a *array) error {
	if a == nil {
		return nil
	}
	n, m := r.frames, r.atoms
	var each, all [][]int // shapes with a row for each frame, and for all of them
	switch a.key {
	case "R", "F":
		each = [][]int{{n, m, 3}}
	case "box":
		each, all = [][]int{{n, 3, 3}, {n, 3}}, [][]int{{3, 3}, {3}, {1, 3, 3}, {1, 3}}
	case "species", "mask":
		each, all = [][]int{{n, m}}, [][]int{{m}, {1, m}}
	default:
		each = [][]int{{n}, {n, 1}}
	}
	is := func(shapes [][]int) bool {
		return slices.ContainsFunc(shapes, func(s []int) bool { return slices.Equal(s, a.shape) })
	}
	switch {
	case is(each) && (a.key != "box" || !is(all)):
		return nil
	case !is(each) && !is(all):
		text := fmt.Sprint(each[0])
		if all != nil {
			text += fmt.Sprintf(", or %v for all frames", all[0])
		}
		return fmt.Errorf("%w: %s has the shape %v; with R of %v it is %s", ErrFormat, a.key, a.shape, r.r.shape, text)
	}
	return a.fix(is(each))
}

// Close closes the file.
func (r *Reader) Close() error { return r.close() }

// Len is the number of frames.
func (r *Reader) Len() int { return r.frames }

// Atoms is the number of atoms or beads of a frame.
func (r *Reader) Atoms() int { return r.atoms }

// HasEnergies tells whether the file has U.
func (r *Reader) HasEnergies() bool { return r.Has(KeyU) }

// Has tells whether the file has an array with a number for each frame.
func (r *Reader) Has(key string) bool {
	i := slices.Index(scalarKeys, key)
	return i >= 0 && r.scalars[i] != nil
}

// Value is the number of such an array for the frame read last.
func (r *Reader) Value(key string) float64 { return r.values[key] }

// Energy is U of the frame read last, kJ/mol.
func (r *Reader) Energy() float64 { return r.Value(KeyU) }

// Species are the species of the frames read so far, the same in all; nil
// where the file has none.
func (r *Reader) Species() []int32 { return r.kind }

// Next reads the next frame into f, whose slices it uses again. It returns
// io.EOF after the last frame, once the checksums of the arrays are right.
// Errors name file, array and frame.
func (r *Reader) Next(f *gromacs.Frame) error {
	if r.frame == r.frames {
		for _, a := range append([]*array{r.r, r.f, r.box, r.species, r.mask}, r.scalars...) {
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
	for _, a := range r.scalars {
		if a == nil {
			continue
		}
		if r.numbers, err = a.row(r.numbers); err != nil {
			return err
		}
		r.values[a.key] = r.numbers[0]
	}
	if r.mask != nil {
		if r.numbers, err = r.mask.row(r.numbers); err != nil {
			return err
		}
		if i := slices.Index(r.numbers, 0); i >= 0 {
			return fmt.Errorf("%w: mask hides atom %d (from 0): sets of molecules of different sizes are not read; "+
				"write the frames of one of them", ErrFormat, i)
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
			return fmt.Errorf("%w: the species of atom %d (from 0) is %v, in the frames before it %d", ErrFormat, i, v,
				r.kind[i])
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
			return dst, fmt.Errorf("%w: %s of atom %d (from 0) is %v; the simulation blew up, or the file is damaged",
				ErrNonFinite, a.key, i/3, v)
		}
		dst = append(dst, x)
	}
	return dst, nil
}
