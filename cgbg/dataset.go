package cgbg

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/observable"
	"github.com/cgbg-go/lab/cgbg/reweight"
	"github.com/cgbg-go/lab/cgbg/units"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"gonum.org/v1/gonum/mat"
)

// Dataset is a simulation seen through its dihedrals: what it says about
// equilibrium, and how sure it is.
type Dataset struct {
	Name       string            // in results
	Title      string            // in figures
	Residue    string            // whose dihedrals they are; "" where it has no name
	Dihedrals  observable.Torus  // with weights where the simulation was biased
	KT         float64           // kJ/mol
	Stride     float64           // ps
	WeightESS  float64           // Kish's fraction of the weights; 1 without any
	Effective  float64           // frames: Kish's, over the statistical inefficiency
	Positive   reweight.Estimate // P(φ > 0); of no visit, with an error of one effective frame
	Beyond     float64           // relative error of P(φ > 0) that blocks of time do not see (Pool)
	Floor      observable.Scores // the halves of the set against each other
	Correlated float64           // statistical inefficiency of the slowest sine or cosine, frames
}

// minDataBlocks is the least number of blocks that errors are made from.
const minDataBlocks = 20

// blockLength is that of blocks of n frames with a statistical inefficiency g.
func blockLength(g float64, n int) int { return max(1, min(int(2*g), n/minDataBlocks)) }

// NewDataset studies frames of one residue's dihedrals: φ and ψ themselves (map
// "dihedrals") or beads that have them. The bootstrap's blocks are twice the
// statistical inefficiency long, and at most a twentieth of the set.
// preset small takes every 20th frame. Errors: no dihedrals, weights that cannot be used.
func NewDataset(preset string, seed int, name string, f *data.Frames, m data.Meta) (*Dataset, error) {
	return NewResidueDataset(preset, seed, name, "", f, m)
}

// NewResidueDataset is NewDataset of a residue by its name, ALA3 say; "": of the first one that has both dihedrals.
// Errors: no such residue; those of NewDataset.
func NewResidueDataset(preset string, seed int, name, residue string, f *data.Frames, m data.Meta) (*Dataset, error) {
	d, err := newDataset(preset, name, residue, f, m)
	if err != nil {
		return nil, err
	}
	d.correlate(slowest(d.Dihedrals))
	return d, d.measure(seed)
}

// newDataset is a set before what takes long: correlate and measure.
func newDataset(preset, name, residue string, f *data.Frames, m data.Meta) (*Dataset, error) {
	if preset == "small" {
		thin := &data.Frames{}
		for i := 0; i < f.Len(); i += 20 {
			thin.Append(f.Slice(i, i+1))
		}
		f, m.Stride = thin, 20*m.Stride
	}
	d := &Dataset{Name: name, Title: strings.ReplaceAll(name, "_", " "), KT: units.KT(m.Temperature), Stride: m.Stride, WeightESS: 1}
	var err error
	if d.Residue, d.Dihedrals.Phi, d.Dihedrals.Psi, err = residueDihedrals(f, m, residue); err != nil {
		return nil, fmt.Errorf("cgbg: %s: %w", name, err)
	}
	if f.LogW != nil {
		if d.Dihedrals.Weight, err = reweight.Normalize(f.LogW); err != nil {
			return nil, fmt.Errorf("cgbg: %s: %w", name, err)
		}
		if d.WeightESS, err = reweight.ESS(f.LogW); err != nil {
			return nil, fmt.Errorf("cgbg: %s: %w", name, err)
		}
	}
	return d, nil
}

// correlate sets what follows from the statistical inefficiency.
func (d *Dataset) correlate(inefficiency float64) {
	n := len(d.Dihedrals.Phi)
	d.Correlated = inefficiency
	d.Effective = float64(n) * d.WeightESS / d.Correlated
	d.Dihedrals.Block = blockLength(d.Correlated, n)
}

// measure sets Positive and Floor.
func (d *Dataset) measure(seed int) error {
	rng, err := d.measurePositive(seed)
	if err != nil {
		return err
	}
	d.Floor, err = observable.FloorHalves(d.Dihedrals, floorRepeats, observable.Resampling{Rng: rng})
	if errors.Is(err, observable.ErrNoMass) { // weights so uneven that one half has none
		d.Floor, err = unknown(), nil
	}
	if err != nil {
		return fmt.Errorf("cgbg: %s: %w", d.Name, err)
	}
	return nil
}

// measurePositive sets Positive, and returns the random state for Floor.
func (d *Dataset) measurePositive(seed int) (rng *rand.Rand, err error) {
	rng = rand.New(rand.NewPCG(uint64(seed), streamEvaluate))
	if d.Positive, err = positive(d.Dihedrals, rng); err != nil {
		return nil, fmt.Errorf("cgbg: %s: %w", d.Name, err)
	}
	if d.Positive.Value == 0 { // resamples of no visit have none either
		d.Positive.Error = math.Min(1, 1/d.Effective)
	}
	return rng, nil
}

// slowest is the statistical inefficiency of the slowest of cosine and sine of φ and ψ, frames.
func slowest(t observable.Torus) float64 {
	var g [4]float64
	var wg sync.WaitGroup
	for k, angle := range [][]float64{t.Phi, t.Psi} {
		for j, wave := range []func(float64) float64{math.Cos, math.Sin} {
			wg.Go(func() {
				series := make([]float64, len(angle))
				for i, a := range angle {
					series[i] = wave(a)
				}
				g[2*k+j] = observable.Inefficiency(series)
			})
		}
	}
	wg.Wait()
	return max(1, slices.Max(g[:]))
}

// Results are the set's numbers under the names of results.json.
func (d *Dataset) Results() []Result {
	n, none := len(d.Dihedrals.Phi), math.NaN()
	return []Result{
		{d.Name + "/phi_gt_0", d.Positive.Value, d.Positive.Error, none, "", n},
		{d.Name + "/frames_effective", d.Effective, none, none, "", n},
		{d.Name + "/js_floor", d.Floor.JS.Value, d.Floor.JS.Error, none, "nat", n},
		{d.Name + "/pmf_error_floor", d.Floor.PMFError.Value, d.Floor.PMFError.Error, none, "(kT)²", n},
	}
}

// ramachandranCells and ramachandranWidth (rad) make the maps.
const (
	ramachandranCells = 90
	ramachandranWidth = 4 * math.Pi / 180
)

// RamachandranFigure draws the free energies of sets over φ and ψ in the paper's unit and range, up to 5.25 kcal/mol (its Fig. 6 to 11).
func RamachandranFigure(sets ...*Dataset) (figure.Picture, error) {
	var maps []figure.Ramachandran
	for _, d := range sets {
		f, err := observable.NewTorusFreeEnergy(d.Dihedrals, ramachandranCells, ramachandranWidth, d.KT/units.KCal)
		if err != nil {
			return figure.Picture{}, fmt.Errorf("cgbg: %s: %w", d.Name, err)
		}
		maps = append(maps, figure.Ramachandran{Title: d.Title, F: f.At})
	}
	return figure.RamachandranMaps(maps, 5.25, "kcal/mol")
}

// Limits of a profile.
const (
	knownWithin = 2   // kT: points of a larger error are not drawn
	leftBasin   = 2.0 // rad: φ between zero and here is the basin of P(φ > 0)
)

// DihedralFigure draws the free energies of sets along φ and ψ with bands of one
// standard error from blocks of time, kJ/mol. Nothing is drawn where the error is above 2 kT or not
// known: a few visits make it so.
func DihedralFigure(seed int, sets ...*Dataset) (figure.Picture, error) {
	roles := []figure.Role{figure.Exact, figure.After, figure.Biased, figure.Learned, figure.Other, figure.Simulation}
	rng := rand.New(rand.NewPCG(uint64(seed), streamEvaluate+1))
	var pair [2][]figure.Series
	for i, d := range sets {
		for k := range pair {
			p, err := dihedralProfile(d.Dihedrals, k, d.KT, rng)
			if err != nil {
				return figure.Picture{}, fmt.Errorf("cgbg: %s: %w", d.Name, err)
			}
			for j, x := range p.X {
				if k == 0 && x > 0 && x < leftBasin {
					p.FError[j] = math.Hypot(p.FError[j], d.KT*d.Beyond)
				}
				if !(p.FError[j] <= knownWithin*d.KT) {
					p.F[j] = math.NaN()
				}
			}
			pair[k] = append(pair[k], figure.Series{Name: d.Title, Role: roles[i%len(roles)], X: p.X, Y: p.F, Error: p.FError})
		}
	}
	return dihedralPair(pair)
}

// dihedralProfile is the free energy along φ (k = 0) or ψ (1), with its bootstrap error.
func dihedralProfile(t observable.Torus, k int, kT float64, rng *rand.Rand) (observable.Profile, error) {
	return observable.NewProfile([][]float64{t.Phi, t.Psi}[k], t.Weight, observable.ProfileOptions{
		Grid: circle(), KT: kT, Smoother: observable.Corrected, Bandwidth: angleBandwidth, Periodic: true,
		Resampling: observable.Resampling{Resamples: bootstraps, Block: t.Block, Rng: rng}})
}

// dihedralPair draws free energies along φ and along ψ.
func dihedralPair(pair [2][]figure.Series) (figure.Picture, error) {
	options := func(label, letter string) figure.ProfileOptions {
		return figure.ProfileOptions{XLabel: label, YLabel: "free energy, kJ/mol", YMax: 32, Circle: true, Letter: letter}
	}
	return figure.FreeEnergyPair(pair[0], pair[1], options("φ, degrees", "a"), options("ψ, degrees", "b"))
}

// ForceNoise is how large the forces of a map's beads are by unbiased force
// maps, in kJ/mol/nm a component: mean force and noise together. The
// difference of two squares is noise that one map avoids.
type ForceNoise struct {
	Map                    string
	Basic, Least, Internal float64 // see [cgmap.Basic], [cgmap.Gram.LeastNoise], [cgmap.LearnInternal]
	Frames                 int
}

// CompareForceMaps compares the force maps of every map on frames of all atoms.
func CompareForceMaps(s *gromacs.Structure, f *data.Frames) ([]ForceNoise, error) {
	var g cgmap.Gram
	for i := range f.Len() {
		if err := g.Add(f.F[i*f.Width() : (i+1)*f.Width()]); err != nil {
			return nil, err
		}
	}
	molecule, err := cgmap.NewMolecule(s)
	if err != nil {
		return nil, err
	}
	var out []ForceNoise
	for _, name := range []string{cgmap.AllAtom, cgmap.HeavyAtom, cgmap.CoreBeta} {
		m, err := cgmap.New(name, s)
		if err != nil {
			return nil, err
		}
		basic, err := cgmap.Basic(m.Matrix(), nil)
		if err != nil {
			return nil, err
		}
		least, err := g.LeastNoise(m.Matrix(), nil)
		if err != nil {
			return nil, err
		}
		internal, err := cgmap.LearnInternal(m, molecule.Bonds(), f.R, f.F, nil)
		if err != nil {
			return nil, err
		}
		var forces []float32
		for i := range f.Len() {
			if forces, err = internal.Apply(forces, f.R[i*f.Width():(i+1)*f.Width()], f.F[i*f.Width():(i+1)*f.Width()]); err != nil {
				return nil, err
			}
		}
		squares := 0.0
		for _, v := range forces {
			squares += float64(v) * float64(v) / float64(len(forces))
		}
		out = append(out, ForceNoise{Map: name, Basic: cgmap.MeanRMS(g.RMS(basic)), Least: cgmap.MeanRMS(g.RMS(least)), Internal: math.Sqrt(squares), Frames: g.Frames()})
	}
	return out, nil
}

// MapFigure draws a molecule as every map sees it, looking along its shortest axis.
func MapFigure(s *gromacs.Structure) (figure.Picture, error) {
	bonds, err := cgmap.NewMolecule(s)
	if err != nil {
		return figure.Picture{}, err
	}
	x, y := flatten(s.R)
	var drawings []figure.Molecule
	for _, c := range []struct{ name, title string }{
		{cgmap.AllAtom, "all-atom"}, {cgmap.HeavyAtom, "heavy atom"}, {cgmap.CoreBeta, "core beta"}} {
		m, err := cgmap.New(c.name, s)
		if err != nil {
			return figure.Picture{}, err
		}
		d := figure.Molecule{Title: fmt.Sprintf("%s: %d beads", c.title, len(m.Beads)), X: x, Y: y, Bonds: bonds.Bonds(),
			Bead: make([]bool, len(s.Atoms)), Label: make([]string, len(s.Atoms)), Element: make([]byte, len(s.Atoms))}
		for i, a := range s.Atoms {
			d.Element[i] = a.Name[0]
		}
		for i, a := range m.Atoms {
			d.Bead[a] = true
			if c.name != cgmap.AllAtom {
				d.Label[a] = s.Atoms[m.Atoms[i]].Name
			}
		}
		drawings = append(drawings, d)
	}
	return figure.Molecules(drawings)
}

// viewTilt turns the view about the longest axis, rad.
const viewTilt = 0.6

// flatten projects positions, [atoms, 3], on their two longest principal axes,
// tilted.
func flatten(r []float32) (x, y []float64) {
	n := len(r) / 3
	var mean [3]float64
	for i, v := range r {
		mean[i%3] += float64(v) / float64(n)
	}
	tensor := mat.NewSymDense(3, nil)
	centred := mat.NewDense(n, 3, nil)
	for i, v := range r {
		centred.Set(i/3, i%3, float64(v)-mean[i%3])
	}
	tensor.SymOuterK(1, centred.T())
	var eigen mat.EigenSym
	var axes, flat mat.Dense
	if !eigen.Factorize(tensor, true) {
		panic("cgbg: the gyration tensor has no axes") // positions are finite
	}
	eigen.VectorsTo(&axes) // ascending
	flat.Mul(centred, &axes)
	x, y = mat.Col(nil, 2, &flat), mat.Col(nil, 1, &flat)
	for i := range y { // a little from above: planar groups lie on edge otherwise
		y[i] = math.Cos(viewTilt)*y[i] + math.Sin(viewTilt)*flat.At(i, 0)
	}
	return x, y
}

// evenly are n of total places at even distances, or all where there are no more.
func evenly(total, n int) []int {
	out := make([]int, min(n, total))
	for k := range out {
		out[k] = k * total / len(out)
	}
	return out
}

// pick is some frames of a set.
func pick(f *data.Frames, rows []int) *data.Frames {
	out := &data.Frames{}
	for _, i := range rows {
		out.Append(f.Slice(i, i+1))
	}
	return out
}
