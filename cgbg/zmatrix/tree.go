package zmatrix

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	looked = 2000 // frames at most that the tree is found from, evenly spaced
	// Three beads that a torsion refers to must not be on a line: the sine of their angle, below which it is in no more
	// than a part of the frames, and that of an angle that is a coordinate itself, whose torsion loses its meaning there.
	leastSine    = 0.1
	leastOwnSine = 1e-3
	lined        = 0.05
)

// New finds how to place beads from frames alone. Distances are the edges of the beads' minimum spanning tree by mean
// distance, so that rings are open and several molecules are joined where they are nearest; it begins in the middle of
// the longest chain. Of the beads that hang on one bead, the first is placed by the torsion that turns, the others by
// their torsions against it, which are stiff and keep the hand of the centre. Where three beads of a reference lie on a
// line in many frames, near ones that do not take their place.
//
// frames: [n, beads, 3], nm. Errors: fewer than three beads; no frames; beads that cannot be placed, by number.
func New(frames []float32, beads int) (*Matrix, error) {
	if beads < 3 {
		return nil, fmt.Errorf("zmatrix: %d beads: angles need at least three", beads)
	}
	if len(frames) == 0 || len(frames)%(axes*beads) != 0 {
		return nil, fmt.Errorf("zmatrix: %d numbers are no frames of %d beads", len(frames), beads)
	}
	b := newBuilder(frames, beads)
	if err := b.root(); err != nil {
		return nil, err
	}
	queue := append([]int(nil), b.m.Root[:]...)
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, i := range b.edges[j] {
			if b.placed[i] {
				continue
			}
			row, err := b.row(i, j)
			if err != nil {
				return nil, err
			}
			b.m.Rows = append(b.m.Rows, row)
			b.placed[i], b.parent[i] = true, j
			queue = append(queue, i)
		}
	}
	return b.m, b.m.Check()
}

type builder struct {
	m      *Matrix
	r      [][]float64 // frames looked at
	mean   []float64   // distances, [beads, beads]
	edges  [][]int     // of the tree
	placed []bool
	parent []int
	first  map[[2]int]int // bead placed by the torsion about two others that turns
	sines  map[[3]int]float64
}

func newBuilder(frames []float32, beads int) *builder {
	dim := axes * beads
	n := len(frames) / dim
	b := &builder{m: &Matrix{Beads: beads}, mean: make([]float64, beads*beads), placed: make([]bool, beads),
		parent: make([]int, beads), first: map[[2]int]int{}, sines: map[[3]int]float64{}, edges: make([][]int, beads)}
	for k := range min(n, looked) {
		frame := make([]float64, dim)
		i := k * n / min(n, looked)
		for c, v := range frames[i*dim : (i+1)*dim] {
			frame[c] = float64(v)
		}
		b.r = append(b.r, frame)
	}
	for i := range beads {
		for j := range beads {
			for _, frame := range b.r {
				b.mean[i*beads+j] += bead(frame, i).sub(bead(frame, j)).norm() / float64(len(b.r))
			}
		}
	}
	for _, e := range SpanningTree(b.mean, beads) {
		b.edges[e[0]], b.edges[e[1]] = append(b.edges[e[0]], e[1]), append(b.edges[e[1]], e[0])
	}
	for i := range b.edges {
		slices.Sort(b.edges[i])
	}
	return b
}

func bead(frame []float64, i int) vector { return vector(frame[axes*i : axes*i+axes]) }

// root takes three beads in the middle of the longest chain, or the nearest to it that are never on a line.
func (b *builder) root() error {
	end := last(b.distances(0))
	from := b.distances(end)
	path := []int{last(from)}
	for path[len(path)-1] != end {
		here := path[len(path)-1]
		for _, x := range b.edges[here] {
			if from[x] < from[here] {
				path = append(path, x)
				break
			}
		}
	}
	var triples [][3]int
	middle := len(path) / 2
	for away := range len(path) {
		for _, k := range []int{middle - away, middle + away} {
			if k > 0 && k < len(path)-1 {
				triples = append(triples, [3]int{path[k-1], path[k], path[k+1]})
			}
		}
	}
	for j, around := range b.edges {
		for x, i := range around {
			for _, k := range around[x+1:] {
				triples = append(triples, [3]int{i, j, k})
			}
		}
	}
	for _, t := range triples {
		if b.sine(t[0], t[1], t[2]) >= leastSine {
			b.m.Root = t
			b.parent[t[0]], b.parent[t[2]], b.parent[t[1]] = t[1], t[1], t[0]
			for _, i := range t {
				b.placed[i] = true
			}
			return nil
		}
	}
	return errors.New("zmatrix: any three beads next to each other lie on a line in some frames: torsions about a line " +
		"mean nothing; map the molecule to beads that are not on a line")
}

// row finds what bead i is placed by, on bead j of the tree.
func (b *builder) row(i, j int) (Row, error) {
	k := b.parent[j]
	turns := false
	l, ok := b.first[[2]int{j, k}]
	switch {
	case j == b.m.Root[1]: // beside C
		l = b.m.Root[2]
	case !ok:
		turns = true
		l = b.beyond(j, k)
	}
	row := Row{i, j, k, l}
	if !b.good(row) {
		turns = false
		if row, ok = b.other(i, j); !ok {
			return row, fmt.Errorf("zmatrix: bead %d cannot be placed: all beads near bead %d lie on a line with it in many "+
				"frames, and torsions about a line mean nothing; leave one of them out of the map", i, j)
		}
	}
	if turns {
		b.first[[2]int{j, k}] = i
	}
	return row, nil
}

// beyond is the bead that a torsion about j–k refers to: the parent of k, or another on it.
func (b *builder) beyond(j, k int) int {
	if p := b.parent[k]; p != j {
		return p
	}
	for _, x := range b.edges[k] {
		if b.placed[x] && x != j {
			return x
		}
	}
	return b.m.Root[2]
}

func (b *builder) good(row Row) bool {
	return row.L != row.J && row.L != row.K && b.sine(row.J, row.K, row.L) >= leastSine &&
		b.sine(row.I, row.J, row.K) >= leastOwnSine
}

// other looks for references among all beads that are placed, the nearest first.
func (b *builder) other(i, j int) (Row, bool) {
	var near []int
	for x := range b.m.Beads {
		if b.placed[x] && x != j {
			near = append(near, x)
		}
	}
	slices.SortStableFunc(near, func(x, y int) int {
		return cmp.Compare(b.mean[j*b.m.Beads+x], b.mean[j*b.m.Beads+y])
	})
	for _, k := range near {
		for _, l := range near {
			if row := (Row{i, j, k, l}); l != k && b.good(row) {
				return row, true
			}
		}
	}
	return Row{}, false
}

// sine is that of the angle i–j–k, which is larger in nearly all frames.
func (b *builder) sine(i, j, k int) float64 {
	key := [3]int{i, j, k}
	if s, ok := b.sines[key]; ok {
		return s
	}
	var all []float64
	for _, frame := range b.r {
		all = append(all, math.Sin(angleOf(bead(frame, i), bead(frame, j), bead(frame, k))))
	}
	slices.Sort(all)
	b.sines[key] = all[int(lined*float64(len(all)))]
	return b.sines[key]
}

// distances counts the edges from a bead to all others.
func (b *builder) distances(from int) []int {
	far := make([]int, b.m.Beads)
	for i := range far {
		far[i] = -1
	}
	far[from] = 0
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		for _, x := range b.edges[queue[0]] {
			if far[x] < 0 {
				far[x] = far[queue[0]] + 1
				queue = append(queue, x)
			}
		}
	}
	return far
}

// last is the first of the beads that are farthest.
func last(far []int) int { return slices.Index(far, slices.Max(far)) }

// SpanningTree joins all beads by edges i < j of the least total length. length: of i < j at [i, j], [beads, beads].
// Source: Prim, Bell Syst. Tech. J. 36 (1957) 1389.
func SpanningTree(length []float64, beads int) [][2]int {
	near, from := make([]float64, beads), make([]int, beads)
	for i := range near {
		near[i] = math.Inf(1)
	}
	in := make([]bool, beads)
	var edges [][2]int
	for at, n := 0, 1; n < beads; n++ {
		in[at] = true
		next := -1
		for i := range beads {
			if in[i] {
				continue
			}
			if l := length[min(at, i)*beads+max(at, i)]; l < near[i] {
				near[i], from[i] = l, at
			}
			if next < 0 || near[i] < near[next] {
				next = i
			}
		}
		edges = append(edges, [2]int{min(from[next], next), max(from[next], next)})
		at = next
	}
	return edges
}
