package cgmap

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// A force map B sends the forces f on atoms to forces B·f on the beads of the
// linear map R = C·r. Where B·Cᵀ is the identity, and every group of atoms that
// constraints hold together has one coefficient, B·f is an unbiased sample of the
// mean force: all such maps have the same mean and differ in noise.
// Sources: Ciccotti, Kapral and Vanden-Eijnden, ChemPhysChem 6 (2005) 1809;
// Noid et al., J. Chem. Phys. 128 (2008) 244114; Krämer et al., J. Phys. Chem.
// Lett. 14 (2023) 3970, doi 10.1021/acs.jpclett.3c00444.

// ErrForceMap reports beads that no unbiased force map exists for.
var ErrForceMap = errors.New("no unbiased force map")

// Matrix is the map as a matrix, [beads, atoms], whose rows sum to 1.
func (m *Map) Matrix() *mat.Dense { return m.Sparse().Dense() }

// Gram adds up f·fᵀ of forces, mean over x, y and z: what the noise of any force
// map follows from.
type Gram struct {
	sum *mat.SymDense
	n   int
}

// Add takes a frame's forces, [atoms, 3].
func (g *Gram) Add(f []float32) error {
	atoms := len(f) / 3
	if g.sum == nil {
		g.sum = mat.NewSymDense(atoms, nil)
	}
	if g.sum.SymmetricDim() != atoms || len(f) != 3*atoms {
		return fmt.Errorf("cgmap: forces on %d atoms, on %d before", atoms, g.sum.SymmetricDim())
	}
	raw := g.sum.RawSymmetric()
	for i := range atoms {
		x, y, z := float64(f[3*i]), float64(f[3*i+1]), float64(f[3*i+2])
		row := raw.Data[i*raw.Stride:]
		for j := i; j < atoms; j++ {
			row[j] += (x*float64(f[3*j]) + y*float64(f[3*j+1]) + z*float64(f[3*j+2])) / 3
		}
	}
	g.n++
	return nil
}

// Frames is the number of frames added.
func (g *Gram) Frames() int { return g.n }

// RMS is the root mean square of a component of the force that a force map
// gives each bead, [beads], kJ/mol/nm: mean force and noise together. Of two
// unbiased maps the difference of the squares is noise alone.
func (g *Gram) RMS(b *mat.Dense) []float64 {
	beads, _ := b.Dims()
	out := make([]float64, beads)
	for i := range out {
		row := b.RowView(i)
		out[i] = math.Sqrt(math.Max(0, mat.Inner(row, g.sum, row)) / float64(g.n))
	}
	return out
}

// MeanRMS is the root of the mean over beads of RMS².
func MeanRMS(rms []float64) float64 {
	sum := 0.0
	for _, v := range rms {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(rms)))
}

// ridge keeps the least noisy map from leaning on chance correlations, as a
// fraction of the mean square force on an atom.
const ridge = 1e-6

// LeastNoise is the unbiased force map of least mean square force, and so of
// least noise, for the linear map c, [beads, atoms]. rigid lists groups of atoms
// held together by constraints; may be nil.
// Errors: ErrForceMap where the constraints leave a bead no freedom.
func (g *Gram) LeastNoise(c *mat.Dense, rigid [][]int) (*mat.Dense, error) {
	return forceMap(c, g.sum, rigid, ridge)
}

// maxCondition of C·Cᵀ: beads that are independent but for rounding have more.
const maxCondition = 1e10

// Basic is the unbiased force map of least squared coefficients, (C·Cᵀ)⁻¹·C where
// nothing is rigid: that of a slice takes the force on the bead's own atom.
// Arguments and errors are those of LeastNoise.
func Basic(c *mat.Dense, rigid [][]int) (*mat.Dense, error) {
	beads, _ := c.Dims()
	short, group, size, err := reduce(c, rigid)
	if err != nil {
		return nil, err
	}
	if len(rigid) > 0 { // of atoms that share a coefficient
		short.Apply(func(_, k int, v float64) float64 { return v / math.Sqrt(max(1, size[k])) }, short)
	}
	inner := mat.NewSymDense(beads, nil) // a matrix of beads is enough, where there are many atoms
	inner.SymOuterK(1, short)
	var chol mat.Cholesky
	if !chol.Factorize(inner) || chol.Cond() > maxCondition {
		if len(rigid) > 0 {
			return nil, fmt.Errorf("cgmap: %w: constraints hold beads together, or beads are not independent",
				ErrForceMap)
		}
		return nil, fmt.Errorf("cgmap: %w: the beads are not independent", ErrForceMap)
	}
	var b mat.Dense
	if err := chol.SolveTo(&b, short); err != nil || len(rigid) == 0 {
		return &b, err
	}
	out := mat.NewDense(beads, len(group), nil)
	out.Apply(func(k, i int, _ float64) float64 { return b.At(k, group[i]) / math.Sqrt(max(1, size[group[i]])) }, out)
	return out, nil
}

// reduce adds up the columns of atoms that rigid groups hold together. group: the column of each atom; size: the atoms
// of each column.
func reduce(c *mat.Dense, rigid [][]int) (short *mat.Dense, group []int, size []float64, err error) {
	beads, atoms := c.Dims()
	group = make([]int, atoms)
	for i := range group {
		group[i] = -1
	}
	for n, atomsOf := range rigid {
		for _, a := range atomsOf {
			if a < 0 || a >= atoms || group[a] >= 0 {
				return nil, nil, nil, fmt.Errorf("cgmap: rigid groups: atom %d (from 0) is not there or in two "+
					"groups; join them", a)
			}
			group[a] = n
		}
	}
	size = make([]float64, len(rigid), atoms)
	for i, k := range group {
		if k < 0 {
			group[i] = len(size)
			size = append(size, 0)
		}
		size[group[i]]++
	}
	short = mat.NewDense(beads, len(size), nil)
	for k := range beads {
		for i, v := range c.RawRowView(k) {
			if v != 0 {
				short.Set(k, group[i], short.At(k, group[i])+v)
			}
		}
	}
	return short, group, size, nil
}

// forceMap minimises bᵀ·G·b for every bead under C·b = its unit vector, by the
// conditions of Karush, Kuhn and Tucker: b = G⁻¹·Cᵀ·(C·G⁻¹·Cᵀ)⁻¹.
func forceMap(c *mat.Dense, gram *mat.SymDense, rigid [][]int, ridge float64) (*mat.Dense, error) {
	beads, atoms := c.Dims()
	short, group, size, err := reduce(c, rigid)
	if err != nil {
		return nil, err
	}
	n := len(size)
	small := mat.NewSymDense(n, nil)
	trace := 0.0
	for i := range atoms {
		trace += gram.At(i, i) / float64(atoms)
		for j := range atoms {
			if a, b := group[i], group[j]; a <= b {
				small.SetSym(a, b, small.At(a, b)+gram.At(i, j))
			}
		}
	}
	for k := range n {
		small.SetSym(k, k, small.At(k, k)+ridge*trace)
	}
	var chol mat.Cholesky
	if !chol.Factorize(small) {
		return nil, fmt.Errorf("cgmap: %w: the forces on some atoms are the same in all frames; use more frames",
			ErrForceMap)
	}
	var y, inner, solved mat.Dense
	if err := chol.SolveTo(&y, short.T()); err != nil {
		return nil, fmt.Errorf("cgmap: %w: %w", ErrForceMap, err)
	}
	inner.Mul(short, &y)
	identity := mat.NewDense(beads, beads, nil)
	for k := range beads {
		identity.Set(k, k, 1)
	}
	if err := solved.Solve(&inner, identity); err != nil {
		return nil, fmt.Errorf("cgmap: %w: constraints hold beads together, or beads are not independent (%w)",
			ErrForceMap, err)
	}
	var beta mat.Dense
	beta.Mul(&y, &solved)
	b := mat.NewDense(beads, atoms, nil)
	for k := range beads {
		for i := range atoms {
			b.Set(k, i, beta.At(group[i], k))
		}
	}
	return b, nil
}
