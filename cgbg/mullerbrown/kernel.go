package mullerbrown

// Coefficients of the inner loop. Each exponent of Eq. 33 is a quadratic form Q, and Q = ½(dx ∂Q/∂dx + dy ∂Q/∂dy); with
// (gx, gy) = perNat/2 · ∇Q the exponential is 2^((dx gx + dy gy)/2048), and the force of the term is -2
// amp/perNat·exp·(gx, gy).
const (
	half = perNat / 2

	g1x, g1y   = 2 * a1 * half, 2 * c1 * half
	g2x, g2y   = 2 * a2 * half, 2 * c2 * half
	g3d, g3o   = 2 * a3 * half, b3 * half // a3 = c3
	g4d, g4o   = 2 * a4 * half, b4 * half // a4 = c4
	w1, w2     = -amp1 / half, -amp2 / half
	w3, w4     = -amp3 / half, -amp4 / half
	gBias      = -half / biasVar
	wBias      = biasDepth / half
	safeLo     = -20.0 // inside this square no exponent leaves [-450, 450]
	safeHi     = 80.0
	blockSteps = 128 // steps between two refills of the noise; results do not depend on it
	maxLanes   = 4   // trajectories advanced together by one goroutine; results do not depend on it
)

// force returns -∇u(x, y), to a few units in the last place of the largest term.
func (t *tables) force(x, y float64) (fx, fy float64) {
	if !(x > safeLo && x < safeHi && y > safeLo && y < safeHi) {
		ux, uy := Gradient(x, y)
		return -ux, -uy
	}
	dx1, dy1 := x-x1, y-y1
	gx1, gy1 := g1x*dx1, g1y*dy1
	e1 := w1 * t.pow2n(dx1*gx1+dy1*gy1)

	dx2, dy2 := x-x2, y-y2
	gx2, gy2 := g2x*dx2, g2y*dy2
	e2 := w2 * t.pow2n(dx2*gx2+dy2*gy2)

	dx3, dy3 := x-x3, y-y3
	gx3, gy3 := g3d*dx3+g3o*dy3, g3o*dx3+g3d*dy3
	e3 := w3 * t.pow2n(dx3*gx3+dy3*gy3)

	dx4, dy4 := x-x4, y-y4
	gx4, gy4 := g4d*dx4+g4o*dy4, g4o*dx4+g4d*dy4
	e4 := w4 * t.pow2n(dx4*gx4+dy4*gy4)

	return (e1*gx1 + e2*gx2) + (e3*gx3 + e4*gx4), (e1*gy1 + e2*gy2) + (e3*gy3 + e4*gy4)
}

// biasForce returns -dV/dx at a point where force did not leave the fast path (elsewhere V is flat to 1e-20).
func (t *tables) biasForce(x float64) float64 {
	d := x - biasCentre
	if !(x > safeLo && x < safeHi) {
		return 0
	}
	g := gBias * d
	return wBias * t.pow2n(d*g) * g
}

// lane is the running state of one trajectory: fx, fy is the unbiased force at (x, y), fb the bias force.
type lane struct {
	x, y, vx, vy, fx, fy, fb float64
	g                        rng
	out                      *record
	noise                    [2 * blockSteps]float64
}

// scheme holds the constants of the update: kick = dt/m, drag = γ dt, jolt = sqrt(2γkT dt/m).
type scheme struct {
	dt, kick, drag, jolt float64
	biased               bool
}

// advance moves every lane n ≤ blockSteps steps, reading noise from position 0, and keeps a frame each time the step
// counter (which starts at step) reaches a multiple of stride; stride 0 keeps none. The lanes are independent:
// advancing several in turn only lets the processor overlap them.
func (t *tables) advance(lanes []*lane, c scheme, n, step, stride int) {
	left := stride
	if stride > 0 {
		left = stride - step%stride
	}
	for i := range n {
		for _, l := range lanes {
			noise := (*[2]float64)(l.noise[2*i:])
			l.vx += c.kick*(l.fx+l.fb) - c.drag*l.vx + c.jolt*noise[0]
			l.vy += c.kick*l.fy - c.drag*l.vy + c.jolt*noise[1]
			l.x += c.dt * l.vx
			l.y += c.dt * l.vy
			l.fx, l.fy = t.force(l.x, l.y)
			if c.biased {
				l.fb = t.biasForce(l.x)
			}
		}
		if left--; left == 0 {
			left = stride
			for _, l := range lanes {
				l.out.add(l)
			}
		}
	}
}
