package cgmap

import (
	"slices"
	"testing"
)

// Beads of alanine dipeptide by both maps, their numbers as in the order that the paper's code has; C and O without
// residues have no bonds.
func TestPeptideBonds(t *testing.T) {
	for name, c := range map[string]struct {
		beads []string
		want  [][2]int
	}{
		"heavy-atom": {[]string{"ACE1:CH3", "ACE1:C", "ACE1:O", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "ALA2:O",
			"NME3:N", "NME3:CH3"}, [][2]int{{1, 3}, {6, 8}}},
		"core-beta": {[]string{"ACE1:C", "ALA2:N", "ALA2:CA", "ALA2:CB", "ALA2:C", "NME3:N"},
			[][2]int{{0, 1}, {4, 5}}},
		"gap":     {[]string{"ALA2:C", "ALA4:N"}, nil},
		"unnamed": {[]string{"C", "N"}, nil},
	} {
		if got := PeptideBonds(c.beads); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
