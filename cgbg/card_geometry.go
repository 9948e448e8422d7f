package cgbg

import (
	"math"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/topology"
	"github.com/cgbg-go/lab/data"
)

// study finds in the frames what the card tells of their shape.
func (c *Card) study(f *data.Frames) {
	g := topology.Of(f)
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

// Geometry is what the model's frames have in common: of a card of an earlier version the one centre whose hand it
// tells; nil: nothing is known.
func (c *Card) Geometry() *topology.Geometry {
	if c.ChiralCentres != nil {
		return &topology.Geometry{Bonds: c.Bonds, Angles: c.Angles, Centres: c.ChiralCentres}
	}
	if quad, ok := namedCentre(c.Beads); ok && c.Handedness != 0 {
		return &topology.Geometry{Centres: []topology.Centre{{Beads: quad, Sign: c.Handedness}}}
	}
	return nil
}
