// Package langevin samples a potential by Langevin dynamics of many replicas at
// once. It knows forces only as a function, so that any potential will do.
//
// Units are those of the caller, as long as force × length = mass × length² /
// time² = kT: kJ/mol, nm, ps and u fit.
package langevin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// ErrRunaway reports a replica whose state stopped being finite.
var ErrRunaway = errors.New("state is not finite")

// Force is −∇U of n configurations, [n*dim], at r, [n*dim].
type Force func(ctx context.Context, r []float64) ([]float64, error)

// Config of the dynamics: the splitting "BAOAB" of B. Leimkuhler and
// C. Matthews, Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010.
// A step is half a kick, half a drift, friction and noise exactly, half a
// drift, half a kick, and one evaluation of the forces.
//
// In a harmonic well of frequency ω the variance of positions is exactly kT/k
// at every stable step, Dt·ω < 2, while that of velocities is
// kT/m·(1−(Dt·ω)²/4). Masses and friction do not change where positions are in equilibrium.
type Config struct {
	Dt     float64   // time of a step
	Gamma  float64   // friction, per time; 0: Newton's dynamics by velocity Verlet
	KT     float64   // thermal energy
	Mass   []float64 // of every component, [dim]
	Steps  int       // of each replica
	Stride int       // a frame is kept every Stride steps
	Seed   uint64    // every replica has a random stream of its own
}

// Trajectory holds the kept frames and where they ended.
type Trajectory struct {
	R      []float64 // [frames, replicas, dim]
	Frames int       // of each replica
	X, V   []float64 // position and velocity after the last step, [replicas, dim]
}

func (c Config) check(start []float64) error {
	for _, p := range []struct {
		name string
		v    float64
	}{{"Dt", c.Dt}, {"KT", c.KT}} {
		if !(p.v > 0) || math.IsInf(p.v, 0) {
			return fmt.Errorf("langevin: %s is %g, must be positive and finite", p.name, p.v)
		}
	}
	switch {
	case !(c.Gamma >= 0) || math.IsInf(c.Gamma, 0):
		return fmt.Errorf("langevin: Gamma is %g, must be at least 0 and finite", c.Gamma)
	case len(c.Mass) == 0 || !(slices.Min(c.Mass) > 0):
		return fmt.Errorf("langevin: masses %v: one of every component, all positive", c.Mass)
	case len(start) == 0 || len(start)%len(c.Mass) != 0:
		return fmt.Errorf("langevin: %d numbers are no configurations of %d components", len(start), len(c.Mass))
	case c.Stride < 1 || c.Steps < c.Stride:
		return fmt.Errorf("langevin: a frame of every %d of %d steps: need 1 ≤ Stride ≤ Steps", c.Stride, c.Steps)
	}
	return nil
}

// Run moves replicas from start, with velocities drawn at KT. The result is the
// same bits for the same Config, start and forces, whatever the other replicas do.
//
// start: [replicas*dim]. Errors: a Config that makes no sense; those of force;
// a state that is not finite, which wraps [ErrRunaway]; ctx's, wrapped.
func Run(ctx context.Context, force Force, start []float64, c Config,
	progress func(done, total int, note string)) (*Trajectory, error) {
	if err := c.check(start); err != nil {
		return nil, err
	}
	dim := len(c.Mass)
	n := len(start) / dim
	t := &Trajectory{X: slices.Clone(start), V: make([]float64, len(start)),
		R: make([]float64, 0, c.Steps/c.Stride*len(start))}
	noise := make([]*rand.Rand, n)
	thermal := make([]float64, dim) // standard deviation of velocities
	for k, m := range c.Mass {
		thermal[k] = math.Sqrt(c.KT / m)
	}
	for i := range noise {
		noise[i] = rand.New(rand.NewPCG(c.Seed, 0x6c616e67<<32|uint64(i)))
		for k := range dim {
			t.V[i*dim+k] = thermal[k] * noise[i].NormFloat64()
		}
	}
	f, err := force(ctx, t.X)
	if err != nil {
		return nil, fmt.Errorf("langevin: forces at the start: %w", err)
	}
	keep := math.Exp(-c.Gamma * c.Dt)           // of a velocity in a step
	fresh := math.Sqrt((1 - keep) * (1 + keep)) // of the noise
	for step := 1; step <= c.Steps; step++ {
		for i, rng := range noise {
			for k := range dim {
				j := i*dim + k
				v := t.V[j] + 0.5*c.Dt*f[j]/c.Mass[k]
				x := t.X[j] + 0.5*c.Dt*v
				v = keep*v + fresh*thermal[k]*rng.NormFloat64()
				t.X[j], t.V[j] = x+0.5*c.Dt*v, v
			}
		}
		if f, err = force(ctx, t.X); err != nil {
			return nil, fmt.Errorf("langevin: forces after step %d of %d: %w", step, c.Steps, err)
		}
		for j := range t.V {
			t.V[j] += 0.5 * c.Dt * f[j] / c.Mass[j%dim]
			if s := t.X[j] + t.V[j]; math.IsNaN(s) || math.IsInf(s, 0) {
				return nil, fmt.Errorf("langevin: replica %d: %w after step %d; use a smaller Dt, or a potential "+
					"that confines", j/dim, ErrRunaway, step)
			}
		}
		if step%c.Stride == 0 {
			t.R = append(t.R, t.X...)
			t.Frames++
		}
		if progress != nil {
			progress(step, c.Steps, "")
		}
	}
	return t, nil
}
