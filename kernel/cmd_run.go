package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cgbg-go/lab/kernel/run"
	"github.com/cgbg-go/lab/kernel/session"
)

const runUsage = `usage: go run ./kernel run [flags] NOTEBOOK

Runs a notebook headless on the GoNB kernel: no Jupyter, no Python. It writes, in
runs/<notebook>/ (-o changes that), the executed notebook, its figures, and
results.json with its numbers. Everything that a run keeps is in that folder. A run
that was interrupted or killed goes on where it stood when it is started again with
the same parameters; one that was finished starts afresh.

  go run ./kernel run notebooks/01_mueller_brown.ipynb
  go run ./kernel run notebooks/01_mueller_brown.ipynb -p preset=small -p seed=2 -o /tmp/mb

Exit code: 0, 1 if a cell or something else fails, 2 for a wrong command line, 130
after Ctrl-C.

`

// list is a flag that may be given many times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// runCommand is `kernel run`.
func runCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	var o run.Options
	fs.Var((*list)(&o.Parameters), "p", "set a parameter of the notebook: `name=value`; may be repeated")
	fs.StringVar(&o.Out, "o", "", "output `folder` (default runs/<notebook>)")
	fs.DurationVar(&o.Timeout, "timeout", 0, "`time` that one cell may take, such as 90s or 2h (default no limit)")
	fresh := fs.Bool("fresh", false, "start afresh even if the last run was not finished")
	rest, help, err := parseFlags(fs, runUsage, args, stdout)
	switch {
	case err != nil || help:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: run takes one notebook, got %d: %q (-h explains)", errUsage, len(rest), rest)
	case o.Timeout < 0:
		return fmt.Errorf("%w: -timeout %v: a time is not negative", errUsage, o.Timeout)
	}
	o.Notebook, o.Fresh, o.Log = rest[0], *fresh, stdout
	if o.Module, err = session.FindModule("."); err != nil {
		if o.Module, err = session.FindModule(filepath.Dir(o.Notebook)); err != nil {
			return err
		}
	}
	if f, ok := stdout.(*os.File); ok {
		info, err := f.Stat()
		o.Live = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	start := time.Now()
	if err := run.Run(ctx, o); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "done in %.1f s: %s\n", time.Since(start).Seconds(), run.Folder(o))
	return nil
}
