package cgmap

import (
	"fmt"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// atomName is the name of the bead that is this atom, of a structure of one chain.
func atomName(a gromacs.Atom) string {
	return Name{Residue: a.Residue, Number: a.ResidueNumber, Insertion: a.Insertion, Atom: a.Name}.String()
}

// Names that are written are read as what they were; a table of all parts that have been seen in files, in every
// combination.
func TestNameRoundTrip(t *testing.T) {
	names := map[string]Name{}
	for _, chain := range []string{"", "A", "b", "1", "A2", "AB"} {
		for _, residue := range []string{"ALA", "CYS2", "NH2", "NA+", "CL-", "0A1", "2MR", "C1A", "SPC/E", "X.", "x",
			"", "A-1", "X^", "X1^Y", "LEU.2", "α"} {
			for _, number := range []int{0, 1, 3, 52, -1, -10, 9999, 100000} {
				for _, insertion := range []string{"", "A", "z", "1", "AB"} {
					for _, atom := range []string{"CA", "H5'1", "O5*", "1HB", "phi,psi", "C/2", "a:b", ""} {
						want := Name{chain, residue, number, insertion, atom}
						text := want.String()
						if got, ok := ParseName(text); !ok || got != want {
							t.Errorf("%s: got %+v, %v, want %+v", text, got, ok, want)
						}
						if other, taken := names[text]; taken {
							t.Errorf("%s names %+v and %+v", text, other, want)
						}
						names[text] = want
					}
				}
			}
		}
	}
}

// Names as they have always been, and what is none.
func TestParseName(t *testing.T) {
	for _, c := range []struct {
		text string
		want Name
		ok   bool
	}{
		{"ALA2:CA", Name{Residue: "ALA", Number: 2, Atom: "CA"}, true},
		{"NME3:CH3", Name{Residue: "NME", Number: 3, Atom: "CH3"}, true},
		{"CYS23:CA", Name{Residue: "CYS", Number: 23, Atom: "CA"}, true},
		{"CYS2.3:CA", Name{Residue: "CYS2", Number: 3, Atom: "CA"}, true},
		{"ALA-10:CA", Name{Residue: "ALA", Number: -10, Atom: "CA"}, true},
		{"ALA.-10:CA", Name{Residue: "ALA", Number: -10, Atom: "CA"}, true},
		{"SER52A:CA", Name{Residue: "SER", Number: 52, Insertion: "A", Atom: "CA"}, true},
		{"B/SER52A:CA", Name{Chain: "B", Residue: "SER", Number: 52, Insertion: "A", Atom: "CA"}, true},
		{"ALA02:CA", Name{Residue: "ALA", Number: 2, Atom: "CA"}, true},
		{"7:N", Name{Number: 7, Atom: "N"}, true},
		{"particle", Name{}, false}, {"BEAD12", Name{}, false}, {"", Name{}, false}, {":", Name{}, false},
		{"ALA:CA", Name{}, false}, {"-:CA", Name{}, false},
		{"A/:CA", Name{}, false}, {"ALA99999999999999999999:CA", Name{}, false}, {"ALA2A3A^:CA", Name{}, false},
	} {
		if got, ok := ParseName(c.text); ok != c.ok || ok && got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.text, got, ok, c.want, c.ok)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, text := range []string{"ALA2:CA", "A/CYS2.3:CA", "x^1:", "A1^2-3b:q", "1^1^1:", "../0:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := ParseName(text)
		if !ok {
			return
		}
		if again, ok := ParseName(n.String()); !ok || again != n {
			t.Errorf("%q is %+v, whose name %q is %+v, %v", text, n, n.String(), again, ok)
		}
	})
}

func ExampleParseName() {
	for _, bead := range []string{"ALA2:CA", "B/CYS2.3:SG", "SER-52A:N"} {
		n, _ := ParseName(bead)
		fmt.Printf("%q %s %d %q %s\n", n.Chain, n.Residue, n.Number, n.Insertion, n.Atom)
	}
	// Output:
	// "" ALA 2 "" CA
	// "B" CYS2 3 "" SG
	// "" SER -52 "A" N
}
