package npz

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/data"
)

// Write writes the frames of an Arrow file under the published keys, and what
// else it has as bias, logw, logq and the beads' names as beads. It reads the
// file once for every array. The new file appears when it is whole. Errors: those of
// the files; ctx.Err(), wrapped.
func Write(ctx context.Context, path, frames string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("npz: write %s: %w", path, err)
		}
	}()
	file, err := keep.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer file.Cleanup() // does nothing after success
	buffered := bufio.NewWriterSize(file, 1<<20)
	z := zip.NewWriter(buffered)
	if err := writeAll(ctx, z, frames); err != nil {
		return err
	}
	if err := errors.Join(z.Close(), buffered.Flush()); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}

// export is one array: key, NumPy's type and shape, and the bytes of a batch.
type export struct {
	key, kind, shape string
	rows             func(p []byte, f *data.Frames) []byte
}

func writeAll(ctx context.Context, z *zip.Writer, frames string) error {
	r, err := data.OpenContext(ctx, frames)
	if err != nil {
		return err
	}
	defer r.Close()
	m, n := r.Meta(), r.Len()
	arrays := []export{
		{"species", "<i8", fmt.Sprintf("%d, %d", n, len(m.Beads)), func(p []byte, f *data.Frames) []byte {
			for range f.Len() {
				for _, s := range m.Species {
					p = binary.LittleEndian.AppendUint64(p, uint64(int64(s)))
				}
			}
			return p
		}},
		{"mask", "|b1", fmt.Sprintf("%d, %d", n, len(m.Beads)), func(p []byte, f *data.Frames) []byte {
			for range f.Len() * f.Beads {
				p = append(p, 1)
			}
			return p
		}},
	}
	if m.Species == nil {
		arrays = arrays[1:]
	}
	for _, column := range r.Columns() {
		var e export
		switch column {
		case "R", "F", "box":
			e = export{column, "<f4", fmt.Sprintf("%d, %d, %d", n, len(m.Beads), m.Dim),
				func(p []byte, f *data.Frames) []byte {
					for _, v := range map[string][]float32{"R": f.R, "F": f.F}[column] {
						p = binary.LittleEndian.AppendUint32(p, math.Float32bits(v))
					}
					for _, v := range map[string][]float32{"box": f.Box}[column] {
						p = binary.LittleEndian.AppendUint64(p, math.Float64bits(float64(v)))
					}
					return p
				}}
			if column == "box" {
				e.kind, e.shape = "<f8", fmt.Sprintf("%d, 3, 3", n)
			}
		default:
			key := column
			if column == "u" {
				key = "U"
			}
			e = export{key, "<f8", fmt.Sprintf("%d,", n), func(p []byte, f *data.Frames) []byte {
				for _, v := range map[string][]float64{"u": f.U, "bias": f.Bias, "logw": f.LogW,
					"logq": f.LogQ}[column] {
					p = binary.LittleEndian.AppendUint64(p, math.Float64bits(v))
				}
				return p
			}}
		}
		arrays = append(arrays, e)
	}
	for _, e := range arrays {
		if err := e.write(ctx, z, frames); err != nil {
			return fmt.Errorf("%s: %w", e.key, err)
		}
	}
	return writeNames(z, m.Beads)
}

func (e *export) write(ctx context.Context, z *zip.Writer, frames string) error {
	w, err := begin(z, e.key, e.kind, e.shape)
	if err != nil {
		return err
	}
	r, err := data.OpenContext(ctx, frames)
	if err != nil {
		return err
	}
	defer r.Close()
	var p []byte
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		p = e.rows(p[:0], f)
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
}

// begin starts an array in the file. The head is padded, so that the numbers
// begin at a multiple of 64, as the format asks.
func begin(z *zip.Writer, key, kind, shape string) (io.Writer, error) {
	w, err := z.Create(key + ".npy")
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, shape)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	p := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
	_, err = w.Write(append(p, head...))
	return w, err
}

// writeNames writes an array of strings, UTF-32 and padded with zeros.
func writeNames(z *zip.Writer, names []string) error {
	width := 1
	for _, s := range names {
		width = max(width, len([]rune(s)))
	}
	w, err := begin(z, keyBeads, fmt.Sprintf("<U%d", width), fmt.Sprintf("%d,", len(names)))
	if err != nil {
		return err
	}
	var p []byte
	for _, s := range names {
		runes := append([]rune(s), make([]rune, width-len([]rune(s)))...)
		for _, c := range runes {
			p = binary.LittleEndian.AppendUint32(p, uint32(c))
		}
	}
	_, err = w.Write(p)
	return err
}
