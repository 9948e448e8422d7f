package cgmap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Limits, in atoms: the force on a bead is made less noisy by forces on all atoms of its molecule if these are no more
// than maxMolecule, else by those of the maxNear atoms that the fewest bonds lead to. Beads that share atoms and are of
// more than maxTogether keep basic forces.
const (
	maxMolecule = 400
	maxNear     = 100
	maxTogether = 1000
)

// samplesPerCoefficient is how many numbers, three a frame, a fitted coefficient takes: with fewer, the least noise of
// these frames is not that of others, whose variance is larger by about one over this number less one.
const samplesPerCoefficient = 4

// LeastNoise finds the unbiased force map of least noise, as [Gram.LeastNoise] does, with forces on the bead's own
// molecule alone, and of a large one on the neighbourhood. Its size grows with the number of beads, not with the square
// of that of atoms.
type LeastNoise struct {
	c          *Sparse
	basic      *Sparse
	clusters   *clusters
	neighbours [][]int // of clusters, by bonds
	sets       [][]int // atoms in order
	set        []int   // of each cluster with beads; -1 where it keeps basic forces

	partners [][]int32   // of each atom: those from it on, in order, that share a set with it
	sums     [][]float64 // of products of their forces
	squares  []float64   // of forces on beads that keep basic ones
	scratch  []float32
	frames   int
	few      int // beads with fewer neighbours than there are
}

// NewLeastNoise prepares for frames. bonds: of the molecules ([Molecule.Bonds]); rigid: groups of atoms held together
// by constraints, or nil. Errors: those of [Basic].
func NewLeastNoise(c *Sparse, bonds [][2]int, rigid [][]int) (*LeastNoise, error) {
	l := &LeastNoise{c: c, partners: make([][]int32, c.atoms), sums: make([][]float64, c.atoms),
		squares: make([]float64, len(c.rows))}
	var err error
	if l.clusters, err = c.clusters(rigid); err != nil {
		return nil, err
	}
	if l.basic, err = c.Basic(rigid); err != nil {
		return nil, err
	}
	l.neighbours = make([][]int, len(l.clusters.atoms))
	for _, b := range bonds {
		if i, j := l.clusters.of[b[0]], l.clusters.of[b[1]]; i != j {
			l.neighbours[i], l.neighbours[j] = append(l.neighbours[i], j), append(l.neighbours[j], i)
		}
	}
	l.choose()
	l.pair()
	return l, nil
}

// Basic is the basic map of the same beads.
func (l *LeastNoise) Basic() *Sparse { return l.basic }

// choose finds the atoms whose forces matter to each cluster of beads.
func (l *LeastNoise) choose() {
	l.set = make([]int, len(l.clusters.atoms))
	for n := range l.set {
		l.set[n] = -1
	}
	for n, beads := range l.clusters.beads {
		if len(beads) == 0 || l.set[n] >= 0 || len(l.clusters.atoms[n]) > maxTogether {
			continue
		}
		near, all := l.near(n, maxMolecule)
		if !all {
			near, _ = l.near(n, maxNear)
		}
		set := l.atomsOf(near)
		l.sets = append(l.sets, set)
		l.set[n] = len(l.sets) - 1
		if all { // others of the molecule share it
			for _, k := range near {
				if len(l.clusters.beads[k]) > 0 {
					l.set[k] = l.set[n]
				}
			}
		}
	}
}

// near are a cluster and others in the order of bonds that lead to them, of so many atoms at most; all: these are all
// that bonds lead to.
func (l *LeastNoise) near(n, most int) (near []int, all bool) {
	near, all = []int{n}, true
	seen := map[int]bool{n: true}
	atoms := len(l.clusters.atoms[n])
	for k := 0; k < len(near); k++ {
		for _, j := range l.neighbours[near[k]] {
			if seen[j] {
				continue
			}
			seen[j] = true
			if atoms+len(l.clusters.atoms[j]) > most {
				all = false
				continue
			}
			atoms += len(l.clusters.atoms[j])
			near = append(near, j)
		}
		if !all && atoms >= most {
			break
		}
	}
	return near, all && atoms <= max(most, len(l.clusters.atoms[n]))
}

func (l *LeastNoise) atomsOf(near []int) (atoms []int) {
	for _, k := range near {
		atoms = append(atoms, l.clusters.atoms[k]...)
	}
	slices.Sort(atoms)
	return atoms
}

// pair lists the atoms whose forces' products are summed.
func (l *LeastNoise) pair() {
	member := make([][]int, l.c.atoms)
	for k, set := range l.sets {
		for _, i := range set {
			member[i] = append(member[i], k)
		}
	}
	marked := make([]int, l.c.atoms)
	for i, sets := range member {
		for _, k := range sets {
			from, _ := slices.BinarySearch(l.sets[k], i)
			for _, j := range l.sets[k][from:] {
				if marked[j] != i+1 {
					marked[j] = i + 1
					l.partners[i] = append(l.partners[i], int32(j))
				}
			}
		}
		slices.Sort(l.partners[i])
		l.partners[i] = slices.Clip(l.partners[i])
		l.sums[i] = make([]float64, len(l.partners[i]))
	}
}

// Add takes a frame's forces, [atoms, 3]. Error: another number of atoms.
func (l *LeastNoise) Add(f []float32) error {
	if len(f) != 3*l.c.atoms {
		return fmt.Errorf("cgmap: forces on %d atoms, on %d before", len(f)/3, l.c.atoms)
	}
	for i, partners := range l.partners {
		x, y, z := float64(f[3*i]), float64(f[3*i+1]), float64(f[3*i+2])
		sums := l.sums[i]
		for k, j := range partners {
			sums[k] += (x*float64(f[3*j]) + y*float64(f[3*j+1]) + z*float64(f[3*j+2])) / 3
		}
	}
	l.scratch = l.basic.multiply(l.scratch[:0], f)
	for k := range l.squares {
		for _, v := range l.scratch[3*k : 3*k+3] {
			l.squares[k] += float64(v) * float64(v) / 3
		}
	}
	l.frames++
	return nil
}

// Frames is the number of frames added.
func (l *LeastNoise) Frames() int { return l.frames }

// Few is the number of beads for whose whole neighbourhood the frames were too few when [LeastNoise.Map] was called:
// they take the forces of the nearest atoms only, or basic ones.
func (l *LeastNoise) Few() int { return l.few }

// at is a sum of products.
func (l *LeastNoise) at(i, j int) float64 {
	i, j = min(i, j), max(i, j)
	if k, ok := slices.BinarySearch(l.partners[i], int32(j)); ok {
		return l.sums[i][k]
	}
	return math.NaN() // no set has both
}

// Map is the force map of least noise of the frames added.
// Errors: no frames, or none with forces; ErrForceMap where constraints leave a bead no freedom; that of ctx.
func (l *LeastNoise) Map(ctx context.Context) (*Sparse, error) {
	if l.frames == 0 {
		return nil, fmt.Errorf("cgmap: no frames to find the least noisy forces from")
	}
	out := &Sparse{rows: slices.Clone(l.basic.rows), atoms: l.c.atoms}
	most := 3 * l.frames / samplesPerCoefficient
	done := make([]bool, len(l.clusters.atoms))
	l.few = 0
	for n, k := range l.set {
		if k < 0 || done[n] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		atoms, beads := l.sets[k], l.beadsOf(l.sets[k])
		mine := l.clusters.beads[n]
		switch free := l.columns(atoms) - len(beads); {
		case free == 0: // there is but one map
			continue
		case free > most:
			l.few += len(mine)
			if atoms = l.fewer(n, most); atoms == nil {
				continue
			}
			beads = l.beadsOf(atoms)
		case len(atoms) <= maxMolecule && l.shared(k, beads):
			mine = beads
			for _, b := range beads {
				done[l.clusters.of[l.c.rows[b][0].Atom]] = true
			}
		}
		if err := l.solve(out, atoms, beads, mine); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shared tells whether all these beads have the same set.
func (l *LeastNoise) shared(k int, beads []int) bool {
	for _, b := range beads {
		if l.set[l.clusters.of[l.c.rows[b][0].Atom]] != k {
			return false
		}
	}
	return true
}

// beadsOf are the beads made of atoms of a set, in order.
func (l *LeastNoise) beadsOf(atoms []int) (beads []int) {
	last := -1
	seen := map[int]bool{}
	for _, i := range atoms {
		if n := l.clusters.of[i]; n != last && !seen[n] {
			last, seen[n] = n, true
			beads = append(beads, l.clusters.beads[n]...)
		}
	}
	slices.Sort(beads)
	return beads
}

// columns is the number of coefficients of a set: rigid groups have one.
func (l *LeastNoise) columns(atoms []int) int {
	n := len(atoms)
	for _, group := range l.clusters.rigidAmong(atoms) {
		n -= len(group) - 1
	}
	return n
}

// fewer are the nearest atoms whose coefficients are no more than most; nil where those of the beads' own are more.
func (l *LeastNoise) fewer(n, most int) (atoms []int) {
	near, _ := l.near(n, maxNear)
	free, end := 0, 0
	for _, k := range near {
		if free += l.columns(l.clusters.atoms[k]) - len(l.clusters.beads[k]); free > most {
			break
		}
		end++
	}
	return l.atomsOf(near[:end])
}

// solve finds rows of the least noisy map, of mine among beads, with forces on atoms.
func (l *LeastNoise) solve(out *Sparse, atoms, beads, mine []int) error {
	gram := mat.NewSymDense(len(atoms), nil)
	for a, i := range atoms {
		for b := a; b < len(atoms); b++ {
			gram.SetSym(a, b, l.at(i, atoms[b]))
		}
	}
	c, rigid := l.c.block(beads, atoms), l.clusters.rigidAmong(atoms)
	b, err := forceMap(c, gram, rigid, ridge)
	if err != nil {
		return err
	}
	if err := exact(b, c, rigid); err != nil {
		return err
	}
	rows := mat.NewDense(len(mine), len(atoms), nil)
	for k, bead := range mine {
		i, _ := slices.BinarySearch(beads, bead)
		rows.SetRow(k, b.RawRowView(i))
	}
	out.place(rows, mine, atoms)
	return nil
}

// rounding is how far B·Cᵀ may be from one.
const rounding = 1e-11

// exact takes off what rounding left of B·Cᵀ − 1, by the basic map.
func exact(b, c *mat.Dense, rigid [][]int) error {
	beads, _ := b.Dims()
	var rest mat.Dense
	rest.Mul(b, c.T())
	worst := 0.0
	for k := range beads {
		for j := range beads {
			v := -rest.At(k, j)
			if k == j {
				v++
			}
			rest.Set(k, j, v)
			worst = max(worst, math.Abs(v))
		}
	}
	if worst <= rounding {
		return nil
	}
	basic, err := Basic(c, rigid)
	if err != nil {
		return err
	}
	var more mat.Dense
	more.Mul(&rest, basic)
	b.Add(b, &more)
	return nil
}

// RMS is [Gram.RMS] of a map whose rows are of the neighbourhoods: of [LeastNoise.Map], or basic.
func (l *LeastNoise) RMS(b *Sparse) []float64 {
	out := make([]float64, len(b.rows))
	for k, row := range b.rows {
		sum := 0.0
		if l.set[l.clusters.of[l.c.rows[k][0].Atom]] < 0 {
			sum = l.squares[k]
		} else {
			for _, v := range row {
				for _, w := range row {
					sum += v.Weight * w.Weight * l.at(v.Atom, w.Atom)
				}
			}
		}
		out[k] = math.Sqrt(math.Max(0, sum) / float64(l.frames))
	}
	return out
}
