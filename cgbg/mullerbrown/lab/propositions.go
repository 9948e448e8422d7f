package lab

import (
	"context"
	"errors"

	"github.com/cgbg-go/lab/cgbg/mullerbrown"
)

// Proposition1 evaluates both sides of Eq. 14 for the learned potential on the
// domain, with a rigorous lower bound of the log-Sobolev constant.
func (m *Lab) Proposition1(ctx context.Context) (mullerbrown.Divergence, mullerbrown.Bound, error) {
	var none mullerbrown.Divergence
	bound, err := mullerbrown.LogSobolev(mullerbrown.FreeEnergy, mullerbrown.DomainLo, mullerbrown.DomainHi)
	if err != nil {
		return none, bound, err
	}
	rule, err := mullerbrown.NewRule(mullerbrown.DomainLo, mullerbrown.DomainHi, 160)
	if err != nil {
		return none, bound, err
	}
	u, f, err := m.pmfOnLine(ctx, rule.X)
	if err != nil {
		return none, bound, err
	}
	d, err := mullerbrown.Prop1(rule, u, f, bound.Rho)
	return d, bound, err
}

// Proposition2 compares, in narrow windows of x, how y is distributed among the
// unbiased and the umbrella's frames: alike, since the bias depends on x alone.
// Windows that too few trajectories visit are left out, unless all are.
func (m *Lab) Proposition2(ctx context.Context) ([]*mullerbrown.ConditionalTest, error) {
	sets, err := m.both(ctx)
	if err != nil {
		return nil, err
	}
	const width = 0.5
	var tests []*mullerbrown.ConditionalTest
	var sparse error
	for _, x := range []float64{20, 24, 28, 32, 36} {
		test, err := mullerbrown.CompareConditional(sets[0], sets[1], x-width/2, x+width/2, 1)
		switch {
		case err == nil:
			tests = append(tests, test)
		case errors.Is(err, mullerbrown.ErrSparse):
			sparse = err
		default:
			return nil, err
		}
	}
	if tests == nil {
		return nil, sparse
	}
	return tests, nil
}

// Proposition3 is the best mean force that each set of frames leads to: by
// Proposition 3 the same, the exact one.
type Proposition3 struct {
	X                []float64
	Exact            []float64
	Unbiased, Biased []float64 // least-squares splines
	UnbiasedError    []float64 // standard errors, from the scatter of trajectories
	BiasedError      []float64
}

// Proposition3 fits the mean force in closed form, cubic splines by least
// squares, to the unbiased and to the umbrella's frames with their unbiased
// forces.
func (m *Lab) Proposition3(ctx context.Context) (*Proposition3, error) {
	sets, err := m.both(ctx)
	if err != nil {
		return nil, err
	}
	const lo, hi, intervals, points = 16, 44, 24, 113
	p := &Proposition3{}
	for i := range points {
		x := lo + (hi-lo)*float64(i)/(points-1)
		p.X, p.Exact = append(p.X, x), append(p.Exact, mullerbrown.MeanForce(x))
	}
	for i, force := range []struct{ f, err *[]float64 }{{&p.Unbiased, &p.UnbiasedError}, {&p.Biased, &p.BiasedError}} {
		fit, err := mullerbrown.FitForce(sets[i].X, sets[i].Fx, lo, hi, intervals, 1)
		if err != nil {
			return nil, err
		}
		for _, x := range p.X {
			f, sem := fit.At(x)
			*force.f, *force.err = append(*force.f, f), append(*force.err, sem)
		}
	}
	return p, nil
}

// both returns the unbiased and the umbrella's trajectories.
func (m *Lab) both(ctx context.Context) (sets [2]*mullerbrown.Trajectories, err error) {
	for i, biased := range []bool{false, true} {
		if sets[i], err = m.Simulate(ctx, biased, nil); err != nil {
			return sets, err
		}
	}
	return sets, nil
}
