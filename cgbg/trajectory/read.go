package trajectory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

// survey goes through the heads of every trajectory: the time between frames
// that are kept, and the SHA-256 of all files in their order.
func (im *importer) survey(ctx context.Context) (stride float64, sum string, err error) {
	if sum, err = data.Checksum(ctx, im.Trajectories...); err != nil {
		return 0, "", err
	}
	var all, before course
	for i, path := range im.Trajectories {
		c, err := im.look(ctx, path)
		if err != nil {
			return 0, "", err
		}
		if before.last > 0 && c.start == before.last && im.windows == nil {
			return 0, "", fmt.Errorf("%s: it begins at %s ps, where %s ends: the frame stands twice; gmx trjcat "+
				"puts the parts of a run together", path, decimal(c.start), im.Trajectories[i-1])
		}
		if before.start < c.start && c.start < before.last && im.windows == nil {
			im.note("%s begins at %s ps, before %s ends (%s ps): if they are parts of one run, frames stand twice "+
				"(gmx trjcat puts parts together)", path, decimal(c.start), im.Trajectories[i-1], decimal(before.last))
		}
		before = c
		switch {
		case i == 0:
			all, im.forces = c, c.forces
			im.ownWeights = slices.Contains(strings.Split(c.columns, ", "), npz.KeyLogW)
		case c.forces != im.forces:
			return 0, "", fmt.Errorf("%s and %s: one has forces, the other has none; import them on their own",
				im.Trajectories[0], path)
		case c.columns != all.columns:
			return 0, "", fmt.Errorf("what the files have for their frames beside positions and forces differs: "+
				"%s: %s; %s: %s; import them on their own", im.Trajectories[0], cmp.Or(all.columns,
				"nothing"), path, cmp.Or(c.columns, "nothing"))
		case math.Abs(c.stride-all.stride) > 1e-4*all.stride+all.off+c.off:
			return 0, "", fmt.Errorf("%s: the frames kept are %g ps apart, those of %s %g ps (0: not known; -dt "+
				"says it); import it on its own", path, c.stride, im.Trajectories[0], all.stride)
		}
	}
	if all.stride == 0 {
		im.note("the time between frames is not known (-dt gives it): what depends on it, correlation times and " +
			"blocks of time, will count frames")
	}
	return math.Round(all.stride*1e6) / 1e6, sum, nil // 0.3, not 0.30000000000000004
}

// note adds a note, once.
func (im *importer) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(im.notes, text) {
		im.notes = append(im.notes, text)
	}
}

// course is what is known of a trajectory before its frames are read.
type course struct {
	start, last float64 // times of the first and the last frame that are kept, ps
	forces      bool    // whether the frames to keep have them
	columns     string  // what an NPZ file has for its frames beside positions and forces
	stride, off float64 // time between frames that are kept, and how far off it may be, ps; 0: not known
}

// look finds the course of a trajectory.
func (im *importer) look(ctx context.Context, path string) (c course, err error) {
	t, err := openTrajectory(path)
	if err != nil {
		return course{}, err
	}
	defer t.Close()
	if err := im.checkColumns(path, t); err != nil {
		return course{}, err
	}
	if h, ok := t.(heads); ok {
		var s scan
		if err := s.read(ctx, im, h); err != nil {
			return course{}, err
		}
		if c, err = im.course(path, &s); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return c, err
	}
	var f gromacs.Frame
	for n := range 2 {
		if err := t.Next(&f); errors.Is(err, io.EOF) {
			return course{}, fmt.Errorf("%s: %d frames: a trajectory has at least two", path, n)
		} else if err != nil {
			return course{}, err
		}
	}
	dt := im.Dt
	if d, ok := t.(interface{ Interval() (float64, string) }); ok {
		own, doubt := d.Interval()
		switch {
		case dt == 0:
			if dt = own; doubt != "" {
				im.note("%s: %s", path, doubt)
			}
		case doubt == "" && math.Abs(dt-own) > 1e-4*own:
			im.note("%s: its head says that frames are %.6g ps apart; -dt %g counts", path, own, dt)
		}
	}
	return course{forces: f.F != nil, columns: columns(t), stride: dt * float64(im.Every)}, nil
}

// keeps tells whether the n-th frame of a file, from 0, is one of those asked for.
func (im *importer) keeps(n int) bool { return n >= im.Skip && (n-im.Skip)%im.Every == 0 }

// frames calls add with the frames of a trajectory that are kept, and their
// energies where it has them.
func (im *importer) frames(ctx context.Context, path string, add func(f *gromacs.Frame, energy *float64) error) error {
	t, err := openTrajectory(path)
	if err != nil {
		return err
	}
	defer t.Close()
	im.current = t
	var f gromacs.Frame
	first := true
	for n := 0; ; n, im.number = n+1, im.number+1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.Next(&f); errors.Is(err, io.EOF) {
			if n <= im.Skip {
				im.note("%s: it has %d frames, which -skip leaves out", path, n)
			}
			if d, ok := t.(interface{ Note() string }); ok && d.Note() != "" {
				im.note("%s: %s", path, d.Note())
			}
			return nil
		} else if err != nil {
			return err
		}
		if !im.keeps(n) || f.R == nil || im.wantsForces() && f.F == nil {
			continue
		}
		if im.time, im.timed = im.timeOf(path, t, &f); im.timed == nil && im.time <= im.lastTime {
			im.timed = fmt.Errorf("its time, %s ps, is not after that of the frame before it", decimal(im.time))
		}
		im.lastTime = im.time
		if !im.forces {
			f.F = nil
		}
		if first {
			if err := im.checkFirst(&f, t); err != nil {
				return fmt.Errorf("%s: frame %d: %w", path, n, err)
			}
			first = false
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

// wantsForces tells whether frames without forces are passed over.
func (im *importer) wantsForces() bool { return im.forces && im.Map != Dihedrals }

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
