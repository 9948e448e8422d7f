// Package cli parses command lines the way users type them: flags before,
// between and after the arguments, with one dash or two.
package cli

import "flag"

// Parse parses args into the flags of fs and returns the positional arguments
// in their order. Unlike [flag.FlagSet.Parse] it goes on after the first
// positional argument; "--" ends the flags, and all that follows is positional.
// The error is that of fs (flag.ErrHelp for -h and -help).
func Parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		rest := fs.Args()
		if used := len(args) - len(rest); used > 0 && args[used-1] == "--" {
			return append(positional, rest...), nil
		}
		if len(rest) == 0 {
			return positional, nil
		}
		positional = append(positional, rest[0])
		args = rest[1:]
	}
}
