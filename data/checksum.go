package data

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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
