package trajectory

import (
	"testing"

	"github.com/cgbg-go/lab/cgbg/cgmap"
)

// Names as cgmap may give them, and variables that may be theirs.
func TestVariableAmong(t *testing.T) {
	names := []string{"A/ALA2", "A/GLY3", "B/ALA2", "B/CYS2.3", "B/ALA-10", "B/ALA52A", "B/SER52"}
	var residues []cgmap.Residue
	for _, name := range names {
		residues = append(residues, cgmap.Residue{Name: name})
	}
	for _, c := range []struct{ variable, want string }{
		{"phi:A/ALA2", "A/ALA2"}, {"A/ALA2:phi", "A/ALA2"}, {"@phi-B2", "B/ALA2"}, {"@psi-A_2", "A/ALA2"},
		{"gly3_phi", "A/GLY3"}, {"phi:CYS2.3", "B/CYS2.3"}, {"phi:B/3", "B/CYS2.3"}, {"phi:ALA-10",
			"B/ALA-10"}, {"phi-10", "B/ALA-10"},
		{"phi52A", "B/ALA52A"}, {"phi_52", "B/SER52"}, {"φ_ser52", "B/SER52"}, {"psi_gly", "A/GLY3"}, {"phi:gly03",
			"A/GLY3"},
		{"phi2", ""}, {"phi3", ""}, {"phi", ""}, {"phi99", ""}, {"cosphi", ""}, {"phi_3_b", ""}, {"phi:C/2",
			""}, {"phi10", ""}, {"dphi", ""},
	} {
		got := ""
		if v, ok := readVariable(c.variable); ok {
			if i, err := v.among(residues); err == nil {
				got = names[i]
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.variable, got, c.want)
		}
	}
	for _, name := range []string{"", "t1", "phipsi", "omega3", "a_phi_3", "distance"} {
		if v, ok := readVariable(name); ok {
			t.Errorf("%s: got %+v, want no dihedral", name, v)
		}
	}
}
