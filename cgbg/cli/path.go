package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CheckPaths looks at the files of a command before it reads or writes any.
// Inputs are read several times, so that a pipe, a device or a folder is none. An
// output replaces what has its name: that may be neither an input, by whatever
// name or link, nor anything but a file. Empty names are passed over, and
// missing inputs left to the readers.
func CheckPaths(outputs, inputs []string) error {
	infos := make([]fs.FileInfo, len(inputs))
	for i, in := range inputs {
		info, err := os.Stat(in)
		if in == "" || err != nil {
			continue
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is %s: inputs are read more than once and must be files; write what it gives to a "+
				"file first", in, kind(info.Mode()))
		}
		infos[i] = info
	}
	for _, out := range outputs {
		if out == "" {
			continue
		}
		if base := filepath.Base(out); strings.HasSuffix(out, string(filepath.Separator)) || base == "." ||
			base == ".." {
			return fmt.Errorf("%s is a folder: the output is a file; give it a name", out)
		}
		for _, in := range inputs {
			if in != "" && filepath.Clean(in) == filepath.Clean(out) {
				return overwrites(out, in)
			}
		}
		if dir, err := filepath.Abs(filepath.Dir(out)); err == nil &&
			(dir == "/dev" || dir == "/dev/fd" || strings.HasPrefix(dir, "/proc/")) {
			// a link there may lead to a file
			return fmt.Errorf("%s is a device: the output is a file; give it another name", out)
		}
		info, err := os.Stat(out)
		if err != nil {
			continue // it is no input by another name
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is %s: the output is a file; give it another name", out, kind(info.Mode()))
		}
		for i, in := range inputs {
			if infos[i] != nil && os.SameFile(info, infos[i]) {
				return overwrites(out, in)
			}
		}
	}
	return nil
}

func overwrites(out, in string) error {
	if filepath.Clean(out) == filepath.Clean(in) {
		return fmt.Errorf("%s is an input, which an output would replace: give the output another name", in)
	}
	return fmt.Errorf("%s is the same file as the input %s, which an output would replace: give the output another "+
		"name", out, in)
}

// CheckFolder verifies that a folder to write to is one, or not there yet.
func CheckFolder(path string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is %s: the output is a folder; give it another name", path, kind(info.Mode()))
	}
	return nil
}

// Beside lists an output and what a command may replace beside it: all files
// that are there whose names begin with its own and a dot, and those in folders
// of such names. Cards, checkpoints and parts are called so.
func Beside(out string) []string {
	if out == "" {
		return nil
	}
	files := []string{out}
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil {
		return files
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(out)+".") {
			continue
		}
		filepath.WalkDir(filepath.Join(filepath.Dir(out), e.Name()), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return nil
		})
	}
	return files
}

// kind is what a path is that is no file.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a file"
}
