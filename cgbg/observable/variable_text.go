package observable

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// VariableFormat explains the text of variables.
const VariableFormat = `A variable is a name and one of
  phi(RESIDUE), psi(RESIDUE)   backbone torsions of a residue: ALA2, B/ALA2, or its number: 2, B/2, 52A
  dihedral(A,B,C,D)            torsion of four beads, degrees
  angle(A,B,C)                 at B, degrees
  distance(A,B)                nm
  end-to-end                   distance of the first and the last bead, nm
  rg                           radius of gyration, nm; every bead counts alike
  rmsd(FILE)                   from the first frame of FILE (.arrow, .gro, .pdb) after the best superposition, nm
  contacts(R0)                 number of pairs of beads nearer than R0 nm, three places or more apart in the list
  u, bias, logq, logw          a column of the frames; column(u) is the same
Beads have the names that the frames give them, or #1, #2, ... in their order. A name or a file with a
comma, a parenthesis or a quotation mark in it stands in "double quotes".
`

// ParseVariable makes a variable from text in the form of VariableFormat. A name has no spaces and none of <>=≤≥()/\,",
// is no number, and neither "and" nor "or". The beads are looked for in Of.
// Errors: a name that cannot be one; text that is none of these, and where.
func ParseVariable(name, text string) (Variable, error) {
	v := Variable{Name: name, Label: name, Scale: 1, Text: strings.TrimSpace(text)}
	if err := checkName(name); err != nil {
		return v, err
	}
	word, args, err := parseCall(text)
	if err == nil {
		err = v.define(word, args)
	}
	if err != nil {
		return Variable{}, fmt.Errorf("observable: variable %s: %q: %w", name, text, err)
	}
	return v, nil
}

// define makes the variable that a word and its arguments stand for.
func (v *Variable) define(word string, args []string) error {
	if word == "column" && len(args) == 1 {
		if _, ok := columnUnits[args[0]]; !ok {
			return fmt.Errorf("no column is called %q; want one of %q", args[0], sorted(columnUnits))
		}
		word, args = args[0], nil
	}
	if unit, ok := columnUnits[word]; ok && len(args) == 0 {
		v.Unit, v.column = unit, word
		return nil
	}
	k, ok := kinds[word]
	if !ok {
		all := strings.Join(slices.Concat(sorted(kinds), sorted(columnUnits)), ", ")
		return fmt.Errorf("no variable is called %q; want one of %s", word, all)
	}
	if len(args) != k.args {
		return fmt.Errorf("%s takes %d arguments, not %d: %s", word, k.args, len(args), k.form)
	}
	v.Unit = "nm"
	if k.angle {
		v.Unit, v.Scale = "degrees", 1/Degree
	}
	if k.circle {
		v.Period = 2 * math.Pi
	}
	return k.define(v, args)
}

// columnUnits are the columns that can be variables, and their units.
var columnUnits = map[string]string{"bias": "kJ/mol", "logq": "nats", "logw": "nats", "u": "kJ/mol"}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// parseCall takes word(argument, …) apart; a word alone has no arguments. Errors say at which character.
func parseCall(text string) (word string, args []string, err error) {
	at := func(i int, format string, a ...any) error {
		return fmt.Errorf("at character %d: %s", utf8.RuneCountInString(text[:i])+1, fmt.Sprintf(format, a...))
	}
	open := strings.IndexAny(text, `(),"`)
	if open < 0 {
		if word = strings.TrimSpace(text); word == "" {
			return "", nil, at(0, "nothing is here")
		}
		return word, nil, nil
	}
	if word = strings.TrimSpace(text[:open]); word == "" || text[open] != '(' {
		return "", nil, at(open, "%c where word(arguments) is wanted", text[open])
	}
	for i := open + 1; ; i++ { // after "(" or a comma
		start := i + len(text[i:]) - len(strings.TrimLeft(text[i:], " \t\r\n"))
		arg, end := "", 0
		if strings.HasPrefix(text[start:], `"`) {
			length := strings.IndexByte(text[start+1:], '"')
			if length < 0 {
				return "", nil, at(start, `the second " is missing`)
			}
			arg = text[start+1 : start+1+length]
			end = start + length + 2
			end += len(text[end:]) - len(strings.TrimLeft(text[end:], " \t\r\n"))
		} else {
			end = start + max(strings.IndexAny(text[start:]+")", `(),"`), 0)
			arg = strings.TrimSpace(text[start:end])
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		switch {
		case end >= len(text):
			return "", nil, at(len(text), ") is missing")
		case text[end] != ')' && text[end] != ',':
			return "", nil, at(end, `%q where a comma or ) is wanted; names with it stand in "double quotes"`,
				text[end:end+size])
		case arg == "" && (text[end] == ',' || len(args) > 0):
			return "", nil, at(end, "an argument is empty")
		case arg != "":
			args = append(args, arg)
		}
		if i = end; text[end] == ',' {
			continue
		}
		if rest := strings.TrimSpace(text[end+1:]); rest != "" {
			return "", nil, at(end+1+strings.Index(text[end+1:], rest), "%q is left over", rest)
		}
		return word, args, nil
	}
}
