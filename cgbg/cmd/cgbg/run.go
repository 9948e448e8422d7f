package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/cli"
)

const runUsage = `usage: go run ./cgbg/cmd/cgbg run FILE.toml

Goes from trajectories to free energies: maps the trajectories to beads, trains a potential
of mean force and a flow, draws weighted samples, and scores them against the simulation.
What is there already and unchanged is not done again; a run that was stopped goes on where
it stood. What a step will need is looked at before anything is trained: forces, the
temperature, species, flow and potential of the same beads and map, a reference at the same
temperature, beads of the variables. Paths are relative to the file. Everything but [data] may be
left out:

  out  = "ala2"                        # folder of all results; the file's name without .toml
  seed = 1                             # of everything random

  [data]                               # frames = "file.arrow", or what "cgbg import" takes
  trajectories = ["awh.trr"]
  structure    = "ala2.gro"
  map          = "core-beta"
  temperature  = 300                   # of the simulation, K
  awh          = "awh.xvg"             # weights of any bias: awh, bias, hills, colvar, openmm_bias, logw, umbrella
  # every, skip, forces, constraints, dt, system, forcefield; and for the weights bias_variables,
  # bias_column, bias_factor, plumed, rbias, start, biased, as "cgbg import -h" explains them

  [flow]                               # model = "flow.npz", or how to train it:
  preset  = "quick"                    # small, quick or paper
  field   = "spline"                   # or equivariant, graph-transformer; pairing, frames (of other data), from,
                                       # width, epochs, batch, rate, late, ema, held_out
  refine  = true                       # on the potential: a spline is, unless this says false

  [pmf]                                # model = "pmf.npz", or
  preset = "quick"                     # potential (invariant or mace), frames, from, width, epochs, batch, rate,
                                       # ensemble (so many potentials that weigh by their mean)

  [sample]
  n         = 10000                    # at most
  until_ess = 1000                     # effective ones to stop at
  checks    = 64

  [reference]                          # else the frames of [data], with their weights
  frames  = "long_dihedrals.arrow"     # with the beads of the flow they also tell what it misses
  title   = "MD, explicit water"
  residue = "ALA3"                     # of a peptide without [variables]: whose phi and psi are scored together

  [variables]                          # what is looked at; "cgbg report -h" lists all kinds
  torsion = "dihedral(C1,C2,C3,C4)"    # bead names; RESIDUE:ATOM where beads are called so
  phi4    = "phi(ALA4)"                # the first two are scored together, too
  end     = "distance(ACE1:C,NME5:N)"

  [states]                             # regions of variables, in degrees and nm
  plus = "0 < torsion < 120"
  left = "phi4 > 0"

Without [variables] a peptide gets its dihedrals, anything else its two distances of largest spread
and the torsions of its tree of bonds.

The folder gets frames.arrow, pmf.npz and flow.npz with their cards, samples.arrow, and what
"cgbg report" writes.

`

// runCommand is `cgbg run`.
func runCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	rest, stop, err := parse(fs, runUsage, args, stdout)
	switch {
	case err != nil || stop:
		return err
	case len(rest) != 1:
		return fmt.Errorf("%w: run takes one file, .toml (-h explains)", errUsage)
	}
	if err := cli.CheckPaths(nil, rest); err != nil {
		return err
	}
	p, err := cgbg.ReadPlan(rest[0])
	if err != nil {
		return err
	}
	_, err = p.Run(ctx, stdout, lines(os.Stderr))
	return err
}
