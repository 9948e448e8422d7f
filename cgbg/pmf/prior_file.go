package pmf

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// In a file every kind of term has a table of one row each: the beads, and two
// numbers.
const (
	bondArray      = "prior/bonds"      // i, j, d₀, k
	angleArray     = "prior/angles"     // i, j, l, c₀, k
	repulsionArray = "prior/repulsions" // i, j, σ, ε
)

// export adds the tables of a prior's terms to the arrays of a file.
func (p Prior) export(arrays map[string]*tensors.Tensor) {
	table := func(name string, columns int, rows []float64) {
		if len(rows) > 0 {
			arrays[name] = tensors.FromFlatDataAndDimensions(rows, len(rows)/columns, columns)
		}
	}
	var bonds, angles, repulsions []float64
	for _, b := range p.Bonds {
		bonds = append(bonds, float64(b.I), float64(b.J), b.Length, b.K)
	}
	for _, a := range p.Angles {
		angles = append(angles, float64(a.I), float64(a.J), float64(a.L), a.Cos, a.K)
	}
	for _, r := range p.Repulsions {
		repulsions = append(repulsions, float64(r.I), float64(r.J), r.Sigma, r.Epsilon)
	}
	table(bondArray, 4, bonds)
	table(angleArray, 5, angles)
	table(repulsionArray, 4, repulsions)
}

// priorOf reads the tables that export wrote; without any there is no prior.
func priorOf(arrays map[string]*tensors.Tensor) (p Prior, err error) {
	rows := func(name string, columns int, add func(row []float64)) {
		a := arrays[name]
		if a == nil || err != nil {
			return
		}
		values := numbers(a)
		if a.Rank() != 2 || a.Shape().Dim(1) != columns || len(values) != a.Shape().Size() {
			err = fmt.Errorf("array %q has shape %s, not rows of %d numbers", name, a.Shape(), columns)
			return
		}
		for ; len(values) > 0; values = values[columns:] {
			add(values)
		}
	}
	rows(bondArray, 4, func(v []float64) {
		p.Bonds = append(p.Bonds, Bond{int(v[0]), int(v[1]), v[2], v[3]})
	})
	rows(angleArray, 5, func(v []float64) {
		p.Angles = append(p.Angles, Angle{int(v[0]), int(v[1]), int(v[2]), v[3], v[4]})
	})
	rows(repulsionArray, 4, func(v []float64) {
		p.Repulsions = append(p.Repulsions, Repulsion{int(v[0]), int(v[1]), v[2], v[3]})
	})
	return p, err
}
