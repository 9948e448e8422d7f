package cgmap

import "math"

// vector is a place or a difference of places, nm, or a force.
type vector [3]float64

// at is atom i of a frame.
func at(frame []float32, i int) vector {
	return vector{float64(frame[3*i]), float64(frame[3*i+1]), float64(frame[3*i+2])}
}

func (a vector) sub(b vector) vector { return vector{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vector) plus(b vector, n float64) vector {
	return vector{a[0] + n*b[0], a[1] + n*b[1], a[2] + n*b[2]}
}
func (a vector) dot(b vector) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vector) norm() float64        { return math.Sqrt(a.dot(a)) }
func (a vector) cross(b vector) vector {
	return vector{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// unit is the direction; zero of zero.
func (a vector) unit() vector {
	n := a.norm()
	if n == 0 {
		return vector{}
	}
	return vector{a[0] / n, a[1] / n, a[2] / n}
}
