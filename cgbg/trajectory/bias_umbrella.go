package trajectory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// windowsFile is what -umbrella reads. What stands above the windows is of all that do not say otherwise.
type windowsFile struct {
	spring
	Degrees bool     `toml:"degrees"` // whether centres of angles are in degrees
	Window  []window `toml:"window"`
}

// spring is kappa/2·(x − centre)² on one variable, or the sum on two.
type spring struct {
	Variable  string    `toml:"variable"`
	Centre    *float64  `toml:"centre"`
	Kappa     *float64  `toml:"kappa"`
	Variables []string  `toml:"variables"`
	Centres   []float64 `toml:"centres"`
	Kappas    []float64 `toml:"kappas"`
}

// list brings the forms for one variable into those for two.
func (s *spring) list() {
	if s.Variable != "" {
		s.Variables = append([]string{s.Variable}, s.Variables...)
	}
	if s.Centre != nil {
		s.Centres = append([]float64{*s.Centre}, s.Centres...)
	}
	if s.Kappa != nil {
		s.Kappas = append([]float64{*s.Kappa}, s.Kappas...)
	}
}

// window is a simulation with springs.
type window struct {
	spring
	Trajectories []string `toml:"trajectories"`

	of []*coordinate
}

// readWindows reads the file of -umbrella, and returns the trajectories of all windows, in their order.
func (im *importer) readWindows() (trajectories []string, err error) {
	var w windowsFile
	meta, err := toml.DecodeFile(im.Weights.File("umbrella"), &w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", im.Weights.File("umbrella"), err)
	}
	if keys := meta.Undecoded(); len(keys) > 0 {
		return nil, fmt.Errorf("%s: the key %s is not known: trajectories, variable, centre and kappa, or "+
			"variables, centres and kappas of two, are; and degrees above all windows", im.Weights.File("umbrella"), keys[0])
	}
	if len(w.Window) < 2 {
		return nil, fmt.Errorf("%s: %d windows ([[window]]): at least two", im.Weights.File("umbrella"), len(w.Window))
	}
	w.list()
	for k := range w.Window {
		one := &w.Window[k]
		one.list()
		if one.Variables == nil {
			one.Variables = w.Variables
		}
		if one.Centres == nil {
			one.Centres = w.Centres
		}
		if one.Kappas == nil {
			one.Kappas = w.Kappas
		}
		n := len(one.Variables)
		switch {
		case n < 1 || n > 2 || len(one.Centres) != n || len(one.Kappas) != n:
			return nil, fmt.Errorf("%s: window %d has %d variables, %d centres and %d kappas: one of each, or two",
				im.Weights.File("umbrella"), k+1, n, len(one.Centres), len(one.Kappas))
		case len(one.Trajectories) == 0:
			return nil, fmt.Errorf("%s: window %d has no trajectories", im.Weights.File("umbrella"), k+1)
		}
		for i := range n {
			if !(one.Kappas[i] >= 0) || math.IsInf(one.Kappas[i], 0) || math.IsNaN(one.Centres[i]) ||
				math.IsInf(one.Centres[i], 0) {
				return nil, fmt.Errorf("%s: window %d: centre %g, kappa %g: a number, and one not below 0",
					im.Weights.File("umbrella"), k+1, one.Centres[i], one.Kappas[i])
			}
		}
		for _, path := range one.Trajectories {
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(im.Weights.File("umbrella")), path)
			}
			trajectories = append(trajectories, path)
			im.windowOf = append(im.windowOf, k)
		}
	}
	im.windows, im.windowDegrees = w.Window, w.Degrees
	return trajectories, nil
}

// readUmbrella finds the variables of the windows. Weights follow when all frames have been seen.
func (im *importer) readUmbrella(f *finder) (func(*biasFrame) (float64, error), error) {
	if _, err := im.beta(im.Weights.File("umbrella")); err != nil {
		return nil, err
	}
	for k := range im.windows {
		w := &im.windows[k]
		for i, name := range w.Variables {
			c, err := f.one(name, false)
			if err != nil {
				return nil, fmt.Errorf("window %d: %w", k+1, err)
			}
			if im.windowDegrees && c.degrees() {
				w.Centres[i] *= math.Pi / 180
			}
			if c.kind == plumed.Torsion && math.Abs(w.Centres[i]) > 2*math.Pi {
				return nil, fmt.Errorf("window %d: the centre of %s is %g rad: if it is in degrees, put degrees = "+
					"true above all windows", k+1, name, w.Centres[i])
			}
			w.of = append(w.of, c)
		}
	}
	im.noteVariables(f, im.windows[0].of)
	return func(f *biasFrame) (float64, error) { return im.pooled[f.kept], nil }, nil
}

// energy is that of the window's springs in a frame, in their unit.
func (w *window) energy(im *importer, f *biasFrame) (sum float64, err error) {
	x, err := values(im, w.of, f)
	if err != nil {
		return 0, err
	}
	for i, c := range w.of {
		d := x[i] - w.Centres[i]
		if c.kind == plumed.Torsion {
			d -= 2 * math.Pi * math.Round(d/(2*math.Pi))
		}
		sum += w.Kappas[i] / 2 * d * d
	}
	return sum, nil
}

// solveUmbrella goes through all frames of all windows, and finds their log-weights by MBAR.
func (im *importer) solveUmbrella(ctx context.Context) error {
	beta, err := im.beta(im.Weights.File("umbrella"))
	if err != nil {
		return err
	}
	u, n := make([][]float64, len(im.windows)), make([]int, len(im.windows))
	for i, path := range im.Trajectories {
		if err := im.frames(ctx, path, func(f *gromacs.Frame, _ *float64) error {
			if _, err := im.place(f); err != nil {
				return err
			}
			for k := range im.windows {
				e, err := im.windows[k].energy(im, &biasFrame{r: f.R, box: &f.Box})
				if err != nil {
					return err
				}
				u[k] = append(u[k], beta*e)
			}
			n[im.windowOf[i]]++
			return nil
		}); err != nil {
			return err
		}
	}
	f, logw, err := reweight.MBAR(u, n)
	if errors.Is(err, reweight.ErrOverlap) {
		return fmt.Errorf("%s: windows are counted from 0: %w", im.Weights.File("umbrella"), err)
	} else if err != nil {
		return fmt.Errorf("%s: %w", im.Weights.File("umbrella"), err)
	}
	im.pooled = logw
	return im.noteUmbrella(u, n, f)
}

// leastOverlap is the share that some neighbour should have in a window's samples, by Klimovich, Shirts and Mobley,
// doi 10.1007/s10822-015-9840-9.
const leastOverlap = 0.03

// noteUmbrella says what the windows know.
func (im *importer) noteUmbrella(u [][]float64, n []int, f []float64) error {
	errs, overlap, err := reweight.MBARErrors(u, n, f)
	if err != nil {
		return fmt.Errorf("%s: %w", im.Weights.File("umbrella"), err)
	}
	ess, err := reweight.ESS(im.pooled)
	if err != nil {
		return fmt.Errorf("%s: %w", im.Weights.File("umbrella"), err)
	}
	at, frames := 0, 0
	for k := range f {
		if errs[k] > errs[at] {
			at = k
		}
		frames += n[k]
	}
	im.note("MBAR of %d windows, %d frames: they count as %.0f; the free energy of window %d against the first is "+
		"%.2f ± %.2f kT, the least certain (frames taken as independent)",
		len(f), frames, ess*float64(frames), at+1, f[at], errs[at])
	var alone []string
	for k, row := range overlap {
		best := 0.0
		for j, v := range row {
			if j != k {
				best = max(best, v)
			}
		}
		if best < leastOverlap {
			alone = append(alone, fmt.Sprint(k+1))
		}
	}
	if alone != nil {
		im.note("windows %s share less than %g of their frames with any other: their weights against the others "+
			"are guesses; add windows between", strings.Join(alone, ", "), leastOverlap)
	}
	return nil
}
