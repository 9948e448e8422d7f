package cgmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/data/gromacs"
)

// peptideBond is the length, nm, below which C and N are bonded: 0.133 at rest, and never so much.
const peptideBond = 0.25

// fragment is a residue of a structure: an amino acid, a cap, a ligand, water or an ion.
type fragment struct {
	run
	kind                residueKind
	n, ca, c            int // atoms of the backbone, or -1; a cap's n or c
	capBefore, capAfter int // C and N of caps that are atoms of the residue, or -1
	before, after       int // residues that peptide bonds join, or -1
	chain               string
}

// solute tells whether named maps have beads of it.
func (r *fragment) solute() bool { return r.kind == aminoAcid || r.kind == otherResidue }

// layout is who is who in a structure.
type layout struct {
	s        *gromacs.Structure
	residues []fragment
	of       []int    // residue of each atom
	elements []string // of each atom
	names    []string // of each atom in its residue: its own, but for those that stand there twice
	chains   int      // of solutes
	images   *lattice // nil where the box is none
}

// layOut finds residues, their kinds, the peptide bonds between them and their chains.
func layOut(s *gromacs.Structure) *layout {
	l := &layout{s: s, of: make([]int, len(s.Atoms)), elements: elementsOf(s.Atoms),
		names: make([]string, len(s.Atoms))}
	l.images, _ = newLattice(&s.Box) // whose error NewMolecule returns
	for _, r := range runs(s.Atoms) {
		seen := map[string]int{}
		for i := r.first; i < r.end; i++ {
			l.of[i] = len(l.residues)
			l.names[i] = s.Atoms[i].Name
			if seen[l.names[i]]++; seen[l.names[i]] > 1 {
				l.names[i] += fmt.Sprintf("~%d", seen[l.names[i]])
			}
		}
		l.residues = append(l.residues, l.fragment(r))
		l.ownNames(&l.residues[len(l.residues)-1])
	}
	l.join()
	l.closeRings()
	l.findCaps()
	l.label()
	return l
}

// fragment finds the backbone's atoms of one.
func (l *layout) fragment(r run) fragment {
	atoms := l.s.Atoms[r.first:r.end]
	find := func(names ...[]string) int {
		for _, name := range slices.Concat(names...) {
			if i := slices.IndexFunc(atoms, func(a gromacs.Atom) bool { return a.Name == name }); i >= 0 {
				return r.first + i
			}
		}
		return -1
	}
	out := fragment{run: r, kind: kindOf(atoms), n: -1, ca: -1, c: -1, capBefore: -1, capAfter: -1, before: -1,
		after: -1, chain: chainName(atoms[0].Chain)}
	switch out.kind {
	case aminoAcid:
		out.ca = find([]string{"CA"})
		out.n, out.c = l.nearest(r, out.ca, find(nitrogenNames)), l.nearest(r, out.ca, find(carbonylNames))
		if i := find(capBeforeNames); i >= 0 && l.bonded(i, out.n) {
			out.capBefore = i
		}
		if i := find(capAfterNames); i >= 0 && l.bonded(out.c, i) {
			out.capAfter = i
		}
	case otherResidue:
		out.n, out.c = find(nitrogenNames, capAfterNames), find(carbonylNames, capBeforeNames)
	}
	return out
}

// nearest is, of the atoms of a residue with the name of atom i, the one nearest to another: where caps are of the
// residue, some names stand twice.
func (l *layout) nearest(r run, to, i int) int {
	if i < 0 || to < 0 || len(l.s.R) != 3*len(l.s.Atoms) {
		return i
	}
	for k := r.first; k < r.end; k++ {
		if l.s.Atoms[k].Name == l.s.Atoms[i].Name && l.distance2(k, to) < l.distance2(i, to) {
			i = k
		}
	}
	return i
}

// ownNames gives the backbone's atoms their names, and others of the same name the longer ones.
func (l *layout) ownNames(r *fragment) {
	for _, i := range []int{r.n, r.ca, r.c} {
		if i < 0 || l.names[i] == l.s.Atoms[i].Name {
			continue
		}
		if k := slices.Index(l.names[r.first:r.end], l.s.Atoms[i].Name); k >= 0 {
			l.names[i], l.names[r.first+k] = l.names[r.first+k], l.names[i]
		}
	}
}

// findCaps finds those under names of their own by bonds: a carbonyl's C at the residue's N, and an N at its C, in the
// residue or beside it in the file.
func (l *layout) findCaps() {
	if len(l.s.R) != 3*len(l.s.Atoms) {
		return
	}
	for i := range l.residues {
		r := &l.residues[i]
		if r.kind != aminoAcid {
			continue
		}
		first, end := r.first, r.end
		if i > 0 && l.residues[i-1].kind == otherResidue {
			first = l.residues[i-1].first
		}
		if i+1 < len(l.residues) && l.residues[i+1].kind == otherResidue {
			end = l.residues[i+1].end
		}
		near := func(of, k int, symbol string, d float64) bool {
			return k != of && l.elements[k] == symbol && l.distance2(k, of) < d*d
		}
		for k := first; k < r.end && r.before < 0 && r.capBefore < 0; k++ {
			if k == r.ca || !near(r.n, k, "C", capBond) {
				continue
			}
			for o := first; o < r.end; o++ {
				if near(k, o, "O", carbonylBond) {
					r.capBefore = k
				}
			}
		}
		for k := r.first; k < end && r.after < 0 && r.capAfter < 0; k++ {
			if k != r.n && near(r.c, k, "N", capBond) {
				r.capAfter = k
			}
		}
	}
}

// capBond and carbonylBond are longer than C–N (0.133 nm) and C=O (0.123 nm) ever are, and shorter than distances over
// two bonds.
const capBond, carbonylBond = 0.18, 0.16

// chainName keeps an identifier of a chain out of the way of what separates parts of a name.
func chainName(id string) string {
	if strings.ContainsFunc(id, notAlphanumeric) {
		return fmt.Sprintf("x%X", id)
	}
	return id
}

// distance2 is the squared distance of two atoms' nearest images, nm².
func (l *layout) distance2(i, j int) float64 {
	d := at(l.s.R, i).sub(at(l.s.R, j))
	if l.images != nil {
		d = l.images.nearest(d)
	}
	return d.dot(d)
}

// bonded tells whether C and N are near enough. A structure without positions says nothing against it.
func (l *layout) bonded(c, n int) bool {
	return len(l.s.R) != 3*len(l.s.Atoms) || l.distance2(c, n) < peptideBond*peptideBond
}

// join finds the peptide bonds between residues that follow each other in the file.
func (l *layout) join() {
	last := map[string]int{} // the residue with a C, by chain
	for i := range l.residues {
		q := &l.residues[i]
		if !q.solute() {
			continue
		}
		if k, ok := last[q.chain]; ok && q.n >= 0 && l.residues[k].after < 0 && l.residues[k].capAfter < 0 &&
			q.capBefore < 0 && l.joined(k, i) {
			l.residues[k].after, q.before = i, k
		}
		if q.c >= 0 {
			last[q.chain] = i
		}
	}
}

// joined tells whether a peptide bond leads from residue p to q. Where there are no positions, numbers tell.
func (l *layout) joined(p, q int) bool {
	a, b := l.s.Atoms[l.residues[p].first], l.s.Atoms[l.residues[q].first]
	next := follows(b.ResidueNumber, b.Insertion, a.ResidueNumber, a.Insertion)
	if l.residues[p].kind != aminoAcid && l.residues[q].kind != aminoAcid {
		return false
	}
	if len(l.s.R) != 3*len(l.s.Atoms) {
		return next
	}
	if l.bonded(l.residues[p].c, l.residues[q].n) {
		return true
	}
	// A molecule that is torn, in a structure without a box: caps belong to their neighbour.
	return next && q == p+1 && l.s.Box == [9]float64{} &&
		(slices.Contains(firstCaps, a.Residue) || slices.Contains(lastCaps, b.Residue))
}

// closeRings finds the peptide bonds between residues that do not follow each other in the file: of cyclic peptides,
// above all.
func (l *layout) closeRings() {
	if len(l.s.R) != 3*len(l.s.Atoms) {
		return
	}
	var ends, starts []int
	for i, r := range l.residues {
		if r.solute() && r.c >= 0 && r.after < 0 && r.capAfter < 0 {
			ends = append(ends, i)
		}
		if r.solute() && r.n >= 0 && r.before < 0 && r.capBefore < 0 {
			starts = append(starts, i)
		}
	}
	for _, p := range ends {
		for _, q := range starts {
			if p == q || l.residues[q].before >= 0 || l.residues[p].kind != aminoAcid &&
				l.residues[q].kind != aminoAcid {
				continue
			}
			// Between what a bond is in a simulation and atoms on top of each other.
			if d := l.distance2(l.residues[p].c, l.residues[q].n); d > 0.1*0.1 && d < 0.18*0.18 {
				l.residues[p].after, l.residues[q].before = q, p
				break
			}
		}
	}
}

// alone tells whether an amino acid is its chain's only one.
func (l *layout) alone(r *fragment) bool {
	return (r.before < 0 || l.residues[r.before].kind != aminoAcid) &&
		(r.after < 0 || l.residues[r.after].kind != aminoAcid)
}

// caps are the atoms C and N of an amino acid's caps, -1 where it has none.
func (l *layout) caps(r *fragment) (before, after int) {
	before, after = r.capBefore, r.capAfter
	if k := r.before; before < 0 && k >= 0 && l.residues[k].kind != aminoAcid {
		before = l.residues[k].c
	}
	if k := r.after; after < 0 && k >= 0 && l.residues[k].kind != aminoAcid {
		after = l.residues[k].n
	}
	return before, after
}

// name of an atom; its chain stands in it where chain is true.
func (l *layout) name(i int, chain bool) Name {
	a, r := l.s.Atoms[i], &l.residues[l.of[i]]
	n := Name{Residue: strings.ReplaceAll(a.Residue, ":", "_"), Number: a.ResidueNumber, Insertion: a.Insertion,
		Atom: l.names[i]}
	if chain {
		n.Chain = r.chain
	}
	return n
}

// several tells whether atoms are of more than one chain.
func (l *layout) several(atoms []int) bool {
	return slices.ContainsFunc(atoms,
		func(i int) bool { return l.residues[l.of[i]].chain != l.residues[l.of[atoms[0]]].chain })
}

// dihedrals are the residues that have both, whose atoms are those of index.
func (l *layout) dihedrals() (out [][5]int, residues []int) {
	for i := range l.residues {
		r := &l.residues[i]
		if r.kind != aminoAcid {
			continue
		}
		before, after := r.capBefore, r.capAfter
		if k := r.before; before < 0 && k >= 0 {
			before = l.residues[k].c
		}
		if k := r.after; after < 0 && k >= 0 {
			after = l.residues[k].n
		}
		if before >= 0 && after >= 0 {
			out, residues = append(out, [5]int{before, r.n, r.ca, r.c, after}), append(residues, i)
		}
	}
	return out, residues
}
