// Package recipe makes alanine dipeptide data from nothing with an installed
// GROMACS: solvated box, minimisation, dynamics (unbiased, AWH, or PLUMED's
// well-tempered metadynamics), forces without the bias, and the trajectory of
// the molecule alone.
//
// Every step leaves its result under its final name only when it is done, so
// that a recipe that was stopped goes on at its step; the long ones go on from
// GROMACS's checkpoint.
//
// Source of the settings: Coarse-Grained Boltzmann Generators, arXiv
// 2602.10637, §B.2 and Tab. 3.
package recipe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/keep"
)

// Options of a recipe. Defaults gives the paper's.
type Options struct {
	Dir       string  // where everything is made
	Structure string  // PDB file of the molecule
	GMX       string  // the program
	Box       float64 // edge of the cubic box, nm
	Step      float64 // time step, fs
	Length    float64 // of the production run, ps
	Interval  float64 // between frames, ps
	Bias      string  // "none", "awh" or "plumed"
	Gamma     float64 // bias factor
	Seed      int
	Threads   int                                    // 0: GROMACS chooses
	Report    func(step string, done, total float64) // progress; may be nil
}

// Defaults are the paper's settings, for 1 ns.
func Defaults() Options {
	return Options{GMX: "gmx", Box: 3.7, Step: 0.5, Length: 1000, Interval: 1, Bias: "none", Gamma: 9, Seed: 1}
}

// Errors that Run wraps.
var (
	ErrNoGMX    = errors.New("no GROMACS: install it (Debian: apt-get install gromacs), or name the program")
	ErrNoPlumed = errors.New("this GROMACS is not patched with PLUMED; use AWH, which every build has")
	ErrOptions  = errors.New("settings that cannot be")
)

// Result names what a recipe made.
type Result struct {
	Trajectory string // positions and unbiased forces of the molecule, TRR
	Structure  string // GRO
	AWH        string // final grid, or ""
	Grid       string // final bias of metadynamics, PLUMED grid, or ""
	Variables  string // what was biased, as import's -bias-variables: phi:ALA2,psi:ALA2; or ""
	Version    string // of GROMACS
}

func (o *Options) check() error {
	switch {
	case o.Bias != "none" && o.Bias != "awh" && o.Bias != "plumed":
		return fmt.Errorf("recipe: %w: bias %q: none, awh or plumed", ErrOptions, o.Bias)
	case o.Bias != "none" && !(o.Gamma > 1):
		return fmt.Errorf("recipe: %w: bias factor %g: above 1", ErrOptions, o.Gamma)
	case !(o.Box >= 2.2 && o.Box < 100):
		return fmt.Errorf("recipe: %w: a box of %g nm: at least 2.2, twice the cut-off and a little", ErrOptions, o.Box)
	case !(o.Step > 0 && o.Step <= 2) || !(o.Length > 0) || !(o.Interval > 0) || o.Interval > o.Length:
		return fmt.Errorf("recipe: %w: a time step of %g fs (0 to 2), %g ps long, frames every %g ps", ErrOptions,
			o.Step, o.Length, o.Interval)
	}
	if n := math.Round(o.Length * 1000 / o.Step); o.Bias != "none" && math.Mod(n, 100) != 0 {
		return fmt.Errorf("recipe: %w: %g ps in steps of %g fs are %.0f steps; with a bias a multiple of 100, so "+
			"that its last grid is of the run's end", ErrOptions, o.Length, o.Step, n)
	}
	if n := o.Interval / o.Step * 1000; math.Abs(n-math.Round(n)) > 1e-6*n {
		return fmt.Errorf("recipe: %w: frames every %g ps are no whole number of steps of %g fs", ErrOptions,
			o.Interval, o.Step)
	}
	return nil
}

// run is a recipe at work.
type run struct {
	Options
	log     *os.File
	residue string // whose φ and ψ are biased
	others  int    // residues that have both, too
}

// Run makes the data, or goes on where it was stopped. What GROMACS says goes to
// gmx.log in the folder. Errors: ErrOptions, ErrNoGMX, ErrNoPlumed, a folder made with other
// settings, a step of GROMACS that fails, with its last lines.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	gmx, err := exec.LookPath(o.GMX)
	if err != nil {
		return nil, fmt.Errorf("recipe: %w (%w)", ErrNoGMX, err)
	}
	if o.GMX, err = filepath.Abs(gmx); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	if o.Structure, err = filepath.Abs(o.Structure); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	r := &run{Options: o}
	if r.log, err = os.OpenFile(filepath.Join(o.Dir, "gmx.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND,
		0o644); err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	defer r.log.Close()
	result, err := r.all(ctx)
	if err != nil {
		return nil, fmt.Errorf("recipe: %s: %w", o.Dir, err)
	}
	return result, nil
}

func (r *run) all(ctx context.Context) (*Result, error) {
	if err := r.settings(); err != nil {
		return nil, err
	}
	version, err := r.version(ctx)
	if err != nil {
		return nil, err
	}
	if r.Bias == "plumed" {
		help, err := exec.CommandContext(ctx, r.GMX, "-quiet", "mdrun", "-h").CombinedOutput()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil || !bytes.Contains(help, []byte("-plumed")) {
			return nil, ErrNoPlumed
		}
	}
	for _, s := range r.plan() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := os.Stat(r.path(s.done)); err == nil {
			continue
		}
		if s.before != nil {
			if err := s.before(); err != nil {
				return nil, err
			}
		}
		if err := r.step(ctx, s); err != nil {
			return nil, err
		}
	}
	out := &Result{Trajectory: r.path("solute.trr"), Structure: r.path("solute.gro"), Version: version}
	if r.Bias != "none" {
		out.Variables = fmt.Sprintf("phi:%s,psi:%[1]s", r.residue)
	}
	switch r.Bias {
	case "awh":
		out.AWH = r.path("awh.xvg")
	case "plumed":
		out.Grid = r.path("bias.dat")
		if _, err := os.Stat(out.Grid); err != nil {
			return nil, fmt.Errorf("PLUMED wrote no grid of the bias (%w); gmx.log says more", err)
		}
	}
	return out, nil
}

func (r *run) path(name string) string { return filepath.Join(r.Dir, name) }

// step is one program of GROMACS.
type step struct {
	done   string // the file that says that it is
	args   []string
	input  string       // for the program's questions
	total  float64      // steps of dynamics, for the report
	before func() error // what is to be done first
	after  func() error // what makes done of what the program leaves
}

// plan lists the steps in their order.
func (r *run) plan() []step {
	edge := number(r.Box)
	md := []string{"mdrun", "-deffnm", "md", "-cpi", "md.cpt"}
	if r.Bias == "plumed" {
		md = append(md, "-plumed", "plumed.dat")
	}
	steps := []step{
		{done: "conf.gro", args: []string{"pdb2gmx", "-f", r.Structure, "-o", "conf.gro", "-p", "dry.top", "-ff",
			"amber99sb-ildn", "-water", "tip3p", "-ignh"}},
		{done: "box.gro", args: []string{"editconf", "-f", "conf.gro", "-o", "box.gro", "-c", "-box", edge, edge, edge},
			before: r.checkAtoms},
		{done: "solvated.gro", args: []string{"solvate", "-cp", "box.gro", "-cs", "spc216.gro", "-p", "topol.top", "-o",
			"solvated.gro"}, before: r.copyTopology},
		{done: "index.ndx", args: []string{"make_ndx", "-f", "solvated.gro", "-o", "index.ndx"}, input: r.index()},
		{done: "em.tpr", args: []string{"grompp", "-f", "em.mdp", "-c", "solvated.gro", "-p", "topol.top", "-o",
			"em.tpr"}},
		{done: "em.gro", args: []string{"mdrun", "-deffnm", "em"}, total: minimiseSteps},
		{done: "nvt.tpr", args: []string{"grompp", "-f", "nvt.mdp", "-c", "em.gro", "-p", "topol.top", "-o",
			"nvt.tpr"}},
		{done: "nvt.gro", args: []string{"mdrun", "-deffnm", "nvt", "-cpi", "nvt.cpt"}, total: r.equilibration()},
		{done: "md.tpr", args: []string{"grompp", "-f", "md.mdp", "-c", "nvt.gro", "-t", "nvt.cpt", "-p", "topol.top",
			"-n", "index.ndx", "-o", "md.tpr"}},
		{done: "md.gro", args: md, total: r.steps()},
	}
	raw := "md.trr"
	if r.Bias != "none" { // forces without the bias, from a run input that has none and writes those of every frame
		raw = "rerun.trr"
		steps = append(steps,
			step{done: "rerun.tpr", args: []string{"grompp", "-f", "rerun.mdp", "-c", "nvt.gro", "-p", "topol.top",
				"-o", "rerun.tpr"}},
			step{done: "rerun.done", args: []string{"mdrun", "-deffnm", "rerun", "-rerun", "md.trr"}, total: r.steps(),
				after: r.markRerun})
	}
	steps = append(steps,
		step{done: "solute.trr", args: []string{"trjconv", "-f", raw, "-s", "md.tpr", "-pbc", "mol", "-force", "yes",
			"-vel", "no", "-o", "solute.trr"}, input: "Protein\n"},
		step{done: "solute.gro", args: []string{"trjconv", "-f", raw, "-s", "md.tpr", "-pbc", "mol", "-dump", "0", "-o",
			"solute.gro"}, input: "Protein\n"})
	if r.Bias == "awh" {
		steps = append(steps, step{done: "awh.xvg",
			args: []string{"awh", "-f", "md.edr", "-s", "md.tpr", "-more", "-kt", "-b", number(r.Length), "-o",
				"awh.xvg"}, after: r.lastAWH})
	}
	return steps
}

// copyTopology gives solvate, which changes the topology, a copy to change.
func (r *run) copyTopology() error {
	text, err := os.ReadFile(r.path("dry.top"))
	if err != nil {
		return err
	}
	return keep.WriteFile(r.path("topol.top"), text)
}

// markRerun says that the rerun is done, which leaves no last frame.
func (r *run) markRerun() error { return keep.WriteFile(r.path("rerun.done"), nil) }

// index asks make_ndx for the atoms of φ and ψ as groups of their own, named
// as the file for AWH expects; -ignh and the force field fix their order.
func (r *run) index() string {
	var b strings.Builder
	for _, atom := range dihedralAtoms {
		fmt.Fprintf(&b, "a %d\n", atom)
	}
	return b.String() + "q\n"
}

func (r *run) version(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, r.GMX, "-quiet", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%w (%w)", ErrNoGMX, err)
	}
	m := regexp.MustCompile(`GROMACS version:\s+(\S+)`).FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%w: %s is another program", ErrNoGMX, r.GMX)
	}
	return string(m[1]), nil
}

var mdrunStep = regexp.MustCompile(`(?:step|frame)\s+(\d+)`)

// step runs one program of GROMACS. What a program writes with -o gets its
// final name when the program has ended well; mdrun writes its .gro last.
func (r *run) step(ctx context.Context, s step) error {
	if r.Report != nil {
		r.Report(s.args[0], 0, s.total)
	}
	args, part := slices.Clone(s.args), ""
	if i := slices.Index(args, "-o"); i >= 0 && s.after == nil {
		part = "part_" + s.done
		args[i+1] = part
	}
	if args[0] == "mdrun" {
		args = append(args, "-v")
		if r.Threads > 0 {
			args = append(args, "-ntmpi", "1", "-ntomp", strconv.Itoa(r.Threads))
		}
	}
	fmt.Fprintf(r.log, "\n== %s %s\n", time.Now().Format(time.RFC3339), strings.Join(args, " "))
	last, err := r.gmx(ctx, s, args)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("gmx %s: %w; it said (all of it is in gmx.log):\n%s", strings.Join(args, " "), err,
			strings.Join(last, "\n"))
	case part != "":
		err = os.Rename(r.path(part), r.path(s.done))
	case s.after != nil:
		err = s.after()
	}
	if err == nil {
		_, err = os.Stat(r.path(s.done))
	}
	if err != nil {
		return fmt.Errorf("gmx %s made no %s (%w); gmx.log says more", args[0], s.done, err)
	}
	return nil
}

// gmx runs the program with these arguments, and returns the last lines that it said.
func (r *run) gmx(ctx context.Context, s step, args []string) (last []string, err error) {
	cmd := exec.CommandContext(ctx, r.GMX, append([]string{"-quiet", "-nobackup"}, args...)...)
	cmd.Dir = r.Dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // mdrun writes a checkpoint
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdin = strings.NewReader(s.input)
	cmd.Stdout = r.log
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	lines.Split(splitReturns)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if m := mdrunStep.FindStringSubmatch(line); m != nil && s.total > 0 {
			if n, err := strconv.ParseFloat(m[1], 64); err == nil && r.Report != nil {
				r.Report(args[0], n, s.total)
			}
			continue
		}
		if line != "" {
			fmt.Fprintln(r.log, line)
			last = append(last, line)
			last = last[max(0, len(last)-12):]
		}
	}
	io.Copy(io.Discard, pipe)
	return last, cmd.Wait()
}

// splitReturns cuts at line feeds and carriage returns.
func splitReturns(data []byte, end bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if end && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// lastAWH gives the grid of the latest time its plain name: gmx awh writes a file for every time.
func (r *run) lastAWH() error {
	names, err := filepath.Glob(filepath.Join(r.Dir, "awh_t*.xvg"))
	if err != nil {
		return err
	}
	best, at := "", math.Inf(-1)
	for _, name := range names {
		text := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "awh_t"), ".xvg")
		if t, err := strconv.ParseFloat(text, 64); err == nil && t > at {
			best, at = name, t
		}
	}
	if best == "" {
		return errors.New("gmx awh wrote no grid; gmx.log says more")
	}
	return os.Rename(best, filepath.Join(r.Dir, "awh.xvg"))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
