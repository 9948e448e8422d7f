package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Reader reads a file of frames, batch by batch.
type Reader struct {
	name  string
	in    *ipc.FileReader
	file  io.Closer
	ctx   context.Context // of OpenContext; nil without
	meta  Meta
	names []string
	n     int // frames in the file
	next  int // batch
	first int // number of the first frame of that batch
}

// Open opens a file and checks all of it against its digest.
// Errors: those of the system; ErrFormat, ErrDamaged, ErrUnits, ErrEmpty,
// wrapped with the file's name.
func Open(path string) (*Reader, error) { return OpenContext(context.Background(), path) }

// OpenContext is Open for long files: opening and reading end with ctx.Err(), wrapped.
func OpenContext(ctx context.Context, path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("data: %w", err)
	}
	r, err := OpenReaderAt(interruptible{ctx, f}, info.Size(), path)
	if err != nil {
		f.Close()
		if ctx.Err() != nil { // the file is not damaged
			err = fmt.Errorf("data: %s: %w", path, ctx.Err())
		}
		return nil, err
	}
	r.file, r.ctx = f, ctx
	return r, nil
}

// interruptible is a file that gives an error once its context is done.
type interruptible struct {
	ctx  context.Context
	file io.ReaderAt
}

func (r interruptible) ReadAt(p []byte, at int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.file.ReadAt(p, at)
}

// OpenReaderAt opens a file that is elsewhere, in memory say; name is for messages.
func OpenReaderAt(at io.ReaderAt, size int64, name string) (r *Reader, err error) {
	defer recoverAs(&err, name)
	if err := verify(at, size); err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	if err := checkCounts(at, size); err != nil {
		return nil, fmt.Errorf("data: %s: %w: %w", name, ErrDamaged, err)
	}
	in, err := ipc.NewFileReader(io.NewSectionReader(at, 0, size), ipc.WithAllocator(bounded{memory.DefaultAllocator}))
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w: %w", name, ErrDamaged, err)
	}
	r = &Reader{name: name, in: in}
	if r.meta, r.names, err = parseSchema(in.Schema()); err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	for i := range in.NumRecords() {
		batch, err := in.RecordBatchAt(i)
		if err != nil {
			return nil, fmt.Errorf("data: %s: batch %d: %w: %w", name, i, ErrDamaged, err)
		}
		r.n += int(batch.NumRows())
		batch.Release()
	}
	if r.n == 0 {
		return nil, fmt.Errorf("data: %s: %w", name, ErrEmpty)
	}
	return r, nil
}

// recoverAs turns a panic of the Arrow library into an error.
func recoverAs(err *error, name string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("data: %s: %w: %v", name, ErrDamaged, p)
	}
}

// Meta describes the frames.
func (r *Reader) Meta() Meta { return r.meta }

// Len is the number of frames in the file.
func (r *Reader) Len() int { return r.n }

// Columns lists the parts that the frames have, R first.
func (r *Reader) Columns() []string { return slices.Clone(r.names) }

// Next returns the next batch of frames, which the caller may keep, and io.EOF
// after the last. Errors name the frame.
func (r *Reader) Next() (f *Frames, err error) {
	defer recoverAs(&err, r.name)
	if r.next >= r.in.NumRecords() {
		return nil, io.EOF
	}
	if r.ctx != nil && r.ctx.Err() != nil {
		return nil, fmt.Errorf("data: %s: %w", r.name, r.ctx.Err())
	}
	batch, err := r.in.RecordBatchAt(r.next)
	if err != nil && r.ctx != nil && r.ctx.Err() != nil { // while it was read: the file is not damaged
		return nil, fmt.Errorf("data: %s: %w", r.name, r.ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("data: %s: batch %d: %w: %w", r.name, r.next, ErrDamaged, err)
	}
	defer batch.Release()
	f = &Frames{Beads: len(r.meta.Beads), Dim: r.meta.Dim}
	for _, c := range f.columns() {
		for i, name := range r.names {
			if name != c.name {
				continue
			}
			if batch.Column(i).NullN() > 0 {
				return nil, fmt.Errorf("data: %s: frames from %d on: %s has missing values", r.name, r.first, name)
			}
			switch dst := c.values.(type) {
			case *[]float32:
				*dst = floats(batch.Column(i), c.width)
			case *[]float64:
				*dst = append([]float64(nil), batch.Column(i).(*array.Float64).Float64Values()...)
			}
		}
	}
	if err := f.Check(r.first); err != nil {
		return nil, fmt.Errorf("data: %s: %w", r.name, err)
	}
	r.next++
	r.first += f.Len()
	return f, nil
}

func floats(a arrow.Array, width int) []float32 {
	list := a.(*array.FixedSizeList)
	values := list.ListValues().(*array.Float32).Float32Values()
	start := list.Offset() * width
	return append([]float32(nil), values[start:start+list.Len()*width]...)
}

// Close closes the file.
func (r *Reader) Close() error {
	err := r.in.Close()
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	return err
}

// All reads the rest of the frames.
func (r *Reader) All() (*Frames, error) {
	all := &Frames{}
	for {
		f, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all.Append(f)
	}
}

// ReadFile reads a whole file.
func ReadFile(path string) (*Frames, Meta, error) {
	r, err := Open(path)
	if err != nil {
		return nil, Meta{}, err
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}
