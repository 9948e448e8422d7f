package cgmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/kind"
)

// Names of the maps.
const (
	AllAtom   = "all-atom"   // every atom
	HeavyAtom = "heavy-atom" // all but hydrogen
	CoreBeta  = "core-beta"  // N, CA, CB and C of every residue; in a chain of one residue the C and N of its caps, too

	// CoreBetaCaps keeps the caps' C and N in every chain.
	CoreBetaCaps = "core-beta-caps"
)

// Kind describes a named map. See the package's comment for how to add one.
type Kind struct {
	Name  string
	About string // what its beads are, for those who choose; a sentence or two
	Takes string // what a structure must have for it, for messages

	// beads are the atoms of a residue, and of its caps, that are beads. Residues are those of solutes: neither water
	// nor ions. Order does not matter, and an atom may stand there twice.
	beads func(l *layout, r *fragment) []int
}

// kinds are all named maps.
var kinds = []Kind{{
	Name: CoreBeta,
	About: "N, CA, CB and C of every residue (glycine has no CB). A chain of one residue keeps its caps' C and N; " +
		"longer ones drop them, as the published sets do, and with them phi of the first residue and psi of the last",
	Takes: "amino acids with N, CA and C",
	beads: func(l *layout, r *fragment) []int {
		return l.coreBeta(r, l.alone(r)) // without its neighbours a single residue has no dihedrals
	},
}, {
	Name:  CoreBetaCaps,
	About: "the same with the caps' C and N in every chain",
	Takes: "amino acids with N, CA and C",
	beads: func(l *layout, r *fragment) []int { return l.coreBeta(r, true) },
}, {
	Name:  HeavyAtom,
	About: "all atoms but hydrogen",
	Takes: "atoms that are not hydrogen, of molecules other than water and ions",
	beads: func(l *layout, r *fragment) []int {
		return l.atomsOf(r, func(element string) bool { return !isHydrogen(element) })
	},
}, {
	Name:  AllAtom,
	About: "all atoms",
	Takes: "atoms of molecules other than water and ions",
	beads: func(l *layout, r *fragment) []int {
		return l.atomsOf(r, func(string) bool { return true })
	},
}}

// Names lists the maps.
var Names = func() (names []string) {
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}()

// Maps lists the named maps.
func Maps() []Kind { return slices.Clone(kinds) }

// MapByName is the map of that name. Error: ErrMap, wrapped: there is none; it lists those that there are.
func MapByName(name string) (Kind, error) {
	k, err := kind.Find(kinds, func(k Kind) string { return k.Name }, "as", name)
	if err != nil {
		return k, fmt.Errorf("cgmap: %w %w", ErrMap, err)
	}
	return k, nil
}

// atomsOf are the atoms of a residue whose elements are wanted; sites that are no atoms are left out.
func (l *layout) atomsOf(r *fragment, wanted func(element string) bool) (atoms []int) {
	for i := r.first; i < r.end; i++ {
		if e := l.elements[i]; e != virtual && wanted(e) {
			atoms = append(atoms, i)
		}
	}
	return atoms
}

// coreBeta are N, CA, C and CB of an amino acid, and of its caps C and N if they are wanted.
func (l *layout) coreBeta(r *fragment, caps bool) (atoms []int) {
	if r.kind != aminoAcid {
		return nil
	}
	atoms = append(atoms, r.n, r.ca, r.c)
	if i := slices.Index(l.names[r.first:r.end], "CB"); i >= 0 {
		atoms = append(atoms, r.first+i)
	}
	if caps {
		before, after := l.caps(r)
		for _, i := range []int{before, after} {
			if i >= 0 {
				atoms = append(atoms, i)
			}
		}
	}
	return atoms
}

// Lines of NamedFormat: how far the text is indented, and how long they are at most.
const (
	textIndent = 18
	textWidth  = 105
)

// NamedFormat explains the named maps, for the help of commands.
func NamedFormat() string {
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %-*s", textIndent-2, k.Name)
		at := textIndent
		for i, word := range strings.Fields(k.About) {
			switch {
			case at+1+len(word) > textWidth:
				fmt.Fprintf(&b, "\n%*s", textIndent, "")
				at = textIndent
			case i > 0:
				b.WriteByte(' ')
				at++
			}
			b.WriteString(word)
			at += len(word)
		}
		b.WriteByte('\n')
	}
	return b.String() + `
None has beads of water or ions, under any of their usual names, nor of sites that are no atoms. The species
of C, O, N, H, S are 1 to 5, those of other elements 100 and the atomic number. Elements are those
of the PDB file (columns 77 and 78), else they follow from the names of residue and atom together.
`
}
