package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/dcd"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/npz"
)

// survey looks at the beginning of every trajectory: the time between frames
// that are kept, and the SHA-256 of all files in their order.
func (im *importer) survey(ctx context.Context) (stride float64, sum string, err error) {
	if sum, err = data.Checksum(ctx, im.trajectories...); err != nil {
		return 0, "", err
	}
	for i, path := range im.trajectories {
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
	return math.Round(stride*float64(im.every)*1e6) / 1e6, sum, nil // 0.3, not 0.30000000000000004
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
