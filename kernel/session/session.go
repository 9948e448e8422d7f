// Package session prepares what a GoNB kernel needs to compile cells against
// this module without a network, and starts it so that nothing outlives it.
//
// GoNB makes a module of its own for a notebook (go mod init) and runs a bare
// "go get" before each compile. A session puts a small program named go first
// on the PATH, which answers the first with a go.mod rendered from ours (module
// renamed, tools dropped, our module required and replaced by its folder) and
// the second with success; everything else goes to the real go command.
//
// Cells are built with GOEXPERIMENT=simd where the CPU can use it, which makes
// GoMLX's Go backend 5 to 10 times faster, and run with
// GODEBUG=asyncpreemptoff=1,cpu.fma=off: Go 1.26 leaves the upper halves of
// vector registers dirty after an asynchronous preemption and after AVX-512
// kernels, and its exponential with FMA, which mixes vector encodings, is then
// 10 to 100 times slower.
package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/kernel/display"
	"golang.org/x/mod/modfile"
)

// ModulePath is the path of this module.
const ModulePath = "github.com/cgbg-go/lab"

// Options of a session.
type Options struct {
	Module string // folder of this module
	RunDir string // absolute folder of the run; "" for none
}

// Session is a prepared environment. Close removes it.
type Session struct {
	Dir    string   // private folder: sockets, shims, GoNB's own folder
	Env    []string // complete environment of the kernel
	Module string   // folder of this module
	Tools  Toolset
}

// Toolset is the programs that a session runs.
type Toolset struct {
	Go, Gonb, Goimports string // absolute paths
}

// FindModule returns the folder of this module that dir lies in.
func FindModule(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && modfile.ModulePath(text) == ModulePath {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("session: %s is not inside the module %s: run this from a clone of its repository",
				start, ModulePath)
		}
	}
}

// toolPackages are the pinned tools of go.mod that a session needs.
var toolPackages = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports"}

// Tools builds the tools that go.mod pins, once per version of go.sum,
// into the user's cache.
func Tools(ctx context.Context, module string) (Toolset, error) {
	goPath, err := exec.LookPath("go")
	if err != nil {
		return Toolset{}, fmt.Errorf("session: there is no go command on the PATH; install Go 1.26 or later: %w", err)
	}
	if goPath, err = filepath.Abs(goPath); err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	sum, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Toolset{}, fmt.Errorf("session: no folder for the tools (set HOME or XDG_CACHE_HOME): %w", err)
	}
	hash := sha256.Sum256(sum)
	dir := filepath.Join(cache, "cgbg", "tools-"+hex.EncodeToString(hash[:8]))
	tools := Toolset{Go: goPath, Gonb: filepath.Join(dir, "gonb"), Goimports: filepath.Join(dir, "goimports")}
	if fileExists(tools.Gonb) && fileExists(tools.Goimports) {
		return tools, nil
	}
	// Build beside, then rename: another process may be building, too.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "tools-tmp")
	if err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, goPath,
		append([]string{"build", "-o", tmp + string(filepath.Separator)}, toolPackages...)...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return Toolset{}, fmt.Errorf("session: building the kernel's tools: %w\n%s", err, out)
	}
	if os.Rename(tmp, dir) == nil || fileExists(tools.Gonb) && fileExists(tools.Goimports) {
		return tools, nil
	}
	// What is there is not whole: a cleaner of caches has been at it.
	if err := os.RemoveAll(dir); err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return Toolset{}, fmt.Errorf("session: %w", err)
	}
	return tools, nil
}

func fileExists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// New makes a session.
func New(ctx context.Context, opts Options) (*Session, error) {
	tools, err := Tools(ctx, opts.Module)
	if err != nil {
		return nil, err
	}
	// Socket paths are limited to about 100 bytes: a short folder, whatever TMPDIR says.
	dir, err := os.MkdirTemp(shortTempDir(), "cgbg")
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	s := &Session{Dir: dir, Module: opts.Module, Tools: tools}
	if err := s.render(); err != nil {
		s.Close()
		return nil, err
	}
	s.Env = s.environment(opts.RunDir)
	return s, nil
}

func shortTempDir() string {
	if dir := os.TempDir(); len(dir) <= 40 && filepath.IsAbs(dir) {
		return dir
	}
	return "/tmp"
}

// Close removes the session's folder.
func (s *Session) Close() error {
	if err := os.RemoveAll(s.Dir); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// render writes go.mod, go.sum and the go shim.
func (s *Session) render() error {
	mod, err := RenderMod(s.Module)
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(s.Module, "go.sum"))
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	for name, dir := range map[string]string{"bin": "", "tmp": ""} {
		if err := os.Mkdir(filepath.Join(s.Dir, dir, name), 0o700); err != nil {
			return fmt.Errorf("session: %w", err)
		}
	}
	shim := "#!/bin/sh\n" +
		"# GoNB makes a module and fetches what it imports; both are answered from the session.\n" +
		"case \"$1 $2\" in\n" +
		"'mod init') cp " + quote(filepath.Join(s.Dir, "go.mod")) + " " + quote(filepath.Join(s.Dir, "go.sum")) +
		" . && exit 0; exit 1 ;;\n" +
		"'get ') exit 0 ;;\n" +
		"esac\n" +
		"exec " + quote(s.Tools.Go) + " \"$@\"\n"
	files := []struct {
		name string
		text []byte
		mode os.FileMode
	}{
		{"go.mod", mod, 0o600}, {"go.sum", sum, 0o600}, {"bin/go", []byte(shim), 0o700},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(s.Dir, f.name), f.text, f.mode); err != nil {
			return fmt.Errorf("session: %w", err)
		}
	}
	if err := os.Symlink(s.Tools.Goimports, filepath.Join(s.Dir, "bin", "goimports")); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// RenderMod returns the go.mod of a session's module, for this module's folder.
func RenderMod(module string) ([]byte, error) {
	module, err := filepath.Abs(module)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	path := filepath.Join(module, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	f, err := modfile.Parse(path, text, nil)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	errs := []error{f.AddModuleStmt("notebook.session")}
	for _, t := range slices.Clone(f.Tool) {
		errs = append(errs, f.DropTool(t.Path))
	}
	for _, r := range slices.Clone(f.Replace) {
		if r.New.Version == "" && !filepath.IsAbs(r.New.Path) {
			errs = append(errs, f.AddReplace(r.Old.Path, r.Old.Version, filepath.Join(module, r.New.Path), ""))
		}
	}
	errs = append(errs, f.AddRequire(ModulePath, "v0.0.0"), f.AddReplace(ModulePath, "", module, ""))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("session: %s: %w", path, err)
	}
	f.Cleanup()
	return f.Format()
}

// buildEnv are the settings that cells are built and run with. A GODEBUG or
// GOEXPERIMENT of the caller is kept.
func buildEnv() []string {
	env := []string{"GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod -ldflags=-w", "GOTOOLCHAIN=local"}
	if os.Getenv("GOEXPERIMENT") == "" && backend.CanSIMD() {
		env = append(env, "GOEXPERIMENT=simd")
	}
	if os.Getenv("GODEBUG") == "" {
		env = append(env, "GODEBUG=asyncpreemptoff=1,cpu.fma=off")
	}
	return env
}

func (s *Session) environment(runDir string) []string {
	set := append(buildEnv(),
		"PATH="+filepath.Join(s.Dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"TMPDIR="+filepath.Join(s.Dir, "tmp"),
		display.StartEnv+"="+strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64),
	)
	if runDir != "" {
		set = append(set, display.RunDirEnv+"="+runDir)
	}
	var env []string
	for _, old := range os.Environ() {
		name, _, _ := strings.Cut(old, "=")
		if !slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			env = append(env, old)
		}
	}
	return append(env, set...)
}

// Prebuild compiles the named packages of our module as cells will use them,
// so that the first cell does not wait for it.
func (s *Session) Prebuild(ctx context.Context, packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, s.Tools.Go, append([]string{"build"}, packages...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Module, &out, &out
	// It may fetch what our go.mod names, as the caller's go command would.
	cmd.Env = slices.Clone(s.Env)
	for _, name := range []string{"GOFLAGS", "GOPROXY"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name)) // empty: go's default
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("session: building the packages of the notebook: %w\n%s", err, out.Bytes())
	}
	return nil
}
