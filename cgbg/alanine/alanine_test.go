package alanine

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/cgbg-go/lab/cgbg"
)

// Every target and map has its simulations, models and samples, the test-bed its curves, all of the same beads, and a
// reference of its own.
func TestOptions(t *testing.T) {
	var references []float64
	for _, target := range Targets {
		for _, m := range Maps {
			in, err := options("", "small", 1, target, m)
			if err != nil {
				t.Fatal(err)
			}
			beads := map[string]int{"ha": 10, "cb": 6}[m]
			for _, of := range []string{cgbg.Unbiased, cgbg.Biased} {
				for what, get := range map[string]load{"flow": in.FlowFrames[of], "pmf": in.ForceFrames[of]} {
					f, meta, err := get()
					if err != nil {
						t.Fatal(err)
					}
					if f.Beads != beads || f.F == nil || meta.Temperature != 300 ||
						(of == cgbg.Biased) != (f.LogW != nil) {
						t.Errorf("%s/%s, %s, %s: %d beads, forces %v, weights %v, %g K", target, m, what, of, f.Beads,
							f.F != nil, f.LogW != nil, meta.Temperature)
					}
					if _, err := fs.Stat(in.Models, in.Prefix+"_"+what+"_"+of+".npz"); err != nil {
						t.Error(err)
					}
				}
				if _, err := fs.Stat(in.Models, in.Prefix+"_samples_"+of+".arrow"); err != nil {
					t.Error(err)
				}
			}
			for _, kind := range []string{"flow", "pmf"} {
				if _, err := fs.Stat(in.Models, in.Prefix+"_curve_"+kind+".json"); target == "obc2" && err != nil {
					t.Error(err)
				}
			}
			references = append(references, in.Reference.Split().Value)
		}
	}
	if references[0] != references[1] || references[2] != references[3] || references[0] == references[2] {
		t.Errorf("P(φ > 0) of the references: %v", references)
	}
	for _, bad := range [][2]string{{"vacuum", "ha"}, {"obc2", "aa"}} {
		if _, err := Open("small", 1, t.TempDir(), false, bad[0], bad[1]); err == nil ||
			!strings.Contains(err.Error(), bad[0]+"/"+bad[1]) {
			t.Errorf("%v: got %v", bad, err)
		}
	}
	if _, err := Reference("small", 1, "vacuum"); err == nil {
		t.Error("a reference in vacuum: got no error")
	}
}
