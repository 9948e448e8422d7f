package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packages are those of the module, by their folders, without the programs of benchmarks.
func packages(t *testing.T) (list []string) {
	t.Helper()
	for _, top := range []string{"cgbg", "data", "kernel"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(file string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && (d.Name() == "bench" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if err == nil && strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
				list = append(list, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// differ tells of packages that a list lacks, names twice, or that are not there.
func differ(t *testing.T, where string, listed, want []string) {
	t.Helper()
	for k, p := range listed {
		if !slices.Contains(want, p) {
			t.Errorf("%s has %s, and there is no such package", where, p)
		}
		if slices.Contains(listed[:k], p) {
			t.Errorf("%s has %s twice", where, p)
		}
	}
	for _, p := range want {
		if !slices.Contains(listed, p) {
			t.Errorf("%s lacks %s", where, p)
		}
	}
}

// The map of the house in package cgbg has every package, each on or below the floor of the one above it.
func TestMapOfTheHouse(t *testing.T) {
	text, err := os.ReadFile("../cgbg/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?m)^//\t((?:cgbg|data|kernel)[a-z0-9/]*)  +\S`)
	var listed []string
	for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, m[1])
	}
	differ(t, "cgbg/doc.go", listed, packages(t))
	for _, file := range regexp.MustCompile(`[a-z_/]+/[a-z_]+\.(go|tmpl)\b`).FindAllString(string(text), -1) {
		if _, err := os.Stat(filepath.Join("..", file)); err != nil {
			t.Errorf("cgbg/doc.go names a file that is not there: %v", err)
		}
	}
	last := len(floors)
	for _, p := range listed {
		if f := floorOf(p); f > last {
			t.Errorf("cgbg/doc.go: %s stands below what it may import; move it up", p)
		} else if f >= 0 {
			last = f
		}
	}
}

// The table of packages in README.md has every package once: the first name of a row is a path, the others are paths or
// begin behind its first folder.
func TestTableOfPackages(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	want := packages(t)
	var listed []string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		names, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		top := ""
		for k, name := range strings.Split(names, ", ") {
			name = strings.Trim(name, "`")
			if k == 0 {
				top, _, _ = strings.Cut(name, "/")
			} else if !slices.Contains(want, name) {
				name = path.Join(top, name)
			}
			listed = append(listed, name)
		}
	}
	differ(t, "README.md", listed, want)
}
