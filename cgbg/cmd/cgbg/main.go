// Command cgbg works on data and models: it maps trajectories of molecular
// dynamics to coarse-grained frames, trains flows and potentials on them, draws samples with
// their exact log-density, weighs these, and holds them against simulations.
//
//	go run ./cgbg/cmd/cgbg import -map core-beta -temperature 300 -structure conf.gro -o ala2_cb.arrow traj.trr
//	go run ./cgbg/cmd/cgbg info ala2_cb.arrow
//
// "go run ./cgbg/cmd/cgbg -h" lists its commands; each of them has a -h of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cgbg-go/lab/cgbg/cli"
)

const usage = `usage: go run ./cgbg/cmd/cgbg COMMAND [flags] [arguments]

  import TRAJECTORY...   map a trajectory of molecular dynamics to beads
  recipe                 make a data set from nothing with GROMACS
  pull NAME              fetch a published set from the Hugging Face hub
  info FILE...           tell what a file of frames holds
  head FILE              print its first frames
  export FILE            write frames as NPZ, PDB or XTC
  merge FILE...          put several files together
  split FILE             split into training and validation by blocks of time
  resample FILE          make an unbiased set of a biased one by its weights
  train flow|pmf FILE    train a flow, or a potential of mean force, on frames
  sample FLOW            draw samples with their exact log-density, and weigh them
  reweight SAMPLES       weigh samples by another potential
  curve flow|pmf FILE    learning curves: would more training help, or more data?
  report SAMPLES         score weighted samples against a simulation, with figures
  run FILE.toml          all of it, from trajectories to free energies

"go run ./cgbg/cmd/cgbg COMMAND -h" explains a command.
`

type command func(ctx context.Context, args []string, stdout io.Writer) error

var commands = map[string]command{"import": importCommand, "info": infoCommand, "head": headCommand,
	"export": exportCommand, "merge": mergeCommand, "split": splitCommand, "resample": resampleCommand,
	"pull":   pullCommand,
	"recipe": recipeCommand, "train": trainCommand, "sample": sampleCommand, "curve": curveCommand, "reweight": reweightCommand, "report": reportCommand, "run": runCommand}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the program at once
		time.AfterFunc(patience(os.Args[1:]), func() {
			fmt.Fprintln(os.Stderr, "\ncgbg: interrupted; what was saved last, at most some seconds ago, stays, and "+
				"the same command goes on from there")
			os.Exit(exitCode(context.Canceled))
		})
	})
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, message(err))
	}
	os.Exit(exitCode(err))
}

// message is an error as users see it: behind the program's name, which errors of package cgbg begin with already.
func message(err error) string {
	const name = "cgbg: "
	return name + strings.TrimPrefix(err.Error(), name)
}

// patience is how long a command may take to end by itself once it is interrupted:
// what it cannot leave, a step of training, say, or the compilation of one, ends with
// the program. Files appear when they are whole, so that none is left in parts, and a
// training goes on from its last checkpoint. GROMACS, which recipes run, is given time
// for a checkpoint of its own.
func patience(args []string) time.Duration {
	if len(args) > 0 && args[0] == "recipe" {
		return time.Minute
	}
	return 800 * time.Millisecond
}

// errUsage is returned for command lines that cannot be understood.
var errUsage = cli.ErrUsage

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

// exitCode is 1 for a failure, 2 for a wrong command line, 130 for an interrupt.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return 130
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}

// parse parses a command's flags, see [cli.Command].
func parse(fs *flag.FlagSet, usage string, args []string, stdout io.Writer) (rest []string, done bool, err error) {
	return cli.Command(fs, usage, args, stdout)
}
