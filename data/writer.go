package data

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/google/renameio/v2"
)

// batchNumbers bounds a record batch: about 4 MB of float32.
const batchNumbers = 1 << 20

// Writer writes a file of frames in bounded memory. The file appears under its
// name when Close succeeds, and not before.
type Writer struct {
	path  string
	meta  Meta
	file  *renameio.PendingFile
	out   *ipc.FileWriter
	names []string // of the columns, fixed by the first frames
	like  Frames   // shape
	n     int      // frames written
	err   error
}

// Create begins a file. Columns are those of the first frames appended.
// Errors: a folder that cannot be written.
func Create(path string, meta Meta) (*Writer, error) {
	file, err := keep.Create(path, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data: create %s: %w", path, err)
	}
	return &Writer{path: path, meta: meta, file: file}, nil
}

// Append adds frames with the same parts as the first ones. After an error the
// writer can only be closed or aborted, and no file appears.
// Errors: parts that differ, lengths that do not fit, numbers that are not
// finite, a full disk.
func (w *Writer) Append(f *Frames) error {
	if w.err != nil {
		return w.err
	}
	if w.err = w.append(f); w.err != nil {
		w.err = fmt.Errorf("data: write %s: %w", w.path, w.err)
	}
	return w.err
}

func (w *Writer) append(f *Frames) error {
	if err := f.Check(w.n); err != nil {
		return err
	}
	if w.out == nil {
		if err := w.begin(f); err != nil {
			return err
		}
	}
	if f.Beads != w.like.Beads || f.Dim != w.like.Dim || !slices.Equal(f.present(), w.names) {
		return fmt.Errorf("frames from %d on have %d beads in %d dimensions and %q, those before %d in %d and %q",
			w.n, f.Beads, f.Dim, f.present(), w.like.Beads, w.like.Dim, w.names)
	}
	rows := max(1, batchNumbers/f.Width())
	for start := 0; start < f.Len(); start += rows {
		part := f.Slice(start, min(start+rows, f.Len()))
		if err := w.batch(part); err != nil {
			return err
		}
		w.n += part.Len()
	}
	return nil
}

func (w *Writer) begin(f *Frames) error {
	meta, err := w.meta.complete(f.Beads, f.Dim)
	if err != nil {
		return err
	}
	w.names, w.like = f.present(), Frames{Beads: f.Beads, Dim: f.Dim}
	s, err := schema(meta, f, w.names)
	if err != nil {
		return err
	}
	w.out, err = ipc.NewFileWriter(w.file, ipc.WithSchema(s), ipc.WithZstd())
	if err != nil {
		return err
	}
	w.meta = meta
	return nil
}

func (w *Writer) batch(f *Frames) error {
	s, err := schema(w.meta, f, w.names)
	if err != nil {
		return err
	}
	columns := make([]arrow.Array, 0, len(w.names))
	for _, c := range f.columns() {
		if !slices.Contains(w.names, c.name) {
			continue
		}
		var child arrow.Array
		switch v := c.values.(type) {
		case *[]float32:
			data := array.NewData(arrow.PrimitiveTypes.Float32, len(*v),
				[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float32Traits.CastToBytes(*v))}, nil, 0, 0)
			list := array.NewData(arrow.FixedSizeListOfNonNullable(int32(c.width), arrow.PrimitiveTypes.Float32),
				f.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{data}, 0, 0)
			child = array.MakeFromData(list)
		case *[]float64:
			child = array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Float64, len(*v),
				[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(*v))}, nil, 0, 0))
		}
		columns = append(columns, child)
	}
	record := array.NewRecordBatch(s, columns, int64(f.Len()))
	defer record.Release()
	return w.out.Write(record)
}

// Len is the number of frames appended so far.
func (w *Writer) Len() int { return w.n }

// Close finishes the file: footer, digest, fsync, rename. Without frames, or
// after an error, there is no file, and Close says why.
func (w *Writer) Close() error {
	defer w.file.Cleanup() // does nothing after success
	err := w.err
	if err == nil {
		if err = w.finish(); err == nil {
			err = w.file.CloseAtomicallyReplace()
		}
		if err != nil {
			err = fmt.Errorf("data: write %s: %w", w.path, err)
		}
	}
	w.err = errors.New("data: the writer is closed")
	return err
}

func (w *Writer) finish() error {
	if w.n == 0 {
		return ErrEmpty
	}
	if err := w.out.Close(); err != nil {
		return err
	}
	if _, err := w.file.Seek(0, 0); err != nil {
		return err
	}
	sum, _, at, err := scan(w.file)
	if err != nil {
		return err
	}
	for _, offset := range at {
		if _, err := w.file.WriteAt([]byte(sum), offset); err != nil {
			return err
		}
	}
	return nil
}

// Abort drops the file.
func (w *Writer) Abort() {
	w.file.Cleanup()
	w.err = errors.New("data: the writer is closed")
}

// WriteFile writes frames at once.
func WriteFile(path string, meta Meta, f *Frames) error {
	w, err := Create(path, meta)
	if err != nil {
		return err
	}
	if err := w.Append(f); err != nil {
		w.Abort()
		return err
	}
	return w.Close()
}
