package study

import (
	"context"
	"fmt"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/result"
)

// ForceTable is how well potentials predict the forces of several sets of frames.
type ForceTable struct {
	Name string // before the names of results
	Rows []ForceError
	Out  string // of the split state's complement and the state, in heads
	In   string
}

// CompareForces holds both potentials to the forces of sets of frames by forceErrors. Errors: those of that.
func CompareForces(ctx context.Context, g *cgbg.Generator, n int, sets map[string]analysis.Source,
	order []string) (*ForceTable, error) {
	rows, err := forceErrors(ctx, g, n, sets, order)
	split := g.Reference.Question.Split
	return &ForceTable{Name: g.Name + "/forces", Rows: rows, Out: split.Out, In: split.In}, err
}

// Table is a row for each set.
func (t *ForceTable) Table() result.Table {
	out := result.Table{Head: []string{"frames", "n", "PMF_U", "PMF_B", "noise at most", "U, " + t.Out, "B, " + t.Out,
		"U, " + t.In, "B, " + t.In}}
	short := func(x float64) string { return fmt.Sprintf("%.4g", x) }
	for _, e := range t.Rows {
		out.Row(e.Set, e.N, measured(e.U), measured(e.B), measured(e.Noise), short(e.Out[0]), short(e.Out[1]),
			short(e.In[0]), short(e.In[1]))
	}
	return out
}

// Results are the numbers under the names of results.json.
func (t *ForceTable) Results() (list []result.Result) {
	const unit = "(kJ/mol/nm)²"
	for _, e := range t.Rows {
		list = append(list, result.Behind(t.Name+"/"+e.Set, []result.Result{
			result.New("pmf_u", e.U.Value, e.U.Error, e.Noise.Value, unit, e.N),
			result.New("pmf_b", e.B.Value, e.B.Error, e.Noise.Value, unit, e.N),
		})...)
	}
	return list
}

// Table is a row for each member of the ensemble, and one for their mean.
func (r *EnsembleReport) Table() result.Table {
	t := result.Table{Head: []string{"potential", "ESS", r.Reference.Question.Split.Label}}
	for k, s := range r.Sets {
		t.Row(s.Title, fmt.Sprintf("%.3f", r.ESS[k]), measured(s.Split()))
	}
	t.Row("mean energy", result.Measured{Value: r.Weights.ESS, Error: r.Weights.ESSError}, measured(r.Mean.Split()))
	return t
}

// Figures are the profiles of the mean, with the spread of the members.
func (r *EnsembleReport) Figures() ([]result.Figure, error) {
	p, err := r.Profiles()
	return []result.Figure{p.Named("ensemble", fmt.Sprintf("free energies along the variables: reference, and the "+
		"mean of %d potentials with their spread", len(r.Sets)))}, err
}

// PotentialKinds are potentials of several kinds on the samples of one flow.
type PotentialKinds struct {
	names []string
	cards []*cgbg.Card
	list  []*analysis.Evaluation
}

// ComparePotentialKinds weighs the samples of a flow by the generator's potential of biased forces and by the published
// architecture, trained on the same frames. Errors: those of evaluateMACE.
func ComparePotentialKinds(ctx context.Context, g *cgbg.Generator, flowOf string, bar Bar) (*PotentialKinds, error) {
	own, err := g.Evaluate(ctx, flowOf, cgbg.Biased, nil)
	if err != nil {
		return nil, err
	}
	card, err := g.Card(ctx, cgbg.PMF, cgbg.Biased, nil)
	if err != nil {
		return nil, err
	}
	mace, maceCard, err := evaluateMACE(ctx, g, flowOf, bar.of("MACE"))
	return &PotentialKinds{[]string{cgbg.Invariant, "MACE"}, []*cgbg.Card{card, maceCard},
		[]*analysis.Evaluation{own, mace}}, err
}

// Table is a row for each kind.
func (p *PotentialKinds) Table() result.Table {
	t := result.Table{Head: []string{"potential", "steps", "held out", "ESS", "JS (floor), nat", "PMF error (floor)",
		""}}
	for k, e := range p.list {
		all := e.After.All()
		t.Head[6] = e.Reference.Question.Split.Label
		t.Row(p.names[k], p.cards[k].Steps, heldOut(p.cards[k]),
			result.Measured{Value: e.Weights.ESS, Error: e.Weights.ESSError},
			beside(all.Scores.JS, all.Floor.JS), beside(all.Scores.PMFError, all.Floor.PMFError), measured(e.Samples.Split()))
	}
	return t
}

// Results are the numbers of the published architecture.
func (p *PotentialKinds) Results() []result.Result { return p.list[len(p.list)-1].Results() }

// Figures are densities, profiles and maps of both potentials.
func (r *PotentialsReport) Figures() ([]result.Figure, error) {
	const drawn = " along the variables: reference, flow, and that flow reweighted by either potential"
	densities, err := r.Densities()
	if err != nil {
		return nil, err
	}
	profiles, err := r.Profiles()
	if err != nil {
		return nil, err
	}
	maps, err := r.Maps()
	return []result.Figure{
		densities.Named(r.fileName("densities"), r.Name+": probability densities"+drawn),
		profiles.Named(r.fileName("potentials"), r.Name+": free energies"+drawn),
		maps.Named(r.fileName("potential_maps"), r.Name+": free energies over two variables: reference, flow reweighted "+
			"by PMF_B, flow reweighted by PMF_U"),
	}, err
}

// fileName is that of one of the report's figures among others'.
func (r *PotentialsReport) fileName(what string) string {
	return strings.ReplaceAll(r.Name, "/", "_") + "_" + what
}

// Table is what either potential makes of the samples.
func (r *PotentialsReport) Table() result.Table {
	t := result.Table{Head: []string{"weighed by", "ESS", "Pareto k", "JS (floor), nat", "PMF error (floor)",
		r.U.Reference.Question.Split.Label, "verdict"}}
	for k, e := range []*analysis.Evaluation{r.U, r.B} {
		all := e.After.All()
		t.Row([]string{"PMF_U", "PMF_B"}[k], result.Measured{Value: e.Weights.ESS, Error: e.Weights.ESSError},
			fmt.Sprintf("%.2f", e.Weights.KHat),
			beside(all.Scores.JS, all.Floor.JS), beside(all.Scores.PMFError, all.Floor.PMFError),
			measured(e.Samples.Split()), e.Verdict())
	}
	d := r.Difference
	t.Row("difference", "", "", measured(d.JS), measured(d.PMFError), "", "")
	t.Row("reference", "", "", "", "", measured(r.U.Reference.Split()), "")
	return t
}
