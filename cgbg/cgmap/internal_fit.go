package cgmap

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// controls are forces on hidden atoms along the local axes of their beads, [3·hidden].
func (in *InternalForces) controls(r, f []float32) []float64 {
	out := make([]float64, 0, 3*len(in.hidden))
	for _, h := range in.hidden {
		bead := at(r, in.m.Atoms[h.bead])
		x := at(r, in.m.Atoms[in.around[h.bead][0]]).sub(bead).unit()
		z := x.cross(at(r, in.m.Atoms[in.around[h.bead][1]]).sub(bead)).unit()
		force := at(f, h.atom)
		out = append(out, x.dot(force), z.cross(x).dot(force), z.dot(force))
	}
	return out
}

// shape are lengths of bonds and cosines of angles: what the larger part of a force depends on.
func (in *InternalForces) shape(r []float32) []float64 {
	out := []float64{1}
	for k, b := range in.order[1:] {
		joint := at(r, in.m.Atoms[in.parent[b]])
		bond := at(r, in.m.Atoms[b]).sub(joint)
		out = append(out, bond.norm())
		if k > 0 {
			out = append(out, bond.unit().dot(joint.sub(at(r, in.m.Atoms[in.before(in.parent[b])])).unit()))
		}
	}
	return out
}

// regress finds the weights of controls by least squares, beside what is linear in the shape.
func (in *InternalForces) regress(ctx context.Context, r, f []float32) error {
	width := 3 * in.m.atoms
	n := len(r) / width
	shapes, controls := make([][]float64, n), make([][]float64, n)
	for k := range n {
		shapes[k] = in.shape(r[k*width:])
		controls[k] = in.controls(r[k*width:], f[k*width:])
	}
	for index := range in.motions {
		m := &in.motions[index]
		columns := len(shapes[0]) + 3*len(m.near)
		if n < 4*columns {
			return fmt.Errorf("cgmap: %d frames are too few for forces along internal coordinates: %d or more, or "+
				"another kind of forces", n, 4*columns)
		}
		gram, moments := mat.NewSymDense(columns, nil), mat.NewVecDense(columns, nil)
		for k := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			frame := r[k*width : (k+1)*width]
			if _, sine := in.field(*m, frame); sine < leastSine {
				return in.straight(*m)
			}
			row := append(make([]float64, 0, columns), shapes[k]...)
			for _, h := range m.near {
				row = append(row, controls[k][3*h:3*h+3]...)
			}
			x := mat.NewVecDense(columns, row)
			gram.SymRankOne(gram, 1, x)
			moments.AddScaledVec(moments, in.along(*m, frame, f[k*width:(k+1)*width]), x)
		}
		for i := range columns { // bonds that do not vary, controls in a line
			gram.SetSym(i, i, gram.At(i, i)*(1+1e-9)+1e-9)
		}
		var chol mat.Cholesky
		var solved mat.VecDense
		if !chol.Factorize(gram) || chol.SolveVecTo(&solved, moments) != nil && !math.IsInf(chol.Cond(), 1) {
			return errors.New("cgmap: forces on hidden atoms are the same in all frames; use more frames")
		}
		m.weight = append([]float64(nil), solved.RawVector().Data[len(shapes[0]):]...)
	}
	return nil
}
