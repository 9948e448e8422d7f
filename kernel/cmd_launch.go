package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cgbg-go/lab/kernel/session"
)

const launchUsage = `usage: kernel launch -connection FILE -module DIR

Starts the kernel for a Jupyter front end and waits for its end. The kernelspec that
"go run ./kernel install" writes calls it; there is no need to do so by hand.

`

// sessionNameEnv is where Jupyter servers put the path of the notebook that a kernel is started for.
const sessionNameEnv = "JPY_SESSION_NAME"

// launchCommand is `kernel launch`.
func launchCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("launch", flag.ContinueOnError)
	connection := fs.String("connection", "", "the front end's connection `file`")
	module := fs.String("module", "", "`folder` of the module whose code the cells use")
	goDir := fs.String("go", "", "`folder` with the go command, used where there is none on PATH")
	rest, help, err := parseFlags(fs, launchUsage, args, stdout)
	switch {
	case err != nil || help:
		return err
	case len(rest) > 0:
		return fmt.Errorf("%w: launch takes no arguments, got %q (-h explains)", errUsage, rest)
	case *connection == "" || *module == "":
		return fmt.Errorf("%w: launch needs -connection and -module (-h explains)", errUsage)
	}
	if err := findGo(*goDir); err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	file, err := filepath.Abs(*connection)
	if err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("launch: the connection file: %w", err)
	}
	dir, err := session.FindModule(*module)
	if err != nil {
		return fmt.Errorf("launch: %w; go run ./kernel install, in the repository, tells Jupyter where it is now", err)
	}
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	return launch(ctx, file, dir, runDir(os.Getenv(sessionNameEnv), dir, here))
}

// findGo puts a folder at the end of PATH where PATH has no go command: front ends that a desktop starts do not have
// the shell's PATH.
func findGo(dir string) error {
	_, err := exec.LookPath("go")
	if err == nil || dir == "" {
		return err
	}
	if err := os.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+dir); err != nil {
		return err
	}
	_, err = exec.LookPath("go")
	return err
}

// runDir returns the folder for what a notebook makes, absolute: runs/<notebook> in the module for the module's own
// notebooks, beside the notebook for others, and runs/session in the working directory where the front end does not
// tell the notebook.
func runDir(sessionName, module, here string) string {
	if filepath.Ext(sessionName) != ".ipynb" {
		return filepath.Join(here, "runs", "session")
	}
	if !filepath.IsAbs(sessionName) {
		sessionName = filepath.Join(here, sessionName)
	}
	dir, name := filepath.Split(filepath.Clean(sessionName))
	name = strings.TrimSuffix(name, ".ipynb")
	// VS Code names its sessions on a Jupyter server notebook-jvsc-<uuid>.ipynb.
	name, _, _ = strings.Cut(name, "-jvsc-")
	if within(dir, module) {
		dir = module
	}
	return filepath.Join(dir, "runs", name)
}

// within tells if a folder is another or lies below it, whatever symbolic links lead there.
func within(dir, top string) bool {
	for _, path := range []*string{&dir, &top} {
		if real, err := filepath.EvalSymlinks(*path); err == nil {
			*path = real
		}
	}
	rel, err := filepath.Rel(top, dir)
	return err == nil && filepath.IsLocal(rel)
}
