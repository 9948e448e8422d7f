package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// A file's digest stands in its schema's metadata, once in the head and once
// in the footer. It is the SHA-256 of the file with the digest itself blanked
// out; it covers every byte, since a change of the digest shows as well.
const (
	digestMark = "cgbg-file-sha256:"
	digestSize = 2 * sha256.Size
	noDigest   = digestMark + "0000000000000000000000000000000000000000000000000000000000000000"
)

// scan hashes r with every digest blanked out, and returns the hash, the
// digests, and where they stand.
func scan(r io.Reader) (sum string, found []string, at []int64, err error) {
	h := sha256.New()
	const overlap = len(noDigest) - 1
	buf := make([]byte, 0, 64<<10)
	var offset int64 // of buf[0]
	for eof := false; !eof; {
		n, rerr := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch rerr {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			eof = true
		default:
			return "", nil, nil, rerr
		}
		done := 0
		for {
			i := bytes.Index(buf[done:], []byte(digestMark))
			if i < 0 || done+i+len(noDigest) > len(buf) {
				break
			}
			start := done + i + len(digestMark)
			found = append(found, string(buf[start:start+digestSize]))
			at = append(at, offset+int64(start))
			copy(buf[start:], noDigest[len(digestMark):])
			done = start + digestSize
		}
		if end := len(buf) - overlap; !eof && end > done {
			done = end // what follows may be the beginning of a digest
		}
		if eof {
			done = len(buf)
		}
		h.Write(buf[:done])
		offset += int64(done)
		buf = buf[:copy(buf[:cap(buf)], buf[done:])]
	}
	return hex.EncodeToString(h.Sum(nil)), found, at, nil
}

// verify checks that r is a whole file with its digest.
func verify(r io.ReaderAt, size int64) error {
	const magic = "ARROW1"
	var head, tail [len(magic)]byte
	if size < 2*int64(len(magic)) {
		return fmt.Errorf("%w: %d bytes", ErrFormat, size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(magic))); err != nil {
		return err
	}
	if string(head[:]) != magic {
		return fmt.Errorf("%w: it does not begin as an Arrow file", ErrFormat)
	}
	if string(tail[:]) != magic {
		return fmt.Errorf("%w: its end is missing", ErrDamaged)
	}
	sum, found, _, err := scan(io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%w: it has no digest, so another program made it; import its frames instead", ErrFormat)
	}
	for _, d := range found {
		if d != sum {
			return fmt.Errorf("%w: its digest does not match", ErrDamaged)
		}
	}
	return nil
}
