package cgbg

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/langevin"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/data"
)

// burnIn is the part of Langevin dynamics that is left out: one in so many.
const burnIn = 3

// Dynamics is Langevin dynamics on the learned potential.
type Dynamics struct {
	R        []float64 // after the burn-in, [replicas, frames, beads*3], nm
	Replicas int
	Frames   int // of each replica
}

// Dynamics runs Langevin dynamics on the learned potential at the temperature of
// the frames, or takes it up. Replicas start from frames at φ < 0 as the biased
// simulation visited them, far from equilibrium; they must find it by themselves.
// φ = 0 is seldom crossed in so short a time: see [Alanine.ReportDynamics].
// Errors: those of the potential, and of a replica that flies apart.
func (a *Alanine) Dynamics(ctx context.Context, progress Progress) (*Dynamics, error) {
	c := a.Settings.Langevin
	frames := c.Steps / c.Stride
	drop := frames / burnIn
	d := &Dynamics{Replicas: a.Settings.Replicas, Frames: frames - drop}
	u, _, err := a.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	sum, err := u.Sum()
	if err != nil {
		return nil, err
	}
	path, fingerprint := a.path("langevin.arrow"), a.fingerprint("dynamics", c, a.Settings.Replicas, sum)
	if kept, _, err := readFrames(path, fingerprint); err == nil {
		d.R = widened(kept.R)
		return d, nil
	}
	u.Single = true
	force := func(ctx context.Context, r []float64) ([]float64, error) {
		_, f, err := u.EnergyForce(ctx, r)
		return f, err
	}
	t, err := langevin.Run(ctx, force, a.starts(), c, progress)
	if err != nil {
		return nil, fmt.Errorf("cgbg: dynamics on the learned potential: %w", err)
	}
	width := a.Frames.Width()
	for i := range d.Replicas { // a replica's frames stand together, in blocks for errors
		for k := drop; k < frames; k++ {
			at := (k*d.Replicas + i) * width
			d.R = append(d.R, t.R[at:at+width]...)
		}
	}
	meta := a.Meta
	meta.Stride = c.Dt * float64(c.Stride)
	meta.Generator, meta.Extra = "cgbg: Langevin dynamics on a learned potential", map[string]string{keyFingerprint: fingerprint}
	return d, data.WriteFile(path, meta, &data.Frames{Beads: a.Frames.Beads, Dim: a.Frames.Dim, R: rounded(d.R)})
}

// starts draws frames at φ < 0, one of each replica.
func (a *Alanine) starts() []float64 {
	var left []int
	for i, phi := range observable.Dihedrals(a.Frames.R, a.Frames.Beads, a.residue.Phi) {
		if sideOf(phi) == 0 {
			left = append(left, i)
		}
	}
	rng := a.rng(5)
	frames := make([]int, a.Settings.Replicas)
	for k := range frames {
		frames[k] = left[rng.IntN(len(left))]
	}
	return a.centred(widened(positions(a.Frames, frames)))
}

// DynamicsReport says how far Langevin dynamics on the learned potential is from
// the reweighted simulation, given φ < 0: the other side has a weight that so
// short a dynamics does not find.
type DynamicsReport struct {
	Left      Scored
	Start     Scored  // of the biased simulation that the replicas start from
	Crossed   float64 // part of the frames at φ > 0
	WrongHand float64 // part of the frames of the other handedness
	N         int     // frames
}

// ReportDynamics scores the dynamics given φ < 0.
func (a *Alanine) ReportDynamics(ctx context.Context, progress Progress) (*DynamicsReport, error) {
	d, err := a.Dynamics(ctx, progress)
	if err != nil {
		return nil, err
	}
	simulation, err := a.Simulation()
	if err != nil {
		return nil, err
	}
	r := &DynamicsReport{N: d.Replicas * d.Frames}
	set := a.torus(d.R, nil, d.Frames)
	for _, phi := range set.Phi {
		r.Crossed += float64(sideOf(phi)) / float64(r.N)
	}
	for _, wrong := range a.shape.WrongHand(d.R, a.Frames.Beads) {
		if wrong {
			r.WrongHand += 1 / float64(r.N)
		}
	}
	biased := simulation
	biased.Weight = nil
	rng := a.rng(6)
	reference := left(simulation)
	if r.Left, err = scored(left(set), reference, rng); err == nil {
		r.Start, err = scored(left(biased), reference, rng)
	}
	return r, err
}

// left is a set given φ < 0.
func left(t observable.Torus) observable.Torus { return (&Dataset{Dihedrals: t}).left() }

// Results are the numbers under the names of results.json.
func (r *DynamicsReport) Results() []Result {
	return []Result{
		scoreResult("cb/langevin/js_phi_lt_0", r.Left.Scores.JS, r.Left.Floor.JS, "nats", r.N),
		scoreResult("cb/langevin/pmf_error_phi_lt_0", r.Left.Scores.PMFError, r.Left.Floor.PMFError, "", r.N),
		scoreResult("cb/langevin/start_js_phi_lt_0", r.Start.Scores.JS, r.Start.Floor.JS, "nats", r.N),
		scoreResult("cb/langevin/start_pmf_error_phi_lt_0", r.Start.Scores.PMFError, r.Start.Floor.PMFError, "", r.N),
		{"cb/langevin/phi_gt_0", r.Crossed, none, none, "", r.N},
		{"cb/langevin/wrong_handedness", r.WrongHand, none, none, "", r.N},
	}
}

// DynamicsFigure draws the free energies along φ and ψ given φ < 0: simulation,
// reweighted flow, and Langevin dynamics on the potential that the flow's weights are made of.
func (a *Alanine) DynamicsFigure(ctx context.Context) (figure.Picture, error) {
	d, err := a.Dynamics(ctx, nil)
	if err != nil {
		return figure.Picture{}, err
	}
	biased, simulation, samples, q, err := a.curves(ctx)
	if err != nil {
		return figure.Picture{}, err
	}
	return profiles(a.KT, q, a.rng(7), []angles{
		{"MD, biased: the start", figure.Biased, left(biased)},
		{"MD, reweighted", figure.Simulation, left(simulation)},
		{"flow, reweighted", figure.After, left(samples)},
		{"Langevin on the PMF", figure.Learned, left(a.torus(d.R, nil, d.Frames))},
	})
}
