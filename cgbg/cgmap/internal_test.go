package cgmap

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"gonum.org/v1/gonum/mat"
)

// trajectory is real dynamics of all atoms of alanine dipeptide, unbiased and without constraints.
type trajectory struct {
	s        *gromacs.Structure
	molecule *Molecule
	*data.Frames
	temperature float64
}

// unbiased has 4,000 frames, 25 ps apart.
func unbiased(t testing.TB) *trajectory {
	t.Helper()
	s, err := gromacs.ReadStructure("../../data/gromacs/testdata/ala2.pdb")
	if err != nil {
		t.Fatal(err)
	}
	molecule, err := NewMolecule(s)
	if err != nil {
		t.Fatal(err)
	}
	f, meta, err := data.ReadFile("../../data/ala2/obc2/unbiased_all-atom.arrow")
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range s.Atoms {
		if meta.Beads[i] != atomName(a) {
			t.Fatalf("atom %d is %s in the frames, %s in the structure", i, meta.Beads[i], atomName(a))
		}
	}
	return &trajectory{s, molecule, f, meta.Temperature}
}

// scattered are beads without bonds between them, listed from the middle of the molecule: three hang on the first.
const scattered = "ALA2:CA C ALA2:CA\nNME3:CH3 C NME3:CH3\nACE1:CH3 C ACE1:CH3\nALA2:CB C ALA2:CB\nALA2:O O " +
	"ALA2:O\nALA2:H H ALA2:H\n"

func (d *trajectory) mapping(t testing.TB, name string) *Map {
	t.Helper()
	var m *Map
	var err error
	if slices.Contains(Names, name) {
		m, err = New(name, d.s)
	} else {
		m, err = Parse(strings.NewReader(name), "a file", d.s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// learn takes the first n frames.
func (d *trajectory) learn(t testing.TB, m *Map, n int) *InternalForces {
	t.Helper()
	in, err := LearnInternal(m, d.molecule.Bonds(), d.R[:n*d.Width()], d.F[:n*d.Width()], nil)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// fourth is the bead that a torsion about the bond p–a is measured from.
func (in *InternalForces) fourth(a, p int) int {
	for _, q := range []int{in.parent[p], in.order[1]} {
		if q >= 0 && q != a && q != p {
			return q
		}
	}
	return in.order[2]
}

// coordinate is the internal coordinate that a motion changes. A bend counts from the straight angle.
// x: of the beads.
func (in *InternalForces) coordinate(m motion, x []vector) float64 {
	a := in.parent[m.bead]
	bond := x[m.bead].sub(x[a])
	if m.kind == stretch {
		return bond.norm()
	}
	p := in.before(a)
	if m.kind == bend {
		return math.Acos(bond.unit().dot(x[a].sub(x[p]).unit()))
	}
	return dihedral(x[in.fourth(a, p)], x[p], x[a], x[m.bead])
}

// vectors are places of some atoms.
func vectors(r []float32, atoms []int) []vector {
	out := make([]vector, len(atoms))
	for k, i := range atoms {
		out[k] = at(r, i)
	}
	return out
}

// displaced is coordinate i of what a motion does to the atoms, less its controls: what the force on it counts with.
func (in *InternalForces) displaced(m motion, r []float32, i int) float64 {
	f := make([]float32, len(r))
	f[i] = 1
	sum := in.along(m, r, f)
	controls := in.controls(r, f)
	for k, h := range m.near {
		for axis := range 3 {
			sum -= m.weight[3*k+axis] * controls[3*h+axis]
		}
	}
	return sum
}

// displacement is of all atoms.
func (in *InternalForces) displacement(m motion, r []float32) []vector {
	out := make([]vector, in.m.atoms)
	for i := range r {
		out[i/3][i%3] = in.displaced(m, r, i)
	}
	return out
}

// Each motion changes its own coordinate of the beads at unit rate and no other one; without controls, of all bonds of
// the molecule it strains at most the one that it stretches.
func TestMotions(t *testing.T) {
	d := unbiased(t)
	all := make([]int, d.Beads)
	for i := range all {
		all[i] = i
	}
	const h = 1e-6
	for _, name := range []string{CoreBeta, HeavyAtom, AllAtom, scattered} {
		m := d.mapping(t, name)
		in := d.learn(t, m, 400)
		if len(in.motions) != 3*len(m.Beads)-6 {
			t.Fatalf("%s: %d motions of %d beads", m.Name, len(in.motions), len(m.Beads))
		}
		for n := 0; n < d.Len(); n += 1000 {
			r := d.R[n*d.Width() : (n+1)*d.Width()]
			for _, moved := range in.motions {
				with := moved
				moved.near = nil
				change := in.displacement(moved, r)
				rate := func(f func(x []vector) float64) float64 { // of atoms
					var ends [2]float64
					for k, step := range []float64{-h, h} {
						x := vectors(r, all)
						for i, v := range change {
							for axis := range v {
								x[i][axis] += step * v[axis]
							}
						}
						ends[k] = f(x)
					}
					return math.Remainder(ends[1]-ends[0], 2*math.Pi) / (2 * h)
				}
				for _, other := range in.motions {
					want := 0.0
					if other.bead == moved.bead && other.kind == moved.kind {
						want = 1
					}
					got := rate(func(x []vector) float64 {
						beads := make([]vector, len(m.Atoms))
						for b, a := range m.Atoms {
							beads[b] = x[a]
						}
						return in.coordinate(other, beads)
					})
					if math.Abs(got-want) > 1e-6 {
						t.Errorf("%s, frame %d: motion %d of %s changes coordinate %d of %s at a rate of %g, want %g",
							m.Name, n, moved.kind, m.Beads[moved.bead], other.kind, m.Beads[other.bead], got, want)
					}
				}
				for i, v := range in.displacement(with, r) {
					if slices.Contains(m.Atoms, i) && v != change[i] {
						t.Errorf("%s, frame %d: controls of motion %d of %s move a bead", m.Name, n, moved.kind,
							m.Beads[moved.bead])
					}
				}
				if name == scattered {
					continue // has no bonds to stretch
				}
				for _, bond := range d.molecule.Bonds() {
					got := rate(func(x []vector) float64 { return x[bond[0]].sub(x[bond[1]]).norm() })
					ends := []int{m.Atoms[moved.bead], m.Atoms[in.parent[moved.bead]]}
					own := moved.kind == stretch && slices.Contains(ends, bond[0]) && slices.Contains(ends, bond[1])
					if !own && math.Abs(got) > 1e-6 {
						t.Errorf("%s, frame %d: motion %d of %s strains the bond %v at a rate of %g", m.Name, n,
							moved.kind, m.Beads[moved.bead], bond, got)
					}
				}
			}
		}
	}
}

// Hidden atoms have no share in the divergence of a motion, controls and all, and do not change how it moves the beads:
// no term in kT is missing. One that followed a hidden atom's own bond would have 2/r = 20/nm times a weight.
func TestMotionsHaveNoDivergence(t *testing.T) {
	d := unbiased(t)
	const h = 1.0 / 1024 // nm
	for _, name := range []string{CoreBeta, scattered} {
		m := d.mapping(t, name)
		in := d.learn(t, m, d.Len())
		for n := 0; n < d.Len(); n += 1000 {
			r := slices.Clone(d.R[n*d.Width() : (n+1)*d.Width()])
			for i, v := range r {
				r[i] = float32(math.Round(float64(v)*(1<<18)) / (1 << 18)) // ± h without rounding
			}
			moved := slices.Clone(r)
			rng := rand.New(rand.NewPCG(7, uint64(n)))
			for i := range moved {
				if !slices.Contains(m.Atoms, i/3) {
					moved[i] += float32(0.02 * rng.NormFloat64())
				}
			}
			for _, motion := range in.motions {
				here, there := in.displacement(motion, r), in.displacement(motion, moved)
				for _, a := range m.Atoms {
					if here[a] != there[a] {
						t.Errorf("%s, frame %d: motion %d of %s: hidden atoms change how it moves a bead", m.Name, n,
							motion.kind, m.Beads[motion.bead])
					}
				}
				divergence := 0.0
				for i := range r {
					if slices.Contains(m.Atoms, i/3) {
						continue
					}
					x := slices.Clone(r)
					x[i] += h
					after := in.displaced(motion, x, i)
					x[i] -= 2 * h
					divergence += (after - in.displaced(motion, x, i)) / (2 * h)
				}
				if math.Abs(divergence) > 1e-9 {
					t.Errorf("%s, frame %d: motion %d of %s has a divergence of %g", m.Name, n, motion.kind,
						m.Beads[motion.bead], divergence)
				}
			}
		}
	}
}

// series are functions of the beads and forces along the motions, over frames.
type series struct {
	functions  [][]float64 // 1, lengths less their means, cosines of angles, cosines and sines of torsions
	own        []int       // the motion that changes the function; -1 of 1
	slope      [][]float64 // its rate
	volume     [][]float64 // of each motion: the divergence, ∂ ln(r²·sin θ)
	got, basic [][]float64 // of each motion: by the internal forces, by those on the beads' own atoms
	least      [][]float64 // by a linear force map, or nil
	square     float64     // mean square of a component of the internal forces
}

func (d *trajectory) series(t testing.TB, in *InternalForces, linear *mat.Dense) *series {
	t.Helper()
	n, count := d.Len(), len(in.motions)
	block := func(rows int) [][]float64 {
		out := make([][]float64, rows)
		for k := range out {
			out[k] = make([]float64, n)
		}
		return out
	}
	s := &series{volume: block(count), got: block(count), basic: block(count)}
	if linear != nil {
		s.least = block(count)
	}
	add := func(own int) (function, slope []float64) {
		both := block(2)
		s.functions, s.slope, s.own = append(s.functions, both[0]), append(s.slope, both[1]), append(s.own, own)
		return both[0], both[1]
	}
	one, _ := add(-1)
	for i := range one {
		one[i] = 1
	}
	q := block(count)
	for i := range n {
		r, f := d.R[i*d.Width():(i+1)*d.Width()], d.F[i*d.Width():(i+1)*d.Width()]
		force, err := in.Apply(nil, r, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range force {
			s.square += float64(v) * float64(v) / float64(n*len(force))
		}
		var other []float32
		if linear != nil {
			if other, err = projectForces(nil, linear, f); err != nil {
				t.Fatal(err)
			}
		}
		x := vectors(r, in.m.Atoms)
		for k, m := range in.motions {
			q[k][i] = in.coordinate(m, x)
			field, _ := in.field(m, r)
			for _, b := range in.below[m.bead] {
				s.got[k][i] += field(x[b]).dot(at(force, b))
				s.basic[k][i] += field(x[b]).dot(at(f, in.m.Atoms[b]))
				if linear != nil {
					s.least[k][i] += field(x[b]).dot(at(other, b))
				}
			}
			switch m.kind {
			case stretch:
				s.volume[k][i] = 2 / q[k][i]
			case bend:
				s.volume[k][i] = 1 / math.Tan(q[k][i])
			}
		}
	}
	for k, m := range in.motions {
		f, df := add(k)
		if m.kind == stretch {
			mean := 0.0
			for _, v := range q[k] {
				mean += v / float64(n)
			}
			for i, v := range q[k] {
				f[i], df[i] = v-mean, 1
			}
			continue
		}
		for i, v := range q[k] {
			f[i], df[i] = math.Cos(v), -math.Sin(v)
		}
		if m.kind == turn {
			f, df := add(k)
			for i, v := range q[k] {
				f[i], df[i] = math.Sin(v), math.Cos(v)
			}
		}
	}
	return s
}

// deviation is the mean in its standard errors.
func deviation(x []float64) float64 {
	n := float64(len(x))
	var sum, square float64
	for _, v := range x {
		sum += v / n
	}
	for _, v := range x {
		square += (v - sum) * (v - sum) / n
	}
	return sum / math.Sqrt(square*inefficiency(x)/n)
}

// Given the beads, internal forces have the mean of the basic ones. And they are forces of the
// potential whose Boltzmann distribution the frames are from: for any function g of the beads
// ⟨Q·g + kT·(g·∇·J + J·∇g)⟩ = 0, by integration by parts; which is the sharper test, without the noise of basic forces.
func TestInternalForcesAreUnbiased(t *testing.T) {
	d := unbiased(t)
	kT := units.KT(d.temperature)
	for _, name := range []string{CoreBeta, HeavyAtom, scattered} {
		m := d.mapping(t, name)
		in := d.learn(t, m, d.Len())
		s := d.series(t, in, nil)
		x := make([]float64, d.Len())
		for k, motion := range in.motions {
			for j, g := range s.functions {
				for i := range x {
					x[i] = (s.got[k][i] - s.basic[k][i]) * g[i]
				}
				if z := deviation(x); !(math.Abs(z) < 5) {
					t.Errorf("%s: motion %d of %s, function %d: the difference from basic forces is %.1f standard "+
						"errors", m.Name, motion.kind, m.Beads[motion.bead], j, z)
				}
				for i := range x {
					x[i] = s.got[k][i]*g[i] + kT*s.volume[k][i]*g[i]
					if s.own[j] == k {
						x[i] += kT * s.slope[j][i]
					}
				}
				if z := deviation(x); !(math.Abs(z) < 5) {
					t.Errorf("%s: motion %d of %s, function %d: the force differs from that of the frames' "+
						"distribution by %.1f standard errors",
						m.Name, motion.kind, m.Beads[motion.bead], j, z)
				}
			}
		}
	}
}

// residue is the variance about the regression on functions.
func residue(functions [][]float64, y []float64) float64 {
	x := mat.NewDense(len(y), len(functions), nil)
	for j, f := range functions {
		x.SetCol(j, f)
	}
	var c, rest mat.VecDense
	if err := c.SolveVec(x, mat.NewVecDense(len(y), y)); err != nil {
		return math.NaN()
	}
	rest.MulVec(x, &c)
	rest.SubVec(&rest, mat.NewVecDense(len(y), y))
	return mat.Dot(&rest, &rest) / float64(len(y)-len(functions))
}

// What a regression on the beads leaves is less than by linear maps along every motion, and a small part of the basic
// forces' along torsions. The mean square hardly tells: it is mostly the mean force of stiff bonds.
func TestInternalForcesAreLessNoisy(t *testing.T) {
	d := unbiased(t)
	var g Gram
	for i := range d.Len() {
		if err := g.Add(d.F[i*d.Width() : (i+1)*d.Width()]); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		moved []string // beads whose torsion has noise to lose: all but O, which no hidden atom moves with
	}{
		{CoreBeta, []string{"ALA2:CB", "ALA2:C", "NME3:N"}},
		{HeavyAtom, []string{"ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "NME3:N", "NME3:CH3"}},
	} {
		m := d.mapping(t, c.name)
		least, err := g.LeastNoise(m.Matrix(), nil)
		if err != nil {
			t.Fatal(err)
		}
		in := d.learn(t, m, d.Len())
		s := d.series(t, in, least)
		if rms := MeanRMS(g.RMS(least)); s.square > 0.97*rms*rms {
			t.Errorf("%s: mean square %g, of the least noisy linear map %g", c.name, s.square, rms*rms)
		}
		turns := 0
		for k, motion := range in.motions {
			bead := m.Beads[motion.bead]
			got, basic, linear := residue(s.functions, s.got[k]), residue(s.functions, s.basic[k]), residue(s.functions,
				s.least[k])
			if !(got <= basic && got <= linear) {
				t.Errorf("%s: motion %d of %s: variance %g, of basic forces %g, of the least noisy %g", c.name,
					motion.kind, bead, got, basic, linear)
			}
			if motion.kind != turn || !slices.Contains(c.moved, bead) {
				continue
			}
			turns++
			if got > basic/20 {
				t.Errorf("%s: torsion of %s: variance %g, of basic forces %g", c.name, bead, got, basic)
			}
		}
		if turns != len(c.moved) {
			t.Errorf("%s: %d torsions, want %d", c.name, turns, len(c.moved))
		}
	}
}

// springs between all pairs of some atoms: forces without net force and torque but for rounding.
func springs(r []float32, atoms []int, rng *rand.Rand) []float32 {
	sum := make([]vector, len(r)/3)
	for k, i := range atoms {
		for _, j := range atoms[:k] {
			pull := 1000 * rng.NormFloat64()
			for axis, u := range at(r, i).sub(at(r, j)).unit() {
				sum[i][axis] += pull * u
				sum[j][axis] -= pull * u
			}
		}
	}
	f := make([]float32, len(r))
	for i := range f {
		f[i] = float32(sum[i/3][i%3])
	}
	return f
}

// Forces between beads alone come back as they are, although other atoms hang on them; with all atoms as beads those
// are any forces without net force and torque.
func TestForcesBetweenBeads(t *testing.T) {
	d := unbiased(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range []string{CoreBeta, HeavyAtom, AllAtom, scattered} {
		m := d.mapping(t, name)
		in := d.learn(t, m, 400)
		for n := 0; n < d.Len(); n += 200 {
			r := d.R[n*d.Width() : (n+1)*d.Width()]
			f := springs(r, m.Atoms, rng)
			want, err := m.Apply(nil, f)
			if err != nil {
				t.Fatal(err)
			}
			got, err := in.Apply(nil, r, f)
			if err != nil {
				t.Fatal(err)
			}
			var off, scale float64
			for i := range want {
				off = max(off, math.Abs(float64(got[i])-float64(want[i])))
				scale = max(scale, math.Abs(float64(want[i])))
			}
			if !(off < 1e-6*scale) {
				t.Errorf("%s, frame %d: forces are off by %g of %g", m.Name, n, off, scale)
			}
		}
	}
}

// There is no net force and no torque; forces turn with the frame, wherever it is.
func TestInternalForcesTurnWithTheFrame(t *testing.T) {
	d := unbiased(t)
	sin, cos := math.Sincos(2.2)
	turned := func(v []float32, shift vector) []float32 { // about z, then x
		out := make([]float32, len(v))
		for i := 0; i < len(v); i += 3 {
			x, y, z := float64(v[i]), float64(v[i+1]), float64(v[i+2])
			x, y = cos*x-sin*y, sin*x+cos*y
			y, z = cos*y-sin*z, sin*y+cos*z
			out[i], out[i+1], out[i+2] = float32(x+shift[0]), float32(y+shift[1]), float32(z+shift[2])
		}
		return out
	}
	for _, name := range []string{CoreBeta, HeavyAtom, scattered} {
		m := d.mapping(t, name)
		in := d.learn(t, m, d.Len())
		for n := 0; n < d.Len(); n += 200 {
			r, f := d.R[n*d.Width():(n+1)*d.Width()], d.F[n*d.Width():(n+1)*d.Width()]
			force, err := in.Apply(nil, r, f)
			if err != nil {
				t.Fatal(err)
			}
			other, err := in.Apply(nil, turned(r, vector{1, -2, 0.5}), turned(f, vector{}))
			if err != nil {
				t.Fatal(err)
			}
			want := turned(force, vector{})
			var net, torque vector
			var off, scale float64
			for b, a := range m.Atoms {
				v := at(force, b)
				moment := at(r, a).sub(at(r, m.Atoms[0])).cross(v)
				for axis := range 3 {
					net[axis] += v[axis]
					torque[axis] += moment[axis]
					off = max(off, math.Abs(float64(other[3*b+axis]-want[3*b+axis])))
				}
				scale = max(scale, v.norm())
			}
			if net.norm() > 1e-6*scale || torque.norm() > 1e-6*scale {
				t.Errorf("%s, frame %d: net force %g, torque %g, where a force is %g", m.Name, n, net.norm(),
					torque.norm(), scale)
			}
			if off > 1e-5*scale { // positions of 2 nm in float32, over bonds of 0.1 nm
				t.Errorf("%s, frame %d: turned, forces are off by %g of %g", m.Name, n, off, scale)
			}
		}
	}
}

// Constraints act along bonds with equal and opposite forces, of which nothing must be left: what they hold moves as
// one, and is no control.
func TestInternalForcesWithConstraints(t *testing.T) {
	d := unbiased(t)
	rigid := d.molecule.HydrogenGroups(d.s)
	rng := rand.New(rand.NewPCG(8, 9))
	for name, free := range map[string]int{CoreBeta: 2, HeavyAtom: 0} { // Core Beta: both O
		m := d.mapping(t, name)
		in, err := LearnInternal(m, d.molecule.Bonds(), d.R, d.F, rigid)
		if err != nil {
			t.Fatal(err)
		}
		if len(in.hidden) != free {
			t.Errorf("%s: %d controls, want %d", name, len(in.hidden), free)
		}
		for _, h := range in.hidden {
			for _, group := range rigid {
				if slices.Contains(group, h.atom) || slices.Contains(m.Atoms, h.atom) {
					t.Errorf("%s: %s is a control", name, atomName(d.s.Atoms[h.atom]))
				}
			}
		}
		r := d.R[:d.Width()]
		var forces [2][]float32
		for k, f := range [][]float32{d.F[:d.Width()], slices.Clone(d.F[:d.Width()])} {
			for _, group := range rigid {
				for _, i := range group[1:] {
					pull := 1000 * float64(k) * rng.NormFloat64()
					for axis, u := range at(r, i).sub(at(r, group[0])).unit() {
						f[3*i+axis] += float32(pull * u)
						f[3*group[0]+axis] -= float32(pull * u)
					}
				}
			}
			if forces[k], err = in.Apply(nil, r, f); err != nil {
				t.Fatal(err)
			}
		}
		for i, v := range forces[0] {
			if math.Abs(float64(forces[1][i]-v)) > 1e-2 { // of thousands, in float32
				t.Errorf("%s: coordinate %d: %g, with forces of constraints %g", name, i, v, forces[1][i])
			}
		}
	}
	// The carbon of ACE1:CH3 is as near to ACE1:C as to its hydrogen, and goes with the first.
	for _, name := range []string{AllAtom, "ACE1:C C ACE1:C\nALA2:N N ALA2:N\nACE1:HH31 H ACE1:HH31\n"} {
		if _, err := LearnInternal(d.mapping(t, name), d.molecule.Bonds(), d.R, d.F, rigid); !errors.Is(err,
			ErrForceMap) || !strings.Contains(err.Error(), "constraints") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInternalForceErrors(t *testing.T) {
	d := unbiased(t)
	line := slices.Clone(d.R)
	bent := d.mapping(t, CoreBeta)
	width := d.Width()
	straighten := func(frame []float32) { // N, CA and C in a line, but for rounding
		n, ca, c := bent.Atoms[1], bent.Atoms[2], bent.Atoms[4]
		for k := range 3 {
			frame[3*c+k] = 2*frame[3*ca+k] - frame[3*n+k]
		}
	}
	straighten(line[(d.Len()-1)*width:])
	for _, c := range []struct {
		name, beads string
		r, f        []float32
		rigid       [][]int
		none        bool // ErrForceMap
		want        string
	}{
		{"means", "a C ALA2:CA ALA2:CB\nb C ALA2:C\nc N NME3:N\n", d.R, d.F, nil, true, "means of atoms"},
		{"two", "a C ALA2:CA\nb C ALA2:C\n", d.R, d.F, nil, true, "three or more"},
		{"a line", CoreBeta, line, d.F, nil, true, "in a line"},
		{"few frames", CoreBeta, d.R[:20*width], d.F[:20*width], nil, false, "20 frames are too few"},
		{"no frames", CoreBeta, nil, nil, nil, false, "frames of 22 atoms"},
		{"half a frame", CoreBeta, d.R[:1000*width+3], d.F[:1000*width+3], nil, false, "frames of 22 atoms"},
		{"fewer forces", CoreBeta, d.R, d.F[:1000*width], nil, false, "frames of 22 atoms"},
		{"a rigid atom that is not there", CoreBeta, d.R, d.F, [][]int{{4, 22}}, false, "atom 22"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := LearnInternal(d.mapping(t, c.beads), d.molecule.Bonds(), c.r, c.f, c.rigid)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrForceMap) != c.none {
				t.Errorf("got %v", err)
			}
		})
	}
	in := d.learn(t, bent, d.Len())
	r, f := slices.Clone(d.R[:width]), d.F[:width]
	for _, n := range []int{0, 18, width - 3} {
		if _, err := in.Apply(nil, r[:n], f[:n]); err == nil || !strings.Contains(err.Error(), "22 atoms") {
			t.Errorf("%d numbers: got %v", n, err)
		}
	}
	if _, err := in.Apply(nil, r, f[:18]); err == nil {
		t.Error("forces on beads: got no error")
	}
	if got, err := in.Apply([]float32{7}, r, f); err != nil || len(got) != 19 || got[0] != 7 {
		t.Errorf("appended: got %v, %v", got, err)
	}
	// Rounding leaves a direction to bend in, and the torsions' forces would be a million times too large.
	straighten(r)
	if got, err := in.Apply(nil, r, f); !errors.Is(err, ErrForceMap) || len(got) != 0 {
		t.Errorf("in a line: got %v, %v", got, err)
	}
}
