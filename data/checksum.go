package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Checksum is the SHA-256 of files in their order, as if they were one, in
// hexadecimal digits. Errors: those of the files; ctx.Err().
func Checksum(ctx context.Context, paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		if err := copyFile(ctx, h, path); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func copyFile(ctx context.Context, w io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(w, file, 4<<20); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Sum is the SHA-256 of frames and of what describes them, in hexadecimal digits: the same for the same content,
// whatever file or memory it stands in. Of m all but Source, SourceSHA, Generator and Extra counts, which say where
// frames come from.
func Sum(f *Frames, m Meta) string {
	m.Source, m.SourceSHA, m.Generator, m.Extra = "", "", "", nil
	h := sha256.New()
	fmt.Fprintf(h, "%+v %d %d\n", m, f.Beads, f.Dim)
	buf := make([]byte, 0, 64<<10)
	flush := func(room int) {
		if len(buf)+room > cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	for _, c := range f.columns() {
		switch v := c.values.(type) {
		case *[]float32:
			fmt.Fprintf(h, "%s %d\n", c.name, len(*v))
			for _, x := range *v {
				flush(4)
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
			}
		case *[]float64:
			fmt.Fprintf(h, "%s %d\n", c.name, len(*v))
			for _, x := range *v {
				flush(8)
				buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(x))
			}
		}
		h.Write(buf)
		buf = buf[:0]
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
