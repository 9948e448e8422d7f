package cost_test

import (
	"fmt"

	"github.com/cgbg-go/lab/cgbg/cost"
)

// A step of training that took 10, 12 and 11 ms is scaled to the published training of a potential.
func ExampleTiming() {
	step := cost.Timing{0.010, 0.012, 0.011}
	fmt.Println("ms a step:", step.Times(1000))
	fmt.Println("hours in all:", (&cost.MACE{Mapping: "cb", Step: step}).TrainHours())
	// Output:
	// ms a step: 11.0 (10.0–12.0)
	// hours in all: 1.34 (1.22–1.46)
}
