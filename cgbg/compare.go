package cgbg

import (
	"fmt"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/observable"
)

// Comparison is how far a set is from a reference on the histogram of (φ, ψ).
type Comparison struct {
	Name   string
	Scores observable.Scores
	Floor  observable.Scores // of a perfect model with as many frames as the set
	N      int
}

// Compare scores a set against a reference. The floor adds what the frames of the reference and those of the set cost a
// perfect model, each extrapolated from its own parts (observable.FloorPerfect).
// Errors: those of ScoreTorus and FloorPerfect.
func Compare(seed int, model, reference *Dataset) (*Comparison, error) {
	rng := rand.New(rand.NewPCG(uint64(seed), streamEvaluate+2))
	c := &Comparison{Name: model.Name, N: len(model.Dihedrals.Phi)}
	var err error
	if c.Scores, err = observable.ScoreTorus(model.Dihedrals, reference.Dihedrals, observable.Resampling{Resamples: bootstraps, Rng: rng}); err != nil {
		return nil, fmt.Errorf("cgbg: %s against %s: %w", model.Name, reference.Name, err)
	}
	for _, d := range []*Dataset{model, reference} {
		floor, err := observable.FloorPerfect(d.Dihedrals, floorRepeats, observable.Resampling{Rng: rng})
		if err != nil {
			return nil, fmt.Errorf("cgbg: %s: %w", d.Name, err)
		}
		c.Floor.JS.Value += floor.JS.Value
		c.Floor.PMFError.Value += floor.PMFError.Value
	}
	return c, nil
}

// Results are the scores under the names of results.json.
func (c *Comparison) Results() []Result {
	return []Result{
		scoreResult(c.Name+"/js", c.Scores.JS, c.Floor.JS, "nat", c.N),
		scoreResult(c.Name+"/pmf_error", c.Scores.PMFError, c.Floor.PMFError, "(kT)²", c.N),
	}
}
