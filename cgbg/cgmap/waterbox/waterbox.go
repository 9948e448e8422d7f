// Package waterbox builds a peptide in water at the density of the liquid, for
// tests and benchmarks of what reads large systems. Units: nm.
package waterbox

import (
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/data/gromacs"
)

// Geometry of the peptide: an α-helix with the bonds and angles of Engh and Huber, Acta Cryst. A47 (1991) 392, in nm
// and degrees.
const (
	phi, psi       = -57, -47
	lengthNCA      = 0.1458
	lengthCAC      = 0.1525
	lengthCN       = 0.1329
	lengthCO       = 0.1231
	lengthCC       = 0.1521
	lengthNH       = 0.101
	lengthCH       = 0.109
	angleNCAC      = 111.0
	angleCACN      = 116.6
	angleCNCA      = 121.7
	angleCACO      = 120.5
	tetrahedral    = 109.5
	waterOH        = 0.09572 // TIP3P: Jorgensen et al., J. Chem. Phys. 79 (1983) 926
	waterAngle     = 104.52
	waterDensity   = 33.4 // molecules/nm³ at 298 K
	waterClearance = 0.27 // of the oxygen from the peptide
)

type vector [3]float64

func (a vector) plus(b vector, n float64) vector {
	return vector{a[0] + n*b[0], a[1] + n*b[1], a[2] + n*b[2]}
}
func (a vector) dot(b vector) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vector) cross(b vector) vector {
	return vector{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}
func (a vector) unit() vector { return vector{}.plus(a, 1/math.Sqrt(a.dot(a))) }

// next is the place of an atom at a distance from c, an angle to b and c, and a dihedral to a, b and c, degrees.
func next(a, b, c vector, length, angle, dihedral float64) vector {
	t, p := angle*math.Pi/180, dihedral*math.Pi/180
	axis := c.plus(b, -1).unit()
	normal := b.plus(a, -1).cross(axis).unit()
	side := normal.cross(axis)
	return c.plus(axis, -length*math.Cos(t)).plus(side, length*math.Sin(t)*math.Cos(p)).plus(normal,
		length*math.Sin(t)*math.Sin(p))
}

// builder gathers atoms.
type builder struct {
	s *gromacs.Structure
}

func (b *builder) add(residue string, number int, name string, x vector) vector {
	b.s.Atoms = append(b.s.Atoms, gromacs.Atom{Name: name, Residue: residue, ResidueNumber: number})
	b.s.R = append(b.s.R, float32(x[0]), float32(x[1]), float32(x[2]))
	return x
}

// methyl adds three hydrogens of c, beside a and b.
func (b *builder) methyl(residue string, number int, name string, a, from, c vector) {
	for k, digit := range []string{"1", "2", "3"} {
		b.add(residue, number, name+digit, next(a, from, c, lengthCH, tetrahedral, float64(60+120*k)))
	}
}

// Helix is ACE, so many alanines and NME along z, without a box.
func Helix(residues int) *gromacs.Structure {
	b := &builder{s: &gromacs.Structure{Title: "alanine helix"}}
	n := vector{0, -0.1, 0} // of a residue before ACE, which is not there
	alpha := vector{}
	alpha = b.add("ACE", 1, "CH3", alpha)
	carbon := next(vector{0.1, -0.1, 0}, n, alpha, lengthCAC, angleNCAC, -160)
	b.methyl("ACE", 1, "HH3", n, carbon, alpha)
	b.add("ACE", 1, "C", carbon)
	b.add("ACE", 1, "O", next(n, alpha, carbon, lengthCO, angleCACO, psi+180))
	for i := range residues + 1 {
		nitrogen := next(n, alpha, carbon, lengthCN, angleCACN, psi)
		hydrogen := next(alpha, carbon, nitrogen, lengthNH, 119, 0)
		next1 := next(alpha, carbon, nitrogen, lengthNCA, angleCNCA, 180)
		if i == residues {
			b.add("NME", i+2, "N", nitrogen)
			b.add("NME", i+2, "H", hydrogen)
			b.add("NME", i+2, "CH3", next1)
			b.methyl("NME", i+2, "HH3", carbon, nitrogen, next1)
			break
		}
		c := next(carbon, nitrogen, next1, lengthCAC, angleNCAC, phi)
		beta := next(carbon, nitrogen, next1, lengthCC, 110.4, phi-122)
		number := i + 2
		b.add("ALA", number, "N", nitrogen)
		b.add("ALA", number, "H", hydrogen)
		b.add("ALA", number, "CA", next1)
		b.add("ALA", number, "HA", next(carbon, nitrogen, next1, lengthCH, 108, phi+119))
		b.add("ALA", number, "CB", beta)
		b.methyl("ALA", number, "HB", nitrogen, next1, beta)
		b.add("ALA", number, "C", c)
		b.add("ALA", number, "O", next(nitrogen, next1, c, lengthCO, angleCACO, psi+180))
		n, alpha, carbon = nitrogen, next1, c
	}
	upright(b.s.R)
	return b.s
}

// upright turns the line from the first to the last atom along z, and moves the centre to the origin.
func upright(r []float32) {
	last := len(r) - 3
	var mean vector
	for i, v := range r {
		mean[i%3] += float64(v) / float64(len(r)/3)
	}
	z := vector{float64(r[last] - r[0]), float64(r[last+1] - r[1]), float64(r[last+2] - r[2])}.unit()
	other := vector{1, 0, 0}
	if math.Abs(z[0]) > 0.8 {
		other = vector{0, 1, 0}
	}
	x := other.cross(z).unit()
	y := z.cross(x)
	for i := 0; i < len(r); i += 3 {
		d := vector{float64(r[i]), float64(r[i+1]), float64(r[i+2])}.plus(mean, -1)
		r[i], r[i+1], r[i+2] = float32(d.dot(x)), float32(d.dot(y)), float32(d.dot(z))
	}
}

// New is a helix in water of a rectangular box, whole: about 100 atoms for each nm³. seed turns the water.
func New(residues int, edges [3]float64, seed uint64) *gromacs.Structure {
	s := Helix(residues)
	for i := range s.R {
		s.R[i] += float32(edges[i%3] / 2)
	}
	s.Box = [9]float64{edges[0], 0, 0, 0, edges[1], 0, 0, 0, edges[2]}
	rng := rand.New(rand.NewPCG(seed, 1))
	b := &builder{s: s}
	solute := append([]float32(nil), s.R...)
	var count [3]int
	for k, e := range edges {
		count[k] = int(e * math.Cbrt(waterDensity))
	}
	number := residues + 2
	for n := range count[0] * count[1] * count[2] {
		at := [3]int{n / (count[1] * count[2]), n / count[2] % count[1], n % count[2]}
		var o vector
		for k := range o {
			o[k] = (float64(at[k]) + 0.5) * edges[k] / float64(count[k])
		}
		if crowded(o, solute) {
			continue
		}
		number++
		u := vector{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}.unit()
		v := u.cross(vector{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}).unit()
		t := waterAngle * math.Pi / 180
		b.add("SOL", number, "OW", o)
		b.add("SOL", number, "HW1", o.plus(u, waterOH))
		b.add("SOL", number, "HW2", o.plus(u, waterOH*math.Cos(t)).plus(v, waterOH*math.Sin(t)))
	}
	return s
}

func crowded(o vector, solute []float32) bool {
	for i := 0; i < len(solute); i += 3 {
		d := vector{float64(solute[i]), float64(solute[i+1]), float64(solute[i+2])}.plus(o, -1)
		if d.dot(d) < waterClearance*waterClearance {
			return true
		}
	}
	return false
}

// Torn moves all places and then each atom into the box that the vectors of box span, row by row, the first along x and
// the second in the xy plane.
func Torn(r []float32, box [9]float64, shift [3]float64) {
	for i := 0; i < len(r); i += 3 {
		var x vector
		for k := range x {
			x[k] = float64(r[i+k]) + shift[k]
		}
		for row := 2; row >= 0; row-- {
			if h := box[4*row]; h > 0 {
				n := math.Floor(x[row] / h)
				x = x.plus(vector{box[3*row], box[3*row+1], box[3*row+2]}, -n)
			}
		}
		for k := range x {
			r[i+k] = float32(x[k])
		}
	}
}
