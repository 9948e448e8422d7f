package trajectory

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/cli"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// coordinate is a variable that was biased: of atoms, or a column of values in time.
type coordinate struct {
	name   string // phi of ALA2; d
	kind   string // as package plumed has it; "" where it is not known
	atoms  []int  // of the structure; nil where it is not of atoms
	beads  []int  // of the map; nil where it has not all of them
	axis   int    // 0 to 2: of a distance's component; -1
	noPBC  bool
	length float64 // of the file's unit, nm

	column []float64 // of the COLVAR; nil where it has none
	times  *series
}

// biasFrame is a frame as those look at it that give its weight.
type biasFrame struct {
	r      []float32 // of all atoms, whole, or of beads
	box    *[9]float64
	time   float64 // ps
	timed  error   // why the time is not known
	number int     // among all frames of the trajectories
	kept   int     // among those that are kept
}

// degrees tells whether the coordinate is an angle, and is shown in degrees.
func (c *coordinate) degrees() bool { return c.kind == plumed.Torsion || c.kind == plumed.Angle }

// show is a value for messages.
func (c *coordinate) show(x float64) string {
	if c.degrees() {
		return fmt.Sprintf("%s = %.1f degrees", c.name, x*180/math.Pi)
	}
	return fmt.Sprintf("%s = %.4g", c.name, x)
}

// at is the value in a frame, rad, or in the file's unit of length.
func (c *coordinate) at(im *importer, f *biasFrame) (float64, error) {
	places := len(f.r) / 3
	switch {
	case c.atoms != nil && places == im.atoms:
		return c.of(f, c.atoms), nil
	case c.beads != nil && places == len(im.cg.Beads):
		return c.of(f, c.beads), nil
	case c.column != nil:
		row, err := c.times.row0(f)
		if err != nil {
			return 0, err
		}
		return c.column[row], nil
	}
	return 0, fmt.Errorf("its %d beads have no %s, which was biased: the weights need frames of atoms, or of beads "+
		"that have it", places, c.name)
}

// row0 is the row of a frame.
func (s *series) row0(f *biasFrame) (int, error) {
	if f.timed != nil {
		return 0, fmt.Errorf("%s is read by times: %w", s.path, f.timed)
	}
	return s.find(f.time)
}

// of computes the value from places of a frame.
func (c *coordinate) of(f *biasFrame, at []int) float64 {
	images := cgmap.NewImages(nil)
	if !c.noPBC {
		images = cgmap.NewImages(f.box)
	}
	way := func(i, j int) [3]float64 { return images.Between(f.r, at[i], at[j]) }
	switch c.kind {
	case plumed.Distance:
		d := way(0, 1)
		if c.axis >= 0 {
			return d[c.axis] / c.length
		}
		return norm(d) / c.length
	case plumed.Angle:
		last := len(at) - 1 // of three atoms the middle one is the corner; four are two pairs
		return between(way(1, 0), way(last-1, last))
	case plumed.Torsion:
		var p [4][3]float64
		for k := range 3 {
			p[k+1] = plus(p[k], way(k, k+1))
		}
		return observable.Dihedral(p[0], p[1], p[2], p[3])
	default: // plumed.Gyration: each atom at the image nearest to the one before it
		p := make([][3]float64, len(at))
		var centre [3]float64
		for k := range at {
			if k > 0 {
				p[k] = plus(p[k-1], way(k-1, k))
			}
			centre = plus(centre, p[k])
		}
		sum := 0.0
		for k := range at {
			for i := range 3 {
				d := p[k][i] - centre[i]/float64(len(at))
				sum += d * d
			}
		}
		return math.Sqrt(sum/float64(len(at))) / c.length
	}
}

func plus(a, b [3]float64) [3]float64 { return [3]float64{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }

func norm(a [3]float64) float64 { return math.Sqrt(a[0]*a[0] + a[1]*a[1] + a[2]*a[2]) }

// between is the angle of two ways, rad, in the form that is exact near 0 and π, too.
func between(a, b [3]float64) float64 {
	cross := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
	return math.Atan2(norm(cross), a[0]*b[0]+a[1]*b[1]+a[2]*b[2])
}

// values are those of all coordinates in a frame.
func values(im *importer, of []*coordinate, f *biasFrame) (x []float64, err error) {
	for _, c := range of {
		v, err := c.at(im, f)
		if err != nil {
			return nil, err
		}
		x = append(x, v)
	}
	return x, nil
}

// finder finds coordinates by their names: labels of the PLUMED input, phi and psi of residues, columns of the COLVAR.
type finder struct {
	im       *importer
	s        *gromacs.Structure
	backbone *cgmap.Map // nil where there is no phi and no psi
	residues []cgmap.Residue
	none     error // why there is none
}

func newFinder(im *importer, s *gromacs.Structure) *finder {
	f := &finder{im: im, s: s}
	if f.backbone, f.residues, f.none = cgmap.Dihedrals(s); f.none != nil {
		f.none = fmt.Errorf("%s: %w", im.Structure, f.none)
	}
	return f
}

// example is what could be given as -bias-variables.
func (f *finder) example() string {
	const flag, order = "-bias-variables", "or whichever they are, in the order of the file"
	switch {
	case f.none == nil:
		return fmt.Sprintf("%s \"phi:%s,psi:%[2]s\" %s", flag, f.residues[0].Name, order)
	case f.im.input != nil:
		return fmt.Sprintf("%s with labels of %s, %s", flag, f.im.Plumed, order)
	}
	return flag + " d1,d2 with -plumed plumed.dat, which says what these are"
}

// find returns the coordinates of a file, whose names are these; of AWH, which has none, they are empty.
func (f *finder) find(named []string) (out []*coordinate, err error) {
	names, given := named, f.im.variableNames()
	if given != nil {
		if len(given) != len(named) {
			const two = "two variables with a comma between"
			want := map[bool]string{true: two, false: fmt.Sprintf("%d, as the file has", len(named))}[len(named) == 2]
			return nil, fmt.Errorf("%w: -bias-variables %s: %s: %s", cli.ErrUsage, f.im.BiasVariables, want,
				f.example())
		}
		names = given
	}
	for k, name := range names {
		c, err := f.one(name, given != nil)
		if err != nil {
			return nil, err
		}
		if file, ok := readVariable(named[k]); given != nil && ok {
			if v, ok := readVariable(name); ok && v.kind != file.kind {
				return nil, fmt.Errorf("its variable %d is called %s and is a %s by -bias-variables %s: the order "+
					"is the file's", k+1, named[k], v.kind, f.im.BiasVariables)
			}
		}
		if j := slices.Index(named, name); given != nil && name != named[k] && j >= 0 && named[j] != "" {
			return nil, fmt.Errorf("its variable %d is called %s, and -bias-variables %s has %s there: the order "+
				"is the file's", k+1, named[k], f.im.BiasVariables, name)
		}
		for _, other := range out {
			if c.atoms != nil && other.kind == c.kind && other.axis == c.axis && slices.Equal(other.atoms, c.atoms) {
				return nil, errors.New("its two variables are the same dihedral or distance; -bias-variables says " +
					"which they are")
			}
		}
		out = append(out, c)
	}
	f.im.on = out
	return out, nil
}

// one finds a coordinate; given: by the user.
func (f *finder) one(name string, given bool) (*coordinate, error) {
	im := f.im
	if im.input != nil {
		if v, ok := im.input.Variables[name]; ok {
			return f.ofInput(v)
		}
	}
	v, dihedral := readVariable(name)
	column := im.column(name)
	switch {
	case dihedral && f.none == nil:
		k, err := v.among(f.residues)
		if err == nil {
			return f.ofResidue(v, f.residues[k]), nil
		}
		if column != nil {
			return column, nil
		}
		return nil, fmt.Errorf("%w; give %s", err, f.example())
	case column != nil:
		return column, nil
	case dihedral:
		return nil, f.none
	case given:
		return nil, fmt.Errorf("%w: -bias-variables %s: %q is not a dihedral such as phi:%s, nor a label of the "+
			"PLUMED input (-plumed FILE), nor a column of the COLVAR (-colvar FILE)",
			cli.ErrUsage, im.BiasVariables, name, f.residue())
	}
	return nil, fmt.Errorf("its variable %s has the name of no phi and no psi: if it is one, give %s; else the "+
		"PLUMED input that defines it (-plumed plumed.dat), or the COLVAR that has its values "+
		"(-colvar)", name, f.example())
}

// residue is the name of one, for messages.
func (f *finder) residue() string {
	if f.none != nil {
		return "ALA2"
	}
	return f.residues[0].Name
}

// ofResidue is phi or psi of a residue.
func (f *finder) ofResidue(v variable, r cgmap.Residue) *coordinate {
	c := &coordinate{name: v.kind + " of " + r.Name, kind: plumed.Torsion, axis: -1, length: 1}
	quad := r.Phi
	if v.kind == "psi" {
		quad = r.Psi
	}
	for _, i := range quad {
		c.atoms = append(c.atoms, f.backbone.Atoms[i])
	}
	c.beads = f.beads(c.atoms)
	return c
}

// beads are those of the map that are these atoms, nil where it has not all of them. Beads of a map from a file are not
// read.
func (f *finder) beads(atoms []int) (out []int) {
	for _, atom := range atoms {
		i := slices.Index(f.im.cg.Atoms, atom)
		if i < 0 || f.im.mapText != "" {
			return nil
		}
		out = append(out, i)
	}
	return out
}

// ofInput is a variable that the PLUMED input defines.
func (f *finder) ofInput(v plumed.Variable) (*coordinate, error) {
	if v.Why != "" {
		if c := f.im.column(v.Label); c != nil {
			return c, nil
		}
		return nil, fmt.Errorf("%s: %s is not computed here: %s; give the COLVAR that has its values (-colvar)",
			f.im.Plumed, v.Label, v.Why)
	}
	if v.Selector != "" {
		d, ok := readVariable(v.Selector)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: %s is of @%s, which is not read; @phi-2 and @psi-2 are", f.im.Plumed,
				v.Label, v.Selector)
		case f.none != nil:
			return nil, f.none
		}
		k, err := d.among(f.residues)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", f.im.Plumed, v.Label, err)
		}
		return f.ofResidue(d, f.residues[k]), nil
	}
	if last := slices.Max(v.Atoms); last >= len(f.s.Atoms) {
		return nil, fmt.Errorf("%s: %s is of atom %d, and the structure %s has %d: give the structure and "+
			"trajectory of all atoms that PLUMED knew",
			f.im.Plumed, v.Label, last+1, f.im.Structure, len(f.s.Atoms))
	}
	c := &coordinate{name: v.Label, kind: v.Kind, atoms: v.Atoms, axis: strings.Index("xyz", v.Component),
		noPBC: v.NoPBC, length: f.im.input.Length}
	if v.Component == "" {
		c.axis = -1
	}
	c.beads = f.beads(v.Atoms)
	return c, nil
}
