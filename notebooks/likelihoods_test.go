package notebooks

import (
	"fmt"
	"testing"
)

// TestLikelihoods: training helps, our way to ln q is more precise than the published one with
// fewer divergences, what a draw says of its errors holds, and round trips end where they began.
func TestLikelihoods(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a notebook")
	}
	r := asProgram(t, "05_flows_and_likelihoods.ipynb")
	value := func(name string) float64 {
		v, ok := r[name].Value.(float64)
		if !ok {
			t.Errorf("%s: got %v", name, r[name].Value)
		}
		return v
	}
	for _, name := range []string{"cb/learning/1/nll", "cb/learning/2/nll", "cb/fields/published/nll",
		"cb/fields/equal_steps/nll", "cb/certificate/share_inside"} {
		if e, ok := r[name].Error.(float64); !ok || !(e > 0) {
			t.Errorf("%s: got an error of %v", name, r[name].Error)
		}
	}
	within(t, r, "cb/learning/2/nll", -20, value("cb/learning/1/nll"))
	within(t, r, "cb/fields/equal_steps/nll", -20, value("cb/fields/published/nll"))
	last := 1.0
	for _, tol := range []string{"1e-03", "1e-04", "1e-05", "1e-06"} {
		within(t, r, fmt.Sprintf("cb/logq/joint_%s/error_rms", tol), 0, last)
		last = value(fmt.Sprintf("cb/logq/joint_%s/error_rms", tol))
	}
	within(t, r, "cb/logq/apart_33/error_rms", 0, value("cb/logq/joint_1e-03/error_rms"))
	within(t, r, "cb/logq/apart_33/divergences", 33, value("cb/logq/joint_1e-03/divergences"))
	e, _ := r["cb/certificate/share_inside"].Error.(float64)
	within(t, r, "cb/certificate/share_inside", 0.99-3*e, 1) // from 16 checks, which may miss the tail
	within(t, r, "cb/certificate/bound", 1e-6, 0.1)
	within(t, r, "cb/round_trip/r_max", 0, 1e-3)
	within(t, r, "cb/round_trip/logq_max_same_path", 0, 0.05)
	within(t, r, "seconds", 1, 3600)
}
