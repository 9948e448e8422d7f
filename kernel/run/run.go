// Package run executes notebooks headless on the GoNB kernel: it starts the
// kernel in a session of its own, runs the cells in their order, and leaves
// the executed notebook, its figures and its results in the run's folder.
//
// Conventions are those of Jupyter and papermill: the kernel works in the
// notebook's folder, a failing cell stops the run, and parameters go into a
// cell of their own behind the one tagged "parameters".
package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cgbg-go/lab/kernel/jupyter"
	"github.com/cgbg-go/lab/kernel/nbformat"
	"github.com/cgbg-go/lab/kernel/session"
)

// Options of a run.
type Options struct {
	Notebook   string        // path
	Module     string        // folder of this module
	Out        string        // output folder; "" for runs/<notebook> in the working directory
	Parameters []string      // "name=value"
	Timeout    time.Duration // of one cell; 0 for none
	Fresh      bool          // start afresh even if the last run was not finished
	Log        io.Writer     // progress
	Live       bool          // Log is a terminal
}

// startTimeout is how long the kernel may take to start.
const startTimeout = time.Minute

// Run executes a notebook. Errors: those of reading it (package nbformat),
// ErrParameter, ErrBusy and ErrForeign about the output folder, and
// *CellError, after which the notebook is saved as far as it got.
func Run(ctx context.Context, o Options) error {
	nb, err := nbformat.ReadFile(o.Notebook)
	if err != nil {
		return err
	}
	if err := nb.CheckGo(); err != nil {
		return fmt.Errorf("%s: %w", o.Notebook, err)
	}
	parameters, err := inject(nb, o.Parameters)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Notebook, err)
	}
	name := filepath.Base(o.Notebook)
	if o.Out, err = filepath.Abs(Folder(o)); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	target := filepath.Join(o.Out, name)
	if same(target, o.Notebook) {
		return fmt.Errorf("run: the executed notebook would overwrite %s; choose another folder with -o", o.Notebook)
	}
	hash := sha256.Sum256([]byte(parameters))
	out, err := openFolder(o.Out, marker{Notebook: name, Parameters: hex.EncodeToString(hash[:])}, o.Fresh)
	if err != nil {
		return err
	}
	defer out.unlock()
	if out.resumes {
		fmt.Fprintf(o.Log, "going on with the unfinished run in %s\n", o.Out)
	}
	clearOutputs(nb)
	r := &runner{Options: o, notebook: nb, target: target, cells: executable(nb)}
	r.progress = &progress{w: o.Log, live: o.Live, total: len(r.cells)}
	if err := r.run(ctx); err != nil {
		return errors.Join(err, nb.WriteFile(target))
	}
	if err := nb.WriteFile(target); err != nil {
		return err
	}
	return out.mark(true)
}

// Folder returns the output folder of a run.
func Folder(o Options) string {
	if o.Out != "" {
		return o.Out
	}
	name := filepath.Base(o.Notebook)
	return filepath.Join("runs", strings.TrimSuffix(name, filepath.Ext(name)))
}

// same tells if two paths lead to one file.
func same(a, b string) bool {
	for _, path := range []*string{&a, &b} {
		if full, err := filepath.Abs(*path); err == nil {
			*path = full
		}
		if real, err := filepath.EvalSymlinks(*path); err == nil {
			*path = real
		}
	}
	return a == b
}

// executable lists the cells that run: code, if not empty.
func executable(nb *nbformat.Notebook) []*nbformat.Cell {
	var cells []*nbformat.Cell
	for _, c := range nb.Cells {
		if c.Type == nbformat.Code && strings.TrimSpace(c.Source) != "" {
			cells = append(cells, c)
		}
	}
	return cells
}

func clearOutputs(nb *nbformat.Notebook) {
	for _, c := range nb.Cells {
		c.Outputs, c.ExecutionCount = nil, 0
	}
}

// runner is one run.
type runner struct {
	Options
	notebook *nbformat.Notebook
	target   string
	cells    []*nbformat.Cell
	progress *progress
	log      tail // what the kernel itself writes
}

func (r *runner) run(ctx context.Context) error {
	r.progress.begin(0, "building the packages of the notebook, starting the kernel")
	e, closeKernel, err := r.start(ctx)
	if err != nil {
		r.progress.end("failed")
		if ctx.Err() != nil {
			return fmt.Errorf("run: %w", ErrInterrupted)
		}
		return err
	}
	defer closeKernel()
	r.progress.end("ok")
	for i, cell := range r.cells {
		r.progress.begin(i+1, titleOf(cell.Source))
		failed, err := e.execute(ctx, cell)
		shell := shellFailure(cell)
		if err == nil && !failed && shell == "" {
			r.progress.end("ok")
			if err := r.notebook.WriteFile(r.target); err != nil {
				return err
			}
			continue
		}
		r.progress.end("failed")
		return r.failure(cell, shell, err)
	}
	return nil
}

// start prepares a session and a kernel. The returned function ends both.
func (r *runner) start(ctx context.Context) (*executor, func(), error) {
	s, err := session.New(ctx, session.Options{Module: r.Module, RunDir: r.Out})
	if err != nil {
		return nil, nil, err
	}
	cleanup := func() { s.Close() }
	fail := func(err error) (*executor, func(), error) {
		cleanup()
		if text := r.log.String(); text != "" && ctx.Err() == nil {
			err = fmt.Errorf("%w\nThe kernel wrote:\n%s", err, text)
		}
		return nil, nil, err
	}
	if err := s.Prebuild(ctx, imports(r.cells)); err != nil {
		return fail(err)
	}
	folder, err := filepath.Abs(filepath.Dir(r.Notebook))
	if err != nil {
		return fail(err)
	}
	conn := jupyter.NewConnection(s.Dir)
	file := filepath.Join(s.Dir, "connection.json")
	if err := conn.WriteFile(file); err != nil {
		return fail(err)
	}
	process, err := s.Start(folder, &r.log, s.Tools.Gonb, "-kernel", file, "-raw_error")
	if err != nil {
		return fail(err)
	}
	cleanup = func() { process.Stop(); s.Close() }
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not within %v", startTimeout))
	defer cancel()
	dying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-process.Done():
			stop(ErrKernelDied)
		case <-dying.Done():
		}
	}()
	client, err := jupyter.Dial(dying, conn)
	if err != nil {
		return fail(err)
	}
	cleanup = func() { client.Close(); process.Stop(); s.Close() }
	if err := awaitKernel(dying, client, process); err != nil {
		return fail(fmt.Errorf("run: %w", err))
	}
	r.log.reset()
	return &executor{client: client, process: process, progress: r.progress, timeout: r.Timeout,
		displays: map[string][]nbformat.Output{}}, cleanup, nil
}

// failure describes how a cell failed.
func (r *runner) failure(cell *nbformat.Cell, shell string, err error) error {
	e := &CellError{Notebook: r.Notebook, Cell: slices.Index(r.notebook.Cells, cell) + 1, Count: cell.ExecutionCount,
		Err: err}
	switch {
	case errors.Is(err, ErrKernelDied):
		e.Message = err.Error()
		if text := r.log.String(); text != "" {
			e.Message += "; it wrote:\n" + text
		}
	case err != nil:
		e.Message = err.Error()
	case shell != "":
		e.Message = "a shell command failed: " + shell
		if text := strings.TrimSpace(exitStatus.ReplaceAllString(stderrOf(cell), "")); text != "" {
			e.Message += "\n" + text
		}
	default:
		failed := nbformat.Output{}
		for _, o := range cell.Outputs {
			if o.Type() == "error" {
				failed = o
			}
		}
		var where []spot
		e.Message, where = explain(failed, stderrOf(cell))
		e.locate(r.cells, where)
	}
	return e
}

var importLine = regexp.MustCompile(`(?m)^\s*(?:import\s+)?(?:[\w.]+\s+)?"(` + regexp.QuoteMeta(session.ModulePath) +
	`/[^"\s]+)"\s*$`)

// imports lists the packages of this module that cells import.
func imports(cells []*nbformat.Cell) []string {
	var out []string
	for _, c := range cells {
		for _, m := range importLine.FindAllStringSubmatch(c.Source, -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = slices.Clone(t.buf[over:])
	}
	return len(p), nil
}

func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = nil
}

// infoLine is a line of GoNB's log that reports no problem.
var infoLine = regexp.MustCompile(`(?m)^I\d{4} .*\n?`)

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(ansi.ReplaceAll(infoLine.ReplaceAll(t.buf, nil), nil)))
}
