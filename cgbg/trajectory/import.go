package trajectory

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

// Usage explains the import to users of the command line.
var Usage = `usage: go run ./cgbg/cmd/cgbg import [flags] -structure FILE -o FILE.arrow TRAJECTORY...

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

// KeyMap is where a file's description keeps the text of its map.
const KeyMap = "map"

// Dihedrals is the map to phi and psi of every residue, for references with many frames.
const Dihedrals = "dihedrals"

// Choices of -forces.
const (
	basicForces = "basic"
	leastNoise  = "least-noise"
	internal    = "internal"
)

// Options say what is imported, and how.
type Options struct {
	Trajectories []string
	Structure    string // GRO or PDB file with the names of the atoms
	Out          string // Arrow file to write
	Map          string // the beads: a name, or a file
	Forces       string // their projection: basic, least-noise or internal
	Constraints  string // bonds that the simulation held rigid: none or h-bonds
	System       string
	ForceField   string
	Temperature  float64 // K; 0: not known
	Dt           float64 // time between frames, ps, of formats that keep none; 0: theirs
	Every, Skip  int     // keeps every so many frames; leaves out the first of each trajectory
	Provenance   string  // what made the trajectories, before the command

	Weights       Weights
	Plumed        string  // input of PLUMED, which defines the biased variables
	BiasVariables string  // in the order of the file's
	BiasColumn    string  // of a COLVAR
	BiasFactor    float64 // of OpenMM's Metadynamics
	RBias         bool    // weigh by the bias at each frame's time less what all places share by then
	Start         float64 // time of the first frame where a trajectory keeps none, ps
	Biased        string  // how a simulation was biased whose frames get no weights
}

// NewOptions are the defaults.
func NewOptions() Options {
	return Options{Map: cgmap.CoreBeta, Forces: basicForces, Constraints: "none", Every: 1}
}

// Files are those that the options read.
func (o *Options) Files() []string {
	files := append([]string{o.Structure, o.Plumed}, o.Trajectories...)
	for _, w := range o.Weights {
		files = append(files, w.File)
	}
	if o.Weights.File("umbrella") != "" && len(o.Trajectories) == 0 {
		if windows, err := (&importer{Options: *o}).readWindows(); err == nil { // else the import says why
			files = append(files, windows...)
		}
	}
	if o.Map != Dihedrals && !slices.Contains(cgmap.Names, o.Map) {
		files = append(files, o.Map)
	}
	return slices.DeleteFunc(files, func(file string) bool { return file == "" })
}

// Imported tells of an import.
type Imported struct {
	Out           string
	Frames, Beads int
	Forces        bool     // whether the trajectories have them
	Dihedrals     bool     // the map is to phi and psi alone
	Noise         string   // of the forces
	Notes         []string // what the user should know of the result
}

// Print tells it to the user, a line each.
func (r *Imported) Print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d frames of %d beads\n", r.Out, r.Frames, r.Beads)
	if r.Noise != "" {
		fmt.Fprintln(w, r.Noise)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, note)
	}
	if !r.Forces && !r.Dihedrals {
		fmt.Fprintln(w, "there are no forces: a flow can be trained on them, a potential of mean force cannot")
	}
}

// importer is an import under way.
type importer struct {
	Options

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
	on            []*coordinate                     // of the source that was read last
	ownWeights    bool                              // whether NPZ files have log-weights
	pooled        []float64                         // log-weights of the windows' frames
	timeless      map[string]bool                   // trajectories whose frames all have one time
	number, kept  int                               // of the frame that is read, among all and those kept
	time          float64                           // its time, ps, or why it is not known
	timed         error
	lastTime      float64 // of the frame before
}

// Flags adds the options' to those of a command.
func (o *Options) Flags(fs *flag.FlagSet) {
	*o = NewOptions()
	fs.StringVar(&o.Map, "map", cgmap.CoreBeta, "the `beads`: "+strings.Join(cgmap.Names,
		", ")+", a file; or "+Dihedrals+", phi and psi alone (8 bytes a residue)")
	fs.StringVar(&o.Forces, "forces", basicForces, "`projection` of forces on beads: "+basicForces+", of "+
		"least coefficients: for a bead that is an atom, the force on it; or "+leastNoise+", with forces on other "+
		"atoms of its molecule (the 100 that the fewest bonds lead to, where it has more than 400) added so "+
		"that the noise is least; or "+internal+", along bonds, angles and torsions of beads that are "+
		"atoms, with what hangs on them moving along: least noisy of all, above all along torsions")
	fs.StringVar(&o.Constraints, "constraints", "none", "`bonds` that the simulation held rigid: none or h-bonds")
	fs.StringVar(&o.Structure, "structure", "", "GRO or PDB `file` with the names of the atoms, in the "+
		"trajectory's order")
	fs.StringVar(&o.Out, "o", "", "Arrow `file` to write")
	o.flags(fs)
	fs.StringVar(&o.System, "system", "", "`name` of the molecule, for the file's description")
	fs.StringVar(&o.ForceField, "forcefield", "", "`name` of the force field, for the file's description")
	fs.Float64Var(&o.Temperature, "temperature", 0, "of the simulation, `K`; models and weights need it")
	fs.Float64Var(&o.Dt, "dt", 0, "time between frames of the trajectory, `ps`: of formats that keep none (NPZ), "+
		"or in place of what a DCD file says; those of TRR and XTC must agree")
	fs.IntVar(&o.Every, "every", 1, "keep every `n`-th frame")
	fs.IntVar(&o.Skip, "skip", 0, "leave out the first `n` frames of each trajectory")
}

// Check looks at the options before any file is read, but for whether files are there. Errors: cli.ErrUsage, wrapped.
func (o *Options) Check() error {
	switch {
	case len(o.Trajectories) == 0 && o.Weights.File("umbrella") == "":
		return fmt.Errorf("%w: import takes the trajectories (-h explains)", cli.ErrUsage)
	case o.Structure == "" || o.Out == "":
		return fmt.Errorf("%w: import needs -structure FILE (.gro or .pdb) and -o FILE.arrow (-h explains)",
			cli.ErrUsage)
	case o.Every < 1:
		return fmt.Errorf("%w: -every %d: at least 1", cli.ErrUsage, o.Every)
	case o.Skip < 0:
		return fmt.Errorf("%w: -skip %d: at least 0", cli.ErrUsage, o.Skip)
	case !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0):
		return fmt.Errorf("%w: -temperature %g: a positive number of kelvin", cli.ErrUsage, o.Temperature)
	case !(o.Dt >= 0) || math.IsInf(o.Dt, 0):
		return fmt.Errorf("%w: -dt %g: a time in ps, not below 0", cli.ErrUsage, o.Dt)
	}
	return errors.Join(o.checkWords(), o.checkBias(len(o.Trajectories)))
}

// Import maps trajectories to beads, with their forces and weights, and writes them. Errors: those of Check; files that
// cannot be read rightly, with the cure; ctx.Err(), wrapped.
func Import(ctx context.Context, o Options) (*Imported, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	im := &importer{Options: o}
	if im.Weights.File("umbrella") != "" {
		var err error
		if im.Trajectories, err = im.readWindows(); err != nil {
			return nil, err
		}
	}
	if err := im.CheckPaths(); err != nil {
		return nil, err
	}
	n, err := im.run(ctx)
	if err != nil {
		return nil, err
	}
	return &Imported{Out: im.Out, Frames: n, Beads: len(im.meta.Beads), Forces: im.forces,
		Dihedrals: im.Map == Dihedrals,
		Noise:     im.noise, Notes: im.notes}, nil
}

// checkWords looks at the choices that come as words.
func (o *Options) checkWords() error {
	switch {
	case !slices.Contains([]string{basicForces, leastNoise, internal}, o.Forces):
		return fmt.Errorf("%w: -forces %s: %s, %s or %s", cli.ErrUsage, o.Forces, basicForces, leastNoise, internal)
	case o.Constraints != "none" && o.Constraints != "h-bonds":
		return fmt.Errorf("%w: -constraints %s: none or h-bonds", cli.ErrUsage, o.Constraints)
	case o.Map == Dihedrals || slices.Contains(cgmap.Names, o.Map):
		return nil
	}
	if info, err := os.Stat(o.Map); err != nil || info.IsDir() {
		return fmt.Errorf("%w: -map %s: %s, %s, or a file (-h explains), and there is no such file", cli.ErrUsage,
			o.Map, strings.Join(cgmap.Names, ", "), Dihedrals)
	}
	return nil
}

// CheckPaths verifies that no file the import reads is replaced, or is none.
func (o *Options) CheckPaths() error {
	if err := cli.CheckPaths([]string{o.Out}, o.Files()); err != nil {
		return err
	}
	for i, path := range o.Trajectories {
		if cli.CheckPaths([]string{path}, o.Trajectories[:i]) != nil {
			return fmt.Errorf("%s is given twice: its frames would count twice", path)
		}
	}
	return nil
}

func (im *importer) run(ctx context.Context) (frames int, err error) {
	im.ends, im.timeless = map[string]func(int) error{}, map[string]bool{}
	structure, err := gromacs.ReadStructure(im.Structure)
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
		im.note("%s: %s", im.Structure, text)
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
	if im.forces && im.Map != Dihedrals {
		if err := im.projectForces(ctx, structure); err != nil {
			return 0, err
		}
	}
	var names []string
	for _, path := range im.Trajectories {
		names = append(names, filepath.Base(path))
	}
	im.meta = data.Meta{System: im.System, Mapping: im.cg.Name, Beads: im.cg.Beads, Species: im.cg.Species, Dim: 3,
		Temperature: im.Temperature, ForceField: im.ForceField, Stride: stride, Generator: im.command(names),
		Source: strings.Join(names, ", "), SourceSHA: sum, Units: data.Molecular}
	if im.Temperature == 0 {
		im.note("the temperature is not known: models and weights need it (import -temperature K)")
	}
	if im.mapText != "" {
		im.meta.Extra = map[string]string{KeyMap: im.mapText}
	}
	if im.Map == Dihedrals {
		im.meta.Mapping = Dihedrals
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
	w, err := data.Create(im.Out, im.meta)
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
			strings.Join(im.Trajectories, ", "), im.Skip)
	}
	im.farNote()
	return w.Len(), w.Close()
}

// command is the command line that makes the file, with names in place of paths.
func (im *importer) command(names []string) string {
	text := im.Provenance + fmt.Sprintf("cgbg import -map %s -structure %s", filepath.Base(im.Map),
		filepath.Base(im.Structure))
	text += im.biasCommand()
	if im.Forces != basicForces {
		text += " -forces " + im.Forces
	}
	if im.Constraints != "none" {
		text += " -constraints " + im.Constraints
	}
	if im.Skip > 0 {
		text += fmt.Sprintf(" -skip %d", im.Skip)
	}
	text += fmt.Sprintf(" -every %d", im.Every)
	if im.Temperature > 0 {
		text += fmt.Sprintf(" -temperature %g", im.Temperature)
	}
	return text + " " + strings.Join(names, " ")
}
