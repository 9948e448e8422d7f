package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/trajectory"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/recipe"
)

const recipeUsage = `usage: go run ./cgbg/cmd/cgbg recipe [flags] -structure FILE.pdb -dir DIR -o FILE.arrow

Makes a data set of alanine dipeptide in explicit water from nothing, with the installed
GROMACS: amber99sb-ildn, TIP3P, NVT at 300 K (v-rescale), PME, 1.0 nm cut-offs, no
constraints in the molecule; frames with unbiased forces, mapped to beads. The defaults
are the paper's (box 3.7 nm, 0.5 fs); its unbiased set is -ns 500, days on a GPU.

  -bias awh      adaptive biasing on phi and psi towards the well-tempered ensemble of
                 -gamma; any build of GROMACS. Forces come from a rerun without the bias.
  -bias plumed   well-tempered metadynamics; a build patched with PLUMED.

A longer chain is biased along phi and psi of its first residue that has both, which must be
an alanine behind ACE; the grid's names and the file's description say which it is.

A recipe that is stopped (Ctrl-C, kill) goes on when the same command is run again. What
GROMACS says is in DIR/gmx.log. Implicit water: data/recipe/openmm/obc.py.

  go run ./cgbg/cmd/cgbg recipe -structure data/ala2/ala2.pdb -dir ala2_awh -bias awh -ns 10 -o ala2_awh.arrow

`

// recipeCommand is `cgbg recipe`.
func recipeCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("recipe", flag.ContinueOnError)
	o := recipe.Defaults()
	im := trajectory.NewOptions() // as the recipe has them
	im.ForceField, im.Temperature = "amber99sb-ildn, TIP3P", 300
	ns := fs.Float64("ns", 1, "length of the production run, `ns`")
	fs.StringVar(&o.Structure, "structure", "", "PDB `file` of the molecule")
	fs.StringVar(&o.Dir, "dir", "", "`folder` to work in")
	fs.StringVar(&im.Out, "o", "", "Arrow `file` to write")
	fs.StringVar(&im.Map, "map", cgmap.HeavyAtom, "the `beads`, as of import")
	fs.StringVar(&im.Forces, "forces", im.Forces, "`projection` of forces, as of import")
	fs.StringVar(&o.GMX, "gmx", o.GMX, "GROMACS's `program`")
	fs.Float64Var(&o.Box, "box", o.Box, "edge of the cubic box, `nm`")
	fs.Float64Var(&o.Step, "step", o.Step, "time step, `fs`")
	fs.Float64Var(&o.Interval, "interval", o.Interval, "time between frames, `ps`")
	fs.StringVar(&o.Bias, "bias", o.Bias, "`none`, awh or plumed")
	fs.Float64Var(&o.Gamma, "gamma", o.Gamma, "bias `factor`")
	fs.IntVar(&o.Seed, "seed", o.Seed, "of velocities, thermostat and bias")
	fs.IntVar(&o.Threads, "threads", o.Threads, "`number`; 0: GROMACS chooses")
	rest, done, err := parse(fs, recipeUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) > 0 || o.Structure == "" || o.Dir == "" || im.Out == "":
		return fmt.Errorf("%w: recipe needs -structure, -dir and -o, and no arguments (-h explains)", errUsage)
	}
	if err := checkRecipe(im, o); err != nil {
		return err
	}
	o.Length = *ns * 1000
	o.Report = stepLine(os.Stderr)
	result, err := recipe.Run(ctx, o)
	if err != nil {
		return err
	}
	if im.System, err = systemOf(result.Structure); err != nil {
		return err
	}
	im.Structure, im.Trajectories = result.Structure, []string{result.Trajectory}
	for kind, file := range map[string]string{"awh": result.AWH, "bias": result.Grid} {
		if file != "" {
			im.Weights = append(im.Weights, trajectory.Weight{Kind: kind, File: file})
		}
	}
	im.BiasVariables = result.Variables
	im.Provenance = fmt.Sprintf("cgbg recipe -box %g -step %g -ns %g -interval %g -bias %s -gamma %g -seed %d "+
		"(GROMACS %s), then ", o.Box, o.Step, *ns, o.Interval, o.Bias, o.Gamma, o.Seed, result.Version)
	r, err := trajectory.Import(ctx, im)
	if err != nil {
		return err
	}
	r.Print(stdout)
	return nil
}

// systemOf is the name of alanine dipeptide where a structure is of it, and "" for other molecules.
func systemOf(path string) (string, error) {
	s, err := gromacs.ReadStructure(path)
	if err != nil {
		return "", err
	}
	var sequence []string
	for i, a := range s.Atoms {
		if i == 0 || a.ResidueNumber != s.Atoms[i-1].ResidueNumber || a.Residue != s.Atoms[i-1].Residue {
			sequence = append(sequence, a.Residue)
		}
	}
	if slices.Equal(sequence, []string{"ACE", "ALA", "NME"}) {
		return "Ac-Ala-NHMe", nil
	}
	return "", nil
}

// checkRecipe verifies the options of the import, and that the frames replace nothing that is read, what GROMACS makes
// for them included.
func checkRecipe(im trajectory.Options, o recipe.Options) error {
	if err := cli.CheckFolder(o.Dir); err != nil {
		return err
	}
	im.Structure = o.Structure
	for _, name := range []string{"solute.trr", "solute.gro", "awh.xvg", "bias.dat", "md.trr", "rerun.trr"} {
		im.Trajectories = append(im.Trajectories, filepath.Join(o.Dir, name))
	}
	return errors.Join(im.Check(), im.CheckPaths())
}

// stepLine reports the steps of a recipe, long ones with the time left.
func stepLine(w io.Writer) func(step string, done, total float64) {
	var name string
	var start, last time.Time
	var first float64
	return func(step string, done, total float64) {
		if done == 0 || step != name {
			name, start, first, last = step, time.Now(), done, time.Time{}
			fmt.Fprintf(w, "gmx %s\n", step)
			return
		}
		if time.Since(last) < time.Second {
			return
		}
		if last.IsZero() { // it may go on from a checkpoint
			start, first = time.Now(), done
		}
		last = time.Now()
		line := fmt.Sprintf("  step %.0f of %.0f", done, total)
		if rate := (done - first) / time.Since(start).Seconds(); rate > 0 {
			line += fmt.Sprintf(", %s left", time.Duration((total-done)/rate*float64(time.Second)).Round(time.Second))
		}
		fmt.Fprintf(w, "%-60s\r", line)
	}
}
