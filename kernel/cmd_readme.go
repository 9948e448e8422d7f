package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/cgbg-go/lab/kernel/readme"
)

const readmeUsage = `usage: go run ./kernel readme [flags] [RUN...]

Writes notebooks/README.md: its text is notebooks/README.md.tmpl, its numbers are those
of notebooks/results, a file for each notebook. With folders of runs (runs/06_…) it first
takes their results over: of finished runs with preset quick and seed 1.

  go run ./kernel run notebooks/06_alanine_boltzmann_generator.ipynb
  go run ./kernel readme runs/06_alanine_boltzmann_generator

`

// readmeCommand is `kernel readme`.
func readmeCommand(_ context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("readme", flag.ContinueOnError)
	dir := fs.String("notebooks", "notebooks", "`folder` of the notebooks")
	runs, help, err := parseFlags(fs, readmeUsage, args, stdout)
	if err != nil || help {
		return err
	}
	for _, folder := range runs {
		path, err := readme.Take(*dir, folder)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, path)
	}
	path, err := readme.Write(*dir)
	if err == nil {
		fmt.Fprintln(stdout, path)
	}
	return err
}
