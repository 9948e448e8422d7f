package cgbg

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
)

// A sample in which one chiral centre has another hand than in the frames gets no weight. With one centre the potential, invariant
// under reflection, cannot tell it from its mirror image; with more of them it is another molecule, which forces on these frames say nothing about.

// shapeOf is what frames have in common. Weights that cannot be used count as none: who needs them says so.
func shapeOf(f *data.Frames) *topology.Geometry {
	w, err := reweight.Normalize(f.LogW)
	if err != nil {
		w = nil
	}
	return topology.Find(f.R, f.Beads, w)
}

// study finds in the frames what the card tells of their shape.
func (c *Card) study(f *data.Frames) {
	g := shapeOf(f)
	c.ChiralCentres, c.Bonds, c.Angles, c.Handedness = g.Centres, g.Bonds, g.Angles, 0
	named, ok := namedCentre(c.Beads)
	for _, centre := range g.Centres {
		if ok && centre.Beads[0] == named[0] {
			c.Handedness = math.Copysign(1, topology.TripleProduct(f.R[:f.Width()], named))
		}
	}
}

// namedCentre is the CA of the first residue that has a CB, with N, C and CB, by the beads' names.
func namedCentre(beads []string) (quad [4]int, ok bool) {
	residues, err := cgmap.Backbone(beads)
	if err != nil {
		return quad, false
	}
	for _, r := range residues {
		if r.Center[3] >= 0 {
			return r.Center, true
		}
	}
	return quad, false
}

// geometry is what the model's frames have in common: of a card of an earlier version the one centre whose hand it tells; nil: nothing is known.
func (c *Card) geometry() *topology.Geometry {
	if c.ChiralCentres != nil {
		return &topology.Geometry{Bonds: c.Bonds, Angles: c.Angles, Centres: c.ChiralCentres}
	}
	if quad, ok := namedCentre(c.Beads); ok && c.Handedness != 0 {
		return &topology.Geometry{Centres: []topology.Centre{{Beads: quad, Sign: c.Handedness}}}
	}
	return nil
}

// keep tells which samples have the hands of the frames; nil: there are none.
func (c *Card) keep() func(r []float64) bool {
	if g := c.geometry(); g != nil && len(g.Centres) > 0 {
		return g.Right
	}
	return nil
}

// discard takes the weight of samples r, [n*dim], that have another hand than the frames.
func (c *Card) discard(logw, r []float64) {
	keep, dim := c.keep(), len(r)/max(1, len(logw))
	for i := range logw {
		if keep != nil && !keep(r[i*dim:(i+1)*dim]) {
			logw[i] = math.Inf(-1)
		}
	}
}

// withGeometry is the description of samples with what the frames of their flow have in common.
func withGeometry(m data.Meta, g *topology.Geometry) data.Meta {
	m.Extra = maps.Clone(m.Extra)
	delete(m.Extra, keyGeometry)
	if g == nil {
		return m
	}
	text, err := json.Marshal(g)
	if err != nil {
		panic(fmt.Sprintf("cgbg: %+v: %v", g, err)) // its numbers are finite
	}
	if m.Extra == nil {
		m.Extra = map[string]string{}
	}
	m.Extra[keyGeometry] = string(text)
	return m
}

// geometryOf is what the description of samples tells of the frames of their flow; nil: nothing.
// Error: no such text, beads that are not there.
func geometryOf(m data.Meta) (*topology.Geometry, error) {
	text := m.Extra[keyGeometry]
	if text == "" {
		return nil, nil
	}
	g := &topology.Geometry{}
	err := json.Unmarshal([]byte(text), g)
	if err == nil {
		err = g.Check(len(m.Beads))
	}
	if err != nil {
		return nil, fmt.Errorf("cgbg: %s: key %s: %w", m.Source, keyGeometry, err)
	}
	return g, nil
}

// fidelity is how much samples look like the frames that m tells of; zero where it tells nothing. Error: that of the key.
func fidelity(f *data.Frames, m data.Meta) (reweight.Fidelity, error) {
	g, err := geometryOf(m)
	if g == nil || err != nil || f.Dim != 3 {
		return reweight.Fidelity{}, err
	}
	return faithful(g, widened(f.R), f.Beads, f.LogW), nil
}

// leastSpread is how many effective samples have a width at least.
const leastSpread = 2

// faithful compares samples r, [n, beads, 3], with frames of a geometry. logw: log-weights, [n]; nil: there are none.
func faithful(g *topology.Geometry, r []float64, beads int, logw []float64) reweight.Fidelity {
	n := len(r) / (3 * beads)
	out := reweight.Fidelity{N: n, Centres: len(g.Centres), Bonds: len(g.Bonds), Angles: len(g.Angles)}
	wrong, none := 0, 0
	weight, err := reweight.Normalize(logw)
	for i, w := range g.WrongHand(r, beads) {
		switch {
		case w:
			wrong++
			if err == nil {
				out.WrongWeight += weight[i]
			}
		case logw != nil && math.IsInf(logw[i], -1):
			none++
		}
	}
	out.WrongHand, out.NoWeight = reweight.Share(wrong, n), reweight.Share(none, n)
	if before, angles, err := g.Widths(r, beads, nil); err == nil {
		out.BondWidthBefore, out.AngleWidthBefore = before, angles
	}
	if ess, e := reweight.ESS(logw); e == nil && ess*float64(n) >= leastSpread { // weights that are none, or of one sample, have a verdict of their own
		if after, angles, err := g.Widths(r, beads, logw); err == nil {
			out.BondWidth, out.AngleWidth = after, angles
		}
	}
	return out
}

// fidelityResults are the numbers of how much samples look like frames; none where nothing is known.
func fidelityResults(f reweight.Fidelity) (list []Result) {
	add := func(name string, e reweight.Estimate) {
		list = append(list, Result{name, e.Value, e.Error, none, "", f.N})
	}
	if f.Centres > 0 {
		add("wrong_handedness", f.WrongHand)
	}
	if f.N > 0 {
		add("no_weight", f.NoWeight)
	}
	for _, w := range []struct {
		name          string
		count         int
		before, after reweight.Estimate
	}{{"bond_width", f.Bonds, f.BondWidthBefore, f.BondWidth}, {"angle_width", f.Angles, f.AngleWidthBefore, f.AngleWidth}} {
		if w.count > 0 {
			add(w.name+"_before", w.before)
		}
		if w.count > 0 && w.after.Value > 0 {
			add(w.name, w.after)
		}
	}
	return list
}
