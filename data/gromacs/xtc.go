package gromacs

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
)

// XTC reads an XTC trajectory frame by frame: positions to a fixed precision,
// compressed. It has no forces.
type XTC struct {
	in    *bufio.Reader
	file  io.Reader // what in reads from
	close func() error
	name  string

	frame  int   // number of the frame that is read, from 0
	offset int64 // bytes read
	atoms  int   // of the first frame; -1 before it
	packed []byte
}

// OpenXTC opens a trajectory.
func OpenXTC(path string) (*XTC, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gromacs: %w", err)
	}
	x := NewXTC(f, path)
	x.close = f.Close
	return x, nil
}

// NewXTC reads a trajectory from r; name is for messages.
func NewXTC(r io.Reader, name string) *XTC {
	return &XTC{in: bufio.NewReaderSize(r, bufferSize), file: r, name: name, atoms: -1,
		close: func() error { return nil }}
}

// Close closes the file.
func (x *XTC) Close() error { return x.close() }

const (
	xtcMagic    = 1995
	xtcMagicBig = 2023 // sizes in 64 bits; GROMACS 2023 and later, from 298,261,617 atoms on
	xtcPlain    = 9    // up to so many atoms are not compressed
)

// Next reads the next frame into f, whose slice R it uses again. It returns
// io.EOF after the last frame. Errors name file, frame and offset: ErrFormat,
// ErrTruncated, ErrNonFinite, those of the system.
func (x *XTC) Next(f *Frame) error {
	err := x.next(f)
	if err == nil {
		x.frame++
		return nil
	}
	if err == io.EOF {
		return io.EOF
	}
	return frameError(x.name, x.frame, x.offset, err)
}

// header reads the head of a frame; big: sizes are in 64 bits. io.EOF between frames is the end.
func (x *XTC) header(f *Frame) (big bool, err error) {
	var magic [4]byte
	if n, err := io.ReadFull(x.in, magic[:]); err != nil {
		x.offset += int64(n)
		return false, err
	}
	x.offset += 4
	m := binary.BigEndian.Uint32(magic[:])
	if m != xtcMagic && m != xtcMagicBig {
		return false, fmt.Errorf("%w: magic number %d in place of %d; this is no XTC file, or the frame before it "+
			"is damaged", ErrFormat, m, xtcMagic)
	}
	var head struct {
		Atoms, Step int32
		Time        float32
		Box         [9]float32
		Again       int32 // atoms
	}
	if err := x.decode(&head); err != nil {
		return false, err
	}
	switch {
	case head.Atoms < 0 || head.Atoms > maxAtoms || head.Again != head.Atoms:
		return false, fmt.Errorf("%w: %d atoms, and then %d", ErrFormat, head.Atoms, head.Again)
	case x.atoms >= 0 && int(head.Atoms) != x.atoms:
		return false, fmt.Errorf("%w: %d atoms, %d in the frames before it", ErrFormat, head.Atoms, x.atoms)
	}
	x.atoms = int(head.Atoms)
	f.Step, f.Time, f.Lambda, f.V, f.F = int64(head.Step), float64(head.Time), 0, nil, nil
	for i, v := range head.Box {
		f.Box[i] = float64(v)
	}
	for _, v := range append(f.Box[:], f.Time) {
		if v-v != 0 {
			return false, fmt.Errorf("%w: the time or the box has %v", ErrNonFinite, v)
		}
	}
	return m == xtcMagicBig, nil
}

func (x *XTC) next(f *Frame) error {
	big, err := x.header(f)
	if err != nil {
		return err
	}
	if x.atoms <= xtcPlain {
		plain := make([]float32, 3*x.atoms)
		if err := x.decode(plain); err != nil {
			return err
		}
		f.R = append(f.R[:0], plain...)
	} else {
		p, err := x.block(big)
		if err != nil {
			return err
		}
		if f.R, err = p.unpack(f.R[:0], x.atoms, x.packed); err != nil {
			return err
		}
	}
	if i := nonFinite(f.R); i >= 0 {
		return fmt.Errorf("%w: the position of atom %d (from 0) is %v; the file is damaged", ErrNonFinite, i/3, f.R[i])
	}
	return nil
}

// decode reads big-endian numbers.
func (x *XTC) decode(v any) error {
	err := binary.Read(x.in, binary.BigEndian, v)
	if err == nil {
		x.offset += int64(binary.Size(v))
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// blockSize reads the head of the compressed positions, and how many bytes they are without padding.
func (x *XTC) blockSize(big bool) (p packing, size int64, err error) {
	if err := x.decode(&p); err != nil {
		return p, 0, err
	}
	if big {
		if err := x.decode(&size); err != nil {
			return p, 0, err
		}
	} else {
		var small int32
		if err := x.decode(&small); err != nil {
			return p, 0, err
		}
		size = int64(small)
	}
	// An atom needs at most 3·32 bits and 6 of flags.
	if size < 0 || size > 13*int64(x.atoms)+16 {
		return p, 0, fmt.Errorf("%w: %d bytes for the positions of %d atoms", ErrFormat, size, x.atoms)
	}
	return p, size, nil
}

// block reads the head of the compressed positions, and their bytes into
// x.packed with room behind them to read in words.
func (x *XTC) block(big bool) (packing, error) {
	p, size, err := x.blockSize(big)
	if err != nil {
		return p, err
	}
	padded := (size + 3) &^ 3
	x.packed = x.packed[:0]
	for left := padded; left > 0; {
		n := int(min(left, bufferSize)) // a false size ends with the file, not with a huge allocation
		start := len(x.packed)
		x.packed = append(x.packed, make([]byte, n)...)
		done, err := io.ReadFull(x.in, x.packed[start:])
		x.offset += int64(done)
		if err != nil {
			return p, io.ErrUnexpectedEOF
		}
		left -= int64(n)
	}
	x.packed = append(x.packed[:size], make([]byte, 24)...)
	return p, nil
}

// packing is the head of compressed positions, in the order of the file.
type packing struct {
	Precision float32  // steps per nm
	Min, Max  [3]int32 // of the positions, in steps
	Small     int32    // index of the first range of small differences
}

// ranges of small differences: a triple of numbers below ranges[i] takes i bits.
// About 2^(i/3); the format fixes these values.
var ranges = [...]uint64{
	0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 12, 16, 20, 25, 32, 40, 50, 64, 80, 101, 128, 161, 203, 256, 322, 406, 512, 645,
	812, 1024,
	1290, 1625, 2048, 2580, 3250, 4096, 5060, 6501, 8192, 10321, 13003, 16384, 20642, 26007, 32768, 41285, 52015, 65536,
	82570,
	104031, 131072, 165140, 208063, 262144, 330280, 416127, 524287, 660561, 832255, 1048576, 1321122, 1664510, 2097152,
	2642245,
	3329021, 4194304, 5284491, 6658042, 8388607, 10568983, 13316085, 16777216,
}

const firstRange = 9

// triple is how three numbers below sizes are packed: as one number, mixed in
// their bases, of so many bits.
type triple struct {
	sizes   [3]uint64
	bits    int
	inverse uint64 // ⌈2^64 / size⌉ where all three are equal and small; else 0
}

func newTriple(a, b, c uint64) triple {
	hi, lo := bits.Mul64(a*b, c) // sizes below 2^24
	t := triple{sizes: [3]uint64{a, b, c}, bits: bits.Len64(lo)}
	if hi != 0 {
		t.bits = 64 + bits.Len64(hi)
	}
	// The quotient by the inverse is exact while size⁴ < 2^64.
	if a == b && b == c && a < 1<<16 {
		t.inverse = math.MaxUint64/a + 1
	}
	return t
}

// smallTriple is that of a range of differences, which has as many bits as its index.
func smallTriple(i int) triple {
	t := newTriple(ranges[i], ranges[i], ranges[i])
	t.bits = i
	return t
}

// bitReader reads from the highest bit of each byte down. There must be 24
// bytes behind the last that counts.
type bitReader struct {
	buf []byte
	at  int // bit
}

// word is the next bits from the highest down, at least 57 of them right.
func (r *bitReader) word() uint64 {
	return binary.BigEndian.Uint64(r.buf[r.at>>3:]) << (r.at & 7)
}

func (r *bitReader) take(n int) uint64 {
	v := r.word() >> (64 - n)
	r.at += n
	return v
}

// number reads n bits, up to 57, of which each eight are a byte, the lowest first.
func (r *bitReader) number(n int) uint64 {
	w := r.word()
	r.at += n
	whole := n &^ 7
	low := bits.ReverseBytes64(w) & (1<<whole - 1)
	return low | (w<<whole>>(64-(n-whole)))<<whole
}

// triple reads three numbers.
func (r *bitReader) triple(t *triple) (a, b, c uint64) {
	if t.bits <= 57 {
		n := r.number(t.bits)
		if t.inverse != 0 {
			q, _ := bits.Mul64(n, t.inverse)
			c = n - q*t.sizes[2]
			a, _ = bits.Mul64(q, t.inverse)
			return a, q - a*t.sizes[1], c
		}
		q := n / t.sizes[2]
		c = n - q*t.sizes[2]
		a = q / t.sizes[1]
		return a, q - a*t.sizes[1], c
	}
	lo := r.number(32)
	mid := r.number(min(32, t.bits-32))
	hi := uint64(0)
	if t.bits > 64 {
		hi = r.number(t.bits - 64)
	}
	lo |= mid << 32
	qh, ql := hi/t.sizes[2], uint64(0)
	ql, c = bits.Div64(hi%t.sizes[2], lo, t.sizes[2])
	_, b = bits.Div64(qh%t.sizes[1], ql, t.sizes[1])
	// The last quotient is below 2^24 in a sound file; in another, its low bits do.
	a, _ = bits.Div64(qh%t.sizes[1], ql, t.sizes[1])
	return a, b, c
}

// unpack appends the positions of so many atoms to dst, in nm. The format (3dfc)
// writes an atom as its place in the box of all positions, and those behind it,
// up to eight, as differences where these are small; the first of them changes
// places with the atom itself.
func (p *packing) unpack(dst []float32, atoms int, packed []byte) ([]float32, error) {
	var size [3]uint64
	large := false
	for k := range size {
		if p.Max[k] < p.Min[k] {
			return dst, fmt.Errorf("%w: positions from %d to %d", ErrFormat, p.Min[k], p.Max[k])
		}
		size[k] = uint64(int64(p.Max[k])-int64(p.Min[k])) + 1
		large = large || size[k] > 0xffffff
	}
	if !(p.Precision > 0) || math.IsInf(float64(p.Precision), 0) {
		return dst, fmt.Errorf("%w: precision %v", ErrFormat, p.Precision)
	}
	small := int(p.Small)
	if small < firstRange || small >= len(ranges) {
		return dst, fmt.Errorf("%w: range %d of small differences", ErrFormat, small)
	}
	var full triple
	if !large {
		full = newTriple(size[0], size[1], size[2])
	}
	step := 1 / p.Precision
	r := bitReader{buf: packed}
	end := 8 * (len(packed) - 24)
	differences := smallTriple(small)
	half := int32(ranges[small] / 2)
	run := 0
	n := len(dst) + 3*atoms
	if int64(atoms) <= 4*int64(len(packed)) && cap(dst) < n { // an atom takes two bits at least
		dst = append(make([]float32, 0, n), dst...)
	}
	for len(dst) < n {
		var x, y, z int32
		if large {
			x = p.Min[0] + int32(r.take(bits.Len64(size[0])))
			y = p.Min[1] + int32(r.take(bits.Len64(size[1])))
			z = p.Min[2] + int32(r.take(bits.Len64(size[2])))
		} else {
			a, b, c := r.triple(&full)
			x, y, z = p.Min[0]+int32(a), p.Min[1]+int32(b), p.Min[2]+int32(c)
		}
		change := 0
		if r.take(1) == 1 {
			run = int(r.take(5))
			change = run % 3
			run -= change
			change--
		}
		if r.at > end || len(dst)+run >= n && run > 0 {
			return dst, fmt.Errorf("%w: the compressed positions end at atom %d (from 0)", ErrFormat, len(dst)/3)
		}
		if run == 0 {
			dst = append(dst, float32(x)*step, float32(y)*step, float32(z)*step)
		}
		for k := 0; k < run; k += 3 {
			a, b, c := r.triple(&differences)
			if r.at > end {
				return dst, fmt.Errorf("%w: the compressed positions end at atom %d (from 0)", ErrFormat, len(dst)/3)
			}
			u, v, w := x+int32(a)-half, y+int32(b)-half, z+int32(c)-half
			dst = append(dst, float32(u)*step, float32(v)*step, float32(w)*step)
			if k == 0 {
				dst = append(dst, float32(x)*step, float32(y)*step, float32(z)*step)
			}
			x, y, z = u, v, w
		}
		if change != 0 {
			if small += change; small < firstRange || small >= len(ranges) {
				return dst, fmt.Errorf("%w: range %d of small differences at atom %d (from 0)", ErrFormat, small,
					len(dst)/3)
			}
			differences = smallTriple(small)
			half = int32(ranges[small] / 2)
		}
	}
	return dst, nil
}
