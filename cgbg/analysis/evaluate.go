package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
)

// Evaluation is what weighted samples of a generator say, held against a simulation where there is one.
type Evaluation struct {
	Name                      string // before the names of results
	Reference                 *Set   // nil: there is none, and Before, After and AfterClips are nil, too
	Proposal, Samples         *Set   // samples as they came, and weighted
	Clip                      *Set   // weighted without the largest 1 % of the weights, as published
	Before, After, AfterClips *Comparison
	Means                     []reweight.Estimate // of the question's variables by the weighted samples, internal units
	Weights                   reweight.Summary
	Notes                     []string  // what else a reader should know of the comparison
	LogW                      []float64 // [n], unnormalised
	Seed                      int       // of the bootstrap
}

// KeyCoverage is where the description of samples has how much of another simulation they reach, see
// [reweight.Coverage].
const KeyCoverage = "coverage"

// ErrNoWeights reports samples that nobody has weighed.
var ErrNoWeights = errors.New("samples without log-weights (column logw): draw them with a potential " +
	"(\"cgbg sample -pmf\"), or weigh them (\"cgbg reweight\")")

// Evaluate asks samples with log-weights a question, and scores them against a reference that was asked the same, of
// other beads maybe; nil: there is none. Variables and states at the question's end that the reference was not asked
// are not scored.
//
// Errors: samples without weights, or of another temperature; those of NewSet and Compare.
func Evaluate(name string, seed int, q *Question, samples *data.Frames, meta data.Meta,
	reference *Set) (*Evaluation, error) {
	if samples.LogW == nil {
		return nil, fmt.Errorf("analysis: %s: %w", meta.Source, ErrNoWeights)
	}
	kT := units.KT(meta.Temperature)
	if !(kT > 0) || math.IsInf(kT, 0) { // else kT would be 0, and so may be the reference's
		return nil, fmt.Errorf("analysis: %s: the temperature is not known", cmp.Or(meta.Source, name))
	}
	if reference != nil && math.Abs(kT-reference.KT) > 1e-6*reference.KT {
		return nil, fmt.Errorf("analysis: %s: samples at kT = %.4f kJ/mol, but %s is at %.4f", name, kT, reference.Name,
			reference.KT)
	}
	like, err := topology.FidelityOf(samples, meta)
	if err != nil {
		return nil, err
	}
	missed, err := reweight.CoverageOf(meta.Extra[KeyCoverage])
	if err != nil {
		return nil, fmt.Errorf("analysis: %s: key %s: %w", meta.Source, KeyCoverage, err)
	}
	e := &Evaluation{Name: name, Reference: reference, LogW: samples.LogW, Seed: seed,
		Weights: reweight.Summarize(samples.LogW).With(like).WithCoverage(missed)}
	clipped, err := reweight.Clip(samples.LogW, reweight.PaperClip)
	if err != nil {
		return nil, fmt.Errorf("analysis: %s: %w", name, err)
	}
	for _, c := range []struct {
		title  string
		logw   []float64
		set    **Set
		score  **Comparison
		groups int // that are scored, at most
	}{
		{"flow", nil, &e.Proposal, &e.Before, 1},
		{"flow, reweighted", samples.LogW, &e.Samples, &e.After, len(q.Scored)},
		{"flow, clipped", clipped, &e.Clip, &e.AfterClips, 1},
	} {
		set, err := weightedSet(q, Options{Name: name, Seed: seed}, samples, c.logw, meta)
		if err != nil {
			return nil, err
		}
		set.Title, *c.set = c.title, set
		set.Block = 1 // samples are independent
		if reference == nil {
			continue
		}
		if *c.score, err = compare(seed, set, reference, c.groups); err != nil {
			return nil, err
		}
	}
	for k, state := range q.States {
		visited := slices.Contains(e.Samples.In[k], true)
		if reference != nil && k < len(reference.In) {
			visited = visited || slices.Contains(reference.In[k], true)
		}
		if !visited {
			e.Notes = append(e.Notes, fmt.Sprintf("no frame is in the state %s: text has degrees and nm", state.Name))
		}
	}
	e.Means, err = e.Samples.means(seed)
	return e, err
}

// means are those of the variables, on circles that of the direction, with their errors from blocks.
func (s *Set) means(seed int) (list []reweight.Estimate, err error) {
	rng := Rng(seed, streamMeans)
	for k, v := range s.Question.Variables {
		m, err := observable.Mean(s.Values[k], s.Weight, v.Period, s.resampling(rng))
		if err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", s.Name, err)
		}
		if s.Effective < 2 { // resamples of one sample do not scatter: it is anywhere that the others are
			m.Error = max(m.Error, spread(s.Values[k], v.Period))
		}
		list = append(list, m)
	}
	return list, nil
}

// spread is the standard deviation of the values that are finite, of an angle that of the least turns from the first.
func spread(x []float64, period float64) float64 {
	var list []float64
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		if period > 0 {
			v = math.Remainder(v-x[0], period)
		}
		list = append(list, v)
	}
	return stat.StdDev(list, nil)
}

// Results are the numbers under the names of results.json: scores, populations, means, what grades the weights, and
// the verdict, behind the evaluation's name.
func (e *Evaluation) Results() []result.Result {
	n, q := e.Weights.N, e.Samples.Question
	var list []result.Result
	if e.Reference != nil {
		list = append(list, e.After.results("", n)...)
		list = append(list, e.Before.results("_before", n)...)
		list = append(list, e.AfterClips.results("_clipped", n)...)
	}
	if split := q.Split; split != nil {
		list = append(list, result.New(split.In, e.Samples.Split().Value, e.Samples.Split().Error, result.None, "", n))
		if r := e.Reference; r != nil {
			list = append(list, result.New(split.In+"_reference", r.Split().Value, r.Split().Error, result.None, "",
				r.Len()))
		}
	}
	for k, state := range q.States {
		name, p := "population/"+state.Name, e.Samples.Populations[k]
		list = append(list, result.New(name, p.Value, p.Error, result.None, "", n))
		if r := e.Reference; r != nil && k < len(r.Populations) {
			list = append(list, result.New(name+"_reference", r.Populations[k].Value, r.Populations[k].Error,
				result.None, "", r.Len()))
		}
	}
	for k, v := range q.Variables {
		m := e.Means[k]
		list = append(list, result.New(v.Name+"/mean", m.Value*v.Scale, m.Error*v.Scale, result.None, v.Unit, n))
	}
	list = append(list, weightNumbers(e.Weights)...)
	return result.Behind(e.Name, append(list, result.Words("verdict", e.Verdict())))
}

// Profiles draws the free energies along the question's variables: reference, samples as they came and weighted.
func (e *Evaluation) Profiles() (figure.Picture, error) {
	return ProfileFigure(Quality(e.Weights), 30, Rng(e.Seed, streamEvaluation), e.curves()...)
}

func (e *Evaluation) curves() (list []Curve) {
	if e.Reference != nil {
		list = append(list, Curve{Set: e.Reference, Role: figure.Simulation})
	}
	return append(list, Curve{Set: e.Proposal, Role: figure.Before}, Curve{Set: e.Samples, Role: figure.After})
}

// Maps draws the free energies over two variables: reference, samples as they came and weighted.
func (e *Evaluation) Maps() (figure.Picture, error) {
	var sets []*Set
	for _, c := range e.curves() {
		sets = append(sets, c.Set)
	}
	return Maps(sets...)
}

// weightFigure draws the histogram of the log-weights.
func (e *Evaluation) weightFigure() (figure.Picture, error) {
	return figure.WeightHistogram(e.LogW, Quality(e.Weights))
}

// FileName is that of one of the evaluation's figures among others'.
func (e *Evaluation) FileName(what string) string {
	return strings.ReplaceAll(e.Name, "/", "_") + "_" + what
}

// Figures are all pictures of the evaluation, under names that no other evaluation has.
func (e *Evaluation) Figures() ([]result.Figure, error) {
	list, err := e.Draw()
	for i := range list {
		list[i].Name = e.FileName(list[i].Name)
	}
	return list, err
}

// Draw draws profiles, maps and weights, under these names.
func (e *Evaluation) Draw() ([]result.Figure, error) {
	var list []result.Figure
	for _, d := range []struct {
		name, alt string
		draw      func() (figure.Picture, error)
	}{
		{"profiles", "free energies of simulation and flow before and after reweighting along the variables",
			e.Profiles},
		{"maps", "free energies over two variables: simulation, flow, and reweighted flow", e.Maps},
		{"weights", "histogram of the log-weights", e.weightFigure},
	} {
		q := e.curves()[0].Set.Question
		if d.name == "maps" && !q.twoDimensional() || d.name == "profiles" && len(q.Variables) == 0 {
			continue
		}
		p, err := d.draw()
		if err != nil {
			return nil, fmt.Errorf("analysis: %s: %s: %w", e.Name, d.name, err)
		}
		list = append(list, p.Named(d.name, d.alt))
	}
	return list, nil
}

// Words are the verdict.
func (e *Evaluation) Words() string { return e.Verdict() }

// Limits from which weighted samples count as far from the reference: JS divergences over the floor, and beyond it in
// standard errors.
const farOver, farErrors = 2, 5

// Verdict is that on the weights, and where the weighted samples are far from the reference all the same: weights tell
// how well the flow covers what the potential says, not whether that is right.
func (e *Evaluation) Verdict() string {
	text := e.Weights.Verdict
	if e.After == nil || e.Weights.Err != nil {
		return text
	}
	var far []string
	for k, s := range e.After.Groups {
		js, floor := s.Scores.JS, s.Floor.JS.Value
		if !(js.Value > farOver*floor && js.Value-floor > farErrors*js.Error) {
			continue
		}
		var names []string
		for _, v := range e.After.question.Scored[k].Variables {
			names = append(names, e.After.question.Variables[v].Name)
		}
		far = append(far, fmt.Sprintf("%s (JS %s nat, floor %.2g)", strings.Join(names, ", "),
			result.Measured{Value: js.Value, Error: js.Error}, floor))
	}
	if len(far) > 0 {
		text += "; but far from the reference in " + strings.Join(far, ", ") +
			": the potential is wrong, or the reference; train the potential longer or on more frames"
	}
	return text
}
