package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/kernel/session"
	"github.com/cgbg-go/lab/kernel/spec"
)

// moduleDir is the folder of the module that the checks are about: the one around the working directory or, away from
// it, the one that the installed kernelspec names.
func moduleDir() (string, error) {
	dir, err := session.FindModule(".")
	if err == nil {
		return dir, nil
	}
	if s, specErr := spec.Read(); specErr == nil {
		return session.FindModule(s.Metadata.Module)
	}
	return "", err
}

// output runs a program in a folder and returns what it prints, or an error with the last line that it wrote on stderr.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); err != nil && lines[len(lines)-1] != "" {
		err = errors.New(lines[len(lines)-1])
	}
	return strings.TrimSpace(string(out)), err
}

// checkGo: the Go command, in the version that go.mod asks for.
func checkGo(ctx context.Context) []finding {
	f := finding{name: "Go"}
	dir, _ := moduleDir()
	path, err := exec.LookPath("go")
	if err != nil {
		return []finding{{missing, f.name, "no go on PATH", "install Go (go.dev) and put its bin folder on PATH"}}
	}
	out, err := output(ctx, dir, nil, "go", "env", "GOVERSION")
	if err == nil && dir != "" { // an older Go than go.mod asks for refuses here
		_, err = output(ctx, dir, nil, "go", "list", "-m")
	}
	if err != nil {
		return []finding{{missing, f.name, path + ": " + err.Error(), "install the version that go.mod names, or " +
			"newer"}}
	}
	f.status = fmt.Sprintf("%s %s/%s, %s", out, runtime.GOOS, runtime.GOARCH, path)
	simd := finding{name: "SIMD"}
	_, err = output(ctx, dir, []string{"GOEXPERIMENT=simd"}, "go", "list", "simd/archsimd")
	switch {
	case !backend.CanSIMD():
		simd.grade, simd.status = spare, "not on this processor: the Go backend is 5 to 10 times slower"
	case err != nil:
		simd.grade, simd.status = spare, "this Go does not know GOEXPERIMENT=simd: the Go backend is 5 to 10 times "+
			"slower"
	default:
		simd.status = "kernel sessions are built with GOEXPERIMENT=simd"
	}
	return []finding{f, simd}
}

// checkCompiler: a C compiler, which only XLA needs.
func checkCompiler(ctx context.Context) []finding {
	const name, advice = "C compiler", "XLA needs one when cells are built (Debian: apt-get install gcc libc6-dev); " +
		"the Go backend does not"
	dir, _ := moduleDir()
	out, err := output(ctx, dir, nil, "go", "env", "CGO_ENABLED", "CC")
	if err != nil {
		return []finding{{spare, name, "not known without Go", ""}}
	}
	enabled, compiler, _ := strings.Cut(out, "\n")
	words := strings.Fields(compiler) // CC may carry options
	if len(words) == 0 {
		return []finding{{spare, name, "none", advice}}
	}
	if path, err := exec.LookPath(words[0]); err != nil {
		return []finding{{spare, name, compiler + " is not on PATH", advice}}
	} else if enabled != "1" {
		return []finding{{spare, name, path + ", but CGO_ENABLED=" + enabled, "XLA needs CGO_ENABLED=1"}}
	}
	about, err := output(ctx, dir, nil, words[0], "--version")
	if err != nil {
		return []finding{{spare, name, compiler + ": " + err.Error(), advice}}
	}
	about, _, _ = strings.Cut(about, "\n")
	return []finding{{good, name, about, ""}}
}

// checkModule: this repository, and the modules that it needs in the module cache.
func checkModule(ctx context.Context) []finding {
	const name = "module"
	dir, err := moduleDir()
	if err != nil {
		return []finding{{missing, name, err.Error(), "run this in the repository, or: go run ./kernel install"}}
	}
	_, err = output(ctx, dir, []string{"GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "GOEXPERIMENT=simd"},
		"go", "list", "-deps", "./...", "tool")
	if err != nil {
		return []finding{{missing, name, dir + ": modules are missing: " + err.Error(), "go mod download"}}
	}
	return []finding{{good, name, dir + ", its dependencies are in the module cache: works offline", ""}}
}

// checkTools: GoNB and goimports, which go.mod pins, built by the first session or by `kernel install`.
func checkTools(ctx context.Context) []finding {
	dir, err := moduleDir()
	if err != nil {
		return []finding{{missing, "GoNB", "not known without the module", ""}}
	}
	tools, err := session.Tools(ctx, dir)
	if err != nil {
		return []finding{{missing, "GoNB", err.Error(), "go mod download; go build tool"}}
	}
	var list []finding
	for _, t := range []struct{ name, path string }{{"GoNB", tools.Gonb}, {"goimports", tools.Goimports}} {
		info, err := buildinfo.ReadFile(t.path)
		if err != nil {
			list = append(list, finding{missing, t.name, err.Error(), "go build tool"})
			continue
		}
		list = append(list, finding{good, t.name, info.Main.Version + ", " + t.path, ""})
	}
	f := finding{good, "gopls", "", ""}
	if f.status, err = exec.LookPath("gopls"); err != nil {
		f = finding{spare, f.name, "not on PATH: no completion in Jupyter",
			"go install golang.org/x/tools/gopls@v0.23.0 # the last for Go 1.26"}
	}
	return append(list, f)
}

// checkSpec: the kernelspec, which only Jupyter needs.
func checkSpec(context.Context) []finding {
	const name, advice = "kernelspec", "go run ./kernel install"
	dir, err := spec.Dir()
	if err != nil {
		return []finding{{spare, name, err.Error(), ""}}
	}
	s, err := spec.Read()
	if errors.Is(err, spec.ErrMissing) {
		return []finding{{spare, name, "not installed in " + dir, advice + ", for Jupyter; `kernel run` does without"}}
	}
	if err != nil {
		return []finding{{spare, name, err.Error(), ""}}
	}
	here, _ := session.FindModule(".")
	switch self, _ := os.Executable(); {
	case !isModule(s.Metadata.Module):
		return []finding{{spare, name, dir + " is for " + s.Metadata.Module + ", which is no longer there", advice}}
	case here != "" && here != s.Metadata.Module:
		return []finding{{spare, name, dir + " is for " + s.Metadata.Module + ", not for " + here, advice +
			", to change that"}}
	case !sameFile(self, s.Program()):
		return []finding{{spare, name, dir + " has another version of the kernel command", advice}}
	}
	return []finding{{good, name, dir, ""}}
}

func isModule(dir string) bool {
	found, err := session.FindModule(dir)
	return err == nil && found == dir
}

// sameFile tells if two files have the same content.
func sameFile(a, b string) bool {
	x, errX := digest(a)
	y, errY := digest(b)
	return errX == nil && errY == nil && x == y
}

func digest(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// checkJupyter: a Jupyter on PATH, and whether it sees the kernelspec.
func checkJupyter(ctx context.Context) []finding {
	const name = "Jupyter"
	path, err := exec.LookPath("jupyter")
	if err != nil {
		return []finding{{spare, name, "not on PATH; `kernel run` and VS Code do without",
			"kernel/docker/install.sh installs JupyterLab"}}
	}
	out, err := output(ctx, "", nil, path, "kernelspec", "list", "--json")
	if err != nil {
		return []finding{{spare, name, path + ": " + err.Error(), ""}}
	}
	var list struct {
		Kernelspecs map[string]struct {
			Dir string `json:"resource_dir"`
		} `json:"kernelspecs"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return []finding{{spare, name, path + ": kernelspec list: " + err.Error(), ""}}
	}
	if found, ok := list.Kernelspecs[spec.Name]; ok {
		return []finding{{good, name, path + ", finds the kernel in " + found.Dir, ""}}
	}
	if _, err := spec.Read(); err != nil {
		return []finding{{good, name, path, ""}}
	}
	return []finding{{spare, name, path + " does not find the kernel", "install with the same " + spec.DataDirEnv +
		" as Jupyter has"}}
}

// checkBackends: what can run the models, and which of them will.
func checkBackends(context.Context) []finding {
	var list []finding
	for _, c := range backend.Candidates() {
		f := finding{good, c.Name, c.Status, c.Advice}
		if !c.OK {
			f.grade = spare
		}
		if c.Name == "go" { // this program's build says nothing about the cells, which are built with SIMD
			f.status, _, _ = strings.Cut(c.Status, ", ")
			f.advice = ""
		}
		list = append(list, f)
	}
	b, err := backend.Open()
	if err != nil {
		return append(list, finding{missing, "backend", err.Error(), "set or unset " + backend.ConfigEnv})
	}
	defer b.Finalize()
	return append(list, finding{good, "backend", "cells will use " + b.Name + " on " + b.Device, b.Notes})
}
