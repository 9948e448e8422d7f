package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/data"
	"gonum.org/v1/gonum/stat"
)

// Sample is numbers of one kind, one of each frame, with what a figure needs.
type Sample struct {
	Name   string // in the key
	Role   figure.Role
	X      []float64 // [n]
	Weight []float64 // of any scale, [n]; nil for one each
	Block  int       // consecutive frames that stay together for errors; 0 or 1 where they are independent
}

// distributionBins is the number of bins of a density over its range.
const distributionBins = 50

// density is the histogram of a sample between lo and hi as a density of all of it, with errors from blocks.
func (s Sample) density(lo, hi float64, rng random) (figure.Series, error) {
	p, err := observable.NewProfile(s.X, s.Weight, observable.ProfileOptions{
		Grid:       observable.Centers(observable.Edges(lo, hi, distributionBins)),
		Resampling: observable.Resampling{Resamples: Bootstraps, Block: s.Block, Rng: rng}})
	if err != nil {
		return figure.Series{}, fmt.Errorf("analysis: the distribution of %s: %w", s.Name, err)
	}
	return figure.Series{Name: s.Name, Role: s.Role, X: p.X, Y: p.P, Error: p.PError}, nil
}

// panel is the densities of samples over the range that holds all but a thousandth at either end of each, proposals
// apart: they may have tails as long as they like.
func panel(title string, samples []Sample, rng random) (figure.Distribution, error) {
	d := figure.Distribution{Title: title}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		if len(s.X) == 0 || s.Weight != nil && len(s.Weight) != len(s.X) {
			return d, fmt.Errorf("analysis: the distribution of %s: %d numbers with %d weights", s.Name, len(s.X),
				len(s.Weight))
		}
		if s.Role == figure.Before && len(samples) > 1 {
			continue
		}
		x, w := slices.Clone(s.X), slices.Clone(s.Weight)
		stat.SortWeighted(x, w)
		lo, hi = math.Min(lo, stat.Quantile(1e-3, stat.Empirical, x, w)),
			math.Max(hi, stat.Quantile(1-1e-3, stat.Empirical, x, w))
	}
	if !(hi > lo) {
		return d, fmt.Errorf("analysis: distributions of %q: they have no width", title)
	}
	d.XMin, d.XMax = lo-0.05*(hi-lo), hi+0.05*(hi-lo)
	for _, s := range samples {
		series, err := s.density(d.XMin, d.XMax, rng)
		if err != nil {
			return d, err
		}
		d.Series = append(d.Series, series)
	}
	return d, nil
}

// EnergyFigure draws the distributions of the potential of mean force in samples, kJ/mol: simulation, proposal,
// reweighted proposal, as in the paper's Fig. 3b and 4b. w grades the weights; may be nil. Errors: no numbers, weights
// of another length.
func EnergyFigure(seed int, w *reweight.Summary, samples ...Sample) (figure.Picture, error) {
	p, err := panel("", samples, Rng(seed, streamDistribution))
	if err != nil {
		return figure.Picture{}, err
	}
	if w != nil {
		p.Quality = Quality(*w)
	}
	return figure.EnergyHistograms(p)
}

// BondSet is a simulation seen through its peptide bonds, C–N.
type BondSet struct {
	Name    string   // in results
	Title   string   // in figures
	Bonds   []string // such as C–N, ACE1–ALA2
	Lengths []Sample // nm, one for each bond
}

// NewBondSet measures the peptide bonds in frames, weighted where the simulation was biased. Errors: beads without a
// peptide bond, weights that cannot be used.
func NewBondSet(name, title string, role figure.Role, f *data.Frames, m data.Meta) (*BondSet, error) {
	s := &BondSet{Name: name, Title: title}
	var w []float64
	if f.LogW != nil {
		var err error
		if w, err = reweight.Normalize(f.LogW); err != nil {
			return nil, fmt.Errorf("analysis: %s: %w", name, err)
		}
	}
	for _, pair := range cgmap.PeptideBonds(m.Beads) {
		x := observable.BondLengths(f.R, f.Beads, pair)
		g := observable.Inefficiency(x)
		if w != nil { // the weights follow the slow dihedrals
			g = max(g, observable.Inefficiency(w))
		}
		before, after := strings.TrimSuffix(m.Beads[pair[0]], ":C"), strings.TrimSuffix(m.Beads[pair[1]], ":N")
		s.Bonds = append(s.Bonds, "C–N, "+before+"–"+after)
		s.Lengths = append(s.Lengths, Sample{Name: title, Role: role, X: x, Weight: w, Block: BlockLength(g, len(x))})
	}
	if len(s.Bonds) == 0 {
		return nil, fmt.Errorf("analysis: %s: beads %q have no peptide bond", name, m.Beads)
	}
	return s, nil
}

// Results are the mean lengths under the names of results.json.
func (s *BondSet) Results(seed int) ([]result.Result, error) {
	rng := Rng(seed, streamMeans)
	var out []result.Result
	for k, b := range s.Lengths {
		e, err := b.mean(rng)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%s/cn_%d", s.Name, k+1)
		out = append(out, result.New(name, e.Value, e.Error, result.None, "nm", len(b.X)))
	}
	return out, nil
}

// mean is the weighted mean with its error from blocks.
func (s Sample) mean(rng random) (reweight.Estimate, error) {
	e, err := estimate(len(s.X), s.Block, rng, func(idx []int) float64 {
		var sum, total float64
		for _, i := range idx {
			w := 1.0
			if s.Weight != nil {
				w = s.Weight[i]
			}
			sum, total = sum+w*s.X[i], total+w
		}
		return sum / total
	})
	if err != nil {
		return e, fmt.Errorf("analysis: the mean of %s: %w", s.Name, err)
	}
	return e, nil
}

// BondFigure draws the distributions of every peptide bond's length, a panel for each, as in the paper's Fig. 14.
// Errors: no set, sets of different molecules.
func BondFigure(seed int, sets ...*BondSet) (figure.Picture, error) {
	if len(sets) == 0 {
		return figure.Picture{}, fmt.Errorf("analysis: a figure of bond lengths without sets")
	}
	rng := Rng(seed, streamDistribution)
	var panels []figure.Distribution
	for k, bond := range sets[0].Bonds {
		var samples []Sample
		for _, s := range sets {
			if !slices.Equal(s.Bonds, sets[0].Bonds) {
				return figure.Picture{}, fmt.Errorf("analysis: %s has the peptide bonds %q, %s %q", s.Name, s.Bonds,
					sets[0].Name, sets[0].Bonds)
			}
			samples = append(samples, s.Lengths[k])
		}
		p, err := panel(bond, samples, rng)
		if err != nil {
			return figure.Picture{}, err
		}
		panels = append(panels, p)
	}
	return figure.BondLengths(panels...)
}
