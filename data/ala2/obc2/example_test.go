package obc2_test

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/data/ala2/obc2"
)

// The population of φ > 0 from metadynamics, by its weights.
func ExampleMetad9Dihedrals() {
	frames, meta, err := obc2.Metad9Dihedrals()
	if err != nil {
		fmt.Println(err)
		return
	}
	var left, all float64
	for i, logw := range frames.LogW {
		w := math.Exp(logw)
		all += w
		if frames.R[2*i] > 0 {
			left += w
		}
	}
	fmt.Printf("%s: P(φ > 0) = %.3f\n", meta.System, left/all)
	// Output: Ac-Ala-NHMe: P(φ > 0) = 0.023
}
