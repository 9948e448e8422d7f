package cgmap

import (
	"fmt"
	"slices"
)

// label gives solutes the names of their chains: the file's where it has them, else letters. Names of residues are then
// unique, and following numbers join those alone that a peptide bond joins.
func (l *layout) label() {
	var solutes []int
	for i := range l.residues {
		if l.residues[i].solute() {
			solutes = append(solutes, i)
		}
	}
	segment := l.segments(solutes)
	for l.cut(solutes, segment) {
	}
	l.chains = l.letter(solutes, segment)
}

// segments are the chains of solutes, counted from 0: another begins where the file's identifier changes, a residue
// stands there a second time, or numbers begin anew without a bond.
func (l *layout) segments(solutes []int) []int {
	type current struct {
		segment, number int // number: of the last amino acid or cap
		polymer         bool
		seen            map[Name]bool
	}
	of, count := map[string]*current{}, 0
	segment := make([]int, len(solutes))
	for k, i := range solutes {
		r := &l.residues[i]
		name := l.name(r.first, false)
		name.Atom = ""
		c, polymer := of[r.chain], r.kind == aminoAcid || r.before >= 0 || r.after >= 0
		if c == nil || c.seen[name] || r.chain == "" && polymer && c.polymer && r.before < 0 &&
			name.Number <= c.number {
			c = &current{segment: count, seen: map[Name]bool{}}
			of[r.chain] = c
			count++
		}
		c.seen[name] = true
		if polymer {
			c.number, c.polymer = name.Number, true
		}
		segment[k] = c.segment
	}
	return segment
}

// cut begins another segment at every residue that names would join to one without a bond; false: there was none.
func (l *layout) cut(solutes, segment []int) bool {
	names := make([]Name, len(solutes))
	for k, i := range solutes {
		names[k] = l.name(l.residues[i].first, false)
		names[k].Chain, names[k].Atom = fmt.Sprint(segment[k]), ""
	}
	cuts := make([]bool, len(solutes))
	for k, next := range following(names) {
		if next < 0 {
			continue
		}
		p, q := &l.residues[solutes[k]], &l.residues[solutes[next]]
		if p.c >= 0 && q.n >= 0 && q.before != solutes[k] && (p.kind == aminoAcid || q.kind == aminoAcid) {
			cuts[max(k, next)] = true
		}
	}
	if !slices.Contains(cuts, true) {
		return false
	}
	count := slices.Max(segment) + 1
	now := map[int]int{} // what segments that were cut are called
	for k, s := range segment {
		if cuts[k] {
			now[s] = count
			count++
		}
		if fresh, ok := now[s]; ok {
			segment[k] = fresh
		}
	}
	return true
}

// letter names segments: by the file's identifier, its later ones with a number behind, or by letters. It returns how
// many there are.
func (l *layout) letter(solutes, segment []int) int {
	taken, names := map[string]bool{}, map[int]string{}
	for _, i := range solutes {
		taken[l.residues[i].chain] = true
	}
	given := map[string]bool{}
	letters := 0
	for k, i := range solutes {
		if _, known := names[segment[k]]; known {
			continue
		}
		id, name := l.residues[i].chain, ""
		switch {
		case id == "":
			for taken[letter(letters)] {
				letters++
			}
			name = letter(letters)
		case !given[id]:
			given[id], name = true, id
		default:
			if isDigit(id[len(id)-1]) {
				id += "."
			}
			n := 2
			for taken[fmt.Sprint(id, n)] {
				n++
			}
			name = fmt.Sprint(id, n)
		}
		taken[name], names[segment[k]] = true, name
	}
	for k, i := range solutes {
		l.residues[i].chain = names[segment[k]]
	}
	return len(names)
}

// letter is the n-th of A, B, ..., Z, AA, AB, ...
func letter(n int) string {
	if n < 26 {
		return string(rune('A' + n))
	}
	return letter(n/26-1) + letter(n%26)
}
