package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
)

// ErrBusy reports an output folder that another run is using.
var ErrBusy = errors.New("another run is using it")

// ErrForeign reports an output folder with something else in it.
var ErrForeign = errors.New("it is not empty, and not the folder of a run")

// markerName is the file that tells a run's folder from others.
const markerName = "run.json"

// marker says which run a folder belongs to.
type marker struct {
	Notebook   string `json:"notebook"`   // file name
	Parameters string `json:"parameters"` // what the cells will see of them, hashed
	Finished   bool   `json:"finished"`
}

// folder is the output folder of a run, locked.
type folder struct {
	dir     string
	marker  marker
	resumes bool
	unlock  func()
}

// openFolder makes the folder, or takes over that of an earlier run: where
// that run was not finished and had the same parameters, what its cells saved
// in state/ stays.
func openFolder(dir string, m marker, fresh bool) (*folder, error) {
	fail := func(err error) (*folder, error) { return nil, fmt.Errorf("run: output folder %s: %w", dir, err) }
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(fmt.Errorf("%w; choose another with -o", err))
	}
	unlock, err := lock(dir)
	if errors.Is(err, ErrBusy) {
		return fail(fmt.Errorf("%w; wait for it, or choose another folder with -o", err))
	} else if err != nil {
		return fail(err)
	}
	f := &folder{dir: dir, marker: m, unlock: unlock}
	old, err := readMarker(dir)
	switch {
	case err != nil:
		unlock()
		return fail(err)
	case old != nil:
		f.resumes = *old == m && !fresh // m is not finished
	}
	if err := f.clear(); err != nil {
		unlock()
		return fail(err)
	}
	if err := f.mark(false); err != nil {
		unlock()
		return nil, err
	}
	return f, nil
}

// Of tells which notebook a folder is a run of, by its file name, and whether the run was finished.
// Errors: a folder that is not of a run; those of reading it.
func Of(dir string) (notebook string, finished bool, err error) {
	m, err := readMarker(dir)
	switch {
	case errors.Is(err, ErrForeign), err == nil && m == nil:
		return "", false, fmt.Errorf("run: %s is not the folder of a run: it has no %s", dir, markerName)
	case err != nil:
		return "", false, fmt.Errorf("run: %w", err)
	}
	return m.Notebook, m.Finished, nil
}

// readMarker returns nil for an empty folder.
func readMarker(dir string) (*marker, error) {
	text, err := os.ReadFile(filepath.Join(dir, markerName))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) > 0 {
			err = fmt.Errorf("%w; choose another with -o", ErrForeign)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	m := new(marker)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w; delete the folder, or choose another with -o", markerName, err)
	}
	return m, nil
}

// clear removes what an earlier run made, and nothing else.
func (f *folder) clear() error {
	made := []string{"figures", result.FileName, f.marker.Notebook}
	if !f.resumes {
		made = append(made, "state")
	}
	for _, name := range made {
		if err := os.RemoveAll(filepath.Join(f.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) mark(finished bool) error {
	f.marker.Finished = finished
	text, err := json.MarshalIndent(f.marker, "", " ")
	if err == nil {
		err = keep.WriteFile(filepath.Join(f.dir, markerName), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("run: output folder %s: %w; choose another with -o", f.dir, err)
	}
	return nil
}
