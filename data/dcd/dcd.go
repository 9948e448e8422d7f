// Package dcd reads DCD trajectories, as OpenMM, CHARMM and NAMD write them:
// positions in Å in single precision, no forces.
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

// akma is the unit of time of CHARMM, in ps.
const akma = 0.0488882129

// maxAtoms bounds the number of atoms, so that a record's length fits in an int32.
const maxAtoms = math.MaxInt32 / 4

// Reader reads a trajectory frame by frame.
type Reader struct {
	in    *bufio.Reader
	close func() error
	name  string
	order binary.ByteOrder

	atoms    int
	frames   int   // that the head announces; 0 where it does not
	cell     bool  // a unit cell in every frame
	four     bool  // a fourth dimension in every frame
	version  int32 // of CHARMM, as the writer claims
	first    int64
	interval int64
	step     float64 // ps; 0 where the file says nothing

	frame  int   // number of the frame that is read, from 0
	offset int64 // bytes read
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
	r := &Reader{in: bufio.NewReaderSize(in, 64<<10), name: name, close: func() error { return nil }}
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

func (r *Reader) header() error {
	mark, err := r.in.Peek(4)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	switch {
	case binary.LittleEndian.Uint32(mark) == 84:
		r.order = binary.LittleEndian
	case binary.BigEndian.Uint32(mark) == 84:
		r.order = binary.BigEndian
	default:
		return fmt.Errorf("%w: it begins with %q; a DCD file begins with a record of 84 bytes", ErrFormat, mark)
	}
	head, err := r.record(84)
	if err != nil {
		return err
	}
	if string(head[:4]) != "CORD" {
		return fmt.Errorf("%w: it holds %q; positions (CORD) are needed", ErrFormat, head[:4])
	}
	control := func(i int) int32 { return int32(r.order.Uint32(head[4+4*i:])) }
	if n := control(8); n != 0 {
		return fmt.Errorf("%w: %d atoms are fixed, and stand in the first frame only; write all atoms in every frame", ErrFormat, n)
	}
	r.frames = int(control(0))
	r.first, r.interval = int64(control(1)), int64(control(2))
	r.version = control(19)
	if r.version != 0 { // CHARMM's version; without it a file has neither cell nor fourth dimension, and X-PLOR's time step
		r.cell, r.four = control(10) != 0, control(11) != 0
		r.step = akma * float64(math.Float32frombits(r.order.Uint32(head[4+4*9:])))
	} else {
		r.step = akma * math.Float64frombits(r.order.Uint64(head[4+4*9:]))
	}
	if !(r.step > 0 && r.step < 1e6) {
		r.step = 0
	}
	if _, err := r.record(-1); err != nil { // title
		return err
	}
	size, err := r.record(4)
	if err != nil {
		return err
	}
	if r.atoms = int(int32(r.order.Uint32(size))); r.atoms < 1 || r.atoms > maxAtoms {
		return fmt.Errorf("%w: %d atoms", ErrFormat, r.atoms)
	}
	return nil
}

// maxTitle bounds a record whose length is not known.
const maxTitle = 1 << 20

// record reads a record of Fortran: its length, its bytes, its length. size is
// what it must be, −1 for any. It returns io.EOF where there is none.
func (r *Reader) record(size int) ([]byte, error) {
	var mark [4]byte
	if n, err := io.ReadFull(r.in, mark[:]); err != nil {
		r.offset += int64(n)
		return nil, err
	}
	r.offset += 4
	n := int(int32(r.order.Uint32(mark[:])))
	if size >= 0 && n != size || n < 0 || size < 0 && n > maxTitle {
		return nil, fmt.Errorf("%w: a record of %d bytes in place of one of %d", ErrFormat, n, size)
	}
	r.buf = r.buf[:0]
	for len(r.buf) < n { // a false size ends with the file, not with a huge allocation
		start := len(r.buf)
		r.buf = append(r.buf, make([]byte, min(n-start, 64<<10))...)
		k, err := io.ReadFull(r.in, r.buf[start:])
		r.offset += int64(k)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	k, err := io.ReadFull(r.in, mark[:])
	r.offset += int64(k)
	if err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if end := int(int32(r.order.Uint32(mark[:]))); end != n {
		return nil, fmt.Errorf("%w: a record of %d bytes ends with the mark of one of %d", ErrFormat, n, end)
	}
	return r.buf, nil
}

// Next reads the next frame into f, whose slice R it uses again. It returns
// io.EOF after the last frame. A file with fewer frames than its head announces
// is truncated; one with more was written on. Errors name file, frame and offset.
func (r *Reader) Next(f *gromacs.Frame) error {
	err := r.next(f)
	if err == nil {
		r.frame++
		return nil
	}
	switch {
	case err == io.EOF && r.frame >= r.frames:
		return io.EOF
	case err == io.EOF:
		err = fmt.Errorf("%w: it ends here, its head announces %d frames", ErrTruncated, r.frames)
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
	if r.cell {
		p, err := record(48)
		if err != nil {
			return err
		}
		if f.Box, f.OtherBox, err = r.unitCell(p); err != nil {
			return err
		}
	}
	for k := range 3 {
		p, err := record(4 * r.atoms)
		if err != nil {
			return err
		}
		if k == 0 && cap(f.R) < 3*r.atoms {
			f.R = make([]float32, 3*r.atoms)
		}
		f.R = f.R[:3*r.atoms]
		for i := range r.atoms {
			v := math.Float32frombits(r.order.Uint32(p[4*i:])) / 10
			if v-v != 0 {
				return fmt.Errorf("%w: the position of atom %d (from 0) is %v; the simulation blew up, or the file is damaged", ErrNonFinite, i, v)
			}
			f.R[3*i+k] = v
		}
	}
	if r.four {
		if _, err := record(4 * r.atoms); err != nil {
			return err
		}
	}
	return nil
}
