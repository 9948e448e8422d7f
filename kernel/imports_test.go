package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/kernel/session"
)

// TestImportGraph: the library knows nothing of notebooks, and data nothing of
// the workflow; only cells join them.
func TestImportGraph(t *testing.T) {
	const module = session.ModulePath + "/"
	forbidden := []struct{ from, to string }{
		{module + "cgbg", module + "kernel"},
		{module + "cgbg", "github.com/janpfeifer/gonb"},
		{module + "data", module + "kernel"},
		{module + "data", module + "cgbg"}, // but for what is at the bottom
		{module + "data", "github.com/janpfeifer/gonb"},
		{module + "kernel/display", module + "cgbg"}, // likewise
		{module + "cgbg/figure", module + "cgbg/flow"},
		{module + "cgbg/forward", module + "data"},
	}
	bottom := []string{module + "cgbg/keep", module + "cgbg/units"} // which import nothing of the module
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", "../cgbg/...", "../data/...", "./...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := 0
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages++
		for _, imported := range p.Imports {
			if slices.Contains(bottom, imported) {
				continue
			}
			for _, f := range forbidden {
				if under(p.ImportPath, f.from) && under(imported, f.to) {
					t.Errorf("%s imports %s", p.ImportPath, imported)
				}
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if packages < 20 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

func under(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }
