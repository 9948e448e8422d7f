package observable

import "math"

// Dihedral is the torsion angle a–b–c–d in rad, in (−π, π], with the sign of
// IUPAC: seen along b→c, positive if d is clockwise of a. NaN where three
// consecutive points lie on a line. Source: the atan2 form of Blondel and
// Karplus, J. Comput. Chem. 17 (1996) 1132.
func Dihedral(a, b, c, d [3]float64) float64 {
	b1, b2, b3 := sub(b, a), sub(c, b), sub(d, c)
	n1, n2 := cross(b1, b2), cross(b2, b3)
	y, x := math.Sqrt(dot(b2, b2))*dot(b1, n2), dot(n1, n2)
	if x == 0 && y == 0 {
		return math.NaN()
	}
	if phi := math.Atan2(y, x); phi > -math.Pi {
		return phi
	}
	return math.Pi
}

// Dihedrals is the dihedral of four beads in each frame, [n], rad.
// r: [n, beads, 3]; quad: the beads, from 0. It panics on a bead that is not there.
func Dihedrals[T float32 | float64](r []T, beads int, quad [4]int) []float64 {
	out := make([]float64, len(r)/(3*beads))
	for i := range out {
		frame := r[3*beads*i : 3*beads*(i+1)]
		var p [4][3]float64
		for k, bead := range quad {
			for axis := range 3 {
				p[k][axis] = float64(frame[3*bead+axis])
			}
		}
		out[i] = Dihedral(p[0], p[1], p[2], p[3])
	}
	return out
}

func sub(a, b [3]float64) [3]float64 { return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func dot(a, b [3]float64) float64    { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}
