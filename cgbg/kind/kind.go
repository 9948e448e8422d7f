// Package kind has what the tables of vector fields, potentials and maps share: an entry is found by its name, and
// sizes that are not given are those of the entry.
package kind

import (
	"fmt"
	"strings"
)

// Find is the entry of a table that has the name. what: what entries are, for the message, as "flow: no vector field".
// Error: there is none; it lists those that there are.
func Find[K any](table []K, nameOf func(K) string, what, name string) (K, error) {
	var names []string
	for _, k := range table {
		if nameOf(k) == name {
			return k, nil
		}
		names = append(names, nameOf(k))
	}
	var none K
	return none, fmt.Errorf("%s %q: choose one of %s", what, name, strings.Join(names, ", "))
}

// Size is a number of units, layers, … of a network: its name, and where it is kept.
type Size struct {
	Name string
	N    *int
}

// List tells the sizes that are not zero: "width 256, layers 3".
func List(sizes []Size) string {
	var out []string
	for _, s := range sizes {
		if *s.N != 0 {
			out = append(out, fmt.Sprintf("%s %d", s.Name, *s.N))
		}
	}
	return strings.Join(out, ", ")
}

// Fill gives the sizes that are zero the values of the defaults, which are as many and in the same order. A default of
// zero says that the network has no such size. widthAlone: the first size may be given without another.
//
// what: the network, for messages. Errors: a negative size; one that the network does not have; a width alone.
func Fill(what string, sizes, defaults []Size, widthAlone bool) error {
	given := 0
	for i, s := range sizes {
		switch {
		case *s.N < 0:
			return fmt.Errorf("%s: %s %d: a size cannot be negative", what, s.Name, *s.N)
		case *s.N > 0 && *defaults[i].N == 0:
			return fmt.Errorf("%s has no %s: its sizes are %s", what, s.Name, List(defaults))
		case *s.N > 0:
			given++
		}
	}
	if !widthAlone && given == 1 && *sizes[0].N > 0 {
		return fmt.Errorf("%s has sizes that belong together, %s: leave them as they are, or give others with the %s",
			what, List(defaults), sizes[0].Name)
	}
	for i, s := range sizes {
		if *s.N == 0 {
			*s.N = *defaults[i].N
		}
	}
	return nil
}
