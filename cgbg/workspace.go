package cgbg

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cgbg-go/lab/cgbg/backend"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/keep"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/data"
)

// Progress is told how far a long step is; it may be nil.
type Progress = func(done, total int, note string)

// Presets are the names of the settings.
var Presets = []string{"small", "quick", "paper"}

func checkPreset(name string) error {
	if !slices.Contains(Presets, name) {
		return fmt.Errorf("cgbg: no preset %q: choose one of %q", name, Presets)
	}
	return nil
}

// workspace is the folder of a run and the backend it computes on.
type workspace struct {
	dir     string
	Backend *backend.Backend
}

// openWorkspace makes the folder state/<key> below dir; with an empty dir a new
// temporary folder is used. The key stands for the settings: other settings do
// not meet this one's checkpoints.
func openWorkspace(dir, key string) (workspace, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "cgbg")
		if err != nil {
			return workspace{}, fmt.Errorf("cgbg: %w", err)
		}
		dir = tmp
	}
	w := workspace{dir: filepath.Join(dir, "state", key)}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return w, fmt.Errorf("cgbg: the run's folder: %w", err)
	}
	b, err := backend.Open()
	if err != nil {
		return w, fmt.Errorf("cgbg: %w", err)
	}
	w.Backend = b
	return w, nil
}

func (w workspace) path(name string) string { return filepath.Join(w.dir, name) }

// kept reads what an earlier run found from the same inputs into value, from a file of the run's
// folder, or finds it and keeps it; see [keep.JSON].
func (w workspace) kept(file, fingerprint string, value any, find func() error) error {
	return keep.JSON(w.path(file), fingerprint, value, find)
}

// keptFrames is the path of a file of the run's folder that holds the frames, written anew where it holds others.
func (w workspace) keptFrames(file string, f *data.Frames, meta data.Meta) (string, error) {
	path, sum := w.path(file), data.Sum(f, meta)
	if r, err := data.Open(path); err == nil {
		same := r.Meta().Extra[keyFingerprint] == sum
		r.Close()
		if same {
			return path, nil
		}
	}
	meta.Extra = maps.Clone(meta.Extra)
	if meta.Extra == nil {
		meta.Extra = map[string]string{}
	}
	meta.Extra[keyFingerprint] = sum
	return path, data.WriteFile(path, meta, f)
}

// Proposal is a set of samples of a flow with their importance weights.
type Proposal struct {
	R           []float64 // samples, physical units, [n*dim]
	LogQ        []float64 // ln q(R), nats, standardised units
	U           []float64 // potential of mean force at R
	LogW        []float64 // log-weights, nats, up to a constant
	LogQErr     float64   // worst known error of LogQ, nats
	Evaluations float64   // velocity evaluations per sample
	Divergences float64   // divergence evaluations per sample
}

// Summary grades the weights.
func (p *Proposal) Summary() reweight.Summary { return reweight.Summarize(p.LogW) }

// Result is a number with its error and its floor, NaN where there is none.
type Result struct {
	Name                string
	Value, Error, Floor float64
	Unit                string // "" for none
	N                   int    // samples it rests on
}

// none is a number that is not there.
var none = math.NaN()

func scoreResult(name string, e, floor reweight.Estimate, unit string, n int) Result {
	return Result{Name: name, Value: e.Value, Error: e.Error, Floor: floor.Value, Unit: unit, N: n}
}

// weightResults are the numbers that grade weights.
func weightResults(w reweight.Summary) []Result {
	return []Result{
		{"ess", w.ESS, w.ESSError, none, "", w.N},
		{"ess_clipped", w.ESSClipped, w.ESSClippedError, none, "", w.N},
		{"khat", w.KHat, w.KHatError, none, "", w.N},
		{"max_weight", w.MaxWeight, none, none, "", w.N},
	}
}

// propose draws weighted samples into a file of the run's folder, and reads them.
func (w workspace) propose(ctx context.Context, file string, m *flow.Model, o SampleOptions) (*Proposal, error) {
	path := w.path(file)
	if p, err := readProposal(path, o); err == nil {
		return p, nil
	}
	if err := SampleFile(ctx, path, m, o); err != nil {
		return nil, err
	}
	return readProposal(path, o)
}

// Keys of the free-form part of a data file's schema.
const (
	keyFingerprint  = "fingerprint"
	keyAsked        = "asked"
	keyLogQErr      = "logq_error_max"
	keyEvaluations  = "evaluations"
	keyDivergences  = "divergences"
	keyTrajectories = "trajectories"
	keyGeometry     = "geometry" // of a flow's frames, beside its samples
)

func readProposal(path string, o SampleOptions) (*Proposal, error) {
	f, meta, err := readFrames(path, o.Fingerprint)
	if err != nil {
		return nil, err
	}
	if meta.Extra[keyAsked] != o.asked() {
		return nil, fmt.Errorf("cgbg: %s: %w", path, errOther)
	}
	p := &Proposal{R: widened(f.R), LogQ: f.LogQ, U: f.U, LogW: f.LogW}
	for key, dst := range map[string]*float64{keyLogQErr: &p.LogQErr, keyEvaluations: &p.Evaluations, keyDivergences: &p.Divergences} {
		if *dst, err = strconv.ParseFloat(meta.Extra[key], 64); err != nil {
			return nil, fmt.Errorf("cgbg: %s: key %s: %w", path, key, err)
		}
	}
	return p, nil
}

// errOther reports a kept file that was made from other settings or data.
var errOther = errors.New("made from other settings")

func readFrames(path, fingerprint string) (*data.Frames, data.Meta, error) {
	f, meta, err := data.ReadFile(path)
	if err != nil {
		return nil, meta, fmt.Errorf("cgbg: %w", err)
	}
	if meta.Extra[keyFingerprint] != fingerprint {
		return nil, meta, fmt.Errorf("cgbg: %s: %w", path, errOther)
	}
	return f, meta, nil
}

// hash shortens what identifies a step's input.
func hash(parts ...any) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%+v", parts)
	return fmt.Sprintf("%016x", h.Sum64())
}

// rounded is R as it is stored, float32.
func rounded(r []float64) []float32 {
	out := make([]float32, len(r))
	for i, v := range r {
		out[i] = float32(v)
	}
	return out
}

func widened(r []float32) []float64 {
	out := make([]float64, len(r))
	for i, v := range r {
		out[i] = float64(v)
	}
	return out
}

// LossSeries are the losses of a training as curves; validation has no points
// where none was held out.
func LossSeries(h *train.History) (training, validation figure.Series) {
	steps := func(step []int) (x []float64) {
		for _, s := range step {
			x = append(x, float64(s))
		}
		return x
	}
	return figure.Series{X: steps(h.Step), Y: h.Loss}, figure.Series{X: steps(h.ValidationStep), Y: h.Validation}
}
