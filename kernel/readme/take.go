package readme

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/kernel/run"
)

// The run that the page tells of: its head says so.
const (
	preset = "quick"
	seed   = "1"
)

// Take copies the results of a finished run into the folder of the notebooks, and returns the path that it wrote.
// Errors: a folder that is not of a run of one of these notebooks; a run that was not finished, or had other parameters
// than preset quick and seed 1.
func Take(dir, folder string) (string, error) {
	fail := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("readme: %s: "+format, append([]any{folder}, args...)...)
	}
	name, finished, err := run.Of(folder)
	switch {
	case err != nil:
		return "", fmt.Errorf("readme: %w", err)
	case !finished:
		return fail("the run was not finished: start it again")
	}
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil || len(name) < 2 {
		return fail("a run of %s, which is not in %s", name, dir)
	}
	entries, err := result.Read(filepath.Join(folder, result.FileName))
	if err != nil {
		return "", err
	}
	parameters := map[string]string{"preset": "not recorded", "seed": "not recorded"}
	for _, e := range entries {
		if _, ok := parameters[e.Name]; ok {
			parameters[e.Name] = fmt.Sprint(e.Value)
		}
	}
	if parameters["preset"] != preset || parameters["seed"] != seed {
		return fail("its preset is %s and its seed %s: the page tells of %s and %s",
			parameters["preset"], parameters["seed"], preset, seed)
	}
	path := filepath.Join(dir, Results, name[:2]+".json")
	return path, result.Write(path, entries)
}

// Write renders the page and writes it.
func Write(dir string) (string, error) {
	page, err := Render(dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, Page)
	return path, keep.WriteFile(path, page)
}
