package analysis

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Set is frames seen through a question: what they say about equilibrium, and how sure that is.
type Set struct {
	Name     string // in results
	Title    string // in figures
	Question *Question
	Values   [][]float64       // of the question's variables, [variables][n], rad, nm
	Axes     []observable.Axis // of the variables' histograms
	In       [][]bool          // which frames are in the question's states, [states][n]
	Weight   []float64         // of any scale, [n]; nil for one each
	Block    int               // consecutive frames that stay together for errors
	KT       float64           // kJ/mol
	Stride   float64           // ps
	n        int               // frames

	WeightESS   float64             // Kish's fraction of the weights; 1 without any
	Correlated  float64             // statistical inefficiency of the slowest variable, frames
	Effective   float64             // frames: Kish's, over the statistical inefficiency
	Populations []reweight.Estimate // of the question's states; of no visit, with an error of one effective frame
	Beyond      float64             // relative error of the split state's population that blocks do not see ([Pool])
	Floor       observable.Scores   // of the first group: the halves of the set against each other
}

// minDataBlocks is the least number of blocks that errors are made from.
const minDataBlocks = 20

// BlockLength is that of blocks of n frames with a statistical inefficiency g: twice that, and at most a twentieth
// of the frames.
func BlockLength(g float64, n int) int { return max(1, min(int(2*g), n/minDataBlocks)) }

// Options of [NewSet].
type Options struct {
	Name  string
	Seed  int
	Every int // takes every so many frames; 0 or 1: all
}

// NewSet studies frames, with their log-weights where they have any. Blocks of the bootstrap are those of BlockLength.
//
// Errors: variables that the frames cannot tell, weights that cannot be used.
func NewSet(q *Question, o Options, f *data.Frames, m data.Meta) (*Set, error) {
	return weightedSet(q, o, f, f.LogW, m)
}

// weightedSet is NewSet with other log-weights, nil for none.
func weightedSet(q *Question, o Options, f *data.Frames, logw []float64, m data.Meta) (*Set, error) {
	s, err := newSet(q, o, f, logw, m)
	if err != nil {
		return nil, err
	}
	s.correlate(s.slowest())
	return s, s.measure(o.Seed)
}

// newSet is a set with some log-weights, or nil, before what takes long: correlate and measure.
func newSet(q *Question, o Options, f *data.Frames, logw []float64, m data.Meta) (*Set, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if o.Every > 1 {
		picked := data.EveryNth(f.Len(), o.Every)
		f = f.Pick(picked)
		if logw != nil {
			all := logw
			logw = nil
			for _, i := range picked {
				logw = append(logw, all[i])
			}
		}
		m.Stride *= float64(o.Every)
	}
	s := &Set{Name: o.Name, Title: strings.ReplaceAll(o.Name, "_", " "), Question: q,
		KT: units.KT(m.Temperature), Stride: m.Stride, n: f.Len(), WeightESS: 1}
	for _, v := range q.Variables {
		x, err := v.Of(f, m)
		if err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", o.Name, err)
		}
		a, err := v.Axis(scoreBins, x)
		if err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", o.Name, err)
		}
		s.Values, s.Axes = append(s.Values, x), append(s.Axes, a)
	}
	if logw != nil {
		var err error
		if s.Weight, err = reweight.Normalize(logw); err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", o.Name, err)
		}
		if s.WeightESS, err = reweight.ESS(logw); err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", o.Name, err)
		}
	}
	return s, s.enter()
}

// enter finds which frames are in which state.
func (s *Set) enter() error {
	values := map[string][]float64{}
	for k, v := range s.Question.Variables {
		values[v.Name] = s.Values[k]
	}
	s.In = nil
	for _, state := range s.Question.States {
		in, err := state.In(values)
		if err != nil {
			return fmt.Errorf("analysis: %s: %w", s.Name, err)
		}
		s.In = append(s.In, in)
	}
	return nil
}

// scoreBins is the number of bins along each variable that scores are of, as published for dihedrals.
const scoreBins = observable.TorusBins

// Len is the number of frames.
func (s *Set) Len() int { return s.n }

// Points are the values of one or two variables on given axes, those of a reference say.
func (s *Set) Points(axes []observable.Axis, variables ...int) observable.Points {
	p := observable.Points{Weight: s.Weight, Block: s.Block}
	for _, k := range variables {
		p.X, p.Axes = append(p.X, s.Values[k]), append(p.Axes, axes[k])
	}
	return p
}

// Main is a set, of samples say, in the variables of the question's first group, on the axes of this one.
func (s *Set) Main(of *Set) observable.Points {
	return of.Points(s.Axes, s.Question.Scored[0].Variables...)
}

// correlate sets what follows from the statistical inefficiency.
func (s *Set) correlate(inefficiency float64) {
	s.Correlated = inefficiency
	s.Effective = float64(s.Len()) * s.WeightESS / s.Correlated
	s.Block = BlockLength(s.Correlated, s.Len())
}

// measure sets Populations and Floor.
func (s *Set) measure(seed int) error {
	rng := Rng(seed, streamSet)
	if err := s.populate(rng); err != nil {
		return err
	}
	return s.scoreHalves(rng)
}

// resampling is the bootstrap of the set.
func (s *Set) resampling(rng random) observable.Resampling {
	return observable.Resampling{Resamples: Bootstraps, Block: s.Block, Rng: rng}
}

// scoreHalves sets Floor.
func (s *Set) scoreHalves(rng random) (err error) {
	if s.Floor = unknown(); len(s.Question.Scored) == 0 {
		return nil
	}
	s.Floor, err = observable.FloorHalves(s.Main(s), FloorRepeats, observable.Resampling{Rng: rng})
	if errors.Is(err, observable.ErrNoMass) { // weights so uneven that one half has none
		s.Floor, err = unknown(), nil
	}
	if err != nil {
		return fmt.Errorf("analysis: %s: %w", s.Name, err)
	}
	return nil
}

// populate sets Populations.
func (s *Set) populate(rng random) error {
	s.Populations = make([]reweight.Estimate, len(s.In))
	for k, in := range s.In {
		p, err := observable.Population(in, s.Weight, s.resampling(rng))
		if err != nil {
			return fmt.Errorf("analysis: %s: %w", s.Name, err)
		}
		if p.Value == 0 || p.Value == 1 { // resamples of no visit have none either
			p.Error = math.Min(1, 1/s.Effective)
		}
		s.Populations[k] = p
	}
	return nil
}

// estimate is a statistic of n frames, with its bootstrap error from blocks.
func estimate(n, block int, rng random, stat func(idx []int) float64) (reweight.Estimate, error) {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	sd, err := observable.Bootstrap(n, 1, observable.Resampling{Resamples: Bootstraps, Block: block, Rng: rng},
		func(idx []int, out []float64) { out[0] = stat(idx) })
	if err != nil {
		return reweight.Estimate{}, err
	}
	return reweight.Estimate{Value: stat(all), Error: sd[0]}, nil
}

// slowest is the statistical inefficiency of the slowest variable, frames.
func (s *Set) slowest() float64 {
	g := make([]float64, len(s.Values)+1)
	var wg sync.WaitGroup
	for k := range s.Values {
		wg.Go(func() {
			if g[k] = s.Points(s.Axes, k).Inefficiency(); math.IsNaN(g[k]) { // a column that is not finite everywhere
				g[k] = 1
			}
		})
	}
	wg.Wait()
	g[len(s.Values)] = 1
	return slices.Max(g)
}

func (s *Set) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}

// Split is the population of the question's split state.
func (s *Set) Split() reweight.Estimate { return s.Populations[s.Question.Split.State] }

// Results are the set's numbers under the names of results.json.
func (s *Set) Results() []result.Result {
	n := s.Len()
	var list []result.Result
	if split := s.Question.Split; split != nil {
		list = append(list, result.New(split.In, s.Split().Value, s.Split().Error, result.None, "", n))
	}
	list = append(list, result.New("frames_effective", s.Effective, result.None, result.None, "", n),
		result.New("js_floor", s.Floor.JS.Value, s.Floor.JS.Error, result.None, "nat", n),
		result.New("pmf_error_floor", s.Floor.PMFError.Value, s.Floor.PMFError.Error, result.None, "(kT)²", n))
	return result.Behind(s.Name, list)
}
