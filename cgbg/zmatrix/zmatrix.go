package zmatrix

import (
	"fmt"
	"math"
)

const axes = 3

// Row places a bead: by its distance from bead J, its angle at J with K, and its torsion about J–K with L.
type Row struct{ I, J, K, L int }

// Matrix says how beads are placed one after the other.
//
// Coordinates of a frame are the distances [Beads−1], then the angles [Beads−2], then the torsions [Beads−3]: those of
// the root first (A–B and B–C, the angle A–B–C), then those of the rows in their order.
type Matrix struct {
	Beads int
	Root  [3]int // A, B, C
	Rows  []Row
}

// Bonds is the number of distances.
func (m *Matrix) Bonds() int { return m.Beads - 1 }

// Angles is the number of angles.
func (m *Matrix) Angles() int { return m.Beads - 2 }

// Dim is the number of all coordinates.
func (m *Matrix) Dim() int { return 3*m.Beads - 6 }

// split are the three kinds of coordinates of q, [Dim].
func (m *Matrix) split(q []float64) (bond, angle, torsion []float64) {
	return q[:m.Bonds()], q[m.Bonds() : m.Bonds()+m.Angles()], q[m.Bonds()+m.Angles():]
}

// Internal writes the coordinates of a frame.
//
// r: [Beads, 3], nm; q: [Dim], nm and rad, angles in [0, π], torsions in [−π, π].
func (m *Matrix) Internal(r, q []float64) {
	at := func(i int) vector { return vector(r[axes*i : axes*i+axes]) }
	bond, angle, torsion := m.split(q)
	a, b, c := at(m.Root[0]), at(m.Root[1]), at(m.Root[2])
	bond[0], bond[1], angle[0] = a.sub(b).norm(), b.sub(c).norm(), angleOf(a, b, c)
	for n, row := range m.Rows {
		i, j, k := at(row.I), at(row.J), at(row.K)
		bond[2+n], angle[1+n], torsion[n] = i.sub(j).norm(), angleOf(i, j, k), torsionOf(i, j, k, at(row.L))
	}
}

// Place writes the frame of these coordinates that has B at the origin, A on the positive x axis, and C in the xy
// plane at y > 0.
//
// q: [Dim], distances > 0, angles in (0, π); r: [Beads, 3].
func (m *Matrix) Place(q, r []float64) {
	at := func(i int) vector { return vector(r[axes*i : axes*i+axes]) }
	put := func(i int, v vector) { copy(r[axes*i:], v[:]) }
	bond, angle, torsion := m.split(q)
	put(m.Root[1], vector{})
	put(m.Root[0], vector{bond[0]})
	put(m.Root[2], vector{bond[1] * math.Cos(angle[0]), bond[1] * math.Sin(angle[0])})
	for n, row := range m.Rows {
		j, k := at(row.J), at(row.K)
		// A right-handed frame of axes: u along K→J, w towards L, m across.
		u := j.sub(k).unit()
		across := k.sub(at(row.L)).cross(u).unit()
		w := across.cross(u)
		sin, cos := math.Sincos(angle[1+n])
		sinT, cosT := math.Sincos(torsion[n])
		d := bond[2+n]
		put(row.I, j.add(u.scale(-d*cos)).add(w.scale(d*sin*cosT)).add(across.scale(d*sin*sinT)))
	}
}

// Orientation is the rotation from the axes of Place to those of a frame, whose columns are the former in the latter.
//
// r: [Beads, 3].
func (m *Matrix) Orientation(r []float64) (turn [axes][axes]float64) {
	at := func(i int) vector { return vector(r[axes*i : axes*i+axes]) }
	b := at(m.Root[1])
	x, c := at(m.Root[0]).sub(b).unit(), at(m.Root[2]).sub(b)
	y := c.sub(x.scale(c.dot(x))).unit()
	z := x.cross(y)
	for k := range turn {
		turn[k] = [axes]float64{x[k], y[k], z[k]}
	}
	return turn
}

// LogVolume is ln |∂(beads)/∂(coordinates, rigid motion)|, nats: a density of the beads' positions, uniform over the
// centre's place and over rotations (whose volume is 8π²), is that of the coordinates over it. It is the sum of 2 ln d
// over the distances, nm, and of ln sin θ over the angles.
func (m *Matrix) LogVolume(q []float64) float64 {
	bond, angle, _ := m.split(q)
	var sum float64
	for _, d := range bond {
		sum += 2 * math.Log(d)
	}
	for _, a := range angle {
		sum += math.Log(math.Sin(a))
	}
	return sum
}

// LogRotations is the logarithm of the volume of all rotations, 8π².
var LogRotations = math.Log(8 * math.Pi * math.Pi)

// Name of coordinate n, with the beads' names: "N–CA", "N–CA–C", "N–CA–C–O".
func (m *Matrix) Name(n int, beads []string) string {
	row := Row{m.Root[0], m.Root[1], m.Root[2], -1}
	kind := 1 // bonds, then angles, torsions
	switch {
	case n == 0:
	case n == 1:
		row.I, row.J = m.Root[1], m.Root[2]
	case n < m.Bonds():
		row = m.Rows[n-2]
	case n == m.Bonds():
		kind = 2
	case n < m.Bonds()+m.Angles():
		row, kind = m.Rows[n-m.Bonds()-1], 2
	default:
		row, kind = m.Rows[n-m.Bonds()-m.Angles()], 3
	}
	name := beads[row.I] + "–" + beads[row.J]
	if kind > 1 {
		name += "–" + beads[row.K]
	}
	if kind > 2 {
		name += "–" + beads[row.L]
	}
	return name
}

// Check tells whether the rows place every bead once, after those that they refer to. Error: the first that does not.
func (m *Matrix) Check() error {
	if m.Beads < 3 || len(m.Rows) != m.Beads-3 {
		return fmt.Errorf("zmatrix: %d rows for %d beads: at least three beads, and a row for each beyond three", len(m.Rows),
			m.Beads)
	}
	placed := make([]bool, m.Beads)
	for _, i := range m.Root {
		if i < 0 || i >= m.Beads || placed[i] {
			return fmt.Errorf("zmatrix: the root %v is not three of %d beads", m.Root, m.Beads)
		}
		placed[i] = true
	}
	for n, row := range m.Rows {
		for _, i := range []int{row.J, row.K, row.L} {
			if i < 0 || i >= m.Beads || !placed[i] {
				return fmt.Errorf("zmatrix: row %d, %v, refers to bead %d, which is not placed before", n, row, i)
			}
		}
		if row.I < 0 || row.I >= m.Beads || placed[row.I] || row.J == row.K || row.K == row.L || row.J == row.L {
			return fmt.Errorf("zmatrix: row %d, %v, does not place a bead by three others", n, row)
		}
		placed[row.I] = true
	}
	return nil
}

type vector [axes]float64

func (v vector) add(w vector) vector    { return vector{v[0] + w[0], v[1] + w[1], v[2] + w[2]} }
func (v vector) sub(w vector) vector    { return vector{v[0] - w[0], v[1] - w[1], v[2] - w[2]} }
func (v vector) scale(s float64) vector { return vector{s * v[0], s * v[1], s * v[2]} }
func (v vector) dot(w vector) float64   { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }
func (v vector) norm() float64          { return math.Sqrt(v.dot(v)) }
func (v vector) unit() vector           { return v.scale(1 / v.norm()) }
func (v vector) cross(w vector) vector {
	return vector{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
}

func angleOf(a, b, c vector) float64 {
	u, v := a.sub(b), c.sub(b)
	return math.Atan2(u.cross(v).norm(), u.dot(v))
}

// torsionOf is the angle about b–c between a and d, in the sign of IUPAC.
func torsionOf(a, b, c, d vector) float64 {
	b1, b2, b3 := b.sub(a), c.sub(b), d.sub(c)
	n1, n2 := b1.cross(b2), b2.cross(b3)
	return math.Atan2(n1.cross(n2).dot(b2.unit()), n1.dot(n2))
}
