package flow

import (
	"context"
	"fmt"
)

// RoundTrip is where frames come out that went back to the prior and forth again,
// with their log-density both ways.
type RoundTrip struct {
	Z         []float64 // in the prior, [n*dim]
	R         []float64 // forth again, physical units, [n*dim]
	LogQBack  []float64 // ln q(x) by integrating back, standardised units, nats, [n]
	LogQForth []float64 // ln q(x) by integrating forth from Z, [n]

	Evaluations float64 // of the velocity on the way back, per frame
	Divergences float64 // likewise
}

// RoundTrip moves frames to the prior and back to the data. An exact solution
// would end where it began, with one log-density: what is missing shows the
// errors of both ways.
//
// r: frames in physical units, [n*dim].
func (m *Model) RoundTrip(ctx context.Context, r []float64, acc Accuracy) (*RoundTrip, error) {
	dim := m.Network.Dim()
	if len(r) == 0 || len(r)%dim != 0 {
		return nil, fmt.Errorf("flow: %d numbers are no frames of %d components", len(r), dim)
	}
	back, err := m.transport(ctx, m.Standardise(r), 1, 0, acc, nil)
	if err != nil {
		return nil, err
	}
	forth, err := m.transport(ctx, back.x, 0, 1, acc, nil)
	if err != nil {
		return nil, err
	}
	return &RoundTrip{Z: back.x, R: m.physical(forth.x), LogQBack: back.logQ(dim), LogQForth: forth.logQForth(back.x),
		Evaluations: back.evaluations, Divergences: back.divergences}, nil
}
