package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/data/gromacs"
)

// variable is a dihedral by its name: phi, psi3, ala3_phi, phi:A/ALA2, PLUMED's @phi-3.
type variable struct {
	name    string
	kind    string // phi or psi
	residue string // which, in small letters, or "" where the name does not say
	minus   bool   // whether a minus stands before the residue, which may divide or be its number's sign
}

var (
	dihedralKind = regexp.MustCompile(`phi|psi`)
	greek        = strings.NewReplacer("φ", "phi", "ϕ", "phi", "Φ", "phi", "ψ", "psi", "Ψ", "psi")
	residueWord  = regexp.MustCompile(`^(?:residue|resid|res|r)[_.:-]?([0-9]+[a-z]?)$`)

	// Chain, name, a mark between, number with insertion code; or a name alone.
	residueParts = regexp.MustCompile(`^(?:([a-z0-9]+)/)?([a-z]*)([_.:-]*)([0-9]+[a-z]?)$|^(?:([a-z0-9]+)/)?([a-z]+)$`)

	// The same in the names of cgmap, where a dot divides name and number if the name ends in a digit.
	residueName = regexp.MustCompile(`^(?:([^/]+)/)?(?:(.+)\.|(.*?))(-?[0-9]+[a-z]?)$`)
)

// backboneAtom leaves out hydrogens, oxygens, what side chains have beyond CB, and most metals, which stop no bias.
var backboneAtom = regexp.MustCompile(`^[CN](?:[^GDEZH].*)?$`)

const marks = "_.:-()[] "

// readVariable takes a name apart; ok is false where it names no phi and no psi.
func readVariable(name string) (v variable, ok bool) {
	text := strings.ToLower(greek.Replace(strings.TrimPrefix(strings.TrimSpace(name), "@")))
	at := dihedralKind.FindAllStringIndex(text, -1)
	if len(at) != 1 {
		return v, false
	}
	v.name, v.kind = strings.TrimSpace(name), text[at[0][0]:at[0][1]]
	before, after := strings.TrimRight(text[:at[0][0]], marks), text[at[0][1]:]
	v.minus = strings.HasPrefix(after, "-") || strings.HasPrefix(after, ":-") || strings.HasPrefix(after, "_-")
	after = strings.Trim(after, marks)
	if before != "" && after != "" {
		return v, false
	}
	v.residue = before + after
	if m := residueWord.FindStringSubmatch(v.residue); m != nil {
		v.residue = m[1]
	}
	return v, true
}

// among finds the residue that the variable names. Errors: none, or more than one, is so called.
func (v variable) among(residues []cgmap.Residue) (int, error) {
	if v.residue == "" {
		if len(residues) > 1 {
			return 0, fmt.Errorf("%s does not say of which residue: those with a phi and a psi are %s", v.name, residueList(residues))
		}
		return 0, nil
	}
	readings := []func(string) bool{v.isName, func(name string) bool { return v.is(name, "") }}
	if v.minus || strings.Contains(v.residue, "-") {
		readings = append(readings, func(name string) bool { return v.is(name, "-") })
	}
	for _, reading := range readings {
		var found []int
		for i, r := range residues {
			if reading(strings.ToLower(r.Name)) {
				found = append(found, i)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			var some []cgmap.Residue
			for _, i := range found {
				some = append(some, residues[i])
			}
			return 0, fmt.Errorf("%s may be of %s", v.name, residueList(some))
		}
	}
	return 0, fmt.Errorf("%s: no residue that is so called has a phi and a psi; those that have are %s", v.name, residueList(residues))
}

// isName tells whether the variable gives a residue's full name, with or without its chain; name is in small letters.
func (v variable) isName(name string) bool {
	_, short, _ := strings.Cut(name, "/")
	return v.residue == name || v.residue == short
}

// is compares the parts of the residue's name that the variable gives, with this sign before its number.
func (v variable) is(name, sign string) bool {
	want, have := residueParts.FindStringSubmatch(v.residue), residueName.FindStringSubmatch(name)
	if want == nil || have == nil {
		return false
	}
	chain, kind, number := have[1], have[2]+have[3], have[4]
	wantChain, wantKind := want[1]+want[5], want[2]+want[6]
	if len(wantKind) == 1 && wantChain == "" { // PLUMED's @phi-A_3
		wantChain, wantKind = wantKind, ""
	}
	return (want[4] == "" || sign+strings.TrimLeft(want[4], "0") == number || sign+want[4] == number) &&
		(wantKind == "" || wantKind == kind) && (wantChain == "" || wantChain == chain)
}

func residueList(residues []cgmap.Residue) string {
	const most = 8
	var names []string
	for _, r := range residues[:min(most, len(residues))] {
		names = append(names, r.Name)
	}
	if more := len(residues) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d others", more))
	}
	return strings.Join(names, ", ")
}

// biasVariables tells which dihedrals the two variables of a bias are, by -bias-variables (given) or by
// their names in the file (named), which may be empty.
func biasVariables(given string, named [2]string, residues []cgmap.Residue) (v [2]variable, of [2]int, err error) {
	const flag = "-bias-variables"
	example := fmt.Sprintf("%s \"phi:%s,psi:%[2]s\" or whichever they are, in the order of the file", flag, residues[0].Name)
	names := named
	if given != "" {
		words := strings.Split(given, ",")
		if len(words) != 2 {
			return v, of, fmt.Errorf("%w: %s %s: two dihedrals with a comma between: %s", errUsage, flag, given, example)
		}
		names = [2]string(words)
	}
	for k, name := range names {
		var ok bool
		switch v[k], ok = readVariable(name); {
		case name == "" && given == "" && len(residues) > 1:
			return v, of, fmt.Errorf("it does not say which dihedrals it is on, and phi and psi are of %s: give %s", residueList(residues), example)
		case name == "" && given == "":
			v[k] = variable{kind: [2]string{"phi", "psi"}[k]}
		case !ok && given != "":
			return v, of, fmt.Errorf("%w: %s %s: %q is not a dihedral such as phi:%s", errUsage, flag, given, name, residues[0].Name)
		case !ok:
			return v, of, fmt.Errorf("its variable %s has the name of no phi and no psi: if it is one, give %s; a bias on anything else is not read", name, example)
		}
		if file, ok := readVariable(named[k]); given != "" && ok && file.kind != v[k].kind {
			return v, of, fmt.Errorf("its variable %d is called %s and is a %s by %s %s: the order is the file's", k+1, named[k], v[k].kind, flag, given)
		}
		if of[k], err = v[k].among(residues); err != nil {
			return v, of, fmt.Errorf("%w; give %s", err, example)
		}
	}
	if of[0] == of[1] && v[0].kind == v[1].kind {
		return v, of, errors.New("its two variables are the same dihedral; " + flag + " says which they are")
	}
	return v, of, nil
}

// backboneAtoms finds the residues with phi and psi among the atoms of a structure, whatever the map keeps.
// atom: the atoms that the residues' indices are of.
func backboneAtoms(im *importer, s *gromacs.Structure) (residues []cgmap.Residue, atom []int, err error) {
	var some gromacs.Structure
	some.Title = s.Title
	for i, a := range s.Atoms {
		if backboneAtom.MatchString(a.Name) {
			some.Atoms = append(some.Atoms, a)
			atom = append(atom, i)
		}
	}
	m, err := cgmap.New(cgmap.HeavyAtom, &some)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", im.structure, err)
	}
	if residues, err = cgmap.Backbone(m.Beads); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", im.structure, err)
	}
	index := make([]int, len(m.Atoms))
	for k, i := range m.Atoms {
		index[k] = atom[i]
	}
	return residues, index, nil
}
