package observable

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseState makes a state from text in the form of StateFormat, of some of the variables.
// Errors: text that is none, and where; a variable that is not there, with those that are; bounds that hold nothing.
func ParseState(name, text string, variables []Variable) (State, error) {
	p := stateParser{text: text, variables: map[string]*Variable{}}
	for i := range variables {
		p.variables[variables[i].Name] = &variables[i]
		p.names = append(p.names, variables[i].Name)
	}
	p.next()
	root, err := p.either()
	if err == nil && p.token != "" {
		err = p.fail(`%q where "and", "or" or the end is wanted`, p.token)
	}
	if err != nil {
		return State{}, fmt.Errorf("observable: state %s: %q: %w", name, text, err)
	}
	return State{Name: name, Text: strings.TrimSpace(text), root: root}, nil
}

type stateParser struct {
	text      string
	token     string // "" at the end
	at, after int    // where it begins, and the text goes on
	depth     int    // of parentheses
	variables map[string]*Variable
	names     []string
}

// deepest is how many parentheses may stand in each other.
const deepest = 100

func (p *stateParser) fail(format string, args ...any) error {
	return fmt.Errorf("at character %d: %s", utf8.RuneCountInString(p.text[:p.at])+1, fmt.Sprintf(format, args...))
}

// marks are the letters that end a word.
const marks = "()<>≤≥="

// next goes to the next token: a parenthesis, a comparison, or a word.
func (p *stateParser) next() {
	rest := strings.TrimLeftFunc(p.text[p.after:], unicode.IsSpace)
	p.at = len(p.text) - len(rest)
	end := 0
	switch {
	case rest == "":
	case strings.IndexAny(rest, marks) == 0:
		_, end = utf8.DecodeRuneInString(rest)
		if strings.ContainsAny(rest[:1], "<>=") && strings.HasPrefix(rest[1:], "=") {
			end++
		}
	default:
		end = strings.IndexFunc(rest, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(marks, r)
		})
		if end < 0 {
			end = len(rest)
		}
	}
	p.token, p.after = rest[:end], p.at+end
}

// either is conditions joined by "or", all is conditions joined by "and".
func (p *stateParser) either() (condition, error) { return p.joined("or", false, p.all) }
func (p *stateParser) all() (condition, error)    { return p.joined("and", true, p.one) }

func (p *stateParser) joined(word string, all bool, part func() (condition, error)) (condition, error) {
	first, err := part()
	if err != nil || p.token != word {
		return first, err
	}
	c := condition{all: all, list: []condition{first}}
	for p.token == word {
		p.next()
		next, err := part()
		if err != nil {
			return c, err
		}
		c.list = append(c.list, next)
	}
	return c, nil
}

// one is a condition in parentheses, or bounds.
func (p *stateParser) one() (condition, error) {
	if p.token != "(" {
		b, err := p.bounds()
		return condition{of: b}, err
	}
	if p.depth++; p.depth > deepest {
		return condition{}, p.fail("more than %d parentheses in each other", deepest)
	}
	p.next()
	c, err := p.either()
	if err != nil {
		return c, err
	}
	if p.token != ")" {
		return c, p.fail(") is missing")
	}
	p.depth--
	p.next()
	return c, nil
}

// operand is a variable or a number.
type operand struct {
	variable *Variable
	number   float64
}

func (p *stateParser) operand() (operand, error) {
	if v, ok := p.variables[p.token]; ok {
		p.next()
		return operand{variable: v}, nil
	}
	if x, ok := number(p.token); ok {
		p.next()
		return operand{number: x}, nil
	}
	if p.token == "" || strings.ContainsAny(p.token, marks) || p.token == "and" || p.token == "or" {
		return operand{}, p.fail("a variable or a number is missing")
	}
	return operand{}, p.fail("no variable %q: %s", p.token, nearest(p.token, p.names))
}

// comparison is the next token as "<" or ">", and whether equals pass; what: it is one.
func (p *stateParser) comparison() (op byte, equal, ok bool) {
	switch p.token {
	case "<", ">":
		return p.token[0], false, true
	case "<=", ">=":
		return p.token[0], true, true
	case "≤":
		return '<', true, true
	case "≥":
		return '>', true, true
	}
	return 0, false, false
}

// bounds is a variable compared with a number, on either side, or with one on each.
func (p *stateParser) bounds() (*bounds, error) {
	start := *p
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	op, equal, ok := p.comparison()
	if !ok {
		return nil, p.fail("one of < <= > >= is wanted")
	}
	p.next()
	middle, err := p.operand()
	if err != nil {
		return nil, err
	}
	if (left.variable == nil) == (middle.variable == nil) {
		return nil, start.fail("a variable is compared with a number, as in 0 < x or x > 0")
	}
	if left.variable != nil { // x < 1 is 1 > x
		return p.close(&start, left.variable, bound{middle.number, op == '<', equal}, nil)
	}
	lower := bound{left.number, op == '>', equal}
	second, secondEqual, ok := p.comparison()
	if !ok {
		return p.close(&start, middle.variable, lower, nil)
	}
	if second != op {
		return nil, p.fail("both comparisons go one way, as in 0 < x < 1")
	}
	p.next()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if right.variable != nil {
		return nil, start.fail("a variable is between two numbers, as in 0 < x < 1")
	}
	return p.close(&start, middle.variable, lower, &bound{right.number, op == '<', secondEqual})
}

// bound is one end, in the unit that is shown.
type bound struct {
	at    float64
	upper bool
	in    bool
}

// close makes bounds of one end or two.
func (p *stateParser) close(start *stateParser, v *Variable, first bound, second *bound) (*bounds, error) {
	if _, _, more := p.comparison(); more {
		return nil, p.fail(`join further comparisons by "and"`)
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	b := &bounds{variable: v.Name}
	ends := []bound{first}
	if second != nil {
		ends = append(ends, *second)
	}
	for _, e := range ends {
		if e.upper {
			hi, b.hiIn = e.at, e.in
		} else {
			lo, b.loIn = e.at, e.in
		}
	}
	b.lo, b.hi = lo/v.scale(), hi/v.scale()
	if err := b.check(v, lo, hi); err != nil {
		return nil, start.fail("%v", err)
	}
	return b, nil
}

// number reads a finite number.
func number(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
}
