package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/langevin"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// beadMass is the mass of a bead in Langevin dynamics, u: about that of an atom of C, N or O. Where beads are in
// equilibrium does not depend on it.
const beadMass = 12

// burnIn is the part of Langevin dynamics that is left out: one in so many.
const burnIn = 3

// Dynamics is Langevin dynamics on the learned potential.
type Dynamics struct {
	Set      *analysis.Set
	R        []float64 // after the burn-in, [replicas, frames, beads*3], nm
	Replicas int
	Frames   int // of each replica
}

// runDynamics runs Langevin dynamics on the potential of a kind of forces at the temperature of the frames, or takes it
// up. Replicas start from frames out of the question's split state as the flow's simulation visited them, far from
// equilibrium; they must find it by themselves. The state is seldom reached in so short a time: see [ReportDynamics].
// Errors: those of the potential, and of a replica that flies apart.
func runDynamics(ctx context.Context, g *cgbg.Generator, of string, progress cgbg.Progress) (*Dynamics, error) {
	limits := limits(g)
	c := limits.langevin
	frames := c.Steps / c.Stride
	drop := frames / burnIn
	d := &Dynamics{Replicas: limits.replicas, Frames: frames - drop}
	start, meta, err := g.FlowFrames[of]()
	if err != nil {
		return nil, err
	}
	u, err := g.OpenPMF(ctx, of, g.Name+": frames of the simulation", meta)
	if err != nil {
		return nil, err
	}
	defer u.Finalize()
	sum, err := u.Sum()
	if err != nil {
		return nil, err
	}
	c.KT, c.Mass = units.KT(meta.Temperature), slices.Repeat([]float64{beadMass}, start.Width())
	path := g.Path("langevin_" + of + ".arrow")
	fingerprint := keep.Fingerprint("dynamics", c, limits.replicas, sum, data.Sum(start, meta), g.Backend.Name)
	if kept, _, err := cgbg.ReadKept(path, fingerprint); err == nil {
		d.Set, err = askDynamics(g, d, kept, meta)
		return d, err
	}
	from, err := starts(g, start, meta, limits.replicas)
	if err != nil {
		return nil, err
	}
	force := func(ctx context.Context, r []float64) ([]float64, error) {
		_, f, err := u.EnergyForce(ctx, r)
		return f, err
	}
	t, err := langevin.Run(ctx, force, from, c, progress)
	if err != nil {
		return nil, fmt.Errorf("study: dynamics on the learned potential: %w", err)
	}
	width := start.Width()
	var r []float64
	for i := range d.Replicas { // a replica's frames stand together, in blocks for errors
		for k := drop; k < frames; k++ {
			at := (k*d.Replicas + i) * width
			r = append(r, t.R[at:at+width]...)
		}
	}
	about := meta
	about.Stride = c.Dt * float64(c.Stride)
	about.Generator, about.Extra = "cgbg: Langevin dynamics on a learned potential",
		map[string]string{cgbg.KeyFingerprint: fingerprint}
	made := &data.Frames{Beads: start.Beads, Dim: start.Dim, R: data.Rounded(r)}
	if err := data.WriteFile(path, about, made); err != nil {
		return nil, err
	}
	d.Set, err = askDynamics(g, d, made, meta)
	return d, err
}

// askDynamics asks the generator's question of the dynamics' frames.
func askDynamics(g *cgbg.Generator, d *Dynamics, f *data.Frames, meta data.Meta) (*analysis.Set, error) {
	d.R = data.Widened(f.R)
	set, err := analysis.NewSet(g.Reference.Question, analysis.Options{Name: g.Name + "/langevin", Seed: g.Seed}, f,
		meta)
	if err != nil {
		return nil, err
	}
	set.Title, set.Block = "Langevin on the PMF", d.Frames
	return set, nil
}

// starts draws frames out of the split state, one of each replica, with their centres at the origin.
func starts(g *cgbg.Generator, f *data.Frames, meta data.Meta, replicas int) ([]float64, error) {
	set, err := analysis.NewSet(g.Reference.Question, analysis.Options{Name: g.Name, Seed: g.Seed}, f, meta)
	if err != nil {
		return nil, err
	}
	var out []int
	for i, in := range set.In[set.Question.Split.State] {
		if !in {
			out = append(out, i)
		}
	}
	rng := analysis.Rng(g.Seed, analysis.StreamStarts)
	frames := make([]int, replicas)
	for k := range frames {
		frames[k] = out[rng.IntN(len(out))]
	}
	r := data.Widened(f.Positions(frames))
	for frame := range slices.Chunk(r, f.Width()) {
		var centre [3]float64
		for i, v := range frame {
			centre[i%3] += v / float64(f.Beads)
		}
		for i := range frame {
			frame[i] -= centre[i%3]
		}
	}
	return r, nil
}

// DynamicsReport says how far Langevin dynamics on the learned potential is from the reweighted simulation, out of the
// split state: the state has a weight that so short a dynamics does not find.
type DynamicsReport struct {
	Name      string // before the names of results
	Dynamics  *Dynamics
	Out       analysis.Scored
	Start     analysis.Scored // of the biased simulation that the replicas start from
	Crossed   float64         // part of the frames in the split state
	WrongHand float64         // part of the frames of the other handedness
	N         int             // frames

	curves []analysis.Curve
	seed   int
}

// ReportDynamics scores the dynamics out of the split state.
func ReportDynamics(ctx context.Context, g *cgbg.Generator, of string,
	progress cgbg.Progress) (*DynamicsReport, error) {
	d, err := runDynamics(ctx, g, of, progress)
	if err != nil {
		return nil, err
	}
	e, err := g.Evaluate(ctx, of, of, nil)
	if err != nil {
		return nil, err
	}
	simulation := g.Reference.Outside()
	biased := *g.Reference
	biased.Weight = nil
	start := biased.Outside()
	r := &DynamicsReport{Name: g.Name + "/langevin", Dynamics: d, N: d.Replicas * d.Frames, seed: g.Seed}
	split := g.Reference.Question.Split
	for _, in := range d.Set.In[split.State] {
		if in {
			r.Crossed += 1 / float64(r.N)
		}
	}
	frames, _, err := g.FlowFrames[of]()
	if err != nil {
		return nil, err
	}
	for _, wrong := range topology.Of(frames).WrongHand(d.R, frames.Beads) {
		if wrong {
			r.WrongHand += 1 / float64(r.N)
		}
	}
	left := d.Set.Outside()
	if r.Out, err = analysis.Score(g.Seed, left, simulation); err == nil {
		r.Start, err = analysis.Score(g.Seed, start, simulation)
	}
	samples := e.Samples.Outside()
	start.Title = simulation.Title + ", biased: the start"
	r.curves = []analysis.Curve{{Set: start, Role: figure.Biased}, {Set: simulation, Role: figure.Simulation},
		{Set: samples, Role: figure.After}, {Set: left, Role: figure.Learned}}
	return r, err
}

// Results are the numbers under the names of results.json.
func (r *DynamicsReport) Results() []result.Result {
	split := r.Dynamics.Set.Question.Split
	list := append(r.Out.Results("", "_"+split.Out, r.N), r.Start.Results("start_", "_"+split.Out, r.N)...)
	list = append(list, result.New(split.In, r.Crossed, result.None, result.None, "", r.N),
		result.New("wrong_handedness", r.WrongHand, result.None, result.None, "", r.N))
	return result.Behind(r.Name, list)
}

// Figures draw the free energies along the variables, out of the split state: simulation, reweighted flow, and Langevin
// dynamics on the potential that the flow's weights are made of.
func (r *DynamicsReport) Figures() ([]result.Figure, error) {
	p, err := analysis.ProfileFigure(nil, 30, analysis.Rng(r.seed, analysis.StreamProfiles), r.curves...)
	return []result.Figure{p.Named("dynamics",
		"free energies along the variables out of the rare state: simulation with and "+
			"without its bias, reweighted flow, and Langevin dynamics on the potential")}, err
}
