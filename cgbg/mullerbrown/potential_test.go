package mullerbrown

import (
	"fmt"
	"math"
	"testing"
)

// grid visits a mesh of points beyond the domain.
func grid(f func(x, y float64)) {
	for x := 5.0; x <= 55; x += 1.7 {
		for y := 5.0; y <= 55; y += 1.9 {
			f(x, y)
		}
	}
}

// Eq. 33 written out once more, term by term, as printed.
func eq33(x, y float64) float64 {
	sq := func(a float64) float64 { return a * a }
	return -17.3*math.Exp(-0.0039*sq(x-48)-0.0391*sq(y-8)) -
		8.7*math.Exp(-0.0039*sq(x-32)-0.0391*sq(y-16)) -
		14.7*math.Exp(-0.0254*sq(x-24)+0.043*(x-24)*(y-32)-0.0254*sq(y-32)) +
		1.3*math.Exp(0.00273*sq(x-16)+0.0023*(x-16)*(y-24)+0.00273*sq(y-24))
}

func TestPotentialIsEq33(t *testing.T) {
	grid(func(x, y float64) {
		if got, want := Potential(x, y), eq33(x, y); math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
			t.Errorf("u(%g, %g): got %.15g, want %.15g", x, y, got, want)
		}
	})
}

// Gradients against central differences to 1e-6 (relative to 1 + |gradient|: in the corner u is 1e3 and rounds at
// 1e-13).
func TestGradientsMatchDifferences(t *testing.T) {
	const h = 1e-5
	diff := func(name string, at string, got, up, down float64) {
		if want := (up - down) / (2 * h); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("%s at %s: got %.12g, want %.12g", name, at, got, want)
		}
	}
	grid(func(x, y float64) {
		at := fmt.Sprintf("(%g, %g)", x, y)
		ux, uy := Gradient(x, y)
		diff("∂u/∂x", at, ux, Potential(x+h, y), Potential(x-h, y))
		diff("∂u/∂y", at, uy, Potential(x, y+h), Potential(x, y-h))
		diff("V'", at, biasGradient(x), Bias(x+h), Bias(x-h))
	})
}

// The force of the inner loop is that of the plain functions to rounding, inside the square it handles and beyond.
func TestFastForceMatchesGradient(t *testing.T) {
	tab := newTables()
	check := func(x, y float64) {
		fx, fy := tab.force(x, y)
		ux, uy := Gradient(x, y)
		// Rounding is relative to the largest terms, not to their sum: 1e-13 of the sum of absolute terms.
		var scale float64
		for _, p := range terms() {
			dx, dy := x-p.x0, y-p.y0
			q := p.a*dx*dx + p.b*dx*dy + p.c*dy*dy
			scale += math.Abs(p.amp) * math.Exp(q) * (math.Abs(dx) + math.Abs(dy)) * (1 + math.Abs(q))
		}
		if math.Abs(fx+ux) > 1e-14*(1+scale) || math.Abs(fy+uy) > 1e-14*(1+scale) {
			t.Errorf("force(%g, %g): got (%.15g, %.15g), want (%.15g, %.15g)", x, y, fx, fy, -ux, -uy)
		}
		if got, want := tab.biasForce(x), -biasGradient(x); math.Abs(got-want) > 1e-14 {
			t.Errorf("bias force at %g: got %.15g, want %.15g", x, got, want)
		}
	}
	grid(check)
	for _, p := range [][2]float64{{-19.99, -19.99}, {79.99, 79.99}, {-19.99, 79.99}, {79.99, -19.99}, {-20, 3},
		{81, 20}, {100, 100}} {
		check(p[0], p[1])
	}
	if fx, _ := tab.force(math.NaN(), 3); !math.IsNaN(fx) {
		t.Errorf("force at NaN: got %g, want NaN", fx)
	}
}
