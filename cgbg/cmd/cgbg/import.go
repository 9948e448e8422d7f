package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
	"github.com/cgbg-go/lab/data/plumed"
	"gonum.org/v1/gonum/mat"
)

const importUsage = `usage: go run ./cgbg/cmd/cgbg import [flags] -structure FILE -o FILE.arrow TRAJECTORY...

Maps the frames of trajectories to beads and writes them, with their forces where there
are any, as Arrow frames. Trajectories follow each other in the order given:

  .trr   GROMACS, with forces          .xtc   GROMACS, compressed, without
  .npz   NumPy: R, F, box, species, U  .dcd   OpenMM, CHARMM, NAMD, without

A frame has the atoms of the structure, or the beads of the map already. Molecules broken
by the periodic boundary are made whole. A water-free structure of the molecule alone is
enough for trajectories of the molecule alone. Forces must be free of any bias ("gmx mdrun
-rerun" without it). Without forces a flow can be trained, a potential cannot.

A simulation that was biased by AWH along phi and psi gets its weights from AWH's
final grid (gmx awh -more -kt): ln w = -"Coord bias", kept in the column logw.

  go run ./cgbg/cmd/cgbg import -map core-beta -structure ala2.gro -awh awh.xvg -every 2 -o ala2_cb.arrow awh.trr

One that was biased by metadynamics gets them from the final bias, a grid in PLUMED's
format (kJ/mol): ln w = V/kT. Leave out the frames of the time when it still grew fast.

  go run ./cgbg/cmd/cgbg import -map core-beta -structure ala2.gro -bias bias.dat -skip 2000 -o ala2_cb.arrow metad.trr

`

// dihedrals is the map to phi and psi of every residue, for references with many frames.
const dihedrals = "dihedrals"

// Choices of -forces.
const (
	basicForces = "basic"
	leastNoise  = "least-noise"
)

type importer struct {
	mapping, structure, out, awh, bias string
	projection, constraints            string
	provenance                         string // what made the trajectories, before the command
	system, forceField                 string
	temperature, dt                    float64
	every, skip                        int
	trajectories                       []string

	cg        *cgmap.Map
	forceMap  *mat.Dense // [beads, atoms]; nil for the force on the bead's own atom
	molecule  *cgmap.Molecule
	noise     string                                  // of the forces, for the report
	forces    bool                                    // whether the trajectories have them
	step      float64                                 // between frames of a trajectory, ps
	logWeight func(phi, psi float64) (float64, error) // nil where nothing biased
	residues  []cgmap.Residue                         // whose dihedrals are kept, or biased
	meta      data.Meta
}

// importCommand is `cgbg import`.
func importCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("import", flag.ContinueOnError)
	var im importer
	fs.StringVar(&im.mapping, "map", cgmap.CoreBeta, "the `beads`: "+strings.Join(cgmap.Names, ", ")+"; or "+dihedrals+", phi and psi alone (8 bytes a residue)")
	fs.StringVar(&im.projection, "forces", basicForces, "`projection` of forces on beads: "+basicForces+", that on the bead's own atom, or "+leastNoise+", with forces on other atoms added so that the noise is least")
	fs.StringVar(&im.constraints, "constraints", "none", "`bonds` that the simulation held rigid: none or h-bonds")
	fs.StringVar(&im.structure, "structure", "", "GRO or PDB `file` with the names of the atoms, in the trajectory's order")
	fs.StringVar(&im.out, "o", "", "Arrow `file` to write")
	fs.StringVar(&im.awh, "awh", "", "`file` with AWH's final grid, for the weights of a biased simulation")
	fs.StringVar(&im.bias, "bias", "", "`file` with the final bias of metadynamics on phi and psi, a PLUMED grid in kJ/mol, for the weights")
	fs.StringVar(&im.system, "system", "Ac-Ala-NHMe", "`name` of the molecule")
	fs.StringVar(&im.forceField, "forcefield", "amber99sb-ildn, TIP3P", "`name` of the force field")
	fs.Float64Var(&im.temperature, "temperature", 300, "of the simulation, `K`")
	fs.Float64Var(&im.dt, "dt", 0, "time between frames, `ps`, of a format that keeps none (NPZ)")
	fs.IntVar(&im.every, "every", 1, "keep every `n`-th frame")
	fs.IntVar(&im.skip, "skip", 0, "leave out the first `n` frames of each trajectory")
	rest, done, err := parse(fs, importUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) == 0:
		return fmt.Errorf("%w: import takes the trajectories (-h explains)", errUsage)
	case im.structure == "" || im.out == "":
		return fmt.Errorf("%w: import needs -structure FILE (.gro or .pdb) and -o FILE.arrow (-h explains)", errUsage)
	case im.every < 1:
		return fmt.Errorf("%w: -every %d: at least 1", errUsage, im.every)
	case im.skip < 0:
		return fmt.Errorf("%w: -skip %d: at least 0", errUsage, im.skip)
	case im.awh != "" && im.bias != "":
		return fmt.Errorf("%w: -awh and -bias: a simulation has one of them", errUsage)
	case !(im.temperature > 0) || math.IsInf(im.temperature, 0):
		return fmt.Errorf("%w: -temperature %g: a positive number of kelvin", errUsage, im.temperature)
	}
	if err := im.check(); err != nil {
		return err
	}
	im.trajectories = rest
	n, err := im.run(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d frames of %d beads\n", im.out, n, len(im.meta.Beads))
	if im.noise != "" {
		fmt.Fprintln(stdout, im.noise)
	}
	if !im.forces && im.mapping != dihedrals {
		fmt.Fprintln(stdout, "there are no forces: a flow can be trained on them, a potential of mean force cannot")
	}
	return nil
}

// check looks at the choices that come as words.
func (im *importer) check() error {
	switch {
	case im.projection != basicForces && im.projection != leastNoise:
		return fmt.Errorf("%w: -forces %s: %s or %s", errUsage, im.projection, basicForces, leastNoise)
	case im.constraints != "none" && im.constraints != "h-bonds":
		return fmt.Errorf("%w: -constraints %s: none or h-bonds", errUsage, im.constraints)
	case im.mapping != dihedrals && !slices.Contains(cgmap.Names, im.mapping):
		return fmt.Errorf("%w: -map %s: %s or %s", errUsage, im.mapping, strings.Join(cgmap.Names, ", "), dihedrals)
	}
	return nil
}

func (im *importer) run(ctx context.Context) (frames int, err error) {
	structure, err := gromacs.ReadStructure(im.structure)
	if err != nil {
		return 0, err
	}
	beads := im.mapping
	if beads == dihedrals {
		beads = cgmap.CoreBeta
	}
	if im.cg, err = cgmap.New(beads, structure); err != nil {
		return 0, fmt.Errorf("%s: %w", im.structure, err)
	}
	if im.molecule, err = cgmap.NewMolecule(structure); err != nil {
		return 0, fmt.Errorf("%s: %w", im.structure, err)
	}
	if err := im.readBias(); err != nil {
		return 0, err
	}
	stride, sum, err := im.survey(ctx)
	if err != nil {
		return 0, err
	}
	if im.forces && im.mapping != dihedrals {
		if err := im.projectForces(ctx, structure); err != nil {
			return 0, err
		}
	}
	var names []string
	for _, path := range im.trajectories {
		names = append(names, filepath.Base(path))
	}
	im.meta = data.Meta{System: im.system, Mapping: im.mapping, Beads: im.cg.Beads, Species: im.cg.Species, Dim: 3,
		Temperature: im.temperature, ForceField: im.forceField, Stride: stride, Generator: im.command(names),
		Source: strings.Join(names, ", "), SourceSHA: sum}
	if im.mapping == dihedrals {
		im.meta.Beads, im.meta.Species, im.meta.Dim = nil, nil, 2
		for _, r := range im.residues {
			im.meta.Beads = append(im.meta.Beads, r.Name+":phi,psi")
		}
		im.meta.Extra = map[string]string{"R": "phi and psi of every residue, rad"}
	}
	w, err := data.Create(im.out, im.meta)
	if err != nil {
		return 0, err
	}
	defer w.Abort() // does nothing after Close
	if err := im.write(ctx, w); err != nil {
		return 0, err
	}
	return w.Len(), w.Close()
}

// readBias sets logWeight where a bias is given, and residues where they are needed.
func (im *importer) readBias() (err error) {
	path := im.awh + im.bias
	switch {
	case im.awh != "":
		grid, err := gromacs.ReadAWH(im.awh)
		if err != nil {
			return err
		}
		im.logWeight = func(phi, psi float64) (float64, error) {
			bias, err := grid.CoordBias(phi, psi)
			return -bias, err
		}
	case im.bias != "":
		grid, err := plumed.ReadGrid(im.bias)
		if err != nil {
			return err
		}
		beta := 1 / units.KT(im.temperature)
		im.logWeight = func(phi, psi float64) (float64, error) {
			bias, err := grid.At(phi, psi)
			return bias * beta, err
		}
	default:
	}
	if im.mapping != dihedrals && im.logWeight == nil {
		return nil
	}
	if im.residues, err = cgmap.Backbone(im.cg.Beads); err != nil {
		return err
	}
	if im.logWeight != nil && len(im.residues) != 1 {
		return fmt.Errorf("%s: the bias is of one phi and psi, the molecule has %d", path, len(im.residues))
	}
	return nil
}

// projectForces sets forceMap, where beads take more than their own atom's force.
func (im *importer) projectForces(ctx context.Context, s *gromacs.Structure) (err error) {
	var rigid [][]int
	if im.constraints == "h-bonds" {
		rigid = im.molecule.HydrogenGroups(s)
	}
	if im.projection == basicForces {
		if rigid != nil {
			im.forceMap, err = cgmap.Basic(im.cg.Matrix(), rigid)
		}
		return err
	}
	var g cgmap.Gram
	for _, path := range im.trajectories {
		if err := im.frames(ctx, path, func(f *gromacs.Frame, _ *float64) error {
			if len(f.F) != 3*len(s.Atoms) {
				return fmt.Errorf("-forces %s needs the forces on all %d atoms of the structure, here are %d", leastNoise, len(s.Atoms), len(f.F)/3)
			}
			return g.Add(f.F)
		}); err != nil {
			return err
		}
	}
	basic, err := cgmap.Basic(im.cg.Matrix(), rigid)
	if err != nil {
		return err
	}
	if im.forceMap, err = g.LeastNoise(im.cg.Matrix(), rigid); err != nil {
		return err
	}
	im.noise = fmt.Sprintf("rms force component %.1f kJ/mol/nm, %.1f by the basic projection", cgmap.MeanRMS(g.RMS(im.forceMap)), cgmap.MeanRMS(g.RMS(basic)))
	return nil
}

// command is the command line that makes the file, with names in place of paths.
func (im *importer) command(names []string) string {
	text := im.provenance + fmt.Sprintf("cgbg import -map %s -structure %s", im.mapping, filepath.Base(im.structure))
	if im.awh != "" {
		text += " -awh " + filepath.Base(im.awh)
	}
	if im.bias != "" {
		text += " -bias " + filepath.Base(im.bias)
	}
	if im.projection != basicForces {
		text += " -forces " + im.projection
	}
	if im.constraints != "none" {
		text += " -constraints " + im.constraints
	}
	if im.skip > 0 {
		text += fmt.Sprintf(" -skip %d", im.skip)
	}
	return text + fmt.Sprintf(" -every %d -temperature %g %s", im.every, im.temperature, strings.Join(names, " "))
}

// survey looks at the beginning of every trajectory: the time between frames
// that are kept, and the SHA-256 of all files in their order.
func (im *importer) survey(ctx context.Context) (stride float64, sum string, err error) {
	h := sha256.New()
	for i, path := range im.trajectories {
		if err := hashFile(ctx, h, path); err != nil {
			return 0, "", err
		}
		step, forces, err := im.begin(path)
		if err != nil {
			return 0, "", err
		}
		switch {
		case i == 0:
			stride, im.forces = step, forces
		case math.Abs(step-stride) > 1e-4*stride:
			return 0, "", fmt.Errorf("%s: its frames are %g ps apart, those of %s %g ps; import it on its own", path, step, im.trajectories[0], stride)
		case forces != im.forces:
			return 0, "", fmt.Errorf("%s and %s: one has forces, the other has none; import them on their own", im.trajectories[0], path)
		}
	}
	// Times are in single precision in the file.
	if stride, err = strconv.ParseFloat(strconv.FormatFloat(stride, 'g', 6, 64), 64); err != nil {
		return 0, "", err
	}
	im.step = stride
	return math.Round(stride*float64(im.every)*1e6) / 1e6, fmt.Sprintf("%x", h.Sum(nil)), nil // 0.3, not 0.30000000000000004
}

func hashFile(ctx context.Context, h io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(h, file, 64<<20); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// begin reads two frames of a trajectory.
func (im *importer) begin(path string) (step float64, forces bool, err error) {
	t, err := openTrajectory(path)
	if err != nil {
		return 0, false, err
	}
	defer t.Close()
	var f gromacs.Frame
	var times [2]float64
	for n := range times {
		if err := t.Next(&f); errors.Is(err, io.EOF) {
			return 0, false, fmt.Errorf("%s: %d frames: a trajectory has at least two", path, n)
		} else if err != nil {
			return 0, false, err
		}
		times[n] = f.Time
	}
	if f.R == nil {
		return 0, false, fmt.Errorf("%s: frame 1 has no positions; write them: nstxout in the .mdp file, as often as nstfout", path)
	}
	if times[1] > times[0] {
		return times[1] - times[0], f.F != nil, nil
	}
	return im.dt, f.F != nil, nil // a format that keeps no time
}

// batchFrames are mapped before they are written.
const batchFrames = 1000

func (im *importer) write(ctx context.Context, w *data.Writer) error {
	batch := &data.Frames{Beads: len(im.meta.Beads), Dim: im.meta.Dim}
	flush := func() error {
		if batch.Len() == 0 {
			return nil
		}
		err := w.Append(batch)
		batch = &data.Frames{Beads: batch.Beads, Dim: batch.Dim}
		return err
	}
	for _, path := range im.trajectories {
		if err := im.frames(ctx, path, func(f *gromacs.Frame, energy *float64) error {
			if err := im.add(batch, f, energy); err != nil {
				return err
			}
			if batch.Len() < batchFrames {
				return nil
			}
			return flush()
		}); err != nil {
			return err
		}
	}
	return flush()
}

// frames calls add with the frames of a trajectory that are kept, and their
// energies where it has them.
func (im *importer) frames(ctx context.Context, path string, add func(f *gromacs.Frame, energy *float64) error) error {
	t, err := openTrajectory(path)
	if err != nil {
		return err
	}
	defer t.Close()
	var f gromacs.Frame
	var start float64
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.Next(&f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if n == 0 {
			start = f.Time
		}
		if err := im.checkFrame(n, &f, start); err != nil {
			return fmt.Errorf("%s: frame %d: %w", path, n, err)
		}
		if n < im.skip || (n-im.skip)%im.every != 0 {
			continue
		}
		var energy *float64
		if e, ok := t.(interface {
			HasEnergies() bool
			Energy() float64
		}); ok && e.HasEnergies() {
			v := e.Energy()
			energy = &v
		}
		if err := add(&f, energy); err != nil {
			return fmt.Errorf("%s: frame %d: %w", path, n, err)
		}
	}
}

// checkFrame compares a frame with what the first ones promised.
func (im *importer) checkFrame(n int, f *gromacs.Frame, start float64) error {
	if f.R == nil || (f.F != nil) != im.forces {
		return errors.New("it has no positions, or no forces where others have them; write both equally often: nstxout and nstfout in the .mdp file")
	}
	want := start + float64(n)*im.step
	// Times are in single precision in the file.
	if late := f.Time - want; f.Time != start && math.Abs(late) > 0.1*im.step+1e-6*math.Abs(want) {
		return fmt.Errorf("its time is %g ps where %g ps is expected: frames are missing or stand twice; gmx trjcat puts the parts of a run together", f.Time, want)
	}
	return nil
}

// add maps one frame.
func (im *importer) add(batch *data.Frames, f *gromacs.Frame, energy *float64) (err error) {
	r, forces := f.R, f.F
	if len(r) != 3*len(im.cg.Beads) { // or else the frames are of beads already
		if _, err := im.molecule.Whole(r, &f.Box); err != nil {
			return err
		}
		if r, err = im.cg.Apply(nil, r); err != nil {
			return err
		}
		if forces != nil && im.forceMap != nil {
			if forces, err = cgmap.ProjectForces(nil, im.forceMap, forces); err != nil {
				return err
			}
		} else if forces != nil && im.mapping != dihedrals {
			if forces, err = im.cg.Apply(nil, forces); err != nil {
				return err
			}
		}
	}
	var angles []float32
	for _, residue := range im.residues {
		phi, psi := observable.Dihedrals(r, len(im.cg.Beads), residue.Phi), observable.Dihedrals(r, len(im.cg.Beads), residue.Psi)
		angles = append(angles, float32(phi[0]), float32(psi[0]))
		if im.logWeight != nil {
			logW, err := im.logWeight(phi[0], psi[0])
			if err != nil {
				return err
			}
			batch.LogW = append(batch.LogW, logW)
		}
	}
	if im.mapping == dihedrals {
		batch.R = append(batch.R, angles...)
	} else {
		batch.R, batch.F = append(batch.R, r...), append(batch.F, forces...)
	}
	if energy != nil {
		batch.U = append(batch.U, *energy)
	}
	return nil
}

// trajectory yields frames; io.EOF after the last.
type trajectory interface {
	Next(f *gromacs.Frame) error
	Close() error
}

// openTrajectory opens a trajectory by the ending of its name.
func openTrajectory(path string) (t trajectory, err error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".trr":
		t, err = gromacs.OpenTRR(path)
	case ".xtc":
		t, err = gromacs.OpenXTC(path)
	case ".dcd":
		t, err = dcd.Open(path)
	case ".npz":
		t, err = npz.Open(path)
	default:
		return nil, fmt.Errorf("%s: a trajectory is a .trr, .xtc, .dcd or .npz file", path)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}
