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

// floors of the house, from the ground up, by packages or by folders of them (name/…). A package imports packages of
// lower floors alone; those of a folder that stands on a floor as a whole import each other.
var floors = [][]string{
	{"cgbg/units", "cgbg/keep", "cgbg/kind", "cgbg/cli", "cgbg/fixture"},
	{"cgbg/result", "data/…"},
	{"cgbg/backend", "cgbg/train", "cgbg/forward", "cgbg/ode", "cgbg/e3", "cgbg/reweight", "cgbg/langevin",
		"cgbg/cgmap",
		"cgbg/cgmap/waterbox", "cgbg/figure", "cgbg/mullerbrown"},
	{"cgbg/observable", "cgbg/flow", "cgbg/pmf"},
	{"cgbg/topology"},
	{"cgbg/analysis", "cgbg/trajectory"},
	{"cgbg"},
	{"cgbg/alanine", "cgbg/study", "cgbg/cost", "cgbg/mullerbrown/lab"},
	{"cgbg/cmd/cgbg"},
}

// Notebooks stand beside the house: the kernel knows what is at the bottom of it, and how backends are chosen.
var kernelKnows = []string{"cgbg/units", "cgbg/keep", "cgbg/cli", "cgbg/result", "cgbg/backend", "cgbg/fixture"}

func floorOf(pkg string) int {
	for k, list := range floors {
		for _, name := range list {
			folder, all := strings.CutSuffix(name, "/…")
			if pkg == name || all && (pkg == folder || strings.HasPrefix(pkg, folder+"/")) {
				return k
			}
		}
	}
	return -1
}

// TestImportGraph: imports go down the floors; the library knows nothing of notebooks, and data nothing of what is
// built on it.
func TestImportGraph(t *testing.T) {
	const module = session.ModulePath + "/"
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "../cgbg/...", "../data/...", "./...")
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
		from := strings.TrimPrefix(p.ImportPath, module)
		if strings.Contains(from, "/bench") { // programs beside the house
			continue
		}
		ofKernel := from == "kernel" || strings.HasPrefix(from, "kernel/")
		if !ofKernel && floorOf(from) < 0 {
			t.Errorf("%s stands on no floor of the house: give it one", from)
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "github.com/janpfeifer/gonb") && !ofKernel {
				t.Errorf("%s imports %s, of the kernel", from, imported)
			}
			to, ours := strings.CutPrefix(imported, module)
			switch {
			case !ours:
			case ofKernel && (strings.HasPrefix(to, "kernel/") || slices.Contains(kernelKnows, to)):
			case ofKernel || floorOf(to) < 0:
				t.Errorf("%s imports %s", from, to)
			case floorOf(to) > floorOf(from), floorOf(to) == floorOf(from) && !sameFolder(from, to):
				t.Errorf("%s imports %s, which is not on a lower floor", from, to)
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

// sameFolder tells whether two packages are of one folder that stands on a floor as a whole.
func sameFolder(a, b string) bool {
	top := func(p string) string { s, _, _ := strings.Cut(p, "/"); return s }
	return top(a) == "data" && top(b) == "data"
}
