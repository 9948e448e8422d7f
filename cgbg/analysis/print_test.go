package analysis

import (
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// What is known of samples is told, and nothing else.
func TestPrintFidelity(t *testing.T) {
	at := func(v float64) reweight.Estimate { return reweight.Estimate{Value: v, Error: 0.01} }
	full := reweight.Fidelity{N: 100, Centres: 3, WrongHand: at(0.52), NoWeight: at(0.02), Bonds: 11, Angles: 13,
		BondWidthBefore: at(3.1), BondWidth: at(1.02), AngleWidthBefore: at(2.2)}
	for _, c := range []struct {
		name      string
		f         reweight.Fidelity
		want, not []string
	}{
		{"all", full, []string{"52 % ± 1 % of the samples have a wrong hand (chiral centres: 3)",
			"2 % ± 1 % have no weight for another reason",
			"bonds 3.1 ± 0.01 (weighted 1.02 ± 0.01), angles 2.2 ± 0.01\n"}, nil},
		{"nothing", reweight.Fidelity{}, nil, []string{"lost", "widths"}},
		{"no centres", reweight.Fidelity{N: 10, Bonds: 2, BondWidthBefore: at(1)},
			[]string{"mirror image", "bonds 1 ± 0.01\n"}, []string{"weighted", "angles", "wrong hand"}},
		{"an old card", reweight.Fidelity{N: 10, Centres: 1}, []string{"0 % ± 0 % of the samples"}, []string{"widths"}},
	} {
		var text strings.Builder
		PrintFidelity(&text, c.f)
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: got %q, want %q in it", c.name, text.String(), want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(text.String(), not) {
				t.Errorf("%s: got %q, with %q", c.name, text.String(), not)
			}
		}
	}
}
