package cgbg

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cgbg-go/lab/cgbg/flow"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
)

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

// Propose draws samples with their exact log-density, and with a potential their weights, into a file (R, logq, u,
// logw), or takes up those that are there, and reads them. A run that was stopped goes on after its last whole part.
//
// Errors: those of the options, the flow and the potential; ctx.Err(), wrapped.
func Propose(ctx context.Context, path string, m *flow.Model, o SampleOptions) (*Proposal, error) {
	if p, err := readProposal(path, o); err == nil {
		return p, nil
	}
	if err := sampleFile(ctx, path, m, o); err != nil {
		return nil, err
	}
	return readProposal(path, o)
}

// Keys of the free-form part of a data file's schema.
const (
	KeyFingerprint = "fingerprint"
	keyAsked       = "asked"
	keyLogQErr     = "logq_error_max"
	keyEvaluations = "evaluations"
	keyDivergences = "divergences"
	keyRefined     = "refined_on" // potentials that the flow was refined on, and their SHA-256
)

func readProposal(path string, o SampleOptions) (*Proposal, error) {
	f, meta, err := ReadKept(path, o.Fingerprint)
	if err != nil {
		return nil, err
	}
	if meta.Extra[keyAsked] != o.asked() {
		return nil, fmt.Errorf("cgbg: %s: %w", path, errOther)
	}
	p := &Proposal{R: data.Widened(f.R), LogQ: f.LogQ, U: f.U, LogW: f.LogW}
	for key, dst := range map[string]*float64{keyLogQErr: &p.LogQErr, keyEvaluations: &p.Evaluations,
		keyDivergences: &p.Divergences} {
		if *dst, err = strconv.ParseFloat(meta.Extra[key], 64); err != nil {
			return nil, fmt.Errorf("cgbg: %s: key %s: %w", path, key, err)
		}
	}
	return p, nil
}

// errOther reports a kept file that was made from other settings or data.
var errOther = errors.New("made from other settings")

// ReadKept reads frames that were kept under a fingerprint. Errors: frames of another one; those of the file.
func ReadKept(path, fingerprint string) (*data.Frames, data.Meta, error) {
	f, meta, err := data.ReadFile(path)
	if err != nil {
		return nil, meta, fmt.Errorf("cgbg: %w", err)
	}
	if meta.Extra[KeyFingerprint] != fingerprint {
		return nil, meta, fmt.Errorf("cgbg: %s: %w", path, errOther)
	}
	return f, meta, nil
}
