//go:build !cgo || noxla

package backend

import (
	"errors"

	"github.com/gomlx/compute"
)

// HasXLA tells whether this program was built with XLA: with cgo, and without the tag noxla.
const HasXLA = false

func newXLA(string) (compute.Backend, bool, error) {
	return nil, false, errors.New("built without XLA")
}
