package pmf

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Prior is an analytic energy under a network, which keeps a molecule together
// where there are no data:
//
//	U = Σ ½k(d−d₀)² + Σ ½k(cos θ−c₀)² + Σ ε(σ/d)⁶
//
// over bonds, angles, and pairs that repel. The angles are harmonic in the
// cosine, whose force has no singularity at 0 and π. The network learns what the
// forces of the data leave over. Its zero value is no energy. Units: nm, kJ/mol.
type Prior struct {
	Bonds      []Bond
	Angles     []Angle
	Repulsions []Repulsion
}

// Bond is a spring between beads I and J.
type Bond struct {
	I, J   int
	Length float64 // d₀, nm
	K      float64 // kJ/mol/nm²
}

// Angle is a spring on the cosine of the angle at bead J between I and L.
type Angle struct {
	I, J, L int
	Cos     float64 // c₀
	K       float64 // kJ/mol
}

// Repulsion keeps beads I and J apart.
type Repulsion struct {
	I, J    int
	Sigma   float64 // nm
	Epsilon float64 // kJ/mol
}

// NewPrior estimates a prior from frames by Boltzmann inversion of Gaussians:
// k = kT/variance, of the lengths of bonds and of the cosines of all angles
// between two of them. The volume elements are left out: uniform in cos θ, and
// d², which hardly varies over a bond's width. Pairs further apart along the chain
// repel with an energy of kT at their least distance in the frames.
//
// frames: [n, beads, 3], flattened, nm; bonds: pairs of beads; kT in kJ/mol;
// box: lengths of a periodic box, or nil.
// Errors: no frames; a bond of no two beads; a bond or angle that does not vary.
func NewPrior(frames []float32, beads int, bonds [][2]int, kT float64, box []float64) (Prior, error) {
	var p Prior
	if beads < 2 || len(frames) == 0 || len(frames)%(3*beads) != 0 {
		return p, fmt.Errorf("pmf: prior: %d numbers are no frames of %d beads", len(frames), beads)
	}
	excluded := map[[2]int]bool{}
	exclude := func(i, j int) { excluded[[2]int{min(i, j), max(i, j)}] = true }
	for k, b := range bonds {
		if i, j := b[0], b[1]; i == j || min(i, j) < 0 || max(i, j) >= beads {
			return p, fmt.Errorf("pmf: prior: bond %d joins beads %d and %d of %d", k, i, j, beads)
		}
		p.Bonds = append(p.Bonds, Bond{I: b[0], J: b[1]})
		exclude(b[0], b[1])
		for _, c := range bonds[:k] {
			for _, ends := range [][4]int{{b[0], b[1], c[0], c[1]}, {b[1], b[0], c[0], c[1]}, {b[0], b[1], c[1], c[0]},
				{b[1], b[0], c[1], c[0]}} {
				if ends[1] == ends[2] && ends[0] != ends[3] {
					p.Angles = append(p.Angles, Angle{I: ends[0], J: ends[1], L: ends[3]})
					exclude(ends[0], ends[3])
				}
			}
		}
	}
	first, second := Pairs(beads)
	for k := range first {
		if i, j := int(first[k]), int(second[k]); !excluded[[2]int{i, j}] {
			p.Repulsions = append(p.Repulsions, Repulsion{I: i, J: j, Sigma: math.Inf(1), Epsilon: kT})
		}
	}
	lengths, cosines := make([]moments, len(p.Bonds)), make([]moments, len(p.Angles))
	for ; len(frames) > 0; frames = frames[3*beads:] {
		for k, b := range p.Bonds {
			lengths[k].add(math.Sqrt(dot(edge(frames, b.I, b.J, box), edge(frames, b.I, b.J, box))))
		}
		for k, a := range p.Angles {
			u, v := edge(frames, a.J, a.I, box), edge(frames, a.J, a.L, box)
			cosines[k].add(dot(u, v) / math.Sqrt(dot(u, u)*dot(v, v)))
		}
		for k, pair := range p.Repulsions {
			d := edge(frames, pair.I, pair.J, box)
			p.Repulsions[k].Sigma = min(pair.Sigma, math.Sqrt(dot(d, d)))
		}
	}
	for k, m := range lengths {
		b := &p.Bonds[k]
		b.Length, b.K = m.mean, kT/m.variance()
		if !(m.variance() > 1e-10*m.mean*m.mean) {
			return p, fmt.Errorf("pmf: prior: the bond of beads %d and %d does not vary: a constrained bond needs "+
				"no spring, leave it out", b.I, b.J)
		}
	}
	for k, m := range cosines {
		a := &p.Angles[k]
		a.Cos, a.K = m.mean, kT/m.variance()
		if !(m.variance() > 1e-10) {
			return p, fmt.Errorf("pmf: prior: the angle of beads %d, %d and %d does not vary: leave out one of its "+
				"bonds", a.I, a.J, a.L)
		}
	}
	return p, nil
}

// moments are mean and variance (Welford's recurrence).
type moments struct{ n, mean, sum float64 }

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.sum += d * (x - m.mean)
}

func (m *moments) variance() float64 { return m.sum / m.n }

func edge[T float32 | float64](r []T, i, j int, box []float64) (d [3]float64) {
	for axis := range d {
		d[axis] = float64(r[3*j+axis]) - float64(r[3*i+axis])
		if box != nil {
			d[axis] -= box[axis] * math.Floor(d[axis]/box[axis]+0.5)
		}
	}
	return d
}

func dot(u, v [3]float64) float64 { return u[0]*v[0] + u[1]*v[1] + u[2]*v[2] }

func (p Prior) empty() bool { return len(p.Bonds)+len(p.Angles)+len(p.Repulsions) == 0 }

// check reports the first term that makes no sense.
func (p Prior) check(beads int) error {
	bead := func(list ...int) error {
		for k, i := range list {
			if i < 0 || i >= beads || k > 0 && i == list[k-1] {
				return fmt.Errorf("pmf: prior: a term of beads %v: they must be different and below %d", list, beads)
			}
		}
		return nil
	}
	var all []error
	for _, b := range p.Bonds {
		all = append(all, bead(b.I, b.J))
	}
	for _, a := range p.Angles {
		all = append(all, bead(a.I, a.J, a.L), bead(a.I, a.L))
	}
	for _, r := range p.Repulsions {
		all = append(all, bead(r.I, r.J))
	}
	return errors.Join(all...)
}

// energy builds U, [batch].
//
// r: [batch, 3·beads], nm.
func (p Prior) energy(r *graph.Node, box []float64) *graph.Node {
	var terms []*graph.Node
	constant := func(values []float64) *graph.Node {
		return graph.ConvertDType(graph.ConstTensor(r.Graph(),
			tensors.FromFlatDataAndDimensions(values, len(values), 1)), r.DType())
	}
	// spring is the sum of ½k(x−x₀)².
	spring := func(x *graph.Node, at, k []float64) {
		energy := graph.Mul(graph.Square(graph.Sub(x, constant(at))), constant(k))
		terms = append(terms, graph.MulScalar(graph.ReduceSum(energy, 0), 0.5))
	}
	square := func(first, second []int) *graph.Node {
		d := edges(r, first, second, box)
		return graph.AddScalar(product(d, d), tiny(r.DType()))
	}
	if len(p.Bonds) > 0 {
		var first, second []int
		var at, k []float64
		for _, b := range p.Bonds {
			first, second = append(first, b.I), append(second, b.J)
			at, k = append(at, b.Length), append(k, b.K)
		}
		spring(graph.Sqrt(square(first, second)), at, k)
	}
	if len(p.Angles) > 0 {
		var middle, first, second []int
		var at, k []float64
		for _, a := range p.Angles {
			middle, first, second = append(middle, a.J), append(first, a.I), append(second, a.L)
			at, k = append(at, a.Cos), append(k, a.K)
		}
		norm := graph.Sqrt(graph.Mul(square(middle, first), square(middle, second)))
		spring(graph.Div(product(edges(r, middle, first, box), edges(r, middle, second, box)), norm), at, k)
	}
	if len(p.Repulsions) > 0 {
		var first, second []int
		var sigma, epsilon []float64
		for _, s := range p.Repulsions {
			first, second = append(first, s.I), append(second, s.J)
			sigma, epsilon = append(sigma, s.Sigma*s.Sigma), append(epsilon, s.Epsilon)
		}
		x := graph.Div(constant(sigma), square(first, second))
		terms = append(terms, graph.ReduceSum(graph.Mul(graph.Mul(graph.Square(x), x), constant(epsilon)), 0))
	}
	sum := terms[0]
	for _, t := range terms[1:] {
		sum = graph.Add(sum, t)
	}
	return sum
}

// edges builds R_second − R_first, nm, per axis [pairs, batch], in the nearest image.
func edges(r *graph.Node, first, second []int, box []float64) (d [3]*graph.Node) {
	for axis := range d {
		d[axis] = differences(r, first, second, axis, 1)
		if box != nil {
			d[axis] = nearest(d[axis], box[axis])
		}
	}
	return d
}

func product(u, v [3]*graph.Node) *graph.Node {
	return graph.Add(graph.Add(graph.Mul(u[0], v[0]), graph.Mul(u[1], v[1])), graph.Mul(u[2], v[2]))
}

// differences builds an axis of R_second − R_first in units of length,
// [pairs, batch], by a constant matrix: see PairMLP.
func differences[T int | int32](r *graph.Node, first, second []T, axis int, length float64) *graph.Node {
	width := r.Shape().Dim(1)
	matrix := make([]float64, len(first)*width)
	for k := range first {
		matrix[k*width+3*int(first[k])+axis] = -1 / length
		matrix[k*width+3*int(second[k])+axis] = 1 / length
	}
	m := graph.ConvertDType(graph.ConstTensor(r.Graph(), tensors.FromFlatDataAndDimensions(matrix, len(first), width)),
		r.DType())
	return graph.Einsum("pk,bk->pb", m, r)
}

// nearest moves differences to the nearest image of a periodic length.
func nearest(x *graph.Node, length float64) *graph.Node {
	image := graph.StopGradient(graph.Floor(graph.AddScalar(graph.MulScalar(x, 1/length), 0.5)))
	return graph.Sub(x, graph.MulScalar(image, length))
}
