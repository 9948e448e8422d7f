package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/cgbg-go/lab/cgbg/trajectory"
)

// importCommand is `cgbg import`.
func importCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("import", flag.ContinueOnError)
	var o trajectory.Options
	o.Flags(fs)
	rest, done, err := parse(fs, trajectory.Usage, args, stdout)
	if err != nil || done {
		return err
	}
	if given(fs, "temperature") && o.Temperature == 0 {
		return fmt.Errorf("%w: -temperature 0: a positive number of kelvin", errUsage)
	}
	o.Trajectories = rest
	r, err := trajectory.Import(ctx, o)
	if err != nil {
		return err
	}
	r.Print(stdout)
	return nil
}

// given tells whether a flag stands in the command.
func given(fs *flag.FlagSet, name string) (found bool) {
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}
