package analysis

import (
	"math"
	"testing"
)

// Two potentials a constant apart agree. Two that are x above and below their mean spread by √2 x, counted by weight;
// a sample without weight says nothing, however far apart they are.
func TestDisagree(t *testing.T) {
	const kT = 2.5
	logw := []float64{math.Log(1), math.Log(2), math.Log(5), math.Inf(-1)}
	mean, x := []float64{3, -4, 8, 1}, []float64{1, -1, 4, -4}
	a, b, shifted := make([]float64, 4), make([]float64, 4), make([]float64, 4)
	for i := range mean {
		a[i], b[i], shifted[i] = mean[i]+x[i]+7, mean[i]-x[i]-9, mean[i]+x[i]+1000
	}
	d, err := Disagree([][]float64{a, b}, logw, kT)
	if err != nil {
		t.Fatal(err)
	}
	// The mean of x is zero. Spreads are √2 (1, 1, 4, 4) kJ/mol; the third is beyond 2 kT = 5 kJ/mol.
	if want := math.Sqrt((2*1+2*2+2*16*5)/8.) / kT; math.Abs(d.Spread-want) > 1e-12 {
		t.Errorf("spread: got %.15g kT, want %.15g", d.Spread, want)
	}
	if d.Members != 2 || math.Abs(d.Beyond-5./8) > 1e-12 {
		t.Errorf("got %+v, want two members and 0.625 of the weight beyond", d)
	}
	if d, err = Disagree([][]float64{a, shifted, a}, logw, kT); err != nil || d.Members != 3 || d.Spread > 1e-12 ||
		d.Beyond != 0 {
		t.Errorf("a constant apart: got %+v, %v", d, err)
	}
	if _, err = Disagree([][]float64{a, b}, []float64{math.NaN(), 0, 0, 0}, kT); err == nil {
		t.Error("a weight that is no number: got no error")
	}
}
