package session

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// write makes a file and its folders below dir.
func write(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

const testMod = `module ` + ModulePath + `

go 1.26.5

require (
	example.com/a v1.2.3
	example.com/b v0.1.0 // indirect
)

replace example.com/a => ./vendored/a

replace example.com/b v0.1.0 => ../b

replace example.com/c => /opt/c

replace example.com/d => example.com/e v1.0.0

tool (
	example.com/a/cmd/one
	example.com/b/cmd/two
)
`

func TestFindModule(t *testing.T) {
	root := t.TempDir()
	write(t, root, "repo/go.mod", testMod, 0o600)
	write(t, root, "repo/deep/other/go.mod", "module example.com/other\n", 0o600)
	write(t, root, "elsewhere/go.mod", "module example.com/elsewhere\n", 0o600)
	repo := filepath.Join(root, "repo")
	for _, dir := range []string{".", "deep", "deep/other"} {
		if got, err := FindModule(filepath.Join(repo, dir)); err != nil || got != repo {
			t.Errorf("%s: got %s, %v; want %s", dir, got, err, repo)
		}
	}
	t.Chdir(filepath.Join(repo, "deep"))
	if got, err := FindModule("."); err != nil || got != repo {
		t.Errorf("relative: got %s, %v; want %s", got, err, repo)
	}
	elsewhere := filepath.Join(root, "elsewhere")
	if _, err := FindModule(elsewhere); err == nil || !strings.Contains(err.Error(), elsewhere) ||
		!strings.Contains(err.Error(), "clone") {
		t.Errorf("elsewhere: got %v, want the folder and the cure", err)
	}
}

func TestRenderMod(t *testing.T) {
	root := t.TempDir()
	module := filepath.Join(root, "my repo") // a path that go.mod must quote
	write(t, module, "go.mod", testMod, 0o600)
	want := map[string]string{ // what is replaced, by what
		"example.com/a@":       filepath.Join(module, "vendored/a") + "@",
		"example.com/b@v0.1.0": filepath.Join(root, "b") + "@",
		"example.com/c@":       "/opt/c@",
		"example.com/d@":       "example.com/e@v1.0.0",
		ModulePath + "@":       module + "@",
	}
	t.Chdir(root)
	for _, folder := range []string{module, "my repo"} {
		text, err := RenderMod(folder)
		if err != nil {
			t.Fatal(err)
		}
		f, err := modfile.Parse("go.mod", text, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if f.Module.Mod.Path != "notebook.session" || f.Go.Version != "1.26.5" {
			t.Errorf("got module %s, go %s; want notebook.session, 1.26.5", f.Module.Mod.Path, f.Go.Version)
		}
		if len(f.Tool) != 0 {
			t.Errorf("%d tools are left", len(f.Tool))
		}
		got := map[string]string{}
		for _, r := range f.Replace {
			got[r.Old.Path+"@"+r.Old.Version] = r.New.Path + "@" + r.New.Version
		}
		for old, to := range want {
			if got[old] != to {
				t.Errorf("%s: replaced by %q, want %q", old, got[old], to)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d modules are replaced, want %d:\n%s", len(got), len(want), text)
		}
		var needs []string
		for _, r := range f.Require {
			needs = append(needs, r.Mod.String())
		}
		slices.Sort(needs)
		if want := []string{"example.com/a@v1.2.3", "example.com/b@v0.1.0", ModulePath +
			"@v0.0.0"}; !slices.Equal(needs, want) {
			t.Errorf("it needs %v, want %v", needs, want)
		}
	}
}

func TestRenderModErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := RenderMod(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no go.mod: got %v", err)
	}
	path := write(t, dir, "go.mod", "modul x\n", 0o600)
	if _, err := RenderMod(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("bad go.mod: got %v, want it named", err)
	}
}

// fakeGo is a go command that says what it was asked, and makes the programs
// that "go build -o FOLDER/ …" would.
const fakeGo = `#!/bin/sh
echo "go $*" >> "$FAKE_LOG"
echo "go $*; GOPROXY=$GOPROXY GOFLAGS=$GOFLAGS"
if [ "$1 $2" = "build -o" ]; then
	[ -z "$FAKE_FAILS" ] || { echo "no room"; exit 1; }
	touch "$3gonb" "$3goimports"
	chmod +x "$3gonb" "$3goimports"
fi
`

// fakeSession is a session of a small module with a fake go command, and that
// command's log.
func fakeSession(t *testing.T) (s *Session, log string) {
	t.Helper()
	root := t.TempDir()
	write(t, root, "repo/go.mod", testMod, 0o600)
	write(t, root, "repo/go.sum", "example.com/a v1.2.3 h1:x=\n", 0o600)
	write(t, root, "real bin/go", fakeGo, 0o700)
	log = filepath.Join(root, "log")
	t.Setenv("FAKE_LOG", log)
	t.Setenv("PATH", filepath.Join(root, "real bin")+":"+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	s, err := New(t.Context(), Options{Module: filepath.Join(root, "repo"), RunDir: "/runs/one"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, log
}

func runIn(t *testing.T, s *Session, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, s.Env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestShim: what GoNB asks of go.
func TestShim(t *testing.T) {
	s, log := fakeSession(t)
	built, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	shim := filepath.Join(s.Dir, "bin", "go")
	runIn(t, s, dir, shim, "mod", "init", "gonb_1234")
	for _, name := range []string{"go.mod", "go.sum"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(s.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) || len(want) == 0 {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	if got := runIn(t, s, dir, shim, "get"); got != "" {
		t.Errorf("go get said %q", got)
	}
	if now, err := os.ReadFile(log); err != nil || string(now) != string(built) {
		t.Errorf("the real go was asked: %s (%v)", now, err)
	}
	for _, args := range [][]string{{"get", "example.com/a@v1"}, {"get", "-u"}, {"build", "a b", "*"}, {"mod", "tidy"},
		{"version"}} {
		want := "go " + strings.Join(args, " ") + ";"
		if got := runIn(t, s, dir, shim, args...); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	// The shell of a cell finds the shim and goimports first.
	got := runIn(t, s, dir, "/bin/sh", "-c", "command -v go; command -v goimports")
	if want := shim + "\n" + filepath.Join(s.Dir, "bin", "goimports") + "\n"; got != want {
		t.Errorf("on the PATH: got %q, want %q", got, want)
	}
	if to, err := os.Readlink(filepath.Join(s.Dir, "bin", "goimports")); err != nil || to != s.Tools.Goimports {
		t.Errorf("goimports: got %s, %v; want %s", to, err, s.Tools.Goimports)
	}
	if len(s.Dir) > 60 {
		t.Errorf("the folder %s leaves no room for sockets", s.Dir)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder outlives Close: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{"GOFLAGS": "-v", "GOPROXY": "https://example.com", "TMPDIR": "/tmp",
		"CGBG_RUN_DIR": "/runs/old",
		"GODEBUG":      "", "GOEXPERIMENT": "", "CGBG_OTHER": "kept"} {
		t.Setenv(name, value)
	}
	s, _ := fakeSession(t)
	env := lookup(t, s.Env)
	for name, want := range map[string]string{"GOFLAGS": "-mod=mod -ldflags=-w", "GOPROXY": "off", "GOWORK": "off",
		"GOTOOLCHAIN": "local",
		"TMPDIR":      filepath.Join(s.Dir, "tmp"), "CGBG_RUN_DIR": "/runs/one",
		"GODEBUG":    "asyncpreemptoff=1,cpu.fma=off",
		"CGBG_OTHER": "kept",
		"PATH":       filepath.Join(s.Dir, "bin") + ":" + os.Getenv("PATH")} {
		if got := env[name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if info, err := os.Stat(env["TMPDIR"]); err != nil || !info.IsDir() {
		t.Errorf("TMPDIR: %v", err)
	}

	t.Setenv("GODEBUG", "gctrace=1")
	t.Setenv("GOEXPERIMENT", "nosimd")
	env = lookup(t, s.environment(""))
	for name, want := range map[string]string{"GODEBUG": "gctrace=1", "GOEXPERIMENT": "nosimd",
		"CGBG_RUN_DIR": "/runs/old"} {
		if got := env[name]; got != want {
			t.Errorf("the caller's %s: got %q, want %q", name, got, want)
		}
	}
}

// lookup makes a map of an environment, in which no name may come twice.
func lookup(t *testing.T, env []string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if _, twice := m[name]; twice {
			t.Errorf("%s is set twice", name)
		}
		m[name] = value
	}
	return m
}

func TestNewErrors(t *testing.T) {
	s, _ := fakeSession(t)
	tmp, err := os.MkdirTemp("/tmp", "t") // short enough to be used
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	t.Setenv("TMPDIR", tmp)
	write(t, s.Module, "go.mod", "modul x\n", 0o600)
	if _, err := New(t.Context(), Options{Module: s.Module}); err == nil {
		t.Error("a session was made of a bad go.mod")
	}
	if _, err := New(t.Context(), Options{Module: t.TempDir()}); err == nil {
		t.Error("a session was made of an empty folder")
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	write(t, s.Module, "go.sum", "new", 0o600)
	if _, err := Tools(ctx, s.Module); err == nil {
		t.Error("tools were built after the context ended")
	}
}

// TestRealModule: a cell that imports this module resolves without a network,
// by what GoNB does: go mod init, go get, go list.
func TestRealModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the kernel's tools, half a minute the first time")
	}
	module, err := FindModule(".")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Module: module})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	write(t, dir, "main.go",
		"package main\n\nimport (\n\t\"fmt\"\n\n\t\""+ModulePath+"/kernel/nbformat\"\n)\n\nfunc main() { "+
			"fmt.Println(nbformat.Code) }\n", 0o600)
	shim := filepath.Join(s.Dir, "bin", "go")
	runIn(t, s, dir, shim, "mod", "init", "gonb_1234")
	runIn(t, s, dir, shim, "get")
	if got := runIn(t, s, dir, shim, "list", "-deps", "."); !strings.Contains(got, ModulePath+"/kernel/nbformat\n") ||
		!strings.HasSuffix(got, "notebook.session\n") {
		t.Errorf("got %s", got)
	}
}
