package main

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// readBias sets logWeight where a bias is given, and backbone and residues where
// they are needed.
func (im *importer) readBias(s *gromacs.Structure) (err error) {
	path := im.awh + im.bias
	switch {
	case im.awh != "":
		grid, err := gromacs.ReadAWH(im.awh)
		if err != nil {
			return err
		}
		im.logWeight = func(phi, psi float64) (float64, error) {
			bias, err := grid.CoordBias(phi, psi)
			return -bias, err
		}
	case im.bias != "":
		grid, err := plumed.ReadGrid(im.bias)
		if err != nil {
			return err
		}
		beta := 1 / units.KT(im.temperature)
		im.logWeight = func(phi, psi float64) (float64, error) {
			bias, err := grid.At(phi, psi)
			return bias * beta, err
		}
	default:
		return nil
	}
	// The beads of a file may be called after atoms that they are not; readMap has found the residues of dihedrals.
	switch im.backbone = im.cg; {
	case im.mapText != "":
		im.backbone, im.residues, err = cgmap.Dihedrals(s)
	case im.mapping != dihedrals:
		im.residues, err = cgmap.Backbone(im.backbone.Beads)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", im.structure, err)
	}
	if len(im.residues) != 1 {
		return fmt.Errorf("%s: the bias is of one phi and psi, the molecule has %d", path, len(im.residues))
	}
	return nil
}

// weigh returns the frame's dihedrals, φ and ψ of every residue, and adds its weight
// where there was a bias. r: positions of the backbone's beads.
func (im *importer) weigh(batch *data.Frames, r []float32) (angles []float32, err error) {
	for _, residue := range im.residues {
		phi, psi := observable.Dihedrals(r, len(r)/3, residue.Phi), observable.Dihedrals(r, len(r)/3, residue.Psi)
		angles = append(angles, float32(phi[0]), float32(psi[0]))
		if im.logWeight != nil {
			logW, err := im.logWeight(phi[0], psi[0])
			if err != nil {
				return nil, err
			}
			batch.LogW = append(batch.LogW, logW)
		}
	}
	return angles, nil
}
