package cgbg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"strconv"

	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
)

// SampleOptions of [Propose].
type SampleOptions struct {
	N        int     // samples; with UntilESS at most so many
	UntilESS float64 // draw until the weights are worth so many equal samples; needs Energy; 0: draw N
	Part     int     // samples that are held in memory, and lost by a kill [1000]
	Seed     uint64
	Accuracy flow.Accuracy // checks are made on the first part

	// Energy is the potential of mean force at samples, [n*dim], in the unit of KT; may be nil.
	Energy func(ctx context.Context, r []float64) ([]float64, error)
	KT     float64
	// Geometry is what the flow's frames have in common: samples of another hand get no weight; nil: all may have.
	Geometry *topology.Geometry

	Meta        data.Meta // describes the samples' beads; without any a sample is one row of numbers
	Fingerprint string    // stands for the flow and the potential: parts of others are not taken up
	Progress    Progress
}

func (o *SampleOptions) check() error {
	switch {
	case o.N < 1 || o.Part < 1:
		return fmt.Errorf("cgbg: %d samples in parts of %d: both at least 1", o.N, o.Part)
	case o.UntilESS < 0 || o.UntilESS > 0 && o.Energy == nil:
		return errors.New("cgbg: effective samples are counted by weights, which need a potential")
	case o.UntilESS > float64(o.N):
		return fmt.Errorf("cgbg: %d samples are never worth %g", o.N, o.UntilESS)
	case o.Energy != nil && (!(o.KT > 0) || math.IsInf(o.KT, 0)):
		return fmt.Errorf("cgbg: weights at kT = %g: %w", o.KT, ErrTemperature)
	}
	return nil
}

// sampleFile draws samples with their exact log-density, and with a potential
// their weights, into an Arrow file (R, logq, u, logw). It goes part by part in
// bounded memory. Parts are kept beside the file until it is whole: a run that
// was stopped goes on after the last of them, with the same numbers. Many samples
// in float32 are drawn by a schedule of the flow, made first.
//
// Errors: those of the options, the flow and the potential; ctx.Err(), wrapped.
func sampleFile(ctx context.Context, path string, m *flow.Model, o SampleOptions) error {
	o.Part = o.size()
	if err := o.check(); err != nil {
		return err
	}
	if o.Progress != nil {
		o.Progress(0, o.N, "") // a schedule and the first part take a while
	}
	schedule, err := o.schedule(ctx, path, m)
	if err != nil {
		return err
	}
	var parts []string
	var logw []float64
	drawn, note := 0, ""
	for k := 0; drawn < o.N; k++ {
		size := min(o.Part, o.N-drawn)
		part := fmt.Sprintf("%s.part%05d", path, k)
		progress := func(done, _ int, _ string) {
			if o.Progress != nil {
				o.Progress(drawn+done, o.N, note)
			}
		}
		frames, err := o.part(ctx, part, m, k, size, progress)
		if err != nil {
			return err
		}
		parts = append(parts, part)
		drawn += size
		if o.UntilESS > 0 {
			logw = append(logw, frames.LogW...)
			ess, err := reweight.ESS(logw)
			if err != nil {
				return err
			}
			ess *= float64(drawn)
			if note = fmt.Sprintf("%.0f of %.0f effective", ess, o.UntilESS); ess >= o.UntilESS {
				if o.Progress != nil {
					o.Progress(drawn, drawn, note)
				}
				break
			}
		}
	}
	if err := o.join(path, parts); err != nil {
		return err
	}
	for _, rest := range append(parts, schedule) {
		os.Remove(rest) // one that stays does no harm
	}
	return nil
}

// scheduled is the number of samples from which a schedule of the flow pays.
const scheduled = 500

// schedule has the flow's schedule made, or takes it up: a run that goes on
// must step as before. file: where it is kept.
func (o *SampleOptions) schedule(ctx context.Context, path string, m *flow.Model) (file string, err error) {
	if !o.Accuracy.Single || o.Accuracy.Adaptive || o.N < scheduled || o.Accuracy.Schedule != nil {
		return "", nil
	}
	file = fmt.Sprintf("%s.%.16s.schedule", path, keep.Fingerprint(o.Fingerprint, o.Seed, o.Accuracy))
	if o.Accuracy.Schedule, err = flow.LoadSchedule(file); !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	if o.Accuracy.Schedule, err = m.Schedule(ctx, o.Seed, o.Accuracy); err != nil {
		return "", err
	}
	return file, o.Accuracy.Schedule.Save(file)
}

// part is a part of the samples, from its file or drawn anew.
func (o *SampleOptions) part(ctx context.Context, path string, m *flow.Model, k, size int,
	progress Progress) (*data.Frames, error) {
	fingerprint := o.partPrint(k, size)
	if frames, _, err := ReadKept(path, fingerprint); err == nil {
		return frames, nil
	}
	acc := o.Accuracy
	if k > 0 {
		acc.Checks = -1
	}
	s, err := m.Sample(ctx, size, o.Seed+uint64(k)<<32, acc, progress)
	if err != nil {
		return nil, err
	}
	dim := m.Network.Dim()
	meta := o.Meta
	if meta.Beads == nil {
		meta.System, meta.Beads, meta.Dim = "flow samples", []string{"all"}, dim
	}
	frames := &data.Frames{Beads: len(meta.Beads), Dim: meta.Dim, R: data.Rounded(s.R), LogQ: s.LogQ}
	if o.Energy != nil {
		// R is stored in float32: weigh what is stored.
		r := data.Widened(frames.R)
		if frames.U, err = o.Energy(ctx, r); err != nil {
			return nil, err
		}
		frames.LogW = reweight.LogWeights(frames.U, s.LogQ, o.KT, s.LogCOM)
		o.Geometry.Discard(frames.LogW, r)
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	worst := s.LogQErrorMax()
	if acc.Single { // estimates of the quadrature are those of its coarser level, far above the errors
		worst = s.LogQBound()
	}
	meta.Generator = "cgbg: samples of a flow"
	meta.Extra = map[string]string{KeyFingerprint: fingerprint, keyLogQErr: number(worst),
		keyEvaluations: number(s.Evaluations), keyDivergences: number(s.Divergences)}
	maps.Copy(meta.Extra, o.Meta.Extra)
	return frames, data.WriteFile(path, meta, frames)
}

// size is the number of samples of a part.
func (o *SampleOptions) size() int {
	if o.Part == 0 {
		return 1000
	}
	return o.Part
}

// asked tells how many samples were asked for, in which parts, and from which seed: parts have streams of their own.
func (o *SampleOptions) asked() string {
	return fmt.Sprintf("seed %d, %d samples, until %g effective, parts of %d", o.Seed, o.N, o.UntilESS, o.size())
}

func (o *SampleOptions) partPrint(k, size int) string {
	acc, schedule := o.Accuracy, flow.Schedule{}
	if acc.Schedule != nil {
		acc.Schedule, schedule = nil, *acc.Schedule
	}
	return keep.Fingerprint(o.Fingerprint, o.Seed, k, size, o.Part, acc, schedule, o.KT, o.Energy != nil)
}

// join puts the parts together and removes them.
func (o *SampleOptions) join(path string, parts []string) error {
	var w *data.Writer
	for k, part := range parts {
		frames, meta, err := data.ReadFile(part)
		if err != nil {
			return err
		}
		if k == 0 { // the first part has the checks
			meta.Extra[KeyFingerprint], meta.Extra[keyAsked] = o.Fingerprint, o.asked()
			if w, err = data.Create(path, meta); err != nil {
				return err
			}
			defer w.Abort() // does nothing after Close
		}
		if err := w.Append(frames); err != nil {
			return err
		}
	}
	return w.Close()
}
