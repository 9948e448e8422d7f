package dcd

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/data/gromacs"
)

// A unit cell is six doubles. Programs mean different things by them:
//
//   - A, γ, B, β, α, C: lengths in Å and angles in degrees (CHARMM before version 22, NAMD before 2.6, OpenMM), or
//   - their cosines (NAMD, X-PLOR, VMD, LAMMPS, MDAnalysis, mdtraj),
//   - XX, XY, YY, XZ, YZ, ZZ: the lower triangle of a symmetric matrix of box vectors, Å (CHARMM from
//     version 22 on, cpptraj; the "XTLABC" of CHARMM's documentation, crystl.info).
//
// The numbers tell them apart but for few. All writers of lengths and angles claim version 24 of CHARMM, or none, but
// cpptraj before 2016.

// otherWriters is the version that programs other than CHARMM claim.
const otherWriters = 24

// Angles of cells that are simulated, in degrees: others are a shape matrix misread, if the numbers are one.
const leastAngle, largestAngle = 40, 140

// sameBox is the difference of boxes that tells nothing, nm.
const sameBox = 1e-4

// unitCell turns a record into box vectors, and gives those of the other reading where there are two. Error: the
// numbers are no cell.
func (r *Reader) unitCell(p []byte) (box, other [9]float64, err error) {
	var v [6]float64
	for i := range v {
		v[i] = math.Float64frombits(r.order.Uint64(p[8*i:]))
	}
	readings := cells(v, r.version)
	if len(readings) == 0 {
		return box, other, fmt.Errorf("%w: the unit cell %v is neither lengths and angles (or their cosines) nor a "+
			"symmetric matrix of box vectors", ErrFormat, v)
	}
	box = readings[0]
	for _, second := range readings[1:] {
		for i := range second {
			if math.Abs(second[i]-box[i]) > sameBox {
				return box, second, nil
			}
		}
	}
	return box, other, nil
}

// cells are the boxes that a record may mean, nm, likely ones first.
func cells(v [6]float64, version int32) (readings [][9]float64) {
	add := func(box [9]float64, ok bool) {
		if ok {
			readings = append(readings, box)
		}
	}
	off := [3]float64{v[1], v[3], v[4]}
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
	}
	switch {
	case v[0] < 0 || v[2] < 0 || v[5] < 0:
		return nil
	// a length of zero: no boundary
	case off == [3]float64{} || off == [3]float64{90, 90, 90} || v[0] == 0 && v[2] == 0 && v[5] == 0:
		return [][9]float64{{v[0] / 10, 0, 0, 0, v[2] / 10, 0, 0, 0, v[5] / 10}}
	case v[0] == 0 || v[2] == 0 || v[5] == 0:
		return nil
	}
	matrix, isMatrix := shape(v)
	isCosines, isDegrees, isLikely := true, true, true
	var cosine [3]float64
	for k, x := range off {
		isCosines = isCosines && math.Abs(x) <= 1
		isDegrees = isDegrees && x > 0 && x < 180
		isLikely = isLikely && x >= leastAngle && x <= largestAngle
		if cosine[k] = math.Cos(x * math.Pi / 180); x == 90 {
			cosine[k] = 0
		}
	}
	if isCosines {
		box, err := gromacs.Cell(v[0]/10, v[2]/10, v[5]/10, off[2], off[1], off[0])
		add(box, err == nil)
		add(matrix, isMatrix && (err != nil || version > otherWriters))
		return readings
	}
	box, err := gromacs.Cell(v[0]/10, v[2]/10, v[5]/10, cosine[2], cosine[1], cosine[0])
	isDegrees = isDegrees && err == nil
	if isDegrees && isLikely {
		add(box, true)
		add(matrix, isMatrix && version > otherWriters)
		return readings
	}
	add(matrix, isMatrix)
	add(box, isDegrees && !isMatrix)
	return readings
}

// shape is the symmetric matrix of box vectors, nm. ok: it is positive definite, and no needle.
func shape(v [6]float64) (box [9]float64, ok bool) {
	box = [9]float64{v[0], v[1], v[3], v[1], v[2], v[4], v[3], v[4], v[5]}
	for i := range box {
		box[i] /= 10
	}
	minor := box[0]*box[4] - box[1]*box[1]
	volume := box[0]*(box[4]*box[8]-box[5]*box[5]) - box[1]*(box[1]*box[8]-box[5]*box[2]) +
		box[2]*(box[1]*box[5]-box[4]*box[2])
	return box, box[0] > 0 && minor > 0 && volume > 0.02*box[0]*box[4]*box[8]
}
