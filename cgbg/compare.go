package cgbg

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Scored is scores with the floor of a perfect model.
type Scored struct {
	Scores, Floor observable.Scores
}

// Comparison is how far a set is from a reference on the histogram of (φ, ψ).
type Comparison struct {
	Name string
	All  Scored
	Left Scored // of the distributions given φ < 0, where short simulations are comparable: crossings are rare
	N    int
}

// Compare scores a set against a reference. The floors add what the frames of the reference and those of the set cost a
// perfect model, each extrapolated from its own parts (observable.FloorPerfect).
// Scores and floors are NaN where a set, or a part of it, has no weight.
// Errors: those of ScoreTorus and FloorPerfect.
func Compare(seed int, model, reference *Dataset) (*Comparison, error) {
	rng := rand.New(rand.NewPCG(uint64(seed), streamEvaluate+2))
	c := &Comparison{Name: model.Name, N: len(model.Dihedrals.Phi)}
	var err error
	if c.All, err = scored(model.Dihedrals, reference.Dihedrals, rng); err == nil {
		c.Left, err = scored(model.left(), reference.left(), rng)
	}
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s against %s: %w", model.Name, reference.Name, err)
	}
	return c, nil
}

func scored(model, reference observable.Torus, rng *rand.Rand) (s Scored, err error) {
	s.Scores, err = observable.ScoreTorus(model, reference, observable.Resampling{Resamples: bootstraps, Rng: rng})
	if errors.Is(err, observable.ErrNoMass) {
		return Scored{unknown(), unknown()}, nil
	}
	if err != nil {
		return s, err
	}
	for _, t := range []observable.Torus{model, reference} {
		floor, err := observable.FloorPerfect(t, floorRepeats, observable.Resampling{Rng: rng})
		if errors.Is(err, observable.ErrNoMass) { // weights so uneven that a part of the set has none
			floor, err = unknown(), nil
		}
		if err != nil {
			return s, err
		}
		s.Floor.JS.Value += floor.JS.Value
		s.Floor.PMFError.Value += floor.PMFError.Value
	}
	s.Floor.JS.Value = min(s.Floor.JS.Value, math.Ln2) // of strangers; the sum of what few samples and few frames cost can be more
	return s, nil
}

// unknown are scores of a set, or a part of one, without weight.
func unknown() observable.Scores {
	none := reweight.Estimate{Value: math.NaN(), Error: math.NaN()}
	return observable.Scores{JS: none, PMFError: none}
}

// left is the set with no weight at φ > 0; frames keep their places, and so their blocks of time.
func (d *Dataset) left() observable.Torus {
	t := d.Dihedrals
	t.Weight = make([]float64, len(t.Phi))
	for i, phi := range t.Phi {
		if sideOf(phi) == 0 {
			t.Weight[i] = d.weight(i)
		}
	}
	return t
}

// Results are the scores under the names of results.json.
func (c *Comparison) Results() []Result {
	var out []Result
	for suffix, s := range []Scored{c.All, c.Left} {
		given := []string{"", "_phi_lt_0"}[suffix]
		out = append(out, scoreResult(c.Name+"/js"+given, s.Scores.JS, s.Floor.JS, "nat", c.N),
			scoreResult(c.Name+"/pmf_error"+given, s.Scores.PMFError, s.Floor.PMFError, "(kT)²", c.N))
	}
	return out
}
