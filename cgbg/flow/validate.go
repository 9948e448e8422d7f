package flow

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// likelihoodBlocks are blocks of time that the error of a likelihood comes from.
const likelihoodBlocks = 10

// Likelihood is the mean of −ln q over held-out frames.
type Likelihood struct {
	Mean, Error float64 // nats per frame, standardised units; standard error
	Frames      int
	Evaluations float64 // velocity evaluations per frame
	Divergences float64 // divergence evaluations per frame
	// means of the blocks, nats per frame: from them differences of flows on the same frames are better known than
	// either
	Blocks []float64
}

// NegLogLikelihood is the mean of −ln q over n of the given frames, evenly
// spaced, in nats per frame and standardised units, by exact integration back to
// the prior, with its standard error from 10 blocks of frames in their order of
// time. Frames of a rigid body are centred, shifted and turned at random first,
// as in training. It falls by one nat where q is e times as large.
//
// frames: held out of training, [n*dim], physical units. Errors: fewer than 20 frames.
func (m *Model) NegLogLikelihood(ctx context.Context, frames []float32, n int, seed uint64, acc Accuracy,
	progress func(done, total int, note string)) (*Likelihood, error) {
	dim := m.Network.Dim()
	have := len(frames) / dim
	if n = min(n, have); n < 2*likelihoodBlocks {
		return nil, fmt.Errorf("flow: a likelihood of %d frames: at least %d", n, 2*likelihoodBlocks)
	}
	_, out, err := m.backFrom(ctx, frames, n, seed, acc, progress)
	if err != nil {
		return nil, err
	}
	l := &Likelihood{Frames: n, Evaluations: out.evaluations, Divergences: out.divergences}
	logq := out.logQ(dim)
	l.Blocks = make([]float64, likelihoodBlocks)
	for b := range l.Blocks {
		lo, hi := b*n/likelihoodBlocks, (b+1)*n/likelihoodBlocks
		for _, v := range logq[lo:hi] {
			l.Blocks[b] -= v / float64(hi-lo)
		}
	}
	l.Mean, l.Error = meanOfBlocks(l.Blocks)
	return l, nil
}

// FramesLogQ is ln q of n of the frames, evenly spaced and moved at random, as NegLogLikelihood has them, with the
// positions that it is of, as [Samples] have them.
//
// frames: [all*dim], physical units; r: [n*dim]; logq: [n], standardised units, nats.
func (m *Model) FramesLogQ(ctx context.Context, frames []float32, n int, seed uint64, acc Accuracy,
	progress func(done, total int, note string)) (r, logq []float64, err error) {
	r, out, err := m.backFrom(ctx, frames, min(n, len(frames)/m.Network.Dim()), seed, acc, progress)
	if err != nil {
		return nil, nil, err
	}
	return r, out.logQ(m.Network.Dim()), nil
}

// backFrom moves n of the frames to the prior.
func (m *Model) backFrom(ctx context.Context, frames []float32, n int, seed uint64, acc Accuracy,
	progress func(done, total int, note string)) (r []float64, out *transported, err error) {
	dim := m.Network.Dim()
	have := len(frames) / dim
	rng := rand.New(rand.NewPCG(seed, 0x6e6c6c))
	r = make([]float64, 0, n*dim)
	for k := range n {
		r = append(r, m.moved(frames, k*have/n, rng)...)
	}
	out, err = m.transport(ctx, m.Standardise(r), 1, 0, acc, progress)
	return r, out, err
}

// Less is how much less than the other's −ln q is, nats per frame, with the
// standard error of the difference, block by block; both of the same frames.
func (l *Likelihood) Less(other *Likelihood) (mean, err float64) {
	d := make([]float64, len(l.Blocks))
	for b := range d {
		d[b] = other.Blocks[b] - l.Blocks[b]
	}
	return meanOfBlocks(d)
}

// meanOfBlocks is the mean of independent blocks with its standard error.
func meanOfBlocks(blocks []float64) (mean, err float64) {
	n := float64(len(blocks))
	for _, v := range blocks {
		mean += v / n
	}
	for _, v := range blocks {
		err += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(err / n / (n - 1))
}

// moved is frame i as training sees it.
func (m *Model) moved(frames []float32, i int, rng *rand.Rand) []float64 {
	dim := m.Network.Dim()
	out := make([]float64, dim)
	for k := range out {
		out[k] = m.centred(frames, i*dim+k)
	}
	if m.Beads == 0 {
		return out
	}
	var q [4]float64
	var norm float64
	for k := range q {
		q[k] = rng.NormFloat64()
		norm += q[k] * q[k]
	}
	for k := range q {
		q[k] /= math.Sqrt(norm)
	}
	var shift [axes]float64
	for k := range shift {
		shift[k] = m.Std * rng.NormFloat64() / math.Sqrt(float64(m.Beads))
	}
	for b := range m.Beads {
		turned := turn(q, [axes]float64(out[axes*b:]))
		for k := range turned {
			out[axes*b+k] = turned[k] + shift[k]
		}
	}
	return out
}

// turn rotates v by the unit quaternion q = [w, x, y, z]: v + 2w(u×v) + 2u×(u×v).
func turn(q [4]float64, v [axes]float64) [axes]float64 {
	cross := func(a, b [axes]float64) [axes]float64 {
		return [axes]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
	}
	u := [axes]float64(q[1:])
	first := cross(u, v)
	second := cross(u, first)
	for k := range v {
		v[k] += 2*q[0]*first[k] + 2*second[k]
	}
	return v
}
