package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// evaluateMACE scores the samples of a flow under the published architecture, PREFIX_mace_biased.npz
// of the models that come along: trained on the same forces as the potential of biased ones.
func evaluateMACE(ctx context.Context, g *cgbg.Generator, flowOf string,
	progress cgbg.Progress) (*analysis.Evaluation, *cgbg.Card, error) {
	file, err := g.ShippedModel(g.Prefix + "_mace_biased.npz")
	if err != nil {
		return nil, nil, err
	}
	card, err := cgbg.ReadCard(file)
	if err != nil {
		return nil, nil, err
	}
	f, meta, err := g.Weighed(ctx, flowOf, "mace", file, progress)
	if err != nil {
		return nil, nil, err
	}
	e, err := g.Ask(fmt.Sprintf("%s/%s/mace", g.Name, flowOf), f, meta)
	return e, card, err
}

// corrections compares ways to weigh the samples of a flow under a potential, see corrections.
func corrections(ctx context.Context, g *cgbg.Generator, flowOf,
	pmfOf string) ([]analysis.Correction, reweight.Estimate, error) {
	f, meta, err := g.Samples(ctx, flowOf, pmfOf, nil)
	if err != nil {
		return nil, reweight.Estimate{}, err
	}
	m, _, err := g.OpenFlow(ctx, flowOf, nil)
	if err != nil {
		return nil, reweight.Estimate{}, err
	}
	defer m.Finalize()
	return analysis.Corrections(g.Seed, f, meta, m.Std, g.Reference)
}
