// Package butane holds molecular dynamics of n-butane of united atoms (TraPPE-UA with bonds that are springs), whose
// energy is known in closed form: forces, the distribution of its torsion and its populations have exact references.
// README.md says how the set was made.
//
// Units: nm, kJ/mol, rad, K.
//
// Source: Martin and Siepmann, doi 10.1021/jp972543+.
package butane

import (
	"bytes"
	_ "embed" // the set
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
)

var (
	//go:embed unbiased.arrow
	unbiased []byte
	//go:embed butane.pdb
	structure []byte
)

// Parameters of trappe.xml, which a test holds to them: TraPPE's, in its K over kB, and the bonds' spring.
const (
	bondLength = 0.154                  // nm
	bondSpring = 620 * units.KCal * 100 // kJ/mol/nm²
	bend       = 114 * math.Pi / 180    // rad
	bendSpring = 62500 * units.KB       // kJ/mol/rad²

	c1, c2, c3 = 355.03 * units.KB, -68.19 * units.KB, 791.32 * units.KB // kJ/mol
)

// Structure is the trans conformation with the names of the four atoms, C1 to C4.
func Structure() (*gromacs.Structure, error) {
	return gromacs.ParsePDB(bytes.NewReader(structure), "butane.pdb")
}

// Unbiased has R (nm) and F (kJ/mol/nm) at 300 K, 20 ps apart, [10000, 4, 3]. Error: a damaged file.
func Unbiased() (*data.Frames, data.Meta, error) {
	r, err := data.OpenReaderAt(bytes.NewReader(unbiased), int64(len(unbiased)), "unbiased.arrow")
	if err != nil {
		return nil, data.Meta{}, fmt.Errorf("butane: %w", err)
	}
	defer r.Close()
	f, err := r.All()
	return f, r.Meta(), err
}

// TorsionEnergy is U(φ) = c₁(1 + cos φ) + c₂(1 − cos 2φ) + c₃(1 + cos 3φ), kJ/mol; trans is φ = π, rad. The torsion's
// density is exp(−U/kT) over its integral: no other energy depends on φ, nor does the volume element of the
// internal coordinates.
func TorsionEnergy(phi float64) float64 {
	return c1*(1+math.Cos(phi)) + c2*(1-math.Cos(2*phi)) + c3*(1+math.Cos(3*phi))
}

// Energy of one frame, kJ/mol: three bonds, two angles, the torsion. r: [4, 3], nm.
func Energy(r []float64) float64 {
	var b [3][3]float64 // from each atom to the next
	for i := range b {
		for k := range b[i] {
			b[i][k] = r[3*i+3+k] - r[3*i+k]
		}
	}
	var u float64
	for i := range b {
		stretch := norm(b[i]) - bondLength
		u += bondSpring / 2 * stretch * stretch
	}
	for i := range 2 {
		off := math.Pi - math.Acos(dot(b[i], b[i+1])/(norm(b[i])*norm(b[i+1]))) - bend
		u += bendSpring / 2 * off * off
	}
	return u + TorsionEnergy(torsion(b))
}

// torsion is the angle between the planes of the first and the last two edges, rad, by IUPAC's sign.
func torsion(b [3][3]float64) float64 {
	m, n := cross(b[0], b[1]), cross(b[1], b[2])
	return math.Atan2(norm(b[1])*dot(b[0], n), dot(m, n))
}

func dot(u, v [3]float64) float64 { return u[0]*v[0] + u[1]*v[1] + u[2]*v[2] }

func norm(u [3]float64) float64 { return math.Sqrt(dot(u, u)) }

func cross(u, v [3]float64) [3]float64 {
	return [3]float64{u[1]*v[2] - u[2]*v[1], u[2]*v[0] - u[0]*v[2], u[0]*v[1] - u[1]*v[0]}
}
