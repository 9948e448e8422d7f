//go:build cgo && !noxla

package backend

import (
	"errors"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// HasXLA tells whether this program was built with XLA: with cgo, and without the tag noxla.
const HasXLA = true

// newXLA opens a plugin given as its absolute path and settings, and returns also whether it may round to TF32.
func newXLA(config string) (compute.Backend, bool, error) {
	xla.EnableAutoInstall(false) // it would download plugins
	b, err := xla.New(config)
	if err != nil {
		return nil, false, err
	}
	inner, ok := b.(*xla.Backend)
	if !ok {
		return nil, false, errors.New("go-xla returned a backend of another kind")
	}
	if inner.NumDevices() == 0 {
		inner.Finalize()
		return nil, false, errors.New("the plugin found no device")
	}
	return inner, inner.DotGeneralUseTF32 && inner.IsCUDA(), nil
}
