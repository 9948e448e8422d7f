package units

import (
	"fmt"
	"math"
	"testing"
)

// The molar gas constant, CODATA 2018: 8.314462618… J/mol/K, exact.
func TestKB(t *testing.T) {
	if want := 8.31446261815324e-3; math.Abs(KB-want) > 1e-15 {
		t.Errorf("got %.17g, want %.17g", KB, want)
	}
}

func ExampleKT() {
	fmt.Printf("%.3f kJ/mol\n", KT(300))
	// Output: 2.494 kJ/mol
}
