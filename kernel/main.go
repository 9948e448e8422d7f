// Command kernel runs this repository's notebooks, headless or in Jupyter.
//
//	go run ./kernel run notebooks/01_mueller_brown.ipynb
//	go run ./kernel install
//	go run ./kernel doctor
//
// "go run ./kernel -h" lists its commands; each of them has a -h of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cgbg-go/lab/kernel/run"
	"github.com/cgbg-go/lab/kernel/session"
)

const usage = `usage: go run ./kernel COMMAND [flags] [arguments]

  run NOTEBOOK   run a notebook headless; its results go to runs/<notebook>/
  install        make the kernel known to Jupyter, or fetch a plugin of XLA
  doctor         say what is installed, and what to do about what is not
  readme         write notebooks/README.md, with the numbers of the notebooks' runs
  launch         start the kernel for Jupyter (called by Jupyter)

"go run ./kernel COMMAND -h" explains a command.
`

type command func(ctx context.Context, args []string, stdout io.Writer) error

var commands = map[string]command{
	"run": runCommand, "install": installCommand, "doctor": doctorCommand, "readme": readmeCommand,
	"launch": launchCommand,
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == session.SuperviseArg {
		os.Exit(session.Supervise(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(exitCode(dispatch(ctx, os.Args[1:], os.Stdout), os.Stderr))
}

// errUsage is returned for command lines that cannot be understood.
var errUsage = errors.New("usage")

func dispatch(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: a command is missing\n%s", errUsage, usage)
	}
	switch args[0] {
	case "-h", "-help", "--help", "--h", "help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	c, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("%w: there is no command %q\n%s", errUsage, args[0], usage)
	}
	return c(ctx, args[1:], stdout)
}

// exitCode prints the error and returns the program's exit code: 1 for a
// failure, 2 for a wrong command line, 130 for an interrupt.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "kernel: %v\n", err)
	switch {
	case errors.Is(err, run.ErrInterrupted), errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}
