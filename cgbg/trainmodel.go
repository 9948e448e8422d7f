package cgbg

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/data"
)

// TrainOptions of [TrainFlow]; zeros stand for those of the preset.
type TrainOptions struct {
	Preset   string // of the settings, see Presets
	Seed     uint64
	Epochs   int          // passes over the frames
	Batch    int          // frames of a step
	Rate     float64      // highest learning rate
	Pairing  flow.Pairing // of frames and noise
	HeldOut  int          // frames that the likelihood is computed on
	Progress Progress
}

// TrainFlow trains the published graph transformer on a file of frames, as they
// are: biased if their simulation was. The model goes to the file out (NPZ), its
// card beside it. Frames held out in ten blocks of time tell its likelihood. A
// run that was stopped goes on from its checkpoint beside out; a model that is
// there already, of the same settings and data, is left as it is (fresh = false).
//
// Errors: those of the files and of the training; ctx.Err(), wrapped.
func TrainFlow(ctx context.Context, b *backend.Backend, in, out string, o TrainOptions) (card *Card, fresh bool, err error) {
	s, err := NewAlanineSettings(o.Preset, o.Seed)
	if err != nil {
		return nil, false, err
	}
	frames, meta, err := data.ReadFile(in)
	switch {
	case err != nil:
		return nil, false, err
	case frames.Dim != 3:
		return nil, false, fmt.Errorf("cgbg: %s: beads of %d coordinates; a graph transformer is for 3", in, frames.Dim)
	}
	sum, err := fileSHA(in)
	if err != nil {
		return nil, false, err
	}
	field, cfg := s.Flow, s.FlowFit
	field.Beads, cfg.Beads = frames.Beads, frames.Beads
	replace(&cfg.Epochs, o.Epochs)
	replace(&cfg.Batch, o.Batch)
	replace(&cfg.RateHigh, o.Rate)
	replace(&cfg.Pairing, o.Pairing)
	replace(&s.HeldOut, o.HeldOut)
	print := hash(field, cfg, s.HeldOut, sum)
	if card, ok := done(out, print); ok {
		return card, false, nil
	}
	card = newCard("flow", o.Preset, o.Seed, meta, b)
	card.Fingerprint, card.Data, card.DataSHA = print, filepath.Base(in), sum
	card.Settings = map[string]any{"field": field, "epochs": cfg.Epochs, "batch": cfg.Batch, "rate_high": cfg.RateHigh, "rate_low": cfg.RateLow,
		"weight_decay": cfg.WeightDecay, "clip_value": cfg.ClipValue, "pairing": cfg.Pairing, "ema": cfg.EMA}
	if residues, err := cgmap.Backbone(meta.Beads); err == nil {
		card.Handedness = handedness(residues[0], widened(frames.R[:frames.Width()]))
	}
	kept, held := holdOut(frames)
	card.Frames = len(kept) / frames.Width()
	start := time.Now()
	cfg.Checkpoint, cfg.Progress = out+".checkpoint", o.Progress
	m, history, err := flow.Fit(ctx, b.Backend, field, kept, cfg)
	if err != nil {
		return nil, false, err
	}
	card.Seconds, card.Steps = time.Since(start).Seconds(), cfg.Epochs*max(1, card.Frames/cfg.Batch)
	if n := len(history.Loss); n > 0 {
		card.Results["loss"] = history.Loss[n-1]
	}
	l, err := m.NegLogLikelihood(ctx, held, s.HeldOut, o.Seed, flow.SamplingAccuracy(b.Name), o.Progress)
	if err != nil {
		return nil, false, err
	}
	card.Results["nll"], card.Results["nll_error"], card.Results["nll_frames"] = l.Mean, l.Error, l.Frames
	if err := m.Export(out); err != nil {
		return nil, false, err
	}
	card.Made = time.Now().UTC().Truncate(time.Second)
	if err := card.write(out); err != nil {
		return nil, false, err
	}
	os.Remove(cfg.Checkpoint) // one that stays does no harm
	return card, true, nil
}

// replace sets what the options name.
func replace[T comparable](dst *T, value T) {
	var zero T
	if value != zero {
		*dst = value
	}
}

// handedness is the sign of the chiral centre's volume.
func handedness(residue cgmap.Residue, r []float64) float64 {
	edge := func(k int) (d [3]float64) {
		for axis := range d {
			d[axis] = r[3*residue.Center[k]+axis] - r[3*residue.Center[0]+axis]
		}
		return d
	}
	x, y, z := edge(1), edge(2), edge(3)
	return math.Copysign(1, x[0]*(y[1]*z[2]-y[2]*z[1])+x[1]*(y[2]*z[0]-y[0]*z[2])+x[2]*(y[0]*z[1]-y[1]*z[0]))
}

// fileSHA is the SHA-256 of a file, in hexadecimal digits.
func fileSHA(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cgbg: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("cgbg: %s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// holdOut splits positions into those to train on and those held out.
func holdOut(f *data.Frames) (kept, held []float32) {
	n, width := f.Len(), f.Width()
	for b := range heldOutBlocks {
		lo, hi := b*n/heldOutBlocks, (b+1)*n/heldOutBlocks
		cut := hi - (hi-lo)/heldOutPart
		kept = append(kept, f.R[lo*width:cut*width]...)
		held = append(held, f.R[cut*width:hi*width]...)
	}
	return kept, held
}
