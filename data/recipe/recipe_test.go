package recipe

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cgbg-go/lab/data/gromacs"
)

func small(t *testing.T) Options {
	o := Defaults()
	o.Dir, o.Structure = t.TempDir(), "../ala2/ala2.pdb"
	o.Box, o.Step, o.Length, o.Interval, o.Threads = 2.3, 1, 20, 0.1, 2
	return o
}

// A run of 20 ps with AWH, stopped half-way and taken up again: frames at the
// right times, forces, a whole molecule, and AWH's grid.
func TestSmoke(t *testing.T) {
	if _, err := exec.LookPath("gmx"); err != nil {
		t.Skip("GROMACS is not installed: apt-get install gromacs")
	}
	if testing.Short() {
		t.Skip("runs molecular dynamics")
	}
	o := small(t)
	o.Bias = "awh"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Report = func(step string, done, _ float64) {
		if info, err := os.Stat(filepath.Join(o.Dir, "md.tpr")); err == nil && info != nil && step == "mdrun" &&
			done > 2000 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: got %v", err)
	}
	before, err := os.Stat(filepath.Join(o.Dir, "em.gro"))
	if err != nil {
		t.Fatal(err)
	}
	o.Report = nil
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(filepath.Join(o.Dir, "em.gro")); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("steps that were done were done again: %v", err)
	}
	trr, err := gromacs.OpenTRR(r.Trajectory)
	if err != nil {
		t.Fatal(err)
	}
	defer trr.Close()
	var f gromacs.Frame
	n := 0
	for ; ; n++ {
		if err := trr.Next(&f); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(f.R) != 66 || len(f.F) != 66 || math.Abs(f.Time-0.1*float64(n)) > 1e-4 {
			t.Fatalf("frame %d: %d positions, %d forces, %g ps", n, len(f.R), len(f.F), f.Time)
		}
	}
	if n != 201 {
		t.Errorf("got %d frames, want 201", n)
	}
	grid, err := gromacs.ReadAWH(r.AWH)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := grid.CoordBias(-1.4, 1); err != nil {
		t.Error(err)
	}
	start := time.Now()
	if _, err := Run(context.Background(), o); err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("a finished recipe: %v, after %v", err, time.Since(start))
	}
	o.Gamma = 4
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrOptions) ||
		!strings.Contains(err.Error(), "other settings") {
		t.Errorf("other settings in the same folder: got %v", err)
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"bias": func(o *Options) { o.Bias = "wish" }, "gamma": func(o *Options) { o.Bias, o.Gamma = "awh", 1 },
		"box": func(o *Options) { o.Box = 1 }, "step": func(o *Options) { o.Step = 0 },
		"interval": func(o *Options) { o.Interval = 0.0003 },
		"length":   func(o *Options) { o.Bias, o.Length = "awh", 20.05 },
	} {
		o := small(t)
		change(&o)
		if _, err := Run(context.Background(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	o := small(t)
	o.GMX = "no-such-gmx"
	if _, err := Run(context.Background(), o); !errors.Is(err, ErrNoGMX) {
		t.Errorf("no GROMACS: got %v", err)
	}
}
