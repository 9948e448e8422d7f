package trajectory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
)

// variable is a dihedral by its name: phi, psi3, ala3_phi, phi:A/ALA2, PLUMED's @phi-3.
type variable struct {
	name    string // as it was given
	kind    string // phi or psi
	residue string // which, in small letters, or "" where the name does not say
	minus   bool   // whether a minus stands before the residue, which may divide or be its number's sign
}

var (
	dihedralKind = regexp.MustCompile(`phi|psi`)
	greek        = strings.NewReplacer("φ", "phi", "ϕ", "phi", "Φ", "phi", "ψ", "psi", "Ψ", "psi")
	residueWord  = regexp.MustCompile(`^(?:residue|resid|res|r)[_.:-]?([0-9]+[a-z]?)$`)

	// Chain, name, a mark between, number with insertion code; or a name alone.
	residueParts = regexp.MustCompile(`^(?:([a-z0-9]+)/)?([a-z]*)([_.:-]*)([0-9]+)([a-z]?)$|` +
		`^(?:([a-z0-9]+)/)?([a-z]+)$`)
)

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
			return 0, fmt.Errorf("%s does not say of which residue: those with a phi and a psi are %s", v.name,
				residueList(residues))
		}
		return 0, nil
	}
	readings := []func(string) bool{v.isName, func(name string) bool { return v.is(name, 1) }}
	if v.minus || strings.Contains(v.residue, "-") {
		readings = append(readings, func(name string) bool { return v.is(name, -1) })
	}
	for _, reading := range readings {
		var found []int
		var some []cgmap.Residue
		for i, r := range residues {
			if reading(r.Name) {
				found, some = append(found, i), append(some, r)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return 0, fmt.Errorf("%s may be of %s", v.name, residueList(some))
		}
	}
	return 0, fmt.Errorf("%s: no residue that is so called has a phi and a psi; those that have are %s", v.name,
		residueList(residues))
}

// isName tells whether the variable gives a residue's full name, with or without its chain.
func (v variable) isName(name string) bool {
	_, short, _ := strings.Cut(name, "/")
	return strings.EqualFold(v.residue, name) || strings.EqualFold(v.residue, short)
}

// is compares the parts of the residue's name that the variable gives, with this sign before its number.
func (v variable) is(name string, sign int) bool {
	want := residueParts.FindStringSubmatch(v.residue)
	have, ok := cgmap.ParseName(name + ":")
	if want == nil || !ok {
		return false
	}
	chain, kind, number, insertion := want[1]+want[6], want[2]+want[7], want[4], want[5]
	if len(kind) == 1 && chain == "" && number != "" { // PLUMED's @phi-A_3
		chain, kind = kind, ""
	}
	if number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || sign*n != have.Number || !strings.EqualFold(insertion, have.Insertion) {
			return false
		}
	}
	// A molecule of one chain does not name it.
	return (kind == "" || strings.EqualFold(kind, have.Residue)) && (chain == "" || have.Chain == "" ||
		strings.EqualFold(chain, have.Chain))
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
