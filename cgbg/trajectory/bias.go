package trajectory

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// source is one way to the log-weights of frames. Of several the first one counts, and the others are compared with it.
type source struct {
	flag, path string
	on         []*coordinate // what the bias is on; none where that is not known
	weight     func(f *biasFrame) (float64, error)
	// after so many frames of the trajectories, kept or not; nil: there is nothing to check
	end func(frames int) error
	off []float64 // of sources behind the first: log-weight less the first one's, of every frame
}

// Weights are the files that log-weights come from, in the order in which they are taken: the first one counts.
type Weights []Weight

// Weight is a file that gives log-weights, and its kind, one of [Kinds].
type Weight struct{ Kind, File string }

// File is that of a kind; "" where there is none.
func (w Weights) File(kind string) string {
	for _, one := range w {
		if one.Kind == kind {
			return one.File
		}
	}
	return ""
}

// kinds are those that were given.
func (w Weights) kinds() (list []string) {
	for _, one := range w {
		list = append(list, one.Kind)
	}
	return list
}

// Kind is a way to know the bias of a simulation.
type Kind struct {
	Name  string // of its flag, and of its key in plans with _ for -
	About string // one line, for those who choose; `+`file` stands for what is given
	// read makes the weight of a frame; nil: the file has variables alone. See doc.go for how to add one.
	read func(im *importer, f *finder) (func(*biasFrame) (float64, error), error)
}

// kindTable is all ways to know the bias.
var kindTable = []Kind{
	{"awh", "`file` with AWH's final grid, for the weights of a biased simulation", (*importer).readAWH},
	{"bias", "`file` with the final bias, a PLUMED grid in kJ/mol, for the weights", (*importer).readGrid},
	{"hills", "`file` of metadynamics' hills (HILLS), whose sum at the end gives the weights", (*importer).readHills},
	{"colvar", "`file` of PLUMED's values in time (COLVAR): the bias of every frame for the weights, or the " +
		"biased variables", (*importer).readBiasColumn},
	{"openmm-bias", "`file.npy` with the bias of OpenMM's Metadynamics on its grid, kJ/mol, or its " +
		"getFreeEnergy() (-bias-factor)", (*importer).readOpenMM},
	{"logw", "`file` of log-weights, text or .npy: one for every frame of the trajectories, or two columns, time " +
		"(ps) and log-weight", (*importer).readLogW},
	{"umbrella", "`file` of umbrella windows and their trajectories (TOML), which are weighed by MBAR",
		(*importer).readUmbrella},
}

// Kinds are all ways to know the bias of a simulation.
func Kinds() []Kind { return slices.Clone(kindTable) }

// readBias sets the sources of weights where a bias is given.
func (im *importer) readBias(s *gromacs.Structure) (err error) {
	if im.Plumed != "" {
		if im.input, err = plumed.ReadInput(im.Plumed); err != nil {
			return err
		}
	}
	if im.Weights.File("colvar") != "" {
		if err := im.readColvar(); err != nil {
			return err
		}
	}
	f := newFinder(im, s)
	for _, given := range im.Weights {
		k := slices.IndexFunc(kindTable, func(k Kind) bool { return k.Name == given.Kind })
		if k < 0 {
			return fmt.Errorf("%w: there are no weights of kind %q", cli.ErrUsage, given.Kind)
		}
		path := given.File
		im.on = nil
		weight, err := kindTable[k].read(im, f)
		switch {
		case errors.Is(err, cli.ErrUsage):
			return err
		case err != nil && !strings.Contains(err.Error(), path):
			return fmt.Errorf("%s: %w", path, err)
		case err != nil:
			return err
		case weight == nil: // a COLVAR that has variables alone
			continue
		}
		im.sources = append(im.sources, &source{flag: given.Kind, path: path, on: im.on, weight: weight,
			end: im.ends[given.Kind]})
	}
	im.noteOthers()
	im.noteKelvin()
	return nil
}

// noteOthers tells of biases of the input that the weights may be without.
func (im *importer) noteOthers() {
	if im.input == nil || len(im.sources) == 0 || len(im.input.Biases) < 2 || im.sources[0].flag == "logw" {
		return
	}
	var names []string
	for _, b := range im.input.Biases {
		names = append(names, b.Label+" ("+b.Action+")")
	}
	im.note("%s has several biases, %s: the weights are of all of them only where %s has their sum (a COLVAR's "+
		"columns: -bias-column a.bias,b.bias)",
		im.Plumed, strings.Join(names, ", "), im.sources[0].path)
}

// noteKelvin tells of a temperature in the input that is another one.
func (im *importer) noteKelvin() {
	if im.input == nil {
		return
	}
	for _, b := range im.input.Biases {
		switch {
		case b.Temperature == 0 || math.Abs(b.Temperature-im.Temperature) < 0.5:
		case im.Temperature == 0:
			im.note("%s has TEMP=%g for %s: if the simulation was at that temperature, give -temperature %[2]g",
				im.Plumed, b.Temperature, b.Label)
		default:
			im.note("DOUBTFUL TEMPERATURE: %s has TEMP=%g for %s, and -temperature is %g: weights and kT are of the "+
				"latter; give that of the simulation's thermostat", im.Plumed, b.Temperature, b.Label, im.Temperature)
		}
	}
}

// beta is 1/kT, mol/kJ. Errors: there is no temperature.
func (im *importer) beta(path string) (float64, error) {
	if im.Temperature == 0 {
		return 0, fmt.Errorf("%w: %s is in kJ/mol: give -temperature K, of the simulation", cli.ErrUsage, path)
	}
	energy := 1.0
	if im.input != nil {
		energy = im.input.Energy
	}
	return energy / units.KT(im.Temperature), nil
}

// noteVariables says which variables a bias is on, where that is not plain.
func (im *importer) noteVariables(f *finder, of []*coordinate) {
	usual := func(c *coordinate) bool { return c.name == "phi of "+f.residue() || c.name == "psi of "+f.residue() }
	if f.none != nil || len(f.residues) > 1 || !slices.ContainsFunc(of, usual) {
		im.note("the weights are of a bias on %s", variableList(of))
	}
	for _, c := range of {
		no := func(atom int) bool { return !slices.Contains(im.cg.Atoms, atom) }
		if im.cg.Atoms != nil && im.Map != Dihedrals && slices.ContainsFunc(c.atoms, no) {
			im.note("%s is of atoms that are no beads: under a bias on it the mean forces on the beads are not "+
				"those without; "+
				"with weights alone they are", c.name)
		}
	}
}

// readAWH reads the final grid of AWH: ln w = -(Coord bias).
func (im *importer) readAWH(f *finder) (func(*biasFrame) (float64, error), error) {
	named := make([]string, 2)
	if names := im.variableNames(); names != nil {
		named = make([]string, len(names))
	} else if f.none == nil && len(f.residues) == 1 {
		im.BiasVariables = "phi,psi"
		defer func() { im.BiasVariables = "" }()
		im.note("%s names no coordinates; they are taken for phi of %s and psi of %[2]s, in this order "+
			"(-bias-variables)", im.Weights.File("awh"), f.residue())
	} else if f.none == nil {
		return nil, fmt.Errorf("it does not say which dihedrals it is on, and phi and psi are of %s: give %s",
			residueList(f.residues), f.example())
	} else {
		return nil, fmt.Errorf("it does not say which coordinates it is on: give %s", f.example())
	}
	of, err := f.find(named)
	if err != nil {
		return nil, err
	}
	var kinds []gromacs.Kind
	for _, c := range of {
		kind, ok := map[string]gromacs.Kind{plumed.Torsion: gromacs.Dihedral, plumed.Angle: gromacs.Angle,
			plumed.Distance: gromacs.Length,
			plumed.Gyration: gromacs.Length}[c.kind]
		if !ok {
			return nil, fmt.Errorf("%s is a column of %s, and of AWH it must be known whether it is an angle or a "+
				"length: define it in a PLUMED input (-plumed)", c.name, im.Weights.File("colvar"))
		}
		kinds = append(kinds, kind)
	}
	grid, err := gromacs.ReadAWH(im.Weights.File("awh"), kinds...)
	if err != nil {
		return nil, err
	}
	if _, ok := grid.Column["Coord bias"]; !ok {
		return nil, fmt.Errorf("%s: there is no column \"Coord bias\"; make the file with: gmx awh -more -kt",
			im.Weights.File("awh"))
	}
	scale := 1.0
	if !grid.KT {
		if im.Temperature == 0 {
			return nil, fmt.Errorf("%w: %s is in kJ/mol: give -temperature K, of the simulation, or make the file "+
				"with gmx awh -more -kt", cli.ErrUsage, im.Weights.File("awh"))
		}
		scale = 1 / units.KT(im.Temperature)
	}
	if im.BiasVariables != "phi,psi" || len(f.residues) > 1 {
		im.noteVariables(f, of)
	}
	return im.onGrid(of, im.Weights.File("awh"), func(x []float64) (float64, error) {
		bias, err := grid.CoordBias(x...)
		return -bias * scale, err
	}), nil
}

// readGrid reads the final bias V of metadynamics, a grid of PLUMED's: ln w = V/kT.
func (im *importer) readGrid(f *finder) (func(*biasFrame) (float64, error), error) {
	grid, err := plumed.ReadGrid(im.Weights.File("bias"))
	if err != nil {
		return nil, err
	}
	if grid.Stored > 1 {
		im.note("%s has %d grids; the last one counts", im.Weights.File("bias"), grid.Stored)
	}
	return im.ofGrid(f, grid, im.Weights.File("bias"))
}

// ofGrid gives weights by a grid.
func (im *importer) ofGrid(f *finder, grid *plumed.Grid, path string) (func(*biasFrame) (float64, error), error) {
	of, err := f.find(grid.Names)
	if err != nil {
		return nil, err
	}
	for k, c := range of {
		switch {
		case c.kind == plumed.Torsion:
			if err := grid.Dihedral(k); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		case c.kind != "" && grid.Periodic[k]:
			return nil, fmt.Errorf("its variable %s closes on itself, and %s is a %s, which does not", grid.Names[k],
				c.name, c.kind)
		}
	}
	beta, err := im.beta(path)
	if err != nil {
		return nil, err
	}
	im.noteVariables(f, of)
	return im.onGrid(of, path, func(x []float64) (float64, error) {
		bias, err := grid.At(x...)
		return bias * beta, err
	}), nil
}

// onGrid gives weights by a function of the variables, which may not be known everywhere.
func (im *importer) onGrid(of []*coordinate, path string, logW func(x []float64) (float64,
	error)) func(*biasFrame) (float64, error) {
	return func(f *biasFrame) (float64, error) {
		x, err := values(im, of, f)
		if err != nil {
			return 0, err
		}
		w, err := logW(x)
		if err != nil {
			var at []string
			for k, c := range of {
				at = append(at, c.show(x[k]))
			}
			return 0, fmt.Errorf("%s, at %s: %w; a frame has a weight only where the bias is known: is this the "+
				"grid of this simulation, of these variables?",
				path, strings.Join(at, " and "), err)
		}
		return w, nil
	}
}

// weigh returns the frame's dihedrals, φ and ψ of every residue, for the map to dihedrals, and adds its
// weight where there was a bias. r: positions of the beads; f: of all atoms, whole, or of beads.
func (im *importer) weigh(batch *data.Frames, r []float32, f *biasFrame) (angles []float32, err error) {
	for _, residue := range im.residues {
		phi, psi := observable.Dihedrals(r, len(r)/3, residue.Phi), observable.Dihedrals(r, len(r)/3, residue.Psi)
		angles = append(angles, float32(phi[0]), float32(psi[0]))
	}
	first := 0.0
	for k, s := range im.sources {
		w, err := s.weight(f)
		switch {
		case err != nil:
			return nil, err
		case math.IsNaN(w) || math.IsInf(w, 0):
			return nil, fmt.Errorf("%s: its log-weight is %g", s.path, w)
		case k == 0:
			batch.LogW = append(batch.LogW, w)
			first = w
		default:
			s.off = append(s.off, w-first)
		}
	}
	return angles, nil
}
