package mullerbrown

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// ErrRunaway reports a trajectory whose state stopped being finite.
var ErrRunaway = errors.New("state is not finite")

// burnInSteps is the default burn-in: six times the slowest relaxation time at dt = 0.1, γ = 0.1, which is that of the
// populations of the wells and was measured from their decay over 20,000 trajectories and the autocorrelation of the
// published set: 3.0e4 steps without the umbrella, 1.55e5 with it. (The umbrella flattens the free energy in x, but the
// channel between the wells turns in y at x near 29, and the deeper middle well is left more slowly.) It takes the
// excess population of the right well from 0.2 at the start to 3e-4.
const burnInSteps = 1_000_000

// Langevin is the dynamics of §B.1 (Eq. 34), by the update
//
//	v += dt·F/m - γ·v·dt + sqrt(2γkT/m)·sqrt(dt)·ξ,   x += v·dt
//
// started at positions uniform in [10, 50]² with velocities N(0, 0.1²). With Biased the umbrella V(x) acts, too; the
// forces that are kept are always those of u alone. Each trajectory has its own random stream, so that results depend
// on the fields below but not on Threads; on processors other than amd64 the compiler may fuse multiplications with
// additions, which changes the last bits.
//
// Accuracy: positions of this scheme (semi-implicit Euler) are wrong at order dt², velocities at order dt: in a
// harmonic well of curvature k, <x²> = kT/k·(1-γdt/2)/(1-γdt/2-k dt²/4m), <v²> = kT/m/(1-γdt/2-k dt²/4m). Against the
// exact marginal, -ln p(x) at dt = 0.2 is off by at most 0.004 kT (± 0.001) within the main well and -0.022 ± 0.012 kT
// from well to well (4·10^9 steps), hence by about 0.001 and 0.006 kT at the dt = 0.1 of §B.1. Velocities are 0.8 % too
// hot.
//
// Stability: from the corner (50, 50), where u is 1.5e3, dt = 0.1 is stable (no runaway in 2·10^5 starts) and dt = 0.3
// is not always. All quantities are in reduced units.
type Langevin struct {
	Dt, Mass, Gamma, KT float64
	Trajectories        int    // number of independent trajectories
	Steps               int    // steps of each after the burn-in
	Stride              int    // a frame is kept every Stride steps
	BurnIn              int    // steps thrown away before
	Biased              bool   // add the umbrella
	Seed                uint64 // any value
	Threads             int    // goroutines; 0: one per processor
}

// Default returns the settings of §B.1: dt 0.1, mass 1, γ 0.1, kT 1, 10 trajectories of 10^7 steps, a frame every 10.
// BurnIn is BurnInSteps.
func Default() Langevin {
	return Langevin{Dt: 0.1, Mass: 1, Gamma: 0.1, KT: KT, Trajectories: 10, Steps: 10_000_000, Stride: 10,
		BurnIn: burnInSteps, Seed: 1}
}

// Trajectories holds the frames of a run, one slice per trajectory, in time order.
type Trajectories struct {
	X, Y   [][]float32 // positions
	Fx, Fy [][]float32 // -∇u, without the bias
	Final  []State     // state after the last step
	Biased bool        // whether the umbrella acted
}

// State is a point of phase space.
type State struct{ X, Y, Vx, Vy float64 }

// Frames returns the number of frames in all trajectories.
func (t *Trajectories) Frames() int {
	n := 0
	for _, x := range t.X {
		n += len(x)
	}
	return n
}

// record receives the frames of one trajectory.
type record struct {
	x, y, fx, fy []float32
	n            int
}

func (r *record) add(l *lane) {
	n := r.n
	r.x[n], r.y[n], r.fx[n], r.fy[n] = float32(l.x), float32(l.y), float32(l.fx), float32(l.fy)
	r.n++
}

func (c Langevin) check() error {
	for _, p := range []struct {
		name string
		v    float64
	}{{"Dt", c.Dt}, {"Mass", c.Mass}, {"KT", c.KT}} {
		if !(p.v > 0) || math.IsInf(p.v, 0) {
			return fmt.Errorf("mullerbrown: %s is %g, must be positive and finite", p.name, p.v)
		}
	}
	if !(c.Gamma >= 0) || c.Gamma*c.Dt >= 1 {
		return fmt.Errorf("mullerbrown: Gamma is %g, must be at least 0 and below 1/Dt = %g", c.Gamma, 1/c.Dt)
	}
	if c.Trajectories < 1 || c.Stride < 1 || c.Steps < c.Stride || c.BurnIn < 0 || c.Threads < 0 {
		return fmt.Errorf("mullerbrown: need Trajectories ≥ 1, Stride ≥ 1, Steps ≥ Stride, BurnIn ≥ 0, Threads ≥ 0; "+
			"have %d, %d, %d, %d, %d",
			c.Trajectories, c.Stride, c.Steps, c.BurnIn, c.Threads)
	}
	return nil
}

// Run integrates all trajectories and returns Steps/Stride frames of each. progress, which may be nil, is told steps
// done and in all (from one goroutine at a time). A state that is not finite ends the run with an error that wraps
// ErrRunaway; when ctx ends, the run ends with its error.
func (c Langevin) Run(ctx context.Context, progress func(done, total int, note string)) (*Trajectories, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	frames := c.Steps / c.Stride
	out := &Trajectories{Final: make([]State, c.Trajectories), Biased: c.Biased}
	for range c.Trajectories {
		out.X = append(out.X, make([]float32, frames))
		out.Y = append(out.Y, make([]float32, frames))
		out.Fx = append(out.Fx, make([]float32, frames))
		out.Fy = append(out.Fy, make([]float32, frames))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{Langevin: c, tab: newTables(), out: out, progress: progress, total: c.Trajectories * (c.BurnIn + c.Steps)}
	r.work(ctx, cancel)
	if err := context.Cause(ctx); err != nil {
		if errors.Is(err, ErrRunaway) {
			return nil, err
		}
		return nil, fmt.Errorf("mullerbrown: Langevin dynamics: %w", err)
	}
	return out, nil
}

// run is the shared state of one Run.
type run struct {
	Langevin
	tab      *tables
	out      *Trajectories
	progress func(done, total int, note string)

	mu    sync.Mutex
	done  int
	total int
}

func (r *run) work(ctx context.Context, cancel context.CancelCauseFunc) {
	threads := r.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	group := min(maxLanes, max(1, (r.Trajectories+threads-1)/threads))
	first := make(chan int)
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			for i := range first {
				if err := r.group(ctx, i, min(i+group, r.Trajectories)); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < r.Trajectories; i += group {
		first <- i
	}
	close(first)
	wg.Wait()
}

// group integrates trajectories from ≤ i < to on the calling goroutine.
func (r *run) group(ctx context.Context, from, to int) error {
	lanes := make([]*lane, 0, maxLanes)
	for i := from; i < to; i++ {
		l := r.start(i)
		l.out = &record{x: r.out.X[i], y: r.out.Y[i], fx: r.out.Fx[i], fy: r.out.Fy[i]}
		lanes = append(lanes, l)
	}
	if err := r.steps(ctx, lanes, from, r.BurnIn, 0); err != nil {
		return err
	}
	if err := r.steps(ctx, lanes, from, r.Steps/r.Stride*r.Stride, r.Stride); err != nil {
		return err
	}
	for i, l := range lanes {
		r.out.Final[from+i] = State{l.x, l.y, l.vx, l.vy}
	}
	return nil
}

// start draws the first state of trajectory i.
func (r *run) start(i int) *lane {
	l := &lane{g: newRNG(r.Seed, uint64(i))}
	l.x = DomainLo + (DomainHi-DomainLo)*l.g.uniform()
	l.y = DomainLo + (DomainHi-DomainLo)*l.g.uniform()
	r.tab.normals(&l.g, l.noise[:2])
	l.vx, l.vy = 0.1*l.noise[0], 0.1*l.noise[1]
	l.fx, l.fy = r.tab.force(l.x, l.y)
	if r.Biased {
		l.fb = r.tab.biasForce(l.x)
	}
	return l
}

// steps advances the lanes n steps in blocks, checking ctx and the states now and then.
func (r *run) steps(ctx context.Context, lanes []*lane, first, n, stride int) error {
	const report = 1 << 16 // steps between two progress messages
	c := scheme{dt: r.Dt, kick: r.Dt / r.Mass, drag: r.Gamma * r.Dt,
		jolt: math.Sqrt(2*r.Gamma*r.KT/r.Mass) * math.Sqrt(r.Dt), biased: r.Biased}
	told := 0
	for step := 0; step < n; {
		m := min(blockSteps, n-step)
		for _, l := range lanes {
			r.tab.normals(&l.g, l.noise[:2*m])
		}
		r.tab.advance(lanes, c, m, step, stride)
		step += m
		for i, l := range lanes {
			if s := l.x + l.y + l.vx + l.vy; math.IsNaN(s) || math.IsInf(s, 0) {
				return fmt.Errorf("mullerbrown: trajectory %d (seed %d): %w near step %d; use a smaller Dt or "+
					"another Seed", first+i, r.Seed, ErrRunaway, step)
			}
		}
		if step-told >= report || step == n {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.tell((step - told) * len(lanes))
			told = step
		}
	}
	return nil
}

func (r *run) tell(steps int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += steps
	if r.progress != nil {
		r.progress(r.done, r.total, "Langevin steps")
	}
}
