package gromacs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// Frame is one frame of a trajectory. Slices are nil where the frame has none.
type Frame struct {
	Step   int64
	Time   float64    // ps
	Lambda float64    // coupling parameter of free-energy calculations
	Box    [9]float64 // box vectors, row by row, nm; zero where there is none
	// OtherBox is the box by another reading of a record that has two, as DCD files can; else zero.
	OtherBox [9]float64
	R        []float32 // positions, [atoms, 3], nm
	V        []float32 // velocities, [atoms, 3], nm/ps
	F        []float32 // forces, [atoms, 3], kJ/mol/nm
}

// TRR reads a TRR trajectory, frame by frame, in single or double precision.
type TRR struct {
	r      *bufio.Reader
	in     io.Reader // what r reads from
	close  func() error
	name   string
	frame  int   // number of the frame that is read, from 0
	offset int64 // bytes read
	atoms  int   // of the first frame; -1 before it
	head   [8 + len(trrVersion) + 13*4]byte
	reals  [9]float64
}

// bufferSize of the readers: larger ones are no faster, and cost short files more.
const bufferSize = 64 << 10

// OpenTRR opens a trajectory.
func OpenTRR(path string) (*TRR, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	t := NewTRR(f, path)
	t.close = f.Close
	return t, nil
}

// NewTRR reads a trajectory from r; name is for messages.
func NewTRR(r io.Reader, name string) *TRR {
	return &TRR{r: bufio.NewReaderSize(r, bufferSize), in: r, name: name, atoms: -1, close: func() error { return nil }}
}

// Close closes the file.
func (t *TRR) Close() error { return t.close() }

const (
	trrMagic   = 1993
	trrVersion = "GMX_trn_file"
	// maxAtoms bounds the number of atoms, so that sizes in bytes fit in an int32 in double precision, as in the
	// format.
	maxAtoms = math.MaxInt32 / 24
)

// trrHeader is the header of a frame: sizes of its blocks in bytes.
type trrHeader struct {
	IR, E, Box, Vir, Pres, Top, Sym, X, V, F, Atoms, Step, NRE int32
}

// Next reads the next frame into f, whose slices it uses again. It returns
// io.EOF after the last frame. Errors name file, frame and offset: ErrFormat,
// ErrTruncated, ErrNonFinite, those of the system.
func (t *TRR) Next(f *Frame) error {
	err := t.next(f)
	if err == nil {
		t.frame++
		return nil
	}
	if err == io.EOF {
		return io.EOF
	}
	return frameError(t.name, t.frame, t.offset, err)
}

// frameError says where a trajectory could not be read further.
func frameError(name string, frame int, offset int64, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%w: it ends inside this frame; the %d before it are whole", ErrTruncated, frame)
	case errors.Is(err, ErrFormat) && frame > 0:
		err = fmt.Errorf("%w; the %d frames before it are whole", err, frame)
	}
	return fmt.Errorf("gromacs: %s: frame %d, offset %d: %w", name, frame, offset, err)
}

// magic reads the number that a frame begins with; io.EOF between frames is the end.
func (t *TRR) magic() error {
	magic := t.head[:4]
	if n, err := io.ReadFull(t.r, magic); err != nil {
		t.offset += int64(n)
		return err
	}
	switch m := binary.BigEndian.Uint32(magic); {
	case m == trrMagic:
	case binary.LittleEndian.Uint32(magic) == trrMagic:
		return fmt.Errorf("%w: little-endian numbers, which GROMACS does not write; the copy may have swapped its "+
			"bytes", ErrFormat)
	default:
		return fmt.Errorf("%w: magic number %d in place of %d; this is no TRR file, or the frame before it is damaged",
			ErrFormat, m, trrMagic)
	}
	t.offset += 4
	return nil
}

func (t *TRR) next(f *Frame) error {
	if err := t.magic(); err != nil {
		return err
	}
	h, double, err := t.header(f)
	if err != nil {
		return err
	}
	f.Box = [9]float64{}
	if h.Box > 0 {
		if _, err = readBlock(t, f.Box[:0], 9, double); err != nil {
			return err
		}
	}
	if err := t.skip(int64(h.Vir) + int64(h.Pres)); err != nil {
		return err
	}
	for _, block := range [...]struct {
		name string
		size int32
		dst  *[]float32
	}{{"position", h.X, &f.R}, {"velocity", h.V, &f.V}, {"force", h.F, &f.F}} {
		if block.size == 0 {
			*block.dst = nil
			continue
		}
		if *block.dst, err = readBlock(t, (*block.dst)[:0], 3*int(h.Atoms), double); err != nil {
			return err
		}
		if i := nonFinite(*block.dst); i >= 0 {
			return fmt.Errorf("%w: the %s of atom %d (from 0) is %v; the simulation blew up, or the file is damaged",
				ErrNonFinite, block.name, i/3, (*block.dst)[i])
		}
	}
	return nil
}

// nonFinite is the index of the first NaN or infinity, or −1: all bits of the
// exponent are set in both.
func nonFinite(x []float32) int {
	const exponent = 0x7f800000
	for i, v := range x {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}

// header reads the rest of a frame's header.
func (t *TRR) header(f *Frame) (h trrHeader, double bool, err error) {
	version, words := t.head[:8+len(trrVersion)], t.head[8+len(trrVersion):]
	if err := t.read(version); err != nil {
		return h, false, err
	}
	// The length stands there twice: once with C's final zero.
	if binary.BigEndian.Uint32(version[4:]) != uint32(len(trrVersion)) || string(version[8:]) != trrVersion {
		return h, false, fmt.Errorf("%w: version %q in place of %q", ErrFormat, version[8:], trrVersion)
	}
	if err := t.read(words); err != nil {
		return h, false, err
	}
	for i, field := range [...]*int32{&h.IR, &h.E, &h.Box, &h.Vir, &h.Pres, &h.Top, &h.Sym, &h.X, &h.V, &h.F, &h.Atoms,
		&h.Step, &h.NRE} {
		*field = int32(binary.BigEndian.Uint32(words[4*i:]))
	}
	if double, err = h.check(); err != nil {
		return h, false, err
	}
	if t.atoms < 0 {
		t.atoms = int(h.Atoms)
	} else if t.atoms != int(h.Atoms) {
		return h, false, fmt.Errorf("%w: %d atoms, %d in the frames before it", ErrFormat, h.Atoms, t.atoms)
	}
	f.Step = int64(h.Step)
	times, err := readBlock(t, t.reals[:0], 2, double)
	if err != nil {
		return h, false, err
	}
	if f.Time, f.Lambda = times[0], times[1]; f.Time-f.Time != 0 {
		return h, false, fmt.Errorf("%w: the time is %v", ErrNonFinite, f.Time)
	}
	return h, double, nil
}

// check verifies that the sizes fit together, and finds the precision in them.
func (h *trrHeader) check() (double bool, err error) {
	for _, b := range [...]struct {
		name string
		size int32
	}{{"input record", h.IR}, {"energy", h.E}, {"topology", h.Top}, {"symbol table", h.Sym}} {
		if b.size != 0 {
			return false, fmt.Errorf("%w: %d bytes of %s, which no version of GROMACS in use writes", ErrFormat, b.size,
				b.name)
		}
	}
	if h.Atoms < 0 || h.Atoms > maxAtoms {
		return false, fmt.Errorf("%w: %d atoms", ErrFormat, h.Atoms)
	}
	n := 3 * int64(h.Atoms)
	word := int64(0)
	for _, b := range [...]struct {
		name    string
		size    int32
		numbers int64
	}{{"box", h.Box, 9}, {"virial", h.Vir, 9}, {"pressure", h.Pres, 9}, {"positions", h.X, n}, {"velocities", h.V,
		n}, {"forces", h.F, n}} {
		if b.size == 0 {
			continue
		}
		var w int64
		if b.numbers > 0 && int64(b.size)%b.numbers == 0 {
			w = int64(b.size) / b.numbers
		}
		if w != 4 && w != 8 || word != 0 && w != word {
			return false, fmt.Errorf("%w: %d bytes for the %s of %d atoms", ErrFormat, b.size, b.name, h.Atoms)
		}
		word = w
	}
	return word == 8, nil
}

// read fills p; the end of the file is never expected here.
func (t *TRR) read(p []byte) error {
	n, err := io.ReadFull(t.r, p)
	t.offset += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (t *TRR) skip(n int64) error {
	if n == 0 {
		return nil
	}
	done, err := io.CopyN(io.Discard, t.r, n)
	t.offset += done
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// readBlock appends count numbers to dst. It takes them from the buffer as they
// come, so that a false count ends with the file and not with a huge allocation.
func readBlock[T float32 | float64](t *TRR, dst []T, count int, double bool) ([]T, error) {
	word := 4
	if double {
		word = 8
	}
	for left := count * word; left > 0; {
		p, err := t.r.Peek(min(left, max(t.r.Buffered()&^7, word)))
		if err != nil {
			t.offset += int64(len(p))
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return dst, err
		}
		n, at := len(p)/word, len(dst)
		dst = slices.Grow(dst, n)[:at+n]
		out := dst[at:]
		if double {
			for i := range out {
				out[i] = T(math.Float64frombits(binary.BigEndian.Uint64(p[8*i:])))
			}
		} else {
			for i := range out {
				out[i] = T(math.Float32frombits(binary.BigEndian.Uint32(p[4*i:])))
			}
		}
		t.r.Discard(len(p)) // is there: it was peeked at
		t.offset += int64(len(p))
		left -= len(p)
	}
	return dst, nil
}
