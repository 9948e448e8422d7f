package cgmap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A force map whose coefficients depend on the configuration can be less noisy
// than any linear one. Let B(r) be a motion of all atoms that moves the beads by
// J(R), whatever else it does. Then the mean force along J is
//
//	−J·∇U = ⟨B·f + kT(∇·B − ∇_R·J) | R⟩
//
// (integrate by parts; Ciccotti, Kapral and Vanden-Eijnden, ChemPhysChem 6 (2005) 1809).
// InternalForces takes for J the motions along internal coordinates of the beads: stretching a bond,
// bending an angle, turning about a bond with all that hangs on it; and for B the same,
// with every other atom moving along with the bead that it hangs on. What is rigid then
// does not strain, and its noise is not seen. A translation, or a rotation about an axis through
// beads that stay, has no divergence but at the bead that sets its direction, where B and J have
// the same: the second term is zero.
//
// Motions of a hidden atom alone, along axes that beads set, have no J and no divergence: forces along them
// have mean zero given R, and are control variates. What of the noise is linear in them is taken off.
//
// Forces on beads follow, without net force or torque, which a mean force has not either.

// InternalForces sends forces on atoms to forces on beads; see [LearnInternal].
type InternalForces struct {
	m       *Map
	order   []int     // beads, each after the one that it hangs on
	parent  []int     // of each bead; -1 of the first
	below   [][]int   // of each bead: it, and the beads that hang on it
	moving  [][]int   // of each bead: the atoms that move with it and with those below
	around  [][2]int  // of each bead: the two others that set its local axes
	motions []motion  // 3·beads − 6
	hidden  []control // atoms whose forces are control variates
}

// motion of a bead with what hangs on it.
type motion struct {
	bead, kind int
	near       []int     // of hidden: those close enough to matter
	weight     []float64 // of their forces' components, [3·near]
}

// Kinds of motions.
const (
	stretch = iota
	bend
	turn
)

// control is an atom that is no bead and moves freely.
type control struct{ atom, bead int }

// leastSine of an angle between bonds: in a line, bending has no direction.
const leastSine = 0.05

// LearnInternal finds what hangs on what, and the weights of control variates, from frames.
//
// m: beads that are atoms; bonds: of the molecule ([Molecule.Bonds]); r, f: positions and forces of whole molecules,
// [n*3*atoms], in nm and kJ/mol/nm; rigid: groups of atoms held together by constraints, or nil. Frames of a biased
// simulation do, if the bias is of the beads alone, and forces are without it. Errors: ErrForceMap for beads that are
// no atoms, fewer than three, in a line, or of more than one molecule, and for constraints between what hangs on two
// beads; too few frames.
func LearnInternal(m *Map, bonds [][2]int, r, f []float32, rigid [][]int) (*InternalForces, error) {
	return LearnInternalContext(context.Background(), m, bonds, r, f, rigid)
}

// LearnInternalContext is LearnInternal until ctx ends; its error then is an error, too.
func LearnInternalContext(ctx context.Context, m *Map, bonds [][2]int, r, f []float32, rigid [][]int) (*InternalForces,
	error) {
	if err := checkInternal(m); err != nil {
		return nil, err
	}
	switch {
	case len(r) == 0 || len(r)%(3*m.atoms) != 0 || len(f) != len(r):
		return nil, fmt.Errorf("cgmap: %d positions and %d forces are no frames of %d atoms", len(r), len(f), m.atoms)
	}
	in := &InternalForces{m: m}
	in.connect(r)
	if err := in.attach(bonds, rigid); err != nil {
		return nil, err
	}
	for k, b := range in.order[1:] {
		for kind := stretch; kind <= min(k, turn); kind++ {
			in.motions = append(in.motions, motion{bead: b, kind: kind, near: in.close(b)})
		}
	}
	return in, in.regress(ctx, r, f)
}

// mostInternal beads have forces along internal coordinates: the equations of a frame take time as their number cubed,
// and the frames that are needed are eight times as many.
const mostInternal = 200

// checkInternal looks at what forces along internal coordinates need of a map.
func checkInternal(m *Map) error {
	switch beads := len(m.Beads); {
	case m.Atoms == nil:
		return fmt.Errorf("cgmap: %w along internal coordinates: beads of %s are means of atoms; choose another kind",
			ErrForceMap, m.Name)
	case beads < 3:
		return fmt.Errorf("cgmap: %w along internal coordinates: %d beads: three or more", ErrForceMap, beads)
	case beads > mostInternal:
		return fmt.Errorf("cgmap: forces along internal coordinates are for %d beads or fewer, %s has %d: choose "+
			"another kind", mostInternal, m.Name, beads)
	}
	return nil
}

// distance is the mean distance of two atoms in some frames.
func (in *InternalForces) distance(r []float32, i, j int) float64 {
	width := 3 * in.m.atoms
	n := len(r) / width
	step := max(1, n/100)
	sum, count := 0.0, 0
	for k := 0; k < n; k += step {
		sum += at(r[k*width:], i).sub(at(r[k*width:], j)).norm()
		count++
	}
	return sum / float64(count)
}

// connect joins beads to their nearest ones: the spanning tree of least mean distances.
func (in *InternalForces) connect(r []float32) {
	atoms := in.m.Atoms
	beads := len(atoms)
	between := make([][]float64, beads)
	for i := range between {
		between[i] = make([]float64, beads)
		for j := range i {
			between[i][j] = in.distance(r, atoms[i], atoms[j])
			between[j][i] = between[i][j]
		}
	}
	in.order, in.parent, in.below, in.around = []int{0}, make([]int, beads), make([][]int, beads), make([][2]int, beads)
	joined := make([]bool, beads)
	joined[0], in.parent[0] = true, -1
	for len(in.order) < beads {
		best, from, least := -1, -1, math.Inf(1)
		for _, i := range in.order {
			for j := range beads {
				if !joined[j] && between[i][j] < least {
					best, from, least = j, i, between[i][j]
				}
			}
		}
		joined[best], in.parent[best] = true, from
		in.order = append(in.order, best)
	}
	for _, b := range in.order {
		for a := b; a >= 0; a = in.parent[a] {
			in.below[a] = append(in.below[a], b)
		}
	}
	for b := range beads {
		nearest := [2]int{-1, -1}
		for j := range beads {
			switch {
			case j == b:
			case nearest[0] < 0 || between[b][j] < between[b][nearest[0]]:
				nearest = [2]int{j, nearest[0]}
			case nearest[1] < 0 || between[b][j] < between[b][nearest[1]]:
				nearest[1] = j
			}
		}
		in.around[b] = nearest
	}
}

// attach hangs all other atoms of the molecule on the bead that the fewest bonds lead to.
// Error: a rigid group that no bead carries as one.
func (in *InternalForces) attach(bonds [][2]int, rigid [][]int) error {
	neighbours := make([][]int, in.m.atoms)
	for _, b := range bonds {
		neighbours[b[0]] = append(neighbours[b[0]], b[1])
		neighbours[b[1]] = append(neighbours[b[1]], b[0])
	}
	on, held := make([]int, in.m.atoms), make([]bool, in.m.atoms)
	for i := range on {
		on[i] = -1
	}
	for _, group := range rigid {
		for _, a := range group {
			if a < 0 || a >= in.m.atoms {
				return fmt.Errorf("cgmap: rigid groups: atom %d (from 0) is not there", a)
			}
			held[a] = len(group) > 1
		}
	}
	reached := walk(neighbours, in.m.Atoms[:1], func(_, _ int) {})
	for b, a := range in.m.Atoms {
		if on[a] = b; !reached[a] {
			return fmt.Errorf("cgmap: %w along internal coordinates: no bonds lead from bead %s to %s: they are for "+
				"beads of one molecule", ErrForceMap, in.m.Beads[0], in.m.Beads[b])
		}
	}
	walk(neighbours, in.m.Atoms, func(from, to int) {
		on[to] = on[from]
		if !held[to] {
			in.hidden = append(in.hidden, control{to, on[to]})
		}
	})
	for _, group := range rigid {
		for _, a := range group {
			if on[a] != on[group[0]] {
				return fmt.Errorf("cgmap: %w along internal coordinates: constraints hold atoms %d and %d (from 0) "+
					"together, which move with different beads; choose other beads, or another kind of forces",
					ErrForceMap, group[0], a)
			}
		}
	}
	in.moving = make([][]int, len(in.below))
	for b, below := range in.below {
		for i, owner := range on {
			if slices.Contains(below, owner) {
				in.moving[b] = append(in.moving[b], i)
			}
		}
	}
	return nil
}

// walk goes along bonds from some atoms to all that can be reached, nearest first.
func walk(neighbours [][]int, start []int, step func(from, to int)) (reached []bool) {
	reached = make([]bool, len(neighbours))
	for _, i := range start {
		reached[i] = true
	}
	for queue := slices.Clone(start); len(queue) > 0; queue = queue[1:] {
		for _, i := range neighbours[queue[0]] {
			if !reached[i] {
				reached[i] = true
				queue = append(queue, i)
				step(queue[0], i)
			}
		}
	}
	return reached
}

// close are the hidden atoms on a bead, on what it hangs on, and on those that hang there too.
func (in *InternalForces) close(b int) (near []int) {
	a := in.parent[b]
	for k, h := range in.hidden {
		if h.bead == b || h.bead == a || in.parent[h.bead] == a || in.parent[h.bead] == b || h.bead == in.parent[a] {
			near = append(near, k)
		}
	}
	return near
}

// before is the bead that a bend and a turn at bead a are measured from.
func (in *InternalForces) before(a int) int {
	if p := in.parent[a]; p >= 0 {
		return p
	}
	return in.order[1]
}

// field of a motion in a frame: the displacement of what is at a place; and the
// sine of the angle at the joint (1 for a stretch).
func (in *InternalForces) field(m motion, r []float32) (field func(x vector) vector, sine float64) {
	a := in.parent[m.bead]
	joint := at(r, in.m.Atoms[a])
	u := at(r, in.m.Atoms[m.bead]).sub(joint).unit()
	if m.kind == stretch {
		return func(vector) vector { return u }, 1
	}
	axis := joint.sub(at(r, in.m.Atoms[in.before(a)])).unit()
	normal := axis.cross(u)
	sine = normal.norm()
	if m.kind == bend {
		axis = normal.unit()
	}
	return func(x vector) vector { return axis.cross(x.sub(joint)) }, sine
}

// straight is the error of beads in a line, whose motion has no direction or moves next to nothing.
func (in *InternalForces) straight(m motion) error {
	a := in.parent[m.bead]
	return fmt.Errorf("cgmap: %w along internal coordinates: beads %s, %s and %s are almost in a line in a frame; "+
		"choose another kind of forces",
		ErrForceMap, in.m.Beads[m.bead], in.m.Beads[a], in.m.Beads[in.before(a)])
}

// along is the force along a motion.
func (in *InternalForces) along(m motion, r, f []float32) float64 {
	field, _ := in.field(m, r)
	sum := 0.0
	for _, i := range in.moving[m.bead] {
		sum += field(at(r, i)).dot(at(f, i))
	}
	return sum
}

// Apply appends the forces on beads in one frame to dst. r, f: [3*atoms], of whole molecules.
// Errors: other numbers of atoms; beads in a line.
func (in *InternalForces) Apply(dst, r, f []float32) ([]float32, error) {
	if len(r) != 3*in.m.atoms || len(f) != len(r) {
		return dst, fmt.Errorf("cgmap: %d positions and %d forces in a frame of %d atoms", len(r), len(f), in.m.atoms)
	}
	dim := 3 * len(in.m.Atoms)
	system, target := mat.NewDense(dim, dim, nil), mat.NewVecDense(dim, nil)
	controls := in.controls(r, f)
	for k, m := range in.motions {
		field, sine := in.field(m, r)
		if sine < leastSine {
			return dst, in.straight(m)
		}
		for _, b := range in.below[m.bead] {
			d := field(at(r, in.m.Atoms[b]))
			copy(system.RawRowView(k)[3*b:], d[:])
		}
		q := in.along(m, r, f)
		for i, h := range m.near {
			for axis := range 3 {
				q -= m.weight[3*i+axis] * controls[3*h+axis]
			}
		}
		target.SetVec(k, q)
	}
	var centre vector
	for _, a := range in.m.Atoms {
		x := at(r, a)
		for k := range centre {
			centre[k] += x[k] / float64(len(in.m.Atoms))
		}
	}
	for k := range 3 { // no net force, no torque
		var e vector
		e[k] = 1
		for b, a := range in.m.Atoms {
			d := e.cross(at(r, a).sub(centre))
			copy(system.RawRowView(dim - 6 + k)[3*b:], e[:])
			copy(system.RawRowView(dim - 3 + k)[3*b:], d[:])
		}
	}
	var force mat.VecDense
	if err := force.SolveVec(system, target); err != nil {
		return dst, fmt.Errorf("cgmap: %w along internal coordinates: beads in a line (%w)", ErrForceMap, err)
	}
	for _, v := range force.RawVector().Data {
		dst = append(dst, float32(v))
	}
	return dst, nil
}
