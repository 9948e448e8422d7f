package cgbg

import (
	"context"
	"maps"

	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Frames that coverage is told by: a few, where every one of them takes a path through a vector field.
const (
	coverFrames     = 4000
	coverFramesPath = 500
)

// cover holds samples to frames of another simulation, and writes down beside the samples what their flow misses.
//
// file: that of frames as checkOther wants them. Errors: those of the file.
func (d *Drawn) cover(ctx context.Context, b *backend.Backend, m *flow.Model, card *Card, u *potentials,
	file, out string, f *data.Frames, meta data.Meta, o DrawOptions) error {
	other, _, err := data.ReadFile(file)
	if err != nil {
		return err
	}
	n := coverFramesPath
	if m.OnePass() {
		n = coverFrames
	}
	n = min(n, other.Len())
	acc := flow.SamplingAccuracy(b.Name, m.Network)
	progress := func(done, total int, _ string) {
		if o.Progress != nil {
			o.Progress(done, total, "ln q of other frames")
		}
	}
	r, logQ, err := m.FramesLogQ(ctx, other.R, n, o.Seed, acc, progress)
	if err != nil {
		return err
	}
	e, err := u.energy(ctx, r)
	if err != nil {
		return err
	}
	as := reweight.LogWeights(e, logQ, units.KT(card.Temperature), m.LogCOM(r))
	card.Geometry().Discard(as, r)
	var own []float64
	if other.LogW != nil {
		own = pick(other.LogW, data.Evenly(other.Len(), n))
	}
	c, err := reweight.Cover(as, own, f.LogW)
	if err != nil {
		return err
	}
	w := d.Weights.WithCoverage(c)
	d.Weights = &w
	if meta.Extra[analysis.KeyCoverage] == c.Text() {
		return nil
	}
	meta.Extra = maps.Clone(meta.Extra)
	meta.Extra[analysis.KeyCoverage] = c.Text()
	return data.WriteFile(out, meta, f)
}
