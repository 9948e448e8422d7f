package main

import (
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg/reweight"
)

// A tail that cannot be fitted has no numbers.
func TestKHat(t *testing.T) {
	few, many := reweight.Summarize([]float64{0, 1, 2}), &reweight.Summary{KHat: 0.5, KHatError: 0.1, KThreshold: 0.7}
	if got := khat(&few); strings.Contains(got, "Inf") || strings.Contains(got, "NaN") {
		t.Errorf("got %q", got)
	}
	if got, want := khat(many), "Pareto k̂ 0.50 ± 0.10 (below 0.70 is reliable)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
