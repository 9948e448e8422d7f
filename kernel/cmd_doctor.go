package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/cgbg-go/lab/cgbg/cli"
)

const doctorUsage = `usage: go run ./kernel doctor

Tells what is installed of what the notebooks need, and what to do about what is
missing. It changes and downloads nothing. Exit code 1: something needed is missing.
`

// grade says how a finding is to be taken.
type grade int

const (
	good    grade = iota // there
	spare                // not there, and not needed
	missing              // needed, and not there
)

func (g grade) String() string { return [...]string{"ok", "-", "MISSING"}[g] }

// finding is one line of the doctor's report.
type finding struct {
	grade  grade
	name   string
	status string // what is there
	advice string // what to do about it; may be empty
}

// errSick is returned by doctor when something needed is missing; the report has said what.
var errSick = errors.New("doctor: something that is needed is missing (see above)")

// doctorCommand is `kernel doctor`.
func doctorCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("doctor", flag.ContinueOnError)
	rest, help, err := parseFlags(fs, doctorUsage, args, stdout)
	if err != nil || help {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: doctor takes no arguments, got %q", errUsage, rest)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	sick := false
	for _, check := range []func(context.Context) []finding{
		checkGo, checkCompiler, checkModule, checkTools, checkSpec, checkJupyter, checkBackends,
	} {
		for _, f := range check(ctx) {
			sick = sick || f.grade == missing
			fmt.Fprintf(stdout, "%-8s%-13s%s\n", f.grade, f.name, f.status)
			if f.advice != "" {
				fmt.Fprintf(stdout, "%21s> %s\n", "", f.advice)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if sick {
		return errSick
	}
	return nil
}

// parseFlags parses the arguments of a command. Where they ask for help, it prints the usage and returns help.
func parseFlags(fs *flag.FlagSet, usage string, args []string, stdout io.Writer) (rest []string, help bool, err error) {
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	rest, err = cli.Parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %s: %w (-h explains)", errUsage, fs.Name(), err)
	}
	return rest, false, nil
}
