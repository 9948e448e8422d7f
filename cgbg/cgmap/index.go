package cgmap

import (
	"fmt"
	"strconv"
	"strings"
)

// index finds the atoms of a structure by their names.
type index struct {
	short, full map[string][]int // without the chain, and with it
	joined      map[string][]int // without the chain and without "." between name and number
}

// find are the atoms of a name; ok: there are any.
func (p *parser) find(name string) (atoms []int, ok bool) {
	if p.index == nil {
		p.index = &index{map[string][]int{}, map[string][]int{}, map[string][]int{}}
		for i := range p.m.atoms {
			n := p.layout.name(i, false)
			p.index.short[n.String()] = append(p.index.short[n.String()], i)
			full := p.layout.name(i, true).String()
			p.index.full[full] = append(p.index.full[full], i)
			joined := fmt.Sprintf("%s%d%s:%s", n.Residue, n.Number, n.Insertion, n.Atom)
			p.index.joined[joined] = append(p.index.joined[joined], i)
		}
	}
	for _, names := range []map[string][]int{p.index.full, p.index.short, p.index.joined} {
		if atoms := names[name]; atoms != nil {
			return atoms, true
		}
	}
	return nil, false
}

// atom finds an atom by RESIDUE+NUMBER:ATOM, with a chain or without, or @number.
func (p *parser) atom(name string) (int, error) {
	if digits, ok := strings.CutPrefix(name, "@"); ok {
		i, err := strconv.Atoi(digits)
		if err != nil || i < 1 || i > p.m.atoms {
			return 0, fmt.Errorf("%q: the structure has atoms @1 to @%d", name, p.m.atoms)
		}
		return i - 1, nil
	}
	atoms, _ := p.find(name)
	switch len(atoms) {
	case 0:
		if p.m.atoms == 0 {
			return 0, fmt.Errorf("the structure has no atom %q, and no other", name)
		}
		return 0, fmt.Errorf("the structure has no atom %q; its atoms are named like %s", name, p.layout.fullName(0))
	case 1:
		return atoms[0], nil
	}
	var fuller []string
	for _, i := range atoms[:min(len(atoms), 4)] {
		text := fmt.Sprintf("@%d", i+1)
		if full := p.layout.name(i, true).String(); len(p.index.full[full]) == 1 {
			text = full + " (" + text + ")"
		}
		fuller = append(fuller, text)
	}
	if len(atoms) > len(fuller) {
		fuller = append(fuller, "...")
	}
	return 0, fmt.Errorf("%q is more than one atom; write which is meant: %s", name, strings.Join(fuller, ", "))
}

// fullName is the name of an atom, with its chain where solutes have several.
func (l *layout) fullName(i int) string {
	return l.name(i, l.chains > 1).String()
}

// cutLast cuts a word at its last mark.
func cutLast(word, mark string) (before, after string, found bool) {
	if i := strings.LastIndex(word, mark); i >= 0 {
		return word[:i], word[i+len(mark):], true
	}
	return word, "", false
}
