package cgbg

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/gomlx/gomlx/core/graph"
)

// Refinement is what a flow's card tells of its training on a potential.
type Refinement struct {
	Potentials []string `json:"potentials"` // files
	SHA        string   `json:"potentials_sha256"`
	Steps      int      `json:"steps"`
	Seconds    float64  `json:"seconds"`
	Before     Fitness  `json:"before"`
	After      Fitness  `json:"after"`
	// Kept is whether the refined flow is the one in the file. It is if its weights are better, and frames held out of
	// both trainings as likely as before.
	Kept bool   `json:"kept"`
	Why  string `json:"why"`
}

// Fitness is how well a flow covers a potential and frames.
type Fitness struct {
	Samples    int    `json:"samples"` // fresh ones
	ESS        number `json:"ess"`     // of their weights, as a part of their number
	ESSError   number `json:"ess_error"`
	ESSClipped number `json:"ess_clipped"`
	KHat       number `json:"khat"`
	NLL        number `json:"nll"` // −ln q of frames held out, nats a frame
	NLLError   number `json:"nll_error"`
}

// number is null in JSON where it is none.
type number float64

// MarshalJSON implements json.Marshaler.
func (x number) MarshalJSON() ([]byte, error) {
	if v := float64(x); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *number) UnmarshalJSON(text []byte) error {
	v := math.NaN()
	if string(text) != "null" {
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
	}
	*x = number(v)
	return nil
}

// refinedSamples are those that a flow before and after its refinement is judged by.
const refinedSamples = 10_000

// refine trains a flow further on potentials of its beads, and returns the better of the two; the other is freed.
//
// kept, held: frames trained on and held out, [n, beads, 3]. Errors: those of the potentials and of
// [flow.Model.Refine].
func (t *training) refine(ctx context.Context, b *backend.Backend, m *flow.Model, kept, held []float32,
	o TrainOptions) (*flow.Model, error) {
	u, err := openPotentials(ctx, b, o.Refine, t.meta.Source, t.card)
	if err != nil {
		return nil, err
	}
	defer u.finalize()
	kT := units.KT(t.meta.Temperature)
	energy, err := u.graph(kT)
	if err != nil {
		return nil, err
	}
	r := &Refinement{SHA: u.sum}
	for _, file := range o.Refine {
		r.Potentials = append(r.Potentials, filepath.Base(file))
	}
	start := time.Now()
	cfg := t.settings.FlowRefine
	cfg.Checkpoint, cfg.Seed, cfg.CheckpointEvery = t.refineCheckpoint(), o.Seed, checkpointEvery
	cfg.Progress, cfg.Fingerprint = refining(o.Progress), u.sum
	refined, history, err := m.Refine(ctx, energy, kept, cfg)
	if err != nil {
		return nil, err
	}
	r.Seconds = time.Since(start).Seconds()
	if n := len(history.Step); n > 0 {
		r.Steps = history.Step[n-1]
	}
	judge := func(m *flow.Model) (f Fitness, l *flow.Likelihood, err error) {
		acc := flow.SamplingAccuracy(b.Name, m.Network)
		acc.Checks = -1
		s, err := m.Sample(ctx, refinedSamples, o.Seed+1, acc, nil)
		if err != nil {
			return f, nil, err
		}
		e, err := u.energy(ctx, s.R)
		if err != nil {
			return f, nil, err
		}
		logw := reweight.LogWeights(e, s.LogQ, kT, s.LogCOM)
		t.card.Geometry().Discard(logw, s.R)
		w := reweight.Summarize(logw)
		f = Fitness{Samples: refinedSamples, ESS: number(w.ESS), ESSError: number(w.ESSError),
			ESSClipped: number(w.ESSClipped), KHat: number(w.KHat)}
		if l, err = m.NegLogLikelihood(ctx, held, t.settings.HeldOut, o.Seed, acc, nil); err == nil {
			f.NLL, f.NLLError = number(l.Mean), number(l.Error)
		}
		return f, l, err
	}
	var before, after *flow.Likelihood
	if r.Before, before, err = judge(m); err == nil {
		r.After, after, err = judge(refined)
	}
	if err != nil {
		refined.Finalize()
		return nil, err
	}
	r.judge(before, after)
	t.card.Refinement = r
	if r.Kept {
		m.Finalize()
		return refined, nil
	}
	refined.Finalize()
	return m, nil
}

// lostLikelihood is how far frames held out may fall behind, in standard errors of the difference.
const lostLikelihood = 2

// judge says which of the flows is kept, and why.
func (r *Refinement) judge(before, after *flow.Likelihood) {
	gain, err := after.Less(before)
	ess := fmt.Sprintf("effective size of fresh samples %.3f ± %.3f, before %.3f ± %.3f; -ln q of frames held out falls "+
		"by %.2f ± %.2f nats", r.After.ESS, r.After.ESSError, r.Before.ESS, r.Before.ESSError, gain, err)
	switch {
	case !(r.After.ESS > r.Before.ESS): // or no number
		r.Why = "not kept, its weights are no better: " + ess
	case !(gain >= -lostLikelihood*err):
		r.Why = "not kept, frames are less likely, so that it may have lost a basin: " + ess
	default:
		r.Kept, r.Why = true, ess
	}
}

// String is what to tell of it.
func (r *Refinement) String() string {
	on := strings.Join(r.Potentials, ", ")
	if !r.Kept {
		return fmt.Sprintf("refined on %s for %d steps, %s", on, r.Steps, r.Why)
	}
	return fmt.Sprintf("refined on %s for %d steps: %s", on, r.Steps, r.Why)
}

// refining tells the progress of a refinement, which comes after a training.
func refining(p Progress) Progress {
	if p == nil {
		return nil
	}
	return func(done, total int, note string) { p(done, total, "refining on the potential "+note) }
}

func (t *training) refineCheckpoint() string { return t.out + ".refine.checkpoint" }

// graph builds the mean of the members in units of kT.
func (p *potentials) graph(kT float64) (flow.Energy, error) {
	var members []flow.Energy
	for _, u := range p.members {
		g, err := u.Graph()
		if err != nil {
			return nil, err
		}
		members = append(members, g)
	}
	return func(r *graph.Node) *graph.Node {
		var sum *graph.Node
		for _, g := range members {
			if e := g(r); sum == nil {
				sum = e
			} else {
				sum = graph.Add(sum, e)
			}
		}
		return graph.MulScalar(sum, 1/(kT*float64(len(members))))
	}, nil
}
