// Package ala2 holds a sample of real molecular dynamics of alanine dipeptide:
// 20,000 frames of a biased simulation in explicit water, mapped to Core Beta
// beads. README.md says how it was made.
package ala2

import (
	"bytes"
	_ "embed" // the sample
	"fmt"

	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

//go:embed core_beta_awh_gamma9.arrow
var coreBeta []byte

//go:embed ala2.pdb
var structure []byte

// Structure is one frame of the molecule with the names of its 22 atoms.
func Structure() (*gromacs.Structure, error) {
	return gromacs.ParsePDB(bytes.NewReader(structure), "ala2.pdb")
}

// CoreBeta returns the sample: R (nm), unbiased F (kJ/mol/nm), LogW (nats), in
// time order. Error: a damaged file.
func CoreBeta() (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(coreBeta), int64(len(coreBeta)), "core_beta_awh_gamma9.arrow")
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("ala2: %w", err)
	}
	defer r.Close()
	frames, err := r.All()
	return frames, r.Meta(), err
}
