package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"github.com/cgbg-go/lab/data/plumed"
)

// biased is a dihedral that was biased.
type biased struct {
	name  string  // phi of ALA2
	atoms [4]int  // of the structure
	beads *[4]int // of the map; nil where it has not all of them
}

// readBias sets logWeight and biased where a bias is given.
func (im *importer) readBias(s *gromacs.Structure) (err error) {
	var named [2]string // variables by the file
	var needsKT string  // what to say where there is no temperature
	path := im.awh + im.bias
	switch {
	case im.awh != "":
		im.logWeight, needsKT, err = im.readAWH()
	case im.bias != "":
		im.logWeight, named, needsKT, err = im.readPlumed()
	default:
		return nil
	}
	if err != nil {
		return err
	}
	backbone, residues, err := cgmap.Dihedrals(s)
	if err != nil {
		return fmt.Errorf("%s: %w", im.structure, err)
	}
	variables, of, err := biasVariables(im.biasVariables, named, residues)
	switch {
	case errors.Is(err, errUsage):
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case needsKT != "" && im.temperature == 0:
		return fmt.Errorf("%w: %s", errUsage, needsKT)
	}
	for k, v := range variables {
		im.biased[k] = im.findBiased(v, residues[of[k]], backbone.Atoms)
	}
	switch names := im.biased[0].name + " and " + im.biased[1].name; {
	case len(residues) > 1:
		im.note("the weights are of a bias on %s", names)
	case im.biasVariables == "" && im.awh != "":
		im.note("%s names no coordinates; they are taken for %s, in this order (-bias-variables)", path, names)
	}
	return nil
}

// readAWH reads the final grid of AWH: ln w = -(Coord bias).
func (im *importer) readAWH() (f func(x, y float64) (float64, error), needsKT string, err error) {
	grid, err := gromacs.ReadAWH(im.awh)
	if err != nil {
		return nil, "", err
	}
	if _, ok := grid.Column["Coord bias"]; !ok {
		return nil, "", fmt.Errorf("%s: there is no column \"Coord bias\"; make the file with: gmx awh -more -kt", im.awh)
	}
	scale := 1.0
	if !grid.KT {
		needsKT = im.awh + " is in kJ/mol: give -temperature K, of the simulation, or make the file with gmx awh -more -kt"
		scale = 1 / units.KT(im.temperature)
	}
	return func(x, y float64) (float64, error) {
		bias, err := grid.CoordBias(x, y)
		return -bias * scale, err
	}, needsKT, nil
}

// readPlumed reads the final bias V of metadynamics: ln w = V/kT.
func (im *importer) readPlumed() (f func(x, y float64) (float64, error), named [2]string, needsKT string, err error) {
	grid, err := plumed.ReadGrid(im.bias)
	if err != nil {
		return nil, named, "", err
	}
	if grid.Stored > 1 {
		im.note("%s has %d grids; the last one counts", im.bias, grid.Stored)
	}
	beta := 1 / units.KT(im.temperature)
	return func(x, y float64) (float64, error) {
		bias, err := grid.At(x, y)
		return bias * beta, err
	}, grid.Names, im.bias + " is in kJ/mol: give -temperature K, of the simulation", nil
}

// findBiased finds the dihedral of a residue, whose indices are of some atoms, among all of them and, where the map has them, among beads.
func (im *importer) findBiased(v variable, r cgmap.Residue, some []int) biased {
	b := biased{name: v.kind + " of " + r.Name, atoms: r.Phi}
	if v.kind == "psi" {
		b.atoms = r.Psi
	}
	var beads [4]int
	for k, i := range b.atoms {
		b.atoms[k] = some[i]
		beads[k] = slices.Index(im.cg.Atoms, some[i]) // frames of a file's beads are not read
	}
	if slices.Min(beads[:]) >= 0 && im.mapText == "" {
		b.beads = &beads
	}
	return b
}

// at returns the dihedral in a frame, rad. frame: [atoms, 3] or [beads, 3].
func (b *biased) at(im *importer, frame []float32) (float64, error) {
	index := &b.atoms
	if len(frame) != 3*im.atoms {
		if index = b.beads; index == nil || len(frame) != 3*len(im.cg.Beads) {
			return 0, fmt.Errorf("its %d beads have no %s, which was biased: the weights need frames of atoms, or of beads that have it", len(frame)/3, b.name)
		}
	}
	angle := observable.Dihedrals(frame, len(frame)/3, *index)
	return angle[0], nil
}

// weigh returns the frame's dihedrals, φ and ψ of every residue, for the map to dihedrals, and adds its
// weight where there was a bias. r: positions of the beads; frame: of all atoms, whole, or of beads.
func (im *importer) weigh(batch *data.Frames, r, frame []float32) (angles []float32, err error) {
	for _, residue := range im.residues {
		phi, psi := observable.Dihedrals(r, len(r)/3, residue.Phi), observable.Dihedrals(r, len(r)/3, residue.Psi)
		angles = append(angles, float32(phi[0]), float32(psi[0]))
	}
	if im.logWeight == nil {
		return angles, nil
	}
	x, err := im.biased[0].at(im, frame)
	if err != nil {
		return nil, err
	}
	y, err := im.biased[1].at(im, frame)
	if err != nil {
		return nil, err
	}
	logW, err := im.logWeight(x, y)
	if err != nil {
		const degrees = 180 / math.Pi
		return nil, fmt.Errorf("%s, at %s = %.1f and %s = %.1f degrees: %w; a frame has a weight only where the bias is known: is this the grid of this simulation, of these dihedrals?",
			im.awh+im.bias, im.biased[0].name, x*degrees, im.biased[1].name, y*degrees, err)
	}
	batch.LogW = append(batch.LogW, logW)
	return angles, nil
}
