package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

var importUsage = `usage: go run ./cgbg/cmd/cgbg import [flags] -structure FILE -o FILE.arrow TRAJECTORY...

Maps the frames of trajectories to beads and writes them, with their forces where there
are any, as Arrow frames. Trajectories follow each other in the order given:

  .trr   GROMACS, with forces          .xtc   GROMACS, compressed, without
  .npz   NumPy: R, F, box, species, U  .dcd   OpenMM, CHARMM, NAMD, LAMMPS, without

An NPZ file has the arrays

  R        [frames, atoms or beads, 3]   nm
  F        the same                      kJ/mol/nm
  box      [frames, 3, 3], or edges [frames, 3]; [3, 3] or [3] for all frames   nm
  species  [frames, beads], or [beads] for all frames; the map's numbers
  U, bias, logw, logq   [frames]         energies in kJ/mol, log-weight, log-density
  beads    [beads]                       names, which must be those of the map

of which R is needed, as "cgbg export" writes them. It keeps no times: -dt gives them. Frames in
another order of atoms or beads than the structure are refused where bonds show it.

A frame has the atoms of the structure, or the beads of a named map already. Molecules that
beads are made of are made whole where the periodic boundary broke them, by the bonds that
the structure shows: atoms closer than 1.3 times the sum of their covalent radii, in it or
its nearest images, metals and ions left out (a structure without a box takes that of the
first frame). Of several molecules the first stays where it is, and each other one comes to
the image whose centre is nearest to that of its neighbour in the structure. What is whole
keeps every digit, and what cannot be put together is refused. A water-free structure of the molecule alone is
enough for trajectories of the molecule alone. Forces must be free of any bias ("gmx mdrun
-rerun" without it). Without forces a flow can be trained, a potential cannot.

The beads are those of a named map (-map)

` + cgmap.NamedFormat() + `
  dihedrals       phi and psi of every residue of every chain that has both

or any weighted means of atoms, from a file:

  go run ./cgbg/cmd/cgbg import -map my.map -temperature 300 -structure ala2.gro -o ala2_my.arrow md.trr

` + cgmap.FileFormat + `
` + cgmap.NameFormat + `
Forces on such beads are projected so that they are unbiased (-forces).

` + biasUsage

// keyMap is where a file's description keeps the text of its map.
const keyMap = "map"

// dihedrals is the map to phi and psi of every residue, for references with many frames.
const dihedrals = "dihedrals"

// Choices of -forces.
const (
	basicForces = "basic"
	leastNoise  = "least-noise"
	internal    = "internal"
)

type importer struct {
	biasOptions
	mapping, structure, out string
	projection, constraints string
	provenance              string // what made the trajectories, before the command
	system, forceField      string
	temperature, dt         float64
	every, skip             int
	trajectories            []string

	cg        *cgmap.Map
	mapText   string        // of the file it came from, or ""
	pick      map[int][]int // of -map dihedrals: which beads of trajectories of so many are cg's
	atoms     int           // of the structure
	forceMap  *cgmap.Sparse // [beads, atoms]; nil for the force on the bead's own atom, or internal
	internal  *cgmap.InternalForces
	own       []int              // atoms that internal takes
	molecule  *cgmap.Molecule    // those that beads are of
	beads     *cgmap.Molecule    // of frames of beads; nil where those are means of atoms
	farBefore int                // what far counted of frames that are not written
	boxless   bool               // the structure's box was left out, as the first frame has none
	noise     string             // of the forces, for the report
	notes     []string           // what the user should know of the result; printed after it, a line each
	forces    bool               // whether the trajectories have them
	residues  []cgmap.Residue    // whose dihedrals are kept, by the beads of cg
	reference *gromacs.Structure // of -structure
	current   trajectory         // that is read
	meta      data.Meta

	input         *plumed.Input                     // of -plumed
	values        *colvar                           // of -colvar
	sources       []*source                         // of weights; none where nothing biased
	ends          map[string]func(frames int) error // what is checked when all frames were seen, by flags of sources
	biasSum       string                            // SHA-256 of the first source's file
	windows       []window                          // of -umbrella
	windowDegrees bool                              // whether their centres are in degrees
	windowOf      []int                             // window of each trajectory
	pooled        []float64                         // log-weights of the windows' frames
	timeless      map[string]bool                   // trajectories whose frames all have one time
	number, kept  int                               // of the frame that is read, among all and those kept
	time          float64                           // its time, ps, or why it is not known
	timed         error
	lastTime      float64 // of the frame before
}

// importCommand is `cgbg import`.
func importCommand(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("import", flag.ContinueOnError)
	var im importer
	fs.StringVar(&im.mapping, "map", cgmap.CoreBeta, "the `beads`: "+strings.Join(cgmap.Names,
		", ")+", a file; or "+dihedrals+", phi and psi alone (8 bytes a residue)")
	fs.StringVar(&im.projection, "forces", basicForces, "`projection` of forces on beads: "+basicForces+", of "+
		"least coefficients: for a bead that is an atom, the force on it; or "+leastNoise+", with forces on other "+
		"atoms of its molecule (the 100 that the fewest bonds lead to, where it has more than 400) added so "+
		"that the noise is least; or "+internal+", along bonds, angles and torsions of beads that are "+
		"atoms, with what hangs on them moving along: least noisy of all, above all along torsions")
	fs.StringVar(&im.constraints, "constraints", "none", "`bonds` that the simulation held rigid: none or h-bonds")
	fs.StringVar(&im.structure, "structure", "", "GRO or PDB `file` with the names of the atoms, in the "+
		"trajectory's order")
	fs.StringVar(&im.out, "o", "", "Arrow `file` to write")
	im.flags(fs)
	fs.StringVar(&im.system, "system", "", "`name` of the molecule, for the file's description")
	fs.StringVar(&im.forceField, "forcefield", "", "`name` of the force field, for the file's description")
	fs.Float64Var(&im.temperature, "temperature", 0, "of the simulation, `K`; models and weights need it")
	fs.Float64Var(&im.dt, "dt", 0, "time between frames of the trajectory, `ps`: of formats that keep none (NPZ), "+
		"or in place of what a DCD file says; those of TRR and XTC must agree")
	fs.IntVar(&im.every, "every", 1, "keep every `n`-th frame")
	fs.IntVar(&im.skip, "skip", 0, "leave out the first `n` frames of each trajectory")
	rest, done, err := parse(fs, importUsage, args, stdout)
	switch {
	case err != nil || done:
		return err
	case len(rest) == 0 && im.umbrella == "":
		return fmt.Errorf("%w: import takes the trajectories (-h explains)", errUsage)
	case im.structure == "" || im.out == "":
		return fmt.Errorf("%w: import needs -structure FILE (.gro or .pdb) and -o FILE.arrow (-h explains)", errUsage)
	case im.every < 1:
		return fmt.Errorf("%w: -every %d: at least 1", errUsage, im.every)
	case im.skip < 0:
		return fmt.Errorf("%w: -skip %d: at least 0", errUsage, im.skip)
	case !(im.temperature >= 0) || math.IsInf(im.temperature, 0) || given(fs, "temperature") && im.temperature == 0:
		return fmt.Errorf("%w: -temperature %g: a positive number of kelvin", errUsage, im.temperature)
	case !(im.dt >= 0) || math.IsInf(im.dt, 0):
		return fmt.Errorf("%w: -dt %g: a time in ps, not below 0", errUsage, im.dt)
	}
	if err := errors.Join(im.check(), im.checkBias(len(rest))); err != nil {
		return err
	}
	im.trajectories = rest
	if im.umbrella != "" {
		if im.trajectories, err = im.readWindows(); err != nil {
			return err
		}
	}
	if err := im.checkPaths(); err != nil {
		return err
	}
	n, err := im.run(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d frames of %d beads\n", im.out, n, len(im.meta.Beads))
	if im.noise != "" {
		fmt.Fprintln(stdout, im.noise)
	}
	for _, note := range im.notes {
		fmt.Fprintln(stdout, note)
	}
	if !im.forces && im.mapping != dihedrals {
		fmt.Fprintln(stdout, "there are no forces: a flow can be trained on them, a potential of mean force cannot")
	}
	return nil
}

// given tells whether a flag stands in the command.
func given(fs *flag.FlagSet, name string) (found bool) {
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// check looks at the choices that come as words.
func (im *importer) check() error {
	switch {
	case !slices.Contains([]string{basicForces, leastNoise, internal}, im.projection):
		return fmt.Errorf("%w: -forces %s: %s, %s or %s", errUsage, im.projection, basicForces, leastNoise, internal)
	case im.constraints != "none" && im.constraints != "h-bonds":
		return fmt.Errorf("%w: -constraints %s: none or h-bonds", errUsage, im.constraints)
	case im.mapping == dihedrals || slices.Contains(cgmap.Names, im.mapping):
		return nil
	}
	if info, err := os.Stat(im.mapping); err != nil || info.IsDir() {
		return fmt.Errorf("%w: -map %s: %s, %s, or a file (-h explains), and there is no such file", errUsage,
			im.mapping, strings.Join(cgmap.Names, ", "), dihedrals)
	}
	return nil
}

// checkPaths verifies that no file it reads is replaced, or is none.
func (im *importer) checkPaths() error {
	inputs := append([]string{im.structure, im.plumed}, im.trajectories...)
	for _, name := range biasFlags {
		inputs = append(inputs, im.biasPath(name))
	}
	if im.mapping != dihedrals && !slices.Contains(cgmap.Names, im.mapping) {
		inputs = append(inputs, im.mapping)
	}
	if err := cli.CheckPaths([]string{im.out}, inputs); err != nil {
		return err
	}
	for i, path := range im.trajectories {
		if cli.CheckPaths([]string{path}, im.trajectories[:i]) != nil {
			return fmt.Errorf("%s is given twice: its frames would count twice", path)
		}
	}
	return nil
}

func (im *importer) run(ctx context.Context) (frames int, err error) {
	im.ends, im.timeless = map[string]func(int) error{}, map[string]bool{}
	structure, err := gromacs.ReadStructure(im.structure)
	if err != nil {
		return 0, err
	}
	all, err := im.readBonds(structure)
	if err != nil {
		return 0, err
	}
	if err := im.readMap(structure); err != nil {
		return 0, err
	}
	im.reference = structure
	for _, text := range structure.Notes {
		im.note("%s: %s", im.structure, text)
	}
	if err := im.readBias(structure); err != nil {
		return 0, err
	}
	stride, sum, err := im.survey(ctx)
	if err != nil {
		return 0, err
	}
	if err := im.readMolecule(all, structure); err != nil {
		return 0, err
	}
	if im.windows != nil {
		if err := im.solveUmbrella(ctx); err != nil {
			return 0, err
		}
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
	im.meta = data.Meta{System: im.system, Mapping: im.cg.Name, Beads: im.cg.Beads, Species: im.cg.Species, Dim: 3,
		Temperature: im.temperature, ForceField: im.forceField, Stride: stride, Generator: im.command(names),
		Source: strings.Join(names, ", "), SourceSHA: sum, Units: data.Molecular}
	if im.temperature == 0 {
		im.note("the temperature is not known: models and weights need it (import -temperature K)")
	}
	if im.mapText != "" {
		im.meta.Extra = map[string]string{keyMap: im.mapText}
	}
	if im.mapping == dihedrals {
		im.meta.Mapping = dihedrals
		im.meta.Beads, im.meta.Species, im.meta.Dim = nil, nil, 2
		for _, r := range im.residues {
			im.meta.Beads = append(im.meta.Beads, r.Name+":phi,psi")
		}
		im.meta.Extra = map[string]string{"R": "phi and psi of every residue, rad"}
	}
	if len(im.sources) > 0 {
		if im.biasSum, err = data.Checksum(ctx, im.sources[0].path); err != nil {
			return 0, err
		}
	}
	im.meta = im.describeBias(im.meta)
	w, err := data.Create(im.out, im.meta)
	if err != nil {
		return 0, err
	}
	defer w.Abort() // does nothing after Close
	im.farBefore = im.far()
	if err := im.write(ctx, w); err != nil {
		return 0, err
	}
	if w.Len() == 0 {
		return 0, fmt.Errorf("no frame is left of %s: -skip %d is as many as there are",
			strings.Join(im.trajectories, ", "), im.skip)
	}
	im.farNote()
	return w.Len(), w.Close()
}

// command is the command line that makes the file, with names in place of paths.
func (im *importer) command(names []string) string {
	text := im.provenance + fmt.Sprintf("cgbg import -map %s -structure %s", filepath.Base(im.mapping),
		filepath.Base(im.structure))
	text += im.biasCommand()
	if im.projection != basicForces {
		text += " -forces " + im.projection
	}
	if im.constraints != "none" {
		text += " -constraints " + im.constraints
	}
	if im.skip > 0 {
		text += fmt.Sprintf(" -skip %d", im.skip)
	}
	text += fmt.Sprintf(" -every %d", im.every)
	if im.temperature > 0 {
		text += fmt.Sprintf(" -temperature %g", im.temperature)
	}
	return text + " " + strings.Join(names, " ")
}
