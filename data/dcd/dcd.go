// Package dcd reads DCD trajectories, as OpenMM, CHARMM, NAMD, LAMMPS and others
// write them: positions in Å in single precision, no forces. Records have marks of
// 32 or 64 bits, in either order of bytes.
package dcd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Errors that reading wraps; branch on them with errors.Is.
var (
	ErrFormat    = errors.New("not a DCD file")
	ErrTruncated = errors.New("the file is truncated: copy or make it again")
	ErrNonFinite = errors.New("not a finite number")
)

// maxAtoms bounds the number of atoms, so that a record's length fits in an int32.
const maxAtoms = math.MaxInt32 / 4

// Reader reads a trajectory frame by frame.
type Reader struct {
	in    *bufio.Reader
	close func() error
	name  string
	order binary.ByteOrder
	mark  int // bytes of a record's marks: 4 or 8

	atoms    int
	frames   int   // that the head announces; 0 or less where it does not
	free     []int // atoms that move, from 0, where others are fixed: frames after the first have these alone
	cell     bool  // a unit cell in every frame
	four     bool  // a fourth dimension in every frame
	version  int32 // of CHARMM, as the writer claims
	first    int64
	interval int64
	step     float64 // ps; 0 where it is not known
	doubt    string  // about step
	ended    bool

	frame  int       // number of the frame that is read, from 0
	offset int64     // bytes read
	still  []float32 // positions of the first frame, where atoms are fixed
	buf    []byte
}

// Open opens a trajectory.
func Open(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dcd: %w", err)
	}
	r, err := NewReader(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	r.close = file.Close
	return r, nil
}

// NewReader reads a trajectory from in; name is for messages.
func NewReader(in io.Reader, name string) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, bufferSize), name: name, close: func() error { return nil }}
	if err := r.header(); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: it ends inside its head", ErrTruncated)
		}
		return nil, fmt.Errorf("dcd: %s: offset %d: %w", name, r.offset, err)
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.close() }

// Atoms is the number of atoms.
func (r *Reader) Atoms() int { return r.atoms }

// marked reads the length of a record in p.
func (r *Reader) marked(p []byte) int64 {
	if r.mark == 8 {
		return int64(r.order.Uint64(p))
	}
	return int64(int32(r.order.Uint32(p)))
}

// record reads a record of Fortran: its length, its bytes, its length. size is
// what it must be. It returns io.EOF where there is none.
func (r *Reader) record(size int) ([]byte, error) {
	var space [8]byte
	mark := space[:r.mark]
	if k, err := io.ReadFull(r.in, mark); err != nil {
		r.offset += int64(k)
		return nil, err
	}
	r.offset += int64(r.mark)
	if n := r.marked(mark); n != int64(size) {
		return nil, fmt.Errorf("%w: a record of %d bytes in place of one of %d", ErrFormat, n, size)
	}
	r.buf = r.buf[:0]
	for len(r.buf) < size { // a false size ends with the file, not with a huge allocation
		start := len(r.buf)
		r.buf = append(r.buf, make([]byte, min(size-start, bufferSize))...)
		k, err := io.ReadFull(r.in, r.buf[start:])
		r.offset += int64(k)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	k, err := io.ReadFull(r.in, mark)
	r.offset += int64(k)
	if err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if end := r.marked(mark); end != int64(size) {
		return nil, fmt.Errorf("%w: a record of %d bytes ends with the mark of one of %d", ErrFormat, size, end)
	}
	return r.buf, nil
}

// Note is what is odd about the file, once its frames are read: another number of
// them than its head announces, as programs leave it that are stopped, or that do not count.
func (r *Reader) Note() string {
	if !r.ended || r.frames <= 0 || r.frame == r.frames {
		return ""
	}
	return fmt.Sprintf("it has %d frames, its head announces %d: the program that wrote it was stopped, or did not "+
		"count", r.frame, r.frames)
}

// Next reads the next frame into f, whose slice R it uses again. It returns
// io.EOF after the last frame, however many the head announces: [Reader.Note].
// Errors name file, frame and offset; a file that ends inside a frame is truncated.
func (r *Reader) Next(f *gromacs.Frame) error {
	err := r.next(f)
	if err == nil {
		r.frame++
		return nil
	}
	switch {
	case err == io.EOF:
		r.ended = true
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%w: it ends inside this frame; the %d before it are whole", ErrTruncated, r.frame)
	case errors.Is(err, ErrFormat) && r.frame > 0:
		err = fmt.Errorf("%w; the %d frames before it are whole", err, r.frame)
	}
	return fmt.Errorf("dcd: %s: frame %d, offset %d: %w", r.name, r.frame, r.offset, err)
}

func (r *Reader) next(f *gromacs.Frame) error {
	f.Step = r.first + int64(r.frame)*r.interval
	f.Time, f.Lambda, f.V, f.F, f.Box, f.OtherBox = float64(f.Step)*r.step, 0, nil, nil, [9]float64{}, [9]float64{}
	begun := false
	record := func(size int) ([]byte, error) {
		p, err := r.record(size)
		if err == io.EOF && begun {
			err = io.ErrUnexpectedEOF
		}
		begun = true
		return p, err
	}
	if r.frame == 0 {
		r.findCell()
	}
	if r.cell {
		p, err := record(cellBytes)
		if err != nil {
			return err
		}
		if f.Box, f.OtherBox, err = r.unitCell(p); err != nil {
			return err
		}
	}
	return r.positions(f, record)
}

// positions reads the records of a frame's positions, those of the atoms that move.
func (r *Reader) positions(f *gromacs.Frame, record func(size int) ([]byte, error)) error {
	if cap(f.R) < 3*r.atoms {
		f.R = nil // the file may be shorter than its number of atoms says
	}
	n := r.atoms
	if r.frame > 0 && r.free != nil {
		n = len(r.free)
	}
	for k := range 3 {
		p, err := record(4 * n)
		if err != nil {
			return err
		}
		if f.R == nil {
			f.R = make([]float32, 3*r.atoms)
		}
		f.R = f.R[:3*r.atoms]
		for j := range n {
			i := j
			if n < r.atoms {
				i = r.free[j]
			}
			v := math.Float32frombits(r.order.Uint32(p[4*j:])) / 10
			if v-v != 0 {
				return fmt.Errorf("%w: the position of atom %d (from 0) is %v; the simulation blew up, or the file "+
					"is damaged", ErrNonFinite, i, v)
			}
			f.R[3*i+k] = v
		}
	}
	if r.four {
		if _, err := record(4 * n); err != nil {
			return err
		}
	}
	r.fillFixed(f.R)
	return nil
}

// fillFixed puts the atoms that do not move where they are in the first frame.
func (r *Reader) fillFixed(x []float32) {
	switch {
	case r.free == nil:
	case r.frame == 0:
		r.still = append(r.still[:0], x...)
	default:
		for _, i := range r.free {
			copy(r.still[3*i:3*i+3], x[3*i:3*i+3])
		}
		copy(x, r.still)
	}
}

// findCell looks whether the first frame begins with a unit cell, whatever the head says.
func (r *Reader) findCell() {
	p, err := r.in.Peek(r.mark)
	if err != nil || 4*r.atoms == cellBytes {
		return
	}
	switch r.marked(p) {
	case cellBytes:
		r.cell = true
	case int64(4 * r.atoms):
		r.cell = false
	}
}

// cellBytes is the length of a unit cell's record: six doubles.
const cellBytes = 48
