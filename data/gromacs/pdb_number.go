package gromacs

import (
	"fmt"
	"strconv"
	"strings"
)

// residueNumber reads the number of a residue. Its four columns end at 9999; what programs write above is
//
//   - hybrid-36, A000 for 10000: base 36 with a letter first, capital letters, then small ones
//     (Grosse-Kunstleve, cci.lbl.gov/hybrid_36),
//   - hexadecimal, 2710 for 10000 (VMD, OpenMM), which looks decimal at first,
//   - five digits, the last in the column of insertion codes, which are letters,
//   - 0 after 9999, which is left as it is.
//
// Numbers go up by one in a file, or stay; before: the number of the atom before it decides in doubt.
func residueNumber(columns string, before int) (int, error) {
	text := strings.TrimSpace(columns)
	decimal, err := strconv.Atoi(text)
	follows := func(n int) bool { return n == before || n == before+1 }
	if err == nil && (before < pdbResidues-1 || follows(decimal)) {
		return decimal, nil
	}
	hybrid, isHybrid := hybrid36(text)
	hex, herr := strconv.ParseInt(text, 16, 32)
	isHex := herr == nil && hex >= pdbResidues
	switch {
	case isHex && follows(int(hex)):
		return int(hex), nil
	case isHybrid && follows(hybrid):
		return hybrid, nil
	case err == nil:
		return decimal, nil
	case isHybrid:
		return hybrid, nil
	case isHex:
		return int(hex), nil
	}
	return 0, fmt.Errorf("the residue number is %q: neither decimal, nor hexadecimal, nor hybrid-36; write a GRO "+
		"file, or fewer residues", columns)
}

// pdbResidues is the first number that four columns do not hold.
const pdbResidues = 10000

// hybrid36 reads four characters that begin with a letter.
func hybrid36(text string) (n int, ok bool) {
	if len(text) != 4 || text[0] < 'A' {
		return 0, false
	}
	small := text[0] >= 'a'
	if small && text != strings.ToLower(text) || !small && text != strings.ToUpper(text) {
		return 0, false
	}
	v, err := strconv.ParseInt(text, 36, 64)
	if err != nil {
		return 0, false
	}
	n = int(v) - 10*36*36*36 + pdbResidues
	if small {
		n += 26 * 36 * 36 * 36
	}
	return n, true
}

// shifted is how far the columns of an atom's line are to the right of their
// places, as a serial number of more than five digits moves them: the points of the
// three positions tell. Most programs let it take the column before it instead.
func shifted(line string) int {
	digits := 0
	for 6+digits < len(line) && line[6+digits] >= '0' && line[6+digits] <= '9' {
		digits++
	}
	points := func(shift int) bool {
		for k := range 3 {
			if at := 34 + 8*k + shift; at >= len(line) || line[at] != '.' {
				return false
			}
		}
		return true
	}
	if shift := digits - 5; shift > 0 && !points(0) && points(shift) {
		return shift
	}
	return 0
}

// isAtom tells whether a line is of an atom; a serial number may have taken the blanks behind ATOM.
func isAtom(line string) bool {
	return strings.HasPrefix(line, "HETATM") || strings.HasPrefix(line, "ATOM") && len(line) > 4 &&
		(line[4] == ' ' || line[4] >= '0' && line[4] <= '9')
}

// locations sorts out alternate locations. A residue takes those of the letter
// that comes first in it; an atom that has none of it takes its own first.
type locations struct {
	residue Atom            // of the atoms that were read last
	letter  byte            // that comes first in it; 0: none yet
	name    string          // of the residue at that letter
	letters map[string]byte // of atoms by their names
	at      map[string]int  // their places
}

// place tells where an atom belongs: at the end of n atoms (n itself), in the place of
// one that has another letter, or nowhere (−1).
func (l *locations) place(a Atom, letter byte, n int) int {
	key := Atom{ResidueNumber: a.ResidueNumber, Chain: a.Chain, Insertion: a.Insertion}
	if l.at == nil || key != l.residue || letter == ' ' && a.Residue != l.name && l.letter == 0 {
		*l = locations{residue: key, name: a.Residue, letters: map[string]byte{}, at: map[string]int{}}
	}
	if letter == ' ' {
		l.name, l.at[a.Name], l.letters[a.Name] = a.Residue, n, letter
		return n
	}
	if l.letter == 0 {
		l.letter, l.name = letter, a.Residue
	}
	was, there := l.at[a.Name]
	switch {
	// another residue in the same place, or one of several
	case letter != l.letter && a.Residue != l.name, l.letters[a.Name] == ' ':
		return -1
	case !there:
		l.at[a.Name], l.letters[a.Name] = n, letter
		return n
	case letter == l.letter && l.letters[a.Name] != letter:
		l.letters[a.Name] = letter
		return was
	case letter == l.letters[a.Name]: // the same atom twice: a residue of the same number
		l.at[a.Name] = n
		return n
	}
	return -1
}
