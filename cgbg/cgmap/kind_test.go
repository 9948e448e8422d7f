package cgmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Every map, and one that the table alone knows of: its name is its own, help and messages have it, and its beads are
// atoms of the structure in their order, each once.
func TestKinds(t *testing.T) {
	before := kinds
	t.Cleanup(func() { kinds = before })
	kinds = append(slices.Clone(kinds), Kind{
		Name: "carbon", About: "all atoms of carbon", Takes: "carbon",
		beads: func(l *layout, r *fragment) []int {
			return l.atomsOf(r, func(element string) bool { return element == "C" })
		},
	})
	_, unknown := MapByName("united")
	seen := map[string]bool{}
	for _, k := range Maps() {
		if k.Name == "" || seen[k.Name] || k.About == "" || k.Takes == "" {
			t.Errorf("a name that is taken, or nothing about it: %+v", k)
		}
		seen[k.Name] = true
		if !strings.Contains(NamedFormat(), "  "+k.Name+"  ") {
			t.Errorf("%s is not in the help", k.Name)
		}
		if !errors.Is(unknown, ErrMap) || !strings.Contains(unknown.Error(), k.Name) {
			t.Errorf("%s is not in the message of an unknown name: %v", k.Name, unknown)
		}
		m, err := New(k.Name, ala2(t))
		if err != nil {
			t.Fatal(err)
		}
		if m.Name != k.Name || !slices.IsSorted(m.Atoms) || len(slices.Compact(slices.Clone(m.Atoms))) != len(m.Beads) {
			t.Errorf("%s: got map %q of atoms %v", k.Name, m.Name, m.Atoms)
		}
		empty := &gromacs.Structure{Atoms: []gromacs.Atom{{Name: "OW", Residue: "SOL", ResidueNumber: 1}}}
		if _, err := New(k.Name, empty); !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), k.Takes) {
			t.Errorf("%s of water: got %v", k.Name, err)
		}
	}
	m, err := New("carbon", ala2(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Beads, " "); got != "ACE1:CH3 ACE1:C ALA2:CA ALA2:CB ALA2:C NME3:CH3" {
		t.Errorf("carbon: got %s", got)
	}
}

// The help keeps to its columns.
func TestNamedFormat(t *testing.T) {
	for _, line := range strings.Split(NamedFormat(), "\n") {
		if len(line) > 110 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func ExampleMapByName() {
	k, err := MapByName(HeavyAtom)
	fmt.Println(k.About, err)
	_, err = MapByName("united")
	fmt.Println(err)
	// Output:
	// all atoms but hydrogen <nil>
	// cgmap: no such map as "united": choose one of core-beta, core-beta-caps, heavy-atom, all-atom
}
