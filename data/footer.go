package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

// Arrow's reader believes the counts in a file's footer, and takes memory for as many fields, columns or numbers as
// they say. A digest shows damage, but not a file that was made to say so: these limits are far above what a frame file
// has.
const (
	maxEntries = 256       // fields, or entries of metadata
	maxDepth   = 2         // of fields: a list, and its numbers
	maxMemory  = 512 << 20 // bytes of columns of a batch
)

var errCounts = errors.New("it promises more than it can hold")

// Slots of Arrow's tables. Source: Apache Arrow, format/File.fbs, Schema.fbs and Message.fbs.
const (
	footerSchema, footerDictionaries, footerBatches = 6, 8, 10
	schemaFields, schemaMetadata                    = 6, 8
	fieldChildren, fieldMetadata                    = 14, 16
	messageMetadata                                 = 12
	// offset of 8 bytes, metadata's length of 4, body's of 8, padded
	blockSize = 24
)

// checkCounts verifies the counts in the footer of a file of so many bytes, and in its batches' heads.
func checkCounts(r io.ReaderAt, size int64) error {
	const tail = 4 + 6 // footer's length and the magic word
	var word [4]byte
	if _, err := r.ReadAt(word[:], max(0, size-tail)); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(word[:]))
	if length < 8 || length > size-tail {
		return fmt.Errorf("a footer of %d bytes", length)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-tail-length); err != nil {
		return err
	}
	root := table(footer)
	if n, _ := vector(root, footerDictionaries, blockSize); n != 0 {
		return fmt.Errorf("%w: %d dictionaries", errCounts, n)
	}
	schema, ok := child(root, footerSchema)
	if !ok {
		return errors.New("no schema")
	}
	if err := checkEntries(schema, schemaMetadata); err != nil {
		return err
	}
	if err := checkFields(schema, schemaFields, maxDepth); err != nil {
		return err
	}
	batches, at := vector(root, footerBatches, blockSize)
	if batches < 0 {
		return fmt.Errorf("%w: batches", errCounts)
	}
	for i := range batches {
		block := footer[int(at)+i*blockSize:]
		if err := checkMessage(r, size, int64(binary.LittleEndian.Uint64(block)),
			int64(int32(binary.LittleEndian.Uint32(block[8:])))); err != nil {
			return fmt.Errorf("batch %d: %w", i, err)
		}
	}
	return nil
}

// checkMessage verifies the head of a batch at an offset, of so many bytes.
func checkMessage(r io.ReaderAt, size, offset, length int64) error {
	const prefix = 8 // a mark, and the length
	if offset < 0 || length < prefix+8 || length > size || offset > size-length {
		return fmt.Errorf("%w: a head of %d bytes at %d", errCounts, length, offset)
	}
	head := make([]byte, length)
	if _, err := r.ReadAt(head, offset); err != nil {
		return err
	}
	return checkEntries(table(head[prefix:]), messageMetadata)
}

// table is the root of a buffer.
func table(buf []byte) flatbuffers.Table {
	return flatbuffers.Table{Bytes: buf, Pos: flatbuffers.GetUOffsetT(buf)}
}

// child is the table in a slot.
func child(t flatbuffers.Table, slot flatbuffers.VOffsetT) (flatbuffers.Table, bool) {
	o := t.Offset(slot)
	if o == 0 {
		return t, false
	}
	return flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + flatbuffers.UOffsetT(o))}, true
}

// vector is the length of the vector in a slot, and where it begins; the length is −1 where the buffer ends before it.
func vector(t flatbuffers.Table, slot flatbuffers.VOffsetT, each int) (n int, at flatbuffers.UOffsetT) {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return 0, 0
	}
	n, at = t.VectorLen(o), t.Vector(o)
	if n < 0 || int64(at)+int64(n)*int64(each) > int64(len(t.Bytes)) {
		return -1, 0
	}
	return n, at
}

// checkEntries verifies a vector of entries of metadata.
func checkEntries(t flatbuffers.Table, slot flatbuffers.VOffsetT) error {
	if n, _ := vector(t, slot, flatbuffers.SizeUOffsetT); n < 0 || n > maxEntries {
		return fmt.Errorf("%w: entries of metadata", errCounts)
	}
	return nil
}

// checkFields verifies a vector of fields and what is in them.
func checkFields(t flatbuffers.Table, slot flatbuffers.VOffsetT, depth int) error {
	n, at := vector(t, slot, flatbuffers.SizeUOffsetT)
	if n < 0 || n > maxEntries || n > 0 && depth == 0 {
		return fmt.Errorf("%w: fields", errCounts)
	}
	for i := range n {
		field := flatbuffers.Table{Bytes: t.Bytes,
			Pos: t.Indirect(at + flatbuffers.UOffsetT(i)*flatbuffers.SizeUOffsetT)}
		if err := checkEntries(field, fieldMetadata); err != nil {
			return err
		}
		if err := checkFields(field, fieldChildren, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// bounded is an allocator that panics with errCounts, which OpenReaderAt and Next turn into an error, where a column is
// said to have more bytes than maxMemory.
type bounded struct{ memory.Allocator }

func (b bounded) Allocate(size int) []byte {
	b.check(size)
	return b.Allocator.Allocate(size)
}

func (b bounded) Reallocate(size int, old []byte) []byte {
	b.check(size)
	return b.Allocator.Reallocate(size, old)
}

func (b bounded) check(size int) {
	if size < 0 || size > maxMemory {
		panic(fmt.Errorf("%w: %d bytes of a column", errCounts, size))
	}
}
