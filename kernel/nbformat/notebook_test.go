package nbformat

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoundTrip: what Jupyter wrote comes back byte for byte. The files were
// written by nbformat 5.11.1 (nbformat.write); TestJupyter checks it anew.
func TestRoundTrip(t *testing.T) {
	for _, name := range []string{"minor4.ipynb", "minor5.ipynb"} {
		t.Run(name, func(t *testing.T) {
			want := load(t, name)
			nb, err := Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := nb.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			again, err := nb.Bytes()
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("encoding changed the notebook (%v)", err)
			}
		})
	}
}

// TestNormalise: strings become lists of lines, keys are sorted, and fields
// that nobody knows stay.
func TestNormalise(t *testing.T) {
	nb, err := ReadFile(filepath.Join("testdata", "strings.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := nb.CheckGo(); err != nil {
		t.Error(err)
	}
	got, err := nb.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if want := load(t, "strings.golden"); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFields(t *testing.T) {
	nb, err := ReadFile(filepath.Join("testdata", "minor5.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if nb.Minor != 5 || len(nb.Cells) != 5 || nb.language() != "go" {
		t.Fatalf("got minor %d, %d cells, language %q; want 5, 5, go", nb.Minor, len(nb.Cells), nb.language())
	}
	types := []string{Markdown, Code, Code, raw, Code}
	ids := []string{"m-1", "c-1", "c-2", "r-1", "c-3"}
	counts := []int{0, 1, 2, 0, 0}
	for i, c := range nb.Cells {
		if c.Type != types[i] || c.ID != ids[i] || c.ExecutionCount != counts[i] {
			t.Errorf("cell %d: got %s %s %d, want %s %s %d", i, c.Type, c.ID, c.ExecutionCount, types[i], ids[i],
				counts[i])
		}
		if got, want := c.Tagged("parameters"), i == 1; got != want {
			t.Errorf("cell %d: tagged %v, want %v", i, got, want)
		}
	}
	if got, want := nb.Cells[1].Source, "steps := 1000\nkT := 1.0 // reduced"; got != want {
		t.Errorf("source: got %q, want %q", got, want)
	}
	outs := nb.Cells[2].Outputs
	if got, want := outs[1].Text(), "warning\n"; got != want || outs[1].Name() != "stderr" {
		t.Errorf("stream: got %s %q, want stderr %q", outs[1].Name(), got, want)
	}
	if got, want := outs[3].Text(), "a\nb"; got != want {
		t.Errorf("text/plain: got %q, want %q", got, want)
	}
	if got, want := outs[5].Type(), "error"; got != want {
		t.Errorf("type: got %q, want %q", got, want)
	}
}

// TestIDs: ids are written from minor version 5 on, as the format demands.
func TestIDs(t *testing.T) {
	for _, minor := range []int{4, 5} {
		nb := &Notebook{Minor: minor, Cells: []*Cell{{ID: "new", Type: Code}}}
		text, err := nb.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := bytes.Contains(text, []byte(`"id": "new"`)), minor >= 5; got != want {
			t.Errorf("minor %d: id written: %v, want %v", minor, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	whole := load(t, "minor5.ipynb")
	notebook := func(cell string) string {
		return `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [` + cell + `]}`
	}
	for _, c := range []struct {
		name, text string
		want       error
		mentions   string
	}{
		{"empty", "", ErrNotJSON, "Jupyter"},
		{"not JSON", "package main", ErrNotJSON, "Jupyter"},
		{"a list", "[]", ErrNotJSON, "array"},
		{"truncated", string(whole[:len(whole)/2]), ErrNotJSON, "damaged"},
		{"last bracket missing", strings.TrimSuffix(string(whole), "}\n"), ErrNotJSON, "damaged"},
		{"trailing garbage", string(whole) + "<<<<<<< HEAD", ErrNotJSON, "follows"},
		{"two notebooks", string(whole) + string(whole), ErrNotJSON, "follows"},
		{"null", "null", ErrFormat, "nbformat"},
		{"other JSON", `{"a": 1}`, ErrFormat, "nbformat"},
		{"format 3", `{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}`, ErrFormat, "nbconvert"},
		{"format 5", `{"nbformat": 5}`, ErrFormat, "nbformat 5"},
		{"no cells", `{"nbformat": 4, "metadata": {}}`, ErrFormat, "cells"},
		{"metadata a list", `{"nbformat": 4, "metadata": [], "cells": []}`, ErrFormat, "metadata"},
		{"unknown cell", notebook(`{"cell_type": "markdown", "source": []}, {"cell_type": "heading"}`), ErrFormat,
			`cell 2: unknown cell_type "heading"`},
		{"cell a string", notebook(`"x"`), ErrFormat, "cell 1"},
		{"source a number", notebook(`{"cell_type": "code", "source": 1}`), ErrFormat, "source"},
		{"source of numbers", notebook(`{"cell_type": "code", "source": [1]}`), ErrFormat, "source"},
		{"id a number", notebook(`{"cell_type": "code", "id": 1}`), ErrFormat, "id"},
		{"cell metadata a list", notebook(`{"cell_type": "code", "metadata": []}`), ErrFormat, "metadata"},
		{"outputs an object", notebook(`{"cell_type": "code", "outputs": {}}`), ErrFormat, "outputs"},
		{"output a string", notebook(`{"cell_type": "code", "outputs": ["x"]}`), ErrFormat, "output 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.mentions) {
				t.Errorf("got %v, want %q that mentions %q", err, c.want, c.mentions)
			}
		})
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(filepath.Join(dir, "none.ipynb")); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "none.ipynb") {
		t.Errorf("missing: got %v", err)
	}
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: got %v", err)
	}
	bad := filepath.Join(dir, "bad.ipynb")
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(bad); !errors.Is(err, ErrNotJSON) || !strings.Contains(err.Error(), bad) {
		t.Errorf("not JSON: got %v", err)
	}
}

func TestCheckGo(t *testing.T) {
	for _, c := range []struct {
		name     string
		metadata map[string]any
		ok       bool
	}{
		{"kernelspec", map[string]any{"kernelspec": map[string]any{"language": "go"}}, true},
		{"language_info", map[string]any{"language_info": map[string]any{"name": "Go"}}, true},
		{"python", map[string]any{"kernelspec": map[string]any{"language": "python"}}, false},
		{"none", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := (&Notebook{Metadata: c.metadata}).CheckGo()
			if c.ok && err != nil || !c.ok && !errors.Is(err, ErrLanguage) {
				t.Errorf("got %v, want accepted: %v", err, c.ok)
			}
		})
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "a.ipynb"), filepath.Join(dir, "link.ipynb")
	nb := &Notebook{Minor: 5}
	if err := nb.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	checkMode(t, name, 0o644)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.ipynb", link); err != nil {
		t.Fatal(err)
	}
	nb.Cells = []*Cell{{Type: Markdown, Source: "new"}}
	if err := nb.WriteFile(link); err != nil {
		t.Fatal(err)
	}
	checkMode(t, name, 0o600)
	if got, err := ReadFile(name); err != nil || len(got.Cells) != 1 {
		t.Errorf("the link's target was not written: %v", err)
	}
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}

	// What cannot be written leaves the old file, and nothing beside it.
	nb.Metadata = map[string]any{"bad": func() {}}
	if err := nb.WriteFile(name); err == nil {
		t.Error("a function was encoded")
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the old file changed (%v)", err)
	}
	// A folder in the way lets the write succeed and the rename fail.
	nb.Metadata = nil
	full := filepath.Join(dir, "folder")
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := nb.WriteFile(full); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("onto a folder: got %v", err)
	}
	if err := nb.WriteFile(filepath.Join(dir, "none", "a.ipynb")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a missing folder: got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".nb-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func checkMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != want {
		t.Errorf("mode of %s: got %v, want %v", filepath.Base(name), got, want)
	}
}

// TestJupyter: Jupyter finds valid what this package writes, and writes the
// same bytes.
func TestJupyter(t *testing.T) {
	python := os.Getenv("CGBG_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import nbformat").CombinedOutput(); err != nil {
		t.Skipf("%s has no nbformat (pip install nbformat; CGBG_PYTHON names another Python): %s", python,
			bytes.TrimSpace(out))
	}
	const script = `
import sys, nbformat
nb = nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT)
nbformat.validate(nb)
with open(sys.argv[2], "w", encoding="utf8", newline="") as f:
    nbformat.write(nb, f)`
	made := &Notebook{Minor: 5, Cells: []*Cell{
		{ID: "a", Type: Code, Source: "a\r\nb\rc\vd\x1e\u0085e\u2028f\\u2029", ExecutionCount: 7, Outputs: []Output{
			stream("stdout", "\u2029\\\u2028\x00\x1f\b"),
			Display(map[string]any{"text/plain": "<&>", "image/png": "AA==\n"}, nil),
			Error("E", "v", []string{"t\n1", "t2"}),
		}},
		{ID: "b", Type: raw},
		{ID: "c", Type: Markdown, Source: "\n"},
	}}
	dir := t.TempDir()
	files := []string{filepath.Join("testdata", "minor4.ipynb"), filepath.Join("testdata", "minor5.ipynb"),
		filepath.Join(dir, "made.ipynb")}
	if err := made.WriteFile(files[2]); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			theirs := filepath.Join(t.TempDir(), "theirs.ipynb")
			if out, err := exec.Command(python, "-c", script, name, theirs).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want, err := os.ReadFile(theirs)
			if err != nil {
				t.Fatal(err)
			}
			nb, err := ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := nb.Bytes(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzParse: no bytes make Parse panic; what it accepts can be written, and
// reads and writes the same from then on.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"minor4.ipynb", "minor5.ipynb", "strings.ipynb"} {
		f.Add(load(f, name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		nb, err := Parse(text)
		if err != nil {
			return
		}
		once, err := nb.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if nb, err = Parse(once); err != nil {
			t.Fatalf("%v in what was written:\n%s", err, once)
		}
		if twice, err := nb.Bytes(); err != nil || !bytes.Equal(twice, once) {
			t.Fatalf("%v; first\n%s\nthen\n%s", err, once, twice)
		}
	})
}
