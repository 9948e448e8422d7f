package pmf

import (
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/cgbg/kind"
	"github.com/gomlx/gomlx/core/tensors"
)

// Kind describes a kind of potential: all that is to be known of it but its formula. See the package's comment for how
// to add one.
type Kind struct {
	Name  string
	About string // one line, for those who choose

	// Molecule says that it is of beads with three coordinates; else it is of one coordinate.
	Molecule bool

	// Species says that it must be told the species of every bead.
	Species bool

	// Sizes are the defaults. A size that is zero is one that the potential does not have.
	// SmallSizes are of a network that shows in seconds that all runs; zeros stand for the defaults.
	Sizes, SmallSizes Sizes

	// WidthAlone says that the width may be given alone: the other sizes do for any. Otherwise they belong together.
	WidthAlone bool

	// Fit is the training that belongs to the potential, as published where it was; Quick is one of minutes on two
	// cores, Small one of seconds. Seed and files are the caller's to set.
	Fit, Quick, Small Config

	form  *form // in files; nil: none
	is    func(p Potential) bool
	build func(frames []float32, beads int, species []int, kT float64, o Sizes) (Potential, error) // o: all its sizes
}

// Sizes of a potential; zero stands for the kind's own.
type Sizes struct {
	Width       int // units of a layer, features of a bead
	Layers      int // or blocks, or interactions
	Centers     int // of radial basis functions
	Embed       int // features of a species' identity
	Radial      int // Bessel functions
	RadialWidth int // units of a layer of the radial network
	RadialDepth int // its layers
	Readout     int // units of the last network
	LMax        int // degree of harmonics
	LHidden     int // degree of the features between interactions
	Correlation int // order of the symmetric contraction
}

func (o *Sizes) list() []kind.Size {
	return []kind.Size{{Name: "width", N: &o.Width}, {Name: "layers", N: &o.Layers}, {Name: "centres", N: &o.Centers},
		{Name: "embed", N: &o.Embed}, {Name: "radial", N: &o.Radial}, {Name: "radial width", N: &o.RadialWidth},
		{Name: "radial depth", N: &o.RadialDepth}, {Name: "readout", N: &o.Readout}, {Name: "lmax", N: &o.LMax},
		{Name: "lhidden", N: &o.LHidden}, {Name: "correlation", N: &o.Correlation}}
}

// form is that of a kind's models in files. They have the parameters under their names, "param/<name>"; the form says
// what else.
type form struct {
	// mark is an array that files of this kind have, and files of no other.
	mark string
	// write adds what the parameters' names and shapes do not tell; nil: they tell all.
	write func(p Potential, arrays map[string]*tensors.Tensor)
	// read is the potential that parameters of such names and shapes belong to; their values come later.
	// Error: train.ErrParams or the kind's own, wrapped, with the arrays that do not fit.
	read func(arrays map[string]*tensors.Tensor) (Potential, error)
}

// kinds are all potentials, each described beside its formula.
var kinds = []Kind{maceKind, invariantKind, distancesKind, rbfKind}

// Potentials lists the kinds of potentials.
func Potentials() []Kind { return slices.Clone(kinds) }

// PotentialByName is the kind of that name. Error: there is none; it lists those that there are.
func PotentialByName(name string) (Kind, error) {
	return kind.Find(kinds, func(k Kind) string { return k.Name }, "pmf: no potential", name)
}

// kindOf is the kind of a potential; ok: there is one.
func kindOf(p Potential) (k Kind, ok bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.is(p) })
	if i < 0 {
		return k, false
	}
	return kinds[i], true
}

// isA tells whether a potential is of a Go type.
func isA[T Potential](p Potential) bool {
	_, ok := p.(T)
	return ok
}

// Kept tells whether models of the kind can be written to files.
func (k Kind) Kept() bool { return k.form != nil }

// Check tells, without frames, whether the sizes are such as the kind takes. Errors: a negative size; one that the
// potential does not have; a width alone where sizes belong together.
func (k Kind) Check(o Sizes) error {
	_, err := k.fill(o)
	return err
}

func (k Kind) fill(o Sizes) (Sizes, error) {
	err := kind.Fill("pmf: the potential "+k.Name, o.list(), k.Sizes.list(), k.WidthAlone)
	return o, err
}

// New is a potential of the kind for frames like these.
//
// frames: those to train on, [n, beads, 3], flattened, nm, whose distances a potential may take the statistics of; with
// beads = 0 frames of one coordinate, [n]. species: a code of each bead, [beads], alike for beads that are; nil for
// kinds that take none. kT in the unit of the energy, kJ/mol. o: sizes, see [Kind.Check] for its errors.
// Other errors: beads that the kind is not of; no species; frames that are not of so many beads, or do not vary.
func (k Kind) New(frames []float32, beads int, species []int, kT float64, o Sizes) (Potential, error) {
	o, err := k.fill(o)
	switch {
	case err != nil:
		return nil, err
	case k.Molecule && beads < 1:
		return nil, fmt.Errorf("pmf: the potential %s is of beads in space, here are %d beads", k.Name, beads)
	case !k.Molecule && beads != 0:
		return nil, fmt.Errorf("pmf: the potential %s is of one coordinate, not of %d beads", k.Name, beads)
	case k.Species && len(species) != beads:
		return nil, fmt.Errorf("pmf: the potential %s needs the species of every bead, here are %d of %d beads: "+
			"import the frames again, with a map that has them", k.Name, len(species), beads)
	}
	return k.build(frames, beads, species, kT, o)
}
