package observable

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data"
)

// shownNames is how many names an error offers.
const shownNames = 8

// find looks beads up by their names, or by #1, #2, … in their order.
func (s system) find(names []string) ([]int, error) {
	beads := make([]int, len(names))
	for k, name := range names {
		var err error
		if beads[k], err = lookUp("bead", name, s.beads, s.count); err != nil {
			return nil, err
		}
		if i := slices.Index(beads[:k], beads[k]); i >= 0 {
			return nil, fmt.Errorf("%s and %s are one bead", names[i], name)
		}
	}
	return beads, nil
}

// lookUp is the place of a name among others, of which there are count; what: what they are of.
func lookUp(what, name string, names []string, count int) (int, error) {
	if place, ok := strings.CutPrefix(name, "#"); ok { // whatever beads may be called
		if i, err := strconv.Atoi(place); err == nil && i >= 1 && i <= count {
			return i - 1, nil
		}
	}
	var at []int
	for i, n := range names {
		if n == name {
			at = append(at, i)
		}
	}
	if len(at) == 1 {
		return at[0], nil
	}
	if len(at) > 1 {
		return 0, fmt.Errorf("%d %ss are called %q; take one by its place, #%d or #%d",
			len(at), what, name, at[0]+1, at[1]+1)
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("no %s %q: the frames have no names; take one by its place, #1 to #%d", what, name, count)
	}
	return 0, fmt.Errorf("no %s %q: %s", what, name, nearest(name, names))
}

// nearest says which names there are, or which of many are most like one.
func nearest(name string, names []string) string {
	if len(names) <= shownNames {
		return "there are " + some(names)
	}
	like := slices.Clone(names)
	slices.SortStableFunc(like, func(a, b string) int { return edits(name, a) - edits(name, b) })
	return fmt.Sprintf("the nearest of %d are %q", len(names), like[:shownNames])
}

// some shows names, of many the first.
func some(names []string) string {
	if len(names) <= shownNames {
		return fmt.Sprintf("%q", names)
	}
	return fmt.Sprintf("%q and %d more", names[:shownNames], len(names)-shownNames)
}

// edits is the number of letters to insert, delete or change that make one word of another.
// Source: Levenshtein, Sov. Phys. Dokl. 10 (1966) 707.
func edits(a, b string) int {
	row := make([]int, len(b)+1) // of the words' beginnings
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Residues are the names of the residues whose φ and ψ frames have, in order; none of angles without names.
// Errors: beads that determine no residue's.
func Residues(f *data.Frames, m data.Meta) ([]string, error) {
	l, err := system{m.Beads, f.Beads, f.Dim}.residues()
	if err != nil {
		return nil, fmt.Errorf("observable: %w", err)
	}
	return l.names, nil
}

// residueList is the residues that have φ and ψ.
type residueList struct {
	names    []string
	phi, psi [][4]int // beads; nil where the frames hold the angles, two numbers a residue
	count    int
}

// residues are those of the frames: of map dihedrals the beads themselves, called RESIDUE:phi,psi.
func (s system) residues() (residueList, error) {
	if s.dim == 2 {
		list := residueList{count: s.count}
		for _, bead := range s.beads {
			name, _, ok := strings.Cut(bead, ":")
			if !ok {
				return list, fmt.Errorf("beads in two dimensions called %q are no φ and ψ of residues", s.beads)
			}
			list.names = append(list.names, name)
		}
		return list, nil
	}
	if s.dim != 3 {
		return residueList{}, fmt.Errorf("frames of %d numbers a bead have no φ and ψ", s.dim)
	}
	found, err := cgmap.Backbone(s.beads)
	if err != nil {
		return residueList{}, err
	}
	list := residueList{count: len(found)}
	for _, r := range found {
		list.names = append(list.names, r.Name)
		list.phi, list.psi = append(list.phi, r.Phi), append(list.psi, r.Psi)
	}
	return list, nil
}

// find is the place of a residue by its name, with its chain or without, or by its number and insertion code.
func (l residueList) find(want string) (int, error) {
	if slices.Contains(l.names, want) {
		return lookUp("residue", want, l.names, l.count)
	}
	var at []int
	for i, name := range l.names {
		n, ok := cgmap.ParseName(name + ":")
		if !ok {
			continue
		}
		number := strconv.Itoa(n.Number) + n.Insertion
		chain := n.Chain + "/"
		n.Chain = ""
		if group := n.Group(); want == group || want == number || want == chain+number {
			at = append(at, i)
		}
	}
	switch len(at) {
	case 0:
		i, err := lookUp("residue", want, l.names, l.count)
		if err != nil {
			return 0, fmt.Errorf("%w, of those that have φ and ψ", err)
		}
		return i, nil
	case 1:
		return at[0], nil
	}
	return 0, fmt.Errorf("residue %s is %s and %s; say which", want, l.names[at[0]], l.names[at[1]])
}
