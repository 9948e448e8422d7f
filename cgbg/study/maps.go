package study

import (
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/cgmap"
	"github.com/cgbg-go/lab/cgbg/figure"
	"github.com/cgbg-go/lab/cgbg/result"
	"github.com/cgbg-go/lab/data"
	"github.com/cgbg-go/lab/data/gromacs"
	"gonum.org/v1/gonum/mat"
)

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
			at, to := i*f.Width(), (i+1)*f.Width()
			if forces, err = internal.Apply(forces, f.R[at:to], f.F[at:to]); err != nil {
				return nil, err
			}
		}
		squares := 0.0
		for _, v := range forces {
			squares += float64(v) * float64(v) / float64(len(forces))
		}
		out = append(out, ForceNoise{Map: name, Basic: cgmap.MeanRMS(g.RMS(basic)), Least: cgmap.MeanRMS(g.RMS(least)),
			Internal: math.Sqrt(squares), Frames: g.Frames()})
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
		d := figure.Molecule{Title: fmt.Sprintf("%s: %d beads", c.title, len(m.Beads)), X: x, Y: y,
			Bonds: bonds.Bonds(), Bead: make([]bool, len(s.Atoms)), Label: make([]string, len(s.Atoms)),
			Element: make([]byte, len(s.Atoms))}
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
		panic("study: the gyration tensor has no axes") // positions are finite
	}
	eigen.VectorsTo(&axes) // ascending
	flat.Mul(centred, &axes)
	x, y = mat.Col(nil, 2, &flat), mat.Col(nil, 1, &flat)
	for i := range y { // a little from above: planar groups lie on edge otherwise
		y[i] = math.Cos(viewTilt)*y[i] + math.Sin(viewTilt)*flat.At(i, 0)
	}
	return x, y
}

// Results are the numbers under the names of results.json.
func (n ForceNoise) Results() []result.Result {
	list := []result.Result{
		result.New("force_noise", n.Basic, result.None, result.None, "kJ/mol/nm", n.Frames),
		result.New("force_noise_least", n.Least, result.None, result.None, "kJ/mol/nm", n.Frames),
		result.New("force_noise_internal", n.Internal, result.None, result.None, "kJ/mol/nm", n.Frames),
	}
	return result.Behind(n.Map, list)
}
