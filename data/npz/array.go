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
)

// array is one array of the file, read row by row.
type array struct {
	key   string
	in    io.ReadCloser
	shape []int
	width int    // numbers in a row
	kind  string // as in NumPy: f4, f8, i4, i8, b1, …
	order binary.ByteOrder
	buf   []byte
	fixed []float64 // of an array that stands for all frames
	rows  int       // of fixed that are yet to be given, one a frame; 0: all of it, in every frame
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
	text, err := head(a.in)
	if err != nil {
		return err
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
		return fmt.Errorf("%w: numbers of type %s; save them as float32, float64, int32, int64 or bool", ErrFormat,
			a.kind)
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

// head reads what describes an array, before its numbers.
func head(in io.Reader) ([]byte, error) {
	var magic [8]byte
	if _, err := io.ReadFull(in, magic[:]); err != nil || string(magic[:6]) != "\x93NUMPY" || magic[6] < 1 ||
		magic[6] > 3 {
		return nil, fmt.Errorf("%w: it begins with %q, which is no array of NumPy", ErrFormat, magic)
	}
	length := make([]byte, 4)
	if magic[6] == 1 {
		length = length[:2]
	}
	if _, err := io.ReadFull(in, length); err != nil {
		return nil, fmt.Errorf("%w: its head: %w", ErrTruncated, err)
	}
	n := binary.LittleEndian.Uint32(append(length[:len(length):len(length)], 0, 0)[:4])
	if n > 1<<16 {
		return nil, fmt.Errorf("%w: a head of %d bytes", ErrFormat, n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, fmt.Errorf("%w: its head: %w", ErrTruncated, err)
	}
	return text, nil
}

// chunk is what is read of a row at once, so that a false shape ends with the file and not with a huge allocation: a
// multiple of all sizes of numbers.
const chunk = 64 << 10

// row reads the numbers of the next frame.
func (a *array) row(dst []float64) ([]float64, error) {
	if a.fixed != nil {
		n := len(a.fixed)
		if a.rows > 0 {
			n /= a.rows
			a.rows--
		}
		dst = append(dst[:0], a.fixed[:n]...)
		if a.rows > 0 {
			a.fixed = a.fixed[n:]
		}
		return dst, nil
	}
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
		return fmt.Errorf("%w: %s: its checksum is wrong: some of its numbers are damaged; copy or make the file again",
			ErrFormat, a.key)
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

// fix reads an array that stands for all frames; doubt: its three rows of three
// may be the edges of the box in three frames instead, which have no zero beside
// the diagonal.
func (a *array) fix(doubt bool) error {
	rows := a.shape[0]
	if len(a.shape) == 1 {
		rows = 1
		a.width = a.shape[0]
	}
	var all, row []float64
	for range rows {
		var err error
		if row, err = a.row(row); err != nil {
			return err
		}
		all = append(all, row...)
	}
	if a.fixed = all; doubt && rows == 3 && (!slices.Contains(all, 0) || all[0] == 0 || all[4] == 0 || all[8] == 0) {
		a.rows = rows
	}
	return nil
}
