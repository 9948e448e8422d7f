package observable

import "math"

// BondLengths is the distance of two beads in each frame, [n], in the unit of r. r: [n, beads, 3].
func BondLengths[T float32 | float64](r []T, beads int, pair [2]int) []float64 {
	out := make([]float64, 0, len(r)/(3*beads))
	for ; len(r) >= 3*beads; r = r[3*beads:] {
		out = append(out, norm(between(r, pair[0], pair[1])))
	}
	return out
}

// Angles is the angle at the middle one of three beads in each frame, [n], rad. r: [n, beads, 3].
func Angles[T float32 | float64](r []T, beads int, triple [3]int) []float64 {
	out := make([]float64, 0, len(r)/(3*beads))
	for ; len(r) >= 3*beads; r = r[3*beads:] {
		a, b := between(r, triple[1], triple[0]), between(r, triple[1], triple[2])
		cross := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
		out = append(out, math.Atan2(norm(cross), a[0]*b[0]+a[1]*b[1]+a[2]*b[2])) // acos loses digits near 0 and π
	}
	return out
}

func between[T float32 | float64](r []T, i, j int) [3]float64 {
	var d [3]float64
	for axis := range d {
		d[axis] = float64(r[3*j+axis]) - float64(r[3*i+axis])
	}
	return d
}

func norm(a [3]float64) float64 { return math.Sqrt(a[0]*a[0] + a[1]*a[1] + a[2]*a[2]) }
