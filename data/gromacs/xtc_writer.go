package gromacs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

// XTCWriter writes an XTC trajectory of positions, for viewers.
type XTCWriter struct {
	out       *bufio.Writer
	precision float32
	buf       []byte
}

// NewXTCWriter writes to w; precision is in steps per nm, GROMACS's own is 1000.
func NewXTCWriter(w io.Writer, precision float64) *XTCWriter {
	return &XTCWriter{out: bufio.NewWriterSize(w, bufferSize), precision: float32(precision)}
}

// Close writes what is left. It does not close the file.
func (x *XTCWriter) Close() error { return x.out.Flush() }

// ErrRange reports positions too far from each other for the format.
var ErrRange = errors.New("positions out of the format's range; lower the precision")

// Append writes the step, time, box and positions of a frame, every atom by its
// place in the box of all. Errors: ErrRange, those of the system.
func (x *XTCWriter) Append(f *Frame) error {
	atoms := len(f.R) / 3
	b := x.buf[:0]
	word := func(v uint32) { b = binary.BigEndian.AppendUint32(b, v) }
	real := func(v float32) { word(math.Float32bits(v)) }
	word(xtcMagic)
	word(uint32(atoms))
	word(uint32(f.Step))
	real(float32(f.Time))
	for _, v := range f.Box {
		real(float32(v))
	}
	word(uint32(atoms))
	if atoms <= xtcPlain {
		for _, v := range f.R {
			real(v)
		}
		x.buf = b
		_, err := x.out.Write(b)
		return err
	}
	p := packing{Precision: x.precision, Small: firstRange,
		Min: [3]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32}, Max: [3]int32{math.MinInt32, math.MinInt32,
			math.MinInt32}}
	steps := make([]int32, len(f.R))
	for i, v := range f.R {
		s := math.Round(float64(v) * float64(x.precision))
		if !(math.Abs(s) < 1<<30) {
			return fmt.Errorf("gromacs: atom %d (from 0) is at %v nm: %w", i/3, v, ErrRange)
		}
		steps[i] = int32(s)
		p.Min[i%3], p.Max[i%3] = min(p.Min[i%3], steps[i]), max(p.Max[i%3], steps[i])
	}
	real(p.Precision)
	for _, v := range append(append(p.Min[:3:3], p.Max[:]...), p.Small) {
		word(uint32(v))
	}
	var size [3]uint64
	for k := range size {
		if size[k] = uint64(p.Max[k]-p.Min[k]) + 1; size[k] > 0xffffff {
			return fmt.Errorf("gromacs: a molecule of %g nm: %w", float64(size[k])/float64(x.precision), ErrRange)
		}
	}
	full := newTriple(size[0], size[1], size[2])
	at := len(b)
	word(0)
	start := len(b)
	w := bitWriter{buf: b}
	for i := 0; i < len(steps); i += 3 {
		hi, lo := bits.Mul64(uint64(steps[i]-p.Min[0])*size[1]+uint64(steps[i+1]-p.Min[1]), size[2])
		var carry uint64
		lo, carry = bits.Add64(lo, uint64(steps[i+2]-p.Min[2]), 0)
		w.number(hi+carry, lo, full.bits)
		w.put(0, 1) // no run, as from the start
	}
	b = w.buf
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-start))
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	x.buf = b
	_, err := x.out.Write(b)
	return err
}

// bitWriter writes from the highest bit of each byte down.
type bitWriter struct {
	buf  []byte
	free int // bits of the last byte
}

func (w *bitWriter) put(v uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		k := min(n, w.free)
		w.buf[len(w.buf)-1] |= byte(v >> (n - k) << (w.free - k) & (1<<w.free - 1))
		n, w.free = n-k, w.free-k
		v &= 1<<n - 1
	}
}

// number writes the n low bits of hi·2^64 + lo by bytes, the lowest first.
func (w *bitWriter) number(hi, lo uint64, n int) {
	for ; n > 0; n -= 8 {
		k := min(n, 8)
		w.put(lo&(1<<k-1), k)
		lo = lo>>8 | hi<<56
		hi >>= 8
	}
}
