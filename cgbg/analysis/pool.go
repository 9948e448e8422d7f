package analysis

import (
	"fmt"
	"math"
	"slices"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Pool puts simulations of one molecule into one set, for a reference that uses all of them. crossing are those that
// go into the question's split state and back often: they decide how much weight it has, and all that is there.
// others add to the rest only, where every one has equilibrated. A set counts by the time of its effective frames
// (Kish's).
//
// The error of the split state's population is that from blocks of time, or that from the differences between the
// crossing sets where it is larger: a bias that still changed while a set was made shows in the latter only.
// Errors: no crossing set, another temperature, a set without weight out of the state.
func Pool(seed int, name, title string, crossing, others []*Set) (*Set, error) {
	s, err := pool(name, title, crossing, others)
	if err != nil {
		return nil, err
	}
	up, k := s.Split(), s.Question.Split.State
	err = s.measure(seed)
	s.Populations[k] = up
	return s, err
}

// pool is the pooled set without its Floor, and with the split state's population alone.
func pool(name, title string, crossing, others []*Set) (*Set, error) {
	if len(crossing) == 0 || crossing[0].Question.Split == nil {
		return nil, fmt.Errorf("analysis: pooling %s: no set that crosses into the state", name)
	}
	sets := slices.Concat(crossing, others)
	first := crossing[0]
	s := &Set{Name: name, Title: title, Question: first.Question, KT: first.KT, Stride: first.Stride,
		Axes: make([]observable.Axis, len(first.Axes)), Values: make([][]float64, len(first.Values)),
		In: make([][]bool, len(first.In)), Populations: make([]reweight.Estimate, len(first.In))}
	var time [2]float64 // of the sets that count out of the state and in it
	for k, set := range sets {
		if set.KT != s.KT || set.time(0) == 0 {
			return nil, fmt.Errorf("analysis: pooling %s: %s is at another temperature or has no weight at %s",
				name, set.Name, s.Question.Split.Out)
		}
		time[0] += set.time(0)
		if k < len(crossing) {
			time[1] += set.time(1)
		}
	}
	up, beyond := pooledPopulation(crossing)
	variance := 0.0
	for k, set := range sets {
		mass := [2]float64{(1 - up.Value) * set.time(0) / time[0]}
		if k < len(crossing) && time[1] > 0 {
			mass[1] = up.Value * set.time(1) / time[1]
		}
		s.add(set, mass)
		variance += mass[0] * mass[0] / set.Effective
	}
	for k, v := range s.Question.Variables { // the first set may not reach as far as others
		var err error
		if s.Axes[k], err = v.Axis(scoreBins, s.Values[k]); err != nil {
			return nil, fmt.Errorf("analysis: pooling %s: %w", name, err)
		}
	}
	n := float64(s.Len())
	s.WeightESS, s.Effective = kish(s.Weight)/n, 1/variance
	s.Correlated = n * s.WeightESS / s.Effective
	s.Populations[s.Question.Split.State], s.Beyond = up, beyond
	return s, nil
}

// add appends a set, its weights scaled to sums of mass out of the split state and in it.
func (s *Set) add(set *Set, mass [2]float64) {
	for k := range mass {
		if sum := sum(set.side(k)); sum > 0 {
			mass[k] /= sum
		}
	}
	s.n += set.Len()
	for i := range set.Len() {
		s.Weight = append(s.Weight, mass[set.sideOf(i)]*set.weight(i))
	}
	for k := range s.Values {
		s.Values[k] = append(s.Values[k], set.Values[k]...)
	}
	for k := range s.In {
		s.In[k] = append(s.In[k], set.In[k]...)
	}
	s.Block = max(s.Block, set.Block)
}

// pooledPopulation is the split state's of several sets, and how much of its relative error blocks of time do not see.
func pooledPopulation(sets []*Set) (e reweight.Estimate, beyond float64) {
	total := 0.0
	for _, s := range sets {
		total += s.time(0) + s.time(1)
	}
	for _, s := range sets {
		e.Value += (s.time(0) + s.time(1)) / total * s.Split().Value
	}
	var within, between float64
	for _, s := range sets {
		share := (s.time(0) + s.time(1)) / total
		within += math.Pow(share*s.Split().Error, 2)
		between += share * math.Pow(s.Split().Value-e.Value, 2) / math.Max(1, float64(len(sets)-1))
	}
	e.Error = math.Sqrt(max(within, between))
	if e.Value == 0 {
		return e, 0
	}
	return e, math.Sqrt(max(0, between-within)) / e.Value
}

// sideOf is 1 of a frame in the split state, and 0 of others.
func (s *Set) sideOf(i int) int {
	if s.In[s.Question.Split.State][i] {
		return 1
	}
	return 0
}

// side is the weights of the frames on one side.
func (s *Set) side(k int) (w []float64) {
	for i := range s.Len() {
		if s.sideOf(i) == k {
			w = append(w, s.weight(i))
		}
	}
	return w
}

// time is that of the effective frames on one side, ps.
func (s *Set) time(k int) float64 { return s.Stride * kish(s.side(k)) }

func sum(w []float64) (s float64) {
	for _, v := range w {
		s += v
	}
	return s
}

// kish is the effective number of weighted samples, (Σw)²/Σw²; 0 of none.
func kish(w []float64) float64 {
	squares := 0.0
	for _, v := range w {
		squares += v * v
	}
	if squares == 0 {
		return 0
	}
	return sum(w) * sum(w) / squares
}
