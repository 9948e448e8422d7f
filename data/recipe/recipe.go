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
	"strconv"
	"strings"
	"time"
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
		return fmt.Errorf("recipe: %w: a time step of %g fs (0 to 2), %g ps long, frames every %g ps", ErrOptions, o.Step, o.Length, o.Interval)
	}
	if n := o.Interval / o.Step * 1000; math.Abs(n-math.Round(n)) > 1e-6*n {
		return fmt.Errorf("recipe: %w: frames every %g ps are no whole number of steps of %g fs", ErrOptions, o.Interval, o.Step)
	}
	return nil
}

// run is a recipe at work.
type run struct {
	Options
	log *os.File
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
	if r.log, err = os.OpenFile(filepath.Join(o.Dir, "gmx.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
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
		if err != nil || !bytes.Contains(help, []byte("-plumed")) {
			return nil, ErrNoPlumed
		}
	}
	md := []string{"mdrun", "-deffnm", "md", "-cpi", "md.cpt"}
	if r.Bias == "plumed" {
		md = append(md, "-plumed", "plumed.dat")
	}
	raw := "md.trr"
	type step struct {
		done  string // the file that says so
		input string // for the program's questions
		steps float64
		args  []string
	}
	steps := []step{
		{"conf.gro", "", 0, []string{"pdb2gmx", "-f", r.Structure, "-o", "conf.gro", "-p", "dry.top", "-ff", "amber99sb-ildn", "-water", "tip3p", "-ignh"}},
		{"box.gro", "", 0, []string{"editconf", "-f", "conf.gro", "-o", "box.gro", "-c", "-box", number(r.Box), number(r.Box), number(r.Box)}},
		{"solvated.gro", "", 0, []string{"solvate", "-cp", "box.gro", "-cs", "spc216.gro", "-p", "topol.top", "-o", "solvated.gro"}},
		{"index.ndx", r.index(), 0, []string{"make_ndx", "-f", "solvated.gro", "-o", "index.ndx"}},
		{"em.tpr", "", 0, []string{"grompp", "-f", "em.mdp", "-c", "solvated.gro", "-p", "topol.top", "-o", "em.tpr"}},
		{"em.gro", "", minimiseSteps, []string{"mdrun", "-deffnm", "em"}},
		{"nvt.tpr", "", 0, []string{"grompp", "-f", "nvt.mdp", "-c", "em.gro", "-p", "topol.top", "-o", "nvt.tpr"}},
		{"nvt.gro", "", r.equilibration(), []string{"mdrun", "-deffnm", "nvt", "-cpi", "nvt.cpt"}},
		{"md.tpr", "", 0, []string{"grompp", "-f", "md.mdp", "-c", "nvt.gro", "-t", "nvt.cpt", "-p", "topol.top", "-n", "index.ndx", "-o", "md.tpr"}},
		{"md.gro", "", r.steps(), md},
	}
	if r.Bias == "awh" { // PLUMED's forces are not in the rerun either, since it runs without
		raw = "rerun.trr"
		steps = append(steps,
			step{"rerun.tpr", "", 0, []string{"grompp", "-f", "rerun.mdp", "-c", "nvt.gro", "-p", "topol.top", "-o", "rerun.tpr"}},
			step{"rerun.done", "", r.steps(), []string{"mdrun", "-deffnm", "rerun", "-rerun", "md.trr"}})
	} else if r.Bias == "plumed" {
		raw = "rerun.trr"
		steps = append(steps, step{"rerun.done", "", r.steps(), []string{"mdrun", "-s", "md.tpr", "-deffnm", "rerun", "-rerun", "md.trr"}})
	}
	steps = append(steps,
		step{"solute.trr", "Protein\n", 0, []string{"trjconv", "-f", raw, "-s", "md.tpr", "-pbc", "mol", "-force", "yes", "-vel", "no", "-o", "solute.trr"}},
		step{"solute.gro", "Protein\n", 0, []string{"trjconv", "-f", raw, "-s", "md.tpr", "-pbc", "mol", "-dump", "0", "-o", "solute.gro"}})
	out := &Result{Trajectory: filepath.Join(r.Dir, "solute.trr"), Structure: filepath.Join(r.Dir, "solute.gro"), Version: version}
	if r.Bias == "awh" {
		steps = append(steps, step{"awh.xvg", "", 0, []string{"awh", "-f", "md.edr", "-s", "md.tpr", "-more", "-kt", "-b", number(r.Length), "-o", "awh.xvg"}})
		out.AWH = filepath.Join(r.Dir, "awh.xvg")
	}
	if r.Bias == "plumed" {
		out.Grid = filepath.Join(r.Dir, "bias.dat")
	}
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(r.Dir, s.done)); err == nil {
			continue
		}
		if s.done == "solvated.gro" { // solvate changes the topology: let it change a copy
			text, err := os.ReadFile(filepath.Join(r.Dir, "dry.top"))
			if err == nil {
				err = os.WriteFile(filepath.Join(r.Dir, "topol.top"), text, 0o644)
			}
			if err != nil {
				return nil, err
			}
		}
		if err := r.step(ctx, s.done, s.input, s.steps, s.args); err != nil {
			return nil, err
		}
		if s.done == "awh.xvg" {
			if err := r.lastAWH(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// index asks make_ndx for the atoms of φ and ψ as groups of their own, named
// as the file for AWH expects; -ignh and the force field fix their order.
func (r *run) index() string {
	var b strings.Builder
	for _, atom := range dihedralAtoms {
		fmt.Fprintf(&b, "a %d\n", atom)
	}
	return b.String() + "q\n"
}

// dihedralAtoms of φ and ψ: C of ACE, N, CA, C of ALA, N of NME, from 1.
var dihedralAtoms = []int{5, 7, 9, 15, 17}

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

// step runs one program of GROMACS. Files whose presence says that a step is
// done are written under another name by the programs that could be stopped in the middle
// (mdrun writes its .gro last), or removed here when they fail.
func (r *run) step(ctx context.Context, done, input string, total float64, args []string) error {
	if r.Report != nil {
		r.Report(args[0], 0, total)
	}
	if args[0] == "mdrun" {
		args = append(args, "-v")
		if r.Threads > 0 {
			args = append(args, "-ntmpi", "1", "-ntomp", strconv.Itoa(r.Threads))
		}
	}
	fmt.Fprintf(r.log, "\n== %s %s\n", time.Now().Format(time.RFC3339), strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, r.GMX, append([]string{"-quiet", "-nobackup"}, args...)...)
	cmd.Dir = r.Dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // mdrun writes a checkpoint
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout = r.log
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var last []string
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	lines.Split(splitReturns)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if m := mdrunStep.FindStringSubmatch(line); m != nil && total > 0 {
			if n, err := strconv.ParseFloat(m[1], 64); err == nil && r.Report != nil {
				r.Report(args[0], n, total)
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
	err = cmd.Wait()
	path := filepath.Join(r.Dir, done)
	if ctx.Err() != nil || err != nil {
		if args[0] != "mdrun" {
			os.Remove(path)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("gmx %s: %w; it said (all of it is in gmx.log):\n%s", strings.Join(args, " "), err, strings.Join(last, "\n"))
	}
	switch {
	case done == "awh.xvg":
	case filepath.Ext(done) == ".done": // a rerun leaves no last frame
		return os.WriteFile(path, nil, 0o644)
	default:
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("gmx %s made no %s; gmx.log says more", args[0], done)
		}
	}
	return nil
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
