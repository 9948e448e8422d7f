package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/kernel/plugin"
	"github.com/cgbg-go/lab/kernel/session"
	"github.com/cgbg-go/lab/kernel/spec"
)

const installUsage = `usage: go run ./kernel install [-xla cpu|cuda] [-remove]

Makes the kernel "Go (cgbg)" known to Jupyter front ends (JupyterLab, VS Code,
nbclient), so that they can run this repository's notebooks from any folder: writes
a kernelspec, with a copy of this program, into Jupyter's data directory
($JUPYTER_DATA_DIR, else the user's), and builds what the kernel needs. Cells use
the code of this repository where it lies; install again after moving it.

With -xla it fetches a plugin of XLA instead, with which the models run on an NVIDIA
GPU (cuda, cuda12, cuda13) or several times faster on the CPU (cpu), into the user's
data directory ($CGBG_XLA_DIR to change that). Nothing is ever fetched without it.

"go run ./kernel run NOTEBOOK" needs neither.

`

// installCommand is `kernel install`.
func installCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("install", flag.ContinueOnError)
	xla := fs.String("xla", "", "fetch the XLA plugin for this `platform`: cpu, cuda, cuda12 or cuda13")
	force := fs.Bool("force", false, "with -xla: fetch it even if there is one")
	remove := fs.Bool("remove", false, "uninstall the kernel from Jupyter")
	dir := fs.String("module", ".", "`folder` of the module whose code the cells use, or one in it")
	rest, help, err := parseFlags(fs, installUsage, args, stdout)
	switch {
	case err != nil || help:
		return err
	case len(rest) > 0:
		return fmt.Errorf("%w: install takes no arguments, got %q (-h explains)", errUsage, rest)
	case *remove && *xla != "":
		return fmt.Errorf("%w: install -remove is for the kernel in Jupyter, and does not go with -xla", errUsage)
	case *force && *xla == "":
		return fmt.Errorf("%w: install -force goes with -xla only; the kernel is always installed anew", errUsage)
	case *xla != "" && *force:
		return plugin.Reinstall(ctx, *xla, stdout)
	case *xla != "":
		return plugin.Install(ctx, *xla, stdout)
	case *remove:
		return uninstall(stdout)
	}
	return install(ctx, *dir, stdout)
}

func uninstall(stdout io.Writer) error {
	dir, err := spec.Remove()
	if errors.Is(err, spec.ErrMissing) {
		fmt.Fprintf(stdout, "the kernel is not installed in %s\n", dir)
		return nil
	}
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	fmt.Fprintf(stdout, "removed %s\n", dir)
	return nil
}

// install builds what sessions need, so that the first one starts within a front end's patience, and then writes the
// kernelspec.
func install(ctx context.Context, dir string, stdout io.Writer) error {
	module, err := session.FindModule(dir)
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	goPath, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("install: %w: the kernel compiles cells with Go", err)
	}
	if goPath, err = filepath.Abs(goPath); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("install: finding this program: %w", err)
	}
	fmt.Fprintln(stdout, "building what the kernel needs (minutes at first, seconds later)")
	if err := warm(ctx, module); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	where, err := spec.Install(self, module,
		"launch", "-connection", "{connection_file}", "-module", module, "-go", filepath.Dir(goPath))
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	fmt.Fprintf(stdout, "installed the kernel %q for %s in %s\n", spec.DisplayName, module, where)
	return nil
}

// warm fetches the modules and builds GoNB, goimports and the packages that cells import, as cells build them.
func warm(ctx context.Context, module string) error {
	if err := goCommand(ctx, module, nil, "mod", "download"); err != nil {
		return err
	}
	if _, err := session.Tools(ctx, module); err != nil {
		return err
	}
	s, err := session.New(ctx, session.Options{Module: module})
	if err != nil {
		return err
	}
	defer s.Close()
	return goCommand(ctx, module, s.Env, "build", "./cgbg/...", "./data/...", "./kernel/display")
}

// goCommand runs the go command in a folder; its error has what the command wrote.
func goCommand(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, out)
	}
	return nil
}
