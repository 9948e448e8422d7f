package study

import (
	"math"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/langevin"
)

// amounts is how much of everything a preset looks at.
type amounts struct {
	frames    int     // of a simulation whose forces are compared
	reference int     // frames of the simulation in figures, at most
	solved    int     // samples by every solver
	effective float64 // samples that Until draws at most
	replicas  int     // of Langevin dynamics on the potential
	langevin  langevin.Config
}

// limits are a generator's, by its preset.
func limits(g *cgbg.Generator) amounts {
	a := amounts{frames: math.MaxInt, reference: math.MaxInt, solved: math.MaxInt, effective: math.Inf(1),
		replicas: 256,
		// ps: 14 steps in the fastest vibration.
		langevin: langevin.Config{Dt: 0.002, Gamma: 2, Steps: 100_000, Stride: 50}}
	switch g.Settings.Preset {
	case "quick":
		a.replicas, a.langevin.Dt, a.langevin.Steps, a.langevin.Stride = 64, 0.003, 3000, 20
	case "small":
		a.frames, a.reference, a.solved, a.effective = 200, 200, g.Settings.Verified, 8
		a.replicas, a.langevin.Steps, a.langevin.Stride = 8, 60, 2
	}
	a.langevin.Seed = g.Settings.Seed
	return a
}
