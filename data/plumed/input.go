package plumed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Kinds of variables that an input's labels may be.
const (
	Distance = "DISTANCE"
	Angle    = "ANGLE"
	Torsion  = "TORSION"
	Gyration = "GYRATION"
)

// Variable is a function of atoms that an input defines.
type Variable struct {
	Label     string // d; d.x of a distance's components
	Kind      string // [Distance], …; another action's name where it is not read, with Why
	Atoms     []int  // from 0
	Selector  string // phi-2: of TORSION ATOMS=@phi-2, in place of atoms
	Component string // x, y, z, or ""
	NoPBC     bool   // whether distances are those of the places themselves, not of nearest images
	Why       string // why it cannot be had from atoms; "" where it can
}

// Bias is an action that biases.
type Bias struct {
	Label, Action string
	Arguments     []string
	Low, High     []float64 // ends of its grid, where it has one
	Temperature   float64   // TEMP, K; 0 where it does not say
}

// Input is what an input of PLUMED says of variables and biases.
type Input struct {
	Variables            map[string]Variable // by label
	Biases               []Bias
	Length, Energy, Time float64 // one of its units in nm, kJ/mol, ps (UNITS)

	groups map[string][]int
}

// ReadInput reads an input file, plumed.dat. Errors name file and line.
func ReadInput(path string) (*Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("plumed: %w", err)
	}
	defer f.Close()
	return ParseInput(f, path)
}

// ParseInput reads an input from r; name is for messages. Variables are distances, angles, torsions and radii of
// gyration of atoms, groups and, of torsions, @phi-2 and the like; what else is defined is kept with the reason why it
// is not read.
func ParseInput(r io.Reader, name string) (*Input, error) {
	in := &Input{Variables: map[string]Variable{}, Length: 1, Energy: 1, Time: 1, groups: map[string][]int{}}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<24)
	var words []string // of an action over several lines
	open, n := false, 0
	for scanner.Scan() {
		n++
		text, _, _ := strings.Cut(scanner.Text(), "#")
		line := fields(text)
		switch {
		case len(line) == 0:
			continue
		case line[0] == "ENDPLUMED":
			return in, nil
		case open && line[0] == "...":
			open = false
		case open:
			words = append(words, line...)
			continue
		case line[len(line)-1] == "...":
			words, open = line[:len(line)-1], true
			continue
		default:
			words = line
		}
		if err := in.action(words); err != nil {
			return nil, fmt.Errorf("plumed: %s: line %d: %w", name, n, err)
		}
		words = nil
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("plumed: %s: line %d: %w", name, n+1, err)
	}
	if open {
		return nil, fmt.Errorf("plumed: %s: line %d: the action that \"...\" begins does not end", name, n)
	}
	return in, nil
}

// fields are the words of a line; braces hold theirs together.
func fields(text string) (words []string) {
	depth, word := 0, ""
	for _, r := range text + " " {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case (r == ' ' || r == '\t' || r == '\r') && depth <= 0:
			if word != "" {
				words = append(words, word)
			}
			word = ""
		default:
			word += string(r)
		}
	}
	if word != "" {
		words = append(words, strings.TrimSpace(word))
	}
	return words
}

// action takes one action, its words in any order behind its name.
func (in *Input) action(words []string) error {
	if len(words) == 0 {
		return errors.New("\"...\" with no action")
	}
	label := ""
	if l, ok := strings.CutSuffix(words[0], ":"); ok {
		label, words = l, words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("the label %s has no action", label)
	}
	action, keys := words[0], map[string]string{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		keys[strings.ToUpper(key)] = value
	}
	if l := keys["LABEL"]; l != "" {
		label = l
	}
	switch {
	case action == "UNITS":
		return in.units(keys)
	case action == "GROUP":
		atoms, _, err := in.atoms(keys["ATOMS"])
		if err == nil {
			in.groups[label] = atoms
		}
		return nil // another kind of group is missed where it is used
	case slices.Contains([]string{"METAD", "PBMETAD", "RESTRAINT", "MOVINGRESTRAINT", "UPPER_WALLS", "LOWER_WALLS",
		"EXTERNAL",
		"ABMD", "OPES_METAD", "OPES_METAD_EXPLORE", "OPES_EXPANDED", "BIASVALUE"}, action):
		return in.bias(label, action, keys)
	case label == "":
		return nil
	}
	in.variable(Variable{Label: label, Kind: action}, keys)
	return nil
}

// variable keeps what a label means, or why it is not read.
func (in *Input) variable(v Variable, keys map[string]string) {
	_, v.NoPBC = keys["NOPBC"]
	want := map[string]int{Distance: 2, Torsion: 4, Gyration: -1, Angle: -1}[v.Kind]
	for key, value := range keys {
		switch key {
		case "ATOMS", "NOPBC", "LABEL", "COMPONENTS":
		case "TYPE":
			if value != "RADIUS" {
				v.Why = "it has TYPE=" + value
			}
		default:
			v.Why = "it has " + key
		}
	}
	var err error
	switch {
	case want == 0:
		v.Why = "it is a " + v.Kind
	case v.Why != "":
	default:
		if v.Atoms, v.Selector, err = in.atoms(keys["ATOMS"]); err != nil {
			v.Why = err.Error()
		}
	}
	n := len(v.Atoms)
	switch {
	case v.Why != "":
	case v.Selector != "" && v.Kind != Torsion:
		v.Why = "its atoms are @" + v.Selector
	case v.Selector != "":
	case want > 0 && n != want || v.Kind == Angle && n != 3 && n != 4 || n == 0:
		v.Why = fmt.Sprintf("it has %d atoms", n)
	}
	if _, ok := keys["COMPONENTS"]; ok {
		for _, axis := range []string{"x", "y", "z"} {
			c := v
			c.Label, c.Component = v.Label+"."+axis, axis
			in.Variables[c.Label] = c
		}
		return
	}
	in.Variables[v.Label] = v
}

// atoms reads a list of atoms: 1,5-9:2, labels of groups, or one @selector alone.
func (in *Input) atoms(text string) (atoms []int, selector string, err error) {
	if text == "" {
		return nil, "", errors.New("it has no ATOMS")
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if s, ok := strings.CutPrefix(word, "@"); ok && word == text {
			return nil, s, nil
		}
		if g, ok := in.groups[word]; ok {
			atoms = append(atoms, g...)
			continue
		}
		span, stride, strided := strings.Cut(word, ":")
		first, last, ranged := strings.Cut(span, "-")
		if !ranged {
			last = first
		}
		if !strided {
			stride = "1"
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		by, errBy := strconv.Atoi(stride)
		if errors.Join(errA, errB, errBy) != nil || a < 1 || b < a || by < 1 || b > 1<<30 || (b-a)/by > 1<<20 {
			return nil, "", fmt.Errorf("of its atoms %s is no number, range or group", word)
		}
		for i := a; i <= b; i += by {
			atoms = append(atoms, i-1)
		}
	}
	return atoms, "", nil
}

func (in *Input) bias(label, action string, keys map[string]string) error {
	b := Bias{Label: label, Action: action}
	for arg := range strings.SplitSeq(keys["ARG"], ",") {
		b.Arguments = append(b.Arguments, strings.TrimSpace(arg))
	}
	if text := keys["TEMP"]; text != "" {
		t, err := number(text)
		if err != nil || !(t >= 0) || math.IsInf(t, 0) {
			return fmt.Errorf("%s: TEMP=%s: a number of kelvin", action, text)
		}
		b.Temperature = t
	}
	for _, end := range []struct {
		key  string
		into *[]float64
	}{{"GRID_MIN", &b.Low}, {"GRID_MAX", &b.High}} {
		if keys[end.key] == "" {
			continue
		}
		for word := range strings.SplitSeq(keys[end.key], ",") {
			v, err := number(word)
			if err != nil {
				return fmt.Errorf("%s=%s: %s is not a number", end.key, keys[end.key], word)
			}
			*end.into = append(*end.into, v)
		}
	}
	in.Biases = append(in.Biases, b)
	return nil
}

// units reads UNITS. Source: Units of PLUMED 2, tools/Units.cpp.
func (in *Input) units(keys map[string]string) error {
	for _, u := range []struct {
		key   string
		into  *float64
		names map[string]float64
	}{
		{"LENGTH", &in.Length, map[string]float64{"nm": 1, "A": 0.1, "um": 1000, "Bohr": 0.052917721067}},
		{"ENERGY", &in.Energy, map[string]float64{"kj/mol": 1, "j/mol": 0.001, "kcal/mol": 4.184,
			"eV": 96.48530749925792,
			"Ha": 2625.499638}},
		{"TIME", &in.Time, map[string]float64{"ps": 1, "fs": 0.001, "ns": 1000, "atomic": 2.418884326509e-5}},
	} {
		text := keys[u.key]
		if text == "" {
			continue
		}
		v, ok := u.names[text]
		if !ok {
			var err error
			if v, err = strconv.ParseFloat(text, 64); err != nil || !(v > 0) || !finite(v) {
				return fmt.Errorf("UNITS %s=%s is not known", u.key, text)
			}
		}
		*u.into = v
	}
	if _, ok := keys["NATURAL"]; ok {
		return errors.New("UNITS NATURAL: there are no reduced units here")
	}
	return nil
}
