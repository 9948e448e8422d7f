package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/observable"
)

const reportUsage = `usage: go run ./cgbg/cmd/cgbg report -o DIR [-reference FRAMES.arrow] [flags] SAMPLES.arrow

Says what weighted samples (of "cgbg sample -pmf" or "cgbg reweight") tell of equilibrium: means of
variables, populations of states, free energies, and how far the weights can be trusted. With a
-reference, frames of a simulation at the same temperature, it scores them: Jensen-Shannon divergence
and error of the free energy, with errors and floors (what a perfect model would score with as many
samples), before and after reweighting. The reference has beads, maybe of another map, or dihedrals
(import -map dihedrals), and weights where it was biased. DIR gets results.json, the free energies
along the variables (profiles), over two of them (maps), the weights, each as PNG and SVG, and
report.json: what was scored, by checksum.

  cgbg report -reference md.arrow -variable "d=distance(C1,C4)" -state "short: d < 0.35" -o out s.arrow

-variable NAME=TEXT and -state "NAME: TEXT" may be repeated; the first two variables are scored
together, too. Without -variable a peptide gets phi and psi of all residues that samples and reference
have (those of the middle one, or of -residue, are scored together), anything else its two distances
of largest spread and the torsions of its tree of bonds.

` + observable.VariableFormat + `
` + observable.StateFormat + `
In results.json, behind the -name: VARIABLE/js, VARIABLE/pmf_error, VARIABLE/mean, population/STATE,
ess, ess_clipped, khat, verdict. wrong_handedness is the share of the samples in which a chiral
centre has another hand than in the frames of the flow, no_weight that of others without weight;
bond_width and angle_width are standard deviations over those frames' (1: alike; root mean square
over all bonds or angles), weighted, and _before as drawn. Samples know the frames of their flow
("cgbg sample" writes that to their file); those that do not are held to a reference of the same
beads, and the lines are missing where it has dihedrals alone. The verdict minds all of them.

`

// definitions is a flag that may be repeated: a name and a text.
type definitions struct {
	separator string
	list      []analysis.Definition
}

// String implements flag.Value.
func (d *definitions) String() string { return "" }

// Set implements flag.Value.
func (d *definitions) Set(text string) error {
	name, text, ok := strings.Cut(text, d.separator)
	if !ok {
		return fmt.Errorf("want NAME%sTEXT", d.separator)
	}
	d.list = append(d.list, analysis.Definition{Name: strings.TrimSpace(name), Text: strings.TrimSpace(text)})
	return nil
}

// reportCommand is `cgbg report`.
func reportCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	var o cgbg.ReportOptions
	variables, states := &definitions{separator: "="}, &definitions{separator: ":"}
	fs.StringVar(&o.Name, "name", "samples", "`prefix` of the names in results.json")
	fs.StringVar(&o.Title, "title", "MD", "`name` of the reference in figures")
	fs.StringVar(&o.Reference, "reference", "", "`file` of frames of a simulation")
	fs.StringVar(&o.Residue, "residue", "",
		"`name` of the residue to score, ALA3 say, SAMPLES=REFERENCE where it has two names; "+
			"the middle one that both have without it")
	fs.IntVar(&o.Seed, "seed", 1, "of the bootstrap")
	fs.Var(variables, "variable", "`NAME=TEXT` of a variable to look at")
	fs.Var(states, "state", "`NAME:TEXT` of a state to count")
	dir := fs.String("o", "", "`folder` to write to")
	rest, stop, err := parse(fs, reportUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1 || *dir == "":
		return fmt.Errorf("%w: report takes -o and one file of samples (-h explains)", errUsage)
	}
	if err := cli.CheckFolder(*dir); err != nil {
		return err
	}
	if err := cli.CheckPaths(cgbg.ReportFiles(*dir), []string{rest[0], o.Reference}); err != nil {
		return err
	}
	if o.Variables, err = analysis.ParseVariables(".", variables.list); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	o.States = states.list
	e, err := cgbg.Report(ctx, rest[0], *dir, o)
	if err != nil {
		return err
	}
	e.Print(stdout)
	fmt.Fprintf(stdout, "figures and results.json are in %s\n", *dir)
	return nil
}
