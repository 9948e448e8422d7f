package cgmap

import "math"

// cells sort places into the cells of a grid that fills the periodic box, or
// what the places take up, so that close pairs are found in neighbouring cells.
type cells struct {
	r       []float32
	lattice *lattice
	count   [3]int
	wrap    [3]bool
	first   []int32 // of each cell in order, and the end
	order   []int32 // places by cell
	cell    []int32 // of each of order
	cutoff  float64
}

// maxCells bounds the grid where few atoms take up much room, for each atom.
const maxCells = 8

// newCells sorts the chosen atoms. r: [atoms, 3], nm; cutoff: the longest distance that is looked for, nm.
func newCells(r []float32, chosen []int, l *lattice, cutoff float64) *cells {
	c := &cells{r: r, lattice: l, cutoff: cutoff}
	axes, origin := c.axes(chosen)
	index := make([]int32, len(chosen))
	total := c.count[0] * c.count[1] * c.count[2]
	c.first = make([]int32, total+1)
	for n, i := range chosen {
		cell := 0
		x := at(r, i).sub(origin)
		for k := range 3 {
			s := axes[k].dot(x)
			if c.wrap[k] {
				s -= math.Floor(s)
			}
			cell = cell*c.count[k] + min(max(int(s*float64(c.count[k])), 0), c.count[k]-1)
		}
		index[n] = int32(cell)
		c.first[cell+1]++
	}
	for k := range total {
		c.first[k+1] += c.first[k]
	}
	c.order, c.cell = make([]int32, len(chosen)), make([]int32, len(chosen))
	next := append([]int32(nil), c.first[:total]...)
	for n, i := range chosen {
		k := next[index[n]]
		next[index[n]]++
		c.order[k], c.cell[k] = int32(i), index[n]
	}
	return c
}

// axes are what a place is multiplied by for its fractional coordinates; it sets how many cells lie along each.
func (c *cells) axes(chosen []int) (axes [3]vector, origin vector) {
	edges := append([]vector(nil), c.lattice.basis...)
	for k := range edges {
		c.wrap[k] = true
	}
	switch len(edges) { // directions without a boundary
	case 0:
		edges = []vector{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	case 1:
		u := edges[0].unit()
		other := vector{1, 0, 0}
		if math.Abs(u[0]) > 0.8 {
			other = vector{0, 1, 0}
		}
		v := u.cross(other).unit()
		edges = append(edges, v, u.cross(v))
	case 2:
		edges = append(edges, edges[0].cross(edges[1]).unit())
	}
	volume := edges[0].cross(edges[1]).dot(edges[2])
	for k := range axes {
		n := edges[(k+1)%3].cross(edges[(k+2)%3])
		axes[k] = vector{}.plus(n, 1/volume)
	}
	limit := math.Cbrt(maxCells*float64(len(chosen))) + 1
	for k := range axes {
		height := 1 / axes[k].norm()
		if !c.wrap[k] { // the edge becomes what the atoms take up
			low, high := math.Inf(1), math.Inf(-1)
			for _, i := range chosen {
				s := axes[k].dot(at(c.r, i))
				low, high = min(low, s), max(high, s)
			}
			if len(chosen) == 0 {
				low, high = 0, 0
			}
			extent := max(high-low, c.cutoff)
			origin = origin.plus(edges[k], low)
			axes[k] = vector{}.plus(axes[k], 1/extent)
			height = extent
		}
		c.count[k] = max(1, int(min(height/c.cutoff, limit)))
	}
	return axes, origin
}

// pairs calls found with every two atoms no farther apart than the cutoff, once, and the square of their distance;
// until it says no.
func (c *cells) pairs(found func(i, j int, square float64) bool) {
	var around [27]int
	for a := range c.first[1:] {
		if c.first[a] == c.first[a+1] {
			continue
		}
		n := c.around(a, &around)
		for p := c.first[a]; p < c.first[a+1]; p++ {
			i := int(c.order[p])
			x := at(c.r, i)
			for _, b := range around[:n] {
				from := c.first[b]
				if b == a {
					from = p + 1
				}
				for q := from; q < c.first[b+1]; q++ {
					j := int(c.order[q])
					d := c.lattice.nearest(at(c.r, j).sub(x))
					if square := d.dot(d); square <= c.cutoff*c.cutoff && !found(i, j, square) {
						return
					}
				}
			}
		}
	}
}

// around are the cells that border on cell a and have a number no smaller, and a itself.
func (c *cells) around(a int, out *[27]int) (n int) {
	at := [3]int{a / (c.count[1] * c.count[2]), a / c.count[2] % c.count[1], a % c.count[2]}
	var lists [3][3]int
	var lengths [3]int
	for k := range 3 {
		for _, step := range []int{-1, 0, 1} {
			x := at[k] + step
			if c.wrap[k] {
				x = (x + c.count[k]) % c.count[k]
			}
			known := x < 0 || x >= c.count[k]
			for _, y := range lists[k][:lengths[k]] {
				known = known || x == y
			}
			if !known {
				lists[k][lengths[k]] = x
				lengths[k]++
			}
		}
	}
	for _, x := range lists[0][:lengths[0]] {
		for _, y := range lists[1][:lengths[1]] {
			for _, z := range lists[2][:lengths[2]] {
				if b := (x*c.count[1]+y)*c.count[2] + z; b >= a {
					out[n] = b
					n++
				}
			}
		}
	}
	return n
}
