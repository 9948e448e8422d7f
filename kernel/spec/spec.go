// Package spec writes, reads and removes the kernelspec by which Jupyter front ends find and start this repository's
// kernel: a folder kernels/cgbg in Jupyter's data directory, with kernel.json and the program that it starts.
//
// Sources: the Jupyter documentation, "Making kernels for Jupyter: Kernel specs"
// (https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs), and jupyter_core.paths for the place.
package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/keep"
)

const (
	Name        = "cgbg"      // what front ends and notebooks call the kernel
	DisplayName = "Go (cgbg)" // what they show
	DataDirEnv  = "JUPYTER_DATA_DIR"

	program = "cgbg-kernel" // the copy of the kernel command in the kernelspec's folder
)

// Errors that a caller may want to tell apart.
var (
	ErrForeign = errors.New("a kernelspec of this name is not from this repository")
	ErrMissing = errors.New("no kernelspec is installed")
)

// Spec is a kernelspec, the content of kernel.json.
type Spec struct {
	Argv          []string `json:"argv"` // "{connection_file}" stands for the connection file
	DisplayName   string   `json:"display_name"`
	Language      string   `json:"language"`
	InterruptMode string   `json:"interrupt_mode"` // "message": GoNB wants an interrupt_request, not a signal
	Metadata      Metadata `json:"metadata"`
}

// Metadata is what a kernelspec of this repository says about itself.
type Metadata struct {
	Module string `json:"cgbg_module"` // absolute path of the folder whose code the cells use
}

// Program returns the path of the program that the kernelspec starts.
func (s *Spec) Program() string {
	if len(s.Argv) == 0 {
		return ""
	}
	return s.Argv[0]
}

// Dir returns the folder of the kernelspec, whether there is one or not: kernels/cgbg below Jupyter's data directory,
// which is $JUPYTER_DATA_DIR or else the user's, as jupyter_core.paths.jupyter_data_dir has it. An error: there is
// neither that variable nor a home directory.
func Dir() (string, error) {
	data, err := dataDir(runtime.GOOS, os.Getenv)
	if err != nil {
		return "", err
	}
	if data, err = filepath.Abs(data); err != nil {
		return "", fmt.Errorf("spec: finding %s: %w", DataDirEnv, err)
	}
	return filepath.Join(data, "kernels", Name), nil
}

func dataDir(goos string, getenv func(string) string) (string, error) {
	if dir := getenv(DataDirEnv); dir != "" {
		return dir, nil
	}
	home := getenv("HOME")
	xdg := getenv("XDG_DATA_HOME")
	if home == "" && (xdg == "" || goos == "darwin") {
		return "", fmt.Errorf("spec: no home directory: set %s to the folder where Jupyter keeps its data", DataDirEnv)
	}
	switch {
	case goos == "darwin" && isSet(getenv("JUPYTER_PLATFORM_DIRS")):
		return filepath.Join(home, "Library", "Application Support", "Jupyter"), nil
	case goos == "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case xdg != "":
		return filepath.Join(xdg, "jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// isSet reads a switch as jupyter_core.utils.envset does.
func isSet(value string) bool {
	return !slices.Contains([]string{"", "no", "n", "false", "off", "0", "0.0"}, strings.ToLower(value))
}

// Install writes the kernelspec and returns its folder. What is there already is replaced, file by file and each at
// once, so that a kernel which starts meanwhile finds a whole kernelspec.
//
// binary: the kernel command, which is copied, since the one that `go run` makes vanishes.
// module: folder of the module whose code the cells use, absolute.
// args: what follows the program's name in the command line, "{connection_file}" for the connection file.
// Errors: ErrForeign if another kernel has taken the name; a folder that cannot be written.
func Install(binary, module string, args ...string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	if err := ours(dir); err != nil && !errors.Is(err, ErrMissing) {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("spec: creating the kernelspec: %w; set %s to a folder that can be written", err,
			DataDirEnv)
	}
	path := filepath.Join(dir, program)
	content, err := json.MarshalIndent(Spec{
		Argv: append([]string{path}, args...), DisplayName: DisplayName, Language: "go", InterruptMode: "message",
		Metadata: Metadata{Module: module},
	}, "", " ")
	if err != nil {
		return "", fmt.Errorf("spec: writing kernel.json: %w", err)
	}
	source, err := os.Open(binary)
	if err != nil {
		return "", fmt.Errorf("spec: copying the kernel command: %w", err)
	}
	defer source.Close()
	if err := write(path, source, 0o755); err != nil {
		return "", err
	}
	return dir, write(filepath.Join(dir, "kernel.json"), bytes.NewReader(append(content, '\n')), 0o644)
}

// write puts a file in its place at once.
func write(path string, from io.Reader, mode fs.FileMode) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("spec: writing %s: %w", path, err)
		}
	}()
	f, err := keep.Create(path, mode)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// Read returns the installed kernelspec. Errors: ErrMissing, ErrForeign, a file that is not JSON.
func Read() (*Spec, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	return read(dir)
}

func read(dir string) (*Spec, error) {
	path := filepath.Join(dir, "kernel.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("spec: %w in %s", ErrMissing, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("spec: reading: %w", err)
	}
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("spec: reading %s: %w", path, err)
	}
	if s.Metadata.Module == "" {
		return nil, fmt.Errorf("spec: %w: %s; remove or rename that folder", ErrForeign, dir)
	}
	return &s, nil
}

// ours tells if the kernelspec in a folder may be replaced or removed: one that this package wrote, a broken one of it.
func ours(dir string) error {
	_, err := read(dir)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
			return nil
		}
	}
	return err
}

// Remove uninstalls the kernelspec and returns the folder that it was in. Errors: ErrMissing, ErrForeign.
func Remove() (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	if err := ours(dir); err != nil {
		return dir, err
	}
	// kernel.json first: without it there is no kernelspec.
	if err := os.Remove(filepath.Join(dir, "kernel.json")); err != nil {
		return dir, fmt.Errorf("spec: removing: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return dir, fmt.Errorf("spec: removing: %w", err)
	}
	return dir, nil
}
