package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// ErrUsage reports a command line that cannot be understood.
var ErrUsage = errors.New("usage")

// Command parses a command's flags, which may stand behind its arguments; done says that -h was answered.
// Errors: ErrUsage, wrapped.
func Command(fs *flag.FlagSet, usage string, args []string, stdout io.Writer) (rest []string, done bool, err error) {
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	rest, err = Parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %s: %w (-h explains)", ErrUsage, fs.Name(), err)
	}
	return rest, false, nil
}
