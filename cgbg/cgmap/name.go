package cgmap

import (
	"fmt"
	"strconv"
	"strings"
)

// NameFormat explains the names of beads.
const NameFormat = `A bead that is an atom is called RESIDUE+NUMBER:ATOM, ALA2:CA. A "." stands between a residue's
name that ends in a digit and its number (CYS2.3:CA), an insertion code after the number (SER52A:CA),
and CHAIN/ in front (A/ALA2:CA) where beads are of more than one chain: the file's own identifiers, or
A, B, ... in its order, where a chain begins that no peptide bond joins to the one before.
`

// Name is that of a bead that is an atom, in parts: [CHAIN/]RESIDUE[.]NUMBER[INSERTION]:ATOM.
type Name struct {
	Chain, Residue string
	Number         int
	Insertion      string // code of the residue: 52A comes after 52
	Atom           string
}

// ParseName takes a bead's name apart; ok: it is that of an atom. It undoes String for names without ":" in chain,
// residue and insertion code, or "/" in the chain.
func ParseName(bead string) (n Name, ok bool) {
	left, atom, ok := strings.Cut(bead, ":")
	if !ok {
		return Name{}, false
	}
	n.Atom = atom
	if chain, rest, found := strings.Cut(left, "/"); found {
		n.Chain, left = chain, rest
	}
	if i := strings.LastIndexByte(left, '^'); i > 0 && isDigit(left[i-1]) && i < len(left)-1 &&
		!strings.ContainsFunc(left[i+1:], notAlphanumeric) {
		n.Insertion, left = left[i+1:], left[:i]
	} else if i := len(left) - 1; i > 0 && isLetter(rune(left[i])) && isDigit(left[i-1]) {
		n.Insertion, left = left[i:], left[:i]
	}
	i := len(left)
	for i > 0 && isDigit(left[i-1]) {
		i--
	}
	if i > 0 && i < len(left) && left[i-1] == '-' {
		i--
	}
	var err error
	if n.Number, err = strconv.Atoi(left[i:]); err != nil {
		return Name{}, false
	}
	n.Residue = strings.TrimSuffix(left[:i], ".")
	return n, true
}

// String is the name; see [NameFormat].
func (n Name) String() string { return n.Group() + ":" + n.Atom }

// Group is the name of the residue, with its chain.
func (n Name) Group() string {
	var b strings.Builder
	if n.Chain != "" || strings.Contains(n.Residue, "/") {
		b.WriteString(n.Chain + "/")
	}
	b.WriteString(n.Residue)
	if last := len(n.Residue) - 1; last >= 0 &&
		(isDigit(n.Residue[last]) || strings.IndexByte("-+.", n.Residue[last]) >= 0 ||
			strings.Contains(n.Residue, "^")) {
		b.WriteByte('.')
	}
	fmt.Fprint(&b, n.Number)
	if n.Insertion != "" && (len(n.Insertion) > 1 || !isLetter(rune(n.Insertion[0]))) {
		b.WriteByte('^')
	}
	b.WriteString(n.Insertion)
	return b.String()
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(r rune) bool { return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' }

func notAlphanumeric(r rune) bool { return !isLetter(r) && !('0' <= r && r <= '9') }

// Numbers go on from 0 where they have no more columns: four in a PDB file, five in a GRO file.
const (
	lastPDB = 9999
	lastGRO = 99999
)

// follows tells whether a residue of this number and insertion code can be the next one.
func follows(number int, insertion string, before int, insertionBefore string) bool {
	return number == before+1 || number == 0 && (before == lastPDB || before == lastGRO) || number == before &&
		insertion != insertionBefore
}
