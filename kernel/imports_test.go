package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	{"cgbg/backend", "cgbg/train", "cgbg/zmatrix", "cgbg/forward", "cgbg/ode", "cgbg/e3", "cgbg/reweight", "cgbg/langevin",
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

// housePackage is what the laws of the house look at.
type housePackage struct {
	ImportPath, Dir, Name, Doc         string
	Imports, TestGoFiles, XTestGoFiles []string
}

// house lists the packages of the module but the programs beside the house, with names that leave the module's out.
func house(t *testing.T) (list []housePackage) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,Imports,TestGoFiles,XTestGoFiles",
		"../cgbg/...", "../data/...", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p housePackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, session.ModulePath+"/")
		if !strings.Contains(p.ImportPath, "/bench") {
			list = append(list, p)
		}
	}
	if len(list) < 40 {
		t.Fatalf("only %d packages", len(list))
	}
	return list
}

// TestPackagesTeach: every package says what it is, and a library shows by an example how it is used.
func TestPackagesTeach(t *testing.T) {
	// What only tests use, and what only tests are in.
	none := []string{"cgbg/fixture", "cgbg/cgmap/waterbox", "data/recipe/openmm", "kernel/docker"}
	for _, p := range house(t) {
		if slices.Contains(none, p.ImportPath) {
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s: no comment on the package", p.ImportPath)
		}
		if p.Name == "main" {
			continue
		}
		shown := false
		for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
			file, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			shown = shown || bytes.Contains(file, []byte("\nfunc Example")) && bytes.Contains(file, []byte("// Output:"))
		}
		if !shown {
			t.Errorf("%s: no example that runs", p.ImportPath)
		}
	}
}

// TestImportGraph: imports go down the floors; the library knows nothing of notebooks, and data nothing of what is
// built on it.
func TestImportGraph(t *testing.T) {
	const module = session.ModulePath + "/"
	for _, p := range house(t) {
		from := p.ImportPath
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
}

// sameFolder tells whether two packages are of one folder that stands on a floor as a whole.
func sameFolder(a, b string) bool {
	top := func(p string) string { s, _, _ := strings.Cut(p, "/"); return s }
	return top(a) == "data" && top(b) == "data"
}
