package analysis

import (
	"errors"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Scored is scores with the floor of a perfect model.
type Scored struct {
	Scores, Floor observable.Scores
}

// Comparison is how far a set is from a reference on the histograms of the question's groups of variables.
type Comparison struct {
	Name   string
	Groups []Scored // of the question's groups
	Out    *Scored  // of the first group given that the split state is left out, where short simulations are comparable
	N      int

	question *Question
}

// All is the scores of the question's first group.
func (c *Comparison) All() Scored { return c.Groups[0] }

// Compare scores a set against a reference, on the reference's axes. The floors add what the frames of the reference
// and those of the set cost a perfect model, each extrapolated from its own parts (observable.FloorPerfect).
// Scores and floors are NaN where a set, or a part of it, has no weight.
// Errors: those of observable.Score and FloorPerfect.
func Compare(seed int, model, reference *Set) (*Comparison, error) {
	return compare(seed, model, reference, len(reference.Question.Scored))
}

// compare is Compare on so many of the question's groups at most.
func compare(seed int, model, reference *Set, groups int) (*Comparison, error) {
	rng := Rng(seed, streamComparison)
	q := reference.Question
	c := &Comparison{Name: model.Name, N: model.Len(), question: q}
	score := func(m, r *Set, g Group) (Scored, error) {
		s, err := scored(m.Points(r.Axes, g.Variables...), r.Points(r.Axes, g.Variables...), rng)
		if err != nil {
			err = fmt.Errorf("analysis: %s against %s: %w", model.Name, reference.Name, err)
		}
		return s, err
	}
	for k, g := range q.Scored[:min(groups, len(q.Scored))] {
		s, err := score(model, reference, g)
		if err != nil {
			return nil, err
		}
		c.Groups = append(c.Groups, s)
		if k > 0 || q.Split == nil {
			continue
		}
		out, err := score(model.Outside(), reference.Outside(), g)
		if err != nil {
			return nil, err
		}
		c.Out = &out
	}
	return c, nil
}

// Score scores a set against a reference on the question's first group, with the floors of Compare.
// Errors: those of Compare.
func Score(seed int, model, reference *Set) (Scored, error) {
	return scored(reference.Main(model), reference.Main(reference), Rng(seed, streamComparison))
}

func scored(model, reference observable.Points, rng random) (s Scored, err error) {
	s.Scores, err = observable.Score(model, reference, observable.Resampling{Resamples: Bootstraps, Rng: rng})
	if errors.Is(err, observable.ErrNoMass) {
		return Scored{unknown(), unknown()}, nil
	}
	if err != nil {
		return s, err
	}
	for k, t := range []observable.Points{model, reference} {
		floor, err := observable.FloorPerfect(t, FloorRepeats, observable.Resampling{Rng: rng})
		if k == 0 && errors.Is(err, observable.ErrNoMass) { // one sample has the weight of all
			floor, err = observable.FloorReference(reference, 1, FloorRepeats, rng)
			s.Scores.JS.Error = max(s.Scores.JS.Error, floor.JS.Error)
			s.Scores.PMFError.Error = max(s.Scores.PMFError.Error, floor.PMFError.Error)
		}
		if errors.Is(err, observable.ErrNoMass) {
			floor, err = unknown(), nil
		}
		if err != nil {
			return s, err
		}
		s.Floor.JS.Value += floor.JS.Value
		s.Floor.PMFError.Value += floor.PMFError.Value
	}
	// Strangers score ln 2; the sum of what few samples and few frames cost can be more.
	s.Floor.JS.Value = min(s.Floor.JS.Value, math.Ln2)
	return s, nil
}

// unknown are scores of a set, or a part of one, without weight.
func unknown() observable.Scores {
	none := reweight.Estimate{Value: math.NaN(), Error: math.NaN()}
	return observable.Scores{JS: none, PMFError: none}
}

// Outside is the set with no weight in the split state; frames keep their places, and so their blocks of time.
func (s *Set) Outside() *Set {
	out := *s
	out.Weight = make([]float64, s.Len())
	for i := range out.Weight {
		if s.sideOf(i) == 0 {
			out.Weight[i] = s.weight(i)
		}
	}
	return &out
}

// Results are the scores under the names of results.json.
func (c *Comparison) Results() []result.Result {
	return result.Behind(c.Name, c.results("", c.N))
}

// results are the scores with a suffix to the names of the first group.
func (c *Comparison) results(suffix string, n int) (list []result.Result) {
	for k, s := range c.Groups {
		prefix := ""
		if name := c.question.Scored[k].Name; name != "" {
			prefix = name + "/"
		}
		list = append(list, s.Results(prefix, suffix, n)...)
		if k == 0 && c.Out != nil {
			list = append(list, c.Out.Results(prefix, suffix+"_"+c.question.Split.Out, n)...)
		}
	}
	return list
}

// Results are the scores under names with a prefix and a suffix; n: samples they rest on.
func (s Scored) Results(prefix, suffix string, n int) []result.Result {
	return []result.Result{
		result.New(prefix+"js"+suffix, s.Scores.JS.Value, s.Scores.JS.Error, s.Floor.JS.Value, "nat", n),
		result.New(prefix+"pmf_error"+suffix, s.Scores.PMFError.Value, s.Scores.PMFError.Error, s.Floor.PMFError.Value,
			"(kT)²", n),
	}
}
