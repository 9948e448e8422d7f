// Package lab is the workflow of the paper's §4.1 on the Müller–Brown system: simulate, learn the potential and the
// flows, reweight, and hold everything against the exact answers. Lengths and energies are in reduced units, kT = 1.
package lab

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/mullerbrown"
	"github.com/cgbg-go/lab/cgbg/pmf"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/data"
)

// Lab is the workflow, where coarse-graining means looking at x alone and everything is known
// exactly. Lengths and energies are in reduced units, kT = 1.
type Lab struct {
	keep.Folder
	Backend  *backend.Backend
	Settings Settings
	Exact    *mullerbrown.Marginal // unbiased
}

// Settings are the numbers behind a preset.
type Settings struct {
	Preset     string
	Seed       uint64
	Unbiased   mullerbrown.Langevin
	Biased     mullerbrown.Langevin
	PMF        pmf.RBFMLP
	PMFFit     pmf.Config
	PMFFrames  int // biased frames the potential is trained on, as flat in x as they allow; 0 for all as they are
	FlowFrames int // frames each flow is trained on
	Flow       flow.MLP
	FlowFit    flow.Config
	Samples    int // drawn from each flow
	Accuracy   flow.Accuracy
}

// NewSettings returns a preset's settings.
//
// "paper" follows §B.1, §C and §D.1 with the values of the published code: 10
// trajectories of 10⁷ steps, 500 epochs of batch 128 on 200,000 biased frames,
// 1000 epochs of batch 256 on 20,000 frames, raw x. "quick" keeps both networks
// and spends less on them: larger batches and learning rates, few epochs,
// standardised x. Its trajectories are many and short, which relax better than
// 10 long ones, and its biased ones take ten times the paper's steps in all: the
// balance of the basins rests on few crossings between two channels in y, which
// 10⁸ steps leave uncertain by 0.2 kT, and 10⁹ by 0.05 kT. Its flows see 100,000
// frames a few times, in place of 20,000 frames often: their tails decide the
// largest weights. "small" has small networks, too, and shows only that all of it
// runs.
func NewSettings(preset string, seed uint64) (Settings, error) {
	s := Settings{
		Preset: preset, Seed: seed,
		PMF:        pmf.RBFMLP{Centers: 100, Lo: 10, Hi: 50, Sigma: 5, Hidden: 128, Layers: 4},
		PMFFit:     pmf.Config{Epochs: 500, Batch: 128, Rate: 1e-4, RateDecay: 1},
		FlowFrames: 20_000,
		Flow:       flow.MLP{Dims: 1, Hidden: 96, Layers: 3, TimeHidden: 16, TimeFeatures: 3},
		FlowFit: flow.Config{Epochs: 1000, Batch: 256, RateHigh: 3e-4, RateLow: 1e-5, WeightDecay: 1e-5,
			ClipValue: 1000,
			Raw:       true},
		Samples:  1_000_000,
		Accuracy: flow.Accuracy{PathTol: 1e-6, LogQTol: 1e-3, Batch: 1000, Checks: 256},
	}
	dynamics := mullerbrown.Default()
	dynamics.Stride = 500 // 200,000 frames; the published stride of 10 keeps 50 times as many, all correlated
	biasedSteps := 1      // in units of the unbiased ones
	switch preset {
	case "paper":
	case "quick":
		dynamics.Trajectories, dynamics.Steps, biasedSteps = 100, 1_000_000, 10
		s.PMFFrames = 400_000
		s.PMFFit = pmf.Config{Epochs: 1, Batch: 512, Rate: 5e-3, RateDecay: 0.003, Cosine: true}
		s.FlowFrames = 100_000
		s.FlowFit.Epochs, s.FlowFit.Batch, s.FlowFit.RateHigh, s.FlowFit.Raw = 10, 512, 5e-3, false
		s.Samples = 10_000
	case "small":
		dynamics.Trajectories, dynamics.Steps, dynamics.Stride, dynamics.BurnIn = 20, 500_000, 500, 200_000
		s.PMF.Hidden, s.PMF.Layers = 16, 2
		s.PMFFit = pmf.Config{Epochs: 4, Batch: 256, Rate: 1e-2, RateDecay: 0.01, Cosine: true}
		s.FlowFrames = 5_000
		s.Flow.Hidden, s.Flow.Layers = 24, 2
		s.FlowFit.Epochs, s.FlowFit.Batch, s.FlowFit.RateHigh, s.FlowFit.Raw = 20, 256, 1e-2, false
		s.Samples = 1_000
		s.Accuracy.Checks = 64
	default:
		return s, cgbg.CheckPreset(preset)
	}
	s.PMFFit.Seed, s.FlowFit.Seed = seed, seed
	s.Unbiased, s.Biased = dynamics, dynamics
	s.Biased.Biased = true
	s.Unbiased.Seed, s.Biased.Seed = seed, seed+(1<<32) // streams of their own
	s.Biased.Steps *= biasedSteps
	s.Biased.Stride *= max(1, biasedSteps/5)
	s.PMFFit.CheckpointEvery, s.FlowFit.CheckpointEvery = 5*time.Second, 5*time.Second
	return s, nil
}

// Open opens the workflow with the named preset. dir is the run's
// folder, where steps keep what they make; "" for a temporary one.
func Open(preset string, seed int, dir string) (*Lab, error) {
	settings, err := NewSettings(preset, uint64(seed))
	if err != nil {
		return nil, err
	}
	folder, err := keep.OpenFolder(dir, "mb-"+preset+"-"+keep.Hash(settings))
	if err != nil {
		return nil, err
	}
	b, err := backend.Open()
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return &Lab{Folder: folder, Backend: b, Settings: settings, Exact: mullerbrown.NewMarginal(false)}, nil
}

// keyTrajectories is where the description of frames has the number of trajectories.
const keyTrajectories = "trajectories"

func setName(biased bool) string {
	if biased {
		return "biased"
	}
	return "unbiased"
}

// Simulate runs the Langevin dynamics, with the umbrella if biased, and keeps
// the frames as mb_<set>.arrow: x and y in R, the unbiased forces in F.
func (m *Lab) Simulate(ctx context.Context, biased bool, progress cgbg.Progress) (*mullerbrown.Trajectories, error) {
	dynamics := m.Settings.Unbiased
	if biased {
		dynamics = m.Settings.Biased
	}
	key := keep.Hash("dynamics", dynamics)
	path := m.Path("mb_" + setName(biased) + ".arrow")
	if f, meta, err := cgbg.ReadKept(path, key); err == nil {
		return trajectories(f, meta, biased)
	}
	t, err := dynamics.Run(ctx, progress)
	if err != nil {
		return nil, err
	}
	meta := data.Meta{System: "Müller–Brown", Beads: []string{"particle"}, Dim: 2, Temperature: 0,
		ForceField: "Müller–Brown, reduced units", Stride: dynamics.Dt * float64(dynamics.Stride), Mapping: "x and y",
		Generator: fmt.Sprintf("Langevin dynamics %+v", dynamics),
		Extra:     map[string]string{cgbg.KeyFingerprint: key, keyTrajectories: strconv.Itoa(len(t.X))}}
	f := &data.Frames{Beads: 1, Dim: 2}
	for i := range t.X {
		for k := range t.X[i] {
			f.R = append(f.R, t.X[i][k], t.Y[i][k])
			f.F = append(f.F, t.Fx[i][k], t.Fy[i][k])
		}
	}
	if err := data.WriteFile(path, meta, f); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	t.Final = nil // not kept: the same value whether run or read
	return t, nil
}

func trajectories(f *data.Frames, meta data.Meta, biased bool) (*mullerbrown.Trajectories, error) {
	n, err := strconv.Atoi(meta.Extra[keyTrajectories])
	if err != nil || n <= 0 || f.Len()%n != 0 {
		return nil, fmt.Errorf("lab: %d frames cannot be %q trajectories: delete the run's folder", f.Len(),
			meta.Extra[keyTrajectories])
	}
	t := &mullerbrown.Trajectories{Biased: biased}
	each := f.Len() / n
	for i := range n {
		column := func(values []float32, offset int) []float32 {
			out := make([]float32, each)
			for k := range out {
				out[k] = values[2*(i*each+k)+offset]
			}
			return out
		}
		t.X, t.Y = append(t.X, column(f.R, 0)), append(t.Y, column(f.R, 1))
		t.Fx, t.Fy = append(t.Fx, column(f.F, 0)), append(t.Fy, column(f.F, 1))
	}
	return t, nil
}

// FitPMF learns U(x) by enhanced-sampling force matching: from biased frames
// with their unbiased forces (paper, Eq. 16).
func (m *Lab) FitPMF(ctx context.Context, progress cgbg.Progress) (*pmf.Model, *train.History, error) {
	t, err := m.Simulate(ctx, true, nil)
	if err != nil {
		return nil, nil, err
	}
	frames, err := m.pmfFrames(t)
	if err != nil {
		return nil, nil, err
	}
	cfg := m.Settings.PMFFit
	cfg.Checkpoint, cfg.Progress = m.Path("pmf.npz"), progress
	if cfg.Floor, err = noiseFloor(frames); err != nil {
		return nil, nil, err
	}
	return pmf.Fit(ctx, m.Backend.Backend, m.Settings.PMF, frames.X, frames.Fx, cfg)
}

// noiseFloor is the floor of the force-matching loss, from at most 4,096 frames
// (to 2 %) and the exact mean force.
func noiseFloor(frames *mullerbrown.Frames) (float64, error) {
	var f []float32
	var mean []float64
	for i := 0; i < len(frames.X); i += (len(frames.X) + 4095) / 4096 {
		f = append(f, frames.Fx[i])
		mean = append(mean, mullerbrown.MeanForce(float64(frames.X[i])))
	}
	floor, _, err := pmf.NoiseFloor(f, mean)
	return floor, err
}

// pmfFrames are the frames that the potential is trained on.
func (m *Lab) pmfFrames(t *mullerbrown.Trajectories) (*mullerbrown.Frames, error) {
	if n := m.Settings.PMFFrames; n > 0 {
		return t.Flat(n, m.Settings.Seed)
	}
	return t.Even(t.Frames())
}

// FitFlow learns the flow from a random part of the unbiased or biased frames.
func (m *Lab) FitFlow(ctx context.Context, biased bool, progress cgbg.Progress) (*flow.Model, *train.History, error) {
	t, err := m.Simulate(ctx, biased, nil)
	if err != nil {
		return nil, nil, err
	}
	frames, err := t.Random(min(m.Settings.FlowFrames, t.Frames()), m.Settings.Seed)
	if err != nil {
		return nil, nil, err
	}
	cfg := m.Settings.FlowFit
	cfg.Checkpoint, cfg.Progress = m.Path("flow_"+setName(biased)+".npz"), progress
	return flow.Fit(ctx, m.Backend.Backend, m.Settings.Flow, frames.X, cfg)
}

// propose draws samples from the flow trained on the named set, and weighs
// them by the learned potential.
func (m *Lab) propose(ctx context.Context, biased bool, progress cgbg.Progress) (*cgbg.Proposal, error) {
	f, _, err := m.FitFlow(ctx, biased, nil)
	if err != nil {
		return nil, err
	}
	u, _, err := m.FitPMF(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer f.Finalize()
	defer u.Finalize()
	flowSum, err := f.Sum()
	if err != nil {
		return nil, err
	}
	pmfSum, err := u.Sum()
	if err != nil {
		return nil, err
	}
	n := m.Settings.Samples
	return cgbg.Propose(ctx, m.Path("samples_"+setName(biased)+".arrow"), f, cgbg.SampleOptions{N: n, Part: n,
		Seed: m.Settings.Seed, Accuracy: m.Settings.Accuracy, Energy: u.Energy, KT: mullerbrown.KT, Progress: progress,
		Fingerprint: keep.Fingerprint(m.Settings, biased, m.Backend.Name, flowSum, pmfSum)})
}

// densityIntegral integrates the density of the flow trained on the named set
// over ten standard deviations about its mean: 1 if ln q is exact.
func (m *Lab) densityIntegral(ctx context.Context, biased bool) (float64, error) {
	f, _, err := m.FitFlow(ctx, biased, nil)
	if err != nil {
		return 0, err
	}
	defer f.Finalize()
	const points = 2001
	lo, hi := -10.0, 70.0
	if !m.Settings.FlowFit.Raw {
		lo, hi = f.Mean[0]-10*f.Std, f.Mean[0]+10*f.Std
	}
	x := make([]float64, points)
	for i := range x {
		x[i] = lo + (hi-lo)*float64(i)/(points-1)
	}
	logq, err := f.LogDensity(ctx, x, m.Settings.Accuracy)
	if err != nil {
		return 0, err
	}
	var sum float64 // the trapezoidal rule: the density vanishes at both ends
	for _, l := range logq {
		sum += math.Exp(l)
	}
	return sum * (hi - lo) / (points - 1), nil
}

// pmfOnLine evaluates U and −dU/dx of the learned potential at x.
func (m *Lab) pmfOnLine(ctx context.Context, x []float64) (u, f []float64, err error) {
	model, _, err := m.FitPMF(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	defer model.Finalize()
	return model.EnergyForce(ctx, x)
}
