package cgmap

// PeptideBonds finds the pairs of named beads that a peptide bond joins, C of a residue and N of the next one, in order.
func PeptideBonds(beads []string) (pairs [][2]int) {
	for i, c := range beads {
		_, number, atom := split(c)
		for j, n := range beads {
			if _, next, nitrogen := split(n); atom == "C" && nitrogen == "N" && next == number+1 {
				pairs = append(pairs, [2]int{i, j})
			}
		}
	}
	return pairs
}
