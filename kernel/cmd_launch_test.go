package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRunDir(t *testing.T) {
	module, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(module, "notebooks"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(module, link); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, session, want string }{
		{"the module's notebook", module + "/notebooks/01.ipynb", module + "/runs/01"},
		{"in the module's folder", module + "/01.ipynb", module + "/runs/01"},
		{"another's", elsewhere + "/x/01.ipynb", elsewhere + "/x/runs/01"},
		{"beside the module", module + "-2/01.ipynb", module + "-2/runs/01"},
		{"dots in its name", elsewhere + "/a.b.ipynb", elsewhere + "/runs/a.b"},
		{"by a link", link + "/notebooks/01.ipynb", module + "/runs/01"},
		{"relative", "01.ipynb", "/here/runs/01"},
		{"VS Code on a server", elsewhere + "/01-jvsc-0b3bd7a0-aaaa-bbbb.ipynb", elsewhere + "/runs/01"},
		{"none", "", "/here/runs/session"},
		{"a console", elsewhere + "/console-1-0b3bd7a0", "/here/runs/session"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := runDir(test.session, module, "/here"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestFindGo(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := findGo(""); err == nil {
		t.Error("no error where there is no go command")
	}
	if err := findGo(bin); err != nil {
		t.Errorf("go in the folder of -go is not found: %v", err)
	}
}
