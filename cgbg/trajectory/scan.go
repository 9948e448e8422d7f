package trajectory

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cgbg-go/lab/data/gromacs"
)

// heads are trajectories whose frames can be passed over.
type heads interface{ NextHead(h *gromacs.Head) error }

// scan is what the heads of a trajectory's frames tell. Programs write positions,
// velocities and forces at intervals of their own, so that frames differ.
type scan struct {
	frames, withPositions, withForces int
	firstForces                       int // number of the first frame that has positions and forces
	forcesAlone                       int // frames with forces and no positions
	all                               clock
	plain, forced                     choice // of the frames asked for: those with positions, those with forces, too
}

// choice is some of the frames of a trajectory.
type choice struct {
	clock
	first, between int // number of the first one, and frames of the file from there to the next
}

func (c *choice) take(number int, h *gromacs.Head) {
	switch c.n {
	case 0:
		c.first = number
	case 1:
		c.between = number - c.first
	}
	c.add(number, h.Step, h.Time)
}

// read goes through all heads.
func (s *scan) read(ctx context.Context, im *importer, t heads) error {
	var h gromacs.Head
	for ; ; s.frames++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.NextHead(&h); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		s.all.add(s.frames, h.Step, h.Time)
		if !h.Positions {
			if h.Forces {
				s.forcesAlone++
			}
			continue
		}
		s.withPositions++
		if h.Forces {
			if s.withForces == 0 {
				s.firstForces = s.frames
			}
			s.withForces++
		}
		if im.keeps(s.frames) {
			s.plain.take(s.frames, &h)
			if h.Forces {
				s.forced.take(s.frames, &h)
			}
		}
	}
}

// course decides on forces, and on the time between frames.
func (im *importer) course(path string, s *scan) (course, error) {
	switch {
	case s.frames < 2:
		return course{}, fmt.Errorf("%d frames: a trajectory has at least two", s.frames)
	case s.withPositions == 0:
		return course{}, errors.New("its frames have no positions; write them: nstxout in the .mdp file, as often " +
			"as nstfout")
	case s.withForces > 1 && s.plain.n > 0 && s.forced.n == 0 && im.Map != Dihedrals:
		return course{}, fmt.Errorf("none of the frames kept (-skip %d -every %d) has forces, which %d of %d "+
			"frames have, the first of them frame %d: choose "+
			"others", im.Skip, im.Every, s.withForces, s.frames, s.firstForces)
	}
	im.timeless[path] = !s.all.known()
	c := course{forces: s.withForces > 1}
	kept := &s.plain
	if c.forces && im.Map != Dihedrals {
		kept = &s.forced
	}
	note, err := kept.check()
	if err != nil {
		if _, other := s.plain.check(); other == nil && kept == &s.forced {
			err = fmt.Errorf("of the frames with forces, which are %d of %d: %w", s.forced.n, s.plain.n, err)
		}
		return course{}, err
	}
	if note != "" && im.Dt == 0 {
		im.note("%s: %s", path, note)
	}
	if kept.n < 2 { // the file's own will do
		c.stride, err = s.all.set(im.Dt, 1)
		c.stride *= float64(im.Every)
	} else {
		c.stride, err = kept.set(im.Dt, kept.between)
		_, c.off = kept.dt()
	}
	if err != nil {
		return course{}, err
	}
	if kept.known() {
		c.start, c.last = kept.start, kept.last
	}
	im.tellForces(path, s, &c)
	if im.Dt == 0 && c.off > 0.01*c.stride {
		im.note("%s: the time between frames is known to %.2g ps only, as times about %s ps are kept coarsely: -dt "+
			"gives it exactly", path, c.off, decimal(kept.last))
	}
	return c, nil
}

// tellForces says which frames are taken where not all have positions and forces.
func (im *importer) tellForces(path string, s *scan, c *course) {
	switch {
	case im.Map == Dihedrals:
	case c.forces && s.forced.n < s.plain.n:
		im.note("%s: %d of %d frames have forces: these are taken, %g ps apart", path, s.forced.n, s.plain.n, c.stride)
	case !c.forces && s.withForces > 0:
		im.note("%s: %d of %d frames has forces, which are left out", path, s.withForces, s.frames)
	case !c.forces && s.forcesAlone > 0:
		im.note("%s: %d of %d frames have forces but no positions, which is of no use: write both in the same "+
			"frames (nstxout and nstfout in the .mdp file)", path, s.forcesAlone, s.frames)
	}
	if s.withPositions < s.frames && (!c.forces || s.forced.n == s.plain.n) {
		im.note("%s: %d of %d frames have positions: others are passed over; those taken are %g ps apart", path,
			s.withPositions, s.frames, c.stride)
	}
}
