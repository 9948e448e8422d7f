package observable

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// torsion puts a point at bond length 1, a right angle and the given torsion behind a, b, c.
func torsion(phi float64) [4][3]float64 {
	return [4][3]float64{{1, 0, 0}, {0, 0, 0}, {0, 0, 1}, {math.Cos(phi), math.Sin(phi), 1}}
}

func TestDihedral(t *testing.T) {
	for _, phi := range []float64{0, 0.1, 1, math.Pi / 2, 3, math.Pi, -0.1, -math.Pi / 2, -3} {
		p := torsion(phi)
		if got := Dihedral(p[0], p[1], p[2], p[3]); math.Abs(got-phi) > 1e-12 {
			t.Errorf("got %g, want %g", got, phi)
		}
		if got := Dihedral(p[3], p[2], p[1], p[0]); math.Abs(got-phi) > 1e-12 {
			t.Errorf("from the other end: got %g, want %g", got, phi)
		}
	}
	if got := Dihedral([3]float64{}, [3]float64{1}, [3]float64{2}, [3]float64{3, 1}); !math.IsNaN(got) {
		t.Errorf("three points on a line: got %g, want NaN", got)
	}
}

// A rotation and a shift keep the angle, a reflection turns its sign.
func TestDihedralInvariance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var p [4][3]float64
		for i := range p {
			for k := range 3 {
				p[i][k] = rng.NormFloat64()
			}
		}
		want := Dihedral(p[0], p[1], p[2], p[3])
		s, c := math.Sincos(rng.Float64() * 7)
		var r []float64
		for _, x := range p {
			r = append(r, c*x[0]-s*x[1]+4, s*x[0]+c*x[1]-2, x[2]+1)
		}
		if got := Dihedrals(r, 4, [4]int{0, 1, 2, 3})[0]; math.Abs(got-want) > 1e-9 {
			t.Errorf("moved: got %g, want %g", got, want)
		}
		for i := range p {
			p[i][0] *= -1
		}
		if got := Dihedral(p[0], p[1], p[2], p[3]); math.Abs(got+want) > 1e-9 {
			t.Errorf("mirrored: got %g, want %g", got, -want)
		}
	}
}

func ExampleDihedral() {
	// Hydrogen peroxide's atoms H, O, O, H, at a right angle.
	phi := Dihedral([3]float64{1, 0, 0}, [3]float64{}, [3]float64{0, 0, 1}, [3]float64{0, 1, 1})
	fmt.Printf("%.1f°\n", 180/math.Pi*phi)
	// Output: 90.0°
}
