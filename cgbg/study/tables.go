package study

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/analysis"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
)

// Bar makes the progress of a step with a label; may be nil.
type Bar func(label string) cgbg.Progress

func (b Bar) of(label string) cgbg.Progress {
	if b == nil {
		return nil
	}
	return b(label)
}

// sides are both kinds of simulation, in the order of tables.
var sides = []string{cgbg.Unbiased, cgbg.Biased}

// measured is an estimate as a table has it.
func measured(e reweight.Estimate) result.Measured {
	return result.Measured{Value: e.Value, Error: e.Error}
}

// beside is an estimate with its floor.
func beside(e, floor reweight.Estimate) string {
	return fmt.Sprintf("%s (%.3g)", measured(e), floor.Value)
}

// Models are how the models of generators were made.
type Models struct{ cards []*cgbg.Card }

// ReadModels reads the cards of flows and potentials of both kinds of simulation. Errors: those of the models.
func ReadModels(ctx context.Context, bar Bar, generators ...*cgbg.Generator) (*Models, error) {
	m := &Models{}
	for _, g := range generators {
		for _, kind := range []string{cgbg.Flow, cgbg.PMF} {
			for _, of := range sides {
				card, err := g.Card(ctx, kind, of, bar.of("models, "+g.Name))
				if err != nil {
					return nil, err
				}
				m.cards = append(m.cards, card)
			}
		}
	}
	return m, nil
}

// Table is a row for each model.
func (m *Models) Table() result.Table {
	t := result.Table{Head: []string{"model", "of", "frames", "steps", "of the last run, s", "held out"}}
	for _, c := range m.cards {
		t.Row(c.Kind+", "+c.Mapping, c.Data, c.Frames, c.Steps, fmt.Sprintf("%.0f", c.Seconds), heldOut(c))
	}
	return t
}

// heldOut is a card's score in short.
func heldOut(c *cgbg.Card) string {
	switch e, ok := c.HeldOut(); {
	case !ok:
		return "not known"
	case c.Kind == cgbg.Flow:
		return fmt.Sprintf("-ln q = %s nat", measured(e))
	default:
		return fmt.Sprintf("force error² %.4g (kJ/mol/nm)²", e.Value)
	}
}

// Verifications are second looks at the samples of several flows.
type Verifications struct {
	names []string
	list  []*Verification
}

// VerifyAll verifies the samples of both flows of generators. Errors: those of verify.
func VerifyAll(ctx context.Context, bar Bar, generators ...*cgbg.Generator) (*Verifications, error) {
	out := &Verifications{}
	for _, g := range generators {
		for _, of := range sides {
			v, err := verify(ctx, g, of, bar.of("verify "+g.Name+", "+of))
			if err != nil {
				return nil, err
			}
			out.names, out.list = append(out.names, g.Name+"/"+of), append(out.list, v)
		}
	}
	return out, nil
}

// Table is a row for each flow.
func (v *Verifications) Table() result.Table {
	t := result.Table{Head: []string{"flow", "checked", "rms error of ln q, nat", "largest", "ESS of all",
		"ESS of new ones", "new", "Δ ln Z"}}
	for k, r := range v.list {
		t.Row(v.names[k], r.N, fmt.Sprintf("%.4f", r.RMS), fmt.Sprintf("%.4f", r.Max), measured(r.ESS),
			measured(r.FreshESS), r.Fresh,
			result.Measured{Value: r.LogZ, Error: r.LogZError})
	}
	return t
}

// Results are the numbers under the names of results.json.
func (v *Verifications) Results() (list []result.Result) {
	for k, r := range v.list {
		list = append(list, result.Behind(v.names[k], []result.Result{
			result.New("logq_rms", r.RMS, result.None, result.None, "nat", r.N),
			result.New("logq_max", r.Max, result.None, result.None, "nat", r.N),
			result.New("delta_log_z", r.LogZ, r.LogZError, result.None, "", r.Fresh),
		})...)
	}
	return list
}

// Row is a row of the paper's Table 2: a flow weighed by a potential, both named by their simulation.
type Row struct{ Flow, PMF string }

// Rows are those of the paper's Table 2.
var Rows = []Row{{cgbg.Unbiased, cgbg.Biased}, {cgbg.Biased, cgbg.Biased}, {cgbg.Unbiased, cgbg.Unbiased},
	{cgbg.Biased, cgbg.Unbiased}}

// Scores are evaluations of several flows and potentials.
type Scores struct{ List []*analysis.Evaluation }

// ScoreAll evaluates rows of generators. Errors: those of [cgbg.Generator.Evaluate].
func ScoreAll(ctx context.Context, bar Bar, rows []Row, generators ...*cgbg.Generator) (*Scores, error) {
	s := &Scores{}
	for _, g := range generators {
		for _, r := range rows {
			e, err := g.Evaluate(ctx, r.Flow, r.PMF, bar.of(g.Name+", "+r.Flow+" / "+r.PMF))
			if err != nil {
				return nil, err
			}
			s.List = append(s.List, e)
		}
	}
	return s, nil
}

// Table is the paper's Table 2, with floors, and scores out of the split state.
func (s *Scores) Table() result.Table {
	t := result.Table{Head: []string{"flow / PMF", "JS (floor), nat", "", "PMF error (floor)", "clipped: JS",
		"PMF error", "ESS", "clipped", "Pareto k", ""}}
	for _, e := range s.List {
		split := e.Reference.Question.Split
		t.Head[2], t.Head[9] = "JS given "+split.Rest+" (floor)", split.Label
		w, all, c := e.Weights, e.After.All(), e.AfterClips.All().Scores
		t.Row(e.Name, beside(all.Scores.JS, all.Floor.JS), beside(e.After.Out.Scores.JS, e.After.Out.Floor.JS),
			beside(all.Scores.PMFError, all.Floor.PMFError), measured(c.JS), measured(c.PMFError),
			result.Measured{Value: w.ESS, Error: w.ESSError},
			result.Measured{Value: w.ESSClipped, Error: w.ESSClippedError}, fmt.Sprintf("%.2f",
				w.KHat), measured(e.Samples.Split()))
	}
	return t
}

// Results are the numbers of all evaluations.
func (s *Scores) Results() (list []result.Result) {
	for _, e := range s.List {
		list = append(list, e.Results()...)
	}
	return list
}

// Profiles are the free energies along the variables of all evaluations, one figure each.
func (s *Scores) Profiles() ([]result.Figure, error) {
	return s.draw("profiles", "free energies along the variables, simulation and flow before and after reweighting",
		(*analysis.Evaluation).Profiles)
}

// Maps are the free energies over two variables of all evaluations, one figure each.
func (s *Scores) Maps() ([]result.Figure, error) {
	return s.draw("maps", "free energies over two variables: reference, flow, and reweighted flow",
		(*analysis.Evaluation).Maps)
}

func (s *Scores) draw(what, alt string, draw func(*analysis.Evaluation) (figure.Picture, error)) (list []result.Figure,
	err error) {
	for _, e := range s.List {
		p, err := draw(e)
		if err != nil {
			return nil, err
		}
		list = append(list, p.Named(e.FileName(what), e.Name+": "+alt))
	}
	return list, nil
}
