package figure

import (
	"fmt"
	"reflect"

	"gonum.org/v1/plot/vg"
)

// ProfilePanel is one panel of FreeEnergies: the free energy along one variable.
type ProfilePanel struct {
	Series  []Series
	Options ProfileOptions
}

const (
	maxProfiles = 8
	// Heights of a row as shares of a sheet's width, so that four rows fit a page; lower where one key is above all.
	pairShare, rowShare, keyedRowShare, keyShare = 0.42, 0.33, 0.31, 0.06
)

// FreeEnergies draws free energies along any variables, one to eight panels: one in a column, more side by side in rows of
// two, with the letters a, b, … where the options give none. A panel is a circle (X in rad, drawn in degrees) or an
// interval, drawn in the unit of X. Keys and remarks stand above each of two panels; above more panels that have
// the same ones they stand once. Errors: no panel or more than eight; those of FreeEnergyProfile.
func FreeEnergies(panels ...ProfilePanel) (Picture, error) {
	lettered := make([]ProfilePanel, len(panels))
	for i, p := range panels {
		if len(panels) > 1 && p.Options.Letter == "" {
			p.Options.Letter = string(rune('a' + i))
		}
		lettered[i] = p
	}
	return freeEnergies(lettered)
}

func freeEnergies(list []ProfilePanel) (Picture, error) {
	if len(list) == 0 || len(list) > maxProfiles {
		return Picture{}, fmt.Errorf("figure: drawing free energies: %d panels; want one to %d", len(list), maxProfiles)
	}
	if len(list) == 1 {
		return FreeEnergyProfile(list[0].Series, list[0].Options)
	}
	panels := make([]*panel, len(list))
	for i, l := range list {
		p, err := profilePanel(l.Series, l.Options)
		if err != nil {
			return Picture{}, fmt.Errorf("figure: drawing free energies: panel %d (%s): %w", i+1, l.Options.XLabel, err)
		}
		panels[i] = p
	}
	if len(panels) == 2 {
		return render(fullWide, pairShare*fullWide, [][]*panel{panels})
	}
	s := sheet{top: shared(panels)}
	s.panels = inPairs(panels)
	rows := float64(len(s.panels))
	high := rowShare * rows
	if s.top != nil {
		high = keyedRowShare*rows + keyShare
	}
	return s.render(fullWide, fullWide*vg.Length(high))
}

// shared takes the keys and remarks off panels that all have the same ones; nil where they differ.
func shared(panels []*panel) *panel {
	first := panels[0]
	for _, p := range panels[1:] {
		if !reflect.DeepEqual(p.keys, first.keys) || !reflect.DeepEqual(p.remarks, first.remarks) {
			return nil
		}
	}
	top := &panel{keys: first.keys, remarks: first.remarks}
	for _, p := range panels {
		p.keys, p.remarks = nil, nil
	}
	return top
}
