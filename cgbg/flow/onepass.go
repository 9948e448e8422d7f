package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/cgbg-go/lab/cgbg/zmatrix"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// A Spline carries the prior N(0, I) of all 3*beads components to the beads as vector fields do, but in one pass: the
// first 3*beads − 6 are the base of the couplings, three make the rotation, three the centre. So samples, densities
// and their checks are the same for both kinds of flows.

// OnePass tells whether the flow is exact in one pass, a [Spline], so that samples and densities cost next to nothing.
func (m *Model) OnePass() bool {
	_, ok := m.Network.(Spline)
	return ok
}

// passes evaluates the couplings of a model; numbers come and go in float64.
type passes struct {
	f             Spline
	single        bool // couplings are computed in float32
	store         *model.Store
	toBase, fromB *model.Exec
}

// passes compiles the couplings once for each precision.
func (m *Model) passes(f Spline, single bool) (*passes, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slot := &m.doublePass
	if single {
		slot = &m.singlePass
	}
	if *slot != nil {
		return *slot, nil
	}
	store := m.Store
	if store == nil {
		return nil, errFinalized
	}
	var err error
	if !single {
		if store, err = train.Float64(m.Store); err != nil {
			return nil, fmt.Errorf("flow: %w", err)
		}
	}
	p := &passes{f: f, single: single, store: store}
	compile := func(way func(weights, *graph.Node) (out, slopes *graph.Node)) *model.Exec {
		exec, e := model.NewExec(m.backend, store, func(_ *model.Scope, x *graph.Node) (*graph.Node, *graph.Node) {
			out, slopes := way(params(store, x), graph.Transpose(x, 0, 1))
			return graph.Transpose(out, 0, 1), total(slopes, true)
		})
		err = errors.Join(err, e)
		return exec
	}
	p.toBase, p.fromB = compile(f.toBase), compile(f.fromBase)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	*slot = p
	return p, nil
}

func (p *passes) finalize(shared *model.Store) {
	p.toBase.Finalize()
	p.fromB.Finalize()
	if p.store != shared {
		p.store.Finalize()
	}
}

// pass is transport of a flow that is exact in one pass: from the prior to states if t1 > t0, or back.
func (m *Model) pass(ctx context.Context, f Spline, x []float64, forth bool, acc Accuracy,
	progress func(done, total int, note string)) (*transported, error) {
	p, err := m.passes(f, acc.Single)
	if err != nil {
		return nil, err
	}
	dim := f.Dim()
	n := len(x) / dim
	out := &transported{x: make([]float64, len(x)), integral: make([]float64, n), errors: make([]float64, n),
		evaluations: 1}
	var mu sync.Mutex
	done := 0
	return out, inBatches(n, acc.Batch, func(start, end int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		way := p.back
		if forth {
			way = p.forth
		}
		if err := way(m.Std, x[start*dim:end*dim], out.x[start*dim:end*dim], out.integral[start:end]); err != nil {
			return fmt.Errorf("flow: samples %d to %d: %w", start, end-1, err)
		}
		mu.Lock()
		defer mu.Unlock()
		done += end - start
		if progress != nil {
			progress(done, n, "")
		}
		return nil
	})
}

// forth carries points z of the prior to states x, both [n*dim], with ln |∂x/∂z|, [n].
func (p *passes) forth(std float64, z, x, logDet []float64) error {
	dim, k := p.f.Dim(), len(p.f.Circle)
	n := len(logDet)
	base := make([]float64, n*k)
	for i := range n {
		for c, v := range z[i*dim : i*dim+k] {
			if p.f.Circle[c] {
				logDet[i] += math.Log(2*math.Pi) + logNormal([]float64{v})
				v = 2*math.Pi*normalCDF(v) - math.Pi
			}
			base[i*k+c] = v
		}
	}
	inner, slopes, err := p.run(p.fromB, base)
	if err != nil {
		return err
	}
	q, standard, body := make([]float64, k), make([]float64, k), make([]float64, dim)
	for i := range n {
		p.f.internal(inner[i*k:(i+1)*k], q)
		logDet[i] += slopes[i] - p.f.standard(q, standard) + p.f.Matrix.LogVolume(q)
		p.f.Matrix.Place(q, body)
		rest := z[i*dim+k : (i+1)*dim]
		var u [3]float64
		for c := range u {
			u[c] = normalCDF(rest[c])
			logDet[i] += logNormal(rest[c : c+1])
		}
		logDet[i] += zmatrix.LogRotations
		rotation, centre := quaternionOf(u), centreOf(body)
		scale := 1 / math.Sqrt(float64(p.f.Matrix.Beads)) // of the centre, standardised units
		for b := range p.f.Matrix.Beads {
			v := [axes]float64(body[axes*b : axes*b+axes])
			for c := range v {
				v[c] -= centre[c]
			}
			for c, v := range turn(rotation, v) {
				x[i*dim+axes*b+c] = v/std + scale*rest[3+c]
			}
		}
		logDet[i] += p.rigid(std)
	}
	return nil
}

// rigid is ln |∂x/∂R| with that of the centre, R nm and x in standardised units: the centre is z/√beads there.
func (p *passes) rigid(std float64) float64 {
	return -float64(p.f.Dim()-axes)*math.Log(std) - 0.5*axes*math.Log(float64(p.f.Matrix.Beads))
}

// back is the inverse of forth; logDet is again ln |∂x/∂z|.
func (p *passes) back(std float64, x, z, logDet []float64) error {
	dim, k := p.f.Dim(), len(p.f.Circle)
	n := len(logDet)
	inner := make([]float64, n*k)
	q, r := make([]float64, k), make([]float64, dim)
	for i := range n {
		for c, v := range x[i*dim : (i+1)*dim] {
			r[c] = v * std
		}
		p.f.Matrix.Internal(r, q)
		logDet[i] = p.f.Matrix.LogVolume(q) - p.f.standard(q, inner[i*k:(i+1)*k]) + zmatrix.LogRotations + p.rigid(std)
		rest := z[i*dim+k : (i+1)*dim]
		for c, u := range uniformOf(p.f.Matrix.Orientation(r)) {
			rest[c] = normalQuantile(u)
			logDet[i] += logNormal(rest[c : c+1])
		}
		centre := centreOf(r)
		for c, v := range centre {
			rest[3+c] = v / std * math.Sqrt(float64(p.f.Matrix.Beads))
		}
	}
	base, slopes, err := p.run(p.toBase, inner)
	if err != nil {
		return err
	}
	for i := range n {
		logDet[i] -= slopes[i]
		for c, v := range base[i*k : (i+1)*k] {
			if p.f.Circle[c] {
				v = normalQuantile((v + math.Pi) / (2 * math.Pi))
				logDet[i] += math.Log(2*math.Pi) + logNormal([]float64{v})
			}
			z[i*dim+c] = v
		}
	}
	return nil
}

// run evaluates one way of the couplings. Batches are padded to powers of two, so that few shapes are compiled.
func (p *passes) run(exec *model.Exec, x []float64) (out, slopes []float64, err error) {
	k := len(p.f.Circle)
	n := len(x) / k
	rows := 8
	for rows < n {
		rows *= 2
	}
	e := evaluator{single: p.single}
	in := e.tensor(x, rows, k)
	defer in.FinalizeAll()
	result, err := exec.Exec(in)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		for _, t := range result {
			t.FinalizeAll()
		}
	}()
	out, slopes = make([]float64, n*k), make([]float64, n)
	if err := e.read(result[0], out); err != nil {
		return nil, nil, err
	}
	return out, slopes, tensors.ConstFlatData(result[1], func(flat []float64) { copy(slopes, flat) })
}

// quaternionOf is the rotation of three numbers uniform in [0, 1), [w, x, y, z]: uniform over all rotations, each of
// which has one such triple. Source: K. Shoemake, Graphics Gems III (1992) 124; the half of its quaternions that are
// not the negatives of others.
func quaternionOf(u [3]float64) [4]float64 {
	s2, c2 := math.Sincos(2 * math.Pi * u[1])
	s3, c3 := math.Sincos(math.Pi * u[2])
	p, q := math.Sqrt(1-u[0]), math.Sqrt(u[0])
	return [4]float64{q * c3, p * s2, p * c2, q * s3}
}

// uniformOf is the inverse of quaternionOf, of a rotation as a matrix.
func uniformOf(turn [axes][axes]float64) (u [3]float64) {
	x, y, z, w := quaternion(turn)
	angle := math.Atan2(z, w) // in [0, π) of the right one of both signs
	if angle < 0 || angle >= math.Pi {
		x, y, z, w = -x, -y, -z, -w
		angle = math.Atan2(z, w)
	}
	u[0] = min(1, z*z+w*w)
	u[1] = math.Atan2(x, y) / (2 * math.Pi)
	u[1] -= math.Floor(u[1])
	u[2] = min(max(angle/math.Pi, 0), 1)
	return u
}

// quaternion is that of a rotation, by its largest component. Source: S. W. Shepperd, J. Guidance and Control 1 (1978)
// 223.
func quaternion(t [axes][axes]float64) (x, y, z, w float64) {
	trace := t[0][0] + t[1][1] + t[2][2]
	switch {
	case trace >= max(t[0][0], t[1][1], t[2][2]):
		w = math.Sqrt(1+trace) / 2
		return (t[2][1] - t[1][2]) / (4 * w), (t[0][2] - t[2][0]) / (4 * w), (t[1][0] - t[0][1]) / (4 * w), w
	case t[0][0] >= max(t[1][1], t[2][2]):
		x = math.Sqrt(1+2*t[0][0]-trace) / 2
		return x, (t[0][1] + t[1][0]) / (4 * x), (t[0][2] + t[2][0]) / (4 * x), (t[2][1] - t[1][2]) / (4 * x)
	case t[1][1] >= t[2][2]:
		y = math.Sqrt(1+2*t[1][1]-trace) / 2
		return (t[0][1] + t[1][0]) / (4 * y), y, (t[1][2] + t[2][1]) / (4 * y), (t[0][2] - t[2][0]) / (4 * y)
	}
	z = math.Sqrt(1+2*t[2][2]-trace) / 2
	return (t[0][2] + t[2][0]) / (4 * z), (t[1][2] + t[2][1]) / (4 * z), z, (t[1][0] - t[0][1]) / (4 * z)
}

// centreOf is the geometric centre of beads, [3*beads].
func centreOf(r []float64) (centre [axes]float64) {
	for i, v := range r {
		centre[i%axes] += v * axes / float64(len(r))
	}
	return centre
}

func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// normalQuantile is the inverse of normalCDF; the ends, which rounding may reach, are pulled in.
func normalQuantile(u float64) float64 {
	u = min(max(u, 1e-300), 1-0x1p-53)
	return -math.Sqrt2 * math.Erfcinv(2*u)
}
