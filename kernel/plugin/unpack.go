package plugin

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// unzip unpacks the files of an archive for which place returns a path. An archive without any is an error.
func unzip(ctx context.Context, archive string, place func(name string) string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	defer r.Close()
	found := false
	for _, f := range r.File {
		to := place(f.Name)
		if to == "" || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("unpacking %s: unsafe path %q", filepath.Base(archive), f.Name)
		}
		found = true
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
		err = errors.Join(writeTo(ctx, to, in), in.Close())
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", f.Name, err)
		}
	}
	if !found {
		return fmt.Errorf("unpacking %s: %w: none of the files that should be in it", filepath.Base(archive),
			fs.ErrNotExist)
	}
	return nil
}

// untar unpacks the first regular file whose base name matches.
func untar(ctx context.Context, archive string, name *regexp.Regexp, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return fmt.Errorf("unpacking %s: %w: no file %s", filepath.Base(archive), fs.ErrNotExist, name)
		}
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(archive), err)
		}
		if h.Typeflag == tar.TypeReg && name.MatchString(path.Base(h.Name)) {
			return writeTo(ctx, to, r)
		}
	}
}

// writeTo writes a file, executable, until the context ends.
func writeTo(ctx context.Context, to string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, stopper{ctx, r})
	return errors.Join(err, f.Close())
}

// stopper reads until the context ends.
type stopper struct {
	ctx context.Context
	r   io.Reader
}

func (s stopper) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}
