// Package cost measures what training and inference take on this machine, mapping by mapping, in the units of the
// paper's Tables 1, 4 and 5.
package cost

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Published is a column of Tables 1, 4 and 5 of the paper, measured on one NVIDIA A100 with 80 GB (E.1).
type Published struct {
	FlowHours     Cited // training of the flow
	SampleMinutes Cited // 10^4 samples with their log-densities
	MACEHours     Cited // training of the potential
	EnergySeconds Cited // 10^4 energies
}

// Cited is a number of the paper, NaN where it has none.
type Cited struct {
	First   float64 // arXiv 2602.10637v1
	Revised float64 // arXiv 2602.10637v2
}

// String is both numbers, as a table shows them: "0.83, revised 0.45".
func (c Cited) String() string {
	switch {
	case math.IsNaN(c.First):
		return "–"
	case math.IsNaN(c.Revised):
		return fmt.Sprint(c.First)
	}
	return fmt.Sprintf("%g, revised %g", c.First, c.Revised)
}

// The published amounts of work: paper, C.2 (flow) and B.2, D.2 (potential). The
// flow's data are a fixed subset of 50,000 frames (the authors' code); for the
// potential no subset is stated, so that it is nine tenths of all 500,000.
const (
	publishedBatch     = 256
	publishedFlowSteps = 5000 * (50_000 / publishedBatch)
	publishedMACESteps = 250 * (450_000 / publishedBatch)
	publishedSamples   = 10_000 // that inference times are of, energies likewise
)

// quickFrames are the frames that steps of the quick preset are counted for: those
// of metadynamics with γ = 1.5 in package obc2 without the tenth held out.
const quickFrames = 16_200

// costRows are the mappings of the tables, by the name that frames give theirs.
var costRows = map[string]struct {
	key, title string
	published  Published
}{
	"core-beta": {"cb", "Core Beta", Published{Cited{0.83, 0.45}, Cited{0.84, 0.95}, Cited{1.88, result.None},
		Cited{0.66, result.None}}},
	"heavy-atom": {"ha", "Heavy Atom", Published{Cited{1.39, 0.80}, Cited{3.46, 3.78}, Cited{4.11, result.None},
		Cited{0.72, result.None}}},
	"all-atom": {"aa", "All Atom", Published{Cited{3.93, 2.55}, Cited{13.92, 14.91}, Cited{result.None, result.None},
		Cited{result.None, result.None}}},
}

// Settings say how much is measured.
type Settings struct {
	Preset     string
	Seed       uint64
	Repeats    int // of evaluations, samples and energies
	Batch      int // frames of a training step
	Steps      int // of the graph transformer that are timed, at up to manyBeads beads
	StepsMany  int // with more
	Train      int // steps of the equivariant field
	Fused      int // steps of it in one call: many take long to compile
	Samples    int // of the graph transformer, in a repeat
	SamplesFew int // with more than manyBeads beads
	Cheap      int // samples of the equivariant field, in a repeat
	Joint      int // samples by the published solver, which share its steps
	JointMany  int // of the graph transformer with more than manyBeads beads; 0: none
	MACESteps  int
	Energies   int     // in a repeat
	Tiny       bool    // networks of the preset small
	Loose      float64 // factor of all tolerances; 1: as published, and as samples are drawn
}

// manyBeads are more than a coarse-grained alanine dipeptide has.
const manyBeads = 12

// Lab measures what training and inference take on this machine, mapping by
// mapping, in the units of the paper's Tables 1, 4 and 5. What is measured is kept in
// the run's folder and taken up from there. Compilation is never counted: the
// first calls are left out.
type Lab struct {
	keep.Folder
	Backend  *backend.Backend
	Settings Settings
	Mappings []*Mapping
	networks cgbg.Settings
}

// Mapping is a mapping of the molecule with its frames.
type Mapping struct {
	Key, Title string // "cb" in results, "Core Beta" in tables
	Beads      int
	Published  Published
	frames     *data.Frames
	meta       data.Meta
	sum        string // of frames and meta
}

// Open opens the measurements with a preset's amounts; dir is the run's
// folder, "" for a temporary one. Networks have the published sizes but with "small".
func Open(preset string, seed int, dir string) (*Lab, error) {
	s := Settings{Preset: preset, Seed: uint64(seed), Repeats: 3, Batch: publishedBatch, Steps: 30, StepsMany: 20,
		Train: 600, Fused: 5,
		Samples: 32, SamplesFew: 16, Cheap: 512, Joint: 8, MACESteps: 8, Energies: 1024, Loose: 1}
	switch preset {
	case "small": // paths of an untrained graph transformer may run away: its edges are squares of distances
		s.Tiny, s.Repeats, s.Batch, s.Steps, s.StepsMany, s.Train, s.Fused = true, 2, 32, 120, 120, 50, 1
		s.Samples, s.SamplesFew, s.Cheap, s.Joint, s.MACESteps, s.Energies, s.Loose = 8, 2, 16, 2, 3, 64, 100
	case "paper":
		s.Repeats, s.Steps, s.StepsMany, s.Train, s.Fused, s.MACESteps = 5, 200, 200, 5000, 10, 50
		s.Samples, s.SamplesFew, s.Cheap, s.Joint, s.JointMany, s.Energies = 2000, 1000, 10_000, 1000, 512, 10_000
	}
	networks, err := cgbg.NewSettings(preset, s.Seed)
	if err != nil {
		return nil, err
	}
	folder, err := keep.OpenFolder(dir, "cost-"+keep.Hash(s))
	if err != nil {
		return nil, err
	}
	b, err := backend.Open()
	if err != nil {
		return nil, fmt.Errorf("cost: %w", err)
	}
	return &Lab{Folder: folder, Backend: b, Settings: s, networks: networks}, nil
}

// Add adds a mapping's frames. Error: a mapping that the paper does not have.
func (c *Lab) Add(frames *data.Frames, meta data.Meta) error {
	row, ok := costRows[meta.Mapping]
	if !ok {
		return fmt.Errorf("cost: %s: no published cost of the mapping %q", meta.Source, meta.Mapping)
	}
	c.Mappings = append(c.Mappings, &Mapping{Key: row.key, Title: row.title, Beads: frames.Beads,
		Published: row.published,
		frames:    frames, meta: meta, sum: data.Sum(frames, meta)})
	return nil
}

// fingerprint is that of a measurement at a mapping: of what is measured, by which amounts, and of the machine.
func (c *Lab) fingerprint(m *Mapping) string {
	return keep.Fingerprint(c.Settings, c.networks, m.sum, c.Backend.String())
}

// mapping is one of those added.
func (c *Lab) mapping(key string) (*Mapping, error) {
	for _, m := range c.Mappings {
		if m.Key == key {
			return m, nil
		}
	}
	return nil, fmt.Errorf("cost: no frames of the mapping %q were added", key)
}

// Timing are the repeats of a measurement, seconds per unit of work.
type Timing []float64

// Median is the middle of the repeats, NaN without any.
func (t Timing) Median() float64 {
	s := slices.Sorted(slices.Values(t))
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Range is the least and the greatest of the repeats.
func (t Timing) Range() (lo, hi float64) {
	if len(t) == 0 {
		return math.NaN(), math.NaN()
	}
	return slices.Min(t), slices.Max(t)
}

// Times is the timing in another unit, or of more work.
func (t Timing) Times(factor float64) Timing {
	out := make(Timing, len(t))
	for i, v := range t {
		out[i] = factor * v
	}
	return out
}

// String is the median with the range, to three digits: "0.165 (0.160–0.172)".
func (t Timing) String() string {
	if len(t) == 0 {
		return "–"
	}
	lo, hi := t.Range()
	return fmt.Sprintf("%s (%s–%s)", digits(t.Median()), digits(lo), digits(hi))
}

// digits writes a positive number to three significant digits, without exponent.
func digits(v float64) string {
	places := 2
	if v > 0 {
		places = max(0, 2-int(math.Floor(math.Log10(v))))
	}
	return fmt.Sprintf("%.*f", places, v)
}

// add appends what a unit took, of so many done since start.
func (t *Timing) add(start time.Time, units int) {
	*t = append(*t, time.Since(start).Seconds()/float64(units))
}

// stages tells the progress of a measurement: steps done before, and now.
type stages struct {
	done, total int
	progress    cgbg.Progress
}

func (s *stages) step(note string) {
	s.done++
	if s.progress != nil {
		s.progress(s.done, s.total, note)
	}
}

// stopwatch is a training's progress function; it times calls but the first two,
// which compile and warm up.
func (s *stages) stopwatch(timing *Timing) cgbg.Progress {
	last, before, calls, start := time.Now(), 0, 0, s.done
	return func(done, _ int, note string) {
		if done == before {
			return // the end is told twice
		}
		if calls++; calls > 2 {
			timing.add(last, done-before)
		}
		last, before = time.Now(), done
		s.done = start + done - 1
		s.step("training, " + note)
	}
}

// MACE is what a potential takes; see [Lab.MACE].
type MACE struct {
	Mapping string
	Step    Timing // of training, s
	Energy  Timing // of a frame, s
}

// trainHours is the published training, scaled from single steps.
func (m *MACE) TrainHours() Timing { return m.Step.Times(publishedMACESteps / 3600.) }

// energySeconds is scaled to 10^4 energies.
func (m *MACE) energySeconds() Timing { return m.Energy.Times(publishedSamples) }

// MACE measures force matching of the published potential, a step at a time, and
// its energies at fixed parameters in float32, on real frames. The published loop's
// validation is not counted.
//
// Errors: an unknown mapping, frames without forces or species; ctx.Err(), wrapped.
func (c *Lab) MACE(ctx context.Context, mapping string, progress cgbg.Progress) (*MACE, error) {
	m, err := c.mapping(mapping)
	if err != nil {
		return nil, err
	}
	out := &MACE{Mapping: mapping}
	return out, c.JSON("mace-"+mapping+".json", c.fingerprint(m), out,
		func() error { return c.measureMACE(ctx, m, progress, out) })
}

func (c *Lab) measureMACE(ctx context.Context, m *Mapping, progress cgbg.Progress, out *MACE) error {
	s := c.Settings
	networks, err := c.networks.WithPotential(cgbg.MACE)
	if err != nil {
		return err
	}
	potential, err := networks.NewPotential(m.frames.R, m.frames.Beads, m.meta.Species, units.KT(m.meta.Temperature))
	if err != nil {
		return fmt.Errorf("cost: %s: %w", m.meta.Source, err)
	}
	watch := &stages{total: s.MACESteps + 2 + s.Repeats, progress: progress}
	cfg := networks.PMFFit
	cfg.Epochs, cfg.Batch, cfg.Validation, cfg.Progress = s.MACESteps+2, s.Batch, 0, watch.stopwatch(&out.Step)
	some := m.some(cfg.Batch)
	model, _, err := pmf.Fit(ctx, c.Backend.Backend, potential, m.frames.Positions(some),
		data.Rows(m.frames.F, m.frames.Width(), some), cfg)
	if err != nil {
		return err
	}
	defer model.Finalize()
	model.Single = true
	r := data.Widened(m.frames.Positions(m.some(s.Energies)))
	if _, err := model.Energy(ctx, r[:min(len(r), 64*m.frames.Width())]); err != nil {
		return err
	}
	for range s.Repeats {
		start := time.Now()
		if _, err := model.Energy(ctx, r); err != nil {
			return err
		}
		out.Energy.add(start, len(r)/m.frames.Width())
		watch.step("energies")
	}
	return nil
}

// some are n frames at even distances, or as many as there are.
func (m *Mapping) some(n int) []int { return data.Evenly(m.frames.Len(), n) }

// Results are the numbers under the names of results.json: medians, and the ends of the ranges.
func (m *MACE) Results() []result.Result {
	name := "cost/" + m.Mapping + "/mace/"
	return slices.Concat(m.Step.results(name+"step_seconds", "s"),
		m.TrainHours().results(name+"train_hours_scaled", "h"),
		m.energySeconds().results(name+"energies_10000_seconds_scaled", "s"))
}

// results are median and range of a timing.
func (t Timing) results(name, unit string) []result.Result {
	lo, hi := t.Range()
	return []result.Result{result.New(name, t.Median(), result.None, result.None, unit, len(t)),
		result.New(name+"/min", lo, result.None, result.None, unit, len(t)),
		result.New(name+"/max", hi, result.None, result.None, unit, len(t))}
}
