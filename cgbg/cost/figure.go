package cost

import (
	"fmt"
	"math"
	"strings"

	"github.com/cgbg-go/lab/cgbg"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/keep"
)

// costSeries collects a timing of every mapping.
type costSeries struct {
	name string
	role figure.Role
	get  func(mapping int) Timing
}

// dots draws timings by mapping, and published numbers where there are any.
func (c *Lab) dots(label string, published func(p Published) Cited, list ...costSeries) (figure.Picture, error) {
	o := figure.DotsOptions{XLabel: "mapping (beads)", YLabel: label}
	first := figure.DotSeries{Name: "published, A100", Role: figure.Exact, Cited: true}
	revised := figure.DotSeries{Name: "revised, A100", Role: figure.Simulation, Cited: true}
	for _, m := range c.Mappings {
		o.Categories = append(o.Categories, fmt.Sprintf("%s (%d)", m.Title, m.Beads))
		if published != nil {
			c := published(m.Published)
			first.Y, revised.Y = append(first.Y, c.First), append(revised.Y, c.Revised)
		}
	}
	var series []figure.DotSeries
	for _, s := range list {
		d := figure.DotSeries{Name: s.name, Role: s.role}
		for i := range c.Mappings {
			t := s.get(i)
			lo, hi := t.Range()
			d.Y, d.Low, d.High = append(d.Y, t.Median()), append(d.Low, lo), append(d.High, hi)
		}
		series = append(series, d)
	}
	o.Remark = "here: " + c.Backend.Name + " on " + c.Backend.Device
	if published != nil {
		o.Remark += ", scaled"
		series = append(series, first, revised)
	}
	o.Remark += "; bars: range of the repeats"
	return figure.Dots(series, o)
}

// Measured are the costs of both fields at every mapping, in the order of the
// mappings, that [Lab.Flow] has measured.
// Error: one that was not.
func (c *Lab) Measured() (transformer, equivariant []*Flow, err error) {
	for _, m := range c.Mappings {
		for _, f := range []struct {
			field string
			list  *[]*Flow
		}{{cgbg.GraphTransformer, &transformer}, {cgbg.Equivariant, &equivariant}} {
			cost := &Flow{}
			// With any weights.
			measured := func(fingerprint string) bool { return strings.HasPrefix(fingerprint, c.fingerprint(m)+" ") }
			if _, err := keep.Read(c.Path(costFile(f.field, m.Key)), cost, measured); err != nil {
				return nil, nil, fmt.Errorf("cost: the cost of the field %s at %s was not measured yet: %w", f.field,
					m.Title, err)
			}
			*f.list = append(*f.list, cost)
		}
	}
	return transformer, equivariant, nil
}

// both are a timing of both fields, as series.
func (c *Lab) both(suffix string, get func(f *Flow) Timing) ([]costSeries, error) {
	transformer, equivariant, err := c.Measured()
	return []costSeries{
		{"graph transformer" + suffix, figure.After, func(i int) Timing { return get(transformer[i]) }},
		{"equivariant" + suffix, figure.Learned, func(i int) Timing { return get(equivariant[i]) }},
	}, err
}

// TrainingFigure draws the hours of training by mapping: the published amount for
// the graph transformer, that of the quick preset for the equivariant field.
// Errors: a cost that was not measured.
func (c *Lab) TrainingFigure() (figure.Picture, error) {
	series, err := c.both(" here", (*Flow).trainHours)
	if err != nil {
		return figure.Picture{}, err
	}
	return c.dots("flow training, hours", func(p Published) Cited { return p.FlowHours }, series...)
}

// SamplingFigure draws the seconds for 10^4 samples by mapping. Errors: as TrainingFigure.
func (c *Lab) SamplingFigure() (figure.Picture, error) {
	series, err := c.both(" here", func(f *Flow) Timing { return f.Sample.Times(publishedSamples) })
	if err != nil {
		return figure.Picture{}, err
	}
	return c.dots("10,000 samples with log q, seconds",
		func(p Published) Cited { return Cited{60 * p.SampleMinutes.First, 60 * p.SampleMinutes.Revised} }, series...)
}

// EvaluationFigure draws the time of single evaluations by mapping. Errors: as TrainingFigure.
func (c *Lab) EvaluationFigure() (figure.Picture, error) {
	divergence, err := c.both(": divergence", func(f *Flow) Timing { return f.Divergence.Times(1000) })
	if err != nil {
		return figure.Picture{}, err
	}
	velocity, err := c.both(": velocity", func(f *Flow) Timing { return f.Velocity.Times(1000) })
	if err != nil {
		return figure.Picture{}, err
	}
	velocity[0].role, velocity[1].role = figure.Biased, figure.Other
	return c.dots("one evaluation of one state, ms", nil, divergence[0], velocity[0], divergence[1], velocity[1])
}

// publishedTotal is the published time of training and 10^4 samples, h, to its two digits.
func (m *Mapping) publishedTotal() Cited {
	total := func(hours, minutes float64) float64 { return math.Round(100*(hours+minutes/60)) / 100 }
	p := m.Published
	return Cited{total(p.FlowHours.First, p.SampleMinutes.First), total(p.FlowHours.Revised, p.SampleMinutes.Revised)}
}

// totalHours is the same here, scaled: training and 10^4 samples.
func (f *Flow) totalHours() float64 {
	return f.trainHours().Median() + f.sampleMinutes().Median()/60
}
