package figure

import "fmt"

// MuellerBrown is the material of Fig. 2. Energies are in kT, lengths in reduced units.
type MuellerBrown struct {
	// Surface is panel a.
	Surface Surface
	// Density is panel b: probability densities along x.
	Density []Series
	// Unbiased and Biased are panels c and d: free energies of flows trained on unbiased and on biased data.
	Unbiased, Biased []Series
	// UnbiasedQuality and BiasedQuality are shown above panels c and d; may be nil.
	UnbiasedQuality, BiasedQuality *Quality
	// YMax is the top of the free-energy axes in kT; 0 means 10.
	YMax float64
}

// Combined draws panels a to d on one sheet. Errors: nothing to draw in a panel, lengths that differ.
func (m MuellerBrown) Combined() (Picture, error) {
	panels, err := m.panels([4]string{"a", "b", "c", "d"})
	if err != nil {
		return Picture{}, fmt.Errorf("figure: drawing Fig. 2: %w", err)
	}
	return render(fullWide, 0.78*fullWide, [][]*panel{panels[:2], panels[2:]})
}

func (m MuellerBrown) panels(letters [4]string) ([]*panel, error) {
	if m.YMax == 0 {
		m.YMax = maxEnergy
	}
	a, err := m.Surface.panel(letters[0])
	if err != nil {
		return nil, fmt.Errorf("panel a: %w", err)
	}
	b, err := densityPanel(m.Density, letters[1])
	if err != nil {
		return nil, fmt.Errorf("panel b: %w", err)
	}
	o := ProfileOptions{XLabel: "x", YLabel: "F / kT", YMax: m.YMax, Letter: letters[2], Quality: m.UnbiasedQuality}
	c, err := profilePanel(m.Unbiased, o)
	if err != nil {
		return nil, fmt.Errorf("panel c: %w", err)
	}
	o.Letter, o.Quality = letters[3], m.BiasedQuality
	d, err := profilePanel(m.Biased, o)
	if err != nil {
		return nil, fmt.Errorf("panel d: %w", err)
	}
	return []*panel{a, b, c, d}, nil
}

func densityPanel(series []Series, letter string) (*panel, error) {
	if err := checkAll(series); err != nil {
		return nil, err
	}
	p := newPlot("x", "probability density")
	p.X.Min, p.X.Max = snap(extent(series, func(s *Series, i int) float64 { return s.X[i] }))
	_, hi := extent(series, func(s *Series, i int) float64 { return s.Y[i] })
	p.Y.Min, p.Y.Max = 0, 1.05*hi
	for _, s := range series {
		p.Add(curve{s})
	}
	return &panel{letter: letter, plot: p, keys: keys(series)}, nil
}
