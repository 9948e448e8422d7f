// Package result holds what a study ends with: numbers with their errors and floors, pictures and tables, in a form
// that notebooks show, that commands print, and that programs read from a file, results.json.
//
// results.json is a JSON array of {"name", "value", "error", "floor", "unit", "n"}; a field is null where there is none
// or it is not finite. Names are paths: what was studied, then the quantity, such as obc2/cb/biased/b/ess.
package result

import "math"

// None is a number that is not there.
var None = math.NaN()

// Result is a number with its standard error and its floor, None where there is none; or words.
type Result struct {
	Name                string
	Value, Error, Floor float64
	Unit                string // "" for none
	N                   int    // samples it rests on; 0: not told
	Text                string // in place of the value, where it is not empty
}

// New is a number. floor: the value that a perfect model would have reached with as many samples.
func New(name string, value, err, floor float64, unit string, n int) Result {
	return Result{Name: name, Value: value, Error: err, Floor: floor, Unit: unit, N: n}
}

// Words is a result in words, such as a verdict.
func Words(name, text string) Result {
	return Result{Name: name, Value: None, Error: None, Floor: None, Text: text}
}

// Behind puts a prefix and a slash before the names.
func Behind(prefix string, list []Result) []Result {
	for i := range list {
		list[i].Name = prefix + "/" + list[i].Name
	}
	return list
}

// Figure is a picture with its name, of files, and what it shows, for those who cannot see it.
type Figure struct {
	Name, Alt string
	PNG, SVG  []byte
}

// Table is rows of cells: numbers, strings, or numbers with an error ([Measured]).
type Table struct {
	Head []string
	Rows [][]any
}

// Row appends a row.
func (t *Table) Row(cells ...any) { t.Rows = append(t.Rows, cells) }

// Measured is a number with its standard error.
type Measured struct{ Value, Error float64 }
