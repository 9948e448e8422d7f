package display

import "github.com/cgbg-go/lab/cgbg/result"

// PlusMinus is a value with its error, for a table's cell.
func PlusMinus(value, err float64) result.Measured { return result.Measured{Value: value, Error: err} }
