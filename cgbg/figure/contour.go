package figure

// edge names a grid edge: from node (i, j) along x (0), y (1) or the diagonal (2).
type edge struct{ i, j, dir int }

// trace returns the lines where u, on (n+1)² nodes with u[i*(n+1)+j], equals level, as points in grid units. It cuts
// each cell into two triangles, each crossed by at most one segment, and joins segments at the edges they share.
func trace(u []float64, n int, level float64) [][][2]float64 {
	at := func(i, j int) float64 { return u[i*(n+1)+j] }
	links := map[edge][]edge{}
	var order []edge
	link := func(a, b edge) {
		for _, e := range [2]edge{a, b} {
			if links[e] == nil {
				order = append(order, e)
			}
		}
		links[a] = append(links[a], b)
		links[b] = append(links[b], a)
	}
	for i := range n {
		for j := range n {
			d := edge{i, j, 2}
			triangle(at(i, j) < level, at(i+1, j) < level, at(i+1, j+1) < level, edge{i, j, 0}, edge{i + 1, j, 1}, d,
				link)
			triangle(at(i, j) < level, at(i, j+1) < level, at(i+1, j+1) < level, edge{i, j, 1}, edge{i, j + 1, 0}, d,
				link)
		}
	}
	where := func(e edge) [2]float64 {
		di, dj := 1, 0
		switch e.dir {
		case 1:
			di, dj = 0, 1
		case 2:
			dj = 1
		}
		a, b := at(e.i, e.j), at(e.i+di, e.j+dj)
		t := (level - a) / (b - a)
		return [2]float64{float64(e.i) + t*float64(di), float64(e.j) + t*float64(dj)}
	}
	done := map[edge]bool{}
	var lines [][][2]float64
	walk := func(start edge) {
		line := [][2]float64{where(start)}
		done[start] = true
		last := start
		for e, ok := next(links[start], done); ok; e, ok = next(links[e], done) {
			done[e] = true
			line = append(line, where(e))
			last = e
		}
		for _, e := range links[last] { // a loop closes
			if e == start && len(line) > 2 {
				line = append(line, line[0])
				break
			}
		}
		lines = append(lines, line)
	}
	for _, open := range []bool{true, false} { // lines that end at the border start there
		for _, e := range order {
			if !done[e] && (!open || len(links[e]) == 1) {
				walk(e)
			}
		}
	}
	return lines
}

// triangle links the two edges of corners a, b, c that the level crosses, if any.
func triangle(a, b, c bool, ab, bc, ac edge, link func(a, b edge)) {
	switch {
	case a != b && b != c:
		link(ab, bc)
	case a != b:
		link(ab, ac)
	case b != c:
		link(bc, ac)
	}
}

func next(from []edge, done map[edge]bool) (edge, bool) {
	for _, e := range from {
		if !done[e] {
			return e, true
		}
	}
	return edge{}, false
}
