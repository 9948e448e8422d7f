package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, args, output string
		force              bool
		positional         []string
	}{
		{"before", "-o out -force a b", "out", true, []string{"a", "b"}},
		{"after", "a b -o out -force", "out", true, []string{"a", "b"}},
		{"between, two dashes", "a --o=out b --force", "out", true, []string{"a", "b"}},
		{"double dash ends flags", "-o out a -- -force", "out", false, []string{"a", "-force"}},
		{"value equal to the terminator", "a -o -- b", "--", false, []string{"a", "b"}},
		{"none", "", "", false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs := flag.NewFlagSet("test", flag.ContinueOnError)
			output := fs.String("o", "", "")
			force := fs.Bool("force", false, "")
			got, err := Parse(fs, strings.Fields(test.args))
			if err != nil {
				t.Fatal(err)
			}
			if *output != test.output || *force != test.force {
				t.Errorf("got -o %q -force %v, want %q %v", *output, *force, test.output, test.force)
			}
			if !slices.Equal(got, test.positional) {
				t.Errorf("got arguments %q, want %q", got, test.positional)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if _, err := Parse(fs, []string{"a", "-nope"}); err == nil {
		t.Error("an unknown flag after an argument is accepted")
	}
	if _, err := Parse(fs, []string{"a", "-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v for -h, want flag.ErrHelp", err)
	}
}

func ExampleParse() {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	out := fs.String("o", "", "output")
	files, err := Parse(fs, []string{"a.ipynb", "--o", "x", "b.ipynb"})
	fmt.Println(files, *out, err)
	// Output: [a.ipynb b.ipynb] x <nil>
}
