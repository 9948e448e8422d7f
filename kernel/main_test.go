package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/session"
)

// TestMain plays the supervisor of the kernels that a run in this process starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == session.SuperviseArg {
		os.Exit(session.Supervise(os.Args[2:]))
	}
	// cells built as the tests are: what they import is compiled once for both
	os.Setenv("GOEXPERIMENT", cmp.Or(os.Getenv("GOEXPERIMENT"), "nosimd"))
	code := m.Run()
	if binaryDir != "" {
		os.RemoveAll(binaryDir)
	}
	os.Exit(code)
}

var binaryDir string

// binary is the program itself, built once.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if binaryDir, err = os.MkdirTemp("", "kernel"); err != nil {
		return "", err
	}
	path := filepath.Join(binaryDir, "kernel")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func call(args ...string) (stdout, stderr string, code int) {
	var out, complaint bytes.Buffer
	code = exitCode(dispatch(context.Background(), args, &out), &complaint)
	return out.String(), complaint.String(), code
}

// notebook writes one with a cell of parameters and the given cells behind it.
func notebook(t *testing.T, cells ...string) string {
	t.Helper()
	var list []any
	for i, source := range append([]string{"// Parameters\nconst seed = 1"}, cells...) {
		cell := map[string]any{"cell_type": "code", "id": fmt.Sprint("c", i), "source": source,
			"metadata": map[string]any{}, "outputs": []any{}, "execution_count": nil}
		if i == 0 {
			cell["metadata"] = map[string]any{"tags": []string{"parameters"}}
		}
		list = append(list, cell)
	}
	text, err := json.Marshal(map[string]any{"cells": list, "nbformat": 4, "nbformat_minor": 5,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "cgbg", "language": "go",
			"display_name": "Go (cgbg)"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "n.ipynb")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Flags are read before, between and after the arguments, with one dash or two.
func TestFlags(t *testing.T) {
	path := notebook(t, "%%\nfmt.Println(\"seed\", seed)")
	for i, args := range [][]string{
		{"run", "-p", "seed=7", "-timeout", "2m", "-o", "OUT", path},
		{"run", path, "--p", "seed=7", "--timeout=2m", "--o=OUT"},
		{"run", "-p=seed=7", path, "--fresh", "-o", "OUT"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		for k := range args {
			args[k] = strings.Replace(args[k], "OUT", out, 1)
		}
		stdout, stderr, code := call(args...)
		if code != 0 || !strings.Contains(stdout, out) {
			t.Fatalf("%d: exit code %d\n%s%s", i, code, stdout, stderr)
		}
		nb, err := nbformat.ReadFile(filepath.Join(out, "n.ipynb"))
		if err != nil {
			t.Fatal(err)
		}
		if got := nb.Cells[2].Outputs[0].Text(); got != "seed 7\n" {
			t.Errorf("%d: got %q", i, got)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"", "a command is missing", 2},
		{"rum", "rum", 2},
		{"run", "one notebook", 2},
		{"run a b", "one notebook", 2},
		{"run -q a.ipynb", "-q", 2},
		{"run a.ipynb --timeout=-3s", "-timeout", 2},
		{"run a.ipynb -timeout soon", "timeout", 2},
		{"run no_such.ipynb", "no_such.ipynb", 1},
		{"readme no_such", "no_such", 1},
		{"readme -notebooks no_such", "README.md.tmpl", 1},
		{"install kernel", "takes no arguments", 2},
		{"install -remove --xla cpu", "-remove", 2},
		{"install -force", "-xla", 2},
		{"install --xla tpu", "tpu", 1},
		{"install --module /", "not inside the module", 1},
		{"doctor now", "takes no arguments", 2},
		{"doctor --loud", "loud", 2},
		{"launch --loud", "loud", 2},
	} {
		t.Run(c.args, func(t *testing.T) {
			if _, stderr, code := call(strings.Fields(c.args)...); code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("got exit code %d and %q; want %d and %q", code, stderr, c.code, c.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"help"}, {"--help"}, {"run", "-h"}, {"run", "x.ipynb", "--help"},
		{"install", "--h"}, {"doctor", "-help"}, {"launch", "-h"}} {
		if stdout, stderr, code := call(args...); code != 0 || !strings.Contains(stdout, "usage: ") || stderr != "" {
			t.Errorf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
	if stdout, _, _ := call("run", "-h"); !strings.Contains(stdout, "-p ") ||
		!strings.Contains(stdout, "preset=small") {
		t.Errorf("run -h teaches too little:\n%s", stdout)
	}
}

// program starts the built program with a TMPDIR of its own.
func program(t *testing.T, tmp string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, &out
}

// shortTemp is a folder whose path leaves room for a socket's name.
func shortTemp(t *testing.T) string {
	t.Helper()
	tmp, err := os.MkdirTemp("/tmp", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	return tmp
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// processes lists those whose temporary files go below tmp.
func processes(tmp string) []string {
	var out []string
	names, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range names {
		env, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(env, []byte("TMPDIR="+tmp)) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		out = append(out, filepath.Base(filepath.Dir(name))+" "+string(bytes.ReplaceAll(command, []byte{0},
			[]byte(" "))))
	}
	return out
}

// sleeper is a cell that leaves a file in the state of the run, and stays if it is the first.
const sleeper = `%%
dir := os.Getenv("CGBG_RUN_DIR") + "/state"
os.MkdirAll(dir, 0o755)
if _, err := os.Stat(dir + "/here"); err != nil {
	os.WriteFile(dir+"/here", []byte(fmt.Sprint(os.Getpid())), 0o644)
	time.Sleep(time.Hour)
}
fmt.Println("went on")`

func TestSignals(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("finds processes by Linux's /proc")
	}
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		code   int
	}{{"Ctrl-C", syscall.SIGINT, 130}, {"SIGTERM", syscall.SIGTERM, 130}, {"kill -9", syscall.SIGKILL, -1}} {
		t.Run(c.name, func(t *testing.T) {
			tmp, path := shortTemp(t), notebook(t, sleeper)
			out := filepath.Join(t.TempDir(), "out")
			cmd, text := program(t, tmp, "run", path, "-o", out)
			here := filepath.Join(out, "state", "here")
			var pid int
			await(t, "the cell", func() bool {
				id, _ := os.ReadFile(here)
				pid, _ = strconv.Atoi(string(id))
				return pid > 0
			})
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != c.code {
				t.Errorf("exit code: got %d, want %d\n%s", got, c.code, text)
			}
			await(t, fmt.Sprintf("the end of %q", processes(tmp)), func() bool { return len(processes(tmp)) == 0 })
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the cell lives: %v", err)
			}
			await(t, "an empty "+tmp, func() bool { left, _ := os.ReadDir(tmp); return len(left) == 0 })
			if c.signal != syscall.SIGKILL {
				if nb, err := nbformat.ReadFile(filepath.Join(out, "n.ipynb")); err != nil ||
					nb.Cells[0].ExecutionCount != 1 {
					t.Errorf("the partial notebook: %v", err)
				}
			}
			cmd, text = program(t, tmp, "run", path, "-o", out)
			if err := cmd.Wait(); err != nil || !strings.Contains(text.String(), "going on with the unfinished run") {
				t.Errorf("the same again: %v\n%s", err, text)
			}
		})
	}
}

// A kernel installed for Jupyter runs a notebook from another folder, by
// Jupyter's own client.
func TestInstallForJupyter(t *testing.T) {
	python := os.Getenv("CGBG_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import nbclient").CombinedOutput(); err != nil {
		t.Skipf("%s has no nbclient (pip install nbclient; CGBG_PYTHON names another Python): %s", python,
			bytes.TrimSpace(out))
	}
	jupyter, tmp := t.TempDir(), shortTemp(t)
	t.Setenv("JUPYTER_DATA_DIR", jupyter)
	cmd, text := program(t, tmp, "install")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var spec struct {
		Argv []string `json:"argv"`
	}
	data, err := os.ReadFile(filepath.Join(jupyter, "kernels", "cgbg", "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(spec.Argv[0], jupyter) {
		t.Errorf("the kernel is started from %s, not from a copy in %s", spec.Argv[0], jupyter)
	}
	path := notebook(t, "%%\nfmt.Println(seed + 41)")
	script := `import sys, nbformat, nbclient
nb = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(nb, kernel_name="cgbg", timeout=300, startup_timeout=300).execute()
print("got", nb.cells[1].outputs[0]["text"])`
	run := exec.Command(python, "-c", script, path)
	run.Dir = t.TempDir()
	run.Env = append(os.Environ(), "TMPDIR="+tmp)
	if out, err := run.CombinedOutput(); err != nil || !strings.Contains(string(out), "got 42") {
		t.Errorf("%v\n%s", err, out)
	}
	await(t, "the end of the kernel", func() bool { return len(processes(tmp)) == 0 })
}
