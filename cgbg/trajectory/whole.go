package trajectory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data/gromacs"
)

// readBonds finds the structure's bonds and makes its molecules whole. Where it has no box, or one by which its bonds
// do not hold in the first frame, and may be torn, that frame tells: of the bonds to images by its box, and those in
// the frame itself, the ones that hold there and join the most atoms are taken.
func (im *importer) readBonds(s *gromacs.Structure) (*cgmap.Molecule, error) {
	first, err := im.firstFrame()
	if err != nil {
		return nil, err
	}
	whole := len(first.R) == len(s.R) // frames are of atoms
	try := func(r []float32, box [9]float64) (m *cgmap.Molecule, fits bool, err error) {
		image := *s
		image.R, image.Box = r, box
		if m, err = cgmap.NewMolecule(&image); err != nil || !whole {
			return m, false, err
		}
		f := gromacs.Frame{R: slices.Clone(first.R), Box: first.Box, OtherBox: first.OtherBox}
		_, torn := m.WholeFrame(&f)
		return m, torn == nil, nil
	}
	none := [9]float64{}
	best, here, err := try(s.R, s.Box)
	if !here && whole && s.Box != none {
		if m, fits, e := try(s.R, none); e == nil && fits {
			best, here, err, s.Box = m, true, nil, none
			im.boxless = first.Box == none
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", im.Structure, err)
	}
	better := func(r []float32, box [9]float64) {
		if m, fits, err := try(r, box); err == nil && len(m.Bonds()) > len(best.Bonds()) && fits == whole {
			best, s.Box = m, box
		}
	}
	if s.Box == none && here == whole {
		for _, box := range [][9]float64{first.Box, first.OtherBox} {
			if box != none {
				better(s.R, box)
			}
		}
		if whole {
			better(first.R, first.Box)
		}
	}
	s.R = best.Positions()
	return best, nil
}

// readMolecule sets molecule, of what beads are made of, and beads.
func (im *importer) readMolecule(all *cgmap.Molecule, s *gromacs.Structure) (err error) {
	if im.molecule, err = all.For(s, im.cg); err != nil && im.boxless {
		return fmt.Errorf("%s: %w; the structure has a box, the trajectory has none: keep it there, or make "+
			"molecules whole (gmx trjconv -pbc whole)", im.Structure, err)
	} else if err != nil {
		return fmt.Errorf("%s: %w", im.Structure, err)
	}
	if im.cg.Atoms != nil {
		if im.beads, err = all.OfBeads(im.cg); err != nil {
			return err
		}
	}
	return im.decide()
}

// surveyed frames are looked at to tell two readings of a unit cell apart.
const surveyed = 1000

// decide looks for a frame whose bonds tell how the boxes are to be read.
func (im *importer) decide() error {
	t, err := openTrajectory(im.Trajectories[0])
	if err != nil {
		return err
	}
	defer t.Close()
	var f gromacs.Frame
	for range surveyed {
		if err := t.Next(&f); err != nil || f.OtherBox == [9]float64{} {
			return nil // what is wrong with it is said when frames are written
		}
		m := im.molecule
		if im.ofBeads(&f) {
			m = im.beads
		}
		if _, err := m.WholeFrame(&f); err != nil {
			continue
		}
		if m.Decided() {
			return nil
		}
	}
	return nil
}

// firstFrame is the first frame of the first trajectory.
func (im *importer) firstFrame() (*gromacs.Frame, error) {
	t, err := openTrajectory(im.Trajectories[0])
	if err != nil {
		return nil, err
	}
	defer t.Close()
	var f gromacs.Frame
	if err := t.Next(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &f, nil
}

// ofBeads tells whether a frame is of the beads of a named map already.
func (im *importer) ofBeads(f *gromacs.Frame) bool {
	return len(f.R) == 3*len(im.cg.Beads) && im.mapText == "" && len(im.cg.Beads) != im.atoms && im.beads != nil
}

// far is the number of frames in which molecules were placed far apart.
func (im *importer) far() (n int) {
	for _, m := range []*cgmap.Molecule{im.molecule, im.beads} {
		if m != nil {
			n += m.Far()
		}
	}
	return n
}

// farNote says in how many frames molecules lie so far apart that their places beside each other are a choice.
func (im *importer) farNote() {
	if n := im.far() - im.farBefore; n > 0 {
		im.note("in %d frames molecules lie about half the box apart: each is at the nearest image beside its "+
			"neighbour, and another is almost as near", n)
	}
}

// projectForces sets forceMap, where beads take more than their own atom's force.
func (im *importer) projectForces(ctx context.Context, s *gromacs.Structure) (err error) {
	var rigid [][]int
	if im.Constraints == "h-bonds" {
		rigid = im.molecule.HydrogenGroups(s)
	}
	c := im.cg.Sparse()
	switch im.Forces {
	case internal:
		return im.learnInternal(ctx, s, rigid)
	case leastNoise:
		return im.learnLeastNoise(ctx, s, rigid)
	}
	if rigid != nil || im.cg.Atoms == nil {
		im.forceMap, err = c.Basic(rigid)
	}
	return err
}

// learnLeastNoise finds the least noisy linear map.
func (im *importer) learnLeastNoise(ctx context.Context, s *gromacs.Structure, rigid [][]int) error {
	learner, err := cgmap.NewLeastNoise(im.cg.Sparse(), im.molecule.Bonds(), rigid)
	if err != nil {
		return err
	}
	if err := im.allForces(ctx, s, func(f *gromacs.Frame) error { return learner.Add(f.F) }); err != nil {
		return err
	}
	if im.forceMap, err = learner.Map(ctx); err != nil {
		return err
	}
	im.noise = noiseLine(cgmap.MeanRMS(learner.RMS(im.forceMap)), cgmap.MeanRMS(learner.RMS(learner.Basic())))
	if n := learner.Few(); n > 0 {
		im.note("%d frames are too few to fit forces on all atoms around a bead: %d of %d beads take those of the "+
			"nearest atoms only; import more frames at once", learner.Frames(), n, len(im.cg.Beads))
	}
	return nil
}

// learnInternal finds forces along internal coordinates, of the molecule's own atoms.
func (im *importer) learnInternal(ctx context.Context, s *gromacs.Structure, rigid [][]int) error {
	m, bonds, held, err := im.molecule.Alone(im.cg, rigid)
	if err != nil {
		return err
	}
	im.own = im.molecule.Own()
	some := sample{most: max(1000, sampledNumbers/(3*len(im.own)))}
	if err := im.allForces(ctx, s, func(f *gromacs.Frame) error {
		if !some.wants() {
			return nil
		}
		if _, err := im.molecule.WholeFrame(f); err != nil {
			return err
		}
		some.add(gather(f.R, im.own), gather(f.F, im.own))
		return nil
	}); err != nil {
		return err
	}
	if im.internal, err = cgmap.LearnInternalContext(ctx, m, bonds, slices.Concat(some.r...), slices.Concat(some.f...),
		held); err != nil {
		return err
	}
	basic, err := m.Sparse().Basic(held)
	if err != nil {
		return err
	}
	im.noise, err = some.noise(im.internal, basic)
	return err
}

// gather are the numbers of some atoms, [atoms, 3].
func gather(x []float32, atoms []int) []float32 {
	out := make([]float32, 0, 3*len(atoms))
	for _, i := range atoms {
		out = append(out, x[3*i:3*i+3]...)
	}
	return out
}
