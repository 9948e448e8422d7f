package mullerbrown

import "math"

// KT is the thermal energy of the system in its own units (§B.1).
const KT = 1.0

// DomainLo and DomainHi bound the region that the paper plots and starts trajectories from, in x and in y.
const (
	DomainLo = 10.0
	DomainHi = 50.0
)

// term is one summand amp·exp(a·dx² + b·dx·dy + c·dy²) of Eq. 33, dx = x - x0, dy = y - y0.
type term struct{ amp, a, b, c, x0, y0 float64 }

// The numbers of Eq. 33.
const (
	amp1, a1, c1, x1, y1     = -17.3, -0.0039, -0.0391, 48.0, 8.0
	amp2, a2, c2, x2, y2     = -8.7, -0.0039, -0.0391, 32.0, 16.0
	amp3, a3, b3, c3, x3, y3 = -14.7, -0.0254, 0.043, -0.0254, 24.0, 32.0
	amp4, a4, b4, c4, x4, y4 = 1.3, 0.00273, 0.0023, 0.00273, 16.0, 24.0
)

func terms() [4]term {
	return [4]term{
		{amp1, a1, 0, c1, x1, y1},
		{amp2, a2, 0, c2, x2, y2},
		{amp3, a3, b3, c3, x3, y3},
		{amp4, a4, b4, c4, x4, y4},
	}
}

// The umbrella of §B.1.
const (
	biasDepth  = 4.0
	biasCentre = 32.0
	biasVar    = 25.0
)

// Potential returns u(x, y) of Eq. 33, in kT.
func Potential(x, y float64) float64 {
	var u float64
	for _, t := range terms() {
		dx, dy := x-t.x0, y-t.y0
		u += t.amp * math.Exp(t.a*dx*dx+t.b*dx*dy+t.c*dy*dy)
	}
	return u
}

// Gradient returns (∂u/∂x, ∂u/∂y) of Eq. 33, in kT per length; the force is its negative.
func Gradient(x, y float64) (ux, uy float64) {
	for _, t := range terms() {
		dx, dy := x-t.x0, y-t.y0
		e := t.amp * math.Exp(t.a*dx*dx+t.b*dx*dy+t.c*dy*dy)
		ux += e * (2*t.a*dx + t.b*dy)
		uy += e * (t.b*dx + 2*t.c*dy)
	}
	return ux, uy
}

// Bias returns the umbrella potential V(x) = -4 exp(-(x-32)²/(2·5²)) of §B.1, in kT.
func Bias(x float64) float64 {
	d := x - biasCentre
	return -biasDepth * math.Exp(-d*d/(2*biasVar))
}

// biasGradient returns dV/dx of the umbrella potential, in kT per length.
func biasGradient(x float64) float64 {
	d := x - biasCentre
	return biasDepth * d / biasVar * math.Exp(-d*d/(2*biasVar))
}
