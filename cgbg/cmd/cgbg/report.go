package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/cli"
)

const reportUsage = `usage: go run ./cgbg/cmd/cgbg report -reference FRAMES.arrow -o DIR SAMPLES.arrow

Scores weighted samples (of "cgbg sample -pmf" or "cgbg reweight") against a simulation, on the
dihedrals phi and psi: Jensen-Shannon divergence and error of the free energy, with errors
and floors (what a perfect model would score with as many samples), before and after
reweighting. The reference has beads or dihedrals (import -map dihedrals), maybe of another
map, at the same temperature, and weights where it was biased. DIR gets results.json, the free energies along phi and psi (profiles), over
both (maps), the weights, each as PNG and SVG, and report.json: what was scored, by checksum.

One residue is scored: the first that samples and reference both have, or that of -residue.
wrong_handedness is the share of the samples in which a chiral centre has another hand than in
the frames of the flow, no_weight that of others without weight; bond_width and angle_width
are standard deviations over those frames' (1: alike; root mean square over all bonds or
angles), weighted, and _before as drawn. Samples know the frames of their flow ("cgbg sample"
writes that to their file); those that do not are held to a reference of the same beads, and
the lines are missing where it has dihedrals alone. The verdict minds all of them.

`

// reportCommand is `cgbg report`.
func reportCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	var o cgbg.ReportOptions
	fs.StringVar(&o.Name, "name", "samples", "`prefix` of the names in results.json")
	fs.StringVar(&o.Title, "title", "MD", "`name` of the reference in figures")
	fs.StringVar(&o.Reference, "reference", "", "`file` of frames of a simulation")
	fs.StringVar(&o.Residue, "residue", "", "`name` of the residue to score, ALA3 say, SAMPLES=REFERENCE where it has two names; the first that both have without it")
	fs.IntVar(&o.Seed, "seed", 1, "of the bootstrap")
	dir := fs.String("o", "", "`folder` to write to")
	rest, stop, err := parse(fs, reportUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1 || *dir == "" || o.Reference == "":
		return fmt.Errorf("%w: report takes -reference, -o and one file of samples (-h explains)", errUsage)
	}
	if err := checkReport(*dir, rest[0], o.Reference); err != nil {
		return err
	}
	e, err := cgbg.Report(ctx, rest[0], *dir, o)
	if err != nil {
		return err
	}
	tell(stdout, e, *dir)
	return nil
}

// checkReport verifies that a report into a folder replaces none of the inputs.
func checkReport(dir string, inputs ...string) error {
	if err := cli.CheckFolder(dir); err != nil {
		return err
	}
	return cli.CheckPaths(reportFiles(dir), inputs)
}

// reportFiles are the files that [cgbg.Report] writes.
func reportFiles(dir string) (files []string) {
	for _, name := range []string{"results.json", "report.json", "profiles.png", "profiles.svg", "maps.png", "maps.svg", "weights.png", "weights.svg"} {
		files = append(files, filepath.Join(dir, name))
	}
	return files
}

// tell prints an evaluation.
func tell(w io.Writer, e *cgbg.Evaluation, dir string) {
	tellResidue(w, e)
	tellResults(w, e.Results())
	tellFidelity(w, e.Weights.Fidelity)
	fmt.Fprintf(w, "%s\nfigures and results.json are in %s\n", e.Weights.Verdict, dir)
}

// tellResults prints numbers, a line each.
func tellResults(w io.Writer, results []cgbg.Result) {
	for _, r := range results {
		line := fmt.Sprintf("%-32s %.4g", r.Name, r.Value)
		if r.Error == r.Error {
			line += fmt.Sprintf(" ± %.2g", r.Error)
		}
		if r.Unit != "" {
			line += " " + r.Unit
		}
		if r.Floor == r.Floor {
			line += fmt.Sprintf("   floor %.4g", r.Floor)
		}
		fmt.Fprintln(w, line)
	}
}
