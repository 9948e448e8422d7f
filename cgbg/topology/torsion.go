package topology

// Torsions finds one torsion a–b–c–d about every bond b–c that has others at both ends, in the order of the bonds. Of
// the beads that are bonded to b and c, a and d are those with the most others behind them, the way that the chain goes
// on. Of fewer than ten frames there are none. r: [n, beads, 3].
func Torsions(r []float32, beads int) (quads [][4]int) {
	if beads < 4 || len(r) < minFrames*3*beads {
		return nil
	}
	pairs := bonds(r, beads)
	around := neighbours(pairs, beads)
	for _, p := range pairs {
		a := onward(around, p[0], p[1], p[1])
		d := onward(around, p[1], p[0], a) // not a: in a ring of three there is no torsion
		if a >= 0 && d >= 0 {
			quads = append(quads, [4]int{a, p[0], p[1], d})
		}
	}
	return quads
}

// onward is the neighbour of a bead, neither of two, with the most beads behind it; the first of equals, -1 of none.
func onward(around [][]int, bead, not, nor int) int {
	best, most := -1, 0
	for _, next := range around[bead] {
		if next == not || next == nor {
			continue
		}
		if n := behind(around, next, bead); n > most {
			best, most = next, n
		}
	}
	return best
}

// behind is the number of beads that bonds reach from one, itself included, without going through another.
func behind(around [][]int, from, through int) int {
	seen := make([]bool, len(around))
	seen[from], seen[through] = true, true
	reached := []int{from}
	for k := 0; k < len(reached); k++ {
		for _, next := range around[reached[k]] {
			if !seen[next] {
				seen[next] = true
				reached = append(reached, next)
			}
		}
	}
	return len(reached)
}
