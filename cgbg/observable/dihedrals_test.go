package observable

import (
	"fmt"
	"math"
)

// Torus is a set of weighted pairs of dihedrals, for short.
type Torus struct {
	Phi, Psi []float64 // rad
	Weight   []float64
	Block    int
}

// Points are the pairs on two circles of TorusBins.
func (t Torus) Points() Points {
	circle := Circle(TorusBins)
	return Points{X: [][]float64{t.Phi, t.Psi}, Axes: []Axis{circle, circle}, Weight: t.Weight, Block: t.Block}
}

// ScoreTorus is Score of pairs of dihedrals.
func ScoreTorus(model, reference Torus, r Resampling) (Scores, error) {
	return Score(model.Points(), reference.Points(), r)
}

// torusMap is NewMap of dihedrals on n × n cells with one bandwidth.
func torusMap(t Torus, n int, bandwidth, kT float64) (Map, error) {
	p := t.Points()
	p.Axes = []Axis{Circle(n), Circle(n)}
	return NewMap(p, [2]float64{bandwidth, bandwidth}, kT)
}

// Histogram2D is the weight that fell into each cell of a grid.
type Histogram2D struct {
	// XEdges and YEdges bound the cells, [nx+1] and [ny+1], increasing, with the convention of Histogram1D.
	XEdges, YEdges []float64
	// Mass is the weight in each cell, [nx*ny]; cell (i, j) is Mass[i*ny+j].
	Mass []float64
	// Outside is the weight outside the grid.
	Outside float64
}

// NewHistogram2D sorts weighted points into the cells of a grid.
// x, y: coordinates, [n]; w: weights of any scale, [n], or nil for one each; xEdges, yEdges: increasing.
// Errors: those of Histogram.
func NewHistogram2D(x, y, w, xEdges, yEdges []float64) (Histogram2D, error) {
	cells, nx, ny, err := cellsOf(x, y, w, xEdges, yEdges)
	if err != nil {
		return Histogram2D{}, fmt.Errorf("observable: making a 2-D histogram: %w", err)
	}
	h := Histogram2D{XEdges: xEdges, YEdges: yEdges, Mass: make([]float64, nx*ny)}
	for i, c := range cells {
		if c < 0 {
			h.Outside += weight(w, i)
		} else {
			h.Mass[c] += weight(w, i)
		}
	}
	return h, nil
}

// TorusHistogram is the 2-D histogram of two dihedrals that scores are defined on: 100 × 100 cells over [−π, π]².
// phi, psi: [n], rad. Errors: those of Histogram.
func TorusHistogram(phi, psi, w []float64) (Histogram2D, error) {
	e := Edges(-math.Pi, math.Pi, TorusBins)
	return NewHistogram2D(phi, psi, w, e, e)
}

// cellsOf returns the cell i*ny+j of each point, −1 outside.
func cellsOf(x, y, w, xEdges, yEdges []float64) (cells []int32, nx, ny int, err error) {
	if len(x) != len(y) {
		return nil, 0, 0, fmt.Errorf("%d x for %d y", len(x), len(y))
	}
	for _, v := range [][]float64{x, y} {
		if err := checkSamples(v, w); err != nil {
			return nil, 0, 0, err
		}
	}
	bx, err := newBinner(xEdges)
	if err != nil {
		return nil, 0, 0, err
	}
	by, err := newBinner(yEdges)
	if err != nil {
		return nil, 0, 0, err
	}
	cells = make([]int32, len(x))
	for i := range x {
		kx, ky := bx.bin(x[i]), by.bin(y[i])
		cells[i] = -1
		if kx >= 0 && kx < bx.bins && ky >= 0 && ky < by.bins {
			cells[i] = int32(kx*by.bins + ky)
		}
	}
	return cells, bx.bins, by.bins, nil
}
