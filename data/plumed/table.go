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

// Table is a file of named columns: COLVAR, HILLS.
type Table struct {
	Names   []string          // of the columns, as FIELDS has them
	Set     map[string]string // what lines SET say: min_phi, max_phi, kerneltype
	Columns [][]float64       // [columns, rows]; NaN where a word is no number
	Lines   []int             // number of each row's line
	Headers int               // lines FIELDS: one more for every restart
}

// ErrColumn reports a column that a table has not.
var ErrColumn = errors.New("no such column")

// ReadTable reads a file of columns. Errors name file and line.
func ReadTable(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("plumed: %w", err)
	}
	defer f.Close()
	return ParseTable(f, path)
}

// ParseTable reads a table from r; name is for messages. Headers may stand again, as runs that are continued write
// them, with the same columns. A last line that is cut off, as a run that was stopped leaves it, is left out.
func ParseTable(r io.Reader, name string) (*Table, error) {
	t := &Table{Set: map[string]string{}}
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("plumed: %s: line %d: %w", name, n, err)
		}
		last := errors.Is(err, io.EOF)
		if err := t.line(n, strings.Fields(text), last); err != nil {
			return nil, fmt.Errorf("plumed: %s: line %d: %w", name, n, err)
		}
		if last {
			break
		}
	}
	switch {
	case t.Names == nil:
		return nil, fmt.Errorf("plumed: %s: there is no line \"#! FIELDS time ...\": it is no file of PLUMED's", name)
	case len(t.Lines) == 0:
		return nil, fmt.Errorf("plumed: %s: there are no rows under its header", name)
	}
	return t, nil
}

// line takes a line apart; open: it is the last one, and does not end.
func (t *Table) line(n int, words []string, open bool) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "#!" && len(words) > 1 && words[1] == "FIELDS":
		t.Headers++
		if t.Names != nil && !slices.Equal(t.Names, words[2:]) {
			return fmt.Errorf("its columns are %s from here on, and %s before: import the parts one by one",
				strings.Join(words[2:], ", "), strings.Join(t.Names, ", "))
		}
		if t.Names == nil {
			t.Names = words[2:]
			t.Columns = make([][]float64, len(t.Names))
		}
		return nil
	case words[0] == "#!" && len(words) == 4 && words[1] == "SET":
		if was, ok := t.Set[words[2]]; ok && was != words[3] {
			return fmt.Errorf("%s is %s from here on, and %s before: import the parts one by one", words[2],
				words[3], was)
		}
		t.Set[words[2]] = words[3]
		return nil
	case strings.HasPrefix(words[0], "#"):
		return nil
	case t.Names == nil:
		return errors.New("there is no line \"#! FIELDS time ...\" before the values: it is no file of PLUMED's")
	case open && len(words) <= len(t.Names):
		return nil // its last number may be cut, too
	case len(words) != len(t.Names):
		return fmt.Errorf("%d columns, FIELDS names %d", len(words), len(t.Names))
	}
	for k, word := range words {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			v = math.NaN()
		}
		t.Columns[k] = append(t.Columns[k], v)
	}
	t.Lines = append(t.Lines, n)
	return nil
}

// Has tells whether there is a column.
func (t *Table) Has(name string) bool { return slices.Contains(t.Names, name) }

// Column returns a column, [rows], by its name. Errors: [ErrColumn], with the names there are; what is not finite.
func (t *Table) Column(name string) ([]float64, error) {
	k := slices.Index(t.Names, name)
	if k < 0 {
		return nil, fmt.Errorf("plumed: %w as %s: it has %s", ErrColumn, name, strings.Join(t.Names, ", "))
	}
	for i, v := range t.Columns[k] {
		if !finite(v) {
			return nil, fmt.Errorf("plumed: line %d: %s is not a finite number", t.Lines[i], name)
		}
	}
	return t.Columns[k], nil
}

// domain is the range of a variable that closes on itself (min_NAME, max_NAME); ok is false where it does not.
func (t *Table) domain(name string) (low, high float64, ok bool, err error) {
	a, b := t.Set["min_"+name], t.Set["max_"+name]
	if a == "" && b == "" {
		return 0, 0, false, nil
	}
	low, err = number(a)
	if err == nil {
		high, err = number(b)
	}
	if err != nil || !(high > low) {
		return 0, 0, false, fmt.Errorf("plumed: %s runs from %q to %q: no range", name, a, b)
	}
	return low, high, true, nil
}
