package cgmap

import "fmt"

// Names of the backbone's atoms, in order of preference. Sources: AMBER, CHARMM36, GROMOS and OPLS as GROMACS 2024
// ships them (.rtp and .tdb files); CHARMM's topologies top_all22_prot and toph19 (patches ACE, ACP, CT1 to CT3; the
// residue ALAD).
//
// Caps are residues of their own (ACE: C; NME, NAC, NMA, NHE, NH2, CT3: N), where CA may be a methyl's carbon, or atoms
// of the first and last residue: CY of CHARMM's ACE and ACP, NT of CT2 and CT3. ALAD has both caps, and names for left
// and right.
var (
	nitrogenNames  = []string{"N", "NL"}
	carbonylNames  = []string{"C", "CRP"}
	capBeforeNames = []string{"CY", "CLP"} // carbonyl before the residue's own nitrogen
	capAfterNames  = []string{"NT", "NR"}  // amide after the residue's own carbonyl
)

// Residues that are caps, at a chain's beginning and end.
var (
	firstCaps = []string{"ACE", "FOR"}
	lastCaps  = []string{"NME", "NAC", "NMA", "NHE", "NH2", "NHM", "CT3"}
)

// Residue is where the backbone dihedrals of an amino acid are among the beads.
type Residue struct {
	Name     string // with the chain, where the beads' names have it
	Phi, Psi [4]int // beads: C of the residue before, N, CA, C; N, CA, C, N of the residue after
	Center   [4]int // CA and its neighbours N, C, CB, whose handedness tells L from D; no CB (glycine): -1
}

// group is a residue among beads.
type group struct {
	name  Name // without an atom
	beads map[string]int
}

// bead is the first that has one of the names, or -1.
func (g *group) bead(names ...[]string) int {
	for _, some := range names {
		for _, name := range some {
			if i, ok := g.beads[name]; ok {
				return i
			}
		}
	}
	return -1
}

// groups are the residues of named beads, in the order of their first ones. A bead whose name is there already begins a
// copy.
func groups(beads []string) (out []group) {
	last := map[Name]int{}
	for i, bead := range beads {
		name, ok := ParseName(bead)
		if !ok {
			continue
		}
		atom := name.Atom
		name.Atom = ""
		k, known := last[name]
		if known {
			_, known = out[k].beads[atom]
			known = !known
		}
		if !known {
			k = len(out)
			last[name] = k
			out = append(out, group{name, map[string]int{}})
		}
		out[k].beads[atom] = i
	}
	return out
}

// following finds for every residue the one that comes after it in its chain by its number, or -1: the next in the
// list, else the only one whose number is the next.
func following(residues []Name) []int {
	next, preceded := make([]int, len(residues)), make([]bool, len(residues))
	type place struct {
		chain  string
		number int
	}
	at, last := map[place][]int{}, map[string]int{}
	for i, r := range residues {
		next[i] = -1
		at[place{r.Chain, r.Number}] = append(at[place{r.Chain, r.Number}], i)
		if k, ok := last[r.Chain]; ok && follows(r.Number, r.Insertion, residues[k].Number, residues[k].Insertion) {
			next[k], preceded[i] = i, true
		}
		last[r.Chain] = i
	}
	for i, r := range residues {
		if found := at[place{r.Chain, r.Number + 1}]; next[i] < 0 && len(found) == 1 && !preceded[found[0]] &&
			len(at[place{r.Chain, r.Number}]) == 1 {
			next[i], preceded[found[0]] = found[0], true
		}
	}
	return next
}

// Backbone finds the residues whose two dihedrals the named beads determine, in
// order. Neighbours are of one chain, and their numbers follow each other. Error: there is none.
func Backbone(beads []string) ([]Residue, error) {
	var found []Residue
	residues, before, after := chained(beads)
	for i := range residues {
		r := &residues[i]
		alpha, nitrogen, carbonyl := r.bead([]string{"CA"}), r.bead(nitrogenNames), r.bead(carbonylNames)
		previous, next := r.bead(capBeforeNames), r.bead(capAfterNames)
		if k := before[i]; previous < 0 && k >= 0 {
			previous = residues[k].bead(carbonylNames, capBeforeNames)
		}
		if k := after[i]; next < 0 && k >= 0 {
			next = residues[k].bead(nitrogenNames, capAfterNames)
		}
		if min(previous, nitrogen, alpha, carbonyl, next) >= 0 {
			found = append(found, backboneOf(r.name.Group(), previous, nitrogen, alpha, carbonyl, next,
				r.bead([]string{"CB"})))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("cgmap: no residue has all of its backbone dihedrals among the beads %q; map with "+
			"-map %s or %s", beads, CoreBeta, HeavyAtom)
	}
	return found, nil
}

func backboneOf(name string, before, n, ca, c, after, cb int) Residue {
	return Residue{Name: name, Phi: [4]int{before, n, ca, c}, Psi: [4]int{n, ca, c, after},
		Center: [4]int{ca, n, c, cb}}
}

// chained are the residues of beads, and before and after each its neighbours, or -1.
func chained(beads []string) (residues []group, before, after []int) {
	residues = groups(beads)
	names := make([]Name, len(residues))
	before = make([]int, len(residues))
	for i, r := range residues {
		names[i], before[i] = r.name, -1
	}
	after = following(names)
	for i, k := range after {
		if k >= 0 {
			before[k] = i
		}
	}
	return residues, before, after
}
