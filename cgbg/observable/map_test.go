package observable

import (
	"math"
	"testing"
)

// An angle and a length of density ∝ exp(cos φ)·exp(−x) on [0, 2] have the free energy 1 − cos φ + x in kT, up to
// both ends of the interval, where the kernel is reflected.
func TestMapOfCircleAndInterval(t *testing.T) {
	rng := newRNG(51)
	const n = 400_000
	p := Points{X: [][]float64{nil, nil}, Axes: []Axis{Circle(60), {Lo: 0, Hi: 2, Bins: 40}}}
	for range n {
		p.X[0] = append(p.X[0], vonMises(1, rng))
		p.X[1] = append(p.X[1], -math.Log(1-rng.Float64()*(1-math.Exp(-2))))
	}
	m, err := NewMap(p, [2]float64{0.12, 0.06}, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	var mean, square, mass float64
	for i, phi := range m.X {
		for j, x := range m.Y {
			d := m.F[i*len(m.Y)+j]/2.5 - (1 - math.Cos(phi) + x)
			mean += d / float64(len(m.F))
			square += d * d / float64(len(m.F))
			mass += m.P[i*len(m.Y)+j] * m.Axes[0].width() * m.Axes[1].width()
		}
	}
	if rms := math.Sqrt(square - mean*mean); rms > 0.06 {
		t.Errorf("rms error %.3f kT", rms)
	}
	near(t, "mass", mass, 1, 1e-9)
	near(t, "across the seam", m.At(math.Pi-1e-9, 1), m.At(-math.Pi, 1), 1e-6)
	near(t, "a turn further", m.At(1+2*math.Pi, 1), m.At(1, 1), 1e-9)
	near(t, "in a corner of the interval", m.At(0.5, 0), m.At(0.5, m.Y[0]), algebra)
	for _, x := range []float64{-0.01, 2.01, math.NaN()} {
		if f := m.At(0, x); !math.IsInf(f, 1) {
			t.Errorf("at %g: got %g, want +Inf", x, f)
		}
	}
}

// Laws of kernels: a flat density stays flat, on a circle and on an interval; no mass is lost from a cell at the end; a
// kernel of no width changes nothing.
func TestKernels(t *testing.T) {
	for name, a := range map[string]Axis{"circle": Circle(12), "interval": {Lo: 0, Hi: 3, Bins: 12}} {
		for _, sigma := range []float64{0, 0.3, 2, 5} {
			k := a.kernel(sigma)
			for i := range a.Bins {
				var row, column float64
				for j := range a.Bins {
					row += k[i*a.Bins+j]
					column += k[j*a.Bins+i]
				}
				near(t, name+", flat", row, 1, algebra)
				near(t, name+", mass", column, 1, algebra)
				if sigma == 0 && k[i*a.Bins+i] != 1 {
					t.Errorf("%s: no width mixes cells", name)
				}
			}
		}
	}
}

func TestMapErrors(t *testing.T) {
	x := []float64{0.1}
	line := Axis{Lo: 0, Hi: 1, Bins: 4}
	two := Points{X: [][]float64{x, x}, Axes: []Axis{line, line}}
	outside := Points{X: [][]float64{{2}, {2}}, Axes: two.Axes}
	few := Points{X: two.X, Axes: []Axis{line, {Lo: 0, Hi: 1, Bins: 3}}}
	if _, err := NewMap(two, [2]float64{}, 1); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (Map, error){
		"one variable": func() (Map, error) {
			return NewMap(Points{X: two.X[:1], Axes: two.Axes[:1]}, [2]float64{},
				1)
		},
		"bandwidth": func() (Map, error) { return NewMap(two, [2]float64{1, -1}, 1) },
		"kT":        func() (Map, error) { return NewMap(two, [2]float64{}, 0) },
		"no mass":   func() (Map, error) { return NewMap(outside, [2]float64{}, 1) },
		"few cells": func() (Map, error) { return NewMap(few, [2]float64{}, 1) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
