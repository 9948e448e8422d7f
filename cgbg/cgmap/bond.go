package cgmap

// PeptideBonds finds the pairs of named beads that a peptide bond joins, C of a residue and N of the next one in its
// chain, in order; caps that are atoms of a residue have theirs, too.
func PeptideBonds(beads []string) (pairs [][2]int) {
	residues, _, after := chained(beads)
	add := func(c, n int) {
		if c >= 0 && n >= 0 {
			pairs = append(pairs, [2]int{c, n})
		}
	}
	for i := range residues {
		r := &residues[i]
		c, n := r.bead(carbonylNames), r.bead(nitrogenNames)
		add(r.bead(capBeforeNames), n)
		if k := r.bead(capAfterNames); k >= 0 {
			add(c, k)
		} else if k := after[i]; k >= 0 && (alpha(r) || alpha(&residues[k])) {
			add(r.bead(carbonylNames, capBeforeNames), residues[k].bead(nitrogenNames, capAfterNames))
		}
	}
	return pairs
}

// alpha tells whether a residue is an amino acid by its beads: others may have atoms C and N, too.
func alpha(r *group) bool { return r.bead([]string{"CA"}) >= 0 }
