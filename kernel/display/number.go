package display

import "github.com/cgbg-go/lab/cgbg/result"

// Number is a value with its error, for a table's cell.
type Number = result.Measured

// PlusMinus returns a Number.
func PlusMinus(value, err float64) Number { return Number{Value: value, Error: err} }
