package topology

import (
	"math"
	"math/rand/v2"
)

// place puts an atom at a distance from c, an angle from c–b, and a dihedral about b–c from a.
func place(a, b, c [3]float64, length, angle, dihedral float64) [3]float64 {
	bc, ab := minus(c, b), minus(b, a)
	scale(&bc, 1/norm(bc))
	n := cross(ab, bc)
	scale(&n, 1/norm(n))
	m := cross(n, bc)
	x, rho := -length*math.Cos(angle), length*math.Sin(angle)
	y, z := rho*math.Cos(dihedral), rho*math.Sin(dihedral)
	var d [3]float64
	for k := range d {
		d[k] = c[k] + x*bc[k] + y*m[k] + z*n[k]
	}
	return d
}

func minus(a, b [3]float64) [3]float64 { return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func scale(a *[3]float64, s float64) {
	for k := range a {
		a[k] *= s
	}
}
func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// peptide makes a frame of N, CA, CB, C of every residue with random φ and ψ; hand: +1 of an L residue, −1 of a D one,
// 0 of glycine, which has no CB. Lengths and angles are those of Engh and Huber, Acta Cryst. A 47 (1991) 392, to two
// digits, with deviations of 0.003 nm and width rad.
func peptide(rng *rand.Rand, hands []float64, width float64) []float64 {
	stretch := func(x float64) float64 { return x + 0.003*rng.NormFloat64() }
	bend := func(degrees float64) float64 { return degrees*math.Pi/180 + width*rng.NormFloat64() }
	turn := func() float64 { return 2 * math.Pi * rng.Float64() }
	n, ca := [3]float64{}, [3]float64{stretch(0.146), 0, 0}
	c := place([3]float64{0, 0.1, 0}, n, ca, stretch(0.153), bend(111), turn())
	var r []float64
	for _, hand := range hands {
		r = append(append(r, n[:]...), ca[:]...)
		if hand != 0 { // seen along C–N–CA the side chain of an L residue stands 122° from the carbon
			cb := place(c, n, ca, stretch(0.153), bend(110), -hand*bend(122))
			r = append(r, cb[:]...)
		}
		r = append(r, c[:]...)
		next := place(n, ca, c, stretch(0.133), bend(117), turn())
		nextCA := place(ca, c, next, stretch(0.146), bend(122), bend(180))
		c = place(c, next, nextCA, stretch(0.153), bend(111), turn())
		n, ca = next, nextCA
	}
	return r
}

// frames are n of them.
func frames(n int, hands []float64) (r []float32) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range n {
		for _, v := range peptide(rng, hands, 0.05) {
			r = append(r, float32(v))
		}
	}
	return r
}
