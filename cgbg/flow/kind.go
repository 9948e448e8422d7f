package flow

import (
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/cgbg/kind"
	"github.com/gomlx/gomlx/core/tensors"
)

// Kind describes a kind of vector field: all that is to be known of it but its formula. See the package's comment for
// how to add one.
type Kind struct {
	Name  string
	About string // one line, for those who choose

	// Molecule says that it is of beads with three coordinates; else it is of one coordinate.
	Molecule bool

	// Sizes are the defaults. A size that is zero is one that the field does not have.
	// SmallSizes are of a network that shows in seconds that all runs; zeros stand for the defaults.
	Sizes, SmallSizes Sizes

	// WidthAlone says that the width may be given alone: the other sizes do for any. Otherwise they belong together.
	WidthAlone bool

	// Fit is the training that belongs to the field, as published where it was; Quick is one of minutes on two cores,
	// Small one of seconds. Seed, files and, of molecules, Beads are the caller's to set.
	Fit, Quick, Small Config

	sampling Accuracy // on a CPU, see SamplingAccuracy; zero: that of published fields
	form     *form    // in files; nil: none
	is       func(f Network) bool
	build    func(frames []float32, beads int, o Sizes) (Network, error) // o: all sizes that the field has
}

// Sizes of a vector field; zero stands for the kind's own.
type Sizes struct {
	Width     int // units of a layer, features of a bead
	Layers    int // or blocks
	Bins      int // of a spline
	Embed     int // features of a bead's identity
	Heads     int // of attention
	HeadWidth int // features of a head
	Inner     int // units inside a feed-forward block
	Time      int // units of the time's embedding
}

func (o *Sizes) list() []kind.Size {
	return []kind.Size{{Name: "width", N: &o.Width}, {Name: "layers", N: &o.Layers},
		{Name: "bins", N: &o.Bins}, {Name: "embed", N: &o.Embed},
		{Name: "heads", N: &o.Heads}, {Name: "head width", N: &o.HeadWidth}, {Name: "inner", N: &o.Inner},
		{Name: "time", N: &o.Time}}
}

// form is that of a kind's models in files. They have the parameters under their names, "param/<name>", and the
// standard deviation; the form says what else.
type form struct {
	// mark is an array that files of this kind have, and files of no other.
	mark string
	// write adds what the parameters' names and shapes do not tell; nil: they tell all.
	write func(f Network, arrays map[string]*tensors.Tensor)
	// read is the field that parameters of such names and shapes belong to; their values come later.
	// Error: train.ErrParams, wrapped, with the arrays that do not fit.
	read func(arrays map[string]*tensors.Tensor) (f Network, beads int, err error)
}

// kinds are all vector fields, each described beside its formula.
var kinds = []Kind{splineKind, graphTransformerKind, equivariantKind, perceptronKind}

// Fields lists the kinds of vector fields.
func Fields() []Kind { return slices.Clone(kinds) }

// FieldByName is the kind of that name. Error: there is none; it lists those that there are.
func FieldByName(name string) (Kind, error) {
	return kind.Find(kinds, func(k Kind) string { return k.Name }, "flow: no vector field", name)
}

// kindOf is the kind of a field; ok: there is one.
func kindOf(f Network) (k Kind, ok bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.is(f) })
	if i < 0 {
		return k, false
	}
	return kinds[i], true
}

// isA tells whether a field is of a Go type.
func isA[T Network](f Network) bool {
	_, ok := f.(T)
	return ok
}

// Kept tells whether models of the kind can be written to files.
func (k Kind) Kept() bool { return k.form != nil }

// Check tells, without frames, whether the sizes are such as the kind takes. Errors: a negative size; one that the
// field does not have; a width alone where sizes belong together.
func (k Kind) Check(o Sizes) error {
	_, err := k.fill(o)
	return err
}

func (k Kind) fill(o Sizes) (Sizes, error) {
	err := kind.Fill("flow: the field "+k.Name, o.list(), k.Sizes.list(), k.WidthAlone)
	return o, err
}

// New is a field of the kind for frames like these.
//
// frames: those to train on, [n, beads, 3], flattened, nm, whose distances a field may take the statistics of; with
// beads = 0 frames of one coordinate, [n]. o: sizes, see [Kind.Check] for its errors.
// Other errors: beads that the kind is not of; frames that are not of so many beads.
func (k Kind) New(frames []float32, beads int, o Sizes) (Network, error) {
	o, err := k.fill(o)
	switch {
	case err != nil:
		return nil, err
	case k.Molecule && beads < 1:
		return nil, fmt.Errorf("flow: the field %s is of beads in space, here are %d beads", k.Name, beads)
	case !k.Molecule && beads != 0:
		return nil, fmt.Errorf("flow: the field %s is of one coordinate, not of %d beads", k.Name, beads)
	}
	return k.build(frames, beads, o)
}
