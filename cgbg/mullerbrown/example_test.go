package mullerbrown_test

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/mullerbrown"
)

// The exact free energy of x and its slope.
func Example() {
	for _, x := range []float64{23, 32, 42} {
		c := mullerbrown.At(x)
		fmt.Printf("x = %.0f: U = %.4f kT, F = %+.4f\n", x, c.U, c.F)
	}
	// Output:
	// x = 23: U = -13.7730 kT, F = +0.0081
	// x = 32: U = -8.4907 kT, F = +0.0289
	// x = 42: U = -10.2205 kT, F = -0.0656
}

// A short run under the umbrella, thinned to a training set; the same on every machine and any number of threads.
func ExampleLangevin_Run() {
	sim := mullerbrown.Default()
	sim.Trajectories, sim.Steps, sim.BurnIn, sim.Biased = 4, 10_000, 1000, true
	data, err := sim.Run(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	train, err := data.Random(500, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(data.Frames(), "frames,", len(train.X), "kept")
	// Output: 4000 frames, 500 kept
}

// Both sides of Eq. 14 for a potential that is off by a tenth of a kT.
func ExampleProp1Func() {
	b, err := mullerbrown.LogSobolev(mullerbrown.FreeEnergy, mullerbrown.DomainLo, mullerbrown.DomainHi)
	if err != nil {
		fmt.Println(err)
		return
	}
	tilted := func(x float64) float64 { return mullerbrown.FreeEnergy(x) + 0.01*x }
	force := func(x float64) float64 { return mullerbrown.MeanForce(x) - 0.01 }
	d, err := mullerbrown.Prop1Func(tilted, force, mullerbrown.DomainLo, mullerbrown.DomainHi, b.Rho)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("rho between %.2e and %.2e; KL %.1e <= %.1e\n", b.Rho, b.Upper, d.KL, d.Bound)
	// Output: rho between 3.73e-04 and 1.95e-03; KL 7.5e-04 <= 1.3e-01
}
