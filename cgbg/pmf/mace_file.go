package pmf

import (
	"errors"
	"fmt"
	"math"

	"github.com/cgbg-go/lab/cgbg/e3"
	"github.com/cgbg-go/lab/cgbg/train"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
)

// ErrMACE reports a file that is no MACE model of this architecture.
var ErrMACE = errors.New("not a MACE model of this architecture")

// publishedCutoff is meant where a file says nothing, nm.
const publishedCutoff = 0.5

// ImportMACE reads a model from an NPZ file: the parameters "param/<name>",
// "species", the row of every bead, and, where it is another than that of
// package e3, the basis of the contractions "table/U<order>_l<degree>"; without
// "const/cutoff" and "const/box" the cutoff is 0.5 nm, and space open, and
// without tables "prior/…" there is no prior. Sizes are those of the arrays.
// Errors: no file; ErrMACE, wrapped, with the array that does not fit.
func ImportMACE(backend compute.Backend, path string) (*Model, error) {
	arrays, err := train.ReadArrays(path)
	if err != nil {
		return nil, fmt.Errorf("pmf: %w", err)
	}
	m, err := maceKind.form.model(backend, path, arrays)
	if err != nil && !errors.Is(err, ErrMACE) {
		err = fmt.Errorf("pmf: %w: %w", ErrMACE, err)
	}
	return m, err
}

// numbers are the values of an array in float64; nil where there is none.
func numbers(t *tensors.Tensor) []float64 {
	if t == nil {
		return nil
	}
	if v, err := tensors.CopyFlatData[float64](t); err == nil {
		return v
	}
	var out []float64
	if v, err := tensors.CopyFlatData[float32](t); err == nil {
		for _, x := range v {
			out = append(out, float64(x))
		}
	} else if v, err := tensors.CopyFlatData[int64](t); err == nil {
		for _, x := range v {
			out = append(out, float64(x))
		}
	}
	return out
}

// maceOf infers the settings from the shapes of arrays.
func maceOf(arrays map[string]*tensors.Tensor) (MACE, error) {
	p := MACE{Cutoff: publishedCutoff}
	dim := func(name string, axis int) int {
		if t := arrays["param/"+name]; t != nil && t.Rank() > axis {
			return t.Shape().Dim(axis)
		}
		return 0
	}
	count := func(format string, from int) int {
		n := from
		for arrays[fmt.Sprintf("param/"+format, n)] != nil {
			n++
		}
		return n - from
	}
	for _, s := range numbers(arrays["species"]) {
		p.Species = append(p.Species, int(s))
	}
	if p.Species == nil {
		return p, fmt.Errorf("%w: no array %q", ErrMACE, "species")
	}
	p.Rows, p.Embed, p.Channels = dim("embed/table", 0), dim("embed/table", 1), dim("embed/linear", 1)
	p.Radial, p.Readout = dim("frequencies", 0), dim("readout/hidden", 1)
	p.Layers = count("%d/down_l0", 0)
	p.LMax = count("0/down_l%d", 0) - 1
	p.LHidden = max(0, count("1/up_l%d", 0)-1)
	p.Correlation = count("0/w%d_l0", 1)
	for k := range count("0/radial_%d", 0) - 1 {
		p.Hidden = append(p.Hidden, dim(fmt.Sprintf("0/radial_%d", k), 1))
	}
	if g := numbers(arrays["param/neighbours"]); len(g) == 1 {
		p.Neighbours = g[0] * g[0]
	}
	if c := numbers(arrays["const/cutoff"]); len(c) == 1 {
		p.Cutoff = c[0]
	}
	p.Box = numbers(arrays["const/box"])
	var err error
	if p.Prior, err = priorOf(arrays); err != nil {
		return p, fmt.Errorf("%w: %w", ErrMACE, err)
	}
	if c := numbers(arrays["const/silu"]); len(c) == 1 && math.Abs(c[0]-siluNorm) > 1e-8 {
		return p, fmt.Errorf("%w: the array \"const/silu\" is %.10g, the norm of silu here %.10g: "+
			"energies would be off", ErrMACE, c[0], siluNorm)
	}
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("%w: %w", ErrMACE, err)
	}
	for l := range p.LHidden + 1 {
		for nu := 1; nu <= p.Correlation; nu++ {
			name := fmt.Sprintf("U%d_l%d", nu, l)
			if arrays["table/"+name] == nil {
				continue
			}
			gauge, err := symmetric(p.LMax, nu, l).Gauge(numbers(arrays["table/"+name]))
			if err != nil {
				return p, fmt.Errorf("%w: array %q: %w", ErrMACE, "table/"+name, err)
			}
			if p.Gauges == nil {
				p.Gauges = map[string][]float64{}
			}
			p.Gauges[name] = gauge
		}
	}
	return p, nil
}

// writeMACE adds species, constants and tables.
func writeMACE(potential Potential, arrays map[string]*tensors.Tensor) {
	p := potential.(MACE)
	var species []int64
	for _, s := range p.Species {
		species = append(species, int64(s))
	}
	arrays["species"] = tensors.FromFlatDataAndDimensions(species, len(species))
	arrays["const/silu"] = tensors.FromScalar(siluNorm)
	arrays["const/cutoff"] = tensors.FromScalar(p.Cutoff)
	p.Prior.export(arrays)
	if p.Box != nil {
		arrays["const/box"] = tensors.FromFlatDataAndDimensions(p.Box, 3)
	}
	for l := range p.LMax + 1 {
		for _, path := range e3.Paths(degrees(p.LHidden), p.LMax, l) {
			if path.B == 0 {
				continue
			}
			c := e3.Wigner3j(path.A, path.B, path.L)
			for i := range c {
				c[i] *= math.Sqrt(float64(2*path.L + 1))
			}
			name := fmt.Sprintf("table/cg_%d_%d_%d", path.A, path.B, path.L)
			arrays[name] = tensors.FromFlatDataAndDimensions(c, 2*path.A+1, 2*path.B+1, 2*path.L+1)
		}
	}
	for l := range p.LHidden + 1 {
		for nu := 1; nu <= p.Correlation; nu++ {
			name := fmt.Sprintf("U%d_l%d", nu, l)
			arrays["table/"+name] = p.basis(name, nu, l)
		}
	}
}

// basis is that of a contraction as symmetric tensors, in the potential's gauge.
func (p MACE) basis(name string, nu, l int) *tensors.Tensor {
	s := symmetric(p.LMax, nu, l)
	d := 2*l + 1
	u := s.Tensor()
	if gauge := p.Gauges[name]; gauge != nil {
		turned := make([]float64, len(u))
		for r := range len(u) / (s.K * d) {
			for k := range s.K {
				for k2 := range s.K {
					for m := range d {
						turned[(r*s.K+k)*d+m] += gauge[k*s.K+k2] * u[(r*s.K+k2)*d+m]
					}
				}
			}
		}
		u = turned
	}
	dims := []int{}
	for range nu {
		dims = append(dims, s.Dim())
	}
	return tensors.FromFlatDataAndDimensions(u, append(dims, s.K, d)...)
}
