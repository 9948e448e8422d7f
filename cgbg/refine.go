package cgbg

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
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

// refine trains a flow further on potentials of its beads, and returns the better of the two; the other is freed. One
// that fails leaves the flow as it was, and the card says why.
//
// kept, held: numbers of the frames trained on and held out. Frames of a bias count by their weights, if they have
// some. Errors: those of the potentials; ctx.Err(), wrapped.
func (t *training) refine(ctx context.Context, b *backend.Backend, m *flow.Model, kept, held []int,
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
	t.card.Refinement = r
	if t.frames.LogW != nil {
		drawn, err := reweight.Resample(pick(t.frames.LogW, kept), len(kept), reweight.Systematic,
			rand.New(rand.NewPCG(o.Seed, 0x726566696e65)))
		if err != nil {
			return nil, fmt.Errorf("cgbg: %s: %w", t.meta.Source, err)
		}
		kept = pick(kept, drawn)
	}
	start := time.Now()
	cfg := t.settings.FlowRefine
	cfg.Checkpoint, cfg.Seed, cfg.CheckpointEvery = t.refineCheckpoint(), o.Seed, checkpointEvery
	cfg.Progress, cfg.Fingerprint = refining(o.Progress), u.sum
	refined, history, err := m.Refine(ctx, energy, t.frames.Positions(kept), cfg)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		r.Why = fmt.Sprintf("not kept, it failed: %v", err)
		return m, nil
	}
	r.Seconds = time.Since(start).Seconds()
	if n := len(history.Step); n > 0 {
		r.Steps = history.Step[n-1]
	}
	held = pick(held, data.Evenly(len(held), t.settings.HeldOut))
	weights := make([]float64, len(held))
	for k, i := range held {
		if t.frames.LogW != nil {
			weights[k] = t.frames.LogW[i]
		}
	}
	var before, after []float64 // ln q of frames held out
	if r.Before, before, err = t.fitness(ctx, b, m, u, held, o); err == nil {
		r.After, after, err = t.fitness(ctx, b, refined, u, held, o)
	}
	if err != nil {
		refined.Finalize()
		return nil, err
	}
	gain := gainOf(before, after, weights)
	if t.frames.LogW == nil && t.meta.Extra[data.KeyBias] != "" {
		gain = nil // the flow is to leave the frames' density
	}
	if r.judge(gain); r.Kept {
		m.Finalize()
		return refined, nil
	}
	refined.Finalize()
	return m, nil
}

// pick takes elements by their numbers.
func pick[T any](list []T, numbers []int) []T {
	out := make([]T, len(numbers))
	for k, i := range numbers {
		out[k] = list[i]
	}
	return out
}

// fitness measures a flow by fresh samples under potentials, and by ln q of frames held out, [len(held)].
func (t *training) fitness(ctx context.Context, b *backend.Backend, m *flow.Model, u *potentials, held []int,
	o TrainOptions) (f Fitness, logQ []float64, err error) {
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
	logw := reweight.LogWeights(e, s.LogQ, units.KT(t.meta.Temperature), s.LogCOM)
	t.card.Geometry().Discard(logw, s.R)
	w := reweight.Summarize(logw)
	f = Fitness{Samples: refinedSamples, ESS: number(w.ESS), ESSError: number(w.ESSError),
		ESSClipped: number(w.ESSClipped), KHat: number(w.KHat)}
	_, logQ, err = m.FramesLogQ(ctx, t.frames.Positions(held), len(held), o.Seed, acc, nil)
	return f, logQ, err
}

// gainOf is by how much ln q of frames rises from one flow to another, nats a frame by the frames' weights, with the
// error from ten blocks of time left out in turn (B. Efron and C. Stein, doi 10.1214/aos/1176345462).
//
// before, after: ln q; logw: log-weights; all [n], in the order of time.
func gainOf(before, after, logw []float64) *reweight.Estimate {
	const blocks = 10
	top := slices.Max(logw)
	var sums, weights [blocks]float64
	var sum, weight float64
	n := len(before)
	for i, v := range logw {
		k, w := i*blocks/n, math.Exp(v-top)
		sums[k], weights[k] = sums[k]+w*(after[i]-before[i]), weights[k]+w
		sum, weight = sum+w*(after[i]-before[i]), weight+w
	}
	e := &reweight.Estimate{Value: sum / weight}
	for k := range blocks {
		if rest := weight - weights[k]; rest > 0 {
			d := (sum-sums[k])/rest - e.Value
			e.Error += d * d * (blocks - 1) / blocks
		}
	}
	e.Error = math.Sqrt(e.Error)
	return e
}

// lostLikelihood is how far frames held out may fall behind, in standard errors of the difference.
const lostLikelihood = 2

// judge says which of the flows is kept, and why. gain: of ln q of frames held out; nil: they do not tell.
func (r *Refinement) judge(gain *reweight.Estimate) {
	words := fmt.Sprintf("effective size of fresh samples %.3f ± %.3f, before %.3f ± %.3f", r.After.ESS, r.After.ESSError,
		r.Before.ESS, r.Before.ESSError)
	if gain != nil {
		words += fmt.Sprintf("; ln q of frames held out rises by %.2f ± %.2f nats", gain.Value, gain.Error)
	} else {
		words += "; frames of a bias without weights do not tell whether a basin was lost"
	}
	usable := !math.IsNaN(float64(r.After.ESS))
	before := r.Before.ESS
	if math.IsNaN(float64(before)) { // of no usable weights
		before = 0
	}
	switch {
	case !usable || r.After.ESS <= before:
		r.Why = "not kept, its weights are no better: " + words
	case gain != nil && math.IsNaN(gain.Value):
		r.Why = "not kept, a frame held out has no density: " + words
	case gain != nil && gain.Value < -lostLikelihood*gain.Error:
		r.Why = "not kept, frames are less likely, so that it may have lost a basin: " + words
	default:
		r.Kept, r.Why = true, words
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
