package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/session"
)

// TestMain plays the supervisor of the kernels that the runs start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == session.SuperviseArg {
		os.Exit(session.Supervise(os.Args[2:]))
	}
	// cells built as the tests are: what they import is compiled once for both
	os.Setenv("GOEXPERIMENT", cmp.Or(os.Getenv("GOEXPERIMENT"), "nosimd"))
	os.Exit(m.Run())
}

// write makes a notebook of code cells; one that starts with "// Parameters" is tagged.
func write(t testing.TB, dir string, cells ...string) string {
	t.Helper()
	var list []any
	for i, source := range cells {
		tags := []string{}
		if strings.HasPrefix(source, "// Parameters") {
			tags = append(tags, tagParameters)
		}
		list = append(list, map[string]any{"cell_type": "code", "id": fmt.Sprint("c", i), "source": source,
			"metadata": map[string]any{"tags": tags}, "outputs": []any{}, "execution_count": nil})
	}
	text, err := json.Marshal(map[string]any{"cells": list, "nbformat": 4, "nbformat_minor": 5,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "cgbg", "language": "go",
			"display_name": "Go"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "n.ipynb")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// place makes a folder for a test, with a short TMPDIR of its own (a socket's
// path is at most 107 bytes), and checks at the end that nothing is left in it
// and no process that works in it.
func place(t testing.TB) (dir string) {
	t.Helper()
	tmp, err := os.MkdirTemp("/tmp", "r")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	t.Cleanup(func() {
		defer os.RemoveAll(tmp)
		left, processes := []os.DirEntry{}, []string{}
		deadline := time.Now().Add(15 * time.Second)
		for ; time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			left, _ = os.ReadDir(tmp)
			if processes = working(tmp); len(left) == 0 && len(processes) == 0 {
				return
			}
		}
		t.Errorf("left behind: files %v, processes %q", left, processes)
	})
	return t.TempDir()
}

// working lists the other processes whose temporary files go below tmp.
func working(tmp string) []string {
	var out []string
	names, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range names {
		env, err := os.ReadFile(name)
		pid := filepath.Base(filepath.Dir(name))
		if err != nil || pid == strconv.Itoa(os.Getpid()) || !bytes.Contains(env, []byte("TMPDIR="+tmp)) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		out = append(out, pid+" "+string(bytes.ReplaceAll(command, []byte{0}, []byte(" "))))
	}
	return out
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func execute(ctx context.Context, t testing.TB, o Options) (string, error) {
	t.Helper()
	var err error
	if o.Module, err = session.FindModule("."); err != nil {
		t.Fatal(err)
	}
	var log buffer
	o.Log = &log
	err = Run(ctx, o)
	return log.String(), err
}

func TestRun(t *testing.T) {
	dir := place(t)
	path := write(t, dir,
		"// Parameters\nconst (\n\tpreset = \"quick\"\n\tseed = 1\n)",
		"import \"github.com/cgbg-go/lab/kernel/display\"\n\nfunc twice(x int) int { return 2 * x }",
		"%%\n// Shows\nfmt.Println(preset, twice(seed))\ndisplay.Must(display.Result(\"answer\", "+
			"float64(twice(seed)), display.N(3)))\nbar := display.NewBar(\"work\")\nbar.Update(1, 2, \"loss "+
			"0.5\")\nbar.Update(2, 2, \"loss 0.25\")",
		"!echo from the shell")
	out := filepath.Join(dir, "out")
	log, err := execute(context.Background(), t,
		Options{Notebook: path, Out: out, Parameters: []string{"seed=21", "preset=a \"b\""}})
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	for _, want := range []string{"1/5", "5/5", " ok ", "Shows", " s "} {
		if !strings.Contains(log, want) {
			t.Errorf("progress has no %q:\n%s", want, log)
		}
	}
	nb, err := nbformat.ReadFile(filepath.Join(out, "n.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if len(nb.Cells) != 5 || !nb.Cells[1].Tagged(tagInjected) {
		t.Fatalf("got %d cells, the second tagged %v", len(nb.Cells), nb.Cells[1].Metadata)
	}
	for i, c := range nb.Cells {
		if c.ExecutionCount != i+1 {
			t.Errorf("cell %d: got execution count %d", i+1, c.ExecutionCount)
		}
	}
	text := ""
	for _, o := range append(nb.Cells[3].Outputs, nb.Cells[4].Outputs...) {
		text += o.Text()
	}
	if !strings.Contains(text, "a \"b\" 42\n") || !strings.Contains(text, "from the shell") {
		t.Errorf("outputs: got %q", text)
	}
	results, err := os.ReadFile(filepath.Join(out, "results.json"))
	if err != nil || !strings.Contains(string(results), `"answer"`) || !strings.Contains(string(results), "42") {
		t.Errorf("results: got %s, %v", results, err)
	}
	if original, err := nbformat.ReadFile(path); err != nil || len(original.Cells) != 4 ||
		original.Cells[2].ExecutionCount != 0 {
		t.Errorf("the notebook itself changed: %v", err)
	}
}

// A cell that fails stops the run: the error has its number, its line and what
// it said, and what ran before is saved.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, cell string
		want       []string
	}{
		{"compile error", "%%\nx := 1\nvar y string = 2 + x",
			[]string{"cell 2", "line 3", "var y string", "cannot use"}},
		{"panic", "%%\nfmt.Println(1)\npanic(\"the reason\")", []string{"cell 2", "line 3", "the reason", "panic("}},
		{"exit", "%%\nfmt.Fprintln(os.Stderr, \"the last words\")\nos.Exit(3)",
			[]string{"cell 2", "the last words", "exit status 3"}},
		{"shell", "!echo to stderr >&2; exit 7", []string{"cell 2", "shell command", "exit status 7", "to stderr"}},
		{"input", "%with_inputs\n!read line", []string{"cell 2", "asks for input"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := place(t)
			path := write(t, dir, "%%\nfmt.Println(\"before\")", c.cell, "%%\nfmt.Println(\"never\")")
			out := filepath.Join(dir, "out")
			log, err := execute(context.Background(), t, Options{Notebook: path, Out: out})
			var failure *CellError
			if !errors.As(err, &failure) || failure.Cell != 2 {
				t.Fatalf("got %v\n%s", err, log)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error has no %q:\n%v", want, err)
				}
			}
			nb, err := nbformat.ReadFile(filepath.Join(out, "n.ipynb"))
			if err != nil {
				t.Fatal(err)
			}
			if len(nb.Cells[0].Outputs) != 1 || nb.Cells[0].Outputs[0].Text() != "before\n" ||
				nb.Cells[2].ExecutionCount != 0 {
				t.Errorf("the partial notebook: got %+v and %+v", nb.Cells[0], nb.Cells[2])
			}
		})
	}
}

// sleeper is a cell that says it is there, and stays.
const sleeper = "%%\nos.WriteFile(os.Getenv(\"CGBG_RUN_DIR\")+\"/state-here\", nil, 0o644)\ntime.Sleep(time.Hour)"

// during runs sleeper and calls do when the cell is at work.
func during(t *testing.T, o Options, do func(cancel context.CancelFunc)) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(o.Out, "state-here")); err == nil {
				do(cancel)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := execute(ctx, t, o)
	return err
}

func TestInterrupts(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		do      func(tmp string, cancel context.CancelFunc)
		want    error
	}{
		{"Ctrl-C", 0, func(_ string, cancel context.CancelFunc) { cancel() }, ErrInterrupted},
		{"timeout", 3 * time.Second, func(string, context.CancelFunc) {}, ErrTimeout},
		{"kernel killed", 0, func(tmp string, _ context.CancelFunc) {
			for _, p := range working(tmp) {
				if pid, command, _ := strings.Cut(p, " "); strings.Contains(command, "-kernel") &&
					strings.Contains(command, "gonb") && !strings.Contains(command, session.SuperviseArg) {
					n, _ := strconv.Atoi(pid)
					syscall.Kill(n, syscall.SIGKILL)
				}
			}
		}, ErrKernelDied},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := place(t)
			o := Options{Notebook: write(t, dir, "%%\nfmt.Println(\"before\")", sleeper),
				Out: filepath.Join(dir, "out"), Timeout: c.timeout}
			tmp := os.Getenv("TMPDIR")
			err := during(t, o, func(cancel context.CancelFunc) { c.do(tmp, cancel) })
			var failure *CellError
			if !errors.Is(err, c.want) || !errors.As(err, &failure) || failure.Cell != 2 {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if nb, err := nbformat.ReadFile(filepath.Join(o.Out, "n.ipynb")); err != nil ||
				len(nb.Cells[0].Outputs) != 1 {
				t.Errorf("the partial notebook: %v", err)
			}
		})
	}
}

// An unfinished run goes on with the state of its cells, a finished one and one
// with other parameters start afresh; two at a time are refused.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	m := marker{Notebook: "n.ipynb", Parameters: "p"}
	open := func(m marker, fresh bool) *folder {
		t.Helper()
		f, err := openFolder(out, m, fresh)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	state := filepath.Join(out, "state", "checkpoint")
	save := func() {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(state, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept := func() bool { _, err := os.Stat(state); return err == nil }

	f := open(m, false)
	if f.resumes {
		t.Error("a new folder resumes")
	}
	if _, err := openFolder(out, m, false); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), out) {
		t.Errorf("a second run: got %v", err)
	}
	save()
	f.unlock()
	if f = open(m, false); !f.resumes || !kept() {
		t.Errorf("unfinished: resumes %v, state kept %v", f.resumes, kept())
	}
	f.unlock()
	if f = open(m, true); f.resumes || kept() {
		t.Errorf("fresh: resumes %v, state kept %v", f.resumes, kept())
	}
	save()
	f.unlock()
	if f = open(marker{Notebook: "n.ipynb", Parameters: "q"}, false); f.resumes || kept() {
		t.Errorf("other parameters: resume %v, state kept %v", f.resumes, kept())
	}
	save()
	if err := f.mark(true); err != nil {
		t.Fatal(err)
	}
	f.unlock()
	if f = open(marker{Notebook: "n.ipynb", Parameters: "q"}, false); f.resumes || kept() {
		t.Errorf("finished: resumes %v, state kept %v", f.resumes, kept())
	}
	f.unlock()

	if err := os.WriteFile(filepath.Join(out, markerName), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(out, m, false); err == nil || !strings.Contains(err.Error(), "-o") {
		t.Errorf("damaged marker: got %v", err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.MkdirAll(filepath.Join(foreign, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(foreign, m, false); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "-o") {
		t.Errorf("a folder of something else: got %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(filepath.Join(file, "out"), m, false); err == nil || !strings.Contains(err.Error(), "-o") {
		t.Errorf("unwritable: got %v", err)
	}
}

func TestBadNotebooks(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, text, want string }{
		{"missing.ipynb", "", "missing.ipynb"},
		{"text.ipynb", "not a notebook", "JSON"},
		{"old.ipynb", `{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}`, "nbformat"},
		{"python.ipynb",
			`{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": ` +
				`{"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}}}`, "python"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if c.text != "" {
				if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out := filepath.Join(dir, "out")
			_, err := execute(context.Background(), t, Options{Notebook: path, Out: out})
			if err == nil || !strings.Contains(err.Error(), c.name) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("an output folder was made: %v", err)
			}
		})
	}
	path := write(t, dir, "%%\nfmt.Println()")
	if _, err := execute(context.Background(), t, Options{Notebook: path, Out: dir}); err == nil ||
		!strings.Contains(err.Error(), "overwrite") {
		t.Errorf("output over the notebook: got %v", err)
	}
}

func TestParameters(t *testing.T) {
	const source = `// Parameters
const (
	preset = "quick"
	seed   = 1
)
var rate = 0.5
var steps int64 = 10
const on = true
const width = 2 * 3
`
	for _, c := range []struct {
		name   string
		values []string
		want   string // of the injected cell
		err    string
	}{
		{"string", []string{"preset=paper"}, "const preset = \"paper\"\nconst seed = 1", ""},
		{"quoted string", []string{`preset="a b"`}, "const preset = \"a b\"\nconst seed = 1", ""},
		{"equals sign", []string{"preset=a=b"}, "const preset = \"a=b\"\nconst seed = 1", ""},
		{"both of a group", []string{"seed=2", "preset=x"}, "const preset = \"x\"\nconst seed = 2", ""},
		{"negative", []string{"seed=-3"}, "const preset = \"quick\"\nconst seed = -3", ""},
		{"float", []string{"rate=2"}, "var rate = 2.0", ""},
		{"exponent", []string{"rate=1e-4"}, "var rate = 0.0001", ""},
		{"typed", []string{"steps=7"}, "var steps int64 = 7", ""},
		{"bool", []string{"on=false"}, "const on = false", ""},
		{"expression", []string{"width=4*5"}, "const width = 4*5", ""},
		{"the last counts", []string{"seed=2", "seed=3"}, "const preset = \"quick\"\nconst seed = 3", ""},
		{"unknown", []string{"sead=2"}, "", "preset, seed, rate, steps, on, width"},
		{"no value", []string{"seed"}, "", "name=value"},
		{"not a number", []string{"seed=two"}, "", "whole number"},
		{"not whole", []string{"seed=1.5"}, "", "whole number"},
		{"not a float", []string{"rate=fast"}, "", "not a number"},
		{"not a bool", []string{"on=maybe"}, "", "neither true nor false"},
		{"no expression", []string{"width=4*"}, "", "Go expression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nb, err := nbformat.ReadFile(write(t, t.TempDir(), source, "%%\nfmt.Println(seed)"))
			if err != nil {
				t.Fatal(err)
			}
			first, err := inject(nb, c.values)
			if c.err != "" {
				if !errors.Is(err, ErrParameter) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v; want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(nb.Cells) != 3 || nb.Cells[1].Source != "// Parameters\n"+c.want {
				t.Errorf("got %d cells, the second\n%s\nwant\n%s", len(nb.Cells), nb.Cells[1].Source, c.want)
			}
			if again, err := inject(nb, c.values); err != nil || again != first || len(nb.Cells) != 3 {
				t.Errorf("once more: got %d cells, %v", len(nb.Cells), err)
			}
		})
	}
	bare, err := nbformat.ReadFile(write(t, t.TempDir(), "%%\nfmt.Println()"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inject(bare, []string{"seed=1"}); !errors.Is(err, ErrParameter) ||
		!strings.Contains(err.Error(), tagParameters) {
		t.Errorf("no parameters: got %v", err)
	}
	if _, err := inject(bare, nil); err != nil || len(bare.Cells) != 1 {
		t.Errorf("nothing to inject: %v", err)
	}
}

// Lines are a cell's number, its time, and its title or its own progress.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, total: 12}
	p.begin(3, "Force matching")
	p.say("flow 3/10\nloss 0.5")
	p.tick()
	p.tick() // nothing new
	p.end("ok")
	want := regexp.MustCompile(`^ 3/12 +\d+\.\d s  …      flow 3/10 loss 0\.5\n 3/12 +\d+\.\d s  ok     Force matching\n$`)
	if !want.MatchString(b.String()) {
		t.Errorf("got %q", b.String())
	}
	b.Reset()
	p = &progress{w: &b, total: 1, live: true}
	p.begin(1, "a title")
	p.end("failed")
	if got := b.String(); !strings.HasPrefix(got, "\r 1/1 ") || !strings.HasSuffix(got, "failed a title\x1b[K\n") {
		t.Errorf("on a terminal: got %q", got)
	}
	for d, want := range map[time.Duration]string{4700 * time.Millisecond: "4.7 s", 185 * time.Second: "3:05 min"} {
		if got := clock(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	for source, want := range map[string]string{"import (\n\t\"fmt\"\n)\n\n// The title\nx": "The title",
		"%%\n\nfmt.Println()": "fmt.Println()", "import \"fmt\"": "imports"} {
		if got := titleOf(source); got != want {
			t.Errorf("title of %q: got %q, want %q", source, got, want)
		}
	}
}

// BenchmarkWarmCell is the time from a trivial cell's request to its end, after
// one like it; overhead is what a run of such cells takes besides them.
func BenchmarkWarmCell(b *testing.B) {
	dir := place(b)
	path := write(b, dir, "%%\nfmt.Println(1)", "%%\nfmt.Println(2)", "%%\nfmt.Println(3)")
	line := regexp.MustCompile(`(?m)^ ([123])/3 +(\d+\.\d) s  ok`)
	for b.Loop() {
		start := time.Now()
		log, err := execute(context.Background(), b, Options{Notebook: path, Out: filepath.Join(dir, "out")})
		if err != nil {
			b.Fatal(err)
		}
		overhead := time.Since(start).Seconds()
		for _, m := range line.FindAllStringSubmatch(log, -1) {
			seconds, _ := strconv.ParseFloat(m[2], 64)
			overhead -= seconds
			if m[1] != "1" {
				b.ReportMetric(seconds, "s/cell"+m[1])
			}
		}
		b.ReportMetric(overhead, "s/overhead")
	}
}

func ExampleFolder() {
	fmt.Println(Folder(Options{Notebook: "notebooks/01_mueller_brown.ipynb"}))
	// Output: runs/01_mueller_brown
}
