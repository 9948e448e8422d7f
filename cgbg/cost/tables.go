package cost

import (
	"context"
	"fmt"

	"github.com/cgbg-go/lab/cgbg/result"
)

// rows puts a row of every mapping and field into a table. Error: a cost that was not measured.
func (c *Lab) rows(head []string, row func(m *Mapping, f *Flow, published bool) []any) (result.Table, error) {
	transformer, equivariant, err := c.Measured()
	t := result.Table{Head: head}
	if err != nil {
		return t, err
	}
	for i, m := range c.Mappings {
		t.Row(row(m, transformer[i], true)...)
		t.Row(row(m, equivariant[i], false)...)
	}
	return t, nil
}

// cited is a published number beside our measurements, none for fields that are ours.
func cited(c Cited, published bool) string {
	if !published {
		return ""
	}
	return c.String()
}

// TrainingTable is the seconds of training steps, and what they scale to. Error: a cost that was not measured.
func (c *Lab) TrainingTable() (result.Table, error) {
	head := []string{"mapping", "field", "here: s per step (range)", "steps of the whole", "here, SCALED: h", "‖",
		"published, A100: h"}
	return c.rows(head, func(m *Mapping, f *Flow, published bool) []any {
		return []any{m.Title, f.Field, f.Step.String(), f.trainSteps(), f.trainHours().String(), "‖",
			cited(m.Published.FlowHours, published)}
	})
}

// EvaluationTable is the milliseconds of single evaluations. Error: a cost that was not measured.
func (c *Lab) EvaluationTable() (result.Table, error) {
	head := []string{"mapping", "field", "velocity, ms", "divergence, ms", "divergence / velocity", "3N",
		"divergence in reverse mode, ms"}
	return c.rows(head, func(m *Mapping, f *Flow, _ bool) []any {
		return []any{m.Title, f.Field, f.Velocity.Times(1000).String(), f.Divergence.Times(1000).String(),
			fmt.Sprintf("%.1f", f.Divergence.Median()/f.Velocity.Median()), 3 * m.Beads, f.Reverse.Times(1000).String()}
	})
}

// SamplingTable is what samples need, and what they scale to. Error: a cost that was not measured.
func (c *Lab) SamplingTable() (result.Table, error) {
	head := []string{"mapping", "field", "weights", "velocities", "divergences", "published solver: both",
		"here: s per sample (range)",
		"accounted", "here, SCALED: min per 10,000", "‖", "published, A100: min"}
	return c.rows(head, func(m *Mapping, f *Flow, published bool) []any {
		return []any{m.Title, f.Field, f.Weights, fmt.Sprintf("%.0f", f.Evaluations),
			fmt.Sprintf("%.1f", f.Divergences),
			f.jointCounts(),
			f.Sample.String(), fmt.Sprintf("%.2f", f.accounted()), f.sampleMinutes().String(), "‖",
			cited(m.Published.SampleMinutes, published)}
	})
}

// Total is training and 10^4 samples together, by mapping.
type Total struct {
	mappings                 []*Mapping
	transformer, equivariant []*Flow
}

// Totals are training and 10^4 samples together. Error: a cost that was not measured.
func (c *Lab) Totals() (*Total, error) {
	transformer, equivariant, err := c.Measured()
	return &Total{c.Mappings, transformer, equivariant}, err
}

// Table is a row for each mapping.
func (t *Total) Table() result.Table {
	out := result.Table{Head: []string{"mapping", "graph transformer, published training; here, SCALED: h",
		"equivariant, quick training; here, SCALED: h", "‖", "published, A100: h"}}
	for i, m := range t.mappings {
		out.Row(m.Title, t.transformer[i].totalHours(), t.equivariant[i].totalHours(), "‖", m.publishedTotal().String())
	}
	return out
}

// Results are the numbers under the names of results.json.
func (t *Total) Results() (list []result.Result) {
	for i, m := range t.mappings {
		for _, f := range []*Flow{t.transformer[i], t.equivariant[i]} {
			list = append(list, result.New("cost/"+m.Key+"/"+f.Field+"/total_hours_scaled", f.totalHours(), result.None,
				result.None, "h", 0))
		}
	}
	return list
}

// MACETable is what the potential takes at some mappings, which [Lab.MACE] has measured. Errors: those of MACE.
func (c *Lab) MACETable(ctx context.Context, mappings ...string) (result.Table, error) {
	t := result.Table{Head: []string{"mapping", "here: s per step (range)", "here, SCALED: h",
		"here, SCALED: s per 10,000 energies", "‖",
		"published, A100: h", "published, A100: s"}}
	for _, key := range mappings {
		m, err := c.mapping(key)
		if err != nil {
			return t, err
		}
		e, err := c.MACE(ctx, key, nil)
		if err != nil {
			return t, err
		}
		t.Row(m.Title, e.Step.String(), e.TrainHours().String(), e.energySeconds().String(), "‖",
			m.Published.MACEHours.String(),
			m.Published.EnergySeconds.String())
	}
	return t, nil
}

// Saved is what each idea saves on this machine, where both ways were measured: ratios of medians.
type Saved struct{ list []result.Result }

// Savings are the ratios. Error: a cost that was not measured.
func (c *Lab) Savings() (*Saved, error) {
	transformer, equivariant, err := c.Measured()
	if err != nil {
		return nil, err
	}
	s := &Saved{}
	for i, t := range transformer {
		e, name := equivariant[i], "saved/"+t.Mapping+"/"
		add := func(what string, ratio float64) {
			s.list = append(s.list, result.New(name+what, ratio, result.None, result.None, "times", 0))
		}
		if t.Reverse != nil {
			add("folded_divergence", t.Reverse.Median()/t.Divergence.Median())
		}
		if t.Joint != nil {
			add("decoupled_divergences", t.Joint5/t.Divergences)
		}
		add("equivariant_step", t.Step.Median()/e.Step.Median())
		add("equivariant_sample", t.Sample.Median()/e.Sample.Median())
	}
	return s, nil
}

// Results are the ratios under the names of results.json.
func (s *Saved) Results() []result.Result { return s.list }
