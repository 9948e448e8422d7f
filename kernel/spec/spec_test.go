package spec_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cgbg-go/lab/kernel/spec"
)

// setUp gives a data directory of the test's own and a program to install.
func setUp(t *testing.T) (dir, binary string) {
	t.Helper()
	data := t.TempDir()
	t.Setenv(spec.DataDirEnv, data)
	binary = filepath.Join(t.TempDir(), "kernel")
	if err := os.WriteFile(binary, []byte("first"), 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(data, "kernels", spec.Name), binary
}

func TestInstall(t *testing.T) {
	want, binary := setUp(t)
	dir, err := spec.Install(binary, "/some/module", "launch", "-connection", "{connection_file}")
	if err != nil {
		t.Fatal(err)
	}
	if dir != want {
		t.Errorf("got %s, want %s", dir, want)
	}
	// What a front end reads, by the names of Jupyter's documentation.
	data, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"display_name": "Go (cgbg)", "language": "go",
		"interrupt_mode": "message"} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %q", key, got[key], want)
		}
	}
	s, err := spec.Read()
	if err != nil {
		t.Fatal(err)
	}
	if s.Metadata.Module != "/some/module" || len(s.Argv) != 4 || s.Argv[3] != "{connection_file}" {
		t.Errorf("got %+v", s)
	}
	info, err := os.Stat(s.Program())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o755 || filepath.Dir(s.Program()) != dir {
		t.Errorf("got program %s with mode %v, want one in %s with mode 755", s.Program(), info.Mode(), dir)
	}
}

func TestInstallAgain(t *testing.T) {
	dir, binary := setUp(t)
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(binary, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := spec.Install(binary, "/"+content); err != nil {
			t.Fatal(err)
		}
	}
	s, err := spec.Read()
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(s.Program()); string(data) != "second" || s.Metadata.Module != "/second" {
		t.Errorf("got program %q of module %s, want those of the second installation", data, s.Metadata.Module)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("got %v, want kernel.json and the program only", entries)
	}
}

func TestRemove(t *testing.T) {
	dir, binary := setUp(t)
	if _, err := spec.Remove(); !errors.Is(err, spec.ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	if _, err := spec.Install(binary, "/some/module"); err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that %s is gone", err, dir)
	}
}

func TestForeignAndBroken(t *testing.T) {
	dir, binary := setUp(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kernel.json")
	if err := os.WriteFile(path, []byte(`{"argv": ["other"], "display_name": "Other"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Install(binary, "/some/module"); !errors.Is(err, spec.ErrForeign) {
		t.Errorf("installing over another's: got %v, want ErrForeign", err)
	}
	if _, err := spec.Remove(); !errors.Is(err, spec.ErrForeign) {
		t.Errorf("removing another's: got %v, want ErrForeign", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Install(binary, "/some/module"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Read(); err == nil {
		t.Error("a broken kernel.json is read without an error")
	}
	if _, err := spec.Install(binary, "/some/module"); err != nil {
		t.Errorf("installing over our own broken one: %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	_, binary := setUp(t)
	// A file where a folder should be stops root as well, which permissions do not.
	t.Setenv(spec.DataDirEnv, binary)
	if _, err := spec.Install(binary, "/some/module"); err == nil {
		t.Error("no error for a data directory that is a file")
	}
}
