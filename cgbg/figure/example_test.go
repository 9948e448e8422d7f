package figure_test

import (
	"bytes"
	"fmt"
	"image/png"
	"math"

	"github.com/cgbg-go/lab/cgbg/figure"
)

// A harmonic free energy, exact and estimated.
func ExampleFreeEnergyProfile() {
	var x, exact, estimate, sd []float64
	for i := -20; i <= 20; i++ {
		v := 0.1 * float64(i)
		x, exact = append(x, v), append(exact, v*v/2)
		estimate, sd = append(estimate, v*v/2+0.05*v), append(sd, 0.1)
	}
	p, err := figure.FreeEnergyProfile([]figure.Series{
		{Name: "exact", Role: figure.Exact, X: x, Y: exact},
		{Name: "flow, reweighted", Role: figure.After, X: x, Y: estimate, Error: sd},
	}, figure.ProfileOptions{
		XLabel: "x / nm", YLabel: "F / kT",
		Quality: &figure.Quality{ESS: 0.8, KHat: 0.2, KThreshold: 0.7, Reliable: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := png.DecodeConfig(bytes.NewReader(p.PNG))
	fmt.Println(c.Width, c.Height, err)
	// Output: 1020 836 <nil>
}

// A free energy over a distance, shown in Å, and a dihedral, shown in degrees.
func ExampleFreeEnergyMaps() {
	p, err := figure.FreeEnergyMaps([]figure.Map{{
		Title: "harmonic bond, threefold torsion",
		F: func(d, phi float64) float64 {
			return 2e4*(d-0.15)*(d-0.15) + 6*(1+math.Cos(3*phi))
		},
	}}, figure.MapOptions{
		XLabel: "distance, Å", XMin: 0.12, XMax: 0.18, XScale: 10,
		YLabel: "φ, degrees", YCircle: true,
		Top: 24, Unit: "kJ/mol",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := png.DecodeConfig(bytes.NewReader(p.PNG))
	fmt.Println(c.Width, c.Height, err)
	// Output: 1020 877 <nil>
}
